-- +goose Up

-- The hash of the code that stands in for an authenticator when it is to be removed; empty: none was given.
ALTER TABLE oath_profile ADD COLUMN backup {{blob}} NOT NULL DEFAULT '';
