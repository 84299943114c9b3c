-- +goose Up

-- Codes with which people replace a password that they forgot. A person has one at most: a new one replaces it.
CREATE TABLE password_reset (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    hash     {{blob}} NOT NULL, -- of the code in the mail
    mail_key {{key}} NOT NULL, -- where it went
    expires  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
CREATE UNIQUE INDEX password_reset_hash ON password_reset (tenant, hash);
CREATE INDEX password_reset_expires ON password_reset (expires);
