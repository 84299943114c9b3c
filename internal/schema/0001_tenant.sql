-- +goose Up

-- Tenants, their login suffixes, host names and settings, and the keys that seal and sign for them.
CREATE TABLE tenant (
    id      {{key}} NOT NULL PRIMARY KEY, -- the contract's form: three letters, four digits
    name    {{text}} NOT NULL,
    created {{ms}} NOT NULL,
    version BIGINT NOT NULL
);

-- A suffix belongs to one tenant of the whole installation: sign-in finds the tenant by it.
CREATE TABLE suffix (
    name_key {{key}} NOT NULL PRIMARY KEY,
    tenant   {{key}} NOT NULL REFERENCES tenant (id),
    name     {{text}} NOT NULL,
    mapped   {{text}} NOT NULL, -- suffix or domain that it stands for; equal to name when it stands for itself
    cds      {{bool}} NOT NULL, -- usable for users of the built-in directory
    main     {{bool}} NOT NULL, -- the tenant's default
    created  {{ms}} NOT NULL
);
CREATE INDEX suffix_tenant ON suffix (tenant, name_key);

CREATE TABLE host (
    name_key  {{key}} NOT NULL PRIMARY KEY,
    tenant    {{key}} NOT NULL REFERENCES tenant (id),
    name      {{text}} NOT NULL,
    preferred {{bool}} NOT NULL,
    custom    {{bool}} NOT NULL, -- registered by an administrator, so that it may be removed
    created   {{ms}} NOT NULL
);
CREATE INDEX host_tenant ON host (tenant, name_key);

CREATE TABLE setting (
    tenant   {{key}} NOT NULL,
    name_key {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    value    {{text}} NOT NULL, -- sealed when secret
    secret   {{bool}} NOT NULL,
    changed  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, name_key)
);

-- Keys that seal a tenant's secrets, wrapped by the master key; tenant '' is the installation.
CREATE TABLE seal_key (
    tenant  {{key}} NOT NULL,
    purpose {{key}} NOT NULL,
    version BIGINT NOT NULL,
    wrapped {{blob}} NOT NULL,
    created {{ms}} NOT NULL,
    PRIMARY KEY (tenant, purpose, version)
);

CREATE TABLE signing_key (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    alg     {{key}} NOT NULL,
    sealed  {{text}} NOT NULL,
    created {{ms}} NOT NULL,
    starts  {{ms}} NOT NULL, -- signs from then on
    ends    {{ms}} NOT NULL, -- signs no more; 0: while it is the newest
    gone    {{ms}} NOT NULL, -- published no more; 0: while it is the newest
    PRIMARY KEY (tenant, id)
);
