-- +goose Up

-- Texts that organizations wrote for mails to their people.
CREATE TABLE mail_template (
    tenant   {{key}} NOT NULL,
    org      {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    name     {{text}} NOT NULL,
    name_key {{key}} NOT NULL,
    subject  {{text}} NOT NULL, -- empty: the installation's
    html     {{text}} NOT NULL,
    plain    {{text}} NOT NULL, -- empty: the installation's
    changed  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, org, id),
    UNIQUE (tenant, org, name_key)
);

-- In which words an organization's mails go out. One that goes out in the installation's has no row.
CREATE TABLE org_mail (
    tenant   {{key}} NOT NULL,
    org      {{key}} NOT NULL,
    mail     {{key}} NOT NULL, -- as core/template names it
    template {{key}} NOT NULL, -- id; empty: none
    subject  {{text}} NOT NULL, -- empty: the template's
    html     {{text}} NOT NULL, -- where there is no template; empty: the installation's
    PRIMARY KEY (tenant, org, mail)
);
CREATE INDEX org_mail_template ON org_mail (tenant, org, template);
