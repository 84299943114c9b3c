package app

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/oauth"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of using applications.
var (
	// ErrRules is for those whom the application's own rules do not let in.
	ErrRules     = fault.New(fault.Denied, "app.rules", "The rules of the application do not allow this.")
	ErrClosed    = fault.New(fault.Denied, "app.closed", "The application has rules of its own about who may use it, which cannot be decided yet.")
	ErrNotReady  = fault.New(fault.Invalid, "app.not_ready", "The application is not configured completely.")
	ErrNoAddress = fault.New(fault.Invalid, "app.no_address", "The application has no address that a browser can open.")
	ErrSAML      = fault.New(fault.Invalid, "app.saml", "Sign-on with SAML is not available.")
)

// Holder is a person or a role whom an application is given to.
type Holder struct {
	Kind string // User, Role
	ID   string
	Name string
}

// Held is an application that somebody may use, by entries of access control lists: an administrator's rights over all
// applications put none before them.
type Held struct {
	App
	Automatic bool     // it is before them unasked
	Through   []Holder // those of the principals that it is given to, by name
}

type heldRow struct {
	Row       string `db:"row_key"`
	Kind      string `db:"kind"`
	Principal string `db:"principal"`
	Name      string `db:"name"`
	Mask      int64  `db:"mask"`
}

// What some principals are given on applications now, own entries and those of sets.
var held = dbx.Q[heldRow]("app.held", `SELECT a.row_key AS row_key, a.kind AS kind, a.principal AS principal, COALESCE(u.name, r.name, '') AS name, a.mask AS mask
	FROM rr_ace a LEFT JOIN users u ON u.tenant = a.tenant AND a.kind = 'User' AND u.id = a.principal
	LEFT JOIN role r ON r.tenant = a.tenant AND a.kind = 'Role' AND r.id = a.principal
	WHERE a.tenant = ? AND a.object = 'Application' AND a.principal = ANY(?) AND a.since <= ? AND (a.until = 0 OR a.until > ?)`)

// Held lists the applications on which principals, a person and their roles, are given View and Execute at c.Now, by name.
func (a *Apps) Held(ctx context.Context, c *call.Call, principals []string) ([]Held, error) {
	now := c.Now.UnixMilli()
	rows, err := held.All(ctx, c.Tx, c.Tenant.ID, principals, now, now)
	if err != nil {
		return nil, err
	}
	masks, through := map[string]acl.Mask{}, map[string][]Holder{}
	var ids []string
	for _, r := range rows {
		if _, seen := masks[r.Row]; !seen {
			ids = append(ids, r.Row)
		}
		masks[r.Row] |= acl.Mask(r.Mask)
		if h := (Holder{r.Kind, r.Principal, r.Name}); acl.Mask(r.Mask).Has(Execute) && !slices.Contains(through[r.Row], h) {
			through[r.Row] = append(through[r.Row], h)
		}
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return !masks[id].Has(acl.View | Execute) })
	all, err := a.some(ctx, c, ids)
	out := make([]Held, 0, len(all))
	for _, it := range all {
		by := through[it.ID]
		slices.SortFunc(by, func(x, y Holder) int { return strings.Compare(x.Name+x.ID, y.Name+y.ID) })
		out = append(out, Held{it, masks[it.ID].Has(Automatic), by})
	}
	return out, err
}

