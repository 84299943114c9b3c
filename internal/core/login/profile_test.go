package login_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/profile"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

// names are the mechanisms of a package: "UP;OATH,EMAIL".
func names(p login.Package) string {
	rounds := make([]string, len(p.Challenges))
	for i, one := range p.Challenges {
		of := make([]string, len(one))
		for j, ch := range one {
			of[j] = ch.Name
		}
		rounds[i] = strings.Join(of, ",")
	}
	return strings.Join(rounds, ";")
}

// asks fails unless somebody is asked for these mechanisms.
func (w talk) asks(name, want string) login.Package {
	w.Helper()
	p := w.start(name)
	if got := names(p); got != want {
		w.Fatalf("%s is asked for %s, want %s", name, got, want)
	}
	return p
}

func (w talk) barred(name, plain, why string) {
	w.Helper()
	p := w.start(name)
	w.expect(w.do(p.Session, answer(p.Challenges[0][0], plain)), login.Failed)
	if got := w.Events[0].Fields["FailReason"]; got != why {
		w.Fatalf("refused because of %v, want %s", got, why)
	}
}

func TestProfileOfOneRound(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		w.asks(anna.Name, "UP;OATH,EMAIL")
		w.Use(profile.Profile{Name: "One"}, "UP", "")
		w.asks(anna.Name, "UP")
		got := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success
		if got.Session.Level != session.Normal || got.Session.Factors != "UP" {
			w.Fatalf("%+v", got.Session)
		}
		// Whichever of a round's, with the password first.
		w.Use(profile.Profile{Name: "Either"}, "SMS,OATH,UP")
		p := w.asks(anna.Name, "UP,OATH")
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "OATH"), w.Code())), login.Succeeded)
		w.Set("Authentication.Profile", "")
		w.asks(anna.Name, "UP;OATH,EMAIL")
		// Programs have the password alone.
		w.Use(profile.Profile{Name: "Strong"}, "OATH", "EMAIL")
		robot := w.Add("robot", func(n *user.New) { n.Service = true })
		w.expect(w.signIn(robot.Name, logintest.Secret), login.Succeeded)
	})
}

func TestProfileOfTwoRounds(t *testing.T) {
	each(t, func(w talk) {
		w.Use(profile.Profile{Name: "Two"}, "UP", "OATH,EMAIL")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		p := w.asks(anna.Name, "UP;OATH,EMAIL")
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		got := w.expect(w.do(p.Session, answer(w.pick(&p, 1, "OATH"), w.Code())), login.Succeeded).Success
		if got.Session.Level != session.High || got.Session.Factors != "UP,OATH" {
			w.Fatalf("%+v", got.Session)
		}
		// Without anything for the second round the setting decides.
		bare := w.Add("bare", func(n *user.New) { n.Mail = "" })
		w.asks(bare.Name, "UP")
		w.expect(w.signIn(bare.Name, logintest.Secret), login.Succeeded)
		w.Set("Authentication.RequireSecondFactor", "true")
		w.asks(bare.Name, "UP")
		w.barred(bare.Name, logintest.Secret, "no second factor is enrolled")
		w.Set("Authentication.RequireSecondFactor", "false")
		// Nothing at all for the profile: nobody gets in, least of all with the password, which it does not name.
		w.Use(profile.Profile{Name: "Keys"}, "U2F", "OATH,PASSKEY")
		w.asks(bare.Name, "UP")
		w.barred(bare.Name, logintest.Secret, "no second factor is enrolled")
		// What settings say lets somebody in who has nothing of it.
		w.Set("Authentication.Profile", "")
		w.only("OATH")
		w.expect(w.signIn(bare.Name, logintest.Secret), login.Succeeded)
	})
}

