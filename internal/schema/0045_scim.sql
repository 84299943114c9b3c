-- +goose Up

-- What is known of people beside the directory's row: parts of their names, their job, further addresses of every kind. One row
-- per value; ord is 0 for what there is one of. A primary mail address or one of the directory's telephone numbers stands in
-- the directory alone: its row here has no value, and says its type and its place among the others.
CREATE TABLE user_detail (
    tenant    {{key}} NOT NULL,
    user_id   {{key}} NOT NULL,
    kind      {{key}} NOT NULL,
    ord       BIGINT NOT NULL,
    value     {{text}} NOT NULL,
    value_key {{key}} NOT NULL, -- empty for what is not looked for
    type      {{key}} NOT NULL,
    main      {{bool}} NOT NULL, -- the primary one of several
    more      {{text}} NOT NULL, -- JSON of what else there is; empty: nothing
    PRIMARY KEY (tenant, user_id, kind, ord)
);
CREATE INDEX user_detail_value ON user_detail (tenant, kind, value_key, user_id);

-- By which ids clients that provision know people and roles; each client has its own.
CREATE TABLE external_id (
    tenant {{key}} NOT NULL,
    client {{key}} NOT NULL, -- UUID of the service user
    kind   {{key}} NOT NULL, -- User, Group
    object {{key}} NOT NULL,
    value  {{text}} NOT NULL,
    PRIMARY KEY (tenant, kind, object, client)
);
CREATE INDEX external_id_value ON external_id (tenant, client, kind, value, object);

-- Who was made or changed since a time, and who may not sign in.
CREATE INDEX users_created ON users (tenant, created, id);
CREATE INDEX users_changed ON users (tenant, changed, id);
CREATE INDEX users_off ON users (tenant, (CASE WHEN suspended OR disabled OR expired THEN 1 ELSE 0 END), name_key);
