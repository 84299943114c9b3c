package tenant

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Index keeps every tenant's suffixes and host names in memory.
type Index struct {
	DB      *dbx.DB
	Changes *change.Log // Watch is called by Start
	// Domain is under what tenants register host names, as "id.example.com"; empty: they cannot.
	Domain string
	// Port is where the outside reaches the installation; 0 or 443 is not shown in host names.
	Port int

	generation atomic.Int64 // counts what must be forgotten
	table      atomic.Pointer[table]
	loading    sync.Mutex
}

// Hint names a tenant in the ways sign-in clients do.
type Hint struct {
	Tenant string // id, subdomain, host or whole URL
	Login  string // login name, whose suffix belongs to a tenant
}

// table is never changed.
type table struct {
	generation int64
	loaded     time.Time
	only       string
	oldest     string
	preferred  map[string]string // id -> host name
	ids        map[string]bool
	names      map[string]string
	suffixes   map[string]place
	mains      map[string]Suffix
	hosts      map[string]string
	labels     map[string]string // first label of host names; empty where two tenants share it
}

type place struct {
	tenant string
	suffix Suffix
}

type suffixRow struct {
	Tenant string `db:"tenant"`
	Suffix
}

type hostRow struct {
	Tenant string `db:"tenant"`
	Host
}

var (
	allTenants  = dbx.Q[Tenant]("tenant.all", `SELECT id, name, created, version FROM tenant ORDER BY id`)
	allSuffixes = dbx.Q[suffixRow]("tenant.allSuffixes", `SELECT tenant, `+suffixColumns+` FROM suffix`)
	allHosts    = dbx.Q[hostRow]("tenant.allHosts", `SELECT tenant, `+hostColumns+` FROM host ORDER BY name_key`)
	anySuffix   = dbx.Q[suffixRow]("tenant.anySuffix", `SELECT tenant, `+suffixColumns+` FROM suffix WHERE name_key = ?`)
)

// Start watches for changes and loads the index.
func (x *Index) Start(ctx context.Context) error {
	x.Changes.Watch("tenant", func(string) { x.generation.Add(1) })
	_, err := x.current(ctx)
	return err
}

// fresh gives the table when it may be trusted.
func (x *Index) fresh() *table {
	t := x.table.Load()
	if t == nil || t.generation != x.generation.Load() || !x.Changes.Fresh() && time.Since(t.loaded) > time.Second {
		return nil
	}
	return t
}

// current gives the table, loading it when something changed. It must not be called within a transaction.
func (x *Index) current(ctx context.Context) (*table, error) {
	if t := x.fresh(); t != nil {
		return t, nil
	}
	x.loading.Lock()
	defer x.loading.Unlock()
	if t := x.fresh(); t != nil {
		return t, nil
	}
	t := &table{generation: x.generation.Load(), loaded: time.Now()}
	err := x.DB.Read(ctx, func(tx *dbx.Tx) error { return t.load(ctx, tx) })
	if err != nil {
		return nil, err
	}
	x.table.Store(t)
	return t, nil
}

func (t *table) load(ctx context.Context, tx *dbx.Tx) error {
	t.preferred, t.ids, t.names = map[string]string{}, map[string]bool{}, map[string]string{}
	t.suffixes, t.mains, t.hosts, t.labels = map[string]place{}, map[string]Suffix{}, map[string]string{}, map[string]string{}
	tenants, err := allTenants.All(ctx, tx)
	if err != nil {
		return err
	}
	for _, row := range tenants {
		t.ids[row.ID], t.names[row.ID] = true, row.Name
	}
	if len(tenants) > 0 {
		t.oldest = slices.MinFunc(tenants, func(a, b Tenant) int { return cmp.Compare(a.Created, b.Created) }).ID
	}
	if len(tenants) == 1 {
		t.only = tenants[0].ID
	}
	suffixes, err := allSuffixes.All(ctx, tx)
	if err != nil {
		return err
	}
	for _, s := range suffixes {
		t.suffixes[s.Key] = place{s.Tenant, s.Suffix}
		if s.Main {
			t.mains[s.Tenant] = s.Suffix
		}
	}
	hosts, err := allHosts.All(ctx, tx)
	if err != nil {
		return err
	}
	for _, h := range hosts {
		t.add(h)
	}
	return nil
}

