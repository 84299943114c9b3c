package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/core/oauth"
	wire "limen/internal/wire/oauth"
)

// signer is a client's key.
type signer struct {
	private *ecdsa.PrivateKey
	set     json.RawMessage
}

func newSigner(t *testing.T) signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: private.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return signer{private, set}
}

func sign(t *testing.T, alg jose.SignatureAlgorithm, key any, typ string, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(body)
	if err != nil {
		t.Fatal(err)
	}
	out, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s signer) object(t *testing.T, claims map[string]any) string {
	t.Helper()
	return sign(t, jose.ES256, s.private, wire.ObjectType, claims)
}

// asked are the claims of a request object as good as they come.
func (w *world) asked(change map[string]any) map[string]any {
	c, _ := url.ParseQuery(challenge()[1:])
	out := map[string]any{
		"iss": "client-1", "aud": "https://id.acme.test/web/", "exp": w.c.Now.Add(5 * time.Minute).Unix(), "nbf": w.c.Now.Unix(), "client_id": "client-1",
		"response_type": "code", "redirect_uri": answer, "scope": "openid email", "state": "in", "nonce": "n1", "max_age": 300,
		"code_challenge": c.Get("code_challenge"), "code_challenge_method": "S256", "claims": map[string]any{"userinfo": map[string]any{"name": nil}},
	}
	for name, v := range change {
		if out[name] = v; v == nil {
			delete(out, name)
		}
	}
	return out
}

func (w *world) change(f func(a *oauth.App)) {
	a := w.apps["web"]
	f(&a)
	w.apps["web"] = a
}

// present reads a request as the authorization endpoint does.
func (w *world) present(query string) (oauth.Request, error) {
	p, err := w.s.Present(w.t.Context(), w.c, "web", params(query))
	if err != nil {
		return oauth.Request{}, err
	}
	var r oauth.Request
	err = w.in(func(ctx context.Context) (err error) { r, err = w.s.Request(ctx, w.c, "web", p); return err })
	return r, err
}

