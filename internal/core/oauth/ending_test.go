package oauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/oauth"
	"limen/internal/core/outbox"
	"limen/internal/dbx"
	"limen/internal/fault"
)

const listener = "https://app.example.com/left"

// hears has the client of "web" want to hear who leaves, and gives the promises that are made to it.
func (w *world) hears() *[]outbox.Delivery {
	a := w.apps["web"]
	a.Profile.Client.BackLogoutURI = listener
	w.apps["web"] = a
	w.s.Tenant = func(context.Context, string) (call.Tenant, error) { return w.c.Tenant, nil }
	w.s.Rand = w.c.Rand
	var out []outbox.Delivery
	w.s.Promise = func(_ context.Context, _ *call.Call, d outbox.Delivery) error { out = append(out, d); return nil }
	return &out
}

// signs in and exchanges the code.
func (w *world) given(scope string) oauth.Granted {
	w.t.Helper()
	r, err := w.reply(strings.Replace(ask, "email", scope, 1) + challenge())
	if err != nil {
		w.t.Fatal(err)
	}
	g, err := w.token("web", "", "grant_type=authorization_code&client_id=client-1&redirect_uri="+answer+"&code="+r.Code+"&code_verifier="+verify, "")
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) receipts() (out []oauth.Receipt) {
	w.t.Helper()
	err := w.in(func(ctx context.Context) (err error) {
		out, err = w.s.Receipts(ctx, w.c, grant.All(), anna, "", "", 10)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func mustJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// Who signs out of a session takes along what clients may do only while they are there, and the client is told once.
func TestLeavingASession(t *testing.T) {
	each(t, func(w *world) {
		promised := w.hears()
		here, away, again := w.given("email"), w.given("offline_access"), w.given("email")
		w.must(w.in(func(ctx context.Context) error { return w.s.EndOfSession(ctx, w.c, "s1") }))
		for _, g := range []oauth.Granted{here, again} {
			if _, err := w.look(g.Access); !errors.Is(err, oauth.ErrToken) {
				w.t.Error("the token lives on:", err)
			}
		}
		if _, err := w.look(away.Refresh); err != nil {
			w.t.Error("offline access ended:", err)
		}
		w.must(w.s.TellClients(w.t.Context(), w.db))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		got := w.receipts()
		if len(got) != 1 || len(*promised) != 1 || got[0].State != oauth.StateWaiting || got[0].Reason != oauth.SignedOut || got[0].Session != "s1" || got[0].URI != listener {
			w.t.Fatalf("receipts %+v, promised %d", got, len(*promised))
		}
		w.delivered((*promised)[0])
	})
}

// delivered sends what was promised: refused first, then taken.
func (w *world) delivered(d outbox.Delivery) {
	w.t.Helper()
	d.Tenant, d.Try = w.c.Tenant.ID, 1
	d.Payload = mustJSON(w.t, d.Payload)
	var sent []string
	w.s.Notify = func(_ context.Context, uri string, form url.Values) error {
		if uri != listener {
			w.t.Error("sent to", uri)
		}
		sent = append(sent, form.Get("logout_token"))
		if len(sent) == 1 {
			return errors.New("the client answered with status 503")
		}
		return nil
	}
	if err := w.s.TellClient(w.t.Context(), w.db, d); err == nil {
		w.t.Fatal("a refusal counts as done")
	}
	if got := w.receipts()[0]; got.State != oauth.StateWaiting || got.Tries != 1 || !strings.Contains(got.Error, "503") {
		w.t.Errorf("after a refusal: %+v", got)
	}
	d.Try = 2
	w.must(w.s.TellClient(w.t.Context(), w.db, d))
	w.must(w.s.TellClient(w.t.Context(), w.db, d)) // delivered again after a crash: it was acknowledged
	if got := w.receipts()[0]; got.State != oauth.StateAcknowledged || got.Error != "" || len(sent) != 2 {
		w.t.Errorf("in the end: %+v, sent %d", got, len(sent))
	}
	first, second := claims(w.t, sent[0]), claims(w.t, sent[1])
	for name, want := range map[string]any{"iss": "https://id.acme.test/web/", "sub": anna, "aud": "client-1", "sid": "s1"} {
		if second[name] != want {
			w.t.Errorf("%s is %v, want %v", name, second[name], want)
		}
	}
	events, _ := second["events"].(map[string]any)
	if _, ok := events["http://schemas.openid.net/event/backchannel-logout"]; !ok || second["nonce"] != nil || first["jti"] == second["jti"] {
		w.t.Errorf("the logout token is %v", second)
	}
}

// A logout token is taken for no other token (RFC 8725 section 3.11, cross-JWT confusion).
func TestLogoutTokenConfusion(t *testing.T) {
	each(t, func(w *world) {
		promised := w.hears()
		w.given("email")
		w.must(w.in(func(ctx context.Context) error { return w.s.EndOfPerson(ctx, w.c, anna) }))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		d := (*promised)[0]
		d.Tenant, d.Payload = w.c.Tenant.ID, mustJSON(w.t, d.Payload)
		var token string
		w.s.Notify = func(_ context.Context, _ string, form url.Values) error { token = form.Get("logout_token"); return nil }
		w.must(w.s.TellClient(w.t.Context(), w.db, d))
		if _, err := w.look(token); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("it is an access token:", err)
		}
		if _, err := w.s.Hinted(w.t.Context(), w.c, w.apps["web"], token); !errors.Is(err, oauth.ErrHint) {
			w.t.Error("it is an ID token:", err)
		}
	})
}

// Who may not use the application any more has nothing of it left at the next use, and the client hears of it.
func TestLosingAnApplication(t *testing.T) {
	each(t, func(w *world) {
		w.hears()
		g := w.given("offline_access")
		w.s.Watch(func(topic string, f func(string)) {
			if topic == "role" {
				f(w.c.Tenant.ID)
			}
		})
		w.must(w.s.Review(w.t.Context(), w.db, time.Now()))
		if _, err := w.look(g.Refresh); err != nil {
			w.t.Fatal("it ended although nothing was lost:", err)
		}
		w.may = false
		if _, err := w.look(g.Access); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("the access token is good:", err)
		}
		if _, err := w.token("web", basic("client-1", "s3cret"), "grant_type=refresh_token&refresh_token="+g.Refresh, ""); !errors.Is(err, oauth.ErrDenied) {
			w.t.Error("the refresh token is good:", err)
		}
		w.must(w.s.Review(w.t.Context(), w.db, time.Now())) // nothing is due: nobody said that something changed
		w.must(w.s.TellClients(w.t.Context(), w.db))
		if got := w.receipts(); len(got) != 0 {
			w.t.Fatalf("too early: %+v", got)
		}
		w.s.Watch(func(topic string, f func(string)) {
			if topic == "user" {
				f(w.c.Tenant.ID + "/" + anna)
			}
		})
		w.must(w.s.Review(w.t.Context(), w.db, time.Now()))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		if got := w.receipts(); len(got) != 1 || got[0].Reason != oauth.AccessLost {
			w.t.Fatalf("receipts %+v", got)
		}
		w.may = true
		if _, err := w.look(g.Refresh); !errors.Is(err, oauth.ErrToken) {
			w.t.Error("what ended came back:", err)
		}
	})
}

// Rights come and go by time: without any change it is looked at within the hour.
func TestReviewByTime(t *testing.T) {
	each(t, func(w *world) {
		w.hears()
		w.given("offline_access")
		w.may = false
		w.must(w.s.Review(w.t.Context(), w.db, w.c.Now.Add(59*time.Minute)))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		early := len(w.receipts())
		w.must(w.s.Review(w.t.Context(), w.db, w.c.Now.Add(61*time.Minute)))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		if early != 0 || len(w.receipts()) != 1 {
			w.t.Fatal("receipts", early, len(w.receipts()))
		}
	})
}

// A client that is not reached is given up. The receipt says so, and nothing of what the server met in its network on the way.
func TestGivingUp(t *testing.T) {
	each(t, func(w *world) {
		promised := w.hears()
		w.given("email")
		w.must(w.in(func(ctx context.Context) error { return w.s.EndOfPerson(ctx, w.c, anna) }))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		d := (*promised)[0]
		d.Tenant, d.Try, d.Payload = w.c.Tenant.ID, 1, mustJSON(w.t, d.Payload)
		unreachable := fault.New(fault.Unavailable, "egress.unreachable", "The address does not answer.")
		w.s.Notify = func(context.Context, string, url.Values) error {
			return unreachable.Because(errors.New("dial tcp 10.1.2.3:443: connection refused"))
		}
		if err := w.s.TellClient(w.t.Context(), w.db, d); err == nil {
			w.t.Fatal("it counts as done")
		}
		w.must(w.db.Write(w.t.Context(), func(tx *dbx.Tx) error { return w.s.GaveUp(w.t.Context(), tx, d) }))
		if got := w.receipts(); len(got) != 1 || got[0].State != oauth.StateFailed || got[0].Error != unreachable.Public {
			w.t.Fatalf("receipts %+v", got)
		}
	})
}

// What was noted is not lost when it cannot be marked at once.
func TestReviewThatFails(t *testing.T) {
	each(t, func(w *world) {
		w.hears()
		w.given("offline_access")
		w.may = false
		w.s.Watch(func(topic string, f func(string)) {
			if topic == "user" {
				f(w.c.Tenant.ID + "/" + anna)
			}
		})
		ctx, cancel := context.WithCancel(w.t.Context())
		cancel()
		if err := w.s.Review(ctx, w.db, time.Now()); err == nil {
			w.t.Fatal("it succeeds without the store")
		}
		w.must(w.s.Review(w.t.Context(), w.db, time.Now()))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		if got := w.receipts(); len(got) != 1 || got[0].Reason != oauth.AccessLost {
			w.t.Fatalf("receipts %+v", got)
		}
	})
}

// Pages of leavers do not lose or repeat anybody.
func TestManyLeavers(t *testing.T) {
	each(t, func(w *world) {
		promised := w.hears()
		w.must(w.in(func(ctx context.Context) error {
			r, err := w.s.Request(ctx, w.c, "web", oauth.Presented{Params: params(ask + challenge())})
			for i := 0; i < 120 && err == nil; i++ {
				by := oauth.SignedIn{Person: w.people[anna], Session: "s" + strconv.Itoa(i), Level: "High", Proved: w.c.Now}
				_, err = w.s.Reply(ctx, w.c, r, by)
			}
			return err
		}))
		w.must(w.in(func(ctx context.Context) error { return w.s.EndOfApp(ctx, w.c, "app-1") }))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		var ids []string
		for _, d := range *promised {
			ids = append(ids, d.Key)
		}
		slices.Sort(ids)
		if len(slices.Compact(ids)) != 120 || len(*promised) != 120 {
			w.t.Fatal(len(*promised), "were promised")
		}
	})
}

// Receipts stay as long as events do.
func TestReceiptsAreSwept(t *testing.T) {
	each(t, func(w *world) {
		w.hears()
		w.given("email")
		w.must(w.in(func(ctx context.Context) error { return w.s.EndOfPerson(ctx, w.c, anna) }))
		w.must(w.s.TellClients(w.t.Context(), w.db))
		w.must(w.s.Sweep(w.t.Context(), w.db, time.Now().Add(399*24*time.Hour)))
		had := len(w.receipts())
		w.must(w.s.Sweep(w.t.Context(), w.db, time.Now().Add(401*24*time.Hour)))
		if had != 1 || len(w.receipts()) != 0 {
			w.t.Fatal("receipts", had, len(w.receipts()))
		}
	})
}