// A mechanism that was used in the first round is not offered in the second.
func TestDistinctMechanisms(t *testing.T) {
	each(t, func(w talk) {
		w.Use(profile.Profile{Name: "Both"}, "UP,EMAIL,OATH", "EMAIL,OATH,UP")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		p := w.asks(anna.Name, "UP,EMAIL,OATH;EMAIL,OATH,UP")
		first, second := w.pick(&p, 0, "OATH"), w.pick(&p, 1, "OATH")
		got := w.expect(w.do(p.Session, answer(first, w.Code())), login.NewPackage)
		if names(*got.Package) != "EMAIL,UP" || got.Package.Session != p.Session {
			w.Fatal(names(*got.Package))
		}
		if again := w.poll(p.Session, first.ID); again.Summary != login.NewPackage || names(*again.Package) != "EMAIL,UP" {
			w.Fatal(again)
		}
		w.Now = w.Now.Add(time.Minute)
		w.expect(w.do(p.Session, answer(second, w.Code())), login.Failed)

		p = w.asks(anna.Name, "UP,EMAIL,OATH;EMAIL,OATH,UP")
		up, app := w.pick(&p, 0, "UP"), w.pick(&p, 1, "OATH")
		w.expect(w.do(p.Session, answer(up, logintest.Secret), answer(app, w.Code())), login.Succeeded)

		// What the second round alone can be passed with is not offered in the first.
		w.Use(profile.Profile{Name: "Mail"}, "UP,EMAIL", "EMAIL")
		w.asks(anna.Name, "UP;EMAIL")
		w.Use(profile.Profile{Name: "Twice"}, "UP", "UP,OATH")
		w.asks(anna.Name, "UP;OATH")
		// Two rounds with one mechanism between them are one, or too much.
		w.Use(profile.Profile{Name: "Same"}, "UP", "UP")
		w.asks(anna.Name, "UP")
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		w.Set("Authentication.RequireSecondFactor", "true")
		w.barred(anna.Name, logintest.Secret, "no second factor is enrolled")
	})
}

func TestProfileWithQuestions(t *testing.T) {
	each(t, func(w talk) {
		w.Use(profile.Profile{Name: "Asked", Questions: 2}, "UP", "SQ")
		anna, bob := w.Add("anna"), w.Add("bob")
		for _, q := range []string{"Pet?", "Town?", "Book?"} {
			w.Answer(anna.ID, q, "answer to "+q)
		}
		w.Answer(bob.ID, "Pet?", "answer to Pet?")
		p := w.asks(anna.Name, "UP;SQ")
		sq := w.pick(&p, 1, "SQ")
		if len(sq.Prompt.Parts) != 2 || sq.Prompt.Parts[0].Question == sq.Prompt.Parts[1].Question {
			w.Fatalf("%+v", sq.Prompt)
		}
		right := map[string]string{}
		for _, part := range sq.Prompt.Parts {
			right[part.ID] = "answer to " + part.Question
		}
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		w.expect(w.do(p.Session, login.Action{Do: login.DoAnswer, Mechanism: sq.ID, Answer: factor.Answer{Parts: right}}), login.Succeeded)

		p = w.start(anna.Name)
		sq = w.pick(&p, 1, "SQ")
		half := map[string]string{sq.Prompt.Parts[0].ID: "answer to " + sq.Prompt.Parts[0].Question}
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		w.expect(w.do(p.Session, login.Action{Do: login.DoAnswer, Mechanism: sq.ID, Answer: factor.Answer{Parts: half}}), login.Failed)
		w.asks(bob.Name, "UP") // has answered one
	})
}

// twoRounds signs in with the password and an authenticator, and keeps the device's cookie.
func (w talk) twoRounds(u user.User) {
	w.Helper()
	w.Now = w.Now.Add(time.Minute) // a code is good once
	p := w.asks(u.Name, "UP;OATH")
	w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
	got := w.expect(w.do(p.Session, answer(w.pick(&p, 1, "OATH"), w.Code())), login.Succeeded)
	w.Client.Device = got.Success.Device
}

