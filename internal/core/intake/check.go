package intake

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/org"
	"limen/internal/core/password"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/wire/csvfile"
)

// File is a file that was checked, or several.
type File struct {
	Table   csvfile.Table // of the first
	People  []Person
	Bad     []Problem // what keeps it from being imported, by line
	Remarks []Problem // what does not: people who exist already, and are left as they are

	name  string
	parts []part
}

// Columns are the names of the first file's columns, as the template has them.
func (f *File) Columns() []string {
	var out []string
	for _, c := range f.parts[0].cols {
		out = append(out, c.name)
	}
	return out
}

// Secret says whether the cells of a column of the first file must not be shown.
func (f *File) Secret(i int) bool { return f.parts[0].cols[i].name == colPassword }

// Check reads files and says what is wrong with each of their cells. c is outside transactions; everything that depends on the
// directory is looked at in one snapshot. Faults: ErrFile, ErrMany, ErrColumn, ErrRows, ErrEmpty, with every problem in File.Bad.
func (i *Imports) Check(ctx context.Context, c *call.Call, from ...Source) (File, error) {
	parts, err := tables(from)
	if err != nil {
		return File{}, err
	}
	f, err := read(parts)
	if err != nil {
		return f, err
	}
	names := make([]string, len(from))
	for n := range from {
		names[n] = clean(from[n].Name)
	}
	f.name = shorten(strings.Join(names, ", "))
	var facts facts
	if err := c.Snapshot(ctx, func() (err error) { facts, err = i.facts(ctx, c, f.People); return err }); err != nil {
		return f, err
	}
	f.Bad = append(f.Bad, facts.check(f.People)...)
	f.Bad = append(f.Bad, weak(facts.policy, f.People)...)
	f.Remarks = facts.remarks(f.People)
	slices.SortStableFunc(f.Bad, order)
	if len(f.Bad) > 0 {
		return f, ErrRows.Say("%s", list("The file was not accepted.", f.Bad))
	}
	return f, nil
}

// read makes people of tables without looking at the directory.
func read(parts []part) (f File, err error) {
	f.parts = parts
	for n := range parts {
		p := &parts[n]
		var bad []Problem
		p.cols, bad = head(p.Table)
		for _, b := range bad {
			b.File, b.part = p.Name, n
			f.Bad = append(f.Bad, b)
		}
	}
	if len(f.Bad) > 0 {
		return f, ErrColumn.Say("%s", list("The header of the file was not accepted.", f.Bad))
	}
	for n := range parts {
		people, bad := persons(&parts[n], n)
		f.People, f.Bad = append(f.People, people...), append(f.Bad, bad...)
	}
	if len(f.People) == 0 {
		return f, ErrEmpty
	}
	f.Table = parts[0].Table
	return f, nil
}

// list writes problems below a sentence, a line each, as many as people read.
func list(what string, ps []Problem) string {
	var b strings.Builder
	b.WriteString(what)
	for _, p := range ps[:min(len(ps), showable)] {
		b.WriteString("\n" + p.String())
	}
	if n := len(ps) - showable; n > 0 {
		fmt.Fprintf(&b, "\nThere are %d more problems.", n)
	}
	return b.String()
}

// facts are what the directory has to say to the people of a file.
type facts struct {
	suffixes map[string]string // key of a suffix -> why not
	roles    map[string]string // name -> why not
	orgs     map[string]string // path -> why not
	known    map[string]bool   // keys of names
	policy   password.Policy
	system   bool // system administrators may be made
}

func (i *Imports) facts(ctx context.Context, c *call.Call, people []Person) (facts, error) {
	f := facts{suffixes: map[string]string{}, roles: map[string]string{}, orgs: map[string]string{}, system: system(c)}
	if f.system { // who is one for a time makes none for good
		switch err := i.Roles.Fills(ctx, c, role.System); {
		case err != nil && fault.Of(err).Kind == fault.Denied:
			f.system = false
		case err != nil:
			return f, err
		}
	}
	names := make([]string, 0, len(people))
	g := extent(c)
	for _, p := range people {
		names = append(names, p.New.Name)
		_, suffix, _ := user.SplitName(p.New.Name)
		if err := once(f.suffixes, fold.Key(suffix), func() (string, error) { return i.suffix(ctx, c, suffix) }); err != nil {
			return f, err
		}
		if err := once(f.orgs, p.Org, func() (string, error) { _, no, err := i.place(ctx, c, g, p.Org); return no, err }); err != nil {
			return f, err
		}
		for _, r := range p.Roles {
			if err := once(f.roles, r, func() (string, error) { _, no, err := i.role(ctx, c, r); return no, err }); err != nil {
				return f, err
			}
		}
	}
	var err error
	if f.known, err = i.People.Known(ctx, c, names); err != nil {
		return f, err
	}
	f.policy, err = i.Passwords.PolicyOf(ctx, c, "")
	return f, err
}

