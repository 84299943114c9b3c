-- +goose Up

-- Access control entries: who is given which rights on a row. An entry of a set may be on its members instead.
CREATE TABLE ace (
    tenant    {{key}} NOT NULL,
    object    {{key}} NOT NULL, -- table of the row, as internal/core/acl names it
    row_key   {{key}} NOT NULL,
    members   {{bool}} NOT NULL, -- on the members of the set, not on the set itself
    kind      {{key}} NOT NULL, -- User, Role
    principal {{key}} NOT NULL,
    id        {{key}} NOT NULL,
    mask      BIGINT NOT NULL, -- 64 bits; what they mean is the table's
    since     {{ms}} NOT NULL, -- 0: from the beginning
    until     {{ms}} NOT NULL, -- 0: without end
    reason    {{text}} NOT NULL,
    granter   {{key}} NOT NULL, -- UUID of who granted it
    granted   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, object, row_key, members, kind, principal)
);
CREATE UNIQUE INDEX ace_id ON ace (tenant, id);
CREATE INDEX ace_of ON ace (tenant, principal, object, row_key);
CREATE INDEX ace_until ON ace (until) WHERE until <> 0;

-- Whoever changes the entries of a row, or the members of a set, locks its row here first, so that one does so at a time.
CREATE TABLE ace_list (
    tenant  {{key}} NOT NULL,
    object  {{key}} NOT NULL,
    row_key {{key}} NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant, object, row_key)
);

-- Sets of objects of one type.
CREATE TABLE collection (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    object      {{key}} NOT NULL, -- type of the members: a table
    sub         {{key}} NOT NULL, -- subtype of the members; empty: any
    kind        {{key}} NOT NULL, -- ManualBucket, SqlDynamic
    name        {{text}} NOT NULL,
    name_key    {{key}} NOT NULL,
    description {{text}} NOT NULL,
    script      {{text}} NOT NULL, -- of a dynamic set, the query whose rows are the members
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX collection_name ON collection (tenant, object, name_key);

CREATE TABLE collection_member (
    tenant     {{key}} NOT NULL,
    collection {{key}} NOT NULL,
    object     {{key}} NOT NULL, -- as the set's
    member     {{key}} NOT NULL,
    added      {{ms}} NOT NULL,
    adder      {{key}} NOT NULL, -- UUID of who added it
    PRIMARY KEY (tenant, collection, member)
);
CREATE INDEX collection_member_of ON collection_member (tenant, object, member);

-- What rows are given by entries of their own and through the sets that they are in. No script can name it: it says which
-- rows of other views a caller sees.
CREATE VIEW rr_ace AS
SELECT tenant, object, row_key, kind, principal, mask, since, until, {{false}} AS inherited, id FROM ace WHERE NOT members
UNION ALL
SELECT m.tenant, m.object, m.member, e.kind, e.principal, e.mask, e.since, e.until, {{true}}, e.id
FROM collection_member m JOIN ace e ON e.tenant = m.tenant AND e.object = 'Collections' AND e.row_key = m.collection AND e.members;

CREATE VIEW rr_sets AS SELECT
    tenant, id, name, name_key, description, object AS objecttype, kind AS collectiontype, created AS whencreated
FROM collection;
