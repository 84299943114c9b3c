// Package tenant is the tenants of an installation: their ids, login suffixes and host names, and how a request finds
// the tenant it is for.
package tenant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of tenants.
var (
	ErrUnknown     = fault.New(fault.NotFound, "tenant.unknown", "No tenant has this name here.")
	ErrNoTenant    = fault.New(fault.NotFound, "tenant.not_found", "The tenant does not exist.")
	ErrTaken       = fault.New(fault.Exists, "tenant.taken", "A tenant with this id exists already.")
	ErrSuffix      = fault.New(fault.NotFound, "tenant.no_suffix", "The tenant has no such login suffix.")
	ErrSuffixTaken = fault.New(fault.Exists, "tenant.suffix_taken", "The login suffix is in use already.")
	ErrSuffixUsed  = fault.New(fault.Conflict, "tenant.suffix_used", "Users still have this login suffix.")
	ErrSuffixMain  = fault.New(fault.Conflict, "tenant.suffix_main", "The default login suffix cannot be deleted.")
	ErrHost        = fault.New(fault.NotFound, "tenant.no_host", "The tenant has no such host name.")
	ErrHostTaken   = fault.New(fault.Exists, "tenant.host_taken", "The host name is in use already.")
	ErrHostSystem  = fault.New(fault.Conflict, "tenant.host_system", "The system's own host name cannot be removed.")
	ErrDomain      = fault.New(fault.Conflict, "tenant.no_domain", "This installation has no domain under which host names are given out.")
	ErrTooMany     = fault.New(fault.Conflict, "tenant.too_many", "The tenant has as many login suffixes or host names as it may have.")
)

// Tenant is one customer of the installation.
type Tenant struct {
	ID      string `db:"id"` // three letters and four digits, as ABC1234
	Name    string `db:"name"`
	Created int64  `db:"created"` // ms since 1970 UTC
	Version int64  `db:"version"` // counts changes to suffixes and host names
}

// Suffix is what may stand behind the @ of login names. It belongs to one tenant of the installation.
type Suffix struct {
	Key     string `db:"name_key"`
	Name    string `db:"name"`
	Mapped  string `db:"mapped"`  // suffix or domain that it stands for; equal to Name when it stands for itself
	Cds     bool   `db:"cds"`     // usable for users of the built-in directory
	Main    bool   `db:"main"`    // the tenant's default
	Created int64  `db:"created"` // ms since 1970 UTC
}

// Host is a host name under which a tenant answers, without a port.
type Host struct {
	Key       string `db:"name_key"`
	Name      string `db:"name"`
	Preferred bool   `db:"preferred"`
	Custom    bool   `db:"custom"`  // registered by an administrator, so that it may be removed
	Created   int64  `db:"created"` // ms since 1970 UTC
}

// The most that a tenant may have.
const (
	maxSuffixes = 1000
	maxHosts    = 100
)

// Tenants changes tenants.
type Tenants struct {
	Index   *Index
	Changes *change.Log
	Roles   *role.Roles
	// Move renames up to limit users of the suffix with key from to suffix to, and says how many there were
	// (user.Directory.Move).
	Move func(ctx context.Context, c *call.Call, from, to string, limit int) (int, error)
	// Later goes on with a rename of a suffix that has more users than one transaction should change: it calls
	// MoveOn until that says done.
	Later func(ctx context.Context, c *call.Call, from, to string) error
	// Begun make what else every tenant begins with, once its roles are there, in a call of the new tenant.
	Begun []func(ctx context.Context, c *call.Call) error
}

// New is a tenant to be made.
type New struct {
	ID     string   // three letters and four digits; drawn when empty
	Name   string   // required
	Suffix string   // default login suffix; the id in lower case when empty
	Hosts  []string // host names of the system, the preferred one first
}

var (
	insertTenant = dbx.E("tenant.insert", `INSERT INTO tenant (id, name, created, version) VALUES (?, ?, ?, 1) ON CONFLICT (id) DO NOTHING`)
	touch        = dbx.E("tenant.touch", `UPDATE tenant SET version = version + 1 WHERE id = ?`)
	findTenant   = dbx.Q[Tenant]("tenant.find", `SELECT id, name, created, version FROM tenant WHERE id = ?`)
	insertSuffix = dbx.E("tenant.insertSuffix", `INSERT INTO suffix (name_key, tenant, name, mapped, cds, main, created) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name_key) DO NOTHING`)
	insertHost = dbx.E("tenant.insertHost", `INSERT INTO host (name_key, tenant, name, preferred, custom, created) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (name_key) DO NOTHING`)
)

