package outbound

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/role"
	"limen/internal/core/script"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Ways in which a target is asked.
const (
	Bearer      = "Bearer"            // a token that was made there
	Credentials = "ClientCredentials" // OAuth 2.0 client credentials (RFC 6749 section 4.4)
)

// What becomes of an account.
const (
	Disable = "Disable"
	Delete  = "Delete"
	Leave   = "Leave"
)

// How an account is changed.
const (
	Patch = "Patch"
	Put   = "Put"
)

// By what accounts are found that are there already.
const (
	ByUserName   = "userName"
	ByExternalID = "externalId"
)

// Group is a role whose members are a group there.
type Group struct {
	Role string `json:"role"` // id
	Name string `json:"name"` // displayName there; empty: the role's
}

// Settings are how a target is provisioned.
type Settings struct {
	Matching []string `json:"matching"` // ByUserName, ByExternalID
	Adopt    bool     `json:"adopt"`    // an account that is found is taken over; else it is a conflict
	Method   string   `json:"method"`   // Patch, Put
	Loss     string   `json:"loss"`     // of who may not use the application any more: Disable, Delete, Leave
	Gone     string   `json:"gone"`     // of who is deleted: Disable, Delete, Leave
	Off      string   `json:"off"`      // of who is disabled, suspended or expired: Disable, Leave
	Locked   string   `json:"locked"`   // of who is locked: Disable, Leave
	Script   string   `json:"script"`   // mapping; empty: none
	Groups   []Group  `json:"groups"`
}

// Target is where an application's people are provisioned to.
type Target struct {
	App      string
	Base     string
	Auth     string
	TokenURL string
	Client   string
	Scope    string
	Settings Settings
	Reach    []string // organizations; empty: everybody
	Enabled  bool
	Revision int64
	Created  int64
	Changed  int64
	Looking  bool  // a look at everybody is wanted or under way
	Failures int64 // of the service in a row
	Hold     int64 // nothing is sent before
	Class    string
	Error    string

	tenant, secret string
	digest         string
	wanted, done   int64
	pass           int64
	at             string
}

type targetRow struct {
	Tenant   string `db:"tenant"`
	App      string `db:"app"`
	Base     string `db:"base"`
	Auth     string `db:"auth"`
	Secret   string `db:"secret"`
	TokenURL string `db:"token_url"`
	Client   string `db:"client"`
	Scope    string `db:"scope"`
	Settings string `db:"settings"`
	Reach    string `db:"reach"`
	Enabled  bool   `db:"enabled"`
	Revision int64  `db:"revision"`
	Created  int64  `db:"created"`
	Changed  int64  `db:"changed"`
	Wanted   int64  `db:"wanted"`
	Done     int64  `db:"done"`
	Pass     int64  `db:"pass"`
	At       string `db:"at"`
	Digest   string `db:"digest"`
	Failures int64  `db:"failures"`
	Hold     int64  `db:"hold"`
	Class    string `db:"class"`
	Error    string `db:"error"`
}

const targetColumns = `tenant, app, base, auth, secret, token_url, client, scope, settings, reach, enabled, revision, created, changed, wanted, done, pass, at, digest,
	failures, hold, class, error`

var (
	targetOf   = dbx.Q[targetRow]("outbound.target", `SELECT `+targetColumns+` FROM outbound_target WHERE tenant = ? AND app = ?`)
	lockTarget = dbx.Q[targetRow]("outbound.lock_target", `SELECT `+targetColumns+` FROM outbound_target WHERE tenant = ? AND app = ? FOR UPDATE`)
	targetsOf  = dbx.Q[targetRow]("outbound.targets", `SELECT `+targetColumns+` FROM outbound_target WHERE tenant = ?`)

	insertTarget = dbx.E("outbound.insert_target", `INSERT INTO outbound_target (tenant, app, base, auth, secret, token_url, client, scope, settings, reach, enabled,
		revision, created, changed, wanted, done, pass, at, due, digest, failures, hold, class, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, 1, 0, 0, '', ?, '', 0, 0, '', '') ON CONFLICT (tenant, app) DO NOTHING`)
	updateTarget = dbx.E("outbound.update_target", `UPDATE outbound_target SET base = ?, auth = ?, secret = ?, token_url = ?, client = ?, scope = ?, settings = ?, reach = ?,
		enabled = ?, revision = revision + 1, changed = ?, wanted = wanted + 1, failures = 0, hold = 0, class = '', error = '' WHERE tenant = ? AND app = ? AND revision = ?`)
	dropTarget   = dbx.E("outbound.drop_target", `DELETE FROM outbound_target WHERE tenant = ? AND app = ?`)
	dropAccounts = dbx.E("outbound.drop_accounts", `DELETE FROM outbound_account WHERE tenant = ? AND app = ?`)
	want         = dbx.E("outbound.want", `UPDATE outbound_target SET wanted = wanted + 1 WHERE tenant = ? AND app = ?`)
)

