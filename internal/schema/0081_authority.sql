-- +goose Up

-- Certificate authorities that vouch for the people of a tenant.
CREATE TABLE authority (
    tenant   {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    name_key {{key}} NOT NULL,
    root     {{key}} NOT NULL, -- SHA-256 of the root's certificate, in hexadecimal
    chain    {{text}} NOT NULL, -- certificates in PEM, the root last
    login    {{key}} NOT NULL, -- what of a certificate is the login name: principal, mail, subject
    revoked  {{bool}} NOT NULL, -- revoked certificates are looked for
    list     {{text}} NOT NULL, -- where their list is; empty: where certificates say
    created  {{ms}} NOT NULL,
    changed  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name_key),
    UNIQUE (tenant, root)
);
