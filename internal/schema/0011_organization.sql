-- +goose Up

-- Organizations: a tree of units. Who belongs to one is a column of the person (users.org) or role (role.org).
CREATE TABLE org (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    parent      {{key}} NOT NULL, -- id of the organization above; empty at the top
    name        {{text}} NOT NULL,
    description {{text}} NOT NULL,
    path        {{text}} NOT NULL, -- the names from the top down, each behind a slash
    path_key    {{key}} NOT NULL,
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX org_path ON org (tenant, path_key);

-- Who administers an organization and all below it.
CREATE TABLE org_admin (
    tenant    {{key}} NOT NULL,
    org       {{key}} NOT NULL,
    kind      {{key}} NOT NULL, -- User, Role
    principal {{key}} NOT NULL,
    granted   {{ms}} NOT NULL,
    granter   {{key}} NOT NULL, -- UUID of who granted it
    PRIMARY KEY (tenant, org, kind, principal)
);
CREATE INDEX org_admin_of ON org_admin (tenant, kind, principal);

-- Which rights people and roles hold over an organization and all below it, administrators' rights among them.
CREATE TABLE org_right (
    tenant    {{key}} NOT NULL,
    org       {{key}} NOT NULL,
    kind      {{key}} NOT NULL, -- User, Role
    principal {{key}} NOT NULL,
    path      {{key}} NOT NULL, -- as role_right
    granted   {{ms}} NOT NULL,
    granter   {{key}} NOT NULL,
    PRIMARY KEY (tenant, org, kind, principal, path)
);
CREATE INDEX org_right_of ON org_right (tenant, kind, principal);

-- The rights of a role that belongs to an organization reach over that and all below it, and no further.
ALTER TABLE role ADD COLUMN org {{key}} NOT NULL DEFAULT '';
CREATE INDEX role_org ON role (tenant, org);

DROP VIEW rr_user;
CREATE VIEW rr_user AS SELECT
    u.tenant AS tenant, u.org AS grant_org, u.id AS id, u.name AS username, u.name_key AS username_key,
    u.display AS displayname, u.mail AS email, u.mail AS searchemail, u.mobile AS mobilenumber, u.name AS loginname,
    CASE WHEN u.cloud_locked THEN 'Locked' ELSE 'None' END AS cloudstate,
    '09B9A9B0-6CE8-465F-AB03-65766D33B05E' AS directoryserviceuuid,
    NULLIF(u.invited, 0) AS lastinvite, NULLIF(s.last_login, 0) AS lastlogin,
    (SELECT count(*) FROM user_answer a WHERE a.tenant = u.tenant AND a.user_id = u.id) AS securityquestioncount,
    EXISTS (SELECT 1 FROM user_answer a WHERE a.tenant = u.tenant AND a.user_id = u.id) AS securityquestionset,
    u.service AS serviceuser, 'CDS' AS sourceds, 'CDS' AS sourcedsinstance, 'CyberArk Cloud Directory' AS sourcedslocalized, 'CDS' AS sourcedstype,
    CASE WHEN u.suspended THEN 'Suspended' WHEN u.active <> 0 THEN 'Active' WHEN u.invited <> 0 THEN 'Invited' ELSE 'Not Invited' END AS status,
    CASE WHEN u.suspended THEN 'Suspended' WHEN u.active <> 0 THEN 'Active' WHEN u.invited <> 0 THEN 'Invited' ELSE 'Created' END AS statusenum,
    CASE WHEN u.service THEN 'Service' ELSE 'User' END AS usertype,
    NULLIF(u.org, '') AS orgid, o.path AS orgpath
FROM users u LEFT JOIN user_seen s ON s.tenant = u.tenant AND s.user_id = u.id
LEFT JOIN org o ON o.tenant = u.tenant AND o.id = u.org;

DROP VIEW rr_role;
CREATE VIEW rr_role AS SELECT
    r.tenant AS tenant, r.org AS grant_org, r.id AS id, r.name AS name, r.name_key AS name_key, r.description AS description, r.kind AS roletype,
    r.built_in AS readonly, '09B9A9B0-6CE8-465F-AB03-65766D33B05E' AS directoryserviceuuid, NULLIF(r.org, '') AS orgid, o.path AS orgpath
FROM role r LEFT JOIN org o ON o.tenant = r.tenant AND o.id = r.org;

CREATE VIEW rr_organization AS SELECT
    tenant, id AS grant_org, id, name, path, description, NULLIF(parent, '') AS parentid
FROM org;
