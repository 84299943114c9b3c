ALTER TABLE thing ADD COLUMN label {{text}};

-- +limen sqlite
CREATE INDEX thing_label ON thing (tenant, label);
-- +limen end
-- +limen postgres
CREATE INDEX thing_label ON thing USING btree (tenant, label);
-- +limen end
