-- +goose Up

-- Applications that administrators have made from templates.
CREATE TABLE app (
    tenant      {{key}} NOT NULL,
    id          {{key}} NOT NULL,
    name        {{text}} NOT NULL,
    name_key    {{key}} NOT NULL,
    service     {{text}} NOT NULL, -- ServiceName: the last segment of its OAuth endpoints; empty: it has none
    service_key {{key}} NOT NULL,
    template    {{key}} NOT NULL, -- id of the template that it was made from
    kind        {{key}} NOT NULL, -- Web, Mobile, Desktop
    type        {{key}} NOT NULL, -- Saml, OpenIDConnect, OAuth ...; empty where it is no web application
    state       {{key}} NOT NULL, -- Configured: something is missing; Active
    display     {{text}} NOT NULL,
    description {{text}} NOT NULL,
    category    {{text}} NOT NULL,
    members     {{json}} NOT NULL, -- the rest of its record, by name
    profile     {{json}} NOT NULL, -- OAuthProfile without its secret; empty: none
    secret      {{text}} NOT NULL, -- of its own OAuth client, sealed; empty: none
    password    {{text}} NOT NULL, -- of the account that everybody uses it with, sealed; empty: none
    created     {{ms}} NOT NULL,
    changed     {{ms}} NOT NULL,
    version     {{int}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE UNIQUE INDEX app_name ON app (tenant, name_key);
CREATE UNIQUE INDEX app_service ON app (tenant, service_key) WHERE service_key <> '';

CREATE VIEW rr_application AS SELECT
    tenant, id, name, name_key, display AS displayname, description, category, service AS servicename, template AS templatename,
    kind AS apptype, type AS webapptype, state,
    CASE type WHEN 'Saml' THEN kind || ' - SAML' WHEN 'OpenIDConnect' THEN kind || ' - OpenID Connect' WHEN 'OAuth' THEN kind || ' - OAuth 2.0'
        WHEN 'Bookmark' THEN kind || ' - Bookmark' WHEN 'UsernamePassword' THEN kind || ' - User-Password'
        WHEN 'BrowserExtension' THEN kind || ' - Browser Extension' WHEN 'NtlmBasic' THEN kind || ' - NTLM and Basic' ELSE kind END AS apptypedisplayname,
    CASE type WHEN 'Saml' THEN 'SAML' WHEN 'OpenIDConnect' THEN 'OpenID Connect' WHEN 'OAuth' THEN 'OAuth 2.0' WHEN 'Bookmark' THEN 'Bookmark'
        WHEN 'UsernamePassword' THEN 'User-Password' WHEN 'BrowserExtension' THEN 'Browser Extension' WHEN 'NtlmBasic' THEN 'NTLM and Basic' ELSE '' END AS webapptypedisplayname
FROM app;
