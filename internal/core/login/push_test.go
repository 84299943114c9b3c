package login_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/core/factor/oath"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/session"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// waiting is what a device's owner is asked.
func (w talk) waiting(d *authenticatortest.Device) (out []authenticator.Ask) {
	w.Helper()
	c := w.Call()
	if err := c.Snapshot(w.Context(), func() error {
		at := w.Now.UnixMilli()
		m := authenticator.WaitingMessage(w.Tenant.ID, d.ID, at)
		found, err := w.Authenticators.Caller(w.Context(), c, d.ID, at, m, d.Sign(m))
		if err == nil {
			out, err = w.Authenticators.Waiting(w.Context(), c, found)
		}
		return err
	}); err != nil {
		w.Fatal(err)
	}
	return out
}

// reply answers a request as a device does: what is wrong with the answer is given back.
func (w talk) reply(d *authenticatortest.Device, a authenticator.Ask, approve bool, number string) error {
	w.Helper()
	return w.send(authenticator.Reply{
		Device: d.ID, Ask: a.ID, Approve: approve, Number: number,
		Signature: d.Sign(authenticator.AnswerMessage(w.Tenant.ID, d.ID, a, approve, number)),
	})
}

func (w talk) send(r authenticator.Reply) (err error) {
	w.Helper()
	if err := w.Try(func(ctx context.Context, c *call.Call) error {
		a, err := w.Authenticators.Answer(ctx, c, r)
		if err == nil {
			err = w.Logins.Elsewhere(ctx, c, a.Talk, a.Mechanism, a.Approved)
		}
		return err
	}); err != nil {
		return err
	}
	return nil
}

// second goes on to the authenticator of somebody with the password and an authenticator.
func (w talk) second(name string) (id string, ch factor.Challenge) {
	w.Helper()
	p := w.start(name)
	w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
	return p.Session, w.pick(&p, 1, "OTP")
}

func TestPush(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP")
		anna := w.Add("anna")
		phone, tablet := w.Carry(anna.ID), w.Carry(anna.ID)
		bobs := w.Carry(w.Add("bob").ID)
		id, ch := w.second(anna.Name)
		begun := w.expect(w.do(id, start(ch)), login.Pending)
		if len(begun.Number) != 2 || w.expect(w.poll(id, ch.ID), login.Pending).Number != begun.Number {
			w.Fatalf("%+v", begun)
		}
		if len(w.waiting(bobs)) != 0 {
			w.Fatal("somebody else is asked")
		}
		asks := w.waiting(phone)
		if len(asks) != 1 || asks[0].Login != anna.Name || asks[0].Place != "192.0.2.10" || asks[0].Agent != "test" || len(w.waiting(tablet)) != 1 {
			w.Fatalf("%+v", asks)
		}
		if err := w.reply(bobs, asks[0], true, begun.Number); !errors.Is(err, authenticator.ErrAsk) {
			w.Fatal("somebody else's device:", err)
		}
		if err := w.reply(phone, asks[0], true, begun.Number); err != nil {
			w.Fatal(err)
		}
		if e := w.Events[0]; e.Type != audit.Login || e.Fields["Factors"] != "UP,OTP" || e.User != anna.ID {
			w.Fatalf("%+v", e)
		}
		if err := w.reply(tablet, asks[0], true, begun.Number); !errors.Is(err, authenticator.ErrAsk) {
			w.Fatal("answered twice:", err)
		}
		got := w.expect(w.poll(id, ch.ID), login.Succeeded).Success
		if got.Session.Level != session.High || got.Session.Factors != "UP,OTP" || !w.Alive(got.Auth) {
			w.Fatalf("%+v", got.Session)
		}
		if len(w.waiting(phone)) != 0 {
			w.Fatal("it still waits")
		}
	})
}

// The code of any device of theirs, once, where the device cannot be asked; and none of another's.
func TestPushCode(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP")
		anna, bob := w.Add("anna"), w.Add("bob")
		phone, bobs := w.Carry(anna.ID), w.Carry(bob.ID)
		code := func(d *authenticatortest.Device) string {
			out, err := oath.Code(d.Secret, authenticator.Algorithm, authenticator.Digits, w.Now.Unix()/authenticator.Period)
			if err != nil {
				w.Fatal(err)
			}
			return out
		}
		id, ch := w.second(anna.Name)
		w.expect(w.do(id, start(ch)), login.Pending)
		asks := w.waiting(phone)
		w.expect(w.do(id, answer(ch, code(phone))), login.Succeeded)
		if err := w.reply(phone, asks[0], true, "00"); !errors.Is(err, login.ErrLink) {
			w.Fatal("a request of a sign-in that is over:", err)
		}
		id, ch = w.second(anna.Name)
		w.expect(w.do(id, answer(ch, code(phone))), login.Failed)
		w.Now = w.Now.Add(time.Minute)
		id, ch = w.second(anna.Name)
		w.expect(w.do(id, answer(ch, code(bobs))), login.Failed)
	})
}

