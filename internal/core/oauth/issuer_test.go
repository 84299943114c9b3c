package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"testing"

	"limen/internal/call"
	"limen/internal/core/oauth"
	wire "limen/internal/wire/oauth"
)

// both has the tenant's issuer find the application web by its client.
func both(w *world) {
	w.s.AppOfClient = func(_ context.Context, _ *call.Call, client string) (string, error) {
		return map[string]string{"client-1": "app-1"}[client], nil
	}
}

// begin has Anna answer an authorization request at the issuer of an application, or the tenant's where it is empty.
func (w *world) begin(service, query string) (oauth.Request, oauth.Reply, error) {
	var r oauth.Request
	var out oauth.Reply
	p, err := w.s.Present(w.t.Context(), w.c, service, params(query))
	if err != nil {
		return r, out, err
	}
	err = w.in(func(ctx context.Context) (err error) {
		if r, err = w.s.Request(ctx, w.c, service, p); err != nil {
			return err
		}
		by := oauth.SignedIn{Person: w.people[anna], Session: "s1", Level: "High", Proved: w.c.Now, Factors: []string{"pwd", "otp"}}
		out, err = w.s.Reply(ctx, w.c, r, by)
		return err
	})
	return r, out, err
}

const (
	ownIssuer  = "https://id.acme.test/web/"
	wideIssuer = "https://id.acme.test/"
)

// TestMixUpOfIssuers: what was given at one issuer is good for nothing at the other, and every token says where it is from (RFC 9700
// section 4.4).
func TestMixUpOfIssuers(t *testing.T) {
	each(t, func(w *world) {
		both(w)
		for begun, other := range map[string]string{"web": "", "": "web"} {
			want := map[string]string{"web": ownIssuer, "": wideIssuer}[begun]
			r, got, err := w.begin(begun, ask+challenge())
			if err != nil || r.App.Issuer(w.c.Tenant.Host) != want {
				t.Fatal(begun, r.App.Issuer(w.c.Tenant.Host), err)
			}
			exchange := "grant_type=authorization_code&client_id=client-1&redirect_uri=" + answer + "&code=" + got.Code + "&code_verifier=" + verify
			if _, err := w.token(other, basic("client-1", "s3cret"), exchange, ""); !errors.Is(err, oauth.ErrGrant) {
				t.Errorf("%q: a code was redeemed at the other issuer: %v", begun, err)
			}
			first, err := w.token(begun, basic("client-1", "s3cret"), exchange, "") // trying it elsewhere has not used it up
			if err != nil {
				t.Fatal(err)
			}
			refresh := "grant_type=refresh_token&client_id=client-1&refresh_token="
			if _, err := w.token(other, basic("client-1", "s3cret"), refresh+first.Refresh, ""); !errors.Is(err, oauth.ErrGrant) {
				t.Errorf("%q: a refresh token was taken at the other issuer: %v", begun, err)
			}
			second, err := w.token(begun, basic("client-1", "s3cret"), refresh+first.Refresh, "")
			if err != nil {
				t.Fatal(err)
			}
			for name, token := range map[string]string{"access": first.Access, "id": first.ID, "refreshed": second.Access, "refreshed id": second.ID} {
				if iss := claims(t, token)["iss"]; iss != want {
					t.Errorf("%q: %s token is from %v, want %s", begun, name, iss, want)
				}
			}
			for _, token := range []string{second.Access, second.Refresh} {
				l, err := w.look(token)
				here, there := oauth.App{ID: "app-1", Service: "web", Wide: begun == ""}, oauth.App{ID: "app-1", Service: "web", Wide: begun != ""}
				if err != nil || !l.From(here) || l.From(there) {
					t.Errorf("%q: %+v %v", begun, l, err)
				}
			}
			hintOfOther(w, begun, other, second.ID)
		}
	})
}

// hintOfOther: an ID token tells an issuer nothing that is not its own.
func hintOfOther(w *world, begun, other, id string) {
	for service, want := range map[string]error{begun: nil, other: oauth.ErrHint} {
		a, err := w.s.HintedAt(w.t.Context(), w.c, id)
		if service != "" {
			a, err = w.s.App(w.t.Context(), w.c, service)
		}
		if err == nil {
			_, err = w.s.Hinted(w.t.Context(), w.c, a, id)
		}
		if !errors.Is(err, want) {
			w.t.Errorf("the hint of %q at %q: %v, want %v", begun, service, err, want)
		}
	}
}

