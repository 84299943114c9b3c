-- +goose Up

-- Requests for access to applications that wait for approval, and what became of them.
CREATE TABLE workflow_job (
    tenant    {{key}} NOT NULL,
    id        {{key}} NOT NULL,
    requestor {{key}} NOT NULL,
    app       {{key}} NOT NULL,
    app_name  {{text}} NOT NULL, -- at the time
    state     {{key}} NOT NULL, -- Pending, Approved, Rejected, Expired, Cancelled
    steps     {{json}} NOT NULL, -- the approvers, as the application had them
    step      {{int}} NOT NULL, -- whose turn it is, from 0
    approver  {{key}} NOT NULL, -- the person or role of that step; empty when it is over
    options   {{json}} NOT NULL, -- for how long access is asked for, or given
    reason    {{text}} NOT NULL,
    history   {{json}} NOT NULL,
    answered  {{key}} NOT NULL, -- who answered last; empty: nobody
    created   {{ms}} NOT NULL,
    resolved  {{ms}} NOT NULL, -- 0: it is not
    due       {{ms}} NOT NULL, -- when it expires
    version   {{int}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE UNIQUE INDEX workflow_job_once ON workflow_job (tenant, requestor, app) WHERE state = 'Pending';
CREATE INDEX workflow_job_turn ON workflow_job (tenant, approver, id) WHERE approver <> '';
CREATE INDEX workflow_job_due ON workflow_job (due) WHERE state = 'Pending';
CREATE INDEX workflow_job_old ON workflow_job (resolved) WHERE resolved > 0;

-- Who had a part in a request: asked, or answered.
CREATE TABLE workflow_part (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    job     {{key}} NOT NULL,
    PRIMARY KEY (tenant, user_id, job)
) {{clustered}};
CREATE INDEX workflow_part_job ON workflow_part (tenant, job);
