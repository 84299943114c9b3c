package authenticator_test

import (
	"testing"
	"time"

	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/oath"
)

func TestSuite(t *testing.T) {
	factortest.Run(t, func(t *testing.T, f *factortest.World) factortest.Bench {
		w := world{f, authenticator.Devices{Ring: f.Ring}}
		phone := w.enroll("alice", "Phone")
		w.enroll("alice", "Tablet")
		w.enroll("bob", "Phone")
		return factortest.Bench{
			Mechanism: authenticator.Mechanism{Devices: w.Devices}, Enrolled: factor.Person{ID: "alice"}, Other: factor.Person{ID: "bob"},
			Stranger: factor.Person{ID: "carol"},
			Right:    func(factor.Challenge) factor.Answer { return factor.Answer{Text: codeOf(t, phone, f.Now)} },
			Wrong:    factor.Answer{Text: "12345"}, Life: 90 * time.Second,
		}
	})
}

func codeOf(t *testing.T, d *authenticatortest.Device, at time.Time) string {
	t.Helper()
	code, err := oath.Code(d.Secret, authenticator.Algorithm, authenticator.Digits, at.Unix()/authenticator.Period)
	if err != nil {
		t.Fatal(err)
	}
	return code
}
