// Package logintest is a tenant with people who can sign in, wired as the program is, for tests of the conversation and of
// the dialects that drive it.
package logintest

import (
	"bytes"
	"context"
	"crypto/rand"
	"net/netip"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/authenticator/authenticatortest"
	"limen/internal/core/factor/email"
	"limen/internal/core/factor/network"
	"limen/internal/core/factor/oath"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
	factorpassword "limen/internal/core/factor/password"
	"limen/internal/core/factor/question"
	"limen/internal/core/factor/recovery"
	"limen/internal/core/factor/sms"
	"limen/internal/core/key"
	"limen/internal/core/login"
	"limen/internal/core/password"
	"limen/internal/core/profile"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	"limen/internal/core/tenant"
	"limen/internal/core/throttle"
	"limen/internal/core/token"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// Secret is everybody's password.
const Secret = "Tulip-Crane-77"

// Sent is a message that a mechanism sent.
type Sent struct {
	To, Code, Link string
	Recovery       bool
}

// Notice is what somebody was told.
type Notice struct {
	User string
	What login.Notice
}

// World is a tenant of its own in a store that tests share.
type World struct {
	T         testing.TB
	DB        *dbx.DB
	Changes   *change.Log
	Index     *tenant.Index
	Roles     *role.Roles
	People    *user.Directory
	Passwords password.Passwords
	Sessions  *session.Sessions
	Throttle  throttle.Throttle
	Tokens    token.Tokens
	Settings  *setting.Store
	Profiles  *profile.Profiles
	OATH      oath.Profiles
	Keys      passkey.Keys
	Questions question.Questions
	Logins    *login.Logins

	Authenticators authenticator.Devices
	Codes          recovery.Codes
	Networks       network.Passwords

	Tenant call.Tenant
	Suffix string
	Now    time.Time
	Client call.Client
	Sent   []Sent
	Told   []Notice
	Events []*call.Event // of the last write
}

// Each runs f in a world per engine.
func Each(t *testing.T, f func(t *testing.T, w *World)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) { f(t, New(t, db)) })
}

// New makes a tenant on a store.
func New(t testing.TB, db *dbx.DB) *World {
	t.Helper()
	w := &World{T: t, DB: db, Now: time.Now(), Client: call.Client{IP: netip.MustParseAddr("192.0.2.10"), UserAgent: "test"}}
	now := func() time.Time { return w.Now }
	master, err := crypt.NewMaster(bytes.Repeat([]byte{7}, 32))
	w.must(err)
	keys := key.Keys{DB: db}
	ring := &crypt.Ring{Master: master, Load: keys.Seals, Store: keys.AddSeal, Now: now}
	hasher := &crypt.Hasher{Memory: 64, Random: rand.Reader}
	w.Changes = &change.Log{DB: db}
	w.Index = &tenant.Index{DB: db, Changes: w.Changes, Domain: "id.acme.test"}
	w.must(w.Index.Start(t.Context()))
	w.Roles = &role.Roles{Changes: w.Changes}
	w.People = &user.Directory{DB: db, Changes: w.Changes, Tenants: w.Index, Roles: w.Roles}
	w.Settings = &setting.Store{DB: db, Changes: w.Changes, Ring: ring}
	w.Settings.Start()
	w.Profiles = &profile.Profiles{DB: db, Changes: w.Changes}
	w.Profiles.Start()
	w.Passwords = password.Passwords{Hasher: hasher, Changed: w.People.PasswordSet}
	w.Sessions = &session.Sessions{DB: db, Holder: w.holder, Put: w.Changes.Put, Fresh: w.Changes.Fresh}
	w.Sessions.Watch(w.Changes.Watch)
	w.Tokens = token.Tokens{
		Signers: &crypt.Signers{Ring: ring, Load: keys.Signs, Store: keys.SetSigns, Now: now}, Alg: crypt.ES256,
		Known: func(ctx context.Context, id string) bool { _, err := w.Index.ByID(ctx, id); return err == nil },
	}
	w.Keys = passkey.Keys{Ring: ring, Hosts: func(context.Context, *call.Call) ([]string, error) { return []string{w.Tenant.Host}, nil }}
	w.Authenticators = authenticator.Devices{Ring: ring}
	w.Codes = recovery.Codes{Ring: ring}
	w.Networks = network.Passwords{Ring: ring, Terms: func(ctx context.Context, c *call.Call) (bool, time.Duration, error) {
		v, err := w.Settings.Get(ctx, c)
		if err != nil {
			return false, 0, err
		}
		return v.NetworkPasswords, v.NetworkPasswordLife, nil
	}}
	w.OATH, w.Questions = oath.Profiles{Ring: ring}, question.Questions{Hasher: hasher}
	w.must(w.Changes.Poll(t.Context()))
	w.Logins = &login.Logins{
		Ring: ring, People: w.People, Sessions: w.Sessions, Tokens: w.Tokens, Passwords: w.Passwords, Throttle: w.Throttle,
		Settings: w.Settings, Profiles: w.Profiles, Codes: w.Codes, Networks: w.Networks, Mechanisms: w.mechanisms(ring), Notify: w.notify,
	}
	w.found()
	w.must(w.Logins.Ensure(t.Context(), w.Tenant.ID))
	return w
}

