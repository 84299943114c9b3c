-- +goose Up

-- Devices and servers of a tenant's own that ask here, by RADIUS, who somebody is.
CREATE TABLE radius_client (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    name        {{text}} NOT NULL,
    name_key    {{key}} NOT NULL,
    description {{text}} NOT NULL,
    address     {{key}} NOT NULL, -- from where it asks: a network, as 192.0.2.7/32
    profile     {{key}} NOT NULL, -- authentication profile that its people pass; empty: policies say which
    unsigned    {{bool}} NOT NULL, -- its requests need no Message-Authenticator
    sealed      {{text}} NOT NULL, -- the secret, by the key ring
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name_key),
    UNIQUE (tenant, address)
);

-- Servers elsewhere that are asked, by RADIUS, whether a passcode is somebody's.
CREATE TABLE radius_server (
    tenant   {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    name_key {{key}} NOT NULL,
    host     {{text}} NOT NULL, -- name or address
    port     BIGINT NOT NULL,
    sealed   {{text}} NOT NULL, -- the secret, by the key ring
    names    {{key}} NOT NULL, -- what of a person the server knows them by: Name, Mail, sAMAccountName, UserPrincipalName
    wait     BIGINT NOT NULL, -- for an answer, in seconds
    trusted  {{bool}} NOT NULL, -- a system administrator saved it last: it is asked about administrators as well
    created  {{ms}} NOT NULL,
    changed  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name_key)
);
