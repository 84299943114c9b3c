-- +goose Up

-- The members of a role by name, however many there are: the key of a member's name stands beside the membership, and
-- follows when the person or the nested role is renamed.
ALTER TABLE role_member ADD COLUMN name_key {{key}} NOT NULL DEFAULT '';
UPDATE role_member SET name_key = COALESCE((SELECT u.name_key FROM users u WHERE u.tenant = role_member.tenant AND u.id = role_member.member), '')
WHERE kind = 'User';
UPDATE role_member SET name_key = COALESCE((SELECT r.name_key FROM role r WHERE r.tenant = role_member.tenant AND r.id = role_member.member), '')
WHERE kind = 'Role';
CREATE INDEX role_member_name ON role_member (tenant, role, name_key, kind, member, until);

-- What has ended, for retention.
CREATE INDEX role_member_until ON role_member (until) WHERE until <> 0;
CREATE INDEX role_right_until ON role_right (until) WHERE until <> 0;

-- Who is in which role, for reports: direct members whose time has not ended.
CREATE VIEW rr_rolemember AS SELECT
    m.tenant AS tenant, COALESCE(u.org, r.org, '') AS grant_org, m.role || ' ' || m.member AS id, m.role AS roleid, m.member AS guid,
    COALESCE(u.name, r.name) AS name, m.name_key AS name_key, m.kind AS type,
    NULLIF(m.since, 0) AS validfrom, NULLIF(m.until, 0) AS validuntil, NULLIF(m.reason, '') AS reason
FROM role_member m
LEFT JOIN users u ON u.tenant = m.tenant AND m.kind = 'User' AND u.id = m.member
LEFT JOIN role r ON r.tenant = m.tenant AND m.kind = 'Role' AND r.id = m.member;
