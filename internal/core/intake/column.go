package intake

import (
	"slices"
	"strings"

	"limen/internal/fold"
	"limen/internal/wire/csvfile"
)

// column is a column that a file may have.
type column struct {
	name  string   // as the contract's template has it
	also  []string // as CreateUser and the lists of users name it
	set   func(p *Person, cell string) (why string)
	exact bool // the cell counts with the space around it
}

// Names of the columns that others ask for.
const (
	colName     = "Login Name"
	colMail     = "Email Address"
	colRoles    = "Roles"
	colPassword = "Password"
	colOrg      = "Organization"
	colSystem   = "System Administrator"
)

// columns are the twelve of the contract's template (users.yaml n 86), in its order, and behind them what CreateUser takes
// besides.
var columns = []column{
	{name: colName, also: []string{"Name", "Username", "User Name"}, set: setName},
	{name: "Display Name", set: offered(func(p *Person) *string { return &p.New.Display })},
	{name: colMail, also: []string{"Mail", "Email"}, set: setMail},
	{name: "Office Number", set: offered(func(p *Person) *string { return &p.New.Office })},
	{name: "Home Number", set: offered(func(p *Person) *string { return &p.New.Home })},
	{name: "Mobile Number", set: offered(func(p *Person) *string { return &p.New.Mobile })},
	{name: "Description", set: offered(func(p *Person) *string { return &p.New.Description })},
	{name: colRoles, set: setRoles},
	{name: colPassword, set: setPassword, exact: true},
	{name: "Require Password Change", also: []string{"ForcePasswordChangeNext"}, set: flag(func(p *Person) *bool { return &p.New.ForceChange })},
	{name: "Expiration Date", also: []string{"AccountExp"}, set: setExpires},
	{name: "Password Never Expires", also: []string{"PasswordNeverExpire"}, set: flag(func(p *Person) *bool { return &p.New.NeverExpires })},
	{name: colOrg, also: []string{"OrgPath", "Organization Path"}, set: setOrg},
	{name: "Preferred Culture", set: offered(func(p *Person) *string { return &p.New.Culture })},
	{name: "Service User", set: flag(func(p *Person) *bool { return &p.New.Service })},
	{name: "In Everybody Role", set: flag(func(p *Person) *bool { return &p.New.Everybody })},
	{name: colSystem, also: []string{"InSysAdminRole"}, set: flag(func(p *Person) *bool { return &p.New.System })},
}

// plain is a header as it is compared: without case, space and signs, so that "Email Address" is "email_address".
func plain(s string) string {
	return fold.Key(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \u00a0_-*.", r) {
			return -1
		}
		return r
	}, s))
}

func find(header string) *column {
	key := plain(header)
	for i := range columns {
		c := &columns[i]
		if plain(c.name) == key || slices.ContainsFunc(c.also, func(s string) bool { return plain(s) == key }) {
			return c
		}
	}
	return nil
}

// head finds the columns of a header, and what is wrong with it: columns that nobody knows, those given twice, and those
// that are missing.
func head(t csvfile.Table) ([]*column, []Problem) {
	var out []*column
	var bad []Problem
	line := 1
	for _, h := range t.Header {
		c := find(h)
		switch {
		case c == nil && h == "":
			bad = append(bad, Problem{Line: line, Why: "has a column without a name"})
		case c == nil:
			bad = append(bad, Problem{Line: line, Column: h, Why: "is not known; delete it, or rename it to one of: " + names()})
		case slices.Contains(out, c):
			bad = append(bad, Problem{Line: line, Column: h, Why: "is there twice"})
		}
		out = append(out, c)
	}
	for i := range columns {
		if c := &columns[i]; (c.name == colName || c.name == colMail) && !slices.Contains(out, c) {
			bad = append(bad, Problem{Line: line, Column: c.name, Why: "is missing"})
		}
	}
	return out, bad
}

func names() string {
	var out []string
	for _, c := range columns {
		out = append(out, c.name)
	}
	return strings.Join(out, ", ")
}

// Template is the header of a file with the contract's twelve columns.
func Template() []string {
	var out []string
	for _, c := range columns[:12] {
		out = append(out, c.name)
	}
	return out
}
