-- +goose Up

-- Which scripts are to judge everybody, and how far one of them is. A script that was set before has everybody judged again,
-- which also mends members that changes passed by.
ALTER TABLE role_script ADD COLUMN wanted BIGINT NOT NULL DEFAULT 1; -- counts the wishes to have everybody judged
ALTER TABLE role_script ADD COLUMN done BIGINT NOT NULL DEFAULT 0; -- the last wish that was fulfilled
ALTER TABLE role_script ADD COLUMN pass BIGINT NOT NULL DEFAULT 0; -- the wish that is being fulfilled; 0: none
ALTER TABLE role_script ADD COLUMN judged {{key}} NOT NULL DEFAULT ''; -- the last person who was judged for it
ALTER TABLE role_script ADD COLUMN due {{ms}} NOT NULL DEFAULT 0; -- not before
ALTER TABLE role_script ADD COLUMN tries BIGINT NOT NULL DEFAULT 0; -- passes in a row that failed for somebody
CREATE INDEX role_script_due ON role_script (due) WHERE wanted <> done;

-- The jobs that did so until now.
DELETE FROM job WHERE kind = 'role.script' AND state IN ('waiting', 'running');
