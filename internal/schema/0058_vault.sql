-- +goose Up

-- What is known of people as users of the Vault's API alone. Who has no row is a user with what the API says where nothing is said.
CREATE TABLE vault_user (
    tenant     {{key}} NOT NULL,
    user_id    {{key}} NOT NULL,
    user_type  {{key}} NOT NULL,
    interfaces {{text}} NOT NULL, -- those that the user must not use, with commas
    methods    {{text}} NOT NULL, -- by which logons the password is taken, with commas
    allowed    {{text}} NOT NULL, -- further ways to log on, with commas
    dn         {{text}} NOT NULL,
    profession {{text}} NOT NULL,
    retention  BIGINT NOT NULL, -- days
    from_hour  BIGINT NOT NULL, -- UTC; -1: any
    to_hour    BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_id)
) {{clustered}};

-- The roles that stand for authorizations: one for each, and for each organization where somebody has it.
CREATE TABLE vault_role (
    tenant   {{key}} NOT NULL,
    entitles {{key}} NOT NULL, -- the authorization
    org      {{key}} NOT NULL, -- empty: none
    role     {{key}} NOT NULL,
    PRIMARY KEY (tenant, entitles, org),
    UNIQUE (tenant, role)
);

-- Which sessions were opened at the API.
CREATE TABLE vault_session (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    session {{key}} NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id, session)
) {{clustered}};
CREATE INDEX vault_session_expires ON vault_session (expires);
