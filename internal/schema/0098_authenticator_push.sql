-- +goose Up

-- Where the browsers of authenticators take messages (web push): one of each device.
CREATE TABLE authenticator_push (
    tenant  {{key}} NOT NULL,
    device  {{key}} NOT NULL, -- authenticator
    user_id {{key}} NOT NULL,
    content {{text}} NOT NULL, -- endpoint and keys, sealed
    created {{ms}} NOT NULL,
    PRIMARY KEY (tenant, device)
);
CREATE INDEX authenticator_push_user ON authenticator_push (tenant, user_id);

-- The key by which a tenant shows push services who it is (VAPID); subscriptions are made for it.
CREATE TABLE push_key (
    tenant  {{key}} NOT NULL,
    private {{text}} NOT NULL, -- PKCS #8, sealed
    public  {{key}} NOT NULL, -- uncompressed point, in base64url
    created {{ms}} NOT NULL,
    PRIMARY KEY (tenant)
);
