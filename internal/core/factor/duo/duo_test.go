package duo_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/duo"
	"limen/internal/core/factor/duo/duotest"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/setting"
)

const back = "https://id.acme.test/login/duo"

var alice, bob = factor.Person{ID: "alice", Name: "alice@acme.test", Mail: "alice@example.com"}, factor.Person{ID: "bob", Name: "bob@acme.test"}

// world is a tenant with an application at Duo.
type world struct {
	*factortest.World
	duo.Mechanism
	srv   *duotest.Server
	setup setting.Duo
	asked []string // addresses
}

func made(t *testing.T, f *factortest.World) *world {
	w := &world{World: f, srv: duotest.New(t)}
	w.srv.Now = func() time.Time { return w.Now }
	w.setup = setting.Duo{Host: w.srv.Host, ID: duotest.ClientID, Secret: "sealed"}
	w.Mechanism = duo.Mechanism{
		Setup: func(_ context.Context, c *call.Call) (setting.Duo, error) {
			if c.Tenant.ID != w.Tenant {
				return setting.Duo{}, nil
			}
			return w.setup, nil
		},
		Open:   func(context.Context, *call.Call, setting.Duo) (string, error) { return duotest.Secret, nil },
		Return: func(*call.Call) string { return back },
		Post: func(ctx context.Context, to string, form url.Values) (int, []byte, error) {
			w.asked = append(w.asked, to)
			return w.srv.Post(ctx, to, form)
		},
	}
	return w
}

func TestSuite(t *testing.T) {
	factortest.Run(t, func(t *testing.T, f *factortest.World) factortest.Bench {
		w := made(t, f)
		return factortest.Bench{
			Mechanism: w.Mechanism, Enrolled: alice, Other: bob, Stranger: factor.Person{},
			Right: func(ch factor.Challenge) factor.Answer {
				return factor.Answer{Text: w.srv.Visit(t, ch.Away.URL).Encode()}
			},
			Wrong: factor.Answer{Text: "duo_code=abcdefghijklmnopqrst&state=abcdefghijklmnopqrstuvwxyz"}, Life: 11 * time.Minute, Once: true,
		}
	})
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) { f(t, made(t, w)) })
}

// begin leads somebody to Duo.
func (w *world) begin(p factor.Person) factor.Challenge {
	w.T.Helper()
	ch := factor.Challenge{ID: w.Call().NewID(), Name: factor.Duo}
	var err error
	if ch.Away, err = w.Lead(w.T.Context(), w.Call(), p, ch); err != nil {
		w.T.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) error { return w.Start(ctx, c, p, &ch, "") })
	return ch
}

// answers says whether an answer passes a challenge.
func (w *world) answers(p factor.Person, ch *factor.Challenge, text string) (ok bool) {
	w.T.Helper()
	v, err := w.Check(w.T.Context(), w.Call(), p, *ch, factor.Answer{Text: text})
	if err != nil {
		w.T.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		ok, err = w.Commit(ctx, c, p, ch, v)
		return err
	})
	return ok
}

// An ID token that is anything else than Duo's, for this application, person and sign-in, and good now, lets nobody in.
func TestIDTokens(t *testing.T) {
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&rs.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hs := func(key []byte) func(string) []byte {
		return func(in string) []byte {
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(in))
			return mac.Sum(nil)
		}
	}
	claim := func(name string, value any) func(_, claims map[string]any) {
		return func(_, claims map[string]any) {
			if value == nil {
				delete(claims, name)
			} else {
				claims[name] = value
			}
		}
	}
	alg := func(name string) func(header, _ map[string]any) {
		return func(header, _ map[string]any) { header["alg"] = name }
	}
	each(t, func(t *testing.T, w *world) {
		now := w.Now.Unix()
		for what, x := range map[string]struct {
			tamper func(header, claims map[string]any)
			sign   func(string) []byte
			right  bool
		}{
			"as it is":                {nil, nil, true},
			"for another user":        {claim("preferred_username", "bob@acme.test"), nil, false},
			"for nobody":              {claim("preferred_username", nil), nil, false},
			"another subject":         {claim("sub", "bob@acme.test"), nil, false},
			"another audience":        {claim("aud", "DIXXXXXXXXXXXXXXXXXX"), nil, false},
			"several audiences":       {claim("aud", []string{duotest.ClientID, "DIXXXXXXXXXXXXXXXXXX"}), nil, false},
			"no audience":             {claim("aud", nil), nil, false},
			"another issuer":          {claim("iss", "https://api-other.duosecurity.com/oauth/v1/token"), nil, false},
			"no issuer":               {claim("iss", nil), nil, false},
			"another nonce":           {claim("nonce", "abcdefghijklmnopqrstuvwxyz"), nil, false},
			"no nonce":                {claim("nonce", nil), nil, false},
			"expired":                 {claim("exp", now-61), nil, false},
			"no expiry":               {claim("exp", nil), nil, false},
			"issued later":            {claim("iat", now+120), nil, false},
			"not issued":              {claim("iat", nil), nil, false},
			"refused":                 {claim("auth_result", map[string]any{"result": "deny"}), nil, false},
			"no result":               {claim("auth_result", nil), nil, false},
			"the algorithm none":      {alg("none"), func(string) []byte { return nil }, false},
			"HS256 of the secret":     {alg("HS256"), hs([]byte(duotest.Secret)), false},
			"HS256 of a public key":   {alg("HS256"), hs(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})), false},
			"RS256 in name":           {alg("RS256"), nil, false},
			"another secret":          {nil, hs([]byte("another")), false},
			"a signature of nothing":  {nil, func(string) []byte { return nil }, false},
			"within the clocks' skew": {claim("exp", now-30), nil, true},
		} {
			t.Run(what, func(t *testing.T) {
				ch := w.begin(alice)
				text := w.srv.Visit(t, ch.Away.URL).Encode()
				w.srv.Tamper, w.srv.Sign = x.tamper, x.sign
				defer func() { w.srv.Tamper, w.srv.Sign = nil, nil }()
				before := w.srv.Tokens
				if ok := w.answers(alice, &ch, text); ok != x.right || w.srv.Tokens != before+1 {
					t.Error(ok, w.srv.Refused)
				}
			})
		}
	})
}

