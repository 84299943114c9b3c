-- +goose Up

-- Where the sign-up of somebody stands who registered: empty (let in, or never asked), Pending, Rejected.
ALTER TABLE users ADD COLUMN signup {{key}} NOT NULL DEFAULT '';

-- What a request is about: empty is access to an application, SignUp is somebody who registered.
ALTER TABLE workflow_job ADD COLUMN kind {{key}} NOT NULL DEFAULT '';

-- How those who register are looked at before they are let in.
CREATE TABLE proofing_setup (
    tenant    {{key}} NOT NULL,
    enabled   {{bool}} NOT NULL, -- the script is asked
    provider  {{text}} NOT NULL,
    url       {{text}} NOT NULL, -- of the service; empty: the script decides alone
    header    {{text}} NOT NULL,
    sealed    {{text}} NOT NULL, -- the service's key
    link      {{bool}} NOT NULL, -- the service's own page about somebody is shown
    script    {{text}} NOT NULL, -- empty: the program's own
    approval  {{bool}} NOT NULL, -- people approve
    approvers {{json}} NOT NULL,
    mapping   {{json}} NOT NULL, -- fields of the service, and the attributes that they are made of
    failure   {{key}} NOT NULL, -- what becomes of people where the script or the service fails: Deny, Approval
    changed   {{ms}} NOT NULL,
    version   {{int}} NOT NULL,
    PRIMARY KEY (tenant)
) {{clustered}};

-- What was found about somebody who registered, and who decided. It goes with the person.
CREATE TABLE proofing_finding (
    tenant     {{key}} NOT NULL,
    user_id    {{key}} NOT NULL,
    provider   {{text}} NOT NULL, -- empty: nobody was asked
    score      {{text}} NOT NULL, -- a number; empty: none
    level      {{key}} NOT NULL, -- Low, Medium, High, Unknown
    details    {{json}} NOT NULL, -- names and values
    link       {{text}} NOT NULL,
    checked    {{ms}} NOT NULL,
    decided    {{ms}} NOT NULL, -- 0: nobody had to, or has
    decided_by {{key}} NOT NULL,
    reason     {{text}} NOT NULL,
    verify     {{bool}} NOT NULL, -- the mail address is to be shown once the person is let in
    PRIMARY KEY (tenant, user_id)
) {{clustered}};
