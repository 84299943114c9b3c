-- +goose Up

-- What somebody is to show beyond what their session rests on, until they begin to.
CREATE TABLE challenge (
    tenant  {{key}} NOT NULL,
    hash    {{blob}} NOT NULL, -- of the id
    user_id {{key}} NOT NULL,
    session {{key}} NOT NULL, -- that is raised; empty: the person answers a program that asked for them
    wanted  {{json}} NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, hash)
) {{clustered}};
CREATE INDEX challenge_expires ON challenge (expires);
