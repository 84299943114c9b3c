package authenticator_test

import (
	"context"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
)

// A code has a number for as long as it can be read, also for nobody; none where a password is replaced; and nothing that is typed answers it.
func TestCodeMechanism(t *testing.T) {
	each(t, func(t *testing.T, w world) {
		w.enroll("alice", "Phone")
		m := authenticator.Code{Devices: w.Devices}
		w.Write(func(ctx context.Context, c *call.Call) error {
			if _, ok, err := m.Offer(ctx, c, factor.Person{ID: "bob"}); ok || err != nil {
				t.Error("offered to who has no authenticator", err)
			}
			p, ok, err := m.Offer(ctx, c, factor.Person{ID: "alice"})
			if !ok || err != nil || p.AnswerType != factor.StartOOB || m.Disguise(p, []byte("x")).Chosen != p.Chosen {
				t.Error(p, ok, err)
			}
			for _, id := range []string{"alice", ""} {
				ch := factor.Challenge{ID: "m", Name: factor.QR}
				if err := m.Start(ctx, c, factor.Person{ID: id}, &ch, ""); err != nil || len(ch.Number) != 2 || ch.Expires != c.Now.Add(authenticator.CodeLife).UnixMilli() {
					t.Error(ch, err)
				}
				v, err := m.Check(ctx, c, factor.Person{ID: id}, ch, factor.Answer{Text: ch.Number})
				if ok, _ := m.Commit(ctx, c, factor.Person{ID: id}, &ch, v); ok || err != nil || ch.Passed {
					t.Error("the number was taken as an answer", err)
				}
				number, later := ch.Number, *c
				if err := m.Start(ctx, c, factor.Person{ID: id}, &ch, ""); err != nil || ch.Number != number {
					t.Error("another number within moments", err)
				}
				later.Now = c.Now.Add(time.Minute)
				if err := m.Start(ctx, &later, factor.Person{ID: id}, &ch, ""); err != nil || ch.Expires != later.Now.Add(authenticator.CodeLife).UnixMilli() {
					t.Error("not shown anew", err)
				}
			}
			ch := factor.Challenge{ID: "m", Name: factor.QR, Recovery: true}
			if err := m.Start(ctx, c, factor.Person{ID: "alice"}, &ch, ""); err != nil || ch.Number != "" || ch.Expires != 0 {
				t.Error("a forgotten password", ch, err)
			}
			return nil
		})
	})
}

var _ factor.Mechanism = authenticator.Code{}