// once looks a thing up that many rows have.
func once(of map[string]string, key string, look func() (string, error)) error {
	if _, done := of[key]; done {
		return nil
	}
	no, err := look()
	of[key] = no
	return err
}

func (i *Imports) suffix(ctx context.Context, c *call.Call, name string) (no string, err error) {
	s, err := i.Tenants.Suffix(ctx, c, name)
	if errors.Is(err, tenant.ErrSuffix) || err == nil && !s.Cds {
		return "has a login suffix that is not one of this tenant's", nil
	}
	return "", err
}

// place finds the organization of a person; no says why the caller may not put anybody there. Who administers organizations
// only and names none means the only one.
func (i *Imports) place(ctx context.Context, c *call.Call, g grant.Grant, path string) (id, no string, err error) {
	if path == "" {
		if g.Everything() {
			return "", "", nil
		}
		id, only, err := i.Orgs.Only(ctx, c, g)
		if err == nil && !only {
			no = "must say which of the organizations that you administer"
		}
		return id, no, err
	}
	found, err := i.Orgs.Find(ctx, c, path)
	if errors.Is(err, org.ErrNotFound) || err == nil && !g.Allows("", found.ID) {
		return "", "is not an organization that you administer", nil
	}
	return found.ID, "", err
}

// role finds a role that people are to join. Only who manages roles may put anybody into one, and only into roles that give
// nothing which they do not hold.
func (i *Imports) role(ctx context.Context, c *call.Call, name string) (id, no string, err error) {
	r, err := i.Roles.Get(ctx, c, name)
	switch {
	case errors.Is(err, role.ErrNotFound):
		return "", fmt.Sprintf("has a role that does not exist: %s", name), nil
	case err != nil:
		return "", "", err
	case r.Kind == role.Open:
		return "", "", nil // whether somebody is in Everybody has a column of its own
	case r.Kind == role.Dynamic:
		return "", fmt.Sprintf("has a role whose members come from its script: %s", name), nil
	}
	no, err = i.mayJoin(ctx, c, r)
	return r.ID, no, err
}

func (i *Imports) mayJoin(ctx context.Context, c *call.Call, r role.Role) (no string, err error) {
	if !c.Caller.Held.Over(right.RoleManagement, r.Org) {
		return "needs the right Role Management", nil
	}
	if err = i.Roles.Fills(ctx, c, r.ID); fault.Of(err) != nil && fault.Of(err).Kind == fault.Denied {
		return fmt.Sprintf("has a role with rights that you do not hold: %s", r.Name), nil
	}
	return "", err
}

// check says what is wrong with the people as far as it depends on the directory and on each other.
func (f *facts) check(people []Person) (bad []Problem) {
	first := map[string]*Person{}
	for n := range people {
		p := &people[n]
		add := func(column, why string) {
			if why != "" {
				bad = append(bad, p.problem(column, why))
			}
		}
		key := fold.Key(p.New.Name)
		if other := first[key]; other != nil && key != "" {
			add(colName, "is the same as in "+other.place(p.File))
		} else {
			first[key] = p
		}
		if user.CheckName("Name", p.New.Name) == nil {
			_, suffix, _ := user.SplitName(p.New.Name)
			add(colName, f.suffixes[fold.Key(suffix)])
		}
		add(colOrg, f.orgs[p.Org])
		for _, r := range p.Roles {
			add(colRoles, f.roles[r])
		}
		if p.New.System && !f.system {
			add(colSystem, "can be given by system administrators only")
		}
	}
	return bad
}

func (f *facts) remarks(people []Person) (out []Problem) {
	for _, p := range people {
		if f.known[fold.Key(p.New.Name)] {
			out = append(out, p.remark(whyExists))
		}
	}
	return out
}

// weak says whose password breaks the policy. Measuring one takes a good part of a millisecond, so that it is spread over the
// processors.
func weak(policy password.Policy, people []Person) (bad []Problem) {
	found := make([]string, len(people))
	workers := min(runtime.GOMAXPROCS(0), len(people))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for n := w; n < len(people); n += workers {
				if p := &people[n]; p.Password != "" {
					found[n] = why(policy.Check(p.Password, p.names()))
				}
			}
		})
	}
	wg.Wait()
	for n, s := range found {
		if s != "" {
			bad = append(bad, people[n].problem(colPassword, strings.TrimPrefix(s, "The password ")))
		}
	}
	return bad
}
