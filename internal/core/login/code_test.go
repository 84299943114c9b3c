package login_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/profile"
	"limen/internal/core/scan"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

func (w talk) scans() scan.Scans {
	return scan.Scans{Devices: w.Authenticators, Logins: w.Logins, People: w.People}
}

// code opens a conversation of nobody.
func (w talk) code(guid string) (p login.Package, ch factor.Challenge) {
	w.Helper()
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		p, _, err = w.Logins.StartCode(ctx, c, login.ByCode{App: "Wiki", Guid: guid})
		return err
	})
	return p, p.Challenges[0][0]
}

// read has a device read a code.
func (w talk) read(d *authenticatortest.Device, code string) (out authenticator.Ask, err error) {
	w.Helper()
	c := w.Call()
	at := w.Now.UnixMilli()
	q := scan.Question{Device: d.ID, Time: at, Code: code, Signature: d.Sign(authenticator.ReadMessage(w.Tenant.ID, d.ID, at, code))}
	if e := c.Snapshot(w.Context(), func() error { out, err = w.scans().Read(w.Context(), c, q); return nil }); e != nil {
		w.Fatal(e)
	}
	return out, err
}

// says is a device's answer to a code, as it would send it.
func (w talk) says(d *authenticatortest.Device, code string, a authenticator.Ask, approve bool, number string) scan.Reply {
	return scan.Reply{
		Device: d.ID, Code: code, Approve: approve, Number: number,
		Signature: d.Sign(authenticator.ConfirmMessage(w.Tenant.ID, d.ID, code, a, approve, number)),
	}
}

func (w talk) tell(r scan.Reply) (out scan.Answered, err error) {
	w.Helper()
	if e := w.Try(func(ctx context.Context, c *call.Call) error {
		if out, err = w.scans().Answer(ctx, c, r, ""); errors.Is(err, login.ErrUnfit) {
			return nil // a refusal commits
		}
		return err
	}); e != nil && !errors.Is(e, err) {
		w.Fatal(e)
	}
	return out, err
}

// confirm reads a code and approves it with its number.
func (w talk) confirm(d *authenticatortest.Device, ch factor.Challenge) error {
	w.Helper()
	a, err := w.read(d, ch.ID)
	if err != nil {
		w.Fatal(err)
	}
	_, err = w.tell(w.says(d, ch.ID, a, true, ch.Number))
	return err
}

// from has what follows come from another address.
func (w talk) from(ip string) { w.Client.IP = netip.MustParseAddr(ip) }

// The code says who signs in, and stands for the authenticator; what else is asked for is asked still, and is answered where the code is shown.
func TestCode(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP,EMAIL")
		w.Set("Authentication.QRCode", "true")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		p, ch := w.code("")
		if len(ch.Number) != 2 || ch.ID == p.Session || w.expect(w.poll(p.Session, ch.ID), login.Pending).Number != ch.Number {
			w.Fatalf("%+v", p)
		}
		w.from("198.51.100.7") // of the telephone
		a, err := w.read(phone, ch.ID)
		if err != nil || a.Login != anna.Name || a.App != "Wiki" || a.Place != "192.0.2.10" || a.Agent != "test" {
			w.Fatalf("%+v %v", a, err)
		}
		w.expect(w.poll(p.Session, ch.ID), login.Pending) // reading changes nothing
		if _, err := w.tell(w.says(phone, ch.ID, a, true, ch.Number)); err != nil {
			w.Fatal(err)
		}
		if _, err := w.tell(w.says(phone, ch.ID, a, true, ch.Number)); !errors.Is(err, scan.ErrCode) {
			w.Fatal("twice:", err)
		}
		w.from("192.0.2.10")
		left := w.expect(w.poll(p.Session, ch.ID), login.NewPackage).Package
		if names(*left) != "UP" {
			w.Fatal(names(*left))
		}
		got := w.expect(w.do(p.Session, answer(left.Challenges[0][0], logintest.Secret)), login.Succeeded).Success
		if got.Person.ID != anna.ID || got.Session.Level != session.High || got.Session.Factors != "QR,UP" {
			w.Fatalf("%+v", got.Session)
		}
	})
}

