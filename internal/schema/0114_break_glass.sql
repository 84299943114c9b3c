-- +goose Up

-- Accounts for an emergency, which policies shut out of nothing.
CREATE TABLE break_glass (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    marked  {{ms}} NOT NULL,
    used    {{ms}} NOT NULL, -- of the last sign-in; 0: none since it was marked
    PRIMARY KEY (tenant, user_id)
);