// IsID says whether s has the form of a tenant id.
func IsID(s string) bool {
	if len(s) != 7 {
		return false
	}
	for i := range len(s) {
		b := s[i] | 0x20
		if i < 3 && (b < 'a' || b > 'z') || i >= 3 && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}

// drawID draws a tenant id.
func drawID(random io.Reader) (string, error) {
	var raw [14]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "", err
	}
	out := make([]byte, 7)
	for i := range out {
		n := int(raw[2*i])<<8 | int(raw[2*i+1])
		if i < 3 {
			out[i] = byte('A' + n%26)
		} else {
			out[i] = byte('0' + n%10)
		}
	}
	return string(out), nil
}

// Create makes a tenant with its default suffix, its host names and the built-in roles.
func (t *Tenants) Create(ctx context.Context, c *call.Call, n New) (Tenant, error) {
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case n.Name == "":
		return Tenant{}, fault.Blank("Name")
	case len(n.Name) > 200 || !utf8.ValidString(n.Name):
		return Tenant{}, fault.Bad("Name", "may have 200 bytes")
	case n.ID != "" && !IsID(n.ID):
		return Tenant{}, fault.Bad("ID", "must be three letters and four digits")
	case len(n.Hosts) > maxHosts:
		return Tenant{}, ErrTooMany
	}
	out := Tenant{ID: strings.ToUpper(n.ID), Name: n.Name, Created: c.Now.UnixMilli(), Version: 1}
	if err := t.insert(ctx, c, &out); err != nil {
		return Tenant{}, err
	}
	in := *c
	in.Tenant = call.Tenant{ID: out.ID}
	if n.Suffix == "" {
		n.Suffix = strings.ToLower(out.ID)
	} else if err := CheckSuffix("Suffix", n.Suffix); err != nil {
		return Tenant{}, err
	}
	if err := addSuffix(ctx, &in, Suffix{Name: n.Suffix, Mapped: n.Suffix, Cds: true, Main: true}); err != nil {
		return Tenant{}, err
	}
	for i, name := range n.Hosts {
		if err := addHost(ctx, &in, Host{Name: name, Preferred: i == 0}); err != nil {
			return Tenant{}, err
		}
	}
	if err := t.Roles.BuiltIn(ctx, &in); err != nil {
		return Tenant{}, err
	}
	in.Event = nil // it is about the tenant
	for _, begin := range t.Begun {
		if err := begin(ctx, &in); err != nil {
			return Tenant{}, err
		}
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = out.ID, "Tenant", out.Name
		c.Event.Set("Suffix", n.Suffix)
	}
	return out, t.Changes.Put(ctx, c, "tenant", "")
}

// insert stores the tenant, drawing an id until one is free.
func (t *Tenants) insert(ctx context.Context, c *call.Call, n *Tenant) error {
	drawn := n.ID == ""
	for range 20 {
		if drawn {
			var err error
			if n.ID, err = drawID(c.Rand); err != nil {
				return err
			}
		}
		added, err := insertTenant.Do(ctx, c.Tx, n.ID, n.Name, n.Created)
		switch {
		case err != nil:
			return err
		case added == 1:
			return nil
		case !drawn:
			return ErrTaken
		}
	}
	return fmt.Errorf("no free tenant id was found")
}

// Get gives the call's tenant.
func (t *Tenants) Get(ctx context.Context, c *call.Call) (Tenant, error) {
	out, err := findTenant.One(ctx, c.Tx, c.Tenant.ID)
	if errors.Is(err, dbx.ErrNoRow) {
		return Tenant{}, ErrNoTenant
	}
	return out, err
}

func addSuffix(ctx context.Context, c *call.Call, s Suffix) error {
	n, err := insertSuffix.Do(ctx, c.Tx, fold.Key(s.Name), c.Tenant.ID, s.Name, s.Mapped, s.Cds, s.Main, c.Now.UnixMilli())
	if err == nil && n == 0 {
		return ErrSuffixTaken
	}
	return err
}

func addHost(ctx context.Context, c *call.Call, h Host) error {
	name, err := CheckHost("Host", h.Name)
	if err != nil {
		return err
	}
	n, err := insertHost.Do(ctx, c.Tx, name, c.Tenant.ID, name, h.Preferred, h.Custom, c.Now.UnixMilli())
	if err == nil && n == 0 {
		return ErrHostTaken
	}
	return err
}
