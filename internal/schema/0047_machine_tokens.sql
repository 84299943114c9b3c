-- Opaque access tokens of clients in their own names, for when a client is deleted. Those of people end with their authorizations, and
-- need no entry. With the tenant first, SQLite would go by the primary key of the table all the same.
CREATE INDEX oauth_access_machine ON oauth_access (client, app) WHERE granted = '';
