-- +goose Up

-- The product's own profile of a person, of which there is one: their enrolled authenticators carry its secret, nobody else's token has it.
ALTER TABLE oath_profile ADD COLUMN own {{bool}} NOT NULL DEFAULT {{false}};
ALTER TABLE oath_profile ADD COLUMN secret_version BIGINT NOT NULL DEFAULT 1; -- rises with each new secret of an own profile
CREATE UNIQUE INDEX oath_profile_own ON oath_profile (tenant, user_id) WHERE own;
