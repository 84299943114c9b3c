-- +goose Up

-- Indexes that give both the rows and their order. SQLite knows nothing of how many rows a tenant has, and otherwise prefers
-- an index of the tenant that gives the order alone, going through all its users or events for a few.
DROP INDEX users_mail;
CREATE INDEX users_mail ON users (tenant, mail_key, name_key);

DROP INDEX users_suffix;
CREATE INDEX users_suffix ON users (tenant, suffix_key, name_key);

DROP INDEX event_user;
CREATE INDEX event_user ON event (tenant, user_id, at, id);

DROP INDEX event_target;
CREATE INDEX event_target ON event (tenant, target, at, id);

-- An administrators' question is reworded or removed: the answers to it, whoever gave them.
CREATE INDEX user_answer_question ON user_answer (tenant, question);
