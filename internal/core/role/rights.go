package role

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/right"
	"limen/internal/fault"
)

// Given is a right that a role carries.
type Given struct {
	Path         string // as the contract names it, /lib/rights/dsman.json
	Since, Until time.Time
	Reason       string
}

func (g Given) check(now time.Time) error { return Term{g.Since, g.Until, g.Reason}.Check(now) }

// Term is for how long somebody holds something, and why.
type Term struct {
	Since  time.Time // zero: at once
	Until  time.Time // zero: without end
	Reason string
}

// Check refuses terms that are never open, and reasons that are no text or too long.
func (t Term) Check(now time.Time) error {
	if len(t.Reason) > maxReason || !utf8.ValidString(t.Reason) {
		return fault.Bad("Reason", "may have %d bytes", maxReason)
	}
	return window(t.Since, t.Until, now)
}

// Millis are the bounds in milliseconds since 1970 UTC; 0: none.
func (t Term) Millis() (since, until int64) { return millis(t.Since), millis(t.Until) }

// String tells of the bounds in an event, behind what they are of; nothing when there are none.
func (t Term) String() string { return during(t.Since, t.Until) }

// maxService is the length of a path of another service's right.
const maxService = 200

// canonical finds the path of a right, or keeps the path of another service's.
func canonical(path string) (string, error) {
	if known := right.Parse(path); known != right.None {
		return known.Info().Path, nil
	}
	if rest, ok := strings.CutPrefix(path, "ServiceRight/"); ok && rest != "" && len(path) <= maxService && !strings.ContainsFunc(rest, notPath) {
		return path, nil
	}
	return "", ErrRight
}

func notPath(r rune) bool { return r <= ' ' || r >= 0x7f }

// Assign gives rights to a role; one it carries already gets the new window. The caller must hold each, and for as long.
// Faults: ErrNotFound, ErrRight, ErrNotHeld, ErrChosen, and ErrBuiltIn for System Administrator, which has every right.
func (r *Roles) Assign(ctx context.Context, c *call.Call, roleID string, gs ...Given) error {
	role, mine, err := r.endowed(ctx, c, roleID)
	if err != nil {
		return err
	}
	var paths []string
	for _, g := range gs {
		path, err := canonical(g.Path)
		if err == nil {
			err = g.check(c.Now)
		}
		if err != nil {
			return err
		}
		if !mine.covers(reach{path, role.Org}, end(millis(g.Until))) {
			return ErrNotHeld
		}
		if _, err := giveRight.Do(ctx, c.Tx, c.Tenant.ID, role.ID, path, millis(g.Since), millis(g.Until), g.Reason, c.User()); err != nil {
			return err
		}
		paths = append(paths, path+during(g.Since, g.Until))
		if c.Event != nil && g.Reason != "" {
			c.Event.Set("Reason", g.Reason)
		}
	}
	if c.Event != nil {
		c.Event.Set("RightsAdded", paths)
	}
	return r.unchosen(ctx, c, role.ID)
}

// Unassign takes rights from a role; one it does not carry is no error. The caller must hold each. Faults as Assign.
func (r *Roles) Unassign(ctx context.Context, c *call.Call, roleID string, paths ...string) error {
	role, mine, err := r.endowed(ctx, c, roleID)
	if err != nil {
		return err
	}
	var taken []string
	for _, p := range paths {
		path, err := canonical(p)
		if err != nil {
			return err
		}
		if !mine.covers(reach{path, role.Org}, moment(c)) {
			return ErrNotHeld
		}
		if _, err := takeRight.Do(ctx, c.Tx, c.Tenant.ID, role.ID, path); err != nil {
			return err
		}
		taken = append(taken, path)
	}
	if c.Event != nil {
		c.Event.Set("RightsRemoved", taken)
	}
	return nil
}

// endowed finds a role whose rights are about to change, and what the caller may give it.
func (r *Roles) endowed(ctx context.Context, c *call.Call, roleID string) (Role, power, error) {
	if err := r.touched(ctx, c); err != nil {
		return Role{}, power{}, err
	}
	role, err := r.Get(ctx, c, roleID)
	if err == nil && role.ID == System {
		err = ErrBuiltIn
	}
	if err != nil {
		return Role{}, power{}, err
	}
	s, err := r.now(ctx, c)
	if err != nil {
		return Role{}, power{}, err
	}
	r.noted(c, role, "", nil)
	mine, err := r.power(ctx, c, s)
	if err == nil {
		err = r.rated(ctx, c)
	}
	return role, mine, err
}

// Rights lists the paths of the rights that a role carries at c.Now, by path.
func (r *Roles) Rights(ctx context.Context, c *call.Call, roleID string) ([]string, error) {
	s, err := r.now(ctx, c)
	if err != nil {
		return nil, err
	}
	return s.paths(roleID, c.Now.UnixMilli()), nil
}

// paths lists the paths of the rights that a role carries at a moment, by path.
func (s *snapshot) paths(roleID string, now int64) []string {
	w, out := walk{now: now}, []string{}
	for _, h := range s.rights[roleID] {
		if w.during(h.since, h.until) {
			out = append(out, h.path)
		}
	}
	slices.Sort(out)
	return out
}

// Listed is a right of a role with what is known of how it came there. Times are milliseconds since 1970 UTC.
type Listed struct {
	Path    string `db:"path"`
	Since   int64  `db:"since"`
	Until   int64  `db:"until"` // 0: without end
	Reason  string `db:"reason"`
	Granter string `db:"granter"` // login name of who gave it; empty when nobody is known
}

// RightsOf lists the rights of a role by path, those that begin later included, without those that have ended.
func (r *Roles) RightsOf(ctx context.Context, c *call.Call, roleID string) ([]Listed, error) {
	return oneRights.All(ctx, c.Tx, c.Tenant.ID, roleID, c.Now.UnixMilli())
}
