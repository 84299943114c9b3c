-- +goose Up

-- Clients that want to hear when somebody leaves are told after the fact: what ends an authorization, or the session that it was
-- given in, notes so here, and whoever tells them takes it from here.
ALTER TABLE oauth_authorization ADD COLUMN tell BIGINT NOT NULL DEFAULT 0; -- 1: the client wants to be told, and was not yet
ALTER TABLE oauth_authorization ADD COLUMN gone {{ms}} NOT NULL DEFAULT 0; -- when it ended, or its session did; 0: neither
ALTER TABLE oauth_authorization ADD COLUMN held BIGINT NOT NULL DEFAULT 0; -- 1: it ends when the session that it was given in is signed out of
ALTER TABLE oauth_authorization ADD COLUMN reason {{key}} NOT NULL DEFAULT ''; -- why
ALTER TABLE oauth_authorization ADD COLUMN review {{ms}} NOT NULL DEFAULT 0; -- when to look whether its person may still use the application
CREATE INDEX oauth_authorization_tell ON oauth_authorization (gone) WHERE tell = 1 AND gone > 0;
CREATE INDEX oauth_authorization_review ON oauth_authorization (review) WHERE tell = 1 AND gone = 0;

-- What became of telling them: one receipt per person, session and client.
CREATE TABLE oauth_logout (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL, -- jti of the logout token
    app     {{key}} NOT NULL,
    client  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    org     {{key}} NOT NULL, -- of the person then; empty: none
    session {{key}} NOT NULL, -- sid
    issuer  {{text}} NOT NULL,
    subject {{text}} NOT NULL, -- sub, as this client knows the person
    uri     {{text}} NOT NULL, -- where the client listens
    reason  {{key}} NOT NULL,
    state   {{key}} NOT NULL, -- waiting, acknowledged, failed
    tries   {{int}} NOT NULL,
    error   {{text}} NOT NULL, -- of the last try
    created {{ms}} NOT NULL,
    changed {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE INDEX oauth_logout_user ON oauth_logout (tenant, user_id, id);
CREATE INDEX oauth_logout_app ON oauth_logout (tenant, app, id);
CREATE INDEX oauth_logout_created ON oauth_logout (created);
