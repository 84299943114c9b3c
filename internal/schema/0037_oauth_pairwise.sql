-- +goose Up

-- What the identifiers are made from by which clients know people that are to know them by no common one. It never changes: the
-- identifiers would.
CREATE TABLE oauth_pairwise (
    tenant  {{key}} NOT NULL PRIMARY KEY,
    sealed  {{text}} NOT NULL,
    created {{ms}} NOT NULL
);
