-- +goose Up

-- Groups in which organizations sort their roles for people who look at them. They carry nothing.
CREATE TABLE role_group (
    tenant   {{key}} NOT NULL,
    org      {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    name_key {{key}} NOT NULL,
    created  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, org, id),
    UNIQUE (tenant, org, name_key)
);

-- In which group a role is; one that is in none has no row.
CREATE TABLE role_grouped (
    tenant  {{key}} NOT NULL,
    org     {{key}} NOT NULL,
    role    {{key}} NOT NULL,
    grp     {{key}} NOT NULL,
    PRIMARY KEY (tenant, org, role)
);
CREATE INDEX role_grouped_role ON role_grouped (tenant, role);
CREATE INDEX role_grouped_group ON role_grouped (tenant, org, grp);
