package mfa_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
	"limen/internal/core/right"
	"limen/internal/core/session"
	"limen/internal/op"
)

// browser is a caller whose page is of the tenant's host.
type browser struct {
	t      *testing.T
	site   *apptest.Site
	token  string
	origin string
}

func (b browser) post(path string, in any) (e envelope) {
	b.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.site.URL+path, bytes.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Host = b.site.Host
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+b.token)
	r.Header.Set("Origin", b.origin)
	res, err := b.site.HTTP.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		b.t.Fatalf("%s: %d %s %v", path, res.StatusCode, text, err)
	}
	return e
}

// begin opens a registration.
func (b browser) begin(kind string) (out passkey.Creation) {
	b.t.Helper()
	e := b.post("/U2f/GetRegistrationChallenge", map[string]any{"authenticatorType": kind, "userDefinedName": "My " + strings.ToLower(kind)})
	if !e.Success || json.Unmarshal(e.Result, &out) != nil {
		b.t.Fatal(e.Message)
	}
	return out
}

// register gives the caller a key; its credential id begins with a text, where one is given.
func (b browser) register(kind, id string) *passkeytest.Authenticator {
	b.t.Helper()
	a := passkeytest.New(b.origin)
	copy(a.Credential.ID, id)
	a.Copied, a.Platform = kind == passkey.Passkey, kind == passkey.OnDevice
	e := b.post("/U2f/AnswerRegistrationChallenge", map[string]any{"rawRegisterResponse": a.Register(b.begin(kind))})
	if handle := ""; !e.Success || json.Unmarshal(e.Result, &handle) != nil || handle != a.Handle() {
		b.t.Fatal(e.Message, string(e.Result))
	}
	return a
}

func pageOf(t *testing.T, s *apptest.Site, who string) browser {
	return browser{t: t, site: s, token: s.TokenOf(t, who), origin: "https://" + s.Host}
}

// fido gives plain two keys and the administrator one, and lets plain begin to register two more: raw answers the second, and old
// the first, which it has replaced.
func fido(t *testing.T, s *apptest.Site) map[string]string {
	plain := pageOf(t, s, "plain")
	vars := map[string]string{ // lists are in the order of handles
		"handle": plain.register(passkey.SecurityKey, "\x00").Handle(), "second": plain.register(passkey.Passkey, "\x10").Handle(),
		"adminHandle": pageOf(t, s, "admin").register(passkey.SecurityKey, "\x20").Handle(), "unknown": passkeytest.New(plain.origin).Handle(),
		"account": base64.RawURLEncoding.EncodeToString([]byte(s.Plain.ID)),
	}
	third := passkeytest.New(plain.origin)
	vars["third"] = third.Handle()
	vars["old"] = strconv.Quote(third.Register(plain.begin(passkey.SecurityKey)))
	vars["raw"] = strconv.Quote(third.Register(plain.begin(passkey.SecurityKey)))
	return vars
}

// What one may not do with what one has registered, whoever asks.
func TestKeysOfOthers(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		plain, admin := pageOf(t, site, "plain"), pageOf(t, site, "admin")
		raw := passkeytest.New(plain.origin).Register(plain.begin(passkey.SecurityKey))
		if e := admin.post("/U2f/AnswerRegistrationChallenge", map[string]any{"rawRegisterResponse": raw}); e.MessageID != passkey.ErrPending.Code {
			t.Error("somebody else's registration:", e.MessageID)
		}
		again := browser{t: t, site: site, token: site.SignedIn(t, site.Plain.ID), origin: plain.origin}
		if e := again.post("/U2f/AnswerRegistrationChallenge", map[string]any{"rawRegisterResponse": raw}); e.MessageID != passkey.ErrPending.Code {
			t.Error("the same person's in another session:", e.MessageID)
		}
		if e := plain.post("/U2f/AnswerRegistrationChallenge", map[string]any{"rawRegisterResponse": json.RawMessage(raw)}); !e.Success {
			t.Error("as an object:", e.Message)
		}
	})
}

