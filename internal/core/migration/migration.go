// Package migration takes passwords over from an old system, one at a time: who signs in with a password that is not known here is looked up
// there, by a script of the tenant's (core/inquiry). Where the old system says that the password is right, it is hashed and kept here, and the old
// system is not asked about that person again.
//
// It is as good as a way to guess passwords of the old system, so guesses are counted as all others are, before and after. That nobody learns by
// the time it takes for whom the old system is asked, every wrong password takes as long as the old system may take, whether it is asked or not.
package migration

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/inquiry"
	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// Purpose is that of the key which the old system's key is sealed with.
const Purpose = "password migration"

// Names are the functions of the script: what to send, and what the answer means.
var Names = []string{"request", "verdict"}

// DefaultScript is the script where the tenant has none of its own.
const DefaultScript = `// What to send to the old system. user.password stands for the password, which only the program knows.
function request(user) {
    return {json: {username: user.name, password: user.password}};
}

// Whether the answer says that the password is right: true or false.
function verdict(answer, user) {
    return answer.status === 200 && answer.json !== null && answer.json.valid === true;
}
`

// Migrations takes passwords over. Its exported fields are set in internal/app.
type Migrations struct {
	Ring      *crypt.Ring
	People    *user.Directory
	Passwords password.Passwords
	Asker     *inquiry.Asker
	// Plain says whether somebody holds no right to administrate anything: the word of another system is not enough for others.
	Plain func(ctx context.Context, c *call.Call, userID string) (bool, error)
	// Properties are the attributes that scripts see of somebody.
	Properties func(ctx context.Context, c *call.Call, u user.User) (map[string]any, error)
	// Write runs f in a transaction of the tenant, whose event is of a type.
	Write func(ctx context.Context, tenant, kind string, f func(ctx context.Context, c *call.Call) error) error
	// After is time.After when nil.
	After func(d time.Duration) <-chan time.Time

	reports inquiry.Reports
}

// Try looks at a password that is not the one in seen: true, with what is stored now, where the old system knows it to be right. It must be called
// outside of transactions; for people who do not exist it takes as long, userID being empty.
func (m *Migrations) Try(ctx context.Context, c *call.Call, userID string, seen password.Current, plain string) (password.Current, bool, error) {
	var s Setup
	if err := c.Snapshot(ctx, func() (err error) {
		s, err = m.Get(ctx, c)
		return err
	}); err != nil || !s.Enabled {
		return password.Current{}, false, err
	}
	after := m.After
	if after == nil {
		after = time.After
	}
	over := after(s.Wait())
	cur, right, err := m.look(ctx, c, s, userID, seen, plain)
	if err != nil || right {
		return cur, right, err
	}
	select {
	case <-over:
		return password.Current{}, false, nil
	case <-ctx.Done():
		return password.Current{}, false, context.Cause(ctx)
	}
}

// look asks the old system where it is to be asked, and keeps what it confirms.
func (m *Migrations) look(ctx context.Context, c *call.Call, s Setup, userID string, seen password.Current, plain string) (password.Current, bool, error) {
	if userID == "" || seen.Hash != "" || plain == "" {
		return password.Current{}, false, nil
	}
	var u user.User
	var now password.Current
	ok := false
	if err := c.Snapshot(ctx, func() (err error) {
		if u, ok, err = m.open(ctx, c, userID); err == nil {
			now, err = m.Passwords.Find(ctx, c, userID)
		}
		return err
	}); err != nil {
		return password.Current{}, false, err
	}
	if now.Version != seen.Version { // another sign-in has just brought it here
		v, err := m.Passwords.Verify(ctx, now, plain)
		return now, v.OK, err
	}
	if !ok {
		return password.Current{}, false, nil
	}
	limited, cancel := context.WithTimeout(ctx, s.Wait())
	right, err := m.ask(limited, c, s, u, plain)
	cancel()
	if ctx.Err() != nil {
		return password.Current{}, false, context.Cause(ctx)
	}
	if err != nil {
		why := inquiry.Cause(err, map[string]string{"": plain})
		return password.Current{}, false, m.tell(ctx, c, u, why)
	}
	if !right {
		return password.Current{}, false, nil
	}
	return m.keep(ctx, c, s, u, plain)
}

// open says whether somebody's password can come from the old system: of a person who may sign in, administrates nothing, and has none here.
func (m *Migrations) open(ctx context.Context, c *call.Call, userID string) (user.User, bool, error) {
	u, err := m.People.ByID(ctx, c, userID)
	if errors.Is(err, user.ErrNotFound) {
		return u, false, nil
	}
	if err != nil || u.Service || u.Barred(c.Now) {
		return u, false, err
	}
	cur, err := m.Passwords.Find(ctx, c, u.ID)
	if err != nil || cur.Hash != "" {
		return u, false, err
	}
	ok, err := m.Plain(ctx, c, u.ID)
	return u, ok, err
}

