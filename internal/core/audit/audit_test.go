package audit_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

const tenant = "ABC1234"

// bench is a store with an audit log whose checkpoints are signed by a key of the test.
type bench struct {
	*audit.Log
	t  *testing.T
	db *dbx.DB
}

func newBench(t *testing.T, db *dbx.DB) *bench {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, db: db, Log: &audit.Log{DB: db, Node: "n1", Strict: true, Leases: &lease.Leases{DB: db, Node: "n1"}, Age: time.Millisecond,
		Sign: func(_ context.Context, _ string, message []byte) (string, []byte, error) {
			return "k1", ed25519.Sign(private, message), nil
		},
		Check: func(_ context.Context, _, key string, message, signature []byte) (bool, error) {
			return key == "k1" && ed25519.Verify(public, message, signature), nil
		}}}
}

func each(t *testing.T, f func(t *testing.T, b *bench)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) { f(t, newBench(t, dbxtest.Fresh(t, e))) })
	}
}

func newCall(tx *dbx.Tx) *call.Call {
	return &call.Call{ID: "req", Tenant: call.Tenant{ID: tenant}, Now: time.Now(), Rand: rand.Reader, Tx: tx,
		Caller: &call.Caller{User: "u1", Name: "ann@example.com", Session: "s1"},
		Client: call.Client{IP: netip.MustParseAddr("::ffff:192.0.2.7"), UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)"}}
}

// write records events in a transaction.
func (b *bench) write(f func(c *call.Call)) error {
	return b.db.Write(b.t.Context(), func(tx *dbx.Tx) error {
		c := newCall(tx)
		f(c)
		return b.Record(b.t.Context(), c)
	})
}

// add records n events and gives their ids.
func (b *bench) add(n int) (ids []string) {
	b.t.Helper()
	for range n {
		if err := b.write(func(c *call.Call) {
			e := c.Record(audit.UserChange)
			e.Target, e.Kind, e.Name = "u2", "User", "bob@example.com"
			ids = append(ids, e.ID)
		}); err != nil {
			b.t.Fatal(err)
		}
	}
	return ids
}

func (b *bench) read(f func(c *call.Call) error) error {
	return b.db.Read(b.t.Context(), func(tx *dbx.Tx) error { return f(newCall(tx)) })
}

func TestRecord(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		var id string
		err := b.write(func(c *call.Call) {
			id = c.NewID()
			c.Event = &call.Event{ID: id, Type: audit.UserCreate, Outcome: "success", Target: "u2", Kind: "User", Name: "bob\x00\xff"}
			c.Event.Set("PasswordNeverExpire", true)
			call.Changed(c.Event, "Mail", "a@example.com", "b@example.com <>")
			c.Also = []*call.Event{{}} // no type: no event
		})
		if err != nil {
			t.Fatal(err)
		}
		var got audit.Row
		if err := b.read(func(c *call.Call) (err error) {
			got, err = b.Get(t.Context(), c, grant.All(), id)
			if err != nil {
				return err
			}
			for event, want := range map[string]bool{id: true, "other": false} {
				if ok, err := b.Happened(t.Context(), c.Tx, tenant, event); ok != want || err != nil {
					t.Errorf("Happened(%s): %v, %v", event, ok, err)
				}
			}
			_, err = b.Get(t.Context(), c, grant.Rows("u9"), id)
			if !errors.Is(err, audit.ErrNotFound) {
				t.Error("an event of somebody else:", err)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		want := audit.Row{Tenant: tenant, ID: id, At: got.At, Type: audit.UserCreate, Outcome: "success", Actor: "u1", ActorName: "ann@example.com",
			User: "u1", Login: "ann@example.com", Target: "u2", Kind: "User", Name: "bob\uFFFD\uFFFD", Message: "ann@example.com created user bob\uFFFD\uFFFD",
			IP: "192.0.2.7", Agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)", OS: "iOS", Mobile: true, Session: "s1", Request: "req", Node: "n1", Count: 1,
			Fields: `{"PasswordNeverExpire":true}`, Changes: `{"Mail":{"new":"b@example.com <>","old":"a@example.com"}}`}
		want.Hash = want.Sum()
		if string(got.Hash) != string(want.Hash) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestSecrets(t *testing.T) {
	b := newBench(t, dbxtest.Fresh(t, dbx.SQLite))
	type nested struct{ Reset struct{ NewPassword string } }
	deep := nested{}
	deep.Reset.NewPassword = "hunter2"
	for name, c := range map[string]struct {
		key    string
		value  any
		secret bool
	}{
		"text":     {"Password", "hunter2", true},
		"snake":    {"new_password", "hunter2", true},
		"bytes":    {"TotpSecret", []byte("hunter2"), true},
		"change":   {"Change", call.Change{Old: 1, New: 2}, false},
		"number":   {"OTPCode", 123456, true},
		"list":     {"Answers", []string{"hunter2"}, true},
		"nested":   {"Request", deep, true},
		"under":    {"Token", map[string]any{"Value": "hunter2"}, true},
		"flag":     {"PasswordExpired", true, false},
		"length":   {"PasswordLength", 12, false},
		"id":       {"TokenId", "hunter2", false},
		"error":    {"ErrorCode", "E1", false},
		"monkey":   {"Tokenized", "x", false},
		"empty":    {"Password", "", false},
		"nothing":  {"Secret", nil, false},
		"question": {"SecretQuestion", "pet?", false},
		"cookie":   {"/Core/Cookie/Value", "hunter2", true},
		"shown":    {"/Core/Authentication/CookieSessionLifespanHours", audit.Shown("hunter2"), false},
		"hours":    {"/Core/Authentication/CookieSessionLifespanHours", 3, false},
		"a change": {"/Core/PasswordReset/MaxTime", call.Change{Old: audit.Shown("2"), New: audit.Shown("3")}, false},
		"a secret": {"/Core/PasswordReset/ADAdminPassword", call.Change{Old: audit.Shown("2"), New: "hunter2"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var id string
			record := func(strict bool) error {
				b.Strict = strict
				return b.write(func(call *call.Call) {
					e := call.Record(audit.UserChange)
					e.Set(c.key, c.value)
					id = e.ID
				})
			}
			if err := record(true); errors.Is(err, audit.ErrSecret) != c.secret || err != nil && !c.secret {
				t.Errorf("strict: %v", err)
			}
			if err := record(false); err != nil {
				t.Fatal(err)
			}
			if err := b.read(func(call *call.Call) error {
				r, err := b.Get(t.Context(), call, grant.All(), id)
				if leaked := strings.Contains(r.Fields, "hunter2") || strings.Contains(r.Fields, "123456"); leaked && c.secret {
					t.Errorf("stored %s", r.Fields)
				}
				if masked := strings.Contains(r.Fields, "***"); masked != c.secret {
					t.Errorf("stored %s", r.Fields)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
