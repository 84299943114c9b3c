package vault

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of ways to log on.
var (
	ErrMethodOff  = fault.New(fault.Denied, "vault.method_off", "This way to log on is not enabled.")
	ErrNoMethod   = fault.New(fault.NotFound, "vault.no_method", "There is no such way to log on.")
	ErrMethodHas  = fault.New(fault.Exists, "vault.method_has", "There is a way to log on with this id.")
	ErrMethodMain = fault.New(fault.Invalid, "vault.method_main", "The way to log on cannot be removed. It can be disabled.")
	ErrMethods    = fault.New(fault.Conflict, "vault.methods", "There are as many ways to log on as there may be.")
)

// maxMethods is how many ways to log on there are at most.
const maxMethods = 50

// Method is a way to log on.
type Method struct {
	ID            string `db:"id"`
	Gone          bool   `db:"gone"` // one of those at first that was removed
	Name          string `db:"name"`
	Enabled       bool   `db:"enabled"`
	Mobile        bool   `db:"mobile"`
	Logoff        string `db:"logoff"`
	SignInLabel   string `db:"sign_in_label"`
	UserLabel     string `db:"user_label"`
	PasswordLabel string `db:"password_label"`
}

// MethodWish is what a way to log on is to be; nil: as it is, and at first with nothing said.
type MethodWish struct {
	Name, Logoff, SecondFactor, SignInLabel, UserLabel, PasswordLabel *string
	Enabled, Mobile                                                   *bool
}

// first are the ways to log on that there are before anybody has said anything.
var first = []Method{{ID: LogonCyberArk, Name: "CyberArk", Enabled: true}, {ID: LogonRadius, Name: "RADIUS", Enabled: true}}

// spoken are the ways to log on that there is code for; no other can be enabled.
var spoken = []string{LogonCyberArk, LogonRadius, LogonPKI, LogonPKIPN}

const methodColumns = `id, gone, name, enabled, mobile, logoff, sign_in_label, user_label, password_label`

var (
	allMethods = dbx.Q[Method]("vault.methods", `SELECT `+methodColumns+` FROM vault_method WHERE tenant = ? ORDER BY id_key`)
	keepMethod = dbx.E("vault.keep_method", `INSERT INTO vault_method (tenant, id_key, `+methodColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, id_key) DO UPDATE SET id = excluded.id, gone = excluded.gone, name = excluded.name, enabled = excluded.enabled, mobile = excluded.mobile,
		logoff = excluded.logoff, sign_in_label = excluded.sign_in_label, user_label = excluded.user_label, password_label = excluded.password_label`)
	dropMethod = dbx.E("vault.drop_method", `DELETE FROM vault_method WHERE tenant = ? AND id_key = ?`)
)

// Methods gives the ways to log on, by their ids. No organization has its own, and whoever may know of one may know of all.
func Methods(ctx context.Context, c *call.Call) ([]Method, error) {
	rows, err := allMethods.All(ctx, c.Tx, c.Tenant.ID)
	for _, f := range first {
		if !slices.ContainsFunc(rows, func(m Method) bool { return m.is(f.ID) }) {
			rows = append(rows, f)
		}
	}
	rows = slices.DeleteFunc(rows, func(m Method) bool { return m.Gone })
	slices.SortFunc(rows, func(a, b Method) int { return strings.Compare(fold.Key(a.ID), fold.Key(b.ID)) })
	return rows, err
}

func (m Method) is(id string) bool { return fold.Key(m.ID) == fold.Key(id) }

// MethodOf gives a way to log on, whatever the case of its id. Fault: ErrNoMethod.
func MethodOf(ctx context.Context, c *call.Call, id string) (Method, error) {
	all, err := Methods(ctx, c)
	if err != nil {
		return Method{}, err
	}
	i := slices.IndexFunc(all, func(m Method) bool { return m.is(id) })
	if i < 0 {
		return Method{}, ErrNoMethod
	}
	return all[i], nil
}

// Open says whether people may log on in a way. Fault: ErrMethodOff.
func Open(ctx context.Context, c *call.Call, id string) error {
	m, err := MethodOf(ctx, c, id)
	if f := fault.Of(err); f != nil && f.Code == ErrNoMethod.Code || err == nil && !m.Enabled {
		return ErrMethodOff
	}
	return err
}

var methodID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$`)

// AddMethod adds a way to log on. Faults: ErrValue, ErrMethodHas, ErrMethods.
func (v *Vault) AddMethod(ctx context.Context, c *call.Call, id string, w MethodWish) (Method, error) {
	if !methodID.MatchString(id) {
		return Method{}, ErrValue.At("id").Say("id must have 1 to 50 letters, digits, dots, hyphens and underscores.")
	}
	if err := v.Roles.Touch(ctx, c); err != nil { // one change of the kind at a time
		return Method{}, err
	}
	all, err := Methods(ctx, c)
	switch {
	case err != nil:
		return Method{}, err
	case slices.ContainsFunc(all, func(m Method) bool { return m.is(id) }):
		return Method{}, ErrMethodHas
	case len(all) >= maxMethods:
		return Method{}, ErrMethods
	}
	return w.store(ctx, c, Method{ID: id})
}

