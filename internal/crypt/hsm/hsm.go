// Package hsm wraps data keys with a key that never leaves a hardware token, or a program that stands in for one, reached through
// PKCS #11 (OASIS, version 2.40). It needs cgo and the build tag pkcs11; without them Open says so.
package hsm

import (
	"fmt"

	"limen/internal/crypt"
)

// Config names a key in a token.
type Config struct {
	Module  string // file of the token's library
	Token   string // label of the token
	Key     string // label of the AES key of 256 bits
	PINFile string // file of the user's PIN, which others must not be able to read
}

// refuse says why a token cannot be used.
func refuse(format string, args ...any) error {
	return crypt.ErrMasterInvalid.Because(fmt.Errorf(format, args...))
}
