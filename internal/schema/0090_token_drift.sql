-- +goose Up

-- How many steps the clock of a token that goes by time is ahead of ours; negative: behind. last_step is of the token's clock.
ALTER TABLE oath_profile ADD COLUMN drift BIGINT NOT NULL DEFAULT 0;
