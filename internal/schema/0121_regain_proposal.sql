-- +goose Up

-- What one administrator proposes and another one approves: that somebody sets up anew what they sign in with.
CREATE TABLE regain_proposal (
    tenant   {{key}} NOT NULL,
    user_id  {{key}} NOT NULL,
    proposer {{key}} NOT NULL,
    device   {{blob}} NOT NULL, -- hash of the cookie of the proposer's browser; empty: it sent none
    reason   {{text}} NOT NULL,
    made     {{ms}} NOT NULL,
    expires  {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
);

ALTER TABLE regain ADD COLUMN approver {{key}} NOT NULL DEFAULT ''; -- who approved it; empty: the person waited
