-- +goose Up

-- How many members a role has, without counting them. Each change of a role's members adds a row, so that nobody who adds a
-- member waits for another who does; now and then one of them puts the rows together. Added up over a role, n is its rows in
-- role_member and mark is drawn anew with each change.
CREATE TABLE role_tally (
    tenant {{key}} NOT NULL,
    role   {{key}} NOT NULL,
    id     {{key}} NOT NULL,
    n      BIGINT NOT NULL,
    mark   BIGINT NOT NULL,
    PRIMARY KEY (tenant, role, id)
);
INSERT INTO role_tally (tenant, role, id, n, mark) SELECT tenant, role, 'first', count(*), 0 FROM role_member GROUP BY tenant, role;

-- Members whose time has ended are rows until they are swept, and do not count.
CREATE INDEX role_member_ended ON role_member (tenant, role, until) WHERE until <> 0;
