-- +goose Up

-- What dry runs and comparisons of a target found. A run is a job.
CREATE TABLE outbound_finding (
    tenant   {{key}} NOT NULL,
    run      {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    app      {{key}} NOT NULL,
    kind     {{key}} NOT NULL, -- User, Group
    object   {{key}} NOT NULL, -- UUID of the person, id of the role; empty: nobody's
    name     {{text}} NOT NULL,
    remote   {{text}} NOT NULL, -- the service's id; empty: there is none
    action   {{key}} NOT NULL,
    detail   {{text}} NOT NULL,
    repaired {{bool}} NOT NULL, -- it was taken up again
    created  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, run, id)
) {{clustered}};
CREATE INDEX outbound_finding_created ON outbound_finding (created);

-- The comparison in which an account was last seen at the service.
ALTER TABLE outbound_account ADD COLUMN seen {{key}} NOT NULL DEFAULT '';
CREATE INDEX outbound_account_remote ON outbound_account (tenant, app, remote);