// TestMixUpOfRequests: a request that waits, or was pushed, goes on where it was begun.
func TestMixUpOfRequests(t *testing.T) {
	each(t, func(w *world) {
		both(w)
		for begun, other := range map[string]string{"web": "", "": "web"} {
			push, err := w.s.PreparePush(w.t.Context(), w.c, begun, basic("client-1", "s3cret"), params(ask+challenge()), "")
			if err != nil {
				t.Fatal(err)
			}
			var uri, handle string
			err = w.in(func(ctx context.Context) (err error) { uri, err = w.s.Push(ctx, w.c, push); return err })
			if err != nil {
				t.Fatal(begun, err)
			}
			at := "client_id=client-1&request_uri=" + uri
			if _, _, err := w.begin(other, at+"&redirect_uri="+answer); code(err) != code(oauth.ErrRequestURI) {
				t.Errorf("%q: a pushed request at the other issuer: %v", begun, err)
			}
			r, _, err := w.begin(begun, at)
			if err != nil {
				t.Fatal(begun, err)
			}
			err = w.in(func(ctx context.Context) (err error) { handle, err = w.s.Wait(ctx, w.c, r); return err })
			if err != nil {
				t.Fatal(err)
			}
			for service, want := range map[string]bool{begun: true, other: false} {
				err := w.in(func(ctx context.Context) error {
					waiting, err := w.s.Resume(ctx, w.c, handle)
					if err == nil {
						_, err = w.s.Request(ctx, w.c, service, waiting.Presented)
					}
					return err
				})
				if (err == nil) != want {
					t.Errorf("%q: a request that waits, at %q: %v", begun, service, err)
				}
			}
		}
	})
}

// TestMixUpOfAssertions: what a client proves itself with at one issuer proves nothing at the other.
func TestMixUpOfAssertions(t *testing.T) {
	each(t, func(w *world) {
		both(w)
		k := elliptical(t, "k1")
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, Keys: jwks(t, k)})
		const wideToken, ownToken = "https://id.acme.test/OAuth2/Token", "https://id.acme.test/OAuth2/Token/web"
		for service, want := range map[string]map[string]bool{
			"web": {ownIssuer: true, ownToken: true, wideIssuer: false, wideToken: false},
			"":    {ownIssuer: false, ownToken: false, wideIssuer: true, wideToken: true},
		} {
			w.c.Client.Path = map[string]string{"web": "/OAuth2/Token/web", "": "/OAuth2/Token"}[service]
			for aud, good := range want {
				assertion := k.sign(t, w.asserts(map[string]any{"aud": aud}), nil)
				_, err := w.token(service, "", "grant_type=refresh_token&refresh_token=x&client_assertion_type="+wire.Assertion+"&client_assertion="+assertion, "")
				if proved := errors.Is(err, oauth.ErrGrant); proved != good { // the token is none, but the client is known by then
					t.Errorf("at %q an assertion for %s: %v", service, aud, err)
				}
			}
		}
	})
}

// Only who alone has a client id is found by it.
func TestTenantIssuerFindsApplications(t *testing.T) {
	each(t, func(w *world) {
		both(w)
		for client, want := range map[string]string{"client-1": "", "client-2": oauth.ErrClient.Code, "svc@acme": oauth.ErrClient.Code, "": oauth.Prefix + string(wire.InvalidRequest)} {
			if _, err := w.s.At(w.t.Context(), w.c, "", client); code(err) != want {
				t.Errorf("%q: %v", client, err)
			}
		}
		raw, err := json.Marshal(oauth.Presented{})
		if err != nil || string(raw) != `{"params":null}` {
			t.Errorf("what versions before this one have kept reads otherwise: %s %v", raw, err)
		}
	})
}

