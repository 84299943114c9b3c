-- +goose Up

-- What organizations demand of those who are in them: of their passwords, of where they are, and of a second factor.
CREATE TABLE org_demand (
    tenant    {{key}} NOT NULL,
    org       {{key}} NOT NULL,
    rule      {{json}} NOT NULL, -- an object: of passwords, of failed sign-ins, of idle sessions; {} demands nothing
    enclosed  {{bool}} NOT NULL, -- only the addresses let in
    addresses {{text}} NOT NULL, -- with commas between
    corporate {{bool}} NOT NULL, -- and so do the tenant's corporate ranges
    mfa       {{bool}} NOT NULL, -- only a session of two factors lets in
    changed   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, org)
);
