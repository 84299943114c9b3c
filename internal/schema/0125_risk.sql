-- +goose Up

-- What was thought of each person's last complete sign-in, and where it came from.
CREATE TABLE user_risk (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    level   {{key}} NOT NULL, -- Normal, Low, Medium, High, Unknown
    score   BIGINT NOT NULL,
    at      {{ms}} NOT NULL,
    ip      {{text}} NOT NULL, -- address
    PRIMARY KEY (tenant, user_id)
);

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
    (SELECT k.level FROM user_risk k WHERE k.tenant = u.tenant AND k.user_id = u.id) AS risklevel,
    NULLIF(u.org, '') AS orgid, o.path AS orgpath
FROM users u LEFT JOIN user_seen s ON s.tenant = u.tenant AND s.user_id = u.id
LEFT JOIN org o ON o.tenant = u.tenant AND o.id = u.org;