// Where a profile lets a code stand alone it ends the sign-in: near its reader, or on a device on which they are known.
func TestCodeAlone(t *testing.T) {
	each(t, func(w talk) {
		w.Set("Authentication.QRCode", "true")
		w.Use(profile.Profile{Name: "Alone", Single: []string{"QR"}}, "UP", "EMAIL")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		p, ch := w.code("")
		desk := w.Client
		w.Client.UserAgent, w.Client.Device = "telephone", "the telephone's own cookie"
		if err := w.confirm(phone, ch); err != nil {
			w.Fatal(err)
		}
		w.Client = desk
		if e := w.Events[0]; e.Type != audit.Login || e.Fields["Factors"] != "QR" || e.User != anna.ID || e.Fields["ClientAddress"] != "192.0.2.10" {
			w.Fatalf("%+v", e)
		}
		got := w.expect(w.poll(p.Session, ch.ID), login.Succeeded).Success
		if got.Session.Level != session.Normal || got.Session.Factors != "QR" || !w.Alive(got.Auth) || got.Session.IP != "192.0.2.10" || got.Session.Agent != "test" {
			w.Fatalf("%+v", got.Session)
		}
		// The device is known now, wherever the telephone is.
		w.Client.Device = got.Device
		p, ch = w.code("")
		w.from("198.51.100.7")
		w.Client.Device = ""
		if err := w.confirm(phone, ch); err != nil {
			w.Fatal(err)
		}
		w.expect(w.poll(p.Session, ch.ID), login.Succeeded)

		// That the telephone is known says nothing of another browser.
		w.from("203.0.113.66")
		w.Client.Device = ""
		p, ch = w.code("")
		w.from("198.51.100.7")
		w.Client.Device = got.Device
		if err := w.confirm(phone, ch); err != nil {
			w.Fatal(err)
		}
		if left := w.expect(w.poll(p.Session, ch.ID), login.NewPackage).Package; names(*left) != "UP;EMAIL" {
			w.Fatal(names(*left))
		}
	})
}

// Attack (QRLjacking): a code that a stranger has shown to them, and relays with its number, is read and approved. The stranger's browser is
// asked for all that a name is asked for, be the code shown for a name or for nobody.
func TestRelayOfCode(t *testing.T) {
	each(t, func(w talk) {
		w.Set("Authentication.QRCode", "true")
		w.Use(profile.Profile{Name: "Alone", Single: []string{"QR"}}, "UP", "EMAIL")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		w.from("203.0.113.66")
		p, ch := w.code("")
		w.from("198.51.100.7")
		if err := w.confirm(phone, ch); err != nil {
			w.Fatal(err)
		}
		w.from("203.0.113.66")
		left := w.expect(w.poll(p.Session, ch.ID), login.NewPackage).Package
		if names(*left) != "UP;EMAIL" {
			w.Fatal(names(*left))
		}
		w.expect(w.do(p.Session, answer(left.Challenges[0][0], "wrong")), login.Failed)

		named := w.asks(anna.Name, "UP,QR;EMAIL")
		ch = w.pick(&named, 0, "QR")
		ch.Number = w.expect(w.do(named.Session, start(ch)), login.Pending).Number
		w.from("198.51.100.7")
		if err := w.confirm(phone, ch); err != nil {
			w.Fatal(err)
		}
		w.from("203.0.113.66")
		if left := w.expect(w.poll(named.Session, ch.ID), login.NewPackage).Package; names(*left) != "UP;EMAIL" {
			w.Fatal(names(*left))
		}
	})
}