// The second round stands for a while on a device on which it was passed: this person's, of this profile as it is.
func TestPassThrough(t *testing.T) {
	each(t, func(w talk) {
		two := w.Use(profile.Profile{Name: "Two", Minutes: 60}, "UP", "OATH")
		anna, bob := w.Add("anna"), w.Add("bob")
		w.Enroll(anna.ID)
		w.Enroll(bob.ID)
		w.twoRounds(anna)
		passed := w.Now
		w.asks(bob.Name, "UP;OATH")
		own := w.Client.Device
		for _, other := range []string{"", strings.Repeat("x", 43)} {
			w.Client.Device = other
			w.asks(anna.Name, "UP;OATH")
		}
		w.Client.Device = own
		w.Now = passed.Add(59 * time.Minute)
		w.asks(anna.Name, "UP")
		got := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success
		if got.Session.Level != session.Normal || got.Device != own {
			w.Fatalf("%+v", got)
		}
		w.Now = passed.Add(61 * time.Minute) // the sign-in meanwhile has not prolonged it
		w.asks(anna.Name, "UP;OATH")
		w.twoRounds(anna)
		w.asks(anna.Name, "UP")
		// Another profile is another matter, and so is this one once it was changed.
		w.Use(profile.Profile{Name: "Else", Minutes: 60}, "UP", "OATH")
		w.asks(anna.Name, "UP;OATH")
		w.Set("Authentication.Profile", two.ID)
		w.asks(anna.Name, "UP")
		w.Write(func(ctx context.Context, c *call.Call) error {
			_, err := w.Profiles.Save(ctx, c, two)
			return err
		})
		w.asks(anna.Name, "UP;OATH")
		// Off, which it is unless the profile says so; what the settings remember does not count for profiles.
		w.twoRounds(anna)
		w.Set("Authentication.RememberDevice", "true")
		w.Use(profile.Profile{Name: "Never"}, "UP", "OATH")
		w.twoRounds(anna)
		w.asks(anna.Name, "UP;OATH")
	})
}

// A sign-in that nobody passed the second round of leaves no pass.
func TestPassNeedsTheSecondRound(t *testing.T) {
	each(t, func(w talk) {
		w.Use(profile.Profile{Name: "Two", Minutes: 60}, "UP", "OATH")
		anna := w.Add("anna")
		got := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		w.Client.Device = got.Success.Device
		w.Enroll(anna.ID)
		w.asks(anna.Name, "UP;OATH")
	})
}

// What makes devices unknown ends passes, also those on which a conversation rests that has begun.
func TestPassEnds(t *testing.T) {
	each(t, func(w talk) {
		w.Use(profile.Profile{Name: "Two", Minutes: 60}, "UP", "OATH")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		w.twoRounds(anna)
		begun := w.asks(anna.Name, "UP")
		w.Write(func(ctx context.Context, c *call.Call) error { return w.Throttle.ForgetDevices(ctx, c, anna.ID) })
		w.asks(anna.Name, "UP;OATH")
		w.expect(w.do(begun.Session, answer(w.pick(&begun, 0, "UP"), logintest.Secret)), login.Failed)
		if why := w.Events[0].Fields["FailReason"]; why != "device no longer stands in for a factor" {
			w.Fatal(why)
		}
		// The recovery of the password.
		w.twoRounds(anna)
		w.asks(anna.Name, "UP")
		p := w.start(anna.Name)
		got := w.expect(w.do(p.Session, login.Action{Do: login.DoForgot}), login.NewPackage).Package
		w.Now = w.Now.Add(time.Minute)
		w.expect(w.do(p.Session, answer(w.pick(got, 0, "OATH"), w.Code())), login.NextDone)
		w.expect(w.do(p.Session, answer(w.pick(got, 1, "RESET"), "Another-Crane-78")), login.Noncommittal)
		w.asks(anna.Name, "UP;OATH")
	})
}