// What comes back is of the sign-in that was begun last, once; that of another sign-in or person is of no use, and Duo is not asked.
func TestAnswersOfOthers(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine, theirs := w.begin(alice), w.begin(bob)
		text := w.srv.Visit(t, theirs.Away.URL)
		if w.answers(alice, &mine, text.Encode()) {
			t.Error("the answer of another sign-in")
		}
		text.Set("state", mine.Away.State)
		if w.answers(alice, &mine, text.Encode()) { // bob's code in alice's sign-in: Duo says that it is bob's
			t.Error("the code of another sign-in")
		}
		again := mine
		var err error
		if again.Away, err = w.Lead(t.Context(), w.Call(), alice, again); err != nil {
			t.Fatal(err)
		}
		old := w.srv.Visit(t, mine.Away.URL).Encode()
		if w.answers(alice, &again, old) {
			t.Error("the answer to a request that another one has replaced")
		}
		before := w.srv.Tokens
		right := w.srv.Visit(t, again.Away.URL).Encode()
		copied := again
		if !w.answers(alice, &again, right) {
			t.Error("the right answer", w.srv.Refused)
		}
		if w.answers(alice, &copied, right) || w.srv.Tokens != before+1 {
			t.Error("a code is taken twice")
		}
		for _, text := range []string{"", "x", "state=" + copied.Away.State, right + "&state=" + copied.Away.State, right + "&duo_code=x", strings.Repeat("a", 5000), "%"} {
			if w.answers(alice, &copied, text) {
				t.Error(text)
			}
		}
	})
}

// Where Duo does not answer, or refuses the application, nobody is led there or let in, and it is no wrong answer.
func TestFailsClosed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ch := w.begin(alice)
		text := w.srv.Visit(t, ch.Away.URL).Encode()
		w.srv.Down = true
		lead := func(what string) {
			t.Helper()
			if away, err := w.Lead(t.Context(), w.Call(), alice, ch); away != nil || !errors.Is(err, duo.ErrUnreachable) {
				t.Error(what, away, err)
			}
		}
		lead("down")
		if v, err := w.Check(t.Context(), w.Call(), alice, ch, factor.Answer{Text: text}); v.Right || !errors.Is(err, duo.ErrUnreachable) {
			t.Error(v, err)
		}
		w.srv.Down = false
		if !w.answers(alice, &ch, text) {
			t.Error("the answer is lost although Duo is back", w.srv.Refused)
		}
		w.setup.ID = "DIXXXXXXXXXXXXXXXXXX"
		lead("an application that Duo does not know")
		w.setup = setting.Duo{}
		lead("no application")
		if _, ok, err := w.Offer(t.Context(), w.Call(), alice); ok || err != nil {
			t.Error("offered without an application", err)
		}
	})
}

// Only the host that the administrator named is asked, and led to, whatever an ID token or a browser says.
func TestHostIsPinned(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ch := w.begin(alice)
		w.asked = append(w.asked, ch.Away.URL)
		q := w.srv.Visit(t, ch.Away.URL)
		q.Set("iss", "https://evil.test")
		w.answers(alice, &ch, "https://evil.test/login/duo?"+q.Encode())
		for _, one := range w.asked {
			if u, err := url.Parse(one); err != nil || u.Scheme != "https" || u.Host != w.srv.Host {
				t.Error("asked", one)
			}
		}
	})
}

// People are known at Duo by their login name, or by their mail address where the tenant says so; who has none is not led there.
func TestNamesAtDuo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if ch := w.begin(alice); ch.Away.User != alice.Name {
			t.Error(ch.Away.User)
		}
		w.setup.ByMail = true
		ch := w.begin(alice)
		if ch.Away.User != alice.Mail || !w.answers(alice, &ch, w.srv.Visit(t, ch.Away.URL).Encode()) {
			t.Error(w.srv.Refused)
		}
		if _, ok, err := w.Offer(t.Context(), w.Call(), bob); ok || err != nil {
			t.Error("offered to somebody without a mail address", err)
		}
	})
}
