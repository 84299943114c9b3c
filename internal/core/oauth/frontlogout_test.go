package oauth_test

import (
	"context"
	"slices"
	"testing"
)

// Clients that listen by the browser are named once, with whom it is about where they want to know, and only to the session's own end.
func TestFrontLogouts(t *testing.T) {
	each(t, func(w *world) {
		a := w.apps["web"]
		a.Profile.Client.FrontLogoutURI = "https://app.example.com/front?x=1"
		w.apps["web"] = a
		w.given("email")
		w.given("email")
		frames := func(session string) (out []string) {
			w.t.Helper()
			w.must(w.in(func(ctx context.Context) (err error) { out, err = w.s.FrontLogouts(ctx, w.c, session); return err }))
			return out
		}
		if got := frames("s1"); !slices.Equal(got, []string{"https://app.example.com/front?x=1"}) {
			w.t.Error(got)
		}
		a.Profile.Client.FrontLogoutSession = true
		w.apps["web"] = a
		if got := frames("s1"); !slices.Equal(got, []string{"https://app.example.com/front?x=1&iss=https%3A%2F%2Fid.acme.test%2Fweb%2F&sid=s1"}) {
			w.t.Error(got)
		}
		if got := append(frames("s2"), frames("")...); len(got) != 0 {
			w.t.Error("another session has", got)
		}
	})
}