// ChangeMethod changes a way to log on. Faults: ErrNoMethod, ErrValue.
func (v *Vault) ChangeMethod(ctx context.Context, c *call.Call, id string, w MethodWish) (Method, error) {
	if err := v.Roles.Touch(ctx, c); err != nil {
		return Method{}, err
	}
	m, err := MethodOf(ctx, c, id)
	if err != nil {
		return m, err
	}
	return w.store(ctx, c, m)
}

// RemoveMethod removes a way to log on. Faults: ErrNoMethod, ErrMethodMain.
func (v *Vault) RemoveMethod(ctx context.Context, c *call.Call, id string) error {
	if err := v.Roles.Touch(ctx, c); err != nil {
		return err
	}
	m, err := MethodOf(ctx, c, id)
	switch {
	case err != nil:
		return err
	case m.is(LogonCyberArk):
		return ErrMethodMain
	}
	methodNoted(c, m)
	if !slices.ContainsFunc(first, func(f Method) bool { return f.is(id) }) {
		_, err = dropMethod.Do(ctx, c.Tx, c.Tenant.ID, fold.Key(m.ID))
		return err
	}
	return Method{ID: m.ID, Gone: true}.keep(ctx, c)
}

// store makes a way to log on what is wished, and notes in the event how it differs.
func (w MethodWish) store(ctx context.Context, c *call.Call, was Method) (Method, error) {
	m, err := w.over(was)
	if err != nil {
		return m, err
	}
	methodNoted(c, m)
	if e := c.Event; e != nil {
		call.Changed(e, "DisplayName", was.Name, m.Name)
		call.Changed(e, "Enabled", was.Enabled, m.Enabled)
		call.Changed(e, "MobileEnabled", was.Mobile, m.Mobile)
		call.Changed(e, "LogoffUrl", was.Logoff, m.Logoff)
		call.Changed(e, "SignInLabel", was.SignInLabel, m.SignInLabel)
		// The audit trail takes no names that look like those of secrets.
		call.Changed(e, "FirstFieldLabel", was.UserLabel, m.UserLabel)
		call.Changed(e, "SecondFieldLabel", was.PasswordLabel, m.PasswordLabel)
	}
	return m, m.keep(ctx, c)
}

func (m Method) keep(ctx context.Context, c *call.Call) error {
	_, err := keepMethod.Do(ctx, c.Tx, c.Tenant.ID, fold.Key(m.ID), m.ID, m.Gone, m.Name, m.Enabled, m.Mobile, m.Logoff, m.SignInLabel, m.UserLabel,
		m.PasswordLabel)
	return err
}

func methodNoted(c *call.Call, m Method) {
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name = m.ID, "LogonMethod", cmp.Or(m.Name, m.ID)
	}
}

// over puts what is wished over what is there. Faults: ErrValue.
func (w MethodWish) over(m Method) (Method, error) {
	for _, f := range [...]struct {
		name string
		in   *string
		to   *string
		most int
	}{
		{"displayName", w.Name, &m.Name, 50}, {"logoffUrl", w.Logoff, &m.Logoff, 500}, {"signInLabel", w.SignInLabel, &m.SignInLabel, 100},
		{"usernameFieldLabel", w.UserLabel, &m.UserLabel, 50}, {"passwordFieldLabel", w.PasswordLabel, &m.PasswordLabel, 50},
	} {
		if f.in == nil {
			continue
		}
		if utf8.RuneCountInString(*f.in) > f.most || !utf8.ValidString(*f.in) || strings.ContainsFunc(*f.in, unicode.IsControl) {
			return m, ErrValue.At(f.name).Say("%s can have %d characters, in one line.", f.name, f.most)
		}
		*f.to = strings.TrimSpace(*f.in)
	}
	if u, err := url.Parse(m.Logoff); m.Logoff != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil) {
		return m, ErrValue.At("logoffUrl").Say("logoffUrl must be an address with https.")
	}
	if w.SecondFactor != nil && *w.SecondFactor != "" {
		return m, ErrValue.At("secondFactorAuth").Say("secondFactorAuth must be empty: policies say who is asked for a second factor, and radius asks for it.")
	}
	if w.Enabled != nil {
		m.Enabled = *w.Enabled
	}
	if w.Mobile != nil {
		m.Mobile = *w.Mobile
	}
	if m.Enabled && !slices.ContainsFunc(spoken, m.is) {
		return m, ErrValue.At("enabled").Say("Logons by %s cannot be enabled here. Those by %s can.", m.ID, strings.Join(spoken, ", "))
	}
	return m, nil
}
