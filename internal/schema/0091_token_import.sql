-- +goose Up

-- What is printed on a hardware token; empty: none. Nobody has the token of somebody else.
ALTER TABLE oath_profile ADD COLUMN serial {{text}} NOT NULL DEFAULT '';
ALTER TABLE oath_profile ADD COLUMN serial_key {{key}} NOT NULL DEFAULT ''; -- folded
ALTER TABLE oath_profile ADD COLUMN imported {{ms}} NOT NULL DEFAULT 0; -- when it came from a file; 0: it did not
CREATE UNIQUE INDEX oath_profile_serial ON oath_profile (tenant, serial_key) WHERE serial_key <> '';
CREATE INDEX oath_profile_imported ON oath_profile (tenant, id) WHERE imported > 0;

-- Files of tokens that were checked and wait to be submitted, or whose job runs.
CREATE TABLE token_file (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    by_user {{key}} NOT NULL, -- who uploaded it, and alone may submit it
    name    {{text}} NOT NULL, -- of the file, for people
    tokens  BIGINT NOT NULL,
    own     {{bool}} NOT NULL, -- one of them is for the uploader
    body    {{text}} NOT NULL, -- sealed: the secrets are in it
    job     {{key}} NOT NULL, -- empty until it is submitted
    tally   {{text}} NOT NULL, -- what the job has done so far, JSON; written with each batch
    created {{ms}} NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX token_file_job ON token_file (tenant, job);
CREATE INDEX token_file_user ON token_file (tenant, by_user, job, id);
CREATE INDEX token_file_expires ON token_file (expires);