// A code that is shown for a name is one of its mechanisms, and passes the challenge that names it.
func TestCodeForName(t *testing.T) {
	each(t, func(w talk) {
		w.Use(profile.Profile{Name: "Second"}, "UP", "QR,EMAIL")
		anna, bob := w.Add("anna"), w.Add("bob")
		phone, bobs := w.Carry(anna.ID), w.Carry(bob.ID)
		p := w.asks(anna.Name, "UP;QR,EMAIL")
		ch := w.pick(&p, 1, "QR")
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		if _, err := w.read(phone, ch.ID); !errors.Is(err, scan.ErrCode) {
			w.Fatal("before it is shown:", err)
		}
		ch.Number = w.expect(w.do(p.Session, start(ch)), login.Pending).Number
		if _, err := w.read(bobs, ch.ID); !errors.Is(err, scan.ErrCode) {
			w.Fatal("somebody else reads it:", err)
		}
		a, err := w.read(phone, ch.ID)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := w.tell(w.says(bobs, ch.ID, a, true, ch.Number)); !errors.Is(err, scan.ErrCode) {
			w.Fatal("somebody else answers it:", err)
		}
		if err := w.confirm(phone, ch); err != nil {
			w.Fatal(err)
		}
		got := w.expect(w.poll(p.Session, ch.ID), login.Succeeded).Success
		if got.Session.Factors != "UP,QR" || got.Session.Level != session.High {
			w.Fatalf("%+v", got.Session)
		}
	})
}

// Attack: a code that stands somewhere without its number, or is approved by habit, lets nobody in; and its person is told.
func TestCodeWithoutNumber(t *testing.T) {
	each(t, func(w talk) {
		w.only("OTP")
		w.Set("Authentication.QRCode", "true")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		for _, number := range []string{"", "x", "0", "wrong", "refused"} {
			p, ch := w.code("")
			a, err := w.read(phone, ch.ID)
			if err != nil {
				w.Fatal(err)
			}
			if number == "wrong" {
				number = map[bool]string{true: "11", false: "10"}[ch.Number == "10"]
			}
			w.Told = nil
			out, err := w.tell(w.says(phone, ch.ID, a, number != "refused", number))
			if err != nil || out.Wrong != (number != "refused") {
				w.Fatal(number, out, err)
			}
			w.expect(w.poll(p.Session, ch.ID), login.Failed)
			if !slices.Contains(w.Told, logintest.Notice{User: anna.ID, What: login.CodeRefused}) {
				w.Fatal("nobody is told", w.Told)
			}
			e := w.Events[1]
			if e.Type != audit.LoginFail || e.Fields["FailReason"] != "refused on the authenticator" || e.Outcome != "refused" || e.User != anna.ID {
				w.Fatalf("%+v", e)
			}
			if _, err := w.tell(w.says(phone, ch.ID, a, true, ch.Number)); !errors.Is(err, scan.ErrCode) {
				w.Fatal("a second try:", err)
			}
			w.Now = w.Now.Add(31 * time.Minute)
		}
	})
}

// Attack: what a device signed of a code once is of no use changed, for another code, or later.
func TestReplayOfCode(t *testing.T) {
	each(t, func(w talk) {
		w.only("OTP")
		w.Set("Authentication.QRCode", "true")
		anna := w.Add("anna")
		phone, other := w.Carry(anna.ID), w.Carry(anna.ID)
		_, ch := w.code("")
		a, err := w.read(phone, ch.ID)
		if err != nil {
			w.Fatal(err)
		}
		yes, no := w.says(phone, ch.ID, a, true, ch.Number), w.says(phone, ch.ID, a, false, "")
		elsewhere := a
		elsewhere.Place = "198.51.100.7"
		for what, r := range map[string]scan.Reply{
			"a refusal turned into an approval": {Device: no.Device, Code: no.Code, Approve: true, Number: ch.Number, Signature: no.Signature},
			"another number":                    {Device: yes.Device, Code: yes.Code, Approve: true, Number: "00", Signature: yes.Signature},
			"no signature":                      {Device: yes.Device, Code: yes.Code, Approve: true, Number: yes.Number},
			"another device":                    {Device: other.ID, Code: yes.Code, Approve: true, Number: yes.Number, Signature: yes.Signature},
			"no device":                         {Device: "x", Code: yes.Code, Approve: true, Number: yes.Number, Signature: yes.Signature},
			"another place":                     w.says(phone, ch.ID, elsewhere, true, ch.Number),
		} {
			if _, err := w.tell(r); !errors.Is(err, authenticator.ErrSignature) {
				w.Errorf("%s: %v", what, err)
			}
		}
		_, next := w.code("")
		yes.Code = next.ID
		if _, err := w.tell(yes); !errors.Is(err, authenticator.ErrSignature) {
			w.Error("for the next code:", err)
		}
		later := w.says(phone, ch.ID, a, true, ch.Number)
		w.Now = w.Now.Add(authenticator.CodeLife)
		if _, err := w.tell(later); !errors.Is(err, scan.ErrCode) {
			w.Error("expired:", err)
		}
		if _, err := w.read(phone, ch.ID); !errors.Is(err, scan.ErrCode) {
			w.Error("an expired code is read:", err)
		}
		c := w.Call()
		if err := c.Snapshot(w.Context(), func() error {
			at := w.Now.UnixMilli()
			q := scan.Question{Device: phone.ID, Time: at, Code: ch.ID, Signature: phone.Sign(authenticator.WaitingMessage(w.Tenant.ID, phone.ID, at))}
			_, err := w.scans().Read(w.Context(), c, q)
			return err
		}); !errors.Is(err, authenticator.ErrSignature) {
			w.Error("signed for something else:", err)
		}
	})
}

