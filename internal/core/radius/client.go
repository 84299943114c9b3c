package radius

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"strings"

	"limen/internal/call"
	"limen/internal/core/profile"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Client is a device or server that asks who somebody is.
type Client struct {
	ID          string `db:"id"`
	Name        string `db:"name"` // unique in the tenant whatever its case
	Description string `db:"description"`
	Address     string `db:"address"`    // from where it asks: a network, as 192.0.2.7/32, or a host name
	Profile     string `db:"profile"`    // authentication profile that its people pass; empty: policies say which
	Unsigned    bool   `db:"unsigned"`   // its requests need no Message-Authenticator
	MSCHAP      bool   `db:"mschap"`     // it may ask by MS-CHAP version 2 outside of TLS
	Authority   string `db:"authority"`  // that issued its certificate, as PEM: it asks over TLS alone; empty: by UDP alone
	CertName    string `db:"cert_name"`  // in that certificate
	Disconnect  int64  `db:"disconnect"` // UDP port at which it is told to end somebody's use; 0: it is not
	Sealed      string `db:"sealed"`
}

const clientColumns = `id, name, description, address, profile, unsigned, mschap, authority, cert_name, disconnect, sealed`

var (
	listClients = dbx.Q[Client]("radius.clients", `SELECT `+clientColumns+` FROM radius_client WHERE tenant = ? ORDER BY name_key, id`)
	// lockClient makes those who change a client follow one another.
	lockClient   = dbx.Q[Client]("radius.lock_client", `SELECT `+clientColumns+` FROM radius_client WHERE tenant = ? AND id = ? FOR UPDATE`)
	atAddress    = dbx.Q[string]("radius.at_address", `SELECT id FROM radius_client WHERE tenant = ? AND address = ?`)
	countClients = dbx.Q[int64]("radius.count_clients", `SELECT COUNT(*) FROM radius_client WHERE tenant = ?`)
	insertClient = dbx.E("radius.insert_client", `INSERT INTO radius_client (tenant, id, name, name_key, description, address, profile, unsigned, mschap, authority, cert_name, disconnect, sealed, created, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	updateClient = dbx.E("radius.update_client", `UPDATE radius_client SET name = ?, name_key = ?, description = ?, address = ?, profile = ?, unsigned = ?, mschap = ?, authority = ?, cert_name = ?, disconnect = ?, sealed = ?, changed = ?
		WHERE tenant = ? AND id = ?`)
	deleteClient = dbx.E("radius.delete_client", `DELETE FROM radius_client WHERE tenant = ? AND id = ?`)
	naming       = dbx.Q[string]("radius.naming", `SELECT name FROM radius_client WHERE tenant = ? AND profile = ? ORDER BY name_key`)
)

// Clients lists the clients by their names.
func (s *Setup) Clients(ctx context.Context, c *call.Call) ([]Client, error) {
	return listClients.All(ctx, c.Tx, c.Tenant.ID)
}

// Naming lists the names of the clients whose people pass an authentication profile.
func (s *Setup) Naming(ctx context.Context, c *call.Call, profileID string) ([]string, error) {
	return naming.All(ctx, c.Tx, c.Tenant.ID, profileID)
}

// ClientWish is a client as it is to be. What is nil stays as it is.
type ClientWish struct {
	ID          string // empty: a new one
	Name        string
	Description *string
	Address     string // an address, a network in CIDR notation, or a host name
	Profile     *string
	Unsigned    *bool
	MSCHAP      *bool
	Authority   *string // PEM
	CertName    *string
	Disconnect  *int
	Secret      string // empty: as it is
}

// ReadyClient is a wish whose secret is sealed.
type ReadyClient struct {
	wish   ClientWish
	id     string
	sealed string
}

// PrepareClient checks a wish as far as it tells, and seals its secret; outside transactions.
func (s *Setup) PrepareClient(ctx context.Context, c *call.Call, w ClientWish) (ReadyClient, error) {
	out := ReadyClient{id: strings.ToLower(strings.TrimSpace(w.ID))}
	if w.ID = out.id; out.id == "" {
		out.id = c.NewID()
	}
	var err error
	if w.Name, err = line("Name", w.Name, 1, maxName); err != nil {
		return out, err
	}
	if w.Description != nil {
		text, err := line("Description", *w.Description, 0, maxText)
		if err != nil {
			return out, err
		}
		w.Description = &text
	}
	if w.Address, err = network(w.Address); err != nil {
		return out, err
	}
	if w.Disconnect != nil && (*w.Disconnect < 0 || *w.Disconnect > 65535) {
		return out, fault.Bad("DisconnectPort", "is a UDP port, such as 3799, or 0")
	}
	if err := w.secure(c.Now); err != nil {
		return out, err
	}
	if w.ID == "" && w.Secret == "" && (w.Authority == nil || *w.Authority == "") {
		return out, fault.Missing("Secret")
	}
	out.wish = w
	out.sealed, err = s.seal(ctx, c, out.id, w.Secret, minSecret)
	return out, err
}

// named says whether an address is a host name.
func named(address string) bool { return address != "" && !strings.Contains(address, "/") }

// isName says whether a text of the form of a host name is one, and no address with a mistake in it.
func isName(text string) bool {
	last := text[strings.LastIndexByte(text, '.')+1:]
	return strings.Trim(last, "0123456789") != ""
}

// network gives the network of a text, which is one or an address, or a host name as it is. Wider networks than a tenant has devices in are
// refused.
func network(text string) (string, error) {
	bad := fault.Bad("ClientHostOrIp", "is an address such as 192.0.2.7, a network such as 192.0.2.0/24 of at least 8 bits, or 32 of IPv6, or a host name")
	text = strings.TrimSpace(text)
	if a, err := netip.ParseAddr(text); err == nil {
		if a.Zone() != "" || a.IsUnspecified() || a.IsMulticast() {
			return "", bad
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()).String(), nil
	}
	if name, err := host(text); err == nil && isName(name) {
		return name, nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Addr().Is4In6() || p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 32 || p != p.Masked() {
		return "", bad
	}
	return p.String(), nil
}

// SaveClient makes or changes a client, and gives its id. Faults: ErrNotFound, ErrTaken, ErrAddress, ErrMany, ErrProfile.
func (s *Setup) SaveClient(ctx context.Context, c *call.Call, r ReadyClient) (string, error) {
	was, err := s.clientBefore(ctx, c, r.wish.ID)
	if err != nil {
		return "", err
	}
	now := was
	now.ID, now.Name, now.Address, now.Sealed = r.id, r.wish.Name, r.wish.Address, cmp.Or(r.sealed, was.Sealed)
	if r.wish.Description != nil {
		now.Description = *r.wish.Description
	}
	if r.wish.Unsigned != nil {
		now.Unsigned = *r.wish.Unsigned
	}
	if r.wish.Authority != nil {
		now.Authority = *r.wish.Authority
	}
	if r.wish.CertName != nil {
		now.CertName = *r.wish.CertName
	}
	if r.wish.Disconnect != nil {
		now.Disconnect = int64(*r.wish.Disconnect)
	}
	if err := now.proves(); err != nil {
		return "", err
	}
	if r.wish.MSCHAP != nil {
		now.MSCHAP = *r.wish.MSCHAP
	}
	if r.wish.Profile != nil {
		if now.Profile, err = s.hold(ctx, c, *r.wish.Profile); err != nil {
			return "", err
		}
	}
	if now.Unsigned && named(now.Address) {
		return "", fault.Bad("AllowUnsigned", "is for clients with an address: nothing else would show that a request comes of whom the name means")
	}
	other, err := atAddress.One(ctx, c.Tx, c.Tenant.ID, now.Address)
	if err == nil && other != now.ID {
		return "", ErrAddress.At("ClientHostOrIp")
	}
	if err != nil && !errors.Is(err, dbx.ErrNoRow) {
		return "", err
	}
	if err := writeClient(ctx, c, was, now); err != nil {
		return "", err
	}
	noteClient(c.Event, was, now)
	if e := c.Event; e != nil && r.sealed != "" && was.ID != "" {
		e.Set("SecretChanged", true)
	}
	return now.ID, s.told(ctx, c)
}

// clientBefore is the client that is to be changed; the zero Client for a new one.
func (s *Setup) clientBefore(ctx context.Context, c *call.Call, id string) (Client, error) {
	if id != "" {
		was, err := lockClient.One(ctx, c.Tx, c.Tenant.ID, id)
		if errors.Is(err, dbx.ErrNoRow) {
			err = ErrNotFound
		}
		return was, err
	}
	n, err := countClients.One(ctx, c.Tx, c.Tenant.ID)
	if err == nil && n >= MaxClients {
		err = ErrMany
	}
	return Client{}, err
}

// hold gives the id of an authentication profile, which is not deleted meanwhile; empty for none.
func (s *Setup) hold(ctx context.Context, c *call.Call, id string) (string, error) {
	if id = strings.TrimSpace(id); id == "" {
		return "", nil
	}
	p, err := s.Profiles.Hold(ctx, c, id)
	if errors.Is(err, profile.ErrNotFound) {
		err = ErrProfile.At("AuthProfile")
	}
	return p.ID, err
}

func writeClient(ctx context.Context, c *call.Call, was, now Client) (err error) {
	at := c.Now.UnixMilli()
	if was.ID == "" {
		_, err = insertClient.Do(ctx, c.Tx, c.Tenant.ID, now.ID, now.Name, keyOf(now.Name), now.Description, now.Address, now.Profile, now.Unsigned, now.MSCHAP, now.Authority, now.CertName, now.Disconnect, now.Sealed, at, at)
	} else {
		_, err = updateClient.Do(ctx, c.Tx, now.Name, keyOf(now.Name), now.Description, now.Address, now.Profile, now.Unsigned, now.MSCHAP, now.Authority, now.CertName, now.Disconnect, now.Sealed, at, c.Tenant.ID, now.ID)
	}
	if errors.Is(err, dbx.ErrExists) {
		err = taken(now.Name)
	}
	return err
}

// RemoveClients removes clients; ids that nothing has are passed over.
func (s *Setup) RemoveClients(ctx context.Context, c *call.Call, ids []string) error {
	gone := 0
	for _, id := range ids {
		was, err := lockClient.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(strings.TrimSpace(id)))
		if errors.Is(err, dbx.ErrNoRow) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := deleteClient.Do(ctx, c.Tx, c.Tenant.ID, was.ID); err != nil {
			return err
		}
		noteClient(event(c, gone), was, Client{})
		gone++
	}
	return s.told(ctx, c)
}

// noteClient keeps a change in an event; the zero Client stands for none.
func noteClient(e *call.Event, was, now Client) {
	if e == nil {
		return
	}
	e.Kind, e.Target, e.Name = "RadiusClient", cmp.Or(now.ID, was.ID), cmp.Or(now.Name, was.Name)
	call.Changed(e, "Name", was.Name, now.Name)
	call.Changed(e, "Description", was.Description, now.Description)
	call.Changed(e, "ClientHostOrIp", was.Address, now.Address)
	call.Changed(e, "AuthProfile", was.Profile, now.Profile)
	call.Changed(e, "AllowUnsigned", was.Unsigned, now.Unsigned)
	call.Changed(e, "AllowMsChapV2", was.MSCHAP, now.MSCHAP)
	call.Changed(e, "RadSecAuthority", prints(was.Authority), prints(now.Authority))
	call.Changed(e, "DisconnectPort", was.Disconnect, now.Disconnect)
	call.Changed(e, "RadSecName", was.CertName, now.CertName)
}
