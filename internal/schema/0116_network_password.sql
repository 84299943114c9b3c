-- +goose Up

-- Passwords that people have for networks alone, which MS-CHAP version 2 asks for.
CREATE TABLE network_password (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    sealed  {{text}} NOT NULL, -- its hash by MS-CHAP, which is as good as the password, by the key ring
    created {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);

-- A client may ask by MS-CHAP version 2 outside of TLS.
ALTER TABLE radius_client ADD COLUMN mschap {{bool}} NOT NULL DEFAULT {{false}};
