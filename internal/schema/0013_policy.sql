-- +goose Up

-- Policy sets of a tenant as a whole. Each change locks this row first, so that one happens at a time, and gives it another
-- revision last: what is remembered of a revision never changes.
CREATE TABLE policy_list (
    tenant       {{key}} NOT NULL PRIMARY KEY,
    revision     {{key}} NOT NULL, -- drawn, never used twice
    stamp        BIGINT NOT NULL, -- of the list of links: 100 ns since the year 1; grows with each change of it
    cloud_mobile {{bool}} NOT NULL, -- policy sets rule mobile devices, rather than a directory's group policy
    certificate  {{text}} NOT NULL -- where such devices get certificates, as it was given; empty: not told
);

-- A policy set and its one link. Links are read by position: the first one that applies to somebody and has a setting wins.
CREATE TABLE policy_block (
    tenant      {{key}} NOT NULL,
    name_key    {{key}} NOT NULL,
    name        {{text}} NOT NULL, -- without "/Policy/"
    description {{text}} NOT NULL,
    stamp       BIGINT NOT NULL,
    settings    {{json}} NOT NULL, -- an object: key -> value as it was given; secrets sealed
    position    BIGINT NOT NULL,
    link        {{key}} NOT NULL, -- Global, Role, Collection, Inactive
    params      {{json}} NOT NULL, -- an array: ids of roles or sets
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    PRIMARY KEY (tenant, name_key)
);

CREATE TABLE policy_modifier (
    tenant  {{key}} NOT NULL,
    name    {{key}} NOT NULL,
    created {{ms}} NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- Every tenant has the default policy set, which sets nothing: tenants that are made later get theirs when they are made.
INSERT INTO policy_list (tenant, revision, stamp, cloud_mobile, certificate)
    SELECT id, id, (created + 62135596800000) * 10000, {{true}}, '' FROM tenant;
INSERT INTO policy_block (tenant, name_key, name, description, stamp, settings, position, link, params, created, changed)
    SELECT id, 'default policy', 'Default Policy', 'What holds for everybody.', (created + 62135596800000) * 10000, '{}', 0, 'Global', '[]', created, created FROM tenant;
