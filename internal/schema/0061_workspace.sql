-- +goose Up

-- People in workspaces beyond those who belong to the organization, and what is said of these: whether they may enter, until when.
CREATE TABLE workspace_member (
    tenant  {{key}} NOT NULL,
    org     {{key}} NOT NULL, -- the workspace
    user_id {{key}} NOT NULL,
    id      {{key}} NOT NULL, -- of the invitation
    state   {{key}} NOT NULL, -- member, invited, rejected
    enabled {{bool}} NOT NULL,
    until   {{ms}} NOT NULL, -- 0: without end
    fresh   {{bool}} NOT NULL, -- the account was made by the invitation
    inviter {{key}} NOT NULL, -- UUID; empty: nobody is known
    hash    {{blob}} NOT NULL, -- of the token of an invitation of somebody who has an account; empty: none
    expires {{ms}} NOT NULL, -- of the invitation
    created {{ms}} NOT NULL,
    PRIMARY KEY (tenant, org, user_id)
);
CREATE INDEX workspace_member_user ON workspace_member (tenant, user_id, org);
CREATE INDEX workspace_member_hash ON workspace_member (tenant, hash);
CREATE INDEX workspace_member_id ON workspace_member (tenant, id);

-- Roles of a workspace that somebody gets when they join it, or enter it again.
CREATE TABLE workspace_withheld (
    tenant  {{key}} NOT NULL,
    org     {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    role    {{key}} NOT NULL,
    giver   {{key}} NOT NULL, -- UUID of whose rights give it
    PRIMARY KEY (tenant, org, user_id, role)
);
CREATE INDEX workspace_withheld_user ON workspace_withheld (tenant, user_id);

-- Which workspaces people marked for themselves.
CREATE TABLE workspace_favorite (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    org     {{key}} NOT NULL,
    PRIMARY KEY (tenant, user_id, org)
);

-- Who made a workspace.
CREATE TABLE workspace_author (
    tenant  {{key}} NOT NULL,
    org     {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    PRIMARY KEY (tenant, org)
);

-- Devices on which somebody passed all challenges, and is asked for the first only until a time.
CREATE TABLE workspace_device (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    hash    {{blob}} NOT NULL, -- of the person with the device
    until   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id, hash)
);
CREATE INDEX workspace_device_until ON workspace_device (until);

-- What a long-lived token of a service user is for: scim, or workspace.
ALTER TABLE provisioning_token ADD COLUMN realm {{key}} NOT NULL DEFAULT 'scim';
