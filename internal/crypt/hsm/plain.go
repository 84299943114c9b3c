//go:build !pkcs11 || !cgo

package hsm

import "limen/internal/crypt"

// Open refuses: this build has no PKCS #11.
func Open(Config) (crypt.Wrapper, error) {
	return nil, refuse("this build cannot use PKCS #11; build it with cgo: go build -tags pkcs11 ./cmd/limen")
}
