package tenant

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// maxSuffix is the length of a suffix in bytes.
const maxSuffix = 253

// CheckSuffix says whether s may be a login suffix: letters, digits and + - _ . of any script, not of the form of a
// tenant id. One label is enough. field names the input for the fault.
func CheckSuffix(field, s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return fault.Blank(field)
	case len(s) > maxSuffix || !utf8.ValidString(s):
		return fault.Bad(field, "may have %d bytes", maxSuffix)
	case strings.ContainsFunc(s, func(r rune) bool { return !NameRune(r) }):
		return fault.Bad(field, "may have letters, digits and + - _ . only")
	case strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, ".."):
		return fault.Bad(field, "may not have an empty part between dots")
	case IsID(s):
		return fault.Bad(field, "may not look like the id of a tenant")
	}
	return nil
}

// NameRune says whether a rune may stand in a login name or a suffix (users.yaml n 79).
func NameRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '+' || r == '-' || r == '_' || r == '.'
}

const suffixColumns = `name_key, name, mapped, cds, main, created`

var (
	listSuffixes = dbx.Q[Suffix]("tenant.suffixes", `SELECT `+suffixColumns+` FROM suffix WHERE tenant = ? ORDER BY name_key`)
	findSuffix   = dbx.Q[Suffix]("tenant.findSuffix", `SELECT `+suffixColumns+` FROM suffix WHERE tenant = ? AND name_key = ?`)
	countSuffix  = dbx.Q[int64]("tenant.countSuffixes", `SELECT count(*) FROM suffix WHERE tenant = ?`)
	updateSuffix = dbx.E("tenant.updateSuffix", `UPDATE suffix SET name = ?, mapped = ?, cds = ? WHERE tenant = ? AND name_key = ?`)
	mainSuffix   = dbx.E("tenant.mainSuffix", `UPDATE suffix SET main = (name_key = ?) WHERE tenant = ?`)
	deleteSuffix = dbx.E("tenant.deleteSuffix", `DELETE FROM suffix WHERE tenant = ? AND name_key = ?`)
	suffixUsed   = dbx.Q[string]("tenant.suffixUsed", `SELECT id FROM users WHERE tenant = ? AND suffix_key = ? LIMIT 1`)
)

// Suffixes lists the tenant's suffixes by name.
func (t *Tenants) Suffixes(ctx context.Context, c *call.Call) ([]Suffix, error) {
	return listSuffixes.All(ctx, c.Tx, c.Tenant.ID)
}

// lock lets one change to the tenant's suffixes and host names happen at a time, and publishes it.
func (t *Tenants) lock(ctx context.Context, c *call.Call) error {
	n, err := touch.Do(ctx, c.Tx, c.Tenant.ID)
	if err == nil && n == 0 {
		return ErrNoTenant
	}
	if err != nil {
		return err
	}
	return t.Changes.Put(ctx, c, "tenant", "")
}

func (t *Tenants) suffix(ctx context.Context, c *call.Call, name string) (Suffix, error) {
	s, err := findSuffix.One(ctx, c.Tx, c.Tenant.ID, fold.Key(name))
	if errors.Is(err, dbx.ErrNoRow) {
		return Suffix{}, ErrSuffix
	}
	return s, err
}

// SetSuffix makes a suffix, or changes what an existing one of the tenant stands for.
func (t *Tenants) SetSuffix(ctx context.Context, c *call.Call, s Suffix) error {
	if err := checkSuffix(&s); err != nil {
		return err
	}
	if err := t.lock(ctx, c); err != nil {
		return err
	}
	noted(c, "Suffix", s.Name)
	old, err := t.suffix(ctx, c, s.Name)
	if errors.Is(err, ErrSuffix) {
		if n, err := countSuffix.One(ctx, c.Tx, c.Tenant.ID); err != nil {
			return err
		} else if n >= maxSuffixes {
			return ErrTooMany
		}
		return addSuffix(ctx, c, s)
	}
	if err != nil {
		return err
	}
	return t.update(ctx, c, old, s)
}

