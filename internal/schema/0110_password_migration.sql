-- +goose Up

-- Where the passwords of people are known that a tenant has no hash of.
CREATE TABLE password_migration (
    tenant   {{key}} NOT NULL,
    enabled  {{bool}} NOT NULL,
    url      {{text}} NOT NULL, -- absolute https; empty: none
    header   {{text}} NOT NULL, -- in which that service wants the key; empty: in none
    sealed   {{text}} NOT NULL, -- the key, by the key ring; empty: none
    script   {{text}} NOT NULL, -- empty: the program's own
    patience BIGINT NOT NULL,   -- ms that an answer may take
    replaces {{bool}} NOT NULL, -- whether passwords that break the policy must be replaced at once
    changed  {{ms}} NOT NULL,
    version  BIGINT NOT NULL,
    PRIMARY KEY (tenant)
);
