-- +goose Up

-- Whether, and to what, people of a tenant must agree before they are let in.
CREATE TABLE consent_setup (
    tenant     {{key}} NOT NULL,
    enabled    {{bool}} NOT NULL,
    version    {{key}} NOT NULL, -- that is asked for; empty: none
    url        {{text}} NOT NULL, -- where the same can be read; empty: nowhere
    script     {{text}} NOT NULL, -- empty: the program's own
    attributes {{text}} NOT NULL, -- that the script sees, as a JSON array
    changed    {{ms}} NOT NULL,
    revision   BIGINT NOT NULL,
    PRIMARY KEY (tenant)
);

-- What people were asked to agree to. It stays as it was.
CREATE TABLE consent_document (
    tenant   {{key}} NOT NULL,
    version  {{key}} NOT NULL,
    language {{key}} NOT NULL, -- BCP 47 tag
    body     {{text}} NOT NULL,
    digest   {{text}} NOT NULL, -- SHA-256 of the body, in hexadecimal digits
    made     {{ms}} NOT NULL,
    PRIMARY KEY (tenant, version, language)
);

-- Who agreed to what.
CREATE TABLE consent (
    tenant    {{key}} NOT NULL,
    user_id   {{key}} NOT NULL,
    id        {{key}} NOT NULL,
    version   {{key}} NOT NULL,
    language  {{key}} NOT NULL,
    digest    {{text}} NOT NULL,
    means     {{text}} NOT NULL, -- SignUp, SignIn
    ip        {{text}} NOT NULL,
    agent     {{text}} NOT NULL, -- the browser or program
    agreed    {{ms}} NOT NULL,
    withdrawn {{ms}} NOT NULL, -- 0: it is not
    PRIMARY KEY (tenant, user_id, id)
);
