// Package dynamic has scripts decide who is in dynamic roles (roles.yaml, head and n 163, 164). A script runs for everybody
// when it is set, and for one person when something changes that it read. What it decided is an ordinary membership: whoever asks
// what somebody holds pays nothing for it, and nobody waits for a script. A script that fails leaves everybody where they are,
// and is tried again.
package dynamic

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/lease"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of scripts.
var (
	ErrStatic = fault.New(fault.Invalid, "dynamic.static", "The role is not dynamic: its members are listed.")
	ErrLarge  = fault.New(fault.TooLarge, "dynamic.large", "A script may have 65536 bytes.")
	// ErrSyntax says in the compiler's words why a script does not compile.
	ErrSyntax = fault.New(fault.Invalid, "dynamic.syntax", "The script does not compile.")
	ErrMany   = fault.New(fault.Conflict, "dynamic.many", "A tenant may have 200 scripts.")
	ErrPerson = fault.New(fault.NotFound, "dynamic.person", "The requested data or its dependent data was not found in the service.")
	// ErrShare says when scripts run again.
	ErrShare = fault.New(fault.Limited, "dynamic.share", "The scripts of this tenant have used their time of this minute. Please try again later.")
)

// Bounds.
const (
	MaxScript  = 64 << 10
	maxScripts = 200
	batch      = 100 // people of one run, and of one transaction
)

// What scripts read besides properties; the names are those of the engine.
const (
	roles = "(roles)"
	clock = "(clock)"
	all   = "*"
	// unjudged stands beside them until everybody has been judged once: what the script reads is not known before.
	unjudged = "(unjudged)"
)

// Batch is one script and whom it is to judge.
type Batch struct {
	Tenant string
	Script string
	People []Person
	Roles  []role.Role // all of the tenant
	Now    time.Time
	Trace  bool
	Pass   bool // a part of judging everybody, which leaves time for those of whom something changes meanwhile
}

// Person is somebody as scripts see them. A property is nil, a string, a number, a bool or a time.Time.
type Person struct {
	ID, Name, Display, Mail, Org string
	Properties                   map[string]any
	Roles                        []string // ids
}

// Verdict is what a script said about one person.
type Verdict struct {
	Member *bool  // nil for nothing, null, or an error
	Error  string // empty when it did not fail
	Trace  []string
	Read   []string
}

// Script is the script of a role. That it judges everybody is a pass.
type Script struct {
	Role     string `db:"role"`
	Text     string `db:"script"`
	Revision int64  `db:"revision"`
	Error    string `db:"error"`  // why it failed last; empty: it did not
	Failed   int64  `db:"failed"` // ms since 1970 UTC
	Told     int64  `db:"told"`
	Wanted   int64  `db:"wanted"` // counts the wishes for a pass
	Done     int64  `db:"done"`   // the last wish that was fulfilled
	Pass     int64  `db:"pass"`   // the wish that is being fulfilled; 0: none
	Judged   string `db:"judged"` // the last person of that pass
	Tries    int64  `db:"tries"`  // passes in a row that failed for somebody
}

// Scripts are the scripts of the call's tenant. The exported fields are set in internal/app.
type Scripts struct {
	DB     *dbx.DB
	Roles  *role.Roles
	Leases *lease.Leases // elects the node that has scripts judge; each needs some for itself only to try them
	Log    *slog.Logger  // slog.Default when nil
	// Judge runs a script for people. A fault of kind Invalid or TooLarge is the script's; ErrShare and faults of kind
	// Unavailable pass.
	Judge func(ctx context.Context, b Batch) ([]Verdict, error)
	// Write runs f in a transaction of the tenant that stores the events of its call.
	Write func(ctx context.Context, tenant string, f func(ctx context.Context, c *call.Call) error) error
	// Free says whether people may choose to be in roles that carry rights, by what they change of themselves. Nil: no.
	Free func(ctx context.Context, c *call.Call) (bool, error)
	// Failed tells administrators, in the transaction that notes it, that a script failed. May be nil.
	Failed func(ctx context.Context, c *call.Call, r role.Role, why string) error
	// MaxWait is how many people of a tenant who changed wait for time of their own; 10,000 when 0. The scripts that more would wait
	// for judge everybody.
	MaxWait int

	once  sync.Once
	bell  chan struct{}
	mu    sync.Mutex
	rest  map[string]rest      // tenants whose scripts are not tried for a while
	pause map[string]time.Time // tenants whose passes have used their time, and until when
	part  map[string]progress  // tenants with people who were judged by some scripts and wait for others
	busy  map[string]bool
	anew  map[string]bool // tenants whose settings changed
}

const columns = `role, script, revision, error, failed, told, wanted, done, pass, judged, tries`