func (t *table) add(h hostRow) {
	t.hosts[h.Key] = h.Tenant
	if t.preferred[h.Tenant] == "" || h.Preferred {
		t.preferred[h.Tenant] = h.Name
	}
	label, _, _ := strings.Cut(h.Key, ".")
	if owner, ok := t.labels[label]; ok && owner != h.Tenant {
		t.labels[label] = ""
	} else {
		t.labels[label] = h.Tenant
	}
}

// Find finds the tenant that a caller who is not signed in means: the one named outright, else the one that the login
// name's suffix belongs to, else the one whose host was asked, else the only one. It must not be called within a transaction.
func (x *Index) Find(ctx context.Context, h Hint, host string) (call.Tenant, error) {
	t, err := x.current(ctx)
	if err != nil {
		return call.Tenant{}, err
	}
	id := ""
	switch {
	case strings.TrimSpace(h.Tenant) != "":
		id = t.named(h.Tenant)
	default:
		if at := strings.LastIndexByte(h.Login, '@'); at >= 0 {
			id = t.suffixes[fold.Key(h.Login[at+1:])].tenant
		}
		if id == "" {
			id = t.hosts[fold.Key(bare(host))]
		}
		if id == "" {
			id = t.only
		}
	}
	if id == "" {
		return call.Tenant{}, ErrUnknown
	}
	return x.tenant(t, id), nil
}

// ByID gives a tenant by its id. It must not be called within a transaction.
func (x *Index) ByID(ctx context.Context, id string) (call.Tenant, error) {
	t, err := x.current(ctx)
	if err != nil {
		return call.Tenant{}, err
	}
	if id = strings.ToUpper(id); !t.ids[id] {
		return call.Tenant{}, ErrUnknown
	}
	return x.tenant(t, id), nil
}

// All lists the ids of every tenant, in no order. It must not be called within a transaction.
func (x *Index) All(ctx context.Context) ([]string, error) {
	t, err := x.current(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]string, 0, len(t.ids))
	for id := range t.ids {
		out = append(out, id)
	}
	return out, nil
}

// Oldest is the id of the tenant that was made first; empty when there is none. It must not be called within a transaction.
func (x *Index) Oldest(ctx context.Context) (string, error) {
	t, err := x.current(ctx)
	if err != nil {
		return "", err
	}
	return t.oldest, nil
}

func (x *Index) tenant(t *table, id string) call.Tenant {
	host := t.preferred[id]
	if host != "" && x.Port != 0 && x.Port != 443 {
		host = net.JoinHostPort(host, strconv.Itoa(x.Port))
	}
	return call.Tenant{ID: id, Host: host}
}

// named finds a tenant by its id, a host name, the first label of one, or a URL.
func (t *table) named(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 2048 {
		return ""
	}
	if up := strings.ToUpper(s); t.ids[up] {
		return up
	}
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
		if i := strings.IndexAny(s, "/?#"); i >= 0 {
			s = s[:i]
		}
		s = s[strings.LastIndexByte(s, '@')+1:]
	} else {
		s, _, _ = strings.Cut(s, "/")
	}
	key := fold.Key(bare(s))
	if id := t.hosts[key]; id != "" {
		return id
	}
	return t.labels[key]
}

// bare cuts the port off a host name.
func bare(host string) string {
	if strings.IndexByte(host, ':') < 0 {
		return host
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

// Suffix gives a suffix of the call's tenant; ErrSuffix when it is none. Within a transaction it reads the store when
// memory is not up to date.
func (x *Index) Suffix(ctx context.Context, c *call.Call, name string) (Suffix, error) {
	key := fold.Key(name)
	if t := x.fresh(); t != nil {
		if p := t.suffixes[key]; p.tenant == c.Tenant.ID {
			return p.suffix, nil
		}
	}
	row, err := anySuffix.One(ctx, c.Tx, key)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Tenant != c.Tenant.ID {
		return Suffix{}, ErrSuffix
	}
	return row.Suffix, err
}

// MainSuffix gives the default suffix of the call's tenant.
func (x *Index) MainSuffix(ctx context.Context, c *call.Call) (Suffix, error) {
	if t := x.fresh(); t != nil {
		if s, ok := t.mains[c.Tenant.ID]; ok {
			return s, nil
		}
	}
	return Main(ctx, c)
}

// Main reads the default suffix of the call's tenant. It needs nothing but the transaction.
func Main(ctx context.Context, c *call.Call) (Suffix, error) {
	all, err := listSuffixes.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return Suffix{}, err
	}
	for _, s := range all {
		if s.Main {
			return s, nil
		}
	}
	return Suffix{}, ErrSuffix
}
