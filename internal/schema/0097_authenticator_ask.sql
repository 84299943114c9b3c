-- +goose Up

-- What authenticators are asked: one row for each push of a sign-in.
CREATE TABLE authenticator_ask (
    tenant    {{key}} NOT NULL,
    id        {{key}} NOT NULL, -- UUID
    user_id   {{key}} NOT NULL, -- whose authenticators are asked
    login     {{blob}} NOT NULL, -- hash of the conversation's id
    mechanism {{key}} NOT NULL, -- id of the mechanism in it
    content   {{text}} NOT NULL, -- nonce, number, application and place, sealed
    created   {{ms}} NOT NULL,
    expires   {{ms}} NOT NULL,
    answered  {{ms}} NOT NULL, -- 0: it waits
    outcome   {{key}} NOT NULL, -- approved, refused, wrong, withdrawn; empty: it waits
    device    {{key}} NOT NULL, -- authenticator that answered; empty: none did
    PRIMARY KEY (tenant, id)
);
CREATE INDEX authenticator_ask_user ON authenticator_ask (tenant, user_id, created);
CREATE INDEX authenticator_ask_login ON authenticator_ask (tenant, login);
CREATE INDEX authenticator_ask_expires ON authenticator_ask (expires);
