-- +goose Up

-- Ways to log on at the Vault's API, where they are not as they are at first.
CREATE TABLE vault_method (
    tenant         {{key}} NOT NULL,
    id_key         {{key}} NOT NULL,
    id             {{key}} NOT NULL,
    gone           {{bool}} NOT NULL, -- one that is there at first and was removed
    name           {{text}} NOT NULL,
    enabled        {{bool}} NOT NULL,
    mobile         {{bool}} NOT NULL,
    logoff         {{text}} NOT NULL, -- an address
    sign_in_label  {{text}} NOT NULL,
    user_label     {{text}} NOT NULL,
    password_label {{text}} NOT NULL,
    PRIMARY KEY (tenant, id_key)
);