// Attack: who sees the code, or the guid by which a program asks, learns nothing by it, and gets nothing of who confirms it.
func TestCodeOpensNothingElsewhere(t *testing.T) {
	each(t, func(w talk) {
		w.only("OTP")
		w.Set("Authentication.QRCode", "true")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		p, ch := w.code("5d0c8a4e-3f57-4ad1-9d38-6f6a5f0f9c11")
		mine, _ := w.code("5d0c8a4e-3f57-4ad1-9d38-6f6a5f0f9c11") // somebody who uses the same guid
		ask := func(id, guid string) (out login.Result) {
			c := w.Call()
			if err := c.Snapshot(w.Context(), func() (err error) {
				if out, err = w.Logins.PollCode(w.Context(), c, id, guid); errors.Is(err, login.ErrFailed) {
					err = nil
				}
				return err
			}); err != nil {
				w.Fatal(err)
			}
			return out
		}
		for _, confirmed := range []bool{false, true} {
			if confirmed {
				if err := w.confirm(phone, ch); err != nil {
					w.Fatal(err)
				}
			}
			for _, x := range [][2]string{{ch.ID, "5d0c8a4e-3f57-4ad1-9d38-6f6a5f0f9c11"}, {"", "5d0c8a4e-3f57-4ad1-9d38-6f6a5f0f9c11"}, {p.Session, ""}, {p.Session, "x"}} {
				w.expect(ask(x[0], x[1]), login.Failed)
			}
			w.expect(ask(mine.Session, "5d0c8a4e-3f57-4ad1-9d38-6f6a5f0f9c11"), login.Pending)
		}
		w.expect(w.do(ch.ID, start(ch)), login.Failed)
		if got := w.expect(ask(p.Session, "5d0c8a4e-3f57-4ad1-9d38-6f6a5f0f9c11"), login.Succeeded).Success; got.Person.ID != anna.ID {
			w.Fatal(got.Person)
		}
		plain, _ := w.code("")
		w.expect(ask(plain.Session, ""), login.Failed)                                // a browser's is not a program's
		w.expect(w.do(plain.Session, login.Action{Do: login.DoForgot}), login.Failed) // nobody's password is replaced
	})
}

// Nobody is let in who would not be by their name: barred, or refused by their profile, or with another one's factors.
func TestCodeLetsNobodyElseIn(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OTP")
		anna := w.Add("anna")
		phone := w.Carry(anna.ID)
		if err := w.Try(func(ctx context.Context, c *call.Call) error {
			_, _, err := w.Logins.StartCode(ctx, c, login.ByCode{})
			return err
		}); !errors.Is(err, login.ErrNoCodes) {
			w.Fatal("not offered:", err)
		}
		w.Set("Authentication.QRCode", "true")
		_, ch := w.code("")
		w.Write(func(ctx context.Context, c *call.Call) error {
			return w.People.SetState(ctx, c, anna.ID, user.State{Disabled: true})
		})
		if err := w.confirm(phone, ch); !errors.Is(err, login.ErrUnfit) {
			w.Fatal("barred:", err)
		}
		w.Write(func(ctx context.Context, c *call.Call) error { return w.People.SetState(ctx, c, anna.ID, user.State{}) })
		w.Use(profile.Profile{Name: "Key"}, "PASSKEY")
		begun, ch := w.code("")
		if err := w.confirm(phone, ch); !errors.Is(err, login.ErrUnfit) {
			w.Fatal("without what the profile wants:", err)
		}
		w.expect(w.poll(begun.Session, ch.ID), login.Failed)
		if e := w.Events[0]; e.Type != audit.LoginFail || e.User != anna.ID {
			w.Fatalf("%+v", e)
		}

		// Whose factors are another one's has to show theirs.
		w.Use(profile.Profile{Name: "Alone", Single: []string{"QR"}}, "UP", "OTP")
		root := w.Add("root", func(n *user.New) { n.MfaUser = anna.ID })
		roots := w.Carry(root.ID)
		begun, ch = w.code("")
		if err := w.confirm(roots, ch); err != nil {
			w.Fatal(err)
		}
		if left := w.expect(w.poll(begun.Session, ch.ID), login.NewPackage).Package; names(*left) != "UP;OTP" {
			w.Fatal(names(*left))
		}
	})
}

