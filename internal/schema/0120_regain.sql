-- +goose Up

-- Accounts that their owners, who lost all that they sign in with, regain after a waiting time.
CREATE TABLE regain (
    tenant   {{key}} NOT NULL,
    id       {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    state    {{key}} NOT NULL, -- waiting, ready, done, stopped, expired
    pause    {{ms}} NOT NULL, -- between two steps
    step     BIGINT NOT NULL, -- notices that were sent
    due      {{ms}} NOT NULL, -- when the next step is taken, or the link is over
    started  {{ms}} NOT NULL,
    ended    {{ms}} NOT NULL, -- 0: it is under way
    ip       {{text}} NOT NULL, -- of whoever started it
    mail     {{text}} NOT NULL, -- of the person at its start
    mobile   {{text}} NOT NULL,
    hash     {{blob}} NOT NULL, -- of the link at its end; empty: none was sent
    code     {{text}} NOT NULL, -- keyed hash of the code that goes with it; empty: there is none
    tries    BIGINT NOT NULL, -- wrong codes
    reason   {{text}} NOT NULL, -- why it ended
    PRIMARY KEY (tenant, id)
);

CREATE UNIQUE INDEX regain_open ON regain (tenant, user_id) WHERE ended = 0;
CREATE INDEX regain_due ON regain (ended, due);
CREATE INDEX regain_user ON regain (tenant, user_id, started);
CREATE INDEX regain_link ON regain (tenant, hash);

-- Names that somebody gave to regain an account, those that do not exist among them: what comes of them is decided where nobody waits for it.
CREATE TABLE regain_start (
    tenant  {{key}} NOT NULL,
    subject {{key}} NOT NULL, -- hash of the name
    user_id {{key}} NOT NULL, -- empty: nobody has it
    ip      {{text}} NOT NULL,
    asked   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, subject)
);

-- Addresses that people were reached by until not long ago.
CREATE TABLE regain_moved (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    mail    {{text}} NOT NULL, -- empty: it is not the mail address that was changed, or there was none
    mobile  {{text}} NOT NULL,
    moved   {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id, id)
);
