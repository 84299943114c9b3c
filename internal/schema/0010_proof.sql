-- +goose Up

-- When the person last showed, for this session, what they sign in with.
ALTER TABLE session ADD COLUMN proved {{ms}} NOT NULL DEFAULT 0;
UPDATE session SET proved = created;
