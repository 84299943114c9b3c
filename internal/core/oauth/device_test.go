package oauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/oauth"
)

// allow lets the application web use a flow.
func (w *world) allow(app string, flows ...oauth.Flow) {
	a := w.apps[app]
	a.Profile.Flows = append(a.Profile.Flows, flows...)
	w.apps[app] = a
}

func (w *world) device(query string) (oauth.Device, error) {
	w.t.Helper()
	ask, err := w.s.PrepareDevice(w.t.Context(), w.c, "web", "", params("client_id=client-1&"+query))
	if err != nil {
		return oauth.Device{}, err
	}
	var d oauth.Device
	err = w.in(func(ctx context.Context) (err error) { d, err = w.s.Device(ctx, w.c, ask); return err })
	return d, err
}

func (w *world) poll(code string) (oauth.Granted, error) {
	return w.token("web", "", "client_id=client-1&grant_type="+oauth.DeviceGrant+"&device_code="+code, "")
}

// as has somebody be signed in.
func (w *world) as(user string) {
	w.c.Caller = nil
	if user != "" {
		w.c.Caller = &call.Caller{User: user, Name: w.people[user].Name, Means: call.BySession, Level: "Normal", Proved: w.c.Now}
	}
}

func (w *world) decideDevice(code string, yes bool) (next oauth.Next, err error) {
	err = w.in(func(ctx context.Context) (err error) {
		_, next, err = w.s.DecideDevice(ctx, w.c, code, yes)
		return err
	})
	return next, err
}

func TestDevice(t *testing.T) {
	each(t, func(w *world) {
		if _, err := w.device("scope=openid"); !errors.Is(err, oauth.ErrFlow) {
			w.t.Fatal("the application does not allow it:", err)
		}
		w.allow("web", oauth.DeviceFlow)
		if _, err := w.device("scope=admin"); !errors.Is(err, oauth.ErrScope) {
			w.t.Error(err)
		}
		d, err := w.device("scope=openid+email")
		if err != nil || len(d.UserCode) != 9 || d.UserCode[4] != '-' || d.URI != "https://id.acme.test/device" || d.Complete != d.URI+"?user_code="+d.UserCode || d.Life != 10*time.Minute || d.Pace != 5 {
			w.t.Fatalf("%+v %v", d, err)
		}
		if _, err := w.poll(d.Code); code(err) != oauth.ErrPending.Code {
			w.t.Error(err)
		}
		w.c.Now = w.c.Now.Add(5 * time.Second)
		if _, err := w.poll(d.Code); code(err) != oauth.ErrPending.Code {
			w.t.Error("after its wait:", err)
		}
		w.c.Now = w.c.Now.Add(2 * time.Second)
		if _, err := w.poll(d.Code); code(err) != oauth.ErrSlowDown.Code {
			w.t.Error("too soon:", err)
		}
		w.c.Now = w.c.Now.Add(6 * time.Second)
		if _, err := w.poll(d.Code); code(err) != oauth.ErrSlowDown.Code {
			w.t.Error("too soon for who was told to slow down:", err)
		}
		w.as(anna)
		if next, err := w.decideDevice(" "+strings.ToLower(strings.ReplaceAll(d.UserCode, "-", " ")), true); err != nil || next != oauth.Answer {
			w.t.Fatal(next, err)
		}
		if _, err := w.decideDevice(d.UserCode, false); code(err) != oauth.ErrDecided.Code {
			w.t.Error("decided twice:", err)
		}
		w.as("")
		g, err := w.poll(d.Code)
		if err != nil || g.Refresh == "" || g.ID == "" || g.Scope.String() != "openid email" {
			w.t.Fatalf("%+v %v", g, err)
		}
		if l, err := w.look(g.Access); err != nil || l.User != anna || l.Client != "client-1" {
			w.t.Errorf("%+v %v", l, err)
		}
		if _, err := w.poll(d.Code); code(err) != oauth.ErrGrant.Code {
			w.t.Error("fetched twice:", err)
		}
		if _, err := w.look(g.Access); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("lives on after its code was fetched twice:", err)
		}
	})
}