var (
	ofTenant = dbx.Q[Script]("dynamic.all", `SELECT `+columns+` FROM role_script WHERE tenant = ?`)
	ofRole   = dbx.Q[Script]("dynamic.one", `SELECT `+columns+` FROM role_script WHERE tenant = ? AND role = ?`)
	lock     = dbx.Q[Script]("dynamic.lock", `SELECT `+columns+` FROM role_script WHERE tenant = ? AND role = ? FOR UPDATE`)
	store    = dbx.E("dynamic.store", `INSERT INTO role_script (tenant, role, script, revision, error, failed, told, changed) VALUES (?, ?, ?, 1, '', 0, 0, ?)
		ON CONFLICT (tenant, role) DO UPDATE SET script = excluded.script, revision = role_script.revision + 1, error = '', failed = 0,
		changed = excluded.changed, wanted = role_script.wanted + 1, pass = 0, judged = '', due = 0, tries = 0`)
	// fail has the script judge everybody again later, unless that is about to happen.
	fail = dbx.E("dynamic.fail", `UPDATE role_script SET error = ?, failed = ?, told = revision, due = CASE WHEN wanted = done THEN ? ELSE due END,
		tries = CASE WHEN wanted = done THEN tries + 1 ELSE tries END, wanted = CASE WHEN wanted = done THEN wanted + 1 ELSE wanted END
		WHERE tenant = ? AND role = ?`)
	drop = dbx.E("dynamic.drop", `DELETE FROM role_script WHERE tenant = ? AND role = ?`)

	reads     = dbx.Q[readRow]("dynamic.reads", `SELECT role, name FROM role_script_read WHERE tenant = ?`)
	addRead   = dbx.E("dynamic.addRead", `INSERT INTO role_script_read (tenant, role, name) VALUES (?, ?, ?) ON CONFLICT (tenant, role, name) DO NOTHING`)
	dropReads = dbx.E("dynamic.dropReads", `DELETE FROM role_script_read WHERE tenant = ? AND role = ?`)
	dropRead  = dbx.E("dynamic.dropRead", `DELETE FROM role_script_read WHERE tenant = ? AND role = ? AND name = ?`)
)

type readRow struct {
	Role string `db:"role"`
	Name string `db:"name"`
}

// Of gives the script of a role; the zero Script when it has none yet.
func (s *Scripts) Of(ctx context.Context, c *call.Call, roleID string) (Script, error) {
	out, err := ofRole.One(ctx, c.Tx, c.Tenant.ID, roleID)
	if errors.Is(err, dbx.ErrNoRow) {
		return Script{}, nil
	}
	return out, err
}

// Check says whether a script compiles. It is slow enough not to belong into a transaction.
func (s *Scripts) Check(ctx context.Context, tenant, text string) error {
	if len(text) > MaxScript {
		return ErrLarge
	}
	_, err := s.Judge(ctx, Batch{Tenant: tenant, Script: text})
	if f := fault.Of(err); f != nil && f.Kind == fault.Invalid { // or it broke the compiler
		return ErrSyntax.At("Script").Say("%s", f.Public)
	}
	return err
}

// Set gives a dynamic role a script that compiles, and has it judge everybody. A script makes members, so the caller must
// hold what the role carries. Faults: those of role.Roles.Fills, ErrStatic, ErrMany.
func (s *Scripts) Set(ctx context.Context, c *call.Call, r role.Role, text string) error {
	if r.Kind != role.Dynamic {
		return ErrStatic
	}
	if err := s.Roles.Fills(ctx, c, r.ID); err != nil {
		return err
	}
	have, err := ofTenant.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return err
	}
	old, err := s.Of(ctx, c, r.ID)
	if err != nil {
		return err
	}
	if old.Revision == 0 && len(have) >= maxScripts {
		return ErrMany
	}
	if _, err := store.Do(ctx, c.Tx, c.Tenant.ID, r.ID, text, c.Now.UnixMilli()); err != nil {
		return err
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = r.ID, "Role", r.Name
		call.Changed(c.Event, "Script", old.Text, text)
	}
	if err := s.warn(ctx, c, r.ID, text); err != nil {
		return err
	}
	// Until everybody has been judged nobody knows what it reads.
	if _, err := dropReads.Do(ctx, c.Tx, c.Tenant.ID, r.ID); err != nil {
		return err
	}
	if _, err := addRead.Do(ctx, c.Tx, c.Tenant.ID, r.ID, unjudged); err != nil {
		return err
	}
	c.Tx.After(s.wake)
	if len(have) > 0 {
		return nil
	}
	return s.twice(ctx, c)
}

// Drop removes the script of a role that is being deleted.
func (s *Scripts) Drop(ctx context.Context, c *call.Call, roleID string) error {
	for _, e := range []dbx.Exec{dropReads, drop} {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, roleID); err != nil {
			return err
		}
	}
	return nil
}

// failed notes that a script failed, and tells administrators once for each revision. It is tried again, for what it failed of may
// be the server's: too little time on a busy machine, a process that was killed.
func (s *Scripts) failed(ctx context.Context, c *call.Call, is Script, why string) error {
	again := c.Now.Add(patience(is.Tries)).UnixMilli()
	if _, err := fail.Do(ctx, c.Tx, why, c.Now.UnixMilli(), again, c.Tenant.ID, is.Role); err != nil || is.Told == is.Revision {
		return err
	}
	return s.tell(ctx, c, is.Role, why)
}

// tell leaves the event of a failure and writes to the administrators.
func (s *Scripts) tell(ctx context.Context, c *call.Call, roleID, why string) error {
	r, err := s.Roles.Get(ctx, c, roleID)
	if err != nil {
		return err
	}
	e := c.Record(audit.RoleScriptFail)
	e.Outcome, e.Target, e.Kind, e.Name = "failed", r.ID, "Role", r.Name
	e.Set("Exception", why)
	if s.Failed == nil {
		return nil
	}
	return s.Failed(ctx, c, r, why)
}
