package sms_test

import (
	"context"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/sms"
)

func TestSuite(t *testing.T) {
	factortest.Run(t, func(_ *testing.T, w *factortest.World) factortest.Bench {
		var sent int
		last := map[string]string{}
		return factortest.Bench{
			Mechanism: sms.Mechanism{Codes: factor.Codes{Ring: w.Ring}, Send: func(_ context.Context, _ *call.Call, to factor.Person, what factor.Sending) error {
				sent++
				last[to.ID] = what.Code
				return nil
			}},
			Enrolled: factor.Person{ID: "alice", Mobile: "+1 206 555-0199"}, Other: factor.Person{ID: "bob", Mobile: "+12065550100"},
			Stranger: factor.Person{ID: "carol", Mobile: "n/a"},
			Right:    func(factor.Challenge) factor.Answer { return factor.Answer{Text: last["alice"]} },
			Wrong:    factor.Answer{Text: "000"}, Sent: func() int { return sent }, Life: 10 * time.Minute, Tries: 5, Private: []string{"0199"},
		}
	})
}
