-- +goose Up

-- What a person keeps here: preferences of the portal, and settings of clients by a type of theirs.
CREATE TABLE user_preference (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    name_key {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    value    {{text}} NOT NULL, -- JSON
    PRIMARY KEY (tenant, user_id, name_key)
);
CREATE TABLE user_setting (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    type_key {{key}} NOT NULL,
    name_key {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    value    {{text}} NOT NULL,
    PRIMARY KEY (tenant, user_id, type_key, name_key)
);

-- Until when a person signs in without further factors.
CREATE TABLE mfa_exemption (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    until   {{ms}} NOT NULL,
    granter {{key}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
CREATE INDEX mfa_exemption_until ON mfa_exemption (until);

-- Whether the mail address is the person's is still to be shown: by the link that was sent there.
ALTER TABLE users ADD COLUMN mail_unproved {{bool}} NOT NULL DEFAULT FALSE;
CREATE TABLE address_proof (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    hash    {{blob}} NOT NULL, -- of the token in the link
    mail    {{text}} NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
CREATE UNIQUE INDEX address_proof_hash ON address_proof (tenant, hash);
CREATE INDEX address_proof_expires ON address_proof (expires);

-- The code that a person reads out to the help desk.
CREATE TABLE passcode (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    code    {{text}} NOT NULL, -- keyed hash; empty: used
    sent    {{ms}} NOT NULL,
    expires {{ms}} NOT NULL,
    sends   BIGINT NOT NULL,
    tries   BIGINT NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
CREATE INDEX passcode_expires ON passcode (expires);

-- The account and the role of technical support, while access is granted or until it is granted anew.
CREATE TABLE support_access (
    tenant  {{key}} NOT NULL PRIMARY KEY,
    user_id {{key}} NOT NULL,
    role    {{key}} NOT NULL,
    until   {{ms}} NOT NULL
);
