-- +goose Up

-- Files of people to be created, from their upload to the end of the job that creates them.
CREATE TABLE import_file (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    by_user {{key}} NOT NULL, -- who uploaded it, and alone may submit it; empty: the server's command line
    name    {{text}} NOT NULL, -- of the file, for people
    people  BIGINT NOT NULL,
    body    {{text}} NOT NULL, -- sealed: there may be passwords in it
    job     {{key}} NOT NULL, -- empty until it is submitted
    mail    {{text}} NOT NULL, -- where the report goes; empty: nowhere
    tally   {{text}} NOT NULL, -- what the job has done so far, JSON; written with each batch
    created {{ms}} NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX import_file_job ON import_file (tenant, job);
CREATE INDEX import_file_user ON import_file (tenant, by_user, job, id);
CREATE INDEX import_file_expires ON import_file (expires);
