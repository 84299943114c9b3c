//go:build !pkcs11 || !cgo

package hsm_test

import (
	"errors"
	"strings"
	"testing"

	"limen/internal/crypt"
	"limen/internal/crypt/hsm"
)

// A program that was built without PKCS #11 says so, instead of starting with another key.
func TestPlainBuildRefuses(t *testing.T) {
	w, err := hsm.Open(hsm.Config{Module: "x"})
	if w != nil || !errors.Is(err, crypt.ErrMasterInvalid) || !strings.Contains(err.Error(), "-tags pkcs11") {
		t.Errorf("%v, %v", w, err)
	}
}
