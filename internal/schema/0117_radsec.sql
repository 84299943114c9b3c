-- +goose Up

-- A client may ask over TLS (RFC 6614): it shows a certificate with that name, of that authority, and is answered over TLS alone.
ALTER TABLE radius_client ADD COLUMN authority {{text}} NOT NULL DEFAULT ''; -- certificates, as PEM; empty: it asks by UDP
ALTER TABLE radius_client ADD COLUMN cert_name {{text}} NOT NULL DEFAULT '';
