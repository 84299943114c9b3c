-- +goose Up

-- Where the people and groups of an application are provisioned to, and how. Whoever changes a target locks its row.
CREATE TABLE outbound_target (
    tenant    {{key}} NOT NULL,
    app       {{key}} NOT NULL,
    base      {{text}} NOT NULL, -- address of the SCIM service, without a slash at its end
    auth      {{key}} NOT NULL, -- Bearer, ClientCredentials
    secret    {{text}} NOT NULL, -- the token, or the client's secret; sealed
    token_url {{text}} NOT NULL,
    client    {{text}} NOT NULL,
    scope     {{text}} NOT NULL,
    settings  {{json}} NOT NULL, -- mapping, policies, groups
    reach     {{json}} NOT NULL, -- organizations whose people it is for; empty: everybody
    enabled   {{bool}} NOT NULL,
    revision  {{int}} NOT NULL, -- counts changes of all above
    created   {{ms}} NOT NULL,
    changed   {{ms}} NOT NULL,
    wanted    {{int}} NOT NULL, -- counts the wishes for a look at everybody
    done      {{int}} NOT NULL, -- the last wish that was fulfilled
    pass      {{int}} NOT NULL, -- the wish that is being fulfilled; 0: none
    at        {{text}} NOT NULL, -- how far that is
    due       {{ms}} NOT NULL, -- when to look at everybody again by the clock; 0: never
    digest    {{key}} NOT NULL, -- of whom the application was given to when everybody was looked at
    failures  {{int}} NOT NULL, -- in a row, of the service and not of one account
    hold      {{ms}} NOT NULL, -- nothing is sent before
    class     {{key}} NOT NULL, -- of the last failure; empty: there is none
    error     {{text}} NOT NULL,
    PRIMARY KEY (tenant, app)
) {{clustered}};

-- People of whom something has changed since they were looked at; the empty id stands for everybody.
CREATE TABLE outbound_mark (
    tenant  {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    token   {{key}} NOT NULL, -- of the last change
    what    {{key}} NOT NULL, -- entries: only whom applications are given to has changed
    due     {{ms}} NOT NULL,
    PRIMARY KEY (tenant, user_id)
) {{clustered}};
CREATE INDEX outbound_mark_due ON outbound_mark (due);

-- What is known of each person and group at each target: a receipt, and what is still to be done.
CREATE TABLE outbound_account (
    tenant  {{key}} NOT NULL,
    id      {{key}} NOT NULL,
    app     {{key}} NOT NULL,
    kind    {{key}} NOT NULL, -- User, Group
    object  {{key}} NOT NULL, -- UUID of the person, id of the role
    name    {{text}} NOT NULL, -- at the time
    org     {{key}} NOT NULL, -- of the person at the time; empty: none
    remote  {{text}} NOT NULL, -- the service's id of it; empty: none is known
    etag    {{text}} NOT NULL,
    sent    {{json}} NOT NULL, -- what was acknowledged last; empty: nothing
    there   {{key}} NOT NULL, -- active, disabled, removed; empty: nothing was acknowledged
    version {{int}} NOT NULL, -- of the person, as acknowledged
    state   {{key}} NOT NULL, -- waiting, acknowledged, failed, conflict
    class   {{key}} NOT NULL, -- of the last failure; empty: there is none
    error   {{text}} NOT NULL,
    tries   {{int}} NOT NULL, -- since something was acknowledged
    tried   {{ms}} NOT NULL,
    acked   {{ms}} NOT NULL,
    token   {{key}} NOT NULL, -- of the last change
    due     {{ms}} NOT NULL, -- 0: nothing is to be done
    holder  {{text}} NOT NULL, -- the node that is at it
    held    {{ms}} NOT NULL, -- until when
    created {{ms}} NOT NULL,
    changed {{ms}} NOT NULL,
    PRIMARY KEY (tenant, id)
) {{clustered}};
CREATE UNIQUE INDEX outbound_account_object ON outbound_account (tenant, app, kind, object);
CREATE INDEX outbound_account_person ON outbound_account (tenant, object);
CREATE INDEX outbound_account_due ON outbound_account (tenant, app, due) WHERE due > 0;
CREATE INDEX outbound_account_list ON outbound_account (tenant, app, id);
CREATE INDEX outbound_account_removed ON outbound_account (changed) WHERE there = 'removed';

-- Who is in which group of a target: as it is to be, and as the service has acknowledged it.
CREATE TABLE outbound_member (
    tenant  {{key}} NOT NULL,
    app     {{key}} NOT NULL,
    role    {{key}} NOT NULL,
    user_id {{key}} NOT NULL,
    remote  {{text}} NOT NULL, -- the service's id of the person
    wanted  {{bool}} NOT NULL,
    there   {{bool}} NOT NULL,
    PRIMARY KEY (tenant, app, role, user_id)
) {{clustered}};
CREATE INDEX outbound_member_user ON outbound_member (tenant, app, user_id);
CREATE INDEX outbound_member_open ON outbound_member (tenant, app, role, user_id) WHERE wanted <> there;
