-- +goose Up

-- A proof stays when it is given: since when the address is known to be the person's. Where people go afterwards is what asked for the link said.
ALTER TABLE address_proof ADD COLUMN shown {{ms}} NOT NULL DEFAULT 0; -- 0: not yet
ALTER TABLE address_proof ADD COLUMN landing {{text}} NOT NULL DEFAULT '';
