-- +goose Up

-- People who registered themselves and have not shown yet that the mail address is theirs. They have no account until then.
CREATE TABLE registration (
    tenant   {{key}} NOT NULL,
    mail_key {{key}} NOT NULL,
    mail     {{text}} NOT NULL,
    hash     {{blob}} NOT NULL, -- of the code in the mail
    secret   {{text}} NOT NULL, -- hash of the password
    given    {{text}} NOT NULL,
    family   {{text}} NOT NULL,
    mobile   {{text}} NOT NULL,
    expires  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, mail_key)
);
CREATE UNIQUE INDEX registration_hash ON registration (tenant, hash);
CREATE INDEX registration_expires ON registration (expires);