func TestRecoveryProfile(t *testing.T) {
	each(t, func(w talk) {
		save := func(name string, rounds ...string) {
			parsed, err := profile.Parse(rounds)
			if err != nil {
				w.Fatal(err)
			}
			w.Write(func(ctx context.Context, c *call.Call) error {
				made, err := w.Profiles.Save(ctx, c, profile.Profile{Name: name, Challenges: parsed, Questions: 1})
				if err == nil {
					name = made.ID
				}
				return err
			})
			w.Set("Authentication.RecoveryProfile", name)
		}
		forgot := func(u user.User) login.Result {
			p := w.start(u.Name)
			if !p.AllowForgot {
				w.Fatal("nobody may forget")
			}
			return w.do(p.Session, login.Action{Do: login.DoForgot})
		}
		anna, bob := w.Add("anna"), w.Add("bob")
		w.Enroll(anna.ID)
		if got := w.expect(forgot(anna), login.NewPackage); names(*got.Package) != "EMAIL,OATH;RESET" {
			w.Fatal(names(*got.Package))
		}
		save("Default Password Reset Profile", "OTP,SMS,EMAIL,OATH")
		if got := w.expect(forgot(anna), login.NewPackage); names(*got.Package) != "EMAIL,OATH;RESET" {
			w.Fatal(names(*got.Package))
		}
		save("Strict", "UP,EMAIL", "OATH,EMAIL")
		got := w.expect(forgot(anna), login.NewPackage).Package
		if names(*got) != "EMAIL;OATH;RESET" {
			w.Fatal(names(*got))
		}
		w.expect(forgot(bob), login.Noncommittal) // has the address alone, which is less than is asked for
		w.expect(w.do(got.Session, start(w.pick(got, 0, "EMAIL"))), login.Pending)
		w.expect(w.do(got.Session, answer(w.pick(got, 0, "EMAIL"), w.Sent[len(w.Sent)-1].Code)), login.NextDone)
		w.expect(w.do(got.Session, answer(w.pick(got, 1, "OATH"), w.Code())), login.NextDone)
		w.expect(w.do(got.Session, answer(w.pick(got, 2, "RESET"), "Another-Crane-78")), login.Noncommittal)
		w.Now = w.Now.Add(time.Minute)
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
	})
}

// Names that do not exist are asked what people are, whatever profile is in force.
func TestProfilesTellNothing(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		w.Answer(anna.ID, "Pet?", "Rex the dog")
		w.Answer(anna.ID, "Town?", "Somewhere")
		for i, rounds := range [][]string{{"UP", "OATH,EMAIL"}, {"U2F"}, {"UP,EMAIL", "EMAIL"}, {"UP", "SQ"}, {"UP", "PASSKEY"}} {
			if i == 4 {
				w.Register(anna.ID, passkey.Passkey)
			}
			w.Use(profile.Profile{Name: string(rune('a' + i)), Questions: 2, Single: []string{"PASSKEY"}}, rounds...)
			known, unknown := w.start(anna.Name), w.start(w.Name("nobody"))
			if names(known) != names(unknown) || known.AllowForgot != unknown.AllowForgot {
				w.Fatal(names(known), names(unknown))
			}
			w.expect(w.do(unknown.Session, answer(unknown.Challenges[0][0], logintest.Secret)), login.Failed)
		}
	})
}

func TestWith(t *testing.T) {
	a := profile.Profile{ID: "x", Challenges: [][]string{{"SMS", "UP"}, {"SMS"}}, Single: []string{"PASSKEY"}, Minutes: 5, Questions: 2, Revision: 3}
	got := login.Profile{RememberFor: time.Hour, Challenges: [][]string{{"UP"}}}.With(a)
	if got.ID != "x" || got.Revision != 3 || got.PassFor != 5*time.Minute || got.RememberFor != 0 || got.Questions != 2 ||
		!slices.Equal(got.Single, a.Single) || !slices.Equal(got.Challenges[0], []string{"UP", "SMS"}) || a.Challenges[0][0] != "SMS" {
		t.Fatalf("%+v %+v", got, a)
	}
	if got := (login.Profile{}).Recover(profile.Profile{Challenges: [][]string{{"UP"}}}); len(got.Recovery) != 0 {
		t.Fatal(got)
	}
}
