package oauth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"limen/internal/call"
	"limen/internal/core/oauth"
	"limen/internal/core/outbox"
	"limen/internal/core/session"
	"limen/internal/fault"
)

// asking is a world whose clients have people asked.
type asking struct {
	*world
	mails    []oauth.Pending
	promised []outbox.Delivery
	told     []string // bearer and body
	fails    bool
}

func eachAsking(t *testing.T, f func(w *asking)) {
	each(t, func(w *world) {
		k := &asking{world: w}
		w.allow("web", oauth.BackchannelFlow)
		w.apps["app-1"] = w.apps["web"]
		w.s.Sessions, w.s.Rand = &session.Sessions{}, rand.Reader
		w.s.ByName = func(_ context.Context, _ *call.Call, name string) (oauth.Person, error) {
			for _, p := range w.people {
				if p.Name == name {
					return p, nil
				}
			}
			return oauth.Person{}, fault.New(fault.NotFound, "user.not_found", "none")
		}
		w.s.Tenant = func(context.Context, string) (call.Tenant, error) { return w.c.Tenant, nil }
		w.s.TellAsked = func(_ context.Context, _ *call.Call, p oauth.Person, what oauth.Pending) error {
			if p.ID != anna {
				w.t.Error("somebody else is told:", p)
			}
			k.mails = append(k.mails, what)
			return nil
		}
		w.s.Promise = func(_ context.Context, _ *call.Call, d outbox.Delivery) error {
			k.promised = append(k.promised, d)
			return nil
		}
		w.s.Tell = func(_ context.Context, uri, bearer string, body []byte) error {
			if k.fails {
				return errors.New("down")
			}
			k.told = append(k.told, uri+" "+bearer+" "+string(body))
			return nil
		}
		f(k)
	})
}

// deliver has the client take what it gets in a mode.
func (w *asking) deliver(mode string) {
	a := w.apps["web"]
	a.Profile.Client.Delivery, a.Profile.Client.NotificationURI = mode, "https://app.example.com/told"
	w.apps["web"], w.apps["app-1"] = a, a
}

func (w *asking) begin(query string) (oauth.Begun, error) {
	p, err := w.s.PrepareBackchannel(w.t.Context(), w.c, "web", basic("client-1", "s3cret"), params(query))
	if err != nil {
		return oauth.Begun{}, err
	}
	var b oauth.Begun
	err = w.in(func(ctx context.Context) (err error) { b, err = w.s.Backchannel(ctx, w.c, p); return err })
	return b, err
}

const askAnna = "scope=openid+email&login_hint=anna@acme"

func (w *asking) fetch(handle string) (oauth.Granted, error) {
	return w.token("web", basic("client-1", "s3cret"), "grant_type="+oauth.BackchannelGrant+"&auth_req_id="+handle, "")
}

