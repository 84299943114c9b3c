package oauth_test

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"limen/internal/wire/oauth"
)

func code(err error) oauth.Code {
	var e *oauth.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func params(t *testing.T, query string) oauth.Params {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	p, err := oauth.Read(v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParameters(t *testing.T) {
	for query, want := range map[string]oauth.Code{
		"a=1&b=2":                              "",
		"a=&a=":                                oauth.InvalidRequest,
		"state=1&state=2":                      oauth.InvalidRequest,
		"resource=https://a&resource=b":        "",
		"state=" + strings.Repeat("x", 5000):   oauth.InvalidRequest,
		"request=" + strings.Repeat("x", 5000): "",
		"state=%00":                            oauth.InvalidRequest,
		"state=%FF":                            oauth.InvalidRequest,
		"a%22b=1":                              oauth.InvalidRequest,
	} {
		v, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := oauth.Read(v); code(err) != want {
			t.Errorf("%.40s: %v, want %q", query, err, want)
		}
	}
	if p := params(t, "state=&a=1"); p["state"] != nil {
		t.Error("an empty parameter counts")
	}
}

// The example of RFC 7636 appendix B.
func TestChallenge(t *testing.T) {
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for _, method := range []string{"S256", "SHA256", "sha256"} {
		c, err := oauth.ReadChallenge(params(t, "code_challenge="+challenge+"&code_challenge_method="+method))
		if err != nil || c.Method != oauth.S256 || !c.Verify(verifier) || c.Verify(challenge) || c.Verify("") {
			t.Error(method, c, err)
		}
	}
	c, err := oauth.ReadChallenge(params(t, "code_challenge="+verifier))
	if err != nil || c.Method != oauth.Plain || !c.Verify(verifier) || c.Verify(challenge) {
		t.Error(c, err)
	}
	if (oauth.Challenge{}).Verify(verifier) {
		t.Error("a verifier fits where no challenge was sent")
	}
	for _, bad := range []string{"code_challenge_method=S256", "code_challenge=short", "code_challenge=" + verifier + "&code_challenge_method=S512", "code_challenge=" + verifier + "xx&code_challenge_method=S256"} {
		if _, err := oauth.ReadChallenge(params(t, bad)); code(err) != oauth.InvalidRequest {
			t.Error(bad, err)
		}
	}
}

func TestRedirects(t *testing.T) {
	for uri, ok := range map[string]bool{
		"https://app.example.com/cb": true, "https://app.example.com/cb?x=1": true, "http://127.0.0.1/cb": true, "http://[::1]:9/cb": true,
		"http://localhost:3000/cb": true, "com.example.app:/cb": true,
		"http://app.example.com/cb": false, "https://app.example.com/cb#x": false, "https://app.example.com/cb#": false, "/cb": false, "": false,
		"https://u:p@app.example.com/": false, "javascript:alert(1)": false, "data:text/html,x": false, "https:///cb": false, "https://a\n.example/": false,
		`https://a.example\@evil.example/`: false, "https://" + strings.Repeat("a", 3000): false, "https://ä.example/": false,
	} {
		if err := oauth.CheckRedirect(uri); (err == nil) != ok {
			t.Errorf("%.60q: %v", uri, err)
		}
	}
	known := oauth.Redirects{"https://app.example.com/cb", "http://127.0.0.1/cb?a=1", "http://[::1]:1/x", "com.example.app:/cb"}
	for uri, ok := range map[string]bool{
		"https://app.example.com/cb": true, "http://127.0.0.1:5123/cb?a=1": true, "http://[::1]/x": true, "com.example.app:/cb": true,
		"https://app.example.com/cb/": false, "https://app.example.com/cb?": false, "https://app.example.com:443/cb": false, "https://APP.example.com/cb": false,
		"https://app.example.com/cb/../x": false, "https://app.example.com.evil.example/cb": false, "https://evil.example/cb": false,
		"http://127.0.0.1:5123/cb": false, "http://127.0.0.1:5123/cb?a=1&b=2": false, "https://127.0.0.1:5123/cb?a=1": false,
		"http://127.0.0.2:5123/cb?a=1": false, "http://localhost/cb?a=1": false, "com.example.app:/cb2": false, "http://127.0.0.1@evil.example/cb?a=1": false,
	} {
		if known.Allow(uri) != ok {
			t.Errorf("%q: allowed is not %v", uri, ok)
		}
	}
}

func TestAuthorization(t *testing.T) {
	a, err := oauth.ReadAuthorization(params(t, "client_id=c&redirect_uri=https://a/cb&response_type=id_token+code&scope=openid+profile+openid&state=s&nonce=n"+
		"&prompt=login+consent&max_age=60&acr_values=high+low&resource=https://api.example&claims="+url.QueryEscape(`{"id_token":{"acr":{"essential":true,"values":["high"]},"email":null}}`)))
	if err != nil {
		t.Fatal(err)
	}
	want := oauth.Authorization{
		ClientID: "c", RedirectURI: "https://a/cb", Type: oauth.ResponseType{Code: true, IDToken: true}, Mode: oauth.Fragment, Scope: oauth.Scope{"openid", "profile"},
		State: "s", Nonce: "n", Prompt: oauth.Prompt{Login: true, Consent: true}, MaxAge: time.Minute, ACR: []string{"high", "low"}, Resource: []string{"https://api.example"},
		Claims: &oauth.Claims{IDToken: map[string]*oauth.Wanted{"acr": {Essential: true, Values: []any{"high"}}, "email": nil}}, Locales: []string{},
	}
	if d := cmp.Diff(want, a); d != "" {
		t.Error(d)
	}
	if s := a.Type.String(); s != "code id_token" {
		t.Error(s)
	}
	if w := a.Claims.IDToken["acr"]; !w.Accepts("high") || w.Accepts("low") || !a.Claims.IDToken["email"].Accepts("x") {
		t.Error("a claim's values")
	}
	const ask = "client_id=c&response_type=code&scope=openid"
	for query, want := range map[string]oauth.Code{
		ask: "", "response_type=code": oauth.InvalidRequest, "client_id=c": oauth.InvalidRequest,
		"client_id=c&response_type=code+code": oauth.UnsupportedResponseType, "client_id=c&response_type=none": oauth.UnsupportedResponseType,
		"client_id=c&response_type=id_token": oauth.InvalidScope, ask + "&prompt=none+login": oauth.InvalidRequest, ask + "&prompt=x": oauth.InvalidRequest,
		ask + "&max_age=-1": oauth.InvalidRequest, ask + "&max_age=99999999999": oauth.InvalidRequest, ask + "&claims=x": oauth.InvalidRequest, ask + "&claims={}": "",
		ask + "&resource=x": oauth.InvalidTarget, ask + "&dpop_jkt=x": oauth.InvalidRequest, ask + "&response_mode=x": oauth.InvalidRequest, ask + "&response_mode=query.jwt": "",
		"client_id=c&response_type=token&response_mode=query": oauth.InvalidRequest, "client_id=c&response_type=code&scope=%22": oauth.InvalidScope,
	} {
		if _, err := oauth.ReadAuthorization(params(t, query)); code(err) != want {
			t.Errorf("%s: %v, want %q", query, err, want)
		}
	}
	if a, err := oauth.ReadAuthorization(params(t, "client_id=c&redirect_uri=https://a&response_type=token&response_mode=query&state=s")); err == nil || a.Mode != oauth.Fragment || a.State != "s" {
		t.Errorf("what a refusal needs is not there: %+v", a)
	}
}

func TestLocation(t *testing.T) {
	fields := []oauth.Pair{{Name: "code", Value: "a b&c"}, {Name: "state", Value: ""}, {Name: "iss", Value: "https://i/"}}
	for redirect, want := range map[string]string{
		"https://a/cb":     "https://a/cb?code=a+b%26c&iss=https%3A%2F%2Fi%2F",
		"https://a/cb?":    "https://a/cb?code=a+b%26c&iss=https%3A%2F%2Fi%2F",
		"https://a/cb?x=1": "https://a/cb?x=1&code=a+b%26c&iss=https%3A%2F%2Fi%2F",
	} {
		if got := oauth.Location(redirect, oauth.Query, fields); got != want {
			t.Error(got)
		}
	}
	if got := oauth.Location("https://a/cb?x=1", oauth.Fragment, []oauth.Pair{{Name: "state", Value: "a\r\nb"}}); got != "https://a/cb?x=1#state=a%0D%0Ab" {
		t.Error(got)
	}
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func TestCredentials(t *testing.T) {
	for _, c := range []struct {
		header, query string
		want          oauth.Credentials
		code          oauth.Code
	}{
		{basic("svc@limen", "p+q"), "", oauth.Credentials{ClientID: "svc@limen", Secret: "p+q", Method: oauth.SecretBasic}, ""},
		{basic("a%3Ab", "p%20q"), "client_id=a:b", oauth.Credentials{ClientID: "a:b", Secret: "p q", Method: oauth.SecretBasic}, ""},
		{basic("a", "100%"), "", oauth.Credentials{ClientID: "a", Secret: "100%", Method: oauth.SecretBasic}, ""},
		{"", "client_id=a&client_secret=b", oauth.Credentials{ClientID: "a", Secret: "b", Method: oauth.SecretPost}, ""},
		{"Bearer x", "client_id=a", oauth.Credentials{ClientID: "a", Method: oauth.None}, ""},
		{"", "client_assertion=x.y.z&client_assertion_type=" + url.QueryEscape(oauth.Assertion), oauth.Credentials{Assertion: "x.y.z", Method: oauth.PrivateKeyJWT}, ""},
		{"", "", oauth.Credentials{}, oauth.InvalidClient},
		{basic("a", "b"), "client_id=c", oauth.Credentials{}, oauth.InvalidRequest},
		{basic("a", "b"), "client_secret=c", oauth.Credentials{}, oauth.InvalidRequest},
		{basic("a", "b"), "client_assertion=c", oauth.Credentials{}, oauth.InvalidRequest},
		{"", "client_id=a&client_secret=b&client_assertion=c", oauth.Credentials{}, oauth.InvalidRequest},
		{"", "client_assertion=c&client_assertion_type=d", oauth.Credentials{}, oauth.InvalidRequest},
		{"Basic !!!", "", oauth.Credentials{}, oauth.InvalidClient},
		{basic("", "b"), "", oauth.Credentials{}, oauth.InvalidClient},
	} {
		got, err := oauth.ReadCredentials(c.header, params(t, c.query))
		if code(err) != c.code || err == nil && got != c.want {
			t.Errorf("%s %s: %+v %v", c.header, c.query, got, err)
		}
	}
}

func FuzzAuthorization(f *testing.F) {
	f.Add("client_id=c&response_type=code+id_token&scope=openid&prompt=login&max_age=1&claims={}&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256")
	f.Add("resource=a&resource=b&redirect_uri=http://127.0.0.1:1/")
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p, err := oauth.Read(v)
		if err != nil {
			return
		}
		a, err := oauth.ReadAuthorization(p)
		if err == nil && (a.ClientID == "" || a.Type == oauth.ResponseType{} || a.Type.Front() && a.Mode == oauth.Query) {
			t.Errorf("%q: %+v", query, a)
		}
		if to := oauth.Location("https://a/cb", oauth.Query, []oauth.Pair{{Name: "state", Value: a.State}}); strings.ContainsAny(to, "\r\n# ") {
			t.Errorf("%q splits the answer: %q", query, to)
		}
	})
}

func FuzzCredentials(f *testing.F) {
	f.Add(basic("a%3Ab", "p%20q"), "client_id=a:b")
	f.Add("Basic x", "client_secret=1")
	f.Fuzz(func(t *testing.T, header, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p, err := oauth.Read(v)
		if err != nil {
			return
		}
		if c, err := oauth.ReadCredentials(header, p); err == nil && (c.ClientID == "" && c.Assertion == "" || c.Method == "") {
			t.Errorf("%q %q: %+v", header, query, c)
		}
	})
}

func FuzzRedirect(f *testing.F) {
	f.Add("https://app.example.com/cb", "https://app.example.com/cb")
	f.Add("http://127.0.0.1/cb", "http://127.0.0.1:1/cb")
	f.Fuzz(func(t *testing.T, known, uri string) {
		if oauth.CheckRedirect(known) == nil && !(oauth.Redirects{known}).Allow(known) {
			t.Errorf("%q is registered and not allowed", known)
		}
		if (oauth.Redirects{known}).Allow(uri) && known != uri {
			a, _ := url.Parse(known)
			b, err := url.Parse(uri)
			if err != nil || a.Hostname() != b.Hostname() || a.Scheme != "http" {
				t.Errorf("%q stands for %q", known, uri)
			}
		}
	})
}