func checkSuffix(s *Suffix) error {
	if err := CheckSuffix("alias", s.Name); err != nil {
		return err
	}
	if s.Mapped == "" {
		s.Mapped = s.Name
	}
	if len(s.Mapped) > maxSuffix || strings.ContainsFunc(s.Mapped, func(r rune) bool { return !NameRune(r) }) {
		return fault.Bad("domain", "may have %d letters, digits and + - _ .", maxSuffix)
	}
	return nil
}

func (t *Tenants) update(ctx context.Context, c *call.Call, old, s Suffix) error {
	if old.Main && !s.Cds {
		return ErrSuffixMain.Say("The default login suffix serves the built-in directory.")
	}
	if c.Event != nil {
		call.Changed(c.Event, "Name", old.Name, s.Name)
		call.Changed(c.Event, "Mapped", old.Mapped, s.Mapped)
		call.Changed(c.Event, "Cds", old.Cds, s.Cds)
	}
	_, err := updateSuffix.Do(ctx, c.Tx, s.Name, s.Mapped, s.Cds, c.Tenant.ID, old.Key)
	return err
}

// MoveBatch is how many users one transaction renames.
const MoveBatch = 1000

// RenameSuffix renames a suffix and with it the login names of its users. When there are more than MoveBatch of them
// the old suffix stays, usable to sign in, until Later has renamed them all.
func (t *Tenants) RenameSuffix(ctx context.Context, c *call.Call, from string, to Suffix) error {
	if err := checkSuffix(&to); err != nil {
		return err
	}
	if err := t.lock(ctx, c); err != nil {
		return err
	}
	noted(c, "Suffix", to.Name)
	old, err := t.suffix(ctx, c, from)
	if err != nil {
		return err
	}
	if old.Key == fold.Key(to.Name) {
		return t.update(ctx, c, old, to)
	}
	if old.Main && !to.Cds {
		return ErrSuffixMain.Say("The default login suffix serves the built-in directory.")
	}
	to.Main = false
	if err := addSuffix(ctx, c, to); err != nil {
		return err
	}
	if old.Main {
		if _, err := mainSuffix.Do(ctx, c.Tx, fold.Key(to.Name), c.Tenant.ID); err != nil {
			return err
		}
	}
	if c.Event != nil {
		call.Changed(c.Event, "Name", old.Name, to.Name)
	}
	done, err := t.MoveOn(ctx, c, old.Name, to.Name)
	if err != nil || done {
		return err
	}
	return t.Later(ctx, c, old.Name, to.Name)
}

// MoveOn goes on with a rename: it renames up to MoveBatch users and, when none is left, removes the old suffix and
// says done. It may be called again after it was done.
func (t *Tenants) MoveOn(ctx context.Context, c *call.Call, from, to string) (done bool, err error) {
	n, err := t.Move(ctx, c, fold.Key(from), to, MoveBatch)
	if err != nil || n == MoveBatch {
		return false, err
	}
	if _, err := deleteSuffix.Do(ctx, c.Tx, c.Tenant.ID, fold.Key(from)); err != nil {
		return false, err
	}
	return true, t.Changes.Put(ctx, c, "tenant", "")
}

// DeleteSuffix removes a suffix that no user has and that is not the default.
func (t *Tenants) DeleteSuffix(ctx context.Context, c *call.Call, name string) error {
	if err := t.lock(ctx, c); err != nil {
		return err
	}
	s, err := t.suffix(ctx, c, name)
	if err != nil {
		return err
	}
	noted(c, "Suffix", s.Name)
	if s.Main {
		return ErrSuffixMain
	}
	if _, err := suffixUsed.One(ctx, c.Tx, c.Tenant.ID, s.Key); err == nil {
		return ErrSuffixUsed
	} else if !errors.Is(err, dbx.ErrNoRow) {
		return err
	}
	_, err = deleteSuffix.Do(ctx, c.Tx, c.Tenant.ID, s.Key)
	return err
}

// noted says in the event what the call is about.
func noted(c *call.Call, kind, name string) {
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = name, kind, name
	}
}

// CheckSuffixOf checks the suffix of a login name as CheckSuffix does, but lets a tenant's id stand: every tenant may be
// made with it as its suffix.
func CheckSuffixOf(field, s string) error {
	if IsID(s) {
		return nil
	}
	return CheckSuffix(field, s)
}
