-- +goose Up

-- People who are in an organization for a time, or will be. Which one they are in by now is a column of the person as ever.
CREATE TABLE org_stay (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    org     {{key}} NOT NULL,
    home    {{key}} NOT NULL, -- organization to which they return; empty: none
    since   {{ms}} NOT NULL,
    until   {{ms}} NOT NULL, -- 0: they stay for good
    reason  {{text}} NOT NULL,
    granter {{key}} NOT NULL, -- UUID; empty: the server's own command line
    begun   {{bool}} NOT NULL,
    due     {{ms}} NOT NULL, -- when they move next: since, or until once it has begun
    PRIMARY KEY (tenant, user_id)
) {{clustered}};
CREATE INDEX org_stay_due ON org_stay (due);
CREATE INDEX org_stay_org ON org_stay (tenant, org);
CREATE INDEX org_stay_home ON org_stay (tenant, home);

CREATE VIEW rr_organizationstay AS SELECT
    s.tenant AS tenant, u.org AS grant_org, s.user_id AS id, u.name AS username, s.org AS orgid, o.path AS orgpath, NULLIF(s.home, '') AS homeid,
    s.since AS validfrom, NULLIF(s.until, 0) AS validuntil, NULLIF(s.reason, '') AS reason, NULLIF(s.granter, '') AS grantedby
FROM org_stay s JOIN users u ON u.tenant = s.tenant AND u.id = s.user_id JOIN org o ON o.tenant = s.tenant AND o.id = s.org;
