package email_test

import (
	"context"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/email"
	"limen/internal/core/factor/factortest"
)

func TestSuite(t *testing.T) {
	factortest.Run(t, func(t *testing.T, w *factortest.World) factortest.Bench {
		var sent int
		last := map[string]string{}
		return factortest.Bench{
			Mechanism: email.Mechanism{Codes: factor.Codes{Ring: w.Ring}, Send: func(_ context.Context, c *call.Call, to factor.Person, what factor.Sending) error {
				sent++
				last[to.ID] = what.Code
				if what.Life != 10*time.Minute || c.Tx == nil || !c.Tx.Writable() {
					t.Fatal("not in the transaction", what.Life)
				}
				return nil
			}},
			Enrolled: factor.Person{ID: "alice", Mail: "alice.secret@acme.test"}, Other: factor.Person{ID: "bob", Mail: "bob@acme.test"},
			Stranger: factor.Person{ID: "carol"},
			Right: func(factor.Challenge) factor.Answer {
				return factor.Answer{Text: last["alice"][:3] + " " + last["alice"][3:]}
			},
			Wrong: factor.Answer{Text: "nothing"}, Sent: func() int { return sent }, Life: 10 * time.Minute, Tries: 5,
			Private: []string{"alice.secret"},
		}
	})
}

func TestPrompt(t *testing.T) {
	for mail, want := range map[string]string{"a@b.test": "***@b.test", "a@b@c.test": "***@c.test", "": "", "a@": "", "@b": "", "ab": ""} {
		p, ok, err := email.Mechanism{}.Offer(t.Context(), nil, factor.Person{ID: "u", Mail: mail})
		if err != nil || p.MaskedMail != want || ok != (want != "") {
			t.Errorf("%q: %+v %v", mail, p, ok)
		}
	}
}
