-- +goose Up

-- Keys of WebAuthn: security keys, authenticators built into a device, passkeys.
CREATE TABLE passkey (
    tenant     {{key}} NOT NULL,
    id         {{key}} NOT NULL, -- credential id, in base64url
    user_id    {{key}} NOT NULL,
    name       {{text}} NOT NULL,
    kind       {{key}} NOT NULL, -- SECURITYKEY, ONDEVICE, PASSKEY
    rp         {{key}} NOT NULL, -- id of the relying party: the host name at which it was registered
    public_key {{blob}} NOT NULL, -- COSE
    aaguid     {{key}} NOT NULL, -- model of the authenticator as it says itself, a UUID
    format     {{key}} NOT NULL, -- of the attestation; nobody has judged it
    transports {{key}} NOT NULL, -- commas between
    attachment {{key}} NOT NULL, -- platform, cross-platform; empty: the browser did not say
    sign_count BIGINT NOT NULL, -- of the last signature accepted
    verified   {{bool}} NOT NULL, -- the authenticator verified the person when it was registered
    eligible   {{bool}} NOT NULL, -- the key may be copied to other devices
    backed_up  {{bool}} NOT NULL, -- it has been
    created    {{ms}} NOT NULL,
    used       {{ms}} NOT NULL, -- 0: never
    cloned     {{ms}} NOT NULL, -- when its counter went back, after which it is of no use; 0: it did not
    version    BIGINT NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX passkey_user ON passkey (tenant, user_id);

-- Registrations that wait for the authenticator: one of each person.
CREATE TABLE passkey_pending (
    tenant    {{key}} NOT NULL,
    user_id   {{key}} NOT NULL,
    session   {{key}} NOT NULL, -- in which it began; empty: in none
    challenge {{key}} NOT NULL, -- in base64url
    name      {{text}} NOT NULL,
    kind      {{key}} NOT NULL,
    rp        {{key}} NOT NULL,
    origin    {{key}} NOT NULL,
    expires   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
CREATE INDEX passkey_pending_expires ON passkey_pending (expires);
