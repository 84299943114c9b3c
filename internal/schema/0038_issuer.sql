-- +goose Up

-- Every tenant is an issuer besides each of its applications. What was given at one is good there alone.
ALTER TABLE oauth_authorization ADD COLUMN wide {{int}} NOT NULL DEFAULT 0; -- 1: given at the tenant's issuer; 0: at the application's
ALTER TABLE oauth_access ADD COLUMN wide {{int}} NOT NULL DEFAULT 0; -- the same

-- Which applications have clients of an id: the tenant's issuer finds the application by its client.
CREATE TABLE app_client (
    tenant {{key}} NOT NULL,
    client {{key}} NOT NULL, -- client_id
    app    {{key}} NOT NULL,
    own    {{int}} NOT NULL, -- 1: the application's own, which no other has; 0: one of AllowedClients, which several may name
    PRIMARY KEY (tenant, client, app)
) {{clustered}};
CREATE INDEX app_client_app ON app_client (tenant, app);

-- Origins of the pages of public clients that are registered with applications: their scripts may call the endpoints.
CREATE TABLE oauth_origin (
    tenant {{key}} NOT NULL,
    origin {{key}} NOT NULL, -- scheme, host and port, as browsers write it
    client {{key}} NOT NULL,
    app    {{key}} NOT NULL,
    PRIMARY KEY (tenant, origin, client)
) {{clustered}};
CREATE INDEX oauth_origin_client ON oauth_origin (tenant, client);
CREATE INDEX oauth_origin_app ON oauth_origin (tenant, app);

-- +limen sqlite
INSERT INTO app_client (tenant, client, app, own)
    SELECT tenant, json_extract(profile, '$.ClientID'), id, 1 FROM app WHERE profile <> '' AND COALESCE(json_extract(profile, '$.ClientID'), '') <> '';
INSERT INTO app_client (tenant, client, app, own)
    SELECT DISTINCT app.tenant, j.value, app.id, 0 FROM app, json_each(CASE profile WHEN '' THEN '[]' ELSE COALESCE(json_extract(profile, '$.AllowedClients'), '[]') END) j
    WHERE profile <> '' AND COALESCE(json_extract(profile, '$.ClientID'), '') = '' AND NOT COALESCE(json_extract(profile, '$.MustBeOauthClient'), 0)
        AND COALESCE(json_extract(profile, '$.ClientIDType'), 0) = 0;
INSERT INTO oauth_origin (tenant, origin, client, app)
    SELECT DISTINCT tenant, lower(CASE instr(substr(uri, 9), '/') WHEN 0 THEN uri ELSE substr(uri, 1, 7 + instr(substr(uri, 9), '/')) END), id, app
    FROM (SELECT c.tenant, c.id, c.app, j.value AS uri FROM oauth_client c, json_each(COALESCE(json_extract(c.metadata, '$.redirect_uris'), '[]')) j
        WHERE json_extract(c.metadata, '$.token_endpoint_auth_method') = 'none') r
    WHERE uri LIKE 'https://%' OR uri LIKE 'http://%';
-- +limen end
-- +limen postgres
INSERT INTO app_client (tenant, client, app, own)
    SELECT tenant, client, id, 1 FROM (SELECT tenant, id, CASE profile WHEN '' THEN '' ELSE profile::json->>'ClientID' END AS client FROM app) own WHERE client <> '';
INSERT INTO app_client (tenant, client, app, own)
    SELECT DISTINCT tenant, client, id, 0 FROM (SELECT tenant, id, json_array_elements_text(CASE
        WHEN profile = '' THEN '[]'::json
        WHEN json_typeof(profile::json->'AllowedClients') <> 'array' THEN '[]'::json
        WHEN COALESCE(profile::json->>'ClientID', '') <> '' THEN '[]'::json
        WHEN COALESCE(profile::json->>'MustBeOauthClient', 'false') = 'true' THEN '[]'::json
        WHEN COALESCE(profile::json->>'ClientIDType', '0') <> '0' THEN '[]'::json
        ELSE COALESCE(profile::json->'AllowedClients', '[]'::json) END) AS client FROM app) listed;
INSERT INTO oauth_origin (tenant, origin, client, app)
    SELECT DISTINCT tenant, lower(substring(uri from '^https?://[^/?]+')), id, app
    FROM (SELECT tenant, id, app, json_array_elements_text(COALESCE(metadata::json->'redirect_uris', '[]'::json)) AS uri FROM oauth_client
        WHERE metadata::json->>'token_endpoint_auth_method' = 'none') r
    WHERE uri ~ '^https?://[^/?]+';
-- +limen end
