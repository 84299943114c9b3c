-- +goose Up

-- Codes that stand in for a further factor of somebody who lost theirs. Used ones stay until there is another set, to tell when that was.
CREATE TABLE recovery_code (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    n       BIGINT NOT NULL, -- number in the set, from 1
    hash    {{text}} NOT NULL, -- keyed, by a key that the store has sealed alone
    created {{ms}} NOT NULL,
    used    {{ms}} NOT NULL, -- 0: not yet
    PRIMARY KEY (tenant, user_id, n)
);
