package login_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/session"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// shape is what a package shows, without the ids that are drawn anew.
func shape(p login.Package) string {
	for i := range p.Challenges {
		for j := range p.Challenges[i] {
			p.Challenges[i][j].ID = ""
		}
	}
	out, _ := json.Marshal([]any{p.Challenges, p.AllowForgot, p.AllowPersist, p.Wait})
	return string(out)
}

func TestNamesCannotBeProbed(t *testing.T) {
	each(t, func(w talk) {
		for _, local := range []string{"anna", "mike", "zoe"} {
			u := w.Add(local, func(n *user.New) { n.Mobile = "+1206555019" + fmt.Sprint(len(local)) })
			switch local {
			case "mike":
				w.Enroll(u.ID)
			case "zoe":
				w.Register(u.ID, passkey.Passkey)
				w.Register(u.ID, passkey.SecurityKey)
			}
		}
		real := 0
		for i := range 12 {
			name := w.Name(fmt.Sprintf("nobody%d", i))
			p := w.start(name)
			if a, b := shape(p), shape(w.start(strings.ToUpper(name))); a != b {
				w.Fatalf("another package at the next try:\n%s\n%s", a, b)
			}
			if len(p.Challenges) != 2 || p.Challenges[0][0].Name != "UP" {
				w.Fatal("not the shape of a person's", shape(p))
			}
			for _, ch := range p.Challenges[1] {
				if ch.Prompt.Digits == "0194" || ch.Prompt.Digits == "0193" { // drawn by chance once in some hundred runs
					real++
				}
			}
			if real > 1 {
				w.Fatal("real people's numbers")
			}
			sent := len(w.Sent)
			w.expect(w.do(p.Session, answer(p.Challenges[0][0], logintest.Secret)), login.Failed)
			if e := w.Events[0]; e.Type != audit.LoginFail || e.User != "" || e.Login != name || e.Fields["FailReason"] != "unknown user" {
				w.Fatalf("%+v", e)
			}
			if len(w.Sent) != sent {
				w.Fatal("sent to nobody")
			}
		}
		// People who may not sign in are shown the same as before.
		anna := w.Get(w.Add("barred", func(n *user.New) { n.Mobile = "+12065550100" }).ID)
		before := shape(w.start(anna.Name))
		w.Write(func(ctx context.Context, c *call.Call) error {
			return w.People.SetState(ctx, c, anna.ID, user.State{Disabled: true})
		})
		if after := shape(w.start(anna.Name)); after != before {
			w.Fatalf("%s\n%s", before, after)
		}
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		if e := w.Events[0]; e.Fields["FailReason"] != "account may not sign in" {
			w.Fatalf("%+v", e)
		}
	})
}

// A person who is barred between the answers is not let in.
func TestBarredMeanwhile(t *testing.T) {
	each(t, func(w talk) {
		anna := w.Add("anna")
		p := w.start(anna.Name)
		w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NextDone)
		w.expect(w.do(p.Session, start(w.pick(&p, 1, "EMAIL"))), login.Pending)
		w.Write(func(ctx context.Context, c *call.Call) error {
			return w.People.SetState(ctx, c, anna.ID, user.State{Locked: true})
		})
		w.expect(w.do(p.Session, answer(w.pick(&p, 1, "EMAIL"), w.Sent[0].Code)), login.Failed)
	})
}

func TestThrottled(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		for _, name := range []string{anna.Name, w.Name("nobody")} { // names that do not exist are throttled alike
			for range 4 {
				w.expect(w.signIn(name, "wrong"), login.Failed)
			}
			p := w.start(name)
			if p.Wait != 1 {
				w.Fatal(name, "waits", p.Wait)
			}
			w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Failed)
		}
		w.Now = w.Now.Add(time.Second)
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		for range 10 {
			w.expect(w.signIn(anna.Name, "wrong"), login.Failed)
			w.Now = w.Now.Add(31 * time.Second)
		}
		if p := w.start(anna.Name); p.Wait < 25*60 {
			w.Fatal("not locked:", p.Wait)
		}
		if !slices.Contains(w.Told, logintest.Notice{User: anna.ID, What: login.Locked}) {
			w.Fatal("the owner is not told", w.Told)
		}
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
	})
}

