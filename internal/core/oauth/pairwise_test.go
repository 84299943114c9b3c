package oauth_test

import (
	"context"
	"errors"
	"testing"

	"limen/internal/call"
	"limen/internal/core/oauth"
	wire "limen/internal/wire/oauth"
)

// A client that knows people by identifiers of its own is never told another one.
func TestPairwise(t *testing.T) {
	each(t, func(w *world) {
		w.change(func(a *oauth.App) { a.Profile.Client.Subjects = "pairwise" })
		g := w.tokens()
		id, access := claims(w.t, g.ID), claims(w.t, g.Access)
		sub, ok := id["sub"].(string)
		if !ok || len(sub) != 43 || access["sub"] != sub || id["unique_name"] != nil || access["unique_name"] != nil {
			w.t.Fatalf("%v %v", id, access)
		}
		if again := claims(w.t, w.tokens().ID)["sub"]; again != sub {
			w.t.Error("it changes:", again)
		}
		l, err := w.look(g.Access)
		if err != nil || l.User != anna || l.Name != "anna@acme" {
			w.t.Errorf("the server itself no longer knows who it is: %+v %v", l, err)
		}
		var info oauth.Info
		var about, name string
		if err := w.in(func(ctx context.Context) (err error) {
			if info, err = w.s.UserInfo(ctx, w.c, w.apps["web"], l); err == nil {
				about, name, err = w.s.About(ctx, w.c, w.apps["web"], l)
			}
			return err
		}); err != nil {
			w.t.Fatal(err)
		}
		if info.Claims["sub"] != sub || info.Claims["unique_name"] != nil || about != sub || name != "" {
			w.t.Error(info.Claims, about, name)
		}
		next, err := w.token("web", "", "grant_type=refresh_token&client_id=client-1&refresh_token="+g.Refresh, "")
		if err != nil || claims(w.t, next.ID)["sub"] != sub {
			w.t.Error("after a refresh it is another:", err)
		}
		if h, err := w.hinted(g.ID); err != nil || h.Person != anna {
			w.t.Error("by the session:", h, err)
		}
		w.c.Caller = &call.Caller{User: machine}
		if h, err := w.hinted(g.ID); err != nil || h.Person != anna {
			w.t.Error("somebody else is signed in:", h, err)
		}
		w.c.Caller = nil
		if _, err := w.look(g.ID); !errors.Is(err, oauth.ErrToken) {
			w.t.Error(err)
		}
	})
}

func TestSectors(t *testing.T) {
	each(t, func(w *world) {
		of := func(r oauth.Registration, person string) (sub string) {
			w.t.Helper()
			if err := w.in(func(ctx context.Context) (err error) { sub, err = w.s.Subject(ctx, w.c, r, person); return err }); err != nil {
				w.t.Fatal(err)
			}
			return sub
		}
		client := func(id, sector string, redirects ...string) oauth.Registration {
			return oauth.Registration{ID: id, Metadata: wire.Metadata{Subjects: "pairwise", SectorURI: sector, Redirects: redirects}}
		}
		one := of(client("a", "", "https://one.example/cb"), anna)
		for name, c := range map[string]struct {
			got  string
			same bool
		}{
			"the same host":            {of(client("b", "", "https://ONE.example/other", "https://one.example:8443/x"), anna), true},
			"its list is at that host": {of(client("c", "https://one.example/list", "https://two.example/cb"), anna), true},
			"another host":             {of(client("d", "", "https://two.example/cb"), anna), false},
			"another person":           {of(client("a", "", "https://one.example/cb"), machine), false},
			"no host":                  {of(client("e", ""), anna), false},
			"a client named like it":   {of(client("one.example", ""), anna), false},
			"several hosts":            {of(client("f", "", "https://one.example/cb", "https://two.example/cb"), anna), false},
		} {
			if (c.got == one) != c.same {
				w.t.Error(name)
			}
		}
		if of(oauth.Registration{ID: "a"}, anna) != anna {
			w.t.Error("a client that wants public subjects")
		}
		w.c.Tenant.ID += "x"
		if _, err := w.s.SealSecret(w.t.Context(), w.c, "a", "s"); err != nil { // tenants have their keys from the start
			w.t.Fatal(err)
		}
		if of(client("a", "", "https://one.example/cb"), anna) == one {
			w.t.Error("two tenants share identifiers")
		}
	})
	if client := (wire.Metadata{Subjects: "pairwise", Redirects: wire.Redirects{"https://one.example/", "https://two.example/"}}); client.Check() == nil {
		t.Error("several hosts and no sector")
	}
}
