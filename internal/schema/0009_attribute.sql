-- +goose Up

-- Attributes of people beyond those that everybody has, as an administrator defines them. Each change of a tenant's columns
-- first writes this row, so that one happens at a time.
CREATE TABLE attribute_schema (
    tenant  {{key}} NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);

-- A column that is dropped and made anew has another id, so that no value outlives its column.
CREATE TABLE attribute_column (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    name        {{text}} NOT NULL,
    name_key    {{key}} NOT NULL,
    type        {{key}} NOT NULL, -- Text, Int, Double, Bool, DateTime
    title       {{text}} NOT NULL, -- empty: none
    description {{text}} NOT NULL,
    editable    {{bool}} NOT NULL, -- by the people themselves
    created     {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX attribute_column_name ON attribute_column (tenant, name_key);

CREATE TABLE user_attribute (
    tenant    {{key}} NOT NULL,
    user_id   {{key}} NOT NULL,
    column_id {{key}} NOT NULL,
    value     {{text}} NOT NULL, -- Int, Double in decimal digits; Bool as true, false; DateTime as ms since 1970 UTC
    PRIMARY KEY (tenant, user_id, column_id),
    -- Nobody sets a value while its column goes away.
    FOREIGN KEY (tenant, column_id) REFERENCES attribute_column (tenant, id) ON DELETE CASCADE
);
-- Values of up to 4 KB do not fit into an index of PostgreSQL.
CREATE INDEX user_attribute_value ON user_attribute (tenant, column_id, substr(value, 1, 200));
