-- +goose Up

-- Links with which invited people choose their first password. A person has one at most: a new one replaces it.
CREATE TABLE invitation (
    tenant  {{key}} NOT NULL,
    hash    {{blob}} NOT NULL, -- of the token in the link
    user_id {{key}} NOT NULL,
    created {{ms}} NOT NULL,
    expires {{ms}} NOT NULL,
    used    {{ms}} NOT NULL, -- 0: not yet
    PRIMARY KEY (tenant, user_id)
);
CREATE UNIQUE INDEX invitation_hash ON invitation (tenant, hash);
CREATE INDEX invitation_expires ON invitation (expires);
