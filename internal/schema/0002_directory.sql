-- +goose Up

-- The built-in directory: people, their secrets and pictures, roles with their members and rights.
CREATE TABLE users (
    tenant           {{key}} NOT NULL,
    id               {{key}} NOT NULL,
    name             {{text}} NOT NULL,
    name_key         {{key}} NOT NULL,
    suffix_key       {{key}} NOT NULL,
    display          {{text}} NOT NULL,
    display_key      {{key}} NOT NULL,
    mail             {{text}} NOT NULL,
    mail_key         {{key}} NOT NULL,
    mobile           {{text}} NOT NULL,
    home             {{text}} NOT NULL,
    office           {{text}} NOT NULL,
    description      {{text}} NOT NULL,
    culture          {{key}} NOT NULL,
    reports_to       {{key}} NOT NULL, -- UUID of the manager; empty when there is none
    org              {{key}} NOT NULL, -- id of the organization; empty when in none
    locked           {{bool}} NOT NULL, -- account state flags of the contract
    disabled         {{bool}} NOT NULL,
    expired          {{bool}} NOT NULL,
    cloud_locked     {{bool}} NOT NULL,
    suspended        {{bool}} NOT NULL,
    invited          {{ms}} NOT NULL, -- last invitation; 0: never
    active           {{ms}} NOT NULL, -- first complete sign-in; 0: never
    service          {{bool}} NOT NULL,
    oauth_client     {{bool}} NOT NULL,
    everybody        {{bool}} NOT NULL, -- member of the role Everybody
    force_change     {{bool}} NOT NULL, -- the password must be changed at the next sign-in
    never_expires    {{bool}} NOT NULL,
    expires          {{ms}} NOT NULL, -- end of the account; 0: never
    mfa_user         {{key}} NOT NULL, -- UUID of the person whose factors answer instead; empty: one's own
    password_changed {{ms}} NOT NULL,
    picture          {{ms}} NOT NULL, -- when the picture was set; 0: there is none
    created          {{ms}} NOT NULL,
    changed          {{ms}} NOT NULL,
    version          BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX users_name ON users (tenant, name_key);
CREATE INDEX users_mail ON users (tenant, mail_key);
CREATE INDEX users_display ON users (tenant, display_key, id);
CREATE INDEX users_suffix ON users (tenant, suffix_key);
CREATE INDEX users_org ON users (tenant, org, name_key);
CREATE INDEX users_reports ON users (tenant, reports_to) WHERE reports_to <> '';
CREATE INDEX users_mfa ON users (tenant, mfa_user) WHERE mfa_user <> '';

-- When a person was last seen, apart from the row of the person: it is flushed in batches.
CREATE TABLE user_seen (
    tenant     {{key}} NOT NULL,
    user_id    {{key}} NOT NULL,
    last_login {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);

CREATE TABLE user_password (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    hash    {{text}} NOT NULL, -- PHC string
    version BIGINT NOT NULL,
    changed {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);

CREATE TABLE user_password_past (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    version BIGINT NOT NULL,
    hash    {{text}} NOT NULL,
    PRIMARY KEY (tenant, user_id, version)
);

CREATE TABLE user_picture (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    type    {{text}} NOT NULL,
    body    {{blob}} NOT NULL,
    changed {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);

CREATE TABLE role (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    name        {{text}} NOT NULL,
    name_key    {{key}} NOT NULL,
    description {{text}} NOT NULL,
    kind        {{key}} NOT NULL, -- PrincipalList, Script, Everybody
    built_in    {{bool}} NOT NULL,
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX role_name ON role (tenant, name_key);

CREATE TABLE role_member (
    tenant  {{key}} NOT NULL,
    role    {{key}} NOT NULL,
    kind    {{key}} NOT NULL, -- User, Group, Role
    member  {{key}} NOT NULL,
    since   {{ms}} NOT NULL,
    until   {{ms}} NOT NULL, -- 0: without end
    reason  {{text}} NOT NULL,
    granter {{key}} NOT NULL, -- UUID of who granted it
    PRIMARY KEY (tenant, role, kind, member)
);
CREATE INDEX role_member_of ON role_member (tenant, kind, member, role);

CREATE TABLE role_right (
    tenant  {{key}} NOT NULL,
    role    {{key}} NOT NULL,
    path    {{key}} NOT NULL,
    since   {{ms}} NOT NULL,
    until   {{ms}} NOT NULL,
    reason  {{text}} NOT NULL,
    granter {{key}} NOT NULL,
    PRIMARY KEY (tenant, role, path)
);