// A session that was stolen registers and deletes nothing: that takes a recent proof.
func TestStaleSessionsRegisterNothing(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		a := pageOf(t, site, "plain").register(passkey.SecurityKey, "")
		old := browser{t: t, site: site, origin: "https://" + site.Host}
		site.Do(t, audit.Login, func(ctx context.Context, k *call.Call) (err error) {
			then := *k
			then.Now = k.Now.Add(-16 * time.Minute)
			old.token, _, err = site.App.Sessions.Create(ctx, &then, session.New{User: site.Plain.ID, Idle: time.Hour})
			return err
		})
		for path, in := range map[string]any{
			"/U2f/GetRegistrationChallenge": map[string]any{"userDefinedName": "x"},
			"/U2f/DeleteU2fDevice":          map[string]any{"KeyHandle": a.Handle()},
			"/U2f/DeleteU2fDevices":         map[string]any{"KeyHandles": []string{a.Handle()}},
		} {
			if e := old.post(path, in); e.MessageID != session.ErrStale.Code {
				t.Errorf("%s: %+v", path, e)
			}
		}
		var o passkey.Creation // as if it had begun in time
		site.Do(t, audit.FactorEnroll, func(ctx context.Context, c *call.Call) (err error) {
			c.Caller = &call.Caller{User: site.Plain.ID}
			if c.Caller.Session, err = oldest(ctx, site, c); err != nil {
				return err
			}
			o, err = site.App.Passkeys.Begin(ctx, c, factor.Person{ID: site.Plain.ID}, passkey.Registration{
				Name: "x", Kind: passkey.SecurityKey, Site: passkey.Site{RP: site.Host, Origin: old.origin},
			})
			return err
		})
		raw := passkeytest.New(old.origin).Register(o)
		if e := old.post("/U2f/AnswerRegistrationChallenge", map[string]any{"rawRegisterResponse": raw}); e.MessageID != session.ErrStale.Code {
			t.Errorf("%+v", e)
		}
	})
}

// oldest is the session of plain that began longest ago.
func oldest(ctx context.Context, site *apptest.Site, c *call.Call) (string, error) {
	all, err := site.App.Sessions.List(ctx, c, site.Plain.ID)
	for _, one := range all {
		if c.Now.UnixMilli()-one.Created > 15*time.Minute.Milliseconds() {
			return one.ID, err
		}
	}
	return "", err
}

// Whoever manages the people of an organization sees their keys, and no others but their own.
func TestKeysOfOrganizations(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		org := site.Org(t, "Works", "")
		lead, member, stranger := site.Person(t, "lead"), site.Person(t, "member"), site.Person(t, "stranger")
		site.Settle(t, lead.ID, "", site.RoleIn(t, "Leads", org, right.UserManagement))
		site.Settle(t, member.ID, org, "")
		mine := map[string]*passkeytest.Authenticator{}
		for name, id := range map[string]string{"lead": lead.ID, "member": member.ID, "stranger": stranger.ID} {
			mine[name] = browser{t: t, site: site, token: site.SignedIn(t, id), origin: "https://" + site.Host}.register(passkey.Passkey, "")
		}
		b := browser{t: t, site: site, token: site.SignedIn(t, lead.ID), origin: "https://" + site.Host}
		var out struct {
			FullCount int
			Results   []struct{ Row struct{ KeyHandle string } }
		}
		if e := b.post("/U2f/GetU2fDevices", map[string]any{}); !e.Success || json.Unmarshal(e.Result, &out) != nil {
			t.Fatal(e)
		}
		got := map[string]bool{}
		for _, r := range out.Results {
			got[r.Row.KeyHandle] = true
		}
		if len(got) != 2 || !got[mine["lead"].Handle()] || !got[mine["member"].Handle()] || out.FullCount != 2 {
			t.Error(out)
		}
		if e := b.post("/U2f/DeleteU2fDevice", map[string]any{"KeyHandle": mine["stranger"].Handle()}); e.MessageID != op.ErrDenied.Code {
			t.Error(e)
		}
		if e := b.post("/U2f/DeleteU2fDevice", map[string]any{"KeyHandle": mine["member"].Handle()}); !e.Success {
			t.Error(e)
		}
	})
}
