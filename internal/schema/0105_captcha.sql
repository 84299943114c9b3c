-- +goose Up

-- Answers to CAPTCHAs that were used, until they are of no use anyway.
CREATE TABLE captcha_used (
    tenant  {{key}} NOT NULL,
    hash    {{blob}} NOT NULL, -- of the answer
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, hash)
);
CREATE INDEX captcha_used_expires ON captcha_used (expires);
