-- +goose Up

-- Providers at which people of a tenant may sign in instead of with a password here: those that are set up.
CREATE TABLE upstream (
    tenant   {{key}} NOT NULL,
    name_key {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    display  {{text}} NOT NULL, -- as people read it; empty: as name
    issuer   {{text}} NOT NULL, -- of OpenID Connect, where it is none of those that the program knows
    enabled  {{bool}} NOT NULL,
    client   {{text}} NOT NULL, -- id of the tenant's application there; empty: none
    sealed   {{text}} NOT NULL, -- its secret, by the key ring; empty: none
    team     {{text}} NOT NULL, -- of Apple: the developer team
    key_id   {{text}} NOT NULL, -- of Apple: the key that the secret is
    scope    {{text}} NOT NULL, -- asked for besides what is needed
    portal   {{text}} NOT NULL, -- where people land; empty: the tenant's
    changed  {{ms}} NOT NULL,
    version  BIGINT NOT NULL,
    PRIMARY KEY (tenant, name_key)
);

-- Which accounts at providers belong to whom. The issuer stands in the key: a provider that is set up anew at another one knows nobody.
CREATE TABLE upstream_link (
    tenant   {{key}} NOT NULL,
    provider {{key}} NOT NULL,
    issuer   {{key}} NOT NULL,
    subject  {{key}} NOT NULL, -- as the provider calls the account
    user_id  {{key}} NOT NULL,
    label    {{text}} NOT NULL, -- the account as its owner knows it: an address or a name
    made_by  {{key}} NOT NULL, -- Owner, Mail, New
    created  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, provider, issuer, subject)
) {{clustered}};
CREATE INDEX upstream_link_user ON upstream_link (tenant, user_id);

-- Sign-ins at providers that are under way, and those that came back and wait to be resumed. Each is good once.
CREATE TABLE upstream_flow (
    tenant   {{key}} NOT NULL,
    hash     {{blob}} NOT NULL, -- of the state, or of what resumes it
    provider {{key}} NOT NULL,
    state    {{text}} NOT NULL, -- sealed
    expires  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, hash)
);
CREATE INDEX upstream_flow_provider ON upstream_flow (tenant, provider);
CREATE INDEX upstream_flow_expires ON upstream_flow (expires);
