-- +goose Up

-- Initial access tokens: who has one may register clients with an application (RFC 7591 section 3).
CREATE TABLE oauth_initial (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    app     {{key}} NOT NULL,
    hash    {{blob}} NOT NULL, -- of the token
    name    {{text}} NOT NULL, -- what it is for
    uses    {{int}} NOT NULL, -- how many clients may still be registered with it
    created {{ms}} NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE UNIQUE INDEX oauth_initial_hash ON oauth_initial (tenant, hash);
CREATE INDEX oauth_initial_app ON oauth_initial (tenant, app, id);
CREATE INDEX oauth_initial_expires ON oauth_initial (expires);
