// Package crypt keeps secrets: a key ring that seals values for tenants, tokens and codes that are stored as hashes,
// passwords, and the keys that sign JSON Web Tokens.
//
// The master key (a file, an environment variable, or anything else that is a Wrapper) wraps data keys, one per tenant
// and purpose. Data keys have versions; a new version seals, older ones still open. A data key never seals directly:
// one key for sealing and one for message authentication are derived from it (HKDF-SHA256, RFC 5869).
//
// The package keeps no store of its own. Ring and Signers take functions that load and store their rows, so that the
// rows live wherever the wiring puts them.
package crypt

import "limen/internal/fault"

// Faults of the key ring. All of them are internal to clients: a broken sealed value is ours, not theirs. A caller
// that takes sealed values from clients translates ErrUnopenable itself.
var (
	ErrUnopenable    = fault.New(fault.Internal, "crypt.unopenable", "A protected value cannot be read.")
	ErrTooLong       = fault.New(fault.Invalid, "crypt.too_long", "The value is too long to be protected.")
	ErrSlot          = fault.New(fault.Internal, "crypt.slot", "A protected value has no valid owner.")
	ErrKeyTaken      = fault.New(fault.Exists, "crypt.key_taken", "This version of the key exists already.")
	ErrMaster        = fault.New(fault.Internal, "crypt.master", "The master key does not fit the stored keys.")
	ErrMasterInvalid = fault.New(fault.Internal, "crypt.master_invalid", "The master key cannot be used.")
	ErrStore         = fault.New(fault.Unavailable, "crypt.store", "The key store does not answer. Try again.")
)
