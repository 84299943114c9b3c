-- +goose Up

-- What people key in when they are called.
CREATE TABLE phone_pin (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    hash    {{text}} NOT NULL, -- PHC string
    changed {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);
