// Package consent is what people must agree to before they are let in: texts in versions, and proof of who agreed to which. A text stays as it
// was: another one is another version, for which everybody is asked anew. What is kept of a consent says what was shown (the version, the language
// and the digest of the text), when, to which address and program.
package consent

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/change"
	"limen/internal/core/factor"
	"limen/internal/core/inquiry"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of consents.
var (
	// ErrRequired is for who registers and has not agreed to the version that counts.
	ErrRequired = fault.New(fault.Denied, "consent.required", "Agree to the terms first.")
	// ErrNone is for consents that somebody has not given.
	ErrNone = fault.New(fault.NotFound, "consent.none", "There is no consent to withdraw.")
	// ErrScript is a script that is of no use; why not is what it says.
	ErrScript = fault.New(fault.Invalid, "consent.script", "The script does not compile.")
	// ErrChanged is for a setup that was changed meanwhile.
	ErrChanged = fault.New(fault.Conflict, "consent.changed", "What people must agree to was changed meanwhile. Please try again.")
)

// How somebody agreed.
const (
	SignUp = "SignUp"
	SignIn = "SignIn"
)

// Names are the functions of the script.
var Names = []string{"required"}

// DefaultScript is the script where the tenant has none of its own.
const DefaultScript = `// Whether somebody must agree before they are let in: true or false. consents are those that they gave before, the newest first.
function required(user, consents) {
    return true;
}
`

// Consents are those of the call's tenant. The exported fields are set in internal/app.
type Consents struct {
	DB       *dbx.DB
	Changes  *change.Log
	People   *user.Directory
	Settings *setting.Store
	Asker    *inquiry.Asker
	// Properties are the attributes that scripts can see of somebody.
	Properties func(ctx context.Context, c *call.Call, u user.User) (map[string]any, error)
	// Write runs f in a transaction of the tenant, whose event is of a type.
	Write func(ctx context.Context, tenant, kind string, f func(ctx context.Context, c *call.Call) error) error

	reports inquiry.Reports
	cache   change.Cache[Setup]
}

// Given is a consent. Times are milliseconds since 1970 UTC.
type Given struct {
	ID        string `db:"id"`
	Version   string `db:"version"`
	Language  string `db:"language"`
	Digest    string `db:"digest"` // SHA-256 of the text, in hexadecimal digits
	Means     string `db:"means"`  // SignUp or SignIn
	IP        string `db:"ip"`
	Agent     string `db:"agent"`
	Agreed    int64  `db:"agreed"`
	Withdrawn int64  `db:"withdrawn"` // 0: it is not
}

// maxGiven is how many consents of a person are read: the newest ones.
const maxGiven = 500

var (
	ofUser = dbx.Q[Given]("consent.of_user", `SELECT id, version, language, digest, means, ip, agent, agreed, withdrawn FROM consent
		WHERE tenant = ? AND user_id = ? ORDER BY agreed DESC, id DESC LIMIT ?`)
	holds = dbx.Q[int64]("consent.holds", `SELECT COUNT(*) FROM consent WHERE tenant = ? AND user_id = ? AND version = ? AND withdrawn = 0`)
	add   = dbx.E("consent.add", `INSERT INTO consent (tenant, user_id, id, version, language, digest, means, ip, agent, agreed, withdrawn)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`)
	withdraw = dbx.E("consent.withdraw", `UPDATE consent SET withdrawn = ? WHERE tenant = ? AND user_id = ? AND withdrawn = 0`)
	drop     = dbx.E("consent.drop", `DELETE FROM consent WHERE tenant = ? AND user_id = ?`)
)

// Of gives the consents of a person, the newest first.
func (k *Consents) Of(ctx context.Context, c *call.Call, userID string) ([]Given, error) {
	return ofUser.All(ctx, c.Tx, c.Tenant.ID, userID, maxGiven)
}

// Due gives what a person must agree to yet; false: nothing. Programs need not agree. waived is a version to which the script said that they need
// not agree.
func (k *Consents) Due(ctx context.Context, c *call.Call, u user.User, waived string) (factor.Terms, bool, error) {
	s, err := k.Get(ctx, c)
	if err != nil || !s.Enabled || u.ID == "" || u.Service || u.OAuthClient || waived != "" && waived == s.Version {
		return factor.Terms{}, false, err
	}
	n, err := holds.One(ctx, c.Tx, c.Tenant.ID, u.ID, s.Version)
	if err != nil || n > 0 {
		return factor.Terms{}, false, err
	}
	d, err := k.Document(ctx, c, s.Version, u.Culture)
	return factor.Terms{Version: s.Version, Language: d.Language, URL: s.URL}, true, err
}

// Document gives the text of a version in the language that comes next to a wanted one, or to the tenant's where none is wanted.
func (k *Consents) Document(ctx context.Context, c *call.Call, version, wanted string) (Document, error) {
	all, err := documents.All(ctx, c.Tx, c.Tenant.ID, version)
	if err != nil || len(all) == 0 {
		return Document{}, errors.Join(err, ErrChanged)
	}
	v, err := k.Settings.Get(ctx, c)
	if err != nil {
		return Document{}, err
	}
	var tags []language.Tag
	for _, d := range all {
		tags = append(tags, language.Make(d.Language))
	}
	for _, want := range []string{wanted, v.Language} {
		if tag, err := language.Parse(want); err == nil {
			if _, at, sure := language.NewMatcher(tags).Match(tag); sure > language.No {
				return all[at], nil
			}
		}
	}
	return all[0], nil
}

