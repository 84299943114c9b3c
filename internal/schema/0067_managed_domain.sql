-- +goose Up

-- Domains of mail addresses that organizations have proved to be theirs, or are about to.
CREATE TABLE managed_domain (
    tenant     {{key}} NOT NULL,
    org        {{key}} NOT NULL,
    name       {{key}} NOT NULL, -- as the domain name system spells it: lower case, in its xn-- form
    id         {{key}} NOT NULL,
    code       {{text}} NOT NULL, -- what is published; no secret
    code_until {{ms}} NOT NULL, -- end of the code, while it has not proved anything
    state      {{key}} NOT NULL, -- PENDING, VERIFIED, LOST
    method     {{key}} NOT NULL, -- how it was proved: DNS_TXT, HTML_FILE; empty before
    verified   {{ms}} NOT NULL, -- 0: never
    checked    {{ms}} NOT NULL, -- when the proof was last looked for
    failing    {{ms}} NOT NULL, -- since when it has not been found; 0: it was found
    created    {{ms}} NOT NULL,
    PRIMARY KEY (tenant, org, name)
);
-- A domain is one organization's at most.
CREATE UNIQUE INDEX managed_domain_one ON managed_domain (tenant, name) WHERE state = 'VERIFIED';
CREATE INDEX managed_domain_due ON managed_domain (state, checked);
CREATE INDEX managed_domain_old ON managed_domain (state, code_until);
