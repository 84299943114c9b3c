// Package demand is what organizations demand of the people in them, beyond what the tenant's settings and policy sets say: of their
// passwords, of how often they may fail to sign in, of how long a session may be idle, of the addresses that they come from, and of a
// second factor. Nothing here loosens anything: of several demands the strongest counts, member by member.
package demand

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/network"
	"limen/internal/core/session"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Topic is the topic of changes, with the tenant as the item.
const Topic = "demand"

// Faults of demands.
var (
	ErrRule    = fault.New(fault.Invalid, "demand.rule", "The password rule does not fit together.")
	ErrAddress = fault.New(fault.Invalid, "demand.address", "An entry is neither an address nor a network such as 192.0.2.0/24.")
	ErrMany    = fault.New(fault.Invalid, "demand.many", "The list is too long.")
	// ErrOwn is a warning that the client may override.
	ErrOwn      = soft("demand.own_address", "Your own address would not let you in any more. Nothing was changed. Send confirm true to change it all the same.")
	ErrFactor   = fault.New(fault.Invalid, "demand.own_factor", "You have not signed in with a second factor yourself. Set one up and sign in with it first.")
	ErrEnclosed = fault.New(fault.Denied, "demand.network", "This workspace cannot be entered from your network.")
)

func soft(code, say string) *fault.Error {
	f := fault.New(fault.Invalid, code, say)
	f.Soft = true
	return f
}

// Limits of lists.
const (
	maxAddresses = 500
	maxAddress   = 50 // bytes of one
)

// Enclosure says from where an organization may be entered.
type Enclosure struct {
	On        bool
	Addresses []string // addresses and networks, as they were given
	Corporate bool     // the tenant's corporate ranges let in as well
}

// Demand is all that an organization demands. The zero Demand demands nothing; where nothing is stored Corporate is on, and the ban is Usual.
type Demand struct {
	Rule      Rule
	Enclosure Enclosure
	MFA       bool
	Entry     Entry

	set network.Set // of Enclosure.Addresses
}

// Demands are those of the call's tenant. The exported fields are set before Start.
type Demands struct {
	DB      *dbx.DB
	Changes *change.Log
	// Corporate gives the addresses of all of the tenant's corporate ranges.
	Corporate func(ctx context.Context, c *call.Call) (network.Set, error)
	// Of lists the organizations that a person is in.
	Of func(ctx context.Context, c *call.Call, userID string) ([]string, error)
	// Places says that it is known in which country an address is.
	Places bool
	// Lockout gives the warning when the change that was just made shut out its author, or all who could undo it. Nil: nobody is asked.
	Lockout func(ctx context.Context, c *call.Call, warning *fault.Error) error

	cache change.Cache[map[string]Demand]
}

type row struct {
	Org       string `db:"org"`
	Rule      string `db:"rule"`
	Enclosed  bool   `db:"enclosed"`
	Addresses string `db:"addresses"`
	Corporate bool   `db:"corporate"`
	MFA       bool   `db:"mfa"`
	Entry     string `db:"entry"`
}

var (
	all  = dbx.Q[row]("demand.all", `SELECT org, rule, enclosed, addresses, corporate, mfa, entry FROM org_demand WHERE tenant = ?`)
	lock = dbx.Q[row]("demand.lock", `SELECT org, rule, enclosed, addresses, corporate, mfa, entry FROM org_demand WHERE tenant = ? AND org = ? FOR UPDATE`)
	put  = dbx.E("demand.put", `INSERT INTO org_demand (tenant, org, rule, enclosed, addresses, corporate, mfa, entry, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org) DO UPDATE SET rule = excluded.rule, enclosed = excluded.enclosed, addresses = excluded.addresses,
		corporate = excluded.corporate, mfa = excluded.mfa, entry = excluded.entry, changed = excluded.changed`)
	remove = dbx.E("demand.delete", `DELETE FROM org_demand WHERE tenant = ? AND org = ?`)
)

// Start watches for changes.
func (d *Demands) Start() {
	d.cache = change.Cache[map[string]Demand]{DB: d.DB, Log: d.Changes, Read: read}
	d.cache.Start(Topic)
}

func read(ctx context.Context, tx *dbx.Tx, tenant string) (map[string]Demand, error) {
	rows, err := all.All(ctx, tx, tenant)
	out := make(map[string]Demand, len(rows))
	for _, r := range rows {
		made, bad := r.made()
		if bad != nil {
			return nil, bad
		}
		out[r.Org] = made
	}
	return out, err
}

// none is what an organization demands that has said nothing.
var none = Demand{Enclosure: Enclosure{Corporate: true}, Entry: Entry{Ban: Usual}}

func (r row) made() (Demand, error) {
	out := Demand{Enclosure: Enclosure{On: r.Enclosed, Corporate: r.Corporate}, MFA: r.MFA}
	if r.Addresses != "" {
		out.Enclosure.Addresses = strings.Split(r.Addresses, ",")
		var err error
		if out.set, err = out.Enclosure.set(); err != nil {
			return Demand{}, err
		}
	}
	out.Entry.Ban = Usual
	if err := json.Unmarshal([]byte(r.Entry), &out.Entry); err != nil {
		return Demand{}, err
	}
	return out, json.Unmarshal([]byte(r.Rule), &out.Rule)
}

// Get gives what an organization demands.
func (d *Demands) Get(ctx context.Context, c *call.Call, org string) (Demand, error) {
	of, err := d.cache.Get(ctx, c)
	if err != nil {
		return Demand{}, err
	}
	if out, ok := of[org]; ok {
		return out, nil
	}
	return none, nil
}