func (w *World) must(err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

func (w *World) mechanisms(ring *crypt.Ring) []factor.Mechanism {
	codes := factor.Codes{Ring: ring}
	return append([]factor.Mechanism{
		factorpassword.Mechanism{Passwords: w.Passwords},
		email.Mechanism{Codes: codes, Send: func(_ context.Context, _ *call.Call, to factor.Person, what factor.Sending) error {
			w.Sent = append(w.Sent, Sent{to.Mail, what.Code, what.Link, what.Recovery})
			return nil
		}},
		sms.Mechanism{Codes: codes, Send: func(_ context.Context, _ *call.Call, to factor.Person, what factor.Sending) error {
			w.Sent = append(w.Sent, Sent{to.Mobile, what.Code, "", what.Recovery})
			return nil
		}},
		oath.Mechanism{Profiles: w.OATH}, authenticator.Mechanism{Devices: w.Authenticators}, question.Mechanism{Questions: w.Questions},
		recovery.Mechanism{Codes: w.Codes}, network.Mechanism{Passwords: w.Networks}, authenticator.Code{Devices: w.Authenticators},
	}, passkey.Mechanisms(w.Keys)...)
}

func (w *World) notify(_ context.Context, _ *call.Call, u user.User, what login.Notice) error {
	w.Told = append(w.Told, Notice{u.ID, what})
	return nil
}

func (w *World) holder(ctx context.Context, c *call.Call, id string) (session.Holder, error) {
	u, err := w.People.ByID(ctx, c, id)
	if err != nil {
		return session.Holder{}, err
	}
	m, err := w.Roles.Of(ctx, c, id)
	return session.Holder{Name: u.Name, Org: u.Org, Barred: u.Barred(c.Now), Roles: m.Roles, Held: m.Held, Until: m.Until}, err
}

// found makes the tenant.
func (w *World) found() {
	tenants := &tenant.Tenants{Index: w.Index, Changes: w.Changes, Roles: w.Roles, Move: w.People.Move}
	w.Write(func(ctx context.Context, c *call.Call) error {
		made, err := tenants.Create(ctx, c, tenant.New{Name: "Test"})
		w.Tenant.ID = made.ID
		w.Suffix = "s" + strings.ToLower(made.ID) + ".test"
		return err
	})
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		if w.Tenant.Host, err = tenants.AddHost(ctx, c, strings.ToLower(w.Tenant.ID)); err != nil {
			return err
		}
		return tenants.SetSuffix(ctx, c, tenant.Suffix{Name: w.Suffix, Cds: true})
	})
}

// Call makes an anonymous call from the world's client.
func (w *World) Call() *call.Call {
	c := &call.Call{Tenant: w.Tenant, Now: w.Now, Rand: rand.Reader, Client: w.Client}
	c.Snapshot = func(ctx context.Context, f func() error) error {
		if c.Tx != nil {
			return f()
		}
		return w.DB.Read(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			return f()
		})
	}
	return c
}

