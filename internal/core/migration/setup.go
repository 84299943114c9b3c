package migration

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/inquiry"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of setting up.
var (
	// ErrScript is a script that is of no use; why not is what it says.
	ErrScript = fault.New(fault.Invalid, "migration.script", "The script does not compile.")
	// ErrChanged is for a setup that was changed meanwhile.
	ErrChanged = fault.New(fault.Conflict, "migration.changed", "The migration of passwords was changed meanwhile. Please try again.")
)

// Bounds of a setup.
const (
	Least    = 500 * time.Millisecond // of what an answer may take
	Most     = 5 * time.Second
	Patience = 3 * time.Second // where nothing is set
)

// Mask stands for a key that there is.
const Mask = inquiry.Mask

// Setup is how a tenant's passwords are taken over.
type Setup struct {
	Enabled  bool   `db:"enabled"`
	URL      string `db:"url"`
	Header   string `db:"header"`
	Sealed   string `db:"sealed"`
	Script   string `db:"script"` // empty: DefaultScript
	Patience int64  `db:"patience"`
	Replaces bool   `db:"replaces"`
	Version  int64  `db:"version"` // 0: nothing is set
}

// Text is the script that counts.
func (s Setup) Text() string {
	if s.Script == "" {
		return DefaultScript
	}
	return s.Script
}

// Wait is how long an answer may take.
func (s Setup) Wait() time.Duration { return time.Duration(s.Patience) * time.Millisecond }

var (
	getRow = dbx.Q[Setup]("migration.get", `SELECT enabled, url, header, sealed, script, patience, replaces, version FROM password_migration WHERE tenant = ?`)
	addRow = dbx.E("migration.add", `INSERT INTO password_migration (tenant, enabled, url, header, sealed, script, patience, replaces, changed, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant) DO NOTHING`)
	setRow = dbx.E("migration.set", `UPDATE password_migration SET enabled = ?, url = ?, header = ?, sealed = ?, script = ?, patience = ?, replaces = ?, changed = ?,
		version = version + 1 WHERE tenant = ? AND version = ?`)
)

// Get gives the call's tenant's setup; that of version 0 where there is none.
func (m *Migrations) Get(ctx context.Context, c *call.Call) (Setup, error) {
	s, err := getRow.One(ctx, c.Tx, c.Tenant.ID)
	if errors.Is(err, dbx.ErrNoRow) {
		return Setup{Patience: Patience.Milliseconds(), Replaces: true}, nil
	}
	return s, err
}

// Wish is how it is to be. What is nil stays as it is.
type Wish struct {
	Enabled  *bool
	URL      *string
	Header   *string
	Key      *string // empty: none; Mask: as it is
	Script   *string // empty, or DefaultScript: the program's own
	Patience *int64  // ms
	Replaces *bool
}

// Ready is a setup that was looked at.
type Ready struct{ old, now Setup }

// Prepare looks at a wish: whether it fits, and whether its script compiles; it seals the key. Outside transactions. Faults: ErrScript and those of
// parameters.
func (m *Migrations) Prepare(ctx context.Context, c *call.Call, w Wish) (Ready, error) {
	var old Setup
	if err := c.Snapshot(ctx, func() (err error) {
		old, err = m.Get(ctx, c)
		return err
	}); err != nil {
		return Ready{}, err
	}
	now := w.on(old)
	if err := now.check(w); err != nil {
		return Ready{}, err
	}
	if w.Key != nil && *w.Key != Mask {
		var err error
		if now.Sealed, err = inquiry.Seal(ctx, c, m.Ring, Purpose, *w.Key); err != nil {
			return Ready{}, err
		}
	}
	if w.Script != nil || now.Enabled && !old.Enabled {
		why, err := m.Asker.Compile(ctx, c, now.Text(), Names)
		if err == nil && why != "" {
			err = ErrScript.At("Script").Say("%s", why)
		}
		if err != nil {
			return Ready{}, err
		}
	}
	return Ready{old, now}, nil
}

// on is a setup as it is wished.
func (w Wish) on(s Setup) Setup {
	set := func(to, from *bool) {
		if from != nil {
			*to = *from
		}
	}
	set(&s.Enabled, w.Enabled)
	set(&s.Replaces, w.Replaces)
	if w.Patience != nil {
		s.Patience = *w.Patience
	}
	if w.Header != nil {
		s.Header = http.CanonicalHeaderKey(strings.TrimSpace(*w.Header))
	}
	if w.URL != nil {
		if at := strings.TrimSpace(*w.URL); at != s.URL {
			s.URL, s.Sealed = at, "" // or whoever names another address would be sent the key
		}
	}
	if w.Script != nil {
		if s.Script = *w.Script; strings.TrimSpace(s.Script) == "" || s.Script == DefaultScript {
			s.Script = ""
		}
	}
	return s
}

func (s Setup) check(w Wish) error {
	key := ""
	if w.Key != nil {
		key = *w.Key
	}
	switch {
	case s.Enabled && s.URL == "":
		return fault.Missing("ApiUrl")
	case s.Patience < Least.Milliseconds() || s.Patience > Most.Milliseconds():
		return fault.Bad("TimeoutMs", "must be a whole number from %d to %d", Least.Milliseconds(), Most.Milliseconds())
	}
	return inquiry.Service{URL: s.URL, Header: s.Header, Key: key, Script: s.Script}.Check()
}

// Set stores a setup. Fault: ErrChanged.
func (m *Migrations) Set(ctx context.Context, c *call.Call, r Ready) error {
	s, at := r.now, c.Now.UnixMilli()
	var n int64
	var err error
	if r.old.Version == 0 {
		n, err = addRow.Do(ctx, c.Tx, c.Tenant.ID, s.Enabled, s.URL, s.Header, s.Sealed, s.Script, s.Patience, s.Replaces, at)
	} else {
		n, err = setRow.Do(ctx, c.Tx, s.Enabled, s.URL, s.Header, s.Sealed, s.Script, s.Patience, s.Replaces, at, c.Tenant.ID, r.old.Version)
	}
	if err == nil && n == 0 {
		err = ErrChanged
	}
	note(c.Event, r.old, s)
	return err
}

func note(e *call.Event, old, now Setup) {
	e.Target, e.Kind, e.Name = "PasswordMigration", "PasswordMigration", "PasswordMigration"
	call.Changed(e, "Enabled", old.Enabled, now.Enabled)
	call.Changed(e, "ApiUrl", old.URL, now.URL)
	call.Changed(e, "ApiKeyHeader", old.Header, now.Header)
	call.Changed(e, "Script", call.Brief(old.Script), call.Brief(now.Script))
	call.Changed(e, "TimeoutMs", old.Patience, now.Patience)
	call.Changed(e, "ReplaceWeak", old.Replaces, now.Replaces)
	if old.Sealed != now.Sealed {
		e.Change("ApiKey", old.Masked(), now.Masked())
	}
}

// Masked is Mask where there is a key, else empty.
func (s Setup) Masked() string { return inquiry.Masked(s.Sealed) }
