-- +goose Up

-- Sign-in: conversations under way, sessions, tokens, factors, and what keeps guessers out.
CREATE TABLE login (
    tenant  {{key}} NOT NULL,
    id      {{blob}} NOT NULL, -- hash of the conversation's id
    user_id {{key}} NOT NULL, -- person whose second factors answer; empty: the name does not exist
    state   {{text}} NOT NULL, -- sealed
    version BIGINT NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX login_user ON login (tenant, user_id);
CREATE INDEX login_expires ON login (expires);

-- Links in mails and text messages that answer a challenge.
CREATE TABLE login_link (
    hash      {{blob}} NOT NULL PRIMARY KEY,
    tenant    {{key}} NOT NULL,
    login     {{blob}} NOT NULL,
    mechanism {{key}} NOT NULL,
    answered  {{ms}} NOT NULL, -- 0: not yet
    expires   {{ms}} NOT NULL
);
CREATE INDEX login_link_login ON login_link (tenant, login);
CREATE INDEX login_link_expires ON login_link (expires);

CREATE TABLE session (
    tenant     {{key}} NOT NULL,
    id         {{key}} NOT NULL,
    user_id    {{key}} NOT NULL,
    hash       {{blob}} NOT NULL, -- of the token that now opens it
    level      {{key}} NOT NULL, -- Normal, High
    factors    {{text}} NOT NULL, -- mechanisms passed, comma separated
    persistent {{bool}} NOT NULL,
    ip         {{text}} NOT NULL,
    agent      {{text}} NOT NULL,
    device     {{blob}} NOT NULL, -- hash of the device cookie
    created    {{ms}} NOT NULL,
    seen       {{ms}} NOT NULL,
    idle       BIGINT NOT NULL, -- ms without a call after which it ends
    expires    {{ms}} NOT NULL,
    ended      {{ms}} NOT NULL, -- 0: lives
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX session_hash ON session (hash);
CREATE INDEX session_owner ON session (tenant, user_id);
CREATE INDEX session_expires ON session (expires);

CREATE TABLE refresh_token (
    hash    {{blob}} NOT NULL PRIMARY KEY,
    tenant  {{key}} NOT NULL,
    session {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    created {{ms}} NOT NULL,
    expires {{ms}} NOT NULL,
    used    {{ms}} NOT NULL -- 0: not yet; a second use ends the session
);
CREATE INDEX refresh_token_session ON refresh_token (tenant, session);
CREATE INDEX refresh_token_expires ON refresh_token (expires);

-- Failures counted per account, network and factor.
CREATE TABLE throttle (
    tenant   {{key}} NOT NULL,
    scope    {{key}} NOT NULL, -- what is counted, for example password.account
    subject  {{key}} NOT NULL,
    failures BIGINT NOT NULL,
    since    {{ms}} NOT NULL, -- of the first failure counted
    until    {{ms}} NOT NULL, -- refused until then; 0: not refused
    PRIMARY KEY (tenant, scope, subject)
);
CREATE INDEX throttle_since ON throttle (since);

-- Devices on which a person has signed in completely: strangers cannot lock them out.
CREATE TABLE known_device (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    hash    {{blob}} NOT NULL,
    agent   {{text}} NOT NULL,
    created {{ms}} NOT NULL,
    seen    {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id, hash)
);
CREATE INDEX known_device_seen ON known_device (seen);

CREATE TABLE oath_profile (
    tenant    {{key}} NOT NULL,
    id        {{key}} NOT NULL,
    user_id   {{key}} NOT NULL,
    name      {{text}} NOT NULL,
    issuer    {{text}} NOT NULL,
    secret    {{text}} NOT NULL, -- sealed
    algorithm {{key}} NOT NULL, -- SHA1, SHA256, SHA512
    digits    BIGINT NOT NULL,
    period    BIGINT NOT NULL, -- seconds; 0: codes are counted (HOTP)
    last_step BIGINT NOT NULL, -- time step or count of the last code accepted: none is accepted twice
    confirmed {{bool}} NOT NULL,
    created   {{ms}} NOT NULL,
    version   BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX oath_profile_user ON oath_profile (tenant, user_id);

-- Security questions: administrators' have no user.
CREATE TABLE question (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    culture {{key}} NOT NULL,
    text    {{text}} NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE user_answer (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    question {{key}} NOT NULL, -- id of an administrators' question; empty: the person's own text
    text     {{text}} NOT NULL,
    hash     {{text}} NOT NULL, -- PHC string of the folded answer
    created  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id, id)
);
