-- +goose Up

-- Authenticators: devices of people, with a key pair each that was made there.
CREATE TABLE authenticator (
    tenant     {{key}} NOT NULL,
    id         {{key}} NOT NULL, -- UUID
    user_id    {{key}} NOT NULL,
    name       {{text}} NOT NULL,
    platform   {{text}} NOT NULL, -- as the device says itself; empty: it did not
    public_key {{blob}} NOT NULL, -- SubjectPublicKeyInfo of a key on P-256
    secret     {{text}} NOT NULL, -- of its codes, sealed
    last_step  BIGINT NOT NULL, -- of the last code accepted
    created    {{ms}} NOT NULL,
    used       {{ms}} NOT NULL, -- when it last answered; 0: never
    version    BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX authenticator_user ON authenticator (tenant, user_id);