// Attack: an approval by habit, or relayed by whoever does not see the sign-in, lets nobody in.
func TestRelayOfPushWithoutNumber(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		for _, number := range []string{"", "x", "wrong", "0", "000"} {
			id, ch := w.second(anna.Name)
			begun := w.do(id, start(ch))
			if number == "wrong" {
				number = map[bool]string{true: "11", false: "10"}[begun.Number == "10"]
			}
			w.Told = nil
			if err := w.reply(phone, w.waiting(phone)[0], true, number); err != nil {
				w.Fatal(err)
			}
			w.expect(w.poll(id, ch.ID), login.Failed)
			if !slices.Contains(w.Told, logintest.Notice{User: anna.ID, What: login.PushRefused}) {
				w.Fatal("nobody is told", w.Told)
			}
			e := w.Events[1]
			if e.Type != audit.LoginFail || e.Fields["FailReason"] != "refused on the authenticator" || e.Outcome != "refused" || e.User != anna.ID {
				w.Fatalf("%+v", e)
			}
			w.Now = w.Now.Add(31 * time.Minute)
		}
	})
}

// Attack: an answer that was seen once is of no use for another request, nor one whose text was changed on the way.
func TestReplayOfPushAnswer(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		id, ch := w.second(anna.Name)
		begun := w.do(id, start(ch))
		first := w.waiting(phone)[0]
		seen := authenticator.Reply{
			Device: phone.ID, Ask: first.ID, Approve: true, Number: begun.Number,
			Signature: phone.Sign(authenticator.AnswerMessage(w.Tenant.ID, phone.ID, first, true, begun.Number)),
		}
		no := authenticator.Reply{
			Device: phone.ID, Ask: first.ID, Signature: phone.Sign(authenticator.AnswerMessage(w.Tenant.ID, phone.ID, first, false, "")),
		}
		for what, r := range map[string]authenticator.Reply{
			"a refusal turned into an approval": {Device: no.Device, Ask: no.Ask, Approve: true, Number: begun.Number, Signature: no.Signature},
			"another number":                    {Device: seen.Device, Ask: seen.Ask, Approve: true, Number: "00", Signature: seen.Signature},
			"no signature":                      {Device: seen.Device, Ask: seen.Ask, Approve: true, Number: seen.Number},
			"another device":                    {Device: w.Carry(anna.ID).ID, Ask: seen.Ask, Approve: true, Number: seen.Number, Signature: seen.Signature},
			"no device":                         {Device: seen.Ask, Ask: seen.Ask, Approve: true, Number: seen.Number, Signature: seen.Signature},
		} {
			if err := w.send(r); !errors.Is(err, authenticator.ErrSignature) {
				w.Errorf("%s: %v", what, err)
			}
		}
		shown := first
		shown.Place = "198.51.100.7" // what the person saw was not what waits
		if err := w.send(authenticator.Reply{
			Device: phone.ID, Ask: first.ID, Approve: true, Number: begun.Number,
			Signature: phone.Sign(authenticator.AnswerMessage(w.Tenant.ID, phone.ID, shown, true, begun.Number)),
		}); !errors.Is(err, authenticator.ErrSignature) {
			w.Error("another place:", err)
		}
		if err := w.send(seen); err != nil {
			w.Fatal(err)
		}
		if err := w.send(seen); !errors.Is(err, authenticator.ErrAsk) {
			w.Error("twice:", err)
		}
		id, ch = w.second(anna.Name)
		w.do(id, start(ch))
		again := seen
		again.Ask = w.waiting(phone)[0].ID
		if err := w.send(again); !errors.Is(err, authenticator.ErrSignature) {
			w.Error("for the next request:", err)
		}
		w.Now = w.Now.Add(3 * time.Minute)
		if len(w.waiting(phone)) != 0 {
			w.Error("an expired request is shown")
		}
		w.expect(w.poll(id, ch.ID), login.Failed)
	})
}

