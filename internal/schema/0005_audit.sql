-- What happened. Rows are written by the transactions they tell of and never changed.
CREATE TABLE event (
    tenant     {{key}} NOT NULL,
    id         {{key}} NOT NULL, -- UUID v7
    at         {{ms}} NOT NULL,
    type       {{key}} NOT NULL,
    outcome    {{key}} NOT NULL, -- success, refused, denied, failed, started
    reason     {{key}} NOT NULL, -- fault code
    actor      {{key}} NOT NULL, -- UUID of the caller; empty: nobody known
    actor_name {{text}} NOT NULL,
    user_id    {{key}} NOT NULL, -- UUID of the person it is about
    login      {{text}} NOT NULL, -- their login name, or the name tried
    target     {{key}} NOT NULL,
    kind       {{key}} NOT NULL,
    name       {{text}} NOT NULL,
    message    {{text}} NOT NULL,
    ip         {{key}} NOT NULL,
    country    {{key}} NOT NULL, -- at the time, when known
    agent      {{text}} NOT NULL,
    os         {{key}} NOT NULL, -- Windows, Mac, iOS, Android, Linux, Unknown
    mobile     {{bool}} NOT NULL,
    session    {{key}} NOT NULL,
    request    {{key}} NOT NULL,
    node       {{key}} NOT NULL,
    count      BIGINT NOT NULL,
    fields     {{json}} NOT NULL, -- object
    changes    {{json}} NOT NULL, -- object of {old, new}
    hash       {{blob}} NOT NULL, -- a version byte, and SHA-256 over all of the above
    PRIMARY KEY (tenant, id)
);
CREATE INDEX event_at ON event (tenant, at, id);
CREATE INDEX event_type ON event (tenant, type, at);
CREATE INDEX event_user ON event (tenant, user_id, at);
CREATE INDEX event_target ON event (tenant, target, at);

-- Events that wait to be sealed, written with them and removed by the sealer: however late a transaction commits, its
-- events are found, and an event that vanishes before it is sealed is missed.
CREATE TABLE event_queue (
    event  {{key}} NOT NULL, -- UUID v7, so that their order is that of time
    tenant {{key}} NOT NULL,
    PRIMARY KEY (event, tenant)
) {{clustered}};

-- The chain over the events: each link seals some events and hashes the link before it, so that altering, losing or reordering
-- shows. Each event has a place in the chain, counted from 1 in order of sealing; docs/audit.md has the bytes.
CREATE TABLE event_seal (
    tenant {{key}} NOT NULL,
    seq    BIGINT NOT NULL, -- place of its last event
    first  BIGINT NOT NULL, -- place of its first event
    at     {{ms}} NOT NULL, -- when it was sealed
    low    {{ms}} NOT NULL, -- that the id of its first event begins with; the others begin with it, or up to 10 s more
    chain  {{blob}} NOT NULL, -- SHA-256 over the previous chain value and all the other columns
    events {{blob}} NOT NULL, -- 16 bytes for each event: its id
    hashes {{blob}} NOT NULL, -- 33 bytes for each event: its hash when it was sealed; zeros when it had vanished by then
    PRIMARY KEY (tenant, seq)
);
CREATE INDEX event_seal_low ON event_seal (tenant, low);

-- The end of each tenant's chain.
CREATE TABLE event_head (
    tenant {{key}} NOT NULL PRIMARY KEY,
    seq    BIGINT NOT NULL,
    chain  {{blob}} NOT NULL,
    signed BIGINT NOT NULL, -- seq of the last checkpoint
    since  {{ms}} NOT NULL -- when the first link after that checkpoint was sealed; 0: there is none
);

CREATE TABLE event_checkpoint (
    tenant    {{key}} NOT NULL,
    seq       BIGINT NOT NULL,
    chain     {{blob}} NOT NULL,
    at        {{ms}} NOT NULL,
    key_id    {{key}} NOT NULL,
    signature {{blob}} NOT NULL,
    PRIMARY KEY (tenant, seq)
);

-- Where a chain begins after retention removed what was before: a signed copy of the last link removed.
CREATE TABLE event_anchor (
    tenant    {{key}} NOT NULL PRIMARY KEY,
    seq       BIGINT NOT NULL,
    chain     {{blob}} NOT NULL,
    at        {{ms}} NOT NULL,
    key_id    {{key}} NOT NULL,
    signature {{blob}} NOT NULL
);
