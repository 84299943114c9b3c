-- +goose Up

-- Pictures that a tenant's pages show. What was sent is kept as it is, once; its name is its hash.
CREATE TABLE picture (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL, -- first half of the SHA-256 of the body, hexadecimal
    type    {{key}} NOT NULL, -- media type, as its bytes say
    body    {{blob}} NOT NULL,
    created {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
);
