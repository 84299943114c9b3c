-- +goose Up

-- The scripts of dynamic roles. Whoever writes what a script decided locks its row first, so that one does so at a time.
CREATE TABLE role_script (
    tenant   {{key}} NOT NULL,
    role     {{key}} NOT NULL,
    script   {{text}} NOT NULL,
    revision BIGINT NOT NULL,
    error    {{text}} NOT NULL, -- why the script failed last; empty: it did not
    failed   {{ms}} NOT NULL,
    told     BIGINT NOT NULL, -- revision whose failure administrators were told
    changed  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, role)
);

-- What a script has read of people. Only changes of it have the script run again.
CREATE TABLE role_script_read (
    tenant {{key}} NOT NULL,
    role   {{key}} NOT NULL,
    name   {{key}} NOT NULL,
    PRIMARY KEY (tenant, role, name)
);

-- Whose attributes changed. The row stays for a while after the scripts ran: a decision made of older attributes is told
-- by the token.
CREATE TABLE role_script_person (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    token   {{key}} NOT NULL, -- of the last change
    what    {{text}} NOT NULL, -- names between commas, or *
    due     {{ms}} NOT NULL, -- 0: nothing is to be done
    changed {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
CREATE INDEX role_script_person_due ON role_script_person (due) WHERE due <> 0;
CREATE INDEX role_script_person_changed ON role_script_person (changed) WHERE due = 0;
