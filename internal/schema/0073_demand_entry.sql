-- +goose Up

-- What an organization demands of sign-ins and of the tokens for it, beyond its rule: an object; {} demands nothing.
ALTER TABLE org_demand ADD COLUMN entry {{json}} NOT NULL DEFAULT '{}';
