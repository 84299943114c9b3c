-- +goose Up

-- Where an organization is: the ids from the top down to its own, each with a slash behind it. Those below it are a range.
ALTER TABLE org ADD COLUMN trail {{key}} NOT NULL DEFAULT '';
UPDATE org SET trail = id || '/' WHERE parent = '';
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
UPDATE org SET trail = (SELECT p.trail FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent) || id || '/'
WHERE trail = '' AND EXISTS (SELECT 1 FROM org p WHERE p.tenant = org.tenant AND p.id = org.parent AND p.trail <> '');
CREATE INDEX org_trail ON org (tenant, trail, id);

-- The shape of the tree alone, and where one is in it.
CREATE INDEX org_parent ON org (tenant, id, parent, trail);

-- Each organization with itself and all below it. A zero is what follows a slash.
CREATE VIEW org_below AS SELECT a.tenant AS tenant, a.id AS above, b.id AS below
FROM org a JOIN org b ON b.tenant = a.tenant AND b.trail >= a.trail AND b.trail < substr(a.trail, 1, length(a.trail) - 1) || '0';

-- Counts the changes to the tree of organizations, so that it is kept in memory while roles and rights change.
CREATE TABLE org_tree (
    tenant  {{key}} NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (tenant)
);

-- What is held over organizations may begin and end by itself.
ALTER TABLE org_admin ADD COLUMN since {{ms}} NOT NULL DEFAULT 0;
ALTER TABLE org_admin ADD COLUMN until {{ms}} NOT NULL DEFAULT 0;
ALTER TABLE org_admin ADD COLUMN reason {{text}} NOT NULL DEFAULT '';
ALTER TABLE org_right ADD COLUMN since {{ms}} NOT NULL DEFAULT 0;
ALTER TABLE org_right ADD COLUMN until {{ms}} NOT NULL DEFAULT 0;
ALTER TABLE org_right ADD COLUMN reason {{text}} NOT NULL DEFAULT '';
CREATE INDEX org_admin_until ON org_admin (until) WHERE until <> 0;
CREATE INDEX org_right_until ON org_right (until) WHERE until <> 0;

-- What is held over organizations, and what roles carry, for reports.
CREATE VIEW rr_organizationright AS SELECT
    h.tenant AS tenant, h.org AS grant_org, h.org || ' ' || h.principal || ' ' || h.path AS id, h.org AS orgid, h.principal AS principal, h.kind AS type,
    h.path AS path, NULLIF(h.since, 0) AS validfrom, NULLIF(h.until, 0) AS validuntil, NULLIF(h.reason, '') AS reason, NULLIF(h.granter, '') AS grantedby
FROM org_right h;

CREATE VIEW rr_roleright AS SELECT
    h.tenant AS tenant, r.org AS grant_org, h.role || ' ' || h.path AS id, h.role AS roleid, h.path AS path,
    NULLIF(h.since, 0) AS validfrom, NULLIF(h.until, 0) AS validuntil, NULLIF(h.reason, '') AS reason, NULLIF(h.granter, '') AS grantedby
FROM role_right h JOIN role r ON r.tenant = h.tenant AND r.id = h.role;