func (r targetRow) target() (Target, error) {
	t := Target{
		App: r.App, Base: r.Base, Auth: r.Auth, TokenURL: r.TokenURL, Client: r.Client, Scope: r.Scope, Enabled: r.Enabled, Revision: r.Revision, Created: r.Created,
		Changed: r.Changed, Looking: r.Wanted != r.Done, Failures: r.Failures, Hold: r.Hold, Class: r.Class, Error: r.Error,
		tenant: r.Tenant, secret: r.Secret, digest: r.Digest, wanted: r.Wanted, done: r.Done, pass: r.Pass, at: r.At,
	}
	if err := json.Unmarshal([]byte(r.Settings), &t.Settings); err != nil {
		return t, fault.ErrInternal.Because(err)
	}
	if r.Reach == "" {
		return t, nil
	}
	return t, json.Unmarshal([]byte(r.Reach), &t.Reach)
}

// texts are the JSON columns.
func (t *Target) texts() (settings, reach string, err error) {
	s, err := json.Marshal(t.Settings)
	if err != nil || len(t.Reach) == 0 {
		return string(s), "", err
	}
	r, err := json.Marshal(t.Reach)
	return string(s), string(r), err
}

// of reads a target. ErrNotFound.
func of(ctx context.Context, c *call.Call, appID string) (Target, error) {
	r, err := targetOf.One(ctx, c.Tx, c.Tenant.ID, appID)
	if errors.Is(err, dbx.ErrNoRow) {
		return Target{}, ErrNotFound
	}
	if err != nil {
		return Target{}, err
	}
	return r.target()
}

// all are the targets of the call's tenant.
func all(ctx context.Context, c *call.Call) ([]Target, error) {
	rows, err := targetsOf.All(ctx, c.Tx, c.Tenant.ID)
	out := make([]Target, len(rows))
	for i := 0; err == nil && i < len(rows); i++ {
		out[i], err = rows[i].target()
	}
	return out, err
}

// Wish is how a target is to be.
type Wish struct {
	Target
	Secret string // empty: as it is
}

// Check says whether a wish can be.
func (w *Wish) Check() error {
	w.Base = strings.TrimRight(strings.TrimSpace(w.Base), "/")
	if !address(w.Base) {
		return ErrBase.At("BaseURL")
	}
	if len(w.Secret) > 16<<10 || strings.ContainsFunc(w.Secret, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return fault.Bad("Secret", "may have 16384 bytes and no control characters")
	}
	switch w.Auth {
	case Bearer:
		if w.TokenURL != "" || w.Client != "" || w.Scope != "" {
			return fault.Bad("TokenURL", "and ClientId and Scope are for %s alone", Credentials)
		}
	case Credentials:
		if !address(w.TokenURL) {
			return ErrBase.At("TokenURL").Say("TokenURL must be an absolute https address without user, query and fragment.")
		}
		if w.Client == "" || len(w.Client) > maxText || len(w.Scope) > maxText {
			return fault.Bad("ClientId", "is required, and may have %d bytes, as Scope", maxText)
		}
	default:
		return fault.Bad("Authentication", "must be %s or %s", Bearer, Credentials)
	}
	return w.Settings.check()
}

func address(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= maxText && u.Scheme == "https" && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == "" && !u.ForceQuery
}

