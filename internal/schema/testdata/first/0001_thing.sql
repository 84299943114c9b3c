-- Things, for the tests of the mechanism.
CREATE TABLE thing (
    tenant   {{key}}  NOT NULL,
    id       {{key}}  NOT NULL,
    name     {{text}} NOT NULL,
    name_key {{key}}  NOT NULL,
    secret   {{blob}},
    active   {{bool}} NOT NULL DEFAULT {{true}},
    extra    {{json}} NOT NULL DEFAULT '{}',
    weight   {{real}},
    created  {{ms}}   NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, name_key)
);

CREATE TABLE change (
    seq   {{seq}},
    topic {{key}} NOT NULL,
    n     {{int}} NOT NULL
);
