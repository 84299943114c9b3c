// Package network is the IP ranges of a tenant (network.yaml): blocked ones, from which nothing of the tenant can be reached,
// and those of the corporation, by which policies tell where somebody is.
//
// Addresses are as the server sees clients, behind proxies that it trusts as these report them.
package network

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/lockout"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Topic is the topic of changes, with the tenant as the item.
const Topic = "network"

// Kind is what a range is for.
type Kind string

// The kinds.
const (
	Blocked   Kind = "Blocked"   // callers from there are refused
	Corporate Kind = "Corporate" // the corporation's own
)

// Faults of ranges.
var (
	ErrNotFound = fault.New(fault.NotFound, "network.not_found", "The requested data or its dependent data was not found in the service.")
	ErrTaken    = fault.New(fault.Exists, "network.name_taken", "A range of that name already exists.")
	ErrMany     = fault.New(fault.Conflict, "network.many", "The tenant has as many ranges as it may have.")
	ErrSeveral  = fault.New(fault.Conflict, "network.several", "Several ranges have this value. Name the one that is meant by its ID.")
	ErrInUse    = fault.New(fault.Conflict, "network.in_use", "The range is in use.")
	ErrBlocked  = fault.New(fault.Denied, "auth.network", "This service cannot be reached from your network. Please contact your IT helpdesk.")
	// ErrOwn and ErrLockout are warnings that the client may override.
	ErrOwn = lockout.Warning("network.own_address").Say("Your own address is in this range. Nothing was changed. Send Confirm true to block it all the same.")
	// ErrLockout warns of a change after which policies would not let the caller in any more.
	ErrLockout = lockout.Warning("network.lockout")
)

// Limits.
const (
	maxRanges = 1000 // of one kind; a tenant's are held in memory
	maxLabel  = 200  // bytes
	maxTold   = 5    // of what names a range
)

// Range is one entry of a list. Times are not kept in it.
type Range struct {
	ID     string
	Kind   Kind
	Label  string // unique among its kind whatever its case
	Value  string // as it was given; Parse reads it
	Active bool
}

// Networks are the ranges of the call's tenant. The exported fields are set before Start.
type Networks struct {
	DB      *dbx.DB
	Changes *change.Log
	// Holders says in words what names a corporate range, which cannot be deleted meanwhile. Nil: nothing does.
	Holders func(ctx context.Context, c *call.Call, id string) ([]string, error)
	// Lockout refuses, with the warning, a change that was made in c.Tx and shuts out those who could undo it. Nil: none does.
	Lockout func(ctx context.Context, c *call.Call, warning *fault.Error) error

	cache change.Cache[*snapshot]
}

// snapshot is a tenant's ranges. It is never changed.
type snapshot struct {
	ranges    []Range // by label
	of        map[string]Set
	blocked   Set // of the active ones
	corporate Set
}

type row struct {
	ID     string `db:"id"`
	Kind   string `db:"kind"`
	Label  string `db:"label"`
	Value  string `db:"value"`
	Active bool   `db:"active"`
}

var (
	list    = dbx.Q[row]("network.list", `SELECT id, kind, label, value, active FROM ip_range WHERE tenant = ? ORDER BY label_key, id`)
	ofValue = dbx.Q[row]("network.of_value", `SELECT id, kind, label, value, active FROM ip_range WHERE tenant = ? AND kind = ? AND value = ? LIMIT 2`)
	// lock makes those who change a range follow one another.
	lock   = dbx.Q[row]("network.lock", `SELECT id, kind, label, value, active FROM ip_range WHERE tenant = ? AND id = ? FOR UPDATE`)
	count  = dbx.Q[int64]("network.count", `SELECT COUNT(*) FROM ip_range WHERE tenant = ? AND kind = ?`)
	insert = dbx.E("network.insert", `INSERT INTO ip_range (tenant, id, kind, label, label_key, value, active, created, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, kind, label_key) DO NOTHING`)
	update = dbx.E("network.update", `UPDATE ip_range SET label = ?, label_key = ?, value = ?, active = ?, changed = ? WHERE tenant = ? AND id = ?`)
	remove = dbx.E("network.delete", `DELETE FROM ip_range WHERE tenant = ? AND id = ?`)
)