// change stores what f makes of what an organization demands.
func (d *Demands) change(ctx context.Context, c *call.Call, org string, f func(now *Demand) error) (Demand, error) {
	was := none
	old, err := lock.One(ctx, c.Tx, c.Tenant.ID, org)
	if err == nil {
		was, err = old.made()
	}
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return Demand{}, err
	}
	now := was
	if err := f(&now); err != nil {
		return Demand{}, err
	}
	rule, err := json.Marshal(now.Rule)
	if err != nil {
		return Demand{}, err
	}
	entry, err := json.Marshal(now.Entry)
	if err != nil {
		return Demand{}, err
	}
	e := now.Enclosure
	_, err = put.Do(ctx, c.Tx, c.Tenant.ID, org, string(rule), e.On, strings.Join(e.Addresses, ","), e.Corporate, now.MFA, string(entry), c.Now.UnixMilli())
	if err != nil {
		return Demand{}, err
	}
	noted(c.Event, org, was, now)
	return now, d.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}

func noted(e *call.Event, org string, was, now Demand) {
	if e == nil {
		return
	}
	e.Target, e.Kind = org, "Organization"
	for name, of := range fields {
		call.Changed(e, name, *of(&was.Rule), *of(&now.Rule))
	}
	call.Changed(e, "Enclosed", was.Enclosure.On, now.Enclosure.On)
	call.Changed(e, "Addresses", strings.Join(was.Enclosure.Addresses, ","), strings.Join(now.Enclosure.Addresses, ","))
	call.Changed(e, "CorporateRanges", was.Enclosure.Corporate, now.Enclosure.Corporate)
	call.Changed(e, "MfaRequired", was.MFA, now.MFA)
	notedEntry(e, was.Entry, now.Entry)
}

// Demand asks the people of an organization for passwords that satisfy a rule, from their next one on; ages count from the last
// change. ErrRule.
func (d *Demands) Demand(ctx context.Context, c *call.Call, org string, r Rule) (Demand, error) {
	if err := r.check(); err != nil {
		return Demand{}, err
	}
	return d.change(ctx, c, org, func(now *Demand) error {
		now.Rule = r
		return nil
	})
}

// Enclose lets an organization be entered from some addresses only. ErrAddress, ErrMany, and ErrOwn, unless confirmed, when the
// caller's is none of them.
func (d *Demands) Enclose(ctx context.Context, c *call.Call, org string, e Enclosure, confirmed bool) (Demand, error) {
	set, err := e.set()
	if err != nil {
		return Demand{}, err
	}
	now := Demand{Enclosure: e, set: set}
	in, err := d.admits(ctx, c, now)
	if err != nil {
		return Demand{}, err
	}
	if !in && !confirmed {
		return Demand{}, ErrOwn.At("addresses")
	}
	return d.change(ctx, c, org, func(to *Demand) error {
		to.Enclosure, to.set = e, set
		return nil
	})
}

// RequireMFA lets an organization be entered by sessions of two factors only, or by all again. ErrFactor when the caller's is none.
func (d *Demands) RequireMFA(ctx context.Context, c *call.Call, org string, on bool) (Demand, error) {
	if on && !strong(c) {
		return Demand{}, ErrFactor
	}
	return d.change(ctx, c, org, func(now *Demand) error {
		now.MFA = on
		return nil
	})
}

// strong says whether the caller is a session of two factors, or no session at all: keys of programs stand for none.
func strong(c *call.Call) bool {
	return c.Caller != nil && (c.Caller.Session == "" || c.Caller.Level == session.High)
}

// Met says what keeps the caller out of an organization: ErrEnclosed where their address does. mfa is true where they lack a second
// factor.
func (d *Demands) Met(ctx context.Context, c *call.Call, org string) (mfa bool, err error) {
	now, err := d.Get(ctx, c, org)
	if err != nil {
		return false, err
	}
	in, err := d.admits(ctx, c, now)
	if err == nil && !in {
		err = ErrEnclosed
	}
	return now.MFA && !strong(c), err
}

// admits says whether the caller's address lets in. The server's own command line has none, and is let in.
func (d *Demands) admits(ctx context.Context, c *call.Call, now Demand) (bool, error) {
	if !now.Enclosure.On || !c.Client.IP.IsValid() || now.set.Contains(c.Client.IP) {
		return true, nil
	}
	if !now.Enclosure.Corporate || d.Corporate == nil {
		return false, nil
	}
	set, err := d.Corporate(ctx, c)
	return err == nil && set.Contains(c.Client.IP), err
}

// set checks the addresses and reads them.
func (e Enclosure) set() (network.Set, error) {
	if len(e.Addresses) > maxAddresses {
		return network.Set{}, ErrMany.At("addresses").Say("There may be %d addresses.", maxAddresses)
	}
	var out network.Set
	for _, text := range e.Addresses {
		one, err := network.Parse(text)
		if _, net := netip.ParsePrefix(text); err == nil && net != nil {
			_, err = netip.ParseAddr(text)
		}
		if err != nil || len(text) > maxAddress {
			return network.Set{}, ErrAddress.At("addresses").Say("%.60q is neither an address nor a network such as 192.0.2.0/24.", text)
		}
		out = out.With(one)
	}
	return out, nil
}

// Gone forgets what an organization demands that is being deleted.
func (d *Demands) Gone(ctx context.Context, c *call.Call, org string) error {
	if _, err := remove.Do(ctx, c.Tx, c.Tenant.ID, org); err != nil {
		return err
	}
	return d.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}
