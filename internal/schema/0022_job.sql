-- +goose Up

-- What people see of a job: what it was called, what it is about, who started it, and who asked it to end and why.
ALTER TABLE job ADD COLUMN name {{text}} NOT NULL DEFAULT ''; -- empty: that of its type
ALTER TABLE job ADD COLUMN target {{text}} NOT NULL DEFAULT ''; -- name of what it is about, such as a role or a file
ALTER TABLE job ADD COLUMN by_name {{text}} NOT NULL DEFAULT ''; -- login name of who started it, as it was then
ALTER TABLE job ADD COLUMN mail {{text}} NOT NULL DEFAULT ''; -- where its report goes; empty: nowhere
ALTER TABLE job ADD COLUMN asked {{ms}} NOT NULL DEFAULT 0; -- when somebody asked it to end
ALTER TABLE job ADD COLUMN reason {{text}} NOT NULL DEFAULT ''; -- why
ALTER TABLE job ADD COLUMN report_name {{text}} NOT NULL DEFAULT ''; -- of the file that the job has made; empty: none
ALTER TABLE job ADD COLUMN report {{text}} NOT NULL DEFAULT ''; -- that file, sealed
CREATE INDEX job_user ON job (tenant, by_user, id);
