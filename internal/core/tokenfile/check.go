package tokenfile

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/fold"
)

// Checked is a file that was checked.
type Checked struct {
	Name   string // for people
	Tokens []Token
	Bad    []Problem // what keeps it from being imported, by line
	Own    bool      // one of the tokens is for the caller
}

// Why rows are not taken. Whom the caller does not administer look like those who do not exist.
const (
	whyNobody = "is not a user whom you administer"
	whySerial = "is that of somebody else's token"
)

// Check reads a file and says what is wrong with each of its cells. c is outside transactions. Faults: ErrFile, ErrColumn,
// ErrEmpty; whatever else is wrong is in Checked.Bad.
func (f *Files) Check(ctx context.Context, c *call.Call, name string, content []byte) (Checked, error) {
	tokens, bad, err := Parse(content)
	if err != nil {
		return Checked{}, err
	}
	out := Checked{Name: name, Tokens: tokens, Bad: bad}
	if err := c.Snapshot(ctx, func() error { return f.look(ctx, c, &out) }); err != nil {
		return out, err
	}
	slices.SortStableFunc(out.Bad, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return out, nil
}

// look looks people and serial numbers up.
func (f *Files) look(ctx context.Context, c *call.Call, file *Checked) error {
	found := map[string]string{} // key of a name -> id; empty: nobody
	for _, t := range file.Tokens {
		key := fold.Key(t.User)
		id, known := found[key]
		if !known {
			u, err := f.person(ctx, c, t.User)
			if err != nil && !errors.Is(err, user.ErrNotFound) {
				return err
			}
			id = u.ID
			found[key] = id
		}
		if id == "" && user.CheckName("Name", t.User) == nil {
			file.Bad = append(file.Bad, Problem{t.Line, colUser, whyNobody})
		}
		file.Own = file.Own || id != "" && id == c.User()
		if t.Seed.Serial == "" {
			continue
		}
		has, err := f.Profiles.Holder(ctx, c, t.Seed.Serial)
		if err != nil {
			return err
		}
		if has != "" && has != id {
			file.Bad = append(file.Bad, Problem{t.Line, colSerial, whySerial})
		}
	}
	return nil
}

// person finds somebody whom the caller administers; user.ErrNotFound when there is nobody of that name.
func (f *Files) person(ctx context.Context, c *call.Call, name string) (user.User, error) {
	u, err := f.People.ByName(ctx, c, name)
	if err == nil && !extent(c).Allows(u.ID, u.Org) {
		return user.User{}, user.ErrNotFound
	}
	return u, err
}
