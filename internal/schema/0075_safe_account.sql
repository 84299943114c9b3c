-- +goose Up

-- The number that the last account of a safe was given.
ALTER TABLE safe ADD COLUMN accounts BIGINT NOT NULL DEFAULT 0;

-- Accounts of other systems, in safes.
CREATE TABLE safe_account (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    ref         {{key}} NOT NULL, -- number of the safe, underscore, number within it
    safe        {{key}} NOT NULL,
    name        {{text}} NOT NULL,
    name_key    {{key}} NOT NULL,
    description {{text}} NOT NULL,
    type        {{key}} NOT NULL, -- password, key
    folder      {{text}} NOT NULL,
    properties  {{json}} NOT NULL, -- list of objects with key and value
    machines    {{text}} NOT NULL,
    restricted  {{text}} NOT NULL,
    sealed      {{text}} NOT NULL, -- the secret, by the key ring; empty: none
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, ref),
    UNIQUE (tenant, safe, name_key)
);
CREATE INDEX safe_account_name ON safe_account (tenant, name_key, id);
CREATE INDEX safe_account_type ON safe_account (tenant, type, id);
CREATE INDEX safe_account_created ON safe_account (tenant, created, id);
CREATE INDEX safe_account_changed ON safe_account (tenant, changed, id);