// some reads applications by their ids, by name.
func (a *Apps) some(ctx context.Context, c *call.Call, ids []string) ([]App, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := list.Rows(ctx, c.Tx, dbx.In("id", ids...), []dbx.Order{{Column: "name_key"}, {Column: "id"}}, maxApps, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	out := make([]App, 0, len(rows))
	for _, r := range rows {
		it, err := r.app()
		if err != nil {
			return nil, err
		}
		out = append(out, it)
	}
	return out, nil
}

// Use finds an application by its id, or its name, that the caller may see and use. Faults: ErrNotFound, acl.ErrDenied.
func (a *Apps) Use(ctx context.Context, c *call.Call, ref string) (App, error) {
	it, _, err := a.need(ctx, c, ref, acl.View|Execute)
	return it, err
}

// Text is a member of the record that is a text; empty where there is none.
func (it App) Text(member string) string {
	var s string
	if raw, ok := it.Members[member]; !ok || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

// Flag is a member of the record that is true or false; absent what it is without.
func (it App) Flag(member string, absent bool) bool {
	raw, ok := it.Members[member]
	if !ok {
		return absent
	}
	return string(raw) == "true"
}

// Listed says whether an application has a place on portals: it works, nobody has hidden it, and it is one for people.
func (it App) Listed() bool {
	return it.State == Active && it.Type != OAuth && it.Flag("ShowInUP", true)
}

// Rules are the application's own about who may use it and how, and the profile where none of them fits; ok is false where it has none.
// Those of an application with a profile of the authorization server are decided there, where it signs people in. Fault: ErrClosed.
func (it App) Rules() (rules json.RawMessage, fallback string, ok bool, err error) {
	switch {
	case it.closed():
		return nil, "", false, ErrClosed
	case !it.guarded() || it.Profile != nil || it.Script("PolicyScript") != "":
		return nil, "", false, nil
	}
	return it.Members["AuthRules"], it.Text("DefaultAuthProfile"), true, nil
}

// Scripted is an application whose PolicyScript decides in place of its rules, as whoever runs it sees it; ok is false where it has none, and
// where the authorization server runs it as it signs people in.
func (it App) Scripted() (out oauth.App, ok bool) {
	text := it.Script("PolicyScript")
	if text == "" || it.Profile != nil {
		return oauth.App{}, false
	}
	return oauth.App{ID: it.ID, Name: it.Name, Ruled: true, Default: it.Text("DefaultAuthProfile"), Scripts: oauth.Scripted{Policy: text, Facts: it.Facts()}}, true
}

// Address is the page that opens an application; what its rules say of somebody is another question. Faults: ErrClosed, ErrNotReady, ErrNoAddress, ErrSAML.
func (it App) Address() (string, error) {
	at := it.Location()
	switch {
	case it.closed():
		return "", ErrClosed
	case it.State != Active:
		return "", ErrNotReady
	case it.Type == SAML:
		return "", ErrSAML
	case at == "":
		return "", ErrNoAddress
	}
	return at, nil
}

// Location is the page of an application as its record has it; empty where there is none that people go to.
func (it App) Location() string {
	at := it.Text("Url")
	if it.Profile != nil {
		at = it.Profile.URL
	}
	if it.Kind != Web || it.Type == SAML || !Page(at) { // the address of a SAML application takes assertions
		return ""
	}
	return at
}

// Page says whether a text is the address of a page: absolute, with http or https.
func Page(at string) bool {
	u, err := url.Parse(at)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// Strategies of the names that people have with an application (UserNameStrategy).
const (
	ByAttribute = "ADAttribute"
	Fixed       = "Fixed"
	SetByUser   = "SetByUser"
	UseScript   = "UseScript"
)

// Strategy says how people come by their names with the application.
func (it App) Strategy() string {
	if s := it.Text("UserNameStrategy"); s != "" {
		return s
	}
	return ByAttribute
}

// Common is the name and the password that everybody uses an application with, where its administrators let people see them.
// What its rules say of somebody is another question. ErrClosed where nobody can decide them.
func (a *Apps) Common(ctx context.Context, c *call.Call, it App) (name, password string, err error) {
	if it.Strategy() != Fixed || !it.Flag("AllowViewFixedCredentials", false) {
		return "", "", nil
	}
	if it.closed() {
		return "", "", ErrClosed
	}
	if it.password != "" {
		plain, err := a.Open(ctx, c, passwordPurpose, it.ID, it.password)
		if err != nil {
			return "", "", err
		}
		password = string(plain)
	}
	return it.FixedName(), password, nil
}

// FixedName is the name that everybody has with the application.
func (it App) FixedName() string {
	if s := it.Text("UserNameArg"); s != "" {
		return s
	}
	return it.Text("Username")
}

// gone has others forget an application that is deleted.
func (a *Apps) gone(ctx context.Context, c *call.Call, id string) error {
	var err error
	for _, f := range a.Gone {
		err = errors.Join(err, f(ctx, c, id))
	}
	return err
}
