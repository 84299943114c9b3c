-- +goose Up

-- What clients told of people who use them, as long as they do: access that ends is ended there as well (RFC 5176).
CREATE TABLE radius_session (
    tenant  {{key}} NOT NULL,
    client  {{key}} NOT NULL,
    nas     {{key}} NOT NULL, -- of several devices that ask as one client, by what it calls itself, or else its address
    session {{key}} NOT NULL, -- Acct-Session-Id
    user_id {{key}} NOT NULL,
    told    {{text}} NOT NULL, -- what names it to the device, and from where it told, as JSON
    seen    {{ms}} NOT NULL,
    PRIMARY KEY (tenant, client, nas, session)
);
CREATE INDEX radius_session_user ON radius_session (tenant, user_id);
CREATE INDEX radius_session_seen ON radius_session (seen);

ALTER TABLE radius_client ADD COLUMN disconnect {{int}} NOT NULL DEFAULT 0; -- UDP port at which it is told to end somebody's use; 0: it is not
