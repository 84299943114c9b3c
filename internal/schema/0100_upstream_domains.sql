-- +goose Up

-- For which mail domains a provider is believed as to whose an address is: with commas between, or *; empty: for none. It was a setting of the
-- tenant, for all of its providers.
ALTER TABLE upstream ADD COLUMN link_domains {{text}} NOT NULL DEFAULT '';
UPDATE upstream SET link_domains = COALESCE((SELECT s.value FROM setting s WHERE s.tenant = upstream.tenant AND s.name_key = 'social.linkdomains'), '');
DELETE FROM setting WHERE name_key = 'social.linkdomains';