func (r row) made() Range { return Range{r.ID, Kind(r.Kind), r.Label, r.Value, r.Active} }

// Start watches for changes.
func (n *Networks) Start() {
	n.cache = change.Cache[*snapshot]{DB: n.DB, Log: n.Changes, Read: read}
	n.cache.Start(Topic)
}

func read(ctx context.Context, tx *dbx.Tx, tenant string) (*snapshot, error) {
	rows, err := list.All(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	s := &snapshot{ranges: make([]Range, len(rows)), of: map[string]Set{}}
	for i, r := range rows {
		s.ranges[i] = r.made()
		set, _ := Parse(r.Value) // it was checked
		if !r.Active {
			set = Set{}
		}
		switch Kind(r.Kind) {
		case Blocked:
			s.blocked = s.blocked.With(set)
		case Corporate:
			s.of[r.ID], s.corporate = set, s.corporate.With(set)
		}
	}
	return s, nil
}

// List gives the ranges of a kind by their labels.
func (n *Networks) List(ctx context.Context, c *call.Call, of Kind) ([]Range, error) {
	s, err := n.cache.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	var out []Range
	for _, r := range s.ranges {
		if r.Kind == of {
			out = append(out, r)
		}
	}
	return out, nil
}

// Admit fails with ErrBlocked when the call comes from a blocked range of its tenant. A call without an address, of the
// server's own command line, comes from none.
func (n *Networks) Admit(ctx context.Context, c *call.Call) error {
	if c.Tenant.ID == "" || !c.Client.IP.IsValid() {
		return nil
	}
	s, err := n.cache.Get(ctx, c)
	if err == nil && s.blocked.Contains(c.Client.IP) {
		err = ErrBlocked
	}
	return err
}

// Corporate gives the addresses of a corporate range; of all that are active for an empty id. One that is not active has none.
// ok is false when there is no such range.
func (n *Networks) Corporate(ctx context.Context, c *call.Call, id string) (of Set, ok bool, err error) {
	s, err := n.cache.Get(ctx, c)
	if err != nil {
		return Set{}, false, err
	}
	if id == "" {
		return s.corporate, true, nil
	}
	of, ok = s.of[strings.ToLower(strings.TrimSpace(id))]
	return of, ok, nil
}

// Holding lists the active blocked ranges that have an address.
func (n *Networks) Holding(ctx context.Context, c *call.Call, ip netip.Addr) (ids []string, err error) {
	all, err := n.List(ctx, c, Blocked)
	for _, r := range all {
		set, _ := Parse(r.Value) // it was checked
		if r.Active && set.Contains(ip) {
			ids = append(ids, r.ID)
		}
	}
	return ids, err
}

// Find gives a range by its id, or by its value as it was given. Faults: ErrNotFound, ErrSeveral.
func (n *Networks) Find(ctx context.Context, c *call.Call, of Kind, ref string) (Range, error) {
	ref = strings.TrimSpace(ref)
	r, err := lock.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(ref))
	if err == nil && Kind(r.Kind) == of {
		return r.made(), nil
	}
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return Range{}, err
	}
	rows, err := ofValue.All(ctx, c.Tx, c.Tenant.ID, string(of), ref)
	switch {
	case err != nil:
		return Range{}, err
	case len(rows) == 0:
		return Range{}, ErrNotFound
	case len(rows) > 1:
		return Range{}, ErrSeveral
	}
	return rows[0].made(), nil
}

func checkLabel(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxLabel || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", fault.Bad("Label", "has 1 to %d bytes and no control characters", maxLabel)
	}
	return s, nil
}

func keyOf(label string) string { return fold.Key(label) }
