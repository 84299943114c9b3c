-- +goose Up

-- Codes with which people replace a password that they forgot. Those of a person stand beside each other until one is used, so that a stranger
-- who asks for another one puts none out of use. They take the place of password_reset, which versions before this one write.
CREATE TABLE password_reset_code (
    tenant   {{key}} NOT NULL,
    hash     {{blob}} NOT NULL, -- of the code in the mail
    user_id  {{key}} NOT NULL,
    mail_key {{key}} NOT NULL, -- where it went
    expires  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, hash)
);
CREATE INDEX password_reset_code_user ON password_reset_code (tenant, user_id, expires);
CREATE INDEX password_reset_code_expires ON password_reset_code (expires);

INSERT INTO password_reset_code (tenant, hash, user_id, mail_key, expires) SELECT tenant, hash, user_id, mail_key, expires FROM password_reset;
DELETE FROM password_reset;