// TestLeavingTellsTheIssuer: a client that knows both issuers is told by each, as that one, that somebody has left.
func TestLeavingTellsTheIssuer(t *testing.T) {
	each(t, func(w *world) {
		both(w)
		promised := w.hears()
		a := w.apps["web"]
		a.Profile.Client.FrontLogoutURI, a.Profile.Client.FrontLogoutSession = "https://app.example.com/front", true
		w.apps["web"] = a
		for _, begun := range []string{"web", ""} {
			if _, _, err := w.begin(begun, ask+challenge()); err != nil {
				t.Fatal(begun, err)
			}
		}
		var frames []string
		w.must(w.in(func(ctx context.Context) (err error) { frames, err = w.s.FrontLogouts(ctx, w.c, "s1"); return err }))
		w.must(w.in(func(ctx context.Context) error { return w.s.EndOfSession(ctx, w.c, "s1") }))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		var told []string
		w.s.Notify = func(_ context.Context, _ string, form url.Values) error {
			told = append(told, claims(w.t, form.Get("logout_token"))["iss"].(string))
			return nil
		}
		for _, d := range *promised {
			d.Tenant, d.Try, d.Payload = w.c.Tenant.ID, 1, mustJSON(w.t, d.Payload)
			w.must(w.s.TellClient(w.t.Context(), w.db, d))
		}
		for i, at := range frames {
			u, err := url.Parse(at)
			w.must(err)
			frames[i] = u.Query().Get("iss")
		}
		for by, got := range map[string][]string{"tokens": told, "frames": frames} {
			if slices.Sort(got); !slices.Equal(got, []string{wideIssuer, ownIssuer}) {
				t.Errorf("%s are from %v", by, got)
			}
		}
	})
}

// TestMixUpOfPolls: what a device or a client has somebody asked at one issuer is not fetched at the other, which neither uses it up nor
// makes it wait; and its tokens say where it was asked.
func TestMixUpOfPolls(t *testing.T) {
	eachAsking(t, func(w *asking) {
		w.allow("web", oauth.DeviceFlow)
		w.apps["app-1"] = w.apps["web"]
		both(w.world)
		client := basic("client-1", "s3cret")
		for begun, other := range map[string]string{"web": "", "": "web"} {
			want := map[string]string{"web": ownIssuer, "": wideIssuer}[begun]
			w.session(anna, 0)
			ask, err := w.s.PrepareDevice(t.Context(), w.c, begun, client, params("scope=openid"))
			if err != nil {
				t.Fatal(begun, err)
			}
			var d oauth.Device
			var b oauth.Begun
			p, err := w.s.PrepareBackchannel(t.Context(), w.c, begun, client, params(askAnna))
			if err != nil {
				t.Fatal(begun, err)
			}
			if err := w.in(func(ctx context.Context) (err error) {
				if d, err = w.s.Device(ctx, w.c, ask); err == nil {
					b, err = w.s.Backchannel(ctx, w.c, p)
				}
				return err
			}); err != nil {
				t.Fatal(begun, err)
			}
			polls := map[string]string{"device": "grant_type=" + oauth.DeviceGrant + "&device_code=" + d.Code, "ciba": "grant_type=" + oauth.BackchannelGrant + "&auth_req_id=" + b.Handle}
			for name, poll := range polls {
				if _, err := w.token(other, client, poll, ""); code(err) != oauth.ErrGrant.Code {
					t.Errorf("%s of %q, undecided, at the other issuer: %v", name, begun, err)
				}
				if _, err := w.token(begun, client, poll, ""); code(err) != oauth.ErrPending.Code {
					t.Errorf("%s of %q, undecided: %v", name, begun, err)
				}
			}
			if _, err := w.decideDevice(d.UserCode, true); err != nil {
				t.Fatal(begun, err)
			}
			if err := w.decide(w.list()[0].ID, true); err != nil {
				t.Fatal(begun, err)
			}
			for name, poll := range polls {
				if _, err := w.token(other, client, poll, ""); code(err) != oauth.ErrGrant.Code {
					t.Errorf("%s of %q was fetched at the other issuer: %v", name, begun, err)
				}
				g, err := w.token(begun, client, poll, "")
				if err != nil || claims(t, g.Access)["iss"] != want || claims(t, g.ID)["iss"] != want {
					t.Errorf("%s of %q: %v", name, begun, err)
				}
			}
		}
	})
}