// Subject is somebody as the script sees them. What stands for a secret is another text at every question.
type Subject struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Display    string         `json:"displayName"`
	Mail       string         `json:"mail"`
	Mobile     string         `json:"mobile"`
	Properties map[string]any `json:"properties"`
	Password   string         `json:"password"` // what stands for the password
	Key        string         `json:"key"`      // what stands for the service's key
}

func (m *Migrations) ask(ctx context.Context, c *call.Call, s Setup, u user.User, plain string) (bool, error) {
	about := Subject{ID: u.ID, Name: u.Name, Display: u.Display, Mail: u.Mail, Mobile: u.Mobile, Password: rand.Text(), Key: rand.Text()}
	if err := c.Snapshot(ctx, func() (err error) {
		about.Properties, err = m.Properties(ctx, c, u)
		return err
	}); err != nil {
		return false, err
	}
	key, err := inquiry.Open(ctx, c, m.Ring, Purpose, s.Sealed)
	if err != nil {
		return false, err
	}
	service := inquiry.Service{URL: s.URL, Header: s.Header, Key: key, Script: s.Text(), Names: Names}
	said, err := m.Asker.Ask(ctx, c, service, about, map[string]string{about.Password: plain, about.Key: key})
	if err != nil {
		return false, err
	}
	var right *bool
	if json.Unmarshal(said.Result, &right) != nil || right == nil {
		return false, inquiry.ErrScript.Say("The function verdict must return true or false.")
	}
	return *right, nil
}

// keep stores a password that is right. Of two sign-ins at once the first stores it; for the other one what is stored is looked at.
func (m *Migrations) keep(ctx context.Context, c *call.Call, s Setup, u user.User, plain string) (cur password.Current, right bool, err error) {
	names := password.Names{Login: u.Name, Display: u.Display, Mail: u.Mail}
	fresh, err := m.Passwords.Prepare(ctx, c, password.Change{User: u.ID, Names: names, Plain: plain, Reset: true})
	weak := false
	if f := fault.Of(err); err != nil && f.Kind == fault.Invalid && !errors.Is(err, crypt.ErrHash) {
		weak = true
		fresh, err = m.Passwords.Prepare(ctx, c, password.Change{User: u.ID, Plain: plain, Any: true})
	}
	if err != nil {
		return cur, false, err
	}
	stored := false
	err = m.Write(ctx, c.Tenant.ID, audit.PasswordMigrate, func(ctx context.Context, w *call.Call) (err error) {
		w.Client = c.Client
		stored, err = m.put(ctx, w, s, u, fresh, weak && s.Replaces)
		return err
	})
	if err != nil && !errors.Is(err, password.ErrChanged) {
		return cur, false, err
	}
	stored = stored && err == nil
	if err = c.Snapshot(ctx, func() (err error) {
		cur, err = m.Passwords.Find(ctx, c, u.ID)
		return err
	}); err != nil || stored {
		return cur, err == nil, err
	}
	v, err := m.Passwords.Verify(ctx, cur, plain)
	return cur, v.OK, err
}

// put stores a password where all is still as it was when the old system was asked. Where it is not, that is no error: an error would come back
// before what another sign-in of the same group has stored can be read.
func (m *Migrations) put(ctx context.Context, c *call.Call, s Setup, u user.User, fresh password.New, force bool) (stored bool, err error) {
	now, err := m.Get(ctx, c)
	if err != nil {
		return false, err
	}
	again, ok, err := m.open(ctx, c, u.ID)
	if err != nil {
		return false, err
	}
	if !ok || again.Name != u.Name || now.Version != s.Version {
		c.Event = nil
		return false, nil
	}
	e := c.Event
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	e.Set("MustChange", force)
	return true, m.Passwords.Put(ctx, c, u.ID, fresh, force)
}

// tell leaves the event of a failure, one a minute for each tenant.
func (m *Migrations) tell(ctx context.Context, c *call.Call, u user.User, why string) error {
	if !m.reports.Due(c) {
		return nil
	}
	return m.Write(ctx, c.Tenant.ID, audit.PasswordMigrateFail, func(_ context.Context, w *call.Call) error {
		e := w.Event
		e.Outcome, e.Target, e.Kind, e.Name, e.User = "failed", u.ID, "User", u.Name, u.ID
		e.Set("Exception", why)
		return nil
	})
}
