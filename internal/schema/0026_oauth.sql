-- +goose Up

-- What a person, or a machine in its own name, has allowed a client: all tokens that came of it belong to it, and end with it.
CREATE TABLE oauth_authorization (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    app     {{key}} NOT NULL, -- id of the application
    client  {{key}} NOT NULL, -- client_id
    user_id {{key}} NOT NULL, -- whose it is; of a machine the service user
    session {{key}} NOT NULL, -- session in which it was given; empty: in none
    scope   {{text}} NOT NULL, -- what was allowed, spaces between
    facts   {{json}} NOT NULL, -- of the sign-in: auth_time, acr, amr; and what was asked for beside scopes
    created {{ms}} NOT NULL,
    expires {{ms}} NOT NULL,
    ended   {{ms}} NOT NULL, -- 0: it stands
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE INDEX oauth_authorization_user ON oauth_authorization (tenant, user_id);
CREATE INDEX oauth_authorization_app ON oauth_authorization (tenant, app);
CREATE INDEX oauth_authorization_session ON oauth_authorization (tenant, session) WHERE session <> '';
CREATE INDEX oauth_authorization_expires ON oauth_authorization (expires);

-- Codes that were sent through the browser and wait to be exchanged; used ones stay until they expire, so that a copy shows.
CREATE TABLE oauth_code (
    tenant        {{key}} NOT NULL,
    hash          {{blob}} NOT NULL,
    granted       {{key}} NOT NULL,
    request       {{json}} NOT NULL, -- what the exchange must repeat or answer: redirect_uri, challenge, nonce, key
    expires       {{ms}} NOT NULL,
    used          {{ms}} NOT NULL, -- 0: not yet
    PRIMARY KEY (tenant, hash)
) {{clustered}};
CREATE INDEX oauth_code_expires ON oauth_code (expires);

CREATE TABLE oauth_refresh (
    tenant        {{key}} NOT NULL,
    hash          {{blob}} NOT NULL,
    granted       {{key}} NOT NULL,
    thumbprint    {{key}} NOT NULL, -- of the key that it is bound to; empty: to none
    created       {{ms}} NOT NULL,
    expires       {{ms}} NOT NULL,
    used          {{ms}} NOT NULL, -- 0: not yet; a second use ends the authorization
    PRIMARY KEY (tenant, hash)
) {{clustered}};
CREATE INDEX oauth_refresh_granted ON oauth_refresh (tenant, granted);
CREATE INDEX oauth_refresh_expires ON oauth_refresh (expires);

-- Opaque access tokens. Signed ones are not stored.
CREATE TABLE oauth_access (
    tenant        {{key}} NOT NULL,
    hash          {{blob}} NOT NULL,
    granted       {{key}} NOT NULL, -- empty: of a machine in its own name
    app           {{key}} NOT NULL,
    client        {{key}} NOT NULL,
    user_id       {{key}} NOT NULL,
    scope         {{text}} NOT NULL,
    audience      {{text}} NOT NULL, -- spaces between
    thumbprint    {{key}} NOT NULL,
    issued        {{ms}} NOT NULL,
    expires       {{ms}} NOT NULL,
    PRIMARY KEY (tenant, hash)
) {{clustered}};
CREATE INDEX oauth_access_expires ON oauth_access (expires);

-- What must not be taken again: signed tokens that were revoked, and ids of proofs and assertions that were seen.
CREATE TABLE oauth_spent (
    tenant  {{key}} NOT NULL,
    id      {{blob}} NOT NULL, -- hash of kind and id
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE INDEX oauth_spent_expires ON oauth_spent (expires);

-- Authorization requests that wait: pushed by a client, or for somebody to sign in or to agree.
CREATE TABLE oauth_request (
    tenant  {{key}} NOT NULL,
    hash    {{blob}} NOT NULL, -- of the handle in the browser or of request_uri
    app     {{key}} NOT NULL,
    client  {{key}} NOT NULL, -- that pushed it; empty: it came through the browser
    params  {{json}} NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, hash)
) {{clustered}};
CREATE INDEX oauth_request_expires ON oauth_request (expires);

-- To what people have agreed, so that they are not asked again.
CREATE TABLE oauth_consent (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    app     {{key}} NOT NULL,
    client  {{key}} NOT NULL,
    scope   {{text}} NOT NULL,
    changed {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id, app, client)
) {{clustered}};
CREATE INDEX oauth_consent_app ON oauth_consent (tenant, app);
