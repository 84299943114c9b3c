-- +goose Up

-- The numbers by which dialects that name things by integers know them. The key is the engine's own counter, so that makers of
-- people wait for no row of each other, and no number comes again after its object is gone.
CREATE TABLE object_number (
    number {{seq}},
    tenant {{key}} NOT NULL,
    kind   {{key}} NOT NULL, -- User, Role, Organization
    object {{key}} NOT NULL,
    UNIQUE (tenant, kind, object)
);

-- What there is already, the oldest first.
INSERT INTO object_number (tenant, kind, object) SELECT tenant, 'Organization', id FROM org ORDER BY created, id;
INSERT INTO object_number (tenant, kind, object) SELECT tenant, 'Role', id FROM role ORDER BY created, id;
INSERT INTO object_number (tenant, kind, object) SELECT tenant, 'User', id FROM users ORDER BY created, id;
