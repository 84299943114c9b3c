package radius

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Server is one elsewhere that is asked whether a passcode is somebody's.
type Server struct {
	ID      string `db:"id"`
	Name    string `db:"name"` // unique in the tenant whatever its case
	Host    string `db:"host"` // name or address
	Port    int64  `db:"port"`
	Names   string `db:"names"`   // one of Identifiers
	Wait    int64  `db:"wait"`    // for an answer, in seconds
	Trusted bool   `db:"trusted"` // a system administrator saved it last: it is asked about administrators as well
	Sealed  string `db:"sealed"`
}

// Identifiers are what of a person a server may know them by: the login name; the mail address; the login name up to its suffix; and the
// login name once more, as Windows calls it.
func Identifiers() []string { return []string{"Name", "Mail", "sAMAccountName", "UserPrincipalName"} }

// What a server has when nothing is said.
const (
	DefaultPort = 1812
	DefaultWait = 5
	maxWait     = 60
)

const serverColumns = `id, name, host, port, names, wait, trusted, sealed`

var (
	listServers  = dbx.Q[Server]("radius.servers", `SELECT `+serverColumns+` FROM radius_server WHERE tenant = ? ORDER BY name_key, id`)
	lockServer   = dbx.Q[Server]("radius.lock_server", `SELECT `+serverColumns+` FROM radius_server WHERE tenant = ? AND id = ? FOR UPDATE`)
	countServers = dbx.Q[int64]("radius.count_servers", `SELECT COUNT(*) FROM radius_server WHERE tenant = ?`)
	insertServer = dbx.E("radius.insert_server", `INSERT INTO radius_server (tenant, id, name, name_key, host, port, names, wait, trusted, sealed, created, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	updateServer = dbx.E("radius.update_server", `UPDATE radius_server SET name = ?, name_key = ?, host = ?, port = ?, names = ?, wait = ?, trusted = ?, sealed = ?, changed = ?
		WHERE tenant = ? AND id = ?`)
	deleteServer = dbx.E("radius.delete_server", `DELETE FROM radius_server WHERE tenant = ? AND id = ?`)
)

// Servers lists the servers by their names, which is the order in which they are asked.
func (s *Setup) Servers(ctx context.Context, c *call.Call) ([]Server, error) {
	return listServers.All(ctx, c.Tx, c.Tenant.ID)
}

// ServerWish is a server as it is to be. What is nil stays as it is.
type ServerWish struct {
	ID     string // empty: a new one
	Name   string
	Host   string
	Port   *int64
	Names  *string
	Wait   *int64
	Secret string // empty: as it is, which it may stay while the host and port do
	Force  bool   // although it shuts out who could undo it
}

// ReadyServer is a wish whose secret is sealed.
type ReadyServer struct {
	wish   ServerWish
	id     string
	sealed string
}

var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)

// PrepareServer checks a wish as far as it tells, and seals its secret; outside transactions.
func (s *Setup) PrepareServer(ctx context.Context, c *call.Call, w ServerWish) (ReadyServer, error) {
	out := ReadyServer{id: strings.ToLower(strings.TrimSpace(w.ID))}
	if w.ID = out.id; out.id == "" {
		out.id = c.NewID()
	}
	var err error
	if w.Name, err = line("Name", w.Name, 1, maxName); err != nil {
		return out, err
	}
	if w.Host, err = host(w.Host); err != nil {
		return out, err
	}
	if w.Port != nil && (*w.Port < 1 || *w.Port > 65535) {
		return out, fault.Bad("Port", "is a number from 1 to 65535")
	}
	if w.Wait != nil && (*w.Wait < 1 || *w.Wait > maxWait) {
		return out, fault.Bad("Timeout", "is a number of seconds from 1 to %d", maxWait)
	}
	if w.Names != nil {
		i := slices.IndexFunc(Identifiers(), func(name string) bool { return fold.Key(name) == fold.Key(strings.TrimSpace(*w.Names)) })
		if i < 0 {
			return out, fault.Bad("UserIdentifierAttribute", "is one of %s", strings.Join(Identifiers(), ", "))
		}
		w.Names = &Identifiers()[i]
	}
	if w.ID == "" && w.Secret == "" {
		return out, fault.Missing("Secret")
	}
	out.wish = w
	out.sealed, err = s.seal(ctx, c, out.id, w.Secret, 1)
	return out, err
}

func host(text string) (string, error) {
	text = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), ".")
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return a.Unmap().String(), nil
	}
	if len(text) > 253 || !hostName.MatchString(text) {
		return "", fault.Bad("Host", "is a host name or an address, without a port")
	}
	return text, nil
}

// SaveServer makes or changes a server, and gives its id. A saved secret stays with the host and port that it was saved for. Faults:
// ErrNotFound, ErrTaken, ErrMany, ErrLockout.
func (s *Setup) SaveServer(ctx context.Context, c *call.Call, r ReadyServer) (string, error) {
	was, err := s.serverBefore(ctx, c, r.wish.ID)
	if err != nil {
		return "", err
	}
	now := was
	if was.ID == "" {
		now = Server{Port: DefaultPort, Wait: DefaultWait, Names: Identifiers()[0]}
	}
	now.ID, now.Name, now.Host, now.Sealed = r.id, r.wish.Name, r.wish.Host, cmp.Or(r.sealed, was.Sealed)
	now.Trusted = c.Caller == nil || c.Caller.Held.System()
	for to, from := range map[*int64]*int64{&now.Port: r.wish.Port, &now.Wait: r.wish.Wait} {
		if from != nil {
			*to = *from
		}
	}
	if r.wish.Names != nil {
		now.Names = *r.wish.Names
	}
	if r.sealed == "" && (now.Host != was.Host || now.Port != was.Port) {
		return "", fault.Missing("Secret") // or whoever names another host would be sent what it hides
	}
	err = s.stays(ctx, c, r.wish.Force || was.ID == "", func() error { return writeServer(ctx, c, was, now) })
	if err != nil {
		return "", err
	}
	noteServer(c.Event, was, now)
	if e := c.Event; e != nil && r.sealed != "" && was.ID != "" {
		e.Set("SecretChanged", true)
	}
	return now.ID, nil
}

// serverBefore is the server that is to be changed; the zero Server for a new one.
func (s *Setup) serverBefore(ctx context.Context, c *call.Call, id string) (Server, error) {
	if id != "" {
		was, err := lockServer.One(ctx, c.Tx, c.Tenant.ID, id)
		if errors.Is(err, dbx.ErrNoRow) {
			err = ErrNotFound
		}
		return was, err
	}
	n, err := countServers.One(ctx, c.Tx, c.Tenant.ID)
	if err == nil && n >= MaxServers {
		err = ErrMany
	}
	return Server{}, err
}

func writeServer(ctx context.Context, c *call.Call, was, now Server) (err error) {
	at := c.Now.UnixMilli()
	if was.ID == "" {
		_, err = insertServer.Do(ctx, c.Tx, c.Tenant.ID, now.ID, now.Name, keyOf(now.Name), now.Host, now.Port, now.Names, now.Wait, now.Trusted, now.Sealed, at, at)
	} else {
		_, err = updateServer.Do(ctx, c.Tx, now.Name, keyOf(now.Name), now.Host, now.Port, now.Names, now.Wait, now.Trusted, now.Sealed, at, c.Tenant.ID, now.ID)
	}
	if errors.Is(err, dbx.ErrExists) {
		err = taken(now.Name)
	}
	return err
}

// RemoveServers removes servers; ids that nothing has are passed over. Fault: ErrLockout.
func (s *Setup) RemoveServers(ctx context.Context, c *call.Call, ids []string, force bool) error {
	return s.stays(ctx, c, force, func() error { return removeServers(ctx, c, ids) })
}

func removeServers(ctx context.Context, c *call.Call, ids []string) error {
	gone := 0
	for _, id := range ids {
		was, err := lockServer.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(strings.TrimSpace(id)))
		if errors.Is(err, dbx.ErrNoRow) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := deleteServer.Do(ctx, c.Tx, c.Tenant.ID, was.ID); err != nil {
			return err
		}
		noteServer(event(c, gone), was, Server{})
		gone++
	}
	return nil
}

// noteServer keeps a change in an event; the zero Server stands for none.
func noteServer(e *call.Event, was, now Server) {
	if e == nil {
		return
	}
	e.Kind, e.Target, e.Name = "RadiusServer", cmp.Or(now.ID, was.ID), cmp.Or(now.Name, was.Name)
	call.Changed(e, "Name", was.Name, now.Name)
	call.Changed(e, "Host", was.Host, now.Host)
	call.Changed(e, "Port", was.Port, now.Port)
	call.Changed(e, "UserIdentifierAttribute", was.Names, now.Names)
	call.Changed(e, "Timeout", was.Wait, now.Wait)
	call.Changed(e, "AsksAboutAdministrators", was.Trusted, now.Trusted)
}
