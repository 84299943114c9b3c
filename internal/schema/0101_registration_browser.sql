-- +goose Up

-- By which the browser is known again that registered: the hash, in hexadecimal, of what it keeps. Empty: it is known by nothing.
ALTER TABLE registration ADD COLUMN browser {{text}} NOT NULL DEFAULT '';
