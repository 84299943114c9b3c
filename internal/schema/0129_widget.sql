-- +goose Up

-- Sign-in widgets with a page of the tenant's own, and the application that each leads on to.
CREATE TABLE widget (
    tenant   {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    name_key {{key}} NOT NULL, -- name for comparisons
    app      {{key}} NOT NULL, -- id of the application; empty: none
    active   {{bool}} NOT NULL,
    created  {{ms}} NOT NULL,
    changed  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name_key)
);