// session signs somebody in, as long ago.
func (w *asking) session(user string, ago time.Duration) {
	w.t.Helper()
	err := w.in(func(ctx context.Context) error {
		_, s, err := w.s.Sessions.Create(ctx, w.c, session.New{User: user, Factors: []string{"UP"}})
		w.c.Caller = &call.Caller{User: user, Means: call.BySession, Session: s.ID, Level: session.Normal, Proved: w.c.Now.Add(-ago)}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *asking) list() (out []oauth.Pending) {
	w.t.Helper()
	if err := w.in(func(ctx context.Context) (err error) { out, err = w.s.Backchannels(ctx, w.c); return err }); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *asking) decide(id string, yes bool) error {
	return w.in(func(ctx context.Context) error {
		next, err := w.s.DecideBackchannel(ctx, w.c, id, yes, false)
		if err == nil && next != oauth.Answer {
			err = errors.New("next is " + string(next))
		}
		return err
	})
}

func TestBackchannelPoll(t *testing.T) {
	eachAsking(t, func(w *asking) {
		b, err := w.begin(askAnna + "&binding_message=Pay+12+%E2%82%AC")
		if err != nil || b.Life != 5*time.Minute || b.Pace != 5 || len(w.mails) != 1 || w.mails[0].Message != "Pay 12 €" || w.mails[0].App.ID != "app-1" {
			w.t.Fatalf("%+v %+v %v", b, w.mails, err)
		}
		if _, err := w.fetch(b.Handle); code(err) != oauth.ErrPending.Code {
			w.t.Error(err)
		}
		if _, err := w.fetch(b.Handle); code(err) != oauth.ErrSlowDown.Code {
			w.t.Error(err)
		}
		w.session(machine, 0)
		if got := w.list(); len(got) != 0 {
			w.t.Error("somebody else sees it:", got)
		}
		if err := w.decide(w.mails[0].ID, true); !errors.Is(err, oauth.ErrDecided) {
			w.t.Error("somebody else decides:", err)
		}
		w.session(anna, 6*time.Minute)
		got := w.list()
		if len(got) != 1 || got[0].Message != "Pay 12 €" || got[0].Client.ID != "client-1" || got[0].Scope.String() != "openid email" {
			w.t.Fatalf("%+v", got)
		}
		if err := w.decide(got[0].ID, true); !errors.Is(err, session.ErrStale) {
			w.t.Error("a session left open approves:", err)
		}
		w.c.Caller.Means = call.ByOAuth
		if err := w.decide(got[0].ID, true); !errors.Is(err, oauth.ErrNobody) {
			w.t.Error("an access token approves:", err)
		}
		w.session(anna, time.Minute)
		if err := w.decide(got[0].ID, true); err != nil {
			w.t.Fatal(err)
		}
		if err := w.decide(got[0].ID, false); !errors.Is(err, oauth.ErrDecided) || len(w.list()) != 0 || len(w.promised) != 0 {
			w.t.Error("decided twice:", err)
		}
		g, err := w.fetch(b.Handle)
		if err != nil || g.ID == "" || claims(w.t, g.ID)["sub"] != anna {
			w.t.Fatalf("%+v %v", g, err)
		}
		if _, err := w.fetch(b.Handle); code(err) != oauth.ErrGrant.Code {
			w.t.Error("fetched twice:", err)
		}
		if _, err := w.look(g.Access); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("lives on after it was fetched twice:", err)
		}
	})
}

func TestBackchannelRefused(t *testing.T) {
	eachAsking(t, func(w *asking) {
		for name, bad := range map[string]struct{ query, want string }{
			"nobody":            {"scope=openid", oauth.ErrRequest.Code},
			"two hints":         {askAnna + "&id_token_hint=x", oauth.ErrRequest.Code},
			"a hint's token":    {"scope=openid&login_hint_token=x", oauth.ErrRequest.Code},
			"a stranger":        {"scope=openid&login_hint=stranger", oauth.ErrUnknownUser.Code},
			"a machine":         {"scope=openid&login_hint=svc@acme", oauth.ErrUnknownUser.Code},
			"no ID token":       {"scope=openid&id_token_hint=x", oauth.ErrUnknownUser.Code},
			"no openid":         {"scope=email&login_hint=anna@acme", oauth.ErrScope.Code},
			"unknown scope":     {"scope=openid+admin&login_hint=anna@acme", oauth.ErrScope.Code},
			"a long message":    {askAnna + "&binding_message=" + strings.Repeat("x", 101), oauth.ErrBinding.Code},
			"a turning message": {askAnna + "&binding_message=" + url.QueryEscape("a\u202eb"), oauth.ErrBinding.Code},
			"no time":           {askAnna + "&requested_expiry=0", oauth.ErrRequest.Code},
		} {
			if _, err := w.begin(bad.query); code(err) != bad.want {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := w.s.PrepareBackchannel(w.t.Context(), w.c, "web", "", params("client_id=client-1&"+askAnna)); !errors.Is(err, oauth.ErrFlow) {
			w.t.Error("a client that does not prove itself:", err)
		}
		hint := w.tokens().ID
		b, err := w.begin("scope=openid&requested_expiry=60&id_token_hint=" + hint)
		if err != nil || b.Life != time.Minute {
			w.t.Fatal(b, err)
		}
		w.session(anna, time.Hour)
		if err := w.decide(w.list()[0].ID, false); err != nil {
			w.t.Error("a refusal needs no new sign-in:", err)
		}
		if _, err := w.fetch(b.Handle); !errors.Is(err, oauth.ErrRefused) {
			w.t.Error(err)
		}
		late, err := w.begin(askAnna)
		if err != nil {
			w.t.Fatal(err)
		}
		w.c.Now = w.c.Now.Add(5 * time.Minute)
		if err := w.s.Sweep(w.t.Context(), w.db, w.c.Now.Add(time.Minute)); err != nil {
			w.t.Fatal(err)
		}
		if _, err := w.fetch(late.Handle); !errors.Is(err, oauth.ErrExpired) {
			w.t.Error(err)
		}
	})
}

// Nobody is asked until they give in.
func TestBackchannelFatigue(t *testing.T) {
	eachAsking(t, func(w *asking) {
		for range 5 {
			if _, err := w.begin(askAnna); err != nil {
				w.t.Fatal(err)
			}
		}
		if _, err := w.begin(askAnna); !errors.Is(err, oauth.ErrBusy) {
			w.t.Error(err)
		}
	})
}

// told has the outbox deliver what was promised.
func (w *asking) deliverAll() (err error) {
	for _, d := range w.promised {
		raw, _ := json.Marshal(d.Payload)
		d.Payload, d.Tenant = json.RawMessage(raw), w.c.Tenant.ID
		err = errors.Join(err, w.s.TellDecision(w.t.Context(), w.db, d))
	}
	return err
}

func TestBackchannelPing(t *testing.T) {
	eachAsking(t, func(w *asking) {
		w.deliver("ping")
		if _, err := w.begin(askAnna); code(err) != oauth.ErrRequest.Code {
			w.t.Error("without a bearer to be told by:", err)
		}
		b, err := w.begin(askAnna + "&client_notification_token=bearer-1")
		if err != nil {
			w.t.Fatal(err)
		}
		w.session(anna, 0)
		if err := w.decide(w.list()[0].ID, true); err != nil || len(w.promised) != 1 {
			w.t.Fatal(err, w.promised)
		}
		if err := w.deliverAll(); err != nil {
			w.t.Fatal(err)
		}
		if want := `https://app.example.com/told bearer-1 {"auth_req_id":"` + b.Handle + `"}`; len(w.told) != 1 || w.told[0] != want {
			w.t.Fatal(w.told)
		}
		if _, err := w.fetch(b.Handle); err != nil {
			w.t.Error(err)
		}
	})
}

func TestBackchannelPush(t *testing.T) {
	eachAsking(t, func(w *asking) {
		w.deliver("push")
		b, err := w.begin(askAnna + "&client_notification_token=bearer-1")
		if err != nil || b.Pace != 0 {
			w.t.Fatal(b, err)
		}
		if _, err := w.fetch(b.Handle); !errors.Is(err, oauth.ErrFlow) {
			w.t.Error("a client that is sent the tokens asks for them:", err)
		}
		w.session(anna, 0)
		if err := w.decide(w.list()[0].ID, true); err != nil {
			w.t.Fatal(err)
		}
		w.fails = true
		if err := w.deliverAll(); err == nil {
			w.t.Error("a client that is down counts as told")
		}
		w.fails = false
		for range 2 { // the outbox may deliver twice
			if err := w.deliverAll(); err != nil {
				w.t.Fatal(err)
			}
		}
		if len(w.told) != 1 {
			w.t.Fatal(w.told)
		}
		var got struct {
			Handle  string `json:"auth_req_id"`
			Access  string `json:"access_token"`
			ID      string `json:"id_token"`
			Refresh string `json:"refresh_token"`
		}
		if err := json.Unmarshal([]byte(strings.SplitN(w.told[0], " ", 3)[2]), &got); err != nil || got.Handle != b.Handle || got.Refresh == "" {
			w.t.Fatal(w.told, err)
		}
		k := claims(w.t, got.ID)
		if k["urn:openid:params:jwt:claim:auth_req_id"] != b.Handle || k["urn:openid:params:jwt:claim:rt_hash"] == nil || k["at_hash"] == nil {
			w.t.Error(k)
		}
		if l, err := w.look(got.Access); err != nil || l.User != anna {
			w.t.Error(l, err)
		}
		w.promised, w.told = nil, nil
		if b, err = w.begin(askAnna + "&client_notification_token=bearer-2"); err != nil {
			w.t.Fatal(err)
		}
		if err := errors.Join(w.decide(w.list()[0].ID, false), w.deliverAll()); err != nil || len(w.told) != 1 || !strings.Contains(w.told[0], `"error":"access_denied"`) {
			w.t.Error(w.told, err)
		}
	})
}

func TestBackchannelSigned(t *testing.T) {
	eachAsking(t, func(w *asking) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			w.t.Fatal(err)
		}
		set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
		if err != nil {
			w.t.Fatal(err)
		}
		a := w.apps["web"]
		a.Profile.Client.Keys, a.Profile.Client.BackRequestAlg = set, "ES256"
		w.apps["web"], w.apps["app-1"] = a, a
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "k"}}, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		now := w.c.Now.Unix()
		object := func(change func(k map[string]any)) string {
			k := map[string]any{
				"iss": "client-1", "aud": "https://id.acme.test/web/", "iat": now, "nbf": now, "exp": now + 60, "jti": rand.Text(), "scope": "openid", "login_hint": "anna@acme",
			}
			change(k)
			out, err := jwt.Signed(signer).Claims(k).Serialize()
			if err != nil {
				w.t.Fatal(err)
			}
			return "request=" + out
		}
		if _, err := w.begin(askAnna); code(err) != oauth.ErrRequest.Code {
			w.t.Error("not signed:", err)
		}
		for name, change := range map[string]func(k map[string]any){
			"of another":    func(k map[string]any) { k["iss"] = "client-2" },
			"for another":   func(k map[string]any) { k["aud"] = "https://else.example.com/" },
			"over":          func(k map[string]any) { k["exp"] = now - 120 },
			"without an id": func(k map[string]any) { delete(k, "jti") },
			"without end":   func(k map[string]any) { delete(k, "exp") },
			"without start": func(k map[string]any) { delete(k, "iat") },
		} {
			if _, err := w.begin(object(change)); code(err) != oauth.ErrRequest.Code {
				w.t.Errorf("%s: %v", name, err)
			}
		}
		good := object(func(map[string]any) {})
		if _, err := w.begin(good + "&login_hint=svc@acme"); err != nil || w.mails[0].Scope.String() != "openid" {
			w.t.Error("what stands beside it counts:", err)
		}
		if _, err := w.begin(good); err == nil {
			w.t.Error("taken twice")
		}
	})
}