// Attack: whoever has the password asks again and again. After five requests that nobody approves none is sent for a while; the code still
// lets in. Names that do not exist show numbers as often.
func TestPushFatigue(t *testing.T) {
	each(t, func(w talk) {
		w.only("OTP")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		numbers := func(name string) (n int) {
			for range 12 {
				p := w.start(name)
				if w.expect(w.do(p.Session, start(w.pick(&p, 0, "OTP"))), login.Pending).Number != "" {
					n++
				}
				w.Now = w.Now.Add(30 * time.Second)
			}
			return n
		}
		if got := numbers(anna.Name); got != throttle.Pushes {
			w.Fatal("asked", got, "times")
		}
		if got := numbers(w.Name("nobody")); got != throttle.Pushes {
			w.Fatal("for a name that does not exist", got)
		}
		w.Now = w.Now.Add(10 * time.Minute) // other ways to write the name do not help
		p := w.start(" " + anna.Name + " ")
		if w.do(p.Session, start(w.pick(&p, 0, "OTP"))).Number != "" || len(w.waiting(phone)) != 0 {
			w.Fatal("asked again")
		}
		code, err := oath.Code(phone.Secret, authenticator.Algorithm, authenticator.Digits, w.Now.Unix()/authenticator.Period)
		if err != nil {
			w.Fatal(err)
		}
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "OTP"), code)), login.Succeeded)
		w.Now = w.Now.Add(45 * time.Minute)
		p = w.start(anna.Name)
		if w.do(p.Session, start(w.pick(&p, 0, "OTP"))).Number == "" {
			w.Fatal("never asked again")
		}
		// A repeated request asks once, and a later one withdraws the one before.
		w.do(p.Session, start(w.pick(&p, 0, "OTP")))
		if len(w.waiting(phone)) != 1 {
			w.Fatal("asked twice")
		}
		before := w.waiting(phone)[0]
		w.Now = w.Now.Add(time.Minute)
		w.do(p.Session, start(w.pick(&p, 0, "OTP")))
		if now := w.waiting(phone); len(now) != 1 || now[0].ID == before.ID {
			w.Fatal("the request before still waits")
		}
		if err := w.reply(phone, before, false, ""); !errors.Is(err, authenticator.ErrAsk) {
			w.Fatal("a request that was withdrawn:", err)
		}
	})
}

// A refusal ends the sign-in, counts as a wrong answer, and is told.
func TestPushRefused(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		id, ch := w.second(anna.Name)
		w.do(id, start(ch))
		if err := w.reply(phone, w.waiting(phone)[0], false, ""); err != nil {
			w.Fatal(err)
		}
		w.expect(w.poll(id, ch.ID), login.Failed)
		if len(w.Told) != 1 || w.Told[0].What != login.PushRefused {
			w.Fatal(w.Told)
		}
		for range 9 { // each of them costs a while, and in the end the account's second factor is refused
			w.Now = w.Now.Add(31 * time.Second)
			id, ch = w.second(anna.Name)
			if asked := w.do(id, start(ch)); asked.Number != "" {
				if err := w.reply(phone, w.waiting(phone)[0], false, ""); err != nil {
					w.Fatal(err)
				}
			} else {
				w.expect(w.do(id, answer(ch, "000000")), login.Failed)
			}
		}
		if e := fault.Of(w.free(anna.ID)); e == nil || e.Code != login.ErrGuesses.Code {
			w.Fatal("it does not count:", e)
		}
	})
}

// free says whether guesses at somebody's second factor are looked at.
func (w talk) free(userID string) (err error) {
	c := w.Call()
	u := w.Get(userID)
	if e := c.Snapshot(w.Context(), func() error { err = w.Logins.Free(w.Context(), c, throttle.Second, u); return nil }); e != nil {
		w.Fatal(e)
	}
	return err
}

// A device that was revoked answers nothing; another one of the person does.
func TestPushOfRevokedDevice(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP")
		anna := w.Add("anna")
		phone, other := w.Carry(anna.ID), w.Carry(anna.ID)
		id, ch := w.second(anna.Name)
		begun := w.do(id, start(ch))
		ask := w.waiting(phone)[0]
		w.Write(func(ctx context.Context, c *call.Call) error {
			return w.Authenticators.Delete(ctx, c, anna.ID, phone.ID)
		})
		if err := w.reply(phone, ask, true, begun.Number); !errors.Is(err, authenticator.ErrSignature) {
			w.Fatal("revoked:", err)
		}
		if err := w.reply(other, ask, true, begun.Number); err != nil {
			w.Fatal(err)
		}
	})
}

// Whose authenticators answer for another account are shown which one signs in, and are asked no more often for it.
func TestPushForAnotherAccount(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		var names []string
		for _, local := range []string{"root1", "root2"} {
			names = append(names, w.Add(local, func(n *user.New) { n.MfaUser = anna.ID }).Name)
		}
		id, ch := w.second(names[0])
		begun := w.do(id, start(ch))
		asks := w.waiting(phone)
		if len(asks) != 1 || asks[0].Login != names[0] {
			w.Fatalf("%+v", asks)
		}
		if err := w.reply(phone, asks[0], true, begun.Number); err != nil {
			w.Fatal(err)
		}
		if got := w.expect(w.poll(id, ch.ID), login.Succeeded).Success; got.Person.Name != names[0] {
			w.Fatal(got.Person.Name)
		}
		asked := 0
		for i := range 4 * throttle.Pushes {
			w.Now = w.Now.Add(30 * time.Second)
			id, ch := w.second(append(names, anna.Name)[i%3])
			if w.do(id, start(ch)).Number != "" {
				asked++
			}
		}
		if asked != throttle.Pushes {
			w.Fatal("asked", asked, "times by several names")
		}
	})
}
