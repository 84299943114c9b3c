-- +goose Up

-- Long-lived tokens by which clients that provision act as a service user, at the SCIM dialect only.
CREATE TABLE provisioning_token (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    user_id {{key}} NOT NULL, -- the service user
    name    {{text}} NOT NULL, -- what it is for
    created {{ms}} NOT NULL,
    rotated {{ms}} NOT NULL, -- 0: never
    expires {{ms}} NOT NULL,
    creator {{key}} NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX provisioning_token_user ON provisioning_token (tenant, user_id, id);
CREATE INDEX provisioning_token_expires ON provisioning_token (expires);

-- Its secrets: after a rotation the one before is good for a while.
CREATE TABLE provisioning_secret (
    tenant  {{key}} NOT NULL,
    hash    {{blob}} NOT NULL,
    token   {{key}} NOT NULL,
    expires {{ms}} NOT NULL,
    PRIMARY KEY (tenant, hash),
    FOREIGN KEY (tenant, token) REFERENCES provisioning_token (tenant, id) ON DELETE CASCADE
);
CREATE INDEX provisioning_secret_token ON provisioning_secret (tenant, token);
