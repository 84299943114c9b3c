-- +goose Up

-- Clients that were registered with an application, beside its own.
CREATE TABLE oauth_client (
    tenant   {{key}} NOT NULL,
    id       {{key}} NOT NULL, -- client_id
    app      {{key}} NOT NULL,
    metadata {{json}} NOT NULL, -- RFC 7591 section 2
    secret   {{text}} NOT NULL, -- sealed; empty: it has none
    token    {{blob}} NOT NULL, -- hash of the registration access token, with which the client manages itself; empty: it cannot
    created  {{ms}} NOT NULL,
    changed  {{ms}} NOT NULL,
    version  {{int}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE INDEX oauth_client_app ON oauth_client (tenant, app, id);