// Current gives what counts now, in a language; false: nothing has to be agreed to.
func (k *Consents) Current(ctx context.Context, c *call.Call, wanted string) (Setup, Document, bool, error) {
	s, err := k.Get(ctx, c)
	if err != nil || !s.Enabled {
		return s, Document{}, false, err
	}
	d, err := k.Document(ctx, c, s.Version, wanted)
	return s, d, err == nil, err
}

// maxAgent is how much is kept of what a program calls itself, in bytes.
const maxAgent = 500

// Give keeps that a person agreed to a version, as it was shown in a language. Fault: ErrRequired where that version is not the one that counts.
func (k *Consents) Give(ctx context.Context, c *call.Call, u user.User, means string, t factor.Terms) error {
	s, err := k.Get(ctx, c)
	if err != nil {
		return err
	}
	if t.Version == "" || t.Version != s.Version {
		return ErrRequired.Say("Agree to version %s of the terms first.", s.Version)
	}
	d, err := k.Document(ctx, c, t.Version, t.Language)
	if err != nil {
		return err
	}
	from := ""
	if ip := c.Client.IP.Unmap(); ip.IsValid() {
		from = ip.String()
	}
	agent := strings.ToValidUTF8(c.Client.UserAgent[:min(len(c.Client.UserAgent), maxAgent)], "")
	if _, err := add.Do(ctx, c.Tx, c.Tenant.ID, u.ID, c.NewID(), d.Version, d.Language, d.Digest, means, from, agent, c.Now.UnixMilli()); err != nil {
		return err
	}
	e := c.Record(audit.ConsentGive)
	e.Target, e.Kind, e.Name, e.User, e.Login = d.Version, "Terms", d.Version, u.ID, u.Name
	e.Set("Language", d.Language)
	e.Set("Digest", d.Digest)
	e.Set("Means", means)
	return nil
}

// Withdraw takes back all that a person agreed to; they are asked again before they are let in again. Fault: ErrNone.
func (k *Consents) Withdraw(ctx context.Context, c *call.Call, u user.User) error {
	all, err := k.Of(ctx, c, u.ID)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(g Given) bool { return g.Withdrawn != 0 })
	n, err := withdraw.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, u.ID)
	if err != nil || n == 0 {
		return errors.Join(err, ErrNone)
	}
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	for _, g := range all {
		e.Change(g.Version, "agreed", "withdrawn")
	}
	return nil
}

// Drop forgets the consents of somebody who is deleted.
func (k *Consents) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// Waived asks the script whether a person must agree, and gives the version to which they need not; empty: they must, or nothing is due. It must be
// called outside of transactions. Where the script fails they must, and administrators find out why among the events.
func (k *Consents) Waived(ctx context.Context, c *call.Call, userID string) (string, error) {
	var s Setup
	var given []Given
	var who map[string]any
	due := false
	err := c.Snapshot(ctx, func() (err error) {
		if s, err = k.Get(ctx, c); err != nil || !s.Enabled || s.Script == "" {
			return err
		}
		u, err := k.People.ByID(ctx, c, userID)
		if err != nil {
			return err
		}
		if _, due, err = k.Due(ctx, c, u, ""); err != nil || !due {
			return err
		}
		if given, err = k.Of(ctx, c, userID); err == nil {
			who, err = k.subject(ctx, c, s, u)
		}
		return err
	})
	if err != nil || !due {
		return "", err
	}
	said, err := k.Asker.Call(ctx, c, s.Script, Names, Names[0], who, shown(given))
	var must *bool
	if err == nil && (json.Unmarshal(said.Result, &must) != nil || must == nil) {
		err = inquiry.ErrScript.Say("The function required must return true or false.")
	}
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case err != nil:
		return "", k.tell(ctx, c, inquiry.Cause(err, nil))
	case *must:
		return "", nil
	}
	return s.Version, nil
}

// subject is a person as the script sees them: the attributes that administrators have named, besides what everybody has.
func (k *Consents) subject(ctx context.Context, c *call.Call, s Setup, u user.User) (map[string]any, error) {
	all, err := k.Properties(ctx, c, u)
	seen := map[string]any{}
	for name, v := range all {
		if slices.ContainsFunc(s.Seen(), func(want string) bool { return strings.EqualFold(want, name) }) {
			seen[name] = v
		}
	}
	return map[string]any{"id": u.ID, "name": u.Name, "displayName": u.Display, "culture": u.Culture, "properties": seen}, err
}

func shown(given []Given) []map[string]any {
	out := []map[string]any{}
	for _, g := range given[:min(len(given), 50)] {
		out = append(out, map[string]any{"version": g.Version, "language": g.Language, "agreedOn": g.Agreed, "withdrawn": g.Withdrawn != 0})
	}
	return out
}

// tell leaves the event of a failure, one a minute for each tenant.
func (k *Consents) tell(ctx context.Context, c *call.Call, why string) error {
	if !k.reports.Due(c) {
		return nil
	}
	return k.Write(ctx, c.Tenant.ID, audit.ConsentFail, func(_ context.Context, w *call.Call) error {
		w.Event.Outcome, w.Event.Target, w.Event.Kind, w.Event.Name = "failed", "Consent", "Consent", "Consent"
		w.Event.Set("Exception", why)
		return nil
	})
}