// Try runs f in a write transaction, with an event as the kernel gives it.
func (w *World) Try(f func(ctx context.Context, c *call.Call) error) error {
	return w.DB.Write(w.T.Context(), func(tx *dbx.Tx) error {
		c := w.Call()
		c.Tx = tx
		if w.Tenant.ID == "" {
			c.Caller = &call.Caller{User: "00000000-0000-7000-8000-000000000001", Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
		}
		c.Event = &call.Event{Outcome: "success"}
		err := f(w.T.Context(), c)
		w.Events = append([]*call.Event{c.Event}, c.Also...)
		return err
	})
}

// Write is Try that must succeed.
func (w *World) Write(f func(ctx context.Context, c *call.Call) error) {
	w.T.Helper()
	w.must(w.Try(f))
}

// Name is the login name of somebody of the world.
func (w *World) Name(local string) string { return local + "@" + w.Suffix }

// Add makes somebody with the password Secret and an address at acme.test.
func (w *World) Add(local string, change ...func(*user.New)) user.User {
	w.T.Helper()
	n := user.New{Name: w.Name(local), Mail: local + "@acme.test", Display: local, Everybody: true}
	for _, f := range change {
		f(&n)
	}
	var made user.User
	w.Write(func(ctx context.Context, c *call.Call) (err error) {
		c.Caller = &call.Caller{Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
		made, err = w.People.Create(ctx, c, n)
		return err
	})
	w.SetPassword(made.ID, Secret, n.ForceChange)
	return w.Get(made.ID)
}

// SetPassword sets a password whatever the policy.
func (w *World) SetPassword(id, plain string, force bool) {
	w.T.Helper()
	fresh, err := w.Passwords.Prepare(w.T.Context(), w.Call(), password.Change{User: id, Plain: plain, Any: true, Reset: true})
	w.must(err)
	w.Write(func(ctx context.Context, c *call.Call) error { return w.Passwords.Put(ctx, c, id, fresh, force) })
}

// Get reads somebody.
func (w *World) Get(id string) (u user.User) {
	w.T.Helper()
	c := w.Call()
	w.must(c.Snapshot(w.T.Context(), func() (err error) { u, err = w.People.ByID(w.T.Context(), c, id); return err }))
	return u
}

// Set changes a setting.
func (w *World) Set(name, value string) {
	w.T.Helper()
	ready, err := w.Settings.Prepare(w.T.Context(), w.Call(), setting.Set(name, value))
	w.must(err)
	w.Write(func(ctx context.Context, c *call.Call) error { return w.Settings.Write(ctx, c, ready) })
}

// Use saves an authentication profile by its name, with rounds of comma-joined mechanisms, and has everybody sign in by it.
func (w *World) Use(n profile.Profile, rounds ...string) profile.Profile {
	w.T.Helper()
	var err error
	n.Challenges, err = profile.Parse(rounds)
	w.must(err)
	w.Write(func(ctx context.Context, c *call.Call) (err error) { n, err = w.Profiles.Save(ctx, c, n); return err })
	w.Set("Authentication.Profile", n.ID)
	return n
}

// Seed is the secret that Enroll gives.
const Seed = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// Enroll gives somebody an authenticator with the secret Seed.
func (w *World) Enroll(id string) {
	w.T.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error {
		_, err := w.OATH.Set(ctx, c, id, oath.Seed{Secret: Seed})
		return err
	})
}

// Code is what that authenticator shows.
func (w *World) Code() string {
	w.T.Helper()
	code, err := oath.Code(Seed, "SHA1", 6, w.Now.Unix()/30)
	w.must(err)
	return code
}

// Print gives somebody recovery codes.
func (w *World) Print(id string) []string {
	w.T.Helper()
	n, err := w.Codes.Draw(w.T.Context(), w.Call(), id)
	w.must(err)
	w.Write(func(ctx context.Context, c *call.Call) error { return w.Codes.Put(ctx, c, id, n) })
	return n.Codes
}

// Register gives somebody a key of a kind.
func (w *World) Register(id, kind string) *passkeytest.Authenticator {
	w.T.Helper()
	a := passkeytest.New("https://" + w.Tenant.Host)
	a.Copied, a.Platform = kind == passkey.Passkey, kind == passkey.OnDevice
	var o passkey.Creation
	w.Write(func(ctx context.Context, c *call.Call) error {
		at, err := w.Keys.At(ctx, c, a.Origin)
		if err == nil {
			o, err = w.Keys.Begin(ctx, c, factor.Person{ID: id}, passkey.Registration{Name: kind, Kind: kind, Site: at})
		}
		return err
	})
	r, err := w.Keys.Check(w.T.Context(), w.Call(), id, a.Register(o))
	w.must(err)
	w.Write(func(ctx context.Context, c *call.Call) error { _, err := w.Keys.Finish(ctx, c, id, r); return err })
	return a
}

// Carry gives somebody an authenticator.
func (w *World) Carry(id string) *authenticatortest.Device {
	w.T.Helper()
	d := authenticatortest.New()
	w.Write(func(ctx context.Context, c *call.Call) error {
		made, err := w.Authenticators.Enroll(ctx, c, id, authenticator.New{
			Name: "Phone", PublicKey: d.PublicKey(), Signature: d.Sign(authenticator.EnrollMessage(c.Tenant.ID, id, d.PublicKey())),
		})
		d.ID, d.Secret = made.Device.ID, made.Secret
		return err
	})
	return d
}

// Clock tells the world's time.
func (w *World) Clock() time.Time { return w.Now }

// Answer gives somebody a security question of their own.
func (w *World) Answer(id, text, answer string) {
	w.T.Helper()
	h, err := w.Questions.Prepare(w.T.Context(), w.Call(), question.Change{Added: []question.Added{{Text: text, Answer: answer}}})
	w.must(err)
	w.Write(func(ctx context.Context, c *call.Call) error { return w.Questions.Update(ctx, c, id, h) })
}

// Promote makes somebody a system administrator.
func (w *World) Promote(id string) {
	w.T.Helper()
	w.Write(func(ctx context.Context, c *call.Call) error {
		c.Caller = &call.Caller{Means: call.ByShell, Held: right.Held{Tenant: right.Of(right.System)}}
		return w.Roles.Add(ctx, c, role.System, role.Member{Kind: "User", ID: id})
	})
}

// Alive says whether a session token opens a session.
func (w *World) Alive(auth string) bool {
	c := w.Call()
	_, _, err := w.Sessions.Identify(w.T.Context(), c, auth)
	return err == nil
}
