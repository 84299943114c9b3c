-- +goose Up

-- IP ranges of a tenant: networks whose callers are refused, and the corporation's own, which policies name.
CREATE TABLE ip_range (
    tenant    {{key}} NOT NULL,
    id        {{key}} NOT NULL,
    kind      {{key}} NOT NULL, -- Blocked, Corporate
    label     {{text}} NOT NULL,
    label_key {{key}} NOT NULL,
    value     {{text}} NOT NULL, -- as it was given: addresses, networks and ranges with commas between
    active    {{bool}} NOT NULL,
    created   {{ms}} NOT NULL,
    changed   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, kind, label_key)
);

-- System administrators whom whoever owns the machine lets in with the password alone, until a time. It changes together
-- with policy_list.revision.
CREATE TABLE policy_recovery (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    until   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