// The person goes on signing in on their own device while strangers lock the account from elsewhere.
func TestKnownDevice(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna := w.Add("anna")
		home := w.Client
		got := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success
		if got.Device == "" {
			w.Fatal("no device cookie")
		}
		home.Device = got.Device
		for range 12 {
			w.expect(w.signIn(anna.Name, "wrong"), login.Failed)
			w.Now = w.Now.Add(31 * time.Second)
		}
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		w.Client = home
		if again := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success; again.Device != home.Device {
			w.Fatal("the device is given another cookie")
		}
		if len(w.Told) != 1 || w.Told[0].What != login.Locked {
			w.Fatal(w.Told)
		}
		w.Client.Device = strings.Repeat("d", 43)
		w.Now = w.Now.Add(time.Hour)
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		if w.Told[len(w.Told)-1].What != login.NewDevice {
			w.Fatal("nobody is told of a new device", w.Told)
		}
	})
}

// Whoever plants a device cookie in somebody's browser, and so knows it, owns no device that the person is known by.
func TestPlantedDevice(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP")
		anna, bob := w.Add("anna"), w.Add("bob")
		bobs := w.expect(w.signIn(bob.Name, logintest.Secret), login.Succeeded).Success.Device
		for what, planted := range map[string]string{"made up": strings.Repeat("d", 43), "known, but somebody else's": bobs} {
			w.Client.Device = planted
			got := w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded).Success
			if len(got.Device) < 20 || got.Device == planted {
				w.Errorf("%s: the device is given the cookie %q", what, got.Device)
			}
			err := w.DB.Read(w.Context(), func(tx *dbx.Tx) error {
				c := &call.Call{Tenant: w.Tenant, Tx: tx}
				if known, err := w.Throttle.Known(w.Context(), c, anna.ID, throttle.DeviceHash(planted)); known != nil || err != nil {
					w.Errorf("%s: the device is known by what somebody else chose, %v", what, err)
				}
				if known, err := w.Throttle.Known(w.Context(), c, anna.ID, throttle.DeviceHash(got.Device)); known == nil || err != nil {
					w.Errorf("%s: the device is not known by what it was given, %v", what, err)
				}
				return nil
			})
			if err != nil {
				w.Fatal(err)
			}
		}
	})
}

func TestRememberedDevice(t *testing.T) {
	each(t, func(w talk) {
		w.Set("Authentication.RememberDevice", "true")
		anna := w.Add("anna")
		w.Enroll(anna.ID)
		p := w.start(anna.Name)
		w.Client.Device = w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret), answer(w.pick(&p, 1, "OATH"), w.Code())), login.Succeeded).Success.Device
		for range 3 {
			w.Now = w.Now.Add(10*24*time.Hour - time.Minute)
			p = w.start(anna.Name)
			if len(p.Challenges) != 1 {
				w.Fatal("asked again", w.Now)
			}
			if got := w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.Succeeded); got.Success.Session.Level != session.Normal {
				w.Fatal("one factor is not two")
			}
		}
		w.Now = w.Now.Add(time.Hour)
		if p = w.start(anna.Name); len(p.Challenges) != 2 {
			w.Fatal("remembered for longer than set: each sign-in must not prolong it")
		}
		w.Now = w.Now.Add(-24 * time.Hour)
		bob := w.Add("bob")
		if p = w.start(bob.Name); len(p.Challenges) != 2 {
			w.Fatal("somebody else's device")
		}
	})
}

func TestSecondFactorRequired(t *testing.T) {
	each(t, func(w talk) {
		w.only("UP;OATH")
		anna, robot := w.Add("anna"), w.Add("robot", func(n *user.New) { n.Service = true })
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		w.Set("Authentication.RequireSecondFactor", "true")
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		if e := w.Events[0]; e.Fields["FailReason"] != "no second factor is enrolled" {
			w.Fatalf("%+v", e)
		}
		got := w.signIn(robot.Name, logintest.Secret)
		w.expect(got, login.Succeeded)
		if w.Events[0].Type != audit.ServiceLogin {
			w.Fatal(w.Events[0].Type)
		}
	})
}