// check also sets what was left out.
func (s *Settings) check() error {
	if s.Matching == nil {
		s.Matching = []string{ByUserName}
	}
	for _, m := range s.Matching {
		if m != ByUserName && m != ByExternalID {
			return fault.Bad("Matching", "must be of %s and %s", ByUserName, ByExternalID)
		}
	}
	for _, f := range []struct {
		name    string
		at      *string
		choices []string
	}{
		{"Method", &s.Method, []string{Patch, Put}}, {"OnLoss", &s.Loss, []string{Disable, Delete, Leave}}, {"OnDelete", &s.Gone, []string{Disable, Delete, Leave}},
		{"OnDisable", &s.Off, []string{Disable, Leave}}, {"OnLock", &s.Locked, []string{Leave, Disable}},
	} {
		if *f.at == "" {
			*f.at = f.choices[0]
		}
		if !slices.Contains(f.choices, *f.at) {
			return fault.Bad(f.name, "must be %s", strings.Join(f.choices, " or "))
		}
	}
	if len(s.Script) > MaxScript {
		return fault.Bad("Script", "may have %d bytes", MaxScript)
	}
	if len(s.Groups) > MaxGroups {
		return fault.Bad("Groups", "may have %d roles", MaxGroups)
	}
	for i, g := range s.Groups {
		if len(g.Name) > 200 || strings.TrimSpace(g.Role) == "" {
			return fault.Bad("Groups", "need a role each, and names of 200 bytes at most")
		}
		if slices.ContainsFunc(s.Groups[:i], func(o Group) bool { return o.Role == g.Role }) {
			return fault.Bad("Groups", "name a role twice")
		}
	}
	return nil
}

// covers says whether who has a grant over people administers all whom a target is for.
func covers(g grant.Grant, reach []string) bool {
	if g.Everything() {
		return true
	}
	return len(reach) > 0 && !slices.ContainsFunc(reach, func(org string) bool { return !g.Allows("", org) })
}

// reaches says whether somebody of an organization is among those whom a target is for.
func (t *Target) reaches(ctx context.Context, c *call.Call, org string) (bool, error) {
	if len(t.Reach) == 0 {
		return true, nil
	}
	if org == "" {
		return false, nil
	}
	n, err := within.One(ctx, c.Tx, c.Tenant.ID, org, t.Reach)
	return n > 0, err
}

var within = dbx.Q[int64]("outbound.within", `SELECT COUNT(*) FROM org_below WHERE tenant = ? AND below = ? AND above = ANY(?)`)

// Get reads a target. The caller needs Admin on the application, and administers people whom it is for. Faults: app.ErrNotFound, acl.ErrDenied,
// ErrNotFound, ErrReach.
func (o *Outbound) Get(ctx context.Context, c *call.Call, g grant.Grant, ref string) (Target, error) {
	it, err := o.Apps.Editable(ctx, c, ref)
	if err != nil {
		return Target{}, err
	}
	t, err := of(ctx, c, it.ID)
	if err == nil && !covers(g, t.Reach) {
		err = ErrReach
	}
	return t, err
}

// Set makes a target, or changes it, and has everybody looked at. What the mapping can read of people is sent where the target says, so
// that it is for those people only whom the caller's grant lets them administer. The secret is kept unless it is given, or goes to another
// place. Faults: those of Get but ErrNotFound, ErrPeople, ErrSecret, ErrRole, ErrStale, fields.
func (o *Outbound) Set(ctx context.Context, c *call.Call, g grant.Grant, ref string, w Wish) (Target, error) {
	it, err := o.Apps.Editable(ctx, c, ref)
	if err != nil {
		return Target{}, err
	}
	if !g.Everything() && len(g.Orgs()) == 0 {
		return Target{}, ErrPeople
	}
	if w.Settings.Groups, err = o.groupsOf(ctx, c, w.Settings.Groups); err != nil {
		return Target{}, err
	}
	old, err := of(ctx, c, it.ID)
	fresh := errors.Is(err, ErrNotFound)
	switch {
	case err != nil && !fresh:
		return Target{}, err
	case !fresh && !covers(g, old.Reach):
		return Target{}, ErrReach
	case w.Secret == "" && (fresh || !old.same(w.Target)):
		return Target{}, ErrSecret.At("Secret")
	}
	t := w.Target
	t.App, t.Reach, t.secret, t.tenant = it.ID, g.Orgs(), old.secret, c.Tenant.ID
	if g.Everything() {
		t.Reach = nil
	}
	if w.Secret != "" {
		if t.secret, err = o.Seal(ctx, c, it.ID, []byte(w.Secret)); err != nil {
			return Target{}, err
		}
	}
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name = it.ID, "Application", it.Name
		differ(e, old, t, w.Secret != "")
	}
	if fresh {
		err = o.insert(ctx, c, t)
	} else {
		err = o.update(ctx, c, t, old.Revision)
	}
	if err != nil {
		return Target{}, err
	}
	c.Tx.After(o.wake)
	return of(ctx, c, it.ID)
}

// same says whether the secret, and what is got for it, goes where it went.
func (t *Target) same(to Target) bool {
	return t.Auth == to.Auth && t.Base == to.Base && t.TokenURL == to.TokenURL && t.Client == to.Client
}