func TestDeviceRefused(t *testing.T) {
	each(t, func(w *world) {
		w.allow("web", oauth.DeviceFlow)
		d, err := w.device("scope=openid")
		if err != nil {
			w.t.Fatal(err)
		}
		w.as(anna)
		w.may = false
		if _, err := w.decideDevice(d.UserCode, true); !errors.Is(err, oauth.ErrDenied) {
			w.t.Error("somebody who may not use the application:", err)
		}
		w.may = true
		if _, err := w.decideDevice(d.UserCode, false); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.poll(d.Code); !errors.Is(err, oauth.ErrRefused) {
			w.t.Error(err)
		}
		late, err := w.device("scope=openid")
		if err != nil {
			w.t.Fatal(err)
		}
		w.c.Now = w.c.Now.Add(10 * time.Minute)
		if _, err := w.poll(late.Code); !errors.Is(err, oauth.ErrExpired) {
			w.t.Error(err)
		}
		if _, err := w.decideDevice(late.UserCode, true); code(err) != oauth.ErrDecided.Code {
			w.t.Error("brought too late:", err)
		}
	})
}

// Whoever sends somebody a code of theirs gets nothing by the code alone: only a person who is signed in decides, sees where it was asked for, and once.
func TestDeviceCodePhishing(t *testing.T) {
	each(t, func(w *world) {
		w.allow("web", oauth.DeviceFlow)
		d, err := w.device("scope=openid")
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.decideDevice(d.UserCode, true); !errors.Is(err, oauth.ErrNobody) {
			w.t.Error("nobody is signed in:", err)
		}
		w.as(anna)
		w.c.Caller.Means = call.ByOAuth
		if next, err := w.decideDevice(d.UserCode, true); err != nil || next != oauth.SignIn {
			w.t.Error("an access token decides:", next, err)
		}
		w.as(anna)
		var p oauth.Pending
		err = w.in(func(ctx context.Context) (err error) { p, err = w.s.LookDevice(ctx, w.c, d.UserCode); return err })
		if err != nil || p.App.ID != "app-1" || p.Client.ID != "client-1" || p.Scope.String() != "openid" || p.IP == "" || !p.Asked.Equal(w.c.Now) {
			w.t.Errorf("%+v %v", p, err)
		}
		if _, err := w.decideDevice(d.UserCode, true); err != nil {
			w.t.Fatal(err)
		}
		a := w.apps["web"] // another client of the same application
		a.Profile.ClientID = "client-2"
		w.apps["web"] = a
		if _, err := w.token("web", "", "client_id=client-2&grant_type="+oauth.DeviceGrant+"&device_code="+d.Code, ""); !errors.Is(err, oauth.ErrGrant) {
			w.t.Error("another client fetches:", err)
		}
		a.Profile.ClientID = "client-1"
		w.apps["web"] = a
		if _, err := w.poll(d.Code); err != nil {
			w.t.Error("the device's own:", err)
		}
	})
}

// Codes cannot be tried out: ten misses of an account, and no right code between them makes more.
func TestUserCodeBruteForce(t *testing.T) {
	each(t, func(w *world) {
		w.allow("web", oauth.DeviceFlow)
		d, err := w.device("scope=openid")
		if err != nil {
			w.t.Fatal(err)
		}
		w.as(anna)
		look := func(userCode string) error {
			return w.in(func(ctx context.Context) error { _, err := w.s.LookDevice(ctx, w.c, userCode); return err })
		}
		misses := 0
		for range 40 {
			if err := look(d.UserCode); err != nil && code(err) != oauth.ErrWait.Code {
				w.t.Fatal(err)
			}
			if code(look("BBBB-BBBB")) == oauth.ErrDecided.Code {
				misses++
			}
			w.c.Now = w.c.Now.Add(10 * time.Second)
		}
		if misses < 3 || misses > 10 {
			w.t.Error("misses:", misses)
		}
		if err := look(d.UserCode); code(err) != oauth.ErrWait.Code {
			w.t.Error("a right code, after too many that were none:", err)
		}
	})
}