// Of two who confirm the same code at the same time one does.
func TestCodeConfirmedTwiceAtOnce(t *testing.T) {
	each(t, func(w talk) {
		w.only("OTP")
		w.Set("Authentication.QRCode", "true")
		anna, bob := w.Add("anna"), w.Add("bob")
		phones := []*authenticatortest.Device{w.Carry(anna.ID), w.Carry(bob.ID)}
		p, ch := w.code("")
		var replies []scan.Reply
		for _, d := range phones {
			a, err := w.read(d, ch.ID)
			if err != nil {
				w.Fatal(err)
			}
			replies = append(replies, w.says(d, ch.ID, a, true, ch.Number))
		}
		errs := make([]error, len(replies))
		var wait sync.WaitGroup
		for i, r := range replies {
			wait.Go(func() {
				errs[i] = w.DB.Write(w.Context(), func(tx *dbx.Tx) error {
					c := w.Call()
					c.Tx, c.Event = tx, &call.Event{Outcome: "success"}
					_, err := w.scans().Answer(w.Context(), c, r, "")
					return err
				})
			})
		}
		wait.Wait()
		if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), scan.ErrCode) {
			w.Fatal(errs)
		}
		winner := map[bool]string{true: anna.ID, false: bob.ID}[errs[0] == nil]
		if got := w.expect(w.poll(p.Session, ch.ID), login.Succeeded).Success; got.Person.ID != winner {
			w.Fatal("the other one is signed in")
		}
	})
}

// A code that is over can be shown anew, with another number; and the address in it is the operation that confirms it.
func TestCodeShownAnew(t *testing.T) {
	each(t, func(w talk) {
		w.only("OTP")
		w.Set("Authentication.QRCode", "true")
		phone := w.Carry(w.Add("anna").ID)
		p, ch := w.code("")
		if at := login.CodeURL("id.acme.test", ch); at != "https://id.acme.test/Security/SubmitQRCode?sessionId="+ch.ID || strings.Contains(at, p.Session) {
			w.Fatal(at)
		}
		w.Now = w.Now.Add(authenticator.CodeLife)
		w.expect(w.poll(p.Session, ch.ID), login.Failed)
		ch.Number = w.expect(w.do(p.Session, start(ch)), login.Pending).Number
		if err := w.confirm(phone, ch); err != nil {
			w.Fatal(err)
		}
		w.expect(w.poll(p.Session, ch.ID), login.Succeeded)
	})
}

// Nothing that is typed answers a code, and a forgotten password is not replaced by one.
func TestCodeIsNotTyped(t *testing.T) {
	each(t, func(w talk) {
		w.Use(profile.Profile{Name: "Code"}, "QR")
		anna := w.Add("anna")
		w.Carry(anna.ID)
		p := w.asks(anna.Name, "QR")
		ch := w.pick(&p, 0, "QR")
		number := w.do(p.Session, start(ch)).Number
		w.expect(w.do(p.Session, answer(ch, number)), login.Failed)
		got := login.Profile{}.Recover(profile.Profile{Challenges: [][]string{{"QR"}, {"EMAIL", "QR"}}})
		if len(got.Recovery) != 1 || !slices.Equal(got.Recovery[0], []string{"EMAIL"}) {
			w.Fatal(got.Recovery)
		}
	})
}
