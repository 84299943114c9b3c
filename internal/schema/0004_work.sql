-- Work that follows a transaction: deliveries, jobs, leases, and what caches must forget.
CREATE TABLE outbox (
    id      {{key}} NOT NULL PRIMARY KEY, -- UUID v7, the same for every try: receivers recognise repeats by it
    tenant  {{key}} NOT NULL,
    topic   {{key}} NOT NULL, -- mail, sms ...
    dedup   {{key}} NOT NULL, -- the same delivery has the same key, however often it is asked for
    payload {{text}} NOT NULL, -- sealed; empty once delivered
    created {{ms}} NOT NULL,
    due     {{ms}} NOT NULL, -- when to try next; while leased, the end of the lease
    expires {{ms}} NOT NULL, -- of no use after; 0: never
    tries   BIGINT NOT NULL,
    holder  {{key}} NOT NULL, -- worker that leases it
    held    {{ms}} NOT NULL, -- until then
    state   {{key}} NOT NULL, -- waiting, done, dead
    error   {{text}} NOT NULL,
    ended   {{ms}} NOT NULL
);
CREATE UNIQUE INDEX outbox_dedup ON outbox (tenant, topic, dedup);
CREATE INDEX outbox_due ON outbox (topic, due) WHERE state = 'waiting';
CREATE INDEX outbox_ended ON outbox (state, ended) WHERE state <> 'waiting';
CREATE INDEX outbox_tenant ON outbox (tenant, id);

CREATE TABLE job (
    id       {{key}} NOT NULL PRIMARY KEY,
    tenant   {{key}} NOT NULL,
    kind     {{key}} NOT NULL,
    dedup    {{key}} NOT NULL, -- while a job with it waits or runs, no second one starts
    state    {{key}} NOT NULL, -- waiting, running, done, failed, cancelled
    done     BIGINT NOT NULL,
    total    BIGINT NOT NULL,
    message  {{text}} NOT NULL,
    payload  {{text}} NOT NULL, -- sealed; empty once ended
    cursor   {{text}} NOT NULL, -- where to go on after a restart
    result   {{text}} NOT NULL,
    cancel   {{bool}} NOT NULL,
    by_user  {{key}} NOT NULL,
    created  {{ms}} NOT NULL,
    due      {{ms}} NOT NULL, -- when to start; while running, when another node may take over
    started  {{ms}} NOT NULL,
    ended    {{ms}} NOT NULL,
    tries    BIGINT NOT NULL,
    holder   {{key}} NOT NULL,
    held     {{ms}} NOT NULL
);
CREATE UNIQUE INDEX job_live ON job (tenant, kind, dedup) WHERE state IN ('waiting', 'running');
CREATE INDEX job_due ON job (kind, due) WHERE state IN ('waiting', 'running');
CREATE INDEX job_ended ON job (ended) WHERE state IN ('done', 'failed', 'cancelled');
CREATE INDEX job_tenant ON job (tenant, id);

CREATE TABLE lease (
    name   {{key}} NOT NULL PRIMARY KEY,
    holder {{key}} NOT NULL,
    until  {{ms}} NOT NULL,
    term   BIGINT NOT NULL -- counts holders, so that an old one can be told from the new
);

-- What nodes must forget. Written by the transactions that change it, read by every node several times a second.
CREATE TABLE change (
    at    {{ms}} NOT NULL,
    id    {{key}} NOT NULL, -- UUID v7
    topic {{key}} NOT NULL,
    item  {{key}} NOT NULL,
    PRIMARY KEY (at, id)
);
