-- +goose Up

-- Safes: where accounts of other systems are kept with their secrets.
CREATE TABLE safe (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    name        {{text}} NOT NULL,
    name_key    {{key}} NOT NULL,
    display     {{text}} NOT NULL,
    display_key {{key}} NOT NULL,
    description {{text}} NOT NULL,
    org         {{key}} NOT NULL, -- organization whose administrators reach it; empty: none
    owner       {{key}} NOT NULL, -- UUID of the person; empty: nobody
    manager     {{text}} NOT NULL, -- what changes its secrets elsewhere
    retention   BIGINT NOT NULL, -- days
    retained    {{ms}} NOT NULL, -- until when it must stay because of what was in it; 0: it need not
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    version     BIGINT NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name_key)
);
CREATE INDEX safe_display ON safe (tenant, display_key, id);
CREATE INDEX safe_org ON safe (tenant, org, name_key);
CREATE INDEX safe_owner ON safe (tenant, owner);
CREATE INDEX safe_created ON safe (tenant, created, id);
CREATE INDEX safe_changed ON safe (tenant, changed, id);

-- Who may do what in a safe. The owner has a row with every right.
CREATE TABLE safe_member (
    tenant    {{key}} NOT NULL,
    safe      {{key}} NOT NULL,
    kind      {{key}} NOT NULL, -- User, Role
    principal {{key}} NOT NULL,
    rights    BIGINT NOT NULL, -- bits
    until     {{ms}} NOT NULL, -- 0: without end
    granter   {{key}} NOT NULL, -- UUID of who gave it
    created   {{ms}} NOT NULL,
    changed   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, safe, kind, principal)
) {{clustered}};
CREATE INDEX safe_member_principal ON safe_member (tenant, principal, safe);
CREATE INDEX safe_member_until ON safe_member (until);
