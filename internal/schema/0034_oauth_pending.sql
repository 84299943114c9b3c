-- +goose Up

-- What a client waits for somebody to decide elsewhere: a page to which they bring a code (RFC 8628), or where they learn that
-- they are asked (CIBA Core).
CREATE TABLE oauth_pending (
    tenant   {{key}} NOT NULL,
    hash     {{blob}} NOT NULL, -- of device_code or auth_req_id
    kind     {{key}} NOT NULL, -- device, ciba
    code     {{key}} NOT NULL, -- keyed hash of the code that is typed; empty: there is none
    app      {{key}} NOT NULL,
    client   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL, -- who is asked; empty: whoever brings the code
    id       {{key}} NOT NULL, -- by which the person and the outbox name it
    request  {{json}} NOT NULL, -- what was asked for, and from where
    created  {{ms}} NOT NULL,
    expires  {{ms}} NOT NULL,
    pace     {{int}} NOT NULL, -- seconds that the client waits between two polls
    polled   {{ms}} NOT NULL, -- the last one; 0: none
    decided  {{ms}} NOT NULL, -- 0: not yet
    granted  {{key}} NOT NULL, -- the authorization; empty where it was decided: refused
    used     {{ms}} NOT NULL, -- 0: the tokens were not fetched
    PRIMARY KEY (tenant, hash)
) {{clustered}};
CREATE UNIQUE INDEX oauth_pending_code ON oauth_pending (tenant, code) WHERE code <> '';
CREATE UNIQUE INDEX oauth_pending_id ON oauth_pending (tenant, id);
CREATE INDEX oauth_pending_user ON oauth_pending (tenant, user_id, id) WHERE user_id <> '';
CREATE INDEX oauth_pending_expires ON oauth_pending (expires);