func TestRequestObject(t *testing.T) {
	each(t, func(w *world) {
		key := newSigner(w.t)
		w.change(func(a *oauth.App) { a.Profile.Client.Keys = key.set })
		outside := "client_id=client-1&response_type=code&scope=openid&state=out&redirect_uri=" + answer + "&request="
		r, err := w.present(outside + key.object(w.t, w.asked(nil)))
		if err != nil || r.Ask.State != "in" || r.Ask.Scope.String() != "openid email" || r.Ask.MaxAge != 5*time.Minute || r.Ask.Claims == nil || r.Presented.Signed != "ES256" {
			w.t.Fatalf("%+v %v", r.Ask, err)
		}
		for name, object := range map[string]string{
			"expired":              key.object(w.t, w.asked(map[string]any{"exp": w.c.Now.Add(-2 * time.Minute).Unix()})),
			"not yet":              key.object(w.t, w.asked(map[string]any{"nbf": w.c.Now.Add(5 * time.Minute).Unix()})),
			"for another server":   key.object(w.t, w.asked(map[string]any{"aud": "https://other.example.com/"})),
			"of another client":    key.object(w.t, w.asked(map[string]any{"client_id": "client-2", "iss": nil})),
			"of another issuer":    key.object(w.t, w.asked(map[string]any{"iss": "client-2"})),
			"nobody's":             key.object(w.t, w.asked(map[string]any{"client_id": nil, "iss": nil})),
			"with another within":  key.object(w.t, w.asked(map[string]any{"request": "x"})),
			"with an address":      key.object(w.t, w.asked(map[string]any{"request_uri": "https://x"})),
			"of another key":       newSigner(w.t).object(w.t, w.asked(nil)),
			"a client's assertion": key.object(w.t, w.asked(map[string]any{"sub": "client-1"})),
			"of another typ":       sign(w.t, jose.ES256, key.private, "dpop+jwt", w.asked(nil)),
			"encrypted":            "a.b.c.d.e",
			"no token":             "x",
		} {
			r, err := w.present(outside + object)
			var untrusted *oauth.UntrustedError
			if code(err) != "oauth.invalid_request_object" || errors.As(err, &untrusted) || r.Redirect != answer {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		var untrusted *oauth.UntrustedError
		if _, err := w.present("client_id=client-1&redirect_uri=https://evil.example.com&request=x"); !errors.As(err, &untrusted) {
			w.t.Error("told to nobody known:", err)
		}
		if _, err := w.present(outside + key.object(w.t, w.asked(nil)) + "&request_uri=https://x"); code(err) != "oauth.invalid_request" {
			w.t.Error(err)
		}
	})
}

// TestRequestObjectAlgNone is the attack of RFC 8725 section 2.1 and 3.1: a token without a signature, or one whose HMAC is made with the
// public key.
func TestRequestObjectAlgNone(t *testing.T) {
	each(t, func(w *world) {
		key := newSigner(w.t)
		w.change(func(a *oauth.App) { a.Profile.Client.Keys, a.Profile.Client.RequestAlg = key.set, "none" })
		enc := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
		body, err := json.Marshal(w.asked(nil))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, alg := range []string{"none", "None", "NONE", "nOnE", ""} {
			object := enc(`{"alg":"`+alg+`"}`) + "." + enc(string(body)) + "."
			if _, err := w.present("client_id=client-1&redirect_uri=" + answer + "&request=" + object); code(err) != "oauth.invalid_request_object" {
				w.t.Errorf("alg %q: %v", alg, err)
			}
		}
		w.change(func(a *oauth.App) { a.Profile.Client.RequestAlg = "" })
		object := sign(w.t, jose.HS256, []byte(key.set), wire.ObjectType, w.asked(nil))
		if _, err := w.present("client_id=client-1&redirect_uri=" + answer + "&request=" + object); code(err) != "oauth.invalid_request_object" {
			w.t.Error("HMAC with the public key:", err)
		}
		w.change(func(a *oauth.App) { a.Profile.Client.RequestAlg = "PS256" })
		if _, err := w.present("client_id=client-1&redirect_uri=" + answer + "&request=" + key.object(w.t, w.asked(nil))); code(err) != "oauth.invalid_request_object" {
			w.t.Error("another algorithm than the registered one:", err)
		}
	})
}

// TestRequestParameterSmuggling: of what stands beside a request object nothing counts (RFC 9101 section 6.3).
func TestRequestParameterSmuggling(t *testing.T) {
	each(t, func(w *world) {
		key := newSigner(w.t)
		w.change(func(a *oauth.App) {
			a.Profile.Client.Keys, a.Profile.Redirects = key.set, wire.Redirects{answer, "https://app.example.com/other"}
		})
		object := key.object(w.t, w.asked(map[string]any{"nonce": nil, "code_challenge": nil, "code_challenge_method": nil, "state": nil}))
		r, err := w.present("client_id=client-1&scope=openid+profile&nonce=smuggled&state=smuggled&response_mode=fragment&prompt=none&redirect_uri=https://app.example.com/other" +
			challenge() + "&request=" + object)
		if err == nil { // a public client without the challenge that stood outside
			w.t.Error("the challenge beside the object was taken")
		}
		if r.Ask.Nonce != "" || r.Ask.State != "" || r.Ask.Scope.String() != "openid email" || r.Redirect != answer || r.Ask.Prompt.None || r.Ask.Mode != wire.Query {
			w.t.Errorf("smuggled: %+v %s", r.Ask, r.Redirect)
		}
		if _, err := wire.Read(url.Values{"redirect_uri": {answer, "https://evil.example.com"}}); err == nil {
			w.t.Error("a parameter that comes twice is taken")
		}
	})
}

// TestRequestURI: addresses that the client has not registered are never asked.
func TestRequestURI(t *testing.T) {
	each(t, func(w *world) {
		key := newSigner(w.t)
		object, asked := key.object(w.t, w.asked(nil)), ""
		w.s.Fetch = func(_ context.Context, uri string) ([]byte, error) {
			asked = uri
			return []byte(object + "\n"), nil
		}
		w.change(func(a *oauth.App) {
			a.Profile.Client.Keys, a.Profile.Client.RequestURIs = key.set, []string{"https://app.example.com/r.jwt#v1"}
		})
		r, err := w.present("client_id=client-1&request_uri=" + url.QueryEscape("https://app.example.com/r.jwt#v1"))
		if err != nil || asked != "https://app.example.com/r.jwt" || r.Ask.State != "in" {
			w.t.Errorf("%q %+v %v", asked, r.Ask, err)
		}
		asked = ""
		for _, uri := range []string{"https://app.example.com/r.jwt", "https://evil.example.com/", "http://169.254.169.254/latest", "urn:ietf:params:oauth:request_uri:made-up"} {
			if _, err := w.present("client_id=client-1&redirect_uri=" + answer + "&request_uri=" + url.QueryEscape(uri)); code(err) != "oauth.invalid_request_uri" || asked != "" {
				w.t.Errorf("%s: asked %q, %v", uri, asked, err)
			}
		}
	})
}

// push pushes a request.
func (w *world) push(header, query, key string) (string, error) {
	in, err := w.s.PreparePush(w.t.Context(), w.c, "web", header, params(query), key)
	if err != nil {
		return "", err
	}
	var uri string
	err = w.in(func(ctx context.Context) (err error) { uri, err = w.s.Push(ctx, w.c, in); return err })
	return uri, err
}

// take takes a presented request up to its answer, as somebody who is signed in.
func (w *world) take(p oauth.Presented, handle string) (oauth.Reply, error) {
	var out oauth.Reply
	err := w.in(func(ctx context.Context) error {
		wait := oauth.Waiting{Presented: p}
		if handle != "" {
			var err error
			if wait, err = w.s.Resume(ctx, w.c, handle); err != nil {
				return err
			}
		}
		r, err := w.s.Request(ctx, w.c, "web", wait.Presented)
		if err != nil {
			return err
		}
		if err := w.s.Done(ctx, w.c, wait); err != nil {
			return err
		}
		out, err = w.s.Reply(ctx, w.c, r, oauth.SignedIn{Person: w.people[anna], Session: "s1", Proved: w.c.Now})
		return err
	})
	return out, err
}

func TestPushed(t *testing.T) {
	each(t, func(w *world) {
		w.change(func(a *oauth.App) { a.Profile.Pushed = true })
		if _, err := w.present(ask + challenge()); code(err) != "oauth.invalid_request" {
			w.t.Error("a request that was not pushed:", err)
		}
		uri, err := w.push("", ask+challenge()+"&state=pushed&client_secret=s3cret", strings.Repeat("k", 43))
		if err != nil || !strings.HasPrefix(uri, wire.PushedPrefix) {
			w.t.Fatal(uri, err)
		}
		at := "client_id=client-1&state=smuggled&request_uri=" + url.QueryEscape(uri)
		r, err := w.present(at)
		if err != nil || r.Ask.State != "pushed" || r.Presented.Params.Get("client_secret") != "" || r.Ask.DPoPKey == "" {
			w.t.Fatalf("%+v %v", r.Presented, err)
		}
		// While somebody signs in, the page may be loaded again, and the request waits longer than it may be taken up.
		var handle string
		if err := w.in(func(ctx context.Context) (err error) { handle, err = w.s.Wait(ctx, w.c, r); return err }); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.present(at); err != nil {
			w.t.Error("loaded again while signing in:", err)
		}
		w.c.Now = w.c.Now.Add(2 * time.Minute)
		if _, err := w.take(oauth.Presented{}, handle); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.take(r.Presented, ""); code(err) != "oauth.invalid_request_uri" {
			w.t.Error("answered twice:", err)
		}
	})
}

func TestPushedOnce(t *testing.T) {
	each(t, func(w *world) {
		uri, err := w.push(basic("client-1", "s3cret"), ask+challenge(), "")
		if err != nil {
			w.t.Fatal(err)
		}
		at := "client_id=client-1&redirect_uri=" + answer + "&request_uri=" + url.QueryEscape(uri)
		r, err := w.present(at)
		if err != nil {
			w.t.Fatal(err)
		}
		other := maps.Clone(w.apps)
		a := w.apps["web"]
		a.Profile.ClientID, a.Profile.Clients = "", oauth.AnyClient
		w.apps["web"] = a
		if _, err := w.present(strings.Replace(at, "client-1", "client-2", 1)); code(err) != "oauth.invalid_request_uri" {
			w.t.Error("another client took it up:", err)
		}
		w.apps = other
		if _, err := w.take(r.Presented, ""); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.present(at); code(err) != "oauth.invalid_request_uri" {
			w.t.Error("taken up again after its answer:", err)
		}
		if uri, err = w.push(basic("client-1", "s3cret"), ask+challenge(), ""); err != nil {
			w.t.Fatal(err)
		}
		w.c.Now = w.c.Now.Add(oauth.PushLife)
		if _, err := w.present("client_id=client-1&request_uri=" + url.QueryEscape(uri)); code(err) != "oauth.invalid_request_uri" {
			w.t.Error("expired:", err)
		}
	})
}

func TestPushRefused(t *testing.T) {
	each(t, func(w *world) {
		key := newSigner(w.t)
		w.change(func(a *oauth.App) { a.Profile.Public, a.Profile.Client.Keys = false, key.set })
		for name, x := range map[string]struct{ header, query, key, want string }{
			"no proof":           {"", ask, "", "oauth.invalid_client"},
			"a wrong one":        {basic("client-1", "wrong"), ask, "", "oauth.invalid_client"},
			"another client":     {basic("client-1", "s3cret"), strings.Replace(ask, "client-1", "client-2", 1), "", "oauth.invalid_request"},
			"another's redirect": {basic("client-1", "s3cret"), strings.Replace(ask, answer, "https://evil.example.com", 1), "", "oauth.invalid_request"},
			"an address":         {basic("client-1", "s3cret"), ask + "&request_uri=" + wire.PushedPrefix + "x", "", "oauth.invalid_request"},
			"another key":        {basic("client-1", "s3cret"), ask + "&dpop_jkt=" + strings.Repeat("x", 43), strings.Repeat("y", 43), "oauth.invalid_dpop_proof"},
			"an unsigned object": {basic("client-1", "s3cret"), "client_id=client-1&request=x", "", "oauth.invalid_request_object"},
			"an unknown scope":   {basic("client-1", "s3cret"), ask + "+more", "", "oauth.invalid_scope"},
		} {
			query := strings.Replace(x.query, "&nonce=n1+more", "+more", 1)
			if _, err := w.push(x.header, query, x.key); code(err) != x.want {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		uri, err := w.push(basic("client-1", "s3cret"), "client_id=client-1&state=out&request="+key.object(w.t, w.asked(nil)), "")
		if err != nil {
			w.t.Fatal(err)
		}
		if r, err := w.present("client_id=client-1&request_uri=" + url.QueryEscape(uri)); err != nil || r.Ask.State != "in" || r.Presented.Signed != "ES256" {
			w.t.Errorf("%+v %v", r.Presented, err)
		}
	})
}

func TestFAPI(t *testing.T) {
	each(t, func(w *world) {
		key := newSigner(w.t)
		w.change(func(a *oauth.App) { a.Profile.FAPI, a.Profile.Client.Keys = oauth.Security, key.set })
		if _, err := w.present(ask + challenge()); code(err) != "oauth.invalid_request" {
			w.t.Error("not pushed:", err)
		}
		for name, x := range map[string]struct{ query, want string }{
			"no challenge":      {ask, "oauth.invalid_request"},
			"a hybrid answer":   {strings.Replace(ask, "response_type=code", "response_type=code+id_token", 1) + challenge(), "oauth.unsupported_response_type"},
			"no redirect":       {strings.Replace(ask, "&redirect_uri="+answer, "", 1) + challenge(), "oauth.invalid_request"},
			"all that it wants": {ask + challenge(), ""},
		} {
			r := oauth.Presented{Params: params(x.query), Pushed: "x"}
			err := w.in(func(ctx context.Context) error { _, err := w.s.Request(ctx, w.c, "web", r); return err })
			if code(err) != x.want {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		w.change(func(a *oauth.App) { a.Profile.FAPI = oauth.MessageSigning })
		for name, x := range map[string]struct {
			p    oauth.Presented
			want string
		}{
			"not signed":        {oauth.Presented{Params: params(ask + challenge() + "&response_mode=jwt"), Pushed: "x"}, "oauth.invalid_request"},
			"a plain answer":    {oauth.Presented{Params: params(ask + challenge()), Pushed: "x", Signed: "ES256"}, "oauth.invalid_request"},
			"all that it wants": {oauth.Presented{Params: params(ask + challenge() + "&response_mode=jwt"), Pushed: "x", Signed: "ES256"}, ""},
		} {
			err := w.in(func(ctx context.Context) error { _, err := w.s.Request(ctx, w.c, "web", x.p); return err })
			if code(err) != x.want {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		for _, lacks := range []string{"aud", "exp", "nbf", "iss"} {
			object := key.object(w.t, w.asked(map[string]any{lacks: nil}))
			if _, err := w.present("client_id=client-1&redirect_uri=" + answer + "&request=" + object); code(err) != "oauth.invalid_request_object" {
				w.t.Errorf("without %s: %v", lacks, err)
			}
		}
	})
}

func TestSignedAnswer(t *testing.T) {
	each(t, func(w *world) {
		r, err := w.present(ask + challenge())
		if err != nil {
			w.t.Fatal(err)
		}
		token, err := w.s.SignAnswer(w.t.Context(), w.c, r, []wire.Pair{{Name: "code", Value: "abc"}, {Name: "state", Value: ""}, {Name: "error", Value: "x"}})
		if err != nil {
			w.t.Fatal(err)
		}
		got := claims(w.t, token)
		if got["iss"] != "https://id.acme.test/web/" || got["aud"] != "client-1" || got["code"] != "abc" || got["error"] != "x" || got["state"] != nil ||
			got["exp"] != float64(w.c.Now.Add(10*time.Minute).Unix()) {
			w.t.Errorf("%v", got)
		}
		if _, err := w.look(token); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("an answer passes for an access token:", err)
		}
		set, err := w.s.Signers.Public(w.t.Context(), w.c.Tenant.ID, "ES256")
		if err != nil {
			w.t.Fatal(err)
		}
		parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
		if err != nil {
			w.t.Fatal(err)
		}
		if _, err := parsed.Verify(set); err != nil {
			w.t.Error(err)
		}
	})
}

// Clients that keep FAPI 2.0 keep their refresh token, too (Security Profile section 5.3.2.1); what others have used once is used up.
func TestFAPIRefresh(t *testing.T) {
	each(t, func(w *world) {
		key := elliptical(w.t, "k1")
		first := w.tokens()
		refresh := func(token string) (oauth.Granted, error) {
			proof := "client_assertion_type=" + wire.Assertion + "&client_assertion=" + key.sign(w.t, w.asserts(nil), nil)
			return w.token("web", "", "grant_type=refresh_token&refresh_token="+token+"&"+proof, "a-key")
		}
		w.own(wire.Metadata{AuthMethod: wire.PrivateKeyJWT, Keys: jwks(w.t, key)})
		second, err := refresh(first.Refresh)
		if err != nil || second.Refresh == "" {
			w.t.Fatalf("%+v %v", second, err)
		}
		w.change(func(a *oauth.App) { a.Profile.FAPI = oauth.Security })
		for range 2 {
			if got, err := refresh(second.Refresh); err != nil || got.Access == "" || got.Refresh != "" {
				w.t.Fatalf("%+v %v", got, err)
			}
		}
		if _, err := refresh(first.Refresh); code(err) != oauth.ErrGrant.Code {
			w.t.Error("one that was used up before:", err)
		}
	})
}
