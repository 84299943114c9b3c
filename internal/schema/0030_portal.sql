-- +goose Up

-- What people keep for themselves: applications that they have added, and secured items such as passwords and notes.
CREATE TABLE portal_item (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    user_id     {{key}} NOT NULL,
    kind        {{key}} NOT NULL, -- App, Item
    type        {{key}} NOT NULL, -- of a secured item: Password, SecureNote ...; of an application: Added, Imported
    name        {{text}} NOT NULL,
    name_key    {{key}} NOT NULL,
    description {{text}} NOT NULL,
    url         {{text}} NOT NULL,
    icon        {{ms}} NOT NULL, -- when it was set; 0: none
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE INDEX portal_item_user ON portal_item (tenant, user_id, kind);

CREATE TABLE portal_icon (
    tenant {{key}} NOT NULL,
    item   {{key}} NOT NULL,
    type   {{key}} NOT NULL, -- image/png or image/jpeg
    body   {{blob}} NOT NULL,
    PRIMARY KEY (tenant, item)
) {{clustered}};

-- What a person keeps with an application or an item of theirs.
CREATE TABLE portal_entry (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    target   {{key}} NOT NULL, -- id of the application or the item
    secret   {{text}} NOT NULL, -- user name, password, notes and their like, sealed; empty: nothing
    added    {{bool}} NOT NULL, -- put on the portal by its owner, of an application that is not there by itself
    visited  {{ms}} NOT NULL, -- 0: never opened
    place    {{int}} NOT NULL, -- in the order of the portal
    matching {{key}} NOT NULL, -- how the browser extension knows its page; empty: it decides
    pattern  {{text}} NOT NULL,
    version  {{int}} NOT NULL,
    changed  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id, target)
) {{clustered}};
CREATE INDEX portal_entry_target ON portal_entry (tenant, target);

CREATE TABLE portal_tag (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    name_key {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    PRIMARY KEY (tenant, user_id, name_key)
) {{clustered}};

CREATE TABLE portal_tagged (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    target   {{key}} NOT NULL,
    name_key {{key}} NOT NULL,
    PRIMARY KEY (tenant, user_id, target, name_key)
) {{clustered}};
CREATE INDEX portal_tagged_target ON portal_tagged (tenant, target);

-- What became of files of credentials that people have imported.
CREATE TABLE portal_import (
    tenant   {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    name     {{text}} NOT NULL, -- of the file
    provider {{text}} NOT NULL,
    done     {{int}} NOT NULL,
    skipped  {{int}} NOT NULL,
    failed   {{int}} NOT NULL,
    log      {{text}} NOT NULL, -- CSV, sealed
    created  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE INDEX portal_import_user ON portal_import (tenant, user_id, id);
