-- +goose Up

-- Public SSH keys of people. Those with an end were made here, for a while; the others somebody entered.
CREATE TABLE ssh_key (
    tenant    {{key}} NOT NULL,
    user_id   {{key}} NOT NULL,
    id        {{key}} NOT NULL, -- the SHA-256 of the key, in hexadecimal
    algorithm {{key}} NOT NULL,
    body      {{text}} NOT NULL, -- in base64
    created   {{ms}} NOT NULL,
    expires   {{ms}} NOT NULL, -- 0: none
    PRIMARY KEY (tenant, user_id, id)
) {{clustered}};
CREATE INDEX ssh_key_expires ON ssh_key (expires);