func (o *Outbound) insert(ctx context.Context, c *call.Call, t Target) error {
	settings, reach, err := t.texts()
	if err != nil {
		return err
	}
	now := c.Now.UnixMilli()
	// A transaction that began before this one does not know that there is a target, and leaves no marks.
	n, err := insertTarget.Do(ctx, c.Tx, c.Tenant.ID, t.App, t.Base, t.Auth, t.secret, t.TokenURL, t.Client, t.Scope, settings, reach, t.Enabled, now, now,
		now+transaction.Milliseconds())
	if err == nil && n == 0 {
		err = ErrStale
	}
	return err
}

func (o *Outbound) update(ctx context.Context, c *call.Call, t Target, revision int64) error {
	settings, reach, err := t.texts()
	if err != nil {
		return err
	}
	n, err := updateTarget.Do(ctx, c.Tx, t.Base, t.Auth, t.secret, t.TokenURL, t.Client, t.Scope, settings, reach, t.Enabled, c.Now.UnixMilli(), c.Tenant.ID, t.App, revision)
	if err == nil && n == 0 {
		err = ErrStale
	}
	return err
}

// differ notes what changed; of the secret that it did.
func differ(e *call.Event, old, now Target, secret bool) {
	call.Changed(e, "BaseURL", old.Base, now.Base)
	call.Changed(e, "Authentication", old.Auth, now.Auth)
	call.Changed(e, "Endpoint", old.TokenURL, now.TokenURL)
	call.Changed(e, "ClientId", old.Client, now.Client)
	call.Changed(e, "Scope", old.Scope, now.Scope)
	call.Changed(e, "Enabled", old.Enabled, now.Enabled)
	call.Changed(e, "Organizations", strings.Join(old.Reach, " "), strings.Join(now.Reach, " "))
	was, is := old.Settings, now.Settings
	call.Changed(e, "Script", clip(was.Script), clip(is.Script))
	call.Changed(e, "Matching", strings.Join(was.Matching, " "), strings.Join(is.Matching, " "))
	call.Changed(e, "Adopt", was.Adopt, is.Adopt)
	call.Changed(e, "Method", was.Method, is.Method)
	call.Changed(e, "OnLoss", was.Loss, is.Loss)
	call.Changed(e, "OnDelete", was.Gone, is.Gone)
	call.Changed(e, "OnDisable", was.Off, is.Off)
	call.Changed(e, "OnLock", was.Locked, is.Locked)
	text := func(gs []Group) string { b, _ := json.Marshal(gs); return string(b) } // texts can always be written
	call.Changed(e, "Groups", text(was.Groups), text(is.Groups))
	if secret {
		e.Set("Sealed", []string{"secret"})
	}
}

// groupsOf finds the roles of groups, whom the caller may list: who is in them is told to the service.
func (o *Outbound) groupsOf(ctx context.Context, c *call.Call, gs []Group) ([]Group, error) {
	out := []Group{}
	for _, g := range gs {
		r, err := role.Find(ctx, c, strings.TrimSpace(g.Role))
		if errors.Is(err, role.ErrNotFound) || err == nil && !lists(c, r) {
			return nil, ErrRole.At("Groups").Say("The role %s was not found.", g.Role)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, Group{r.ID, strings.TrimSpace(g.Name)})
	}
	return out, nil
}

// Drop ends the provisioning of an application. What is there stays there. Faults: those of Get.
func (o *Outbound) Drop(ctx context.Context, c *call.Call, g grant.Grant, ref string) error {
	t, err := o.Get(ctx, c, g, ref)
	if err != nil {
		return err
	}
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name = t.App, "Application", ref
		differ(e, t, Target{}, false)
	}
	return o.AppGone(ctx, c, t.App)
}

// AppGone forgets the target and the accounts of an application that is deleted.
func (o *Outbound) AppGone(ctx context.Context, c *call.Call, appID string) error {
	for _, e := range []dbx.Exec{dropMembers, dropAccounts, dropTarget} {
		if _, err := e.Do(ctx, c.Tx, c.Tenant.ID, appID); err != nil {
			return err
		}
	}
	return nil
}

// Compile says whether a mapping script compiles. It is slow enough not to belong into a transaction. ErrScript.
func (o *Outbound) Compile(ctx context.Context, c *call.Call, text string) error {
	if text == "" {
		return nil
	}
	why, err := o.Scripts.Compile(ctx, c, script.Mapping, text)
	if err == nil && why != "" {
		err = ErrScript.At("Script").Say("%s", why)
	}
	return err
}

// clip bounds what events and receipts hold of a text.
func clip(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "?")
	const most = 2000
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
