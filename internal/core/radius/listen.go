package radius

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"limen/internal/dbx"
)

// Known is a client as the listener knows it.
type Known struct {
	Client
	Tenant string
	Secret []byte

	network netip.Prefix // invalid where it is known by a name
	trust   trust        // of one over TLS
}

// Of how many clients with an address the secrets are tried, and of how many of one tenant that are known by a name.
const (
	maxTried  = 64
	maxByName = 4
)

type knownRow struct {
	Tenant string `db:"tenant"`
	Client
}

// listening reads the clients of all tenants: the address and the secret of a packet say whose it is.
var listening = dbx.Q[knownRow]("radius.listening", `SELECT tenant, `+clientColumns+` FROM radius_client ORDER BY tenant, id`)

// table is never changed.
type table struct {
	generation int64
	loaded     time.Time
	clients    []Known // narrow networks first, those known by a name last
	hosts      []string
}

// At gives the clients of all tenants that an address belongs to, and that do not ask over TLS: those of narrow networks first, and those known by a name last, a few of each
// tenant, since anybody can have a name for anybody's address. It must not be called within a transaction.
func (s *Setup) At(ctx context.Context, ip netip.Addr) ([]Known, error) { return s.at(ctx, ip, false) }

func (s *Setup) at(ctx context.Context, ip netip.Addr, secured bool) ([]Known, error) {
	t, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	ip = ip.Unmap().WithZone("")
	if s.Lookup != nil && len(t.hosts) > 0 {
		s.names.refresh(ctx, t.hosts)
	}
	var out []Known
	byName := map[string]int{}
	for _, k := range t.clients {
		switch {
		case (k.Authority != "") != secured:
			continue
		case k.network.IsValid() && !k.network.Contains(ip):
			continue
		case !k.network.IsValid():
			if byName[k.Tenant] == maxByName || !s.names.has(k.Address, ip) {
				continue
			}
			byName[k.Tenant]++
		}
		if k.Secret, err = s.opened(ctx, k); err != nil {
			return nil, err
		}
		if out = append(out, k); len(out) == maxTried {
			break
		}
	}
	return out, nil
}

// fresh gives the table when it may be trusted.
func (s *Setup) fresh() *table {
	t := s.table.Load()
	if t == nil || t.generation != s.generation.Load() || !s.Changes.Fresh() && time.Since(t.loaded) > time.Second {
		return nil
	}
	return t
}

func (s *Setup) current(ctx context.Context) (*table, error) {
	if t := s.fresh(); t != nil {
		return t, nil
	}
	s.loading.Lock()
	defer s.loading.Unlock()
	if t := s.fresh(); t != nil {
		return t, nil
	}
	t := &table{generation: s.generation.Load(), loaded: time.Now()}
	var rows []knownRow
	err := s.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		rows, err = listening.All(ctx, tx)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		k := Known{Client: row.Client, Tenant: row.Tenant}
		if row.Authority != "" {
			k.trust = trusted(row.Authority)
		}
		if named(row.Address) {
			t.hosts = append(t.hosts, row.Address)
		} else if k.network, err = netip.ParsePrefix(row.Address); err != nil {
			return nil, err
		}
		t.clients = append(t.clients, k)
	}
	slices.SortStableFunc(t.clients, func(a, b Known) int { return b.narrow() - a.narrow() })
	s.table.Store(t)
	return t, nil
}

// narrow says how few addresses a client may ask from.
func (k Known) narrow() int {
	if !k.network.IsValid() {
		return -1
	}
	return k.network.Bits()
}

// Start watches for changes.
func (s *Setup) Start() {
	s.names.now = time.Now
	s.names.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) { return s.Lookup(ctx, host) }
	s.Changes.Watch(Topic, func(string) { s.generation.Add(1) })
}
