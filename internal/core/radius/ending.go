package radius

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/outbox"
	"limen/internal/dbx"
	wire "limen/internal/wire/radius"
)

// TopicEnd is the topic of deliveries that have a client end somebody's use of it.
const TopicEnd = "radius_disconnect"

// Bounds of ending what people use.
const (
	endWithin = 24 * time.Hour  // after that the client is told no more
	endWait   = 5 * time.Second // for its answer
	keepOpen  = 7 * 24 * time.Hour
	maxOpen   = 1000 // of one person, that are ended
)

// Use is what a client told of somebody's use of it.
type Use struct {
	NAS     string `json:"n"` // which device of the client
	Session string `json:"s"` // Acct-Session-Id
	Name    string `json:"u"` // User-Name
	From    string `json:"f"` // address that it told from
	Station string `json:"c,omitempty"`
	// Identifier and Address are what the device calls itself: NAS-Identifier, and the bytes of NAS-IP-Address.
	Identifier string `json:"i,omitempty"`
	Address    []byte `json:"a,omitempty"`
}

// Ending is what is promised: that a client ends somebody's use of it.
type Ending struct {
	Client string `json:"client"`
	User   string `json:"user"`
	Use    Use    `json:"use"`
}

type openRow struct {
	Client string `db:"client"`
	Told   string `db:"told"`
}

var (
	putOpen = dbx.E("radius.put_open", `INSERT INTO radius_session (tenant, client, nas, session, user_id, told, seen) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, client, nas, session) DO UPDATE SET user_id = excluded.user_id, told = excluded.told, seen = excluded.seen`)
	dropOpen   = dbx.E("radius.drop_open", `DELETE FROM radius_session WHERE tenant = ? AND client = ? AND nas = ? AND session = ?`)
	dropDevice = dbx.E("radius.drop_device", `DELETE FROM radius_session WHERE tenant = ? AND client = ? AND nas = ?`)
	dropPerson = dbx.E("radius.drop_person", `DELETE FROM radius_session WHERE tenant = ? AND user_id = ?`)
	openOf     = dbx.Q[openRow]("radius.open_of", `SELECT client, told FROM radius_session WHERE tenant = ? AND user_id = ? ORDER BY client, nas, session LIMIT ?`)
	sweepOpen  = dbx.S("radius.sweep_open", "radius_session", "tenant, client, nas, session", "seen < ?")
	findClient = dbx.Q[Client]("radius.find_client", `SELECT `+clientColumns+` FROM radius_client WHERE tenant = ? AND id = ?`)
)

// Using notes that somebody uses a client that can be told to end it. Of whom access is barred it is ended at once: the device told late.
func (s *Setup) Using(ctx context.Context, c *call.Call, k Client, userID string, barred bool, u Use) error {
	if k.Disconnect == 0 || u.Session == "" || userID == "" {
		return nil
	}
	if barred {
		key := "late/" + k.ID + "/" + u.NAS + "/" + u.Session
		return s.Promise(ctx, c, outbox.Delivery{Topic: TopicEnd, Key: key, Expires: c.Now.Add(endWithin), Payload: Ending{k.ID, userID, u}})
	}
	told, err := json.Marshal(u)
	if err != nil {
		return err
	}
	_, err = putOpen.Do(ctx, c.Tx, c.Tenant.ID, k.ID, u.NAS, u.Session, userID, string(told), c.Now.UnixMilli())
	return err
}

// Used notes that a use of a client is over; with an empty session all of the device are.
func (s *Setup) Used(ctx context.Context, c *call.Call, k Client, u Use) (err error) {
	if u.Session == "" {
		_, err = dropDevice.Do(ctx, c.Tx, c.Tenant.ID, k.ID, u.NAS)
	} else {
		_, err = dropOpen.Do(ctx, c.Tx, c.Tenant.ID, k.ID, u.NAS, u.Session)
	}
	return err
}

// End promises that each client ends a person's use of it, in the transaction after which they have no access.
func (s *Setup) End(ctx context.Context, c *call.Call, userID string) error {
	rows, err := openOf.All(ctx, c.Tx, c.Tenant.ID, userID, maxOpen)
	if err != nil || len(rows) == 0 {
		return err
	}
	for _, r := range rows {
		in := Ending{Client: r.Client, User: userID}
		if err := json.Unmarshal([]byte(r.Told), &in.Use); err != nil {
			return err
		}
		if err := s.Promise(ctx, c, outbox.Delivery{Topic: TopicEnd, Key: c.NewID(), Expires: c.Now.Add(endWithin), Payload: in}); err != nil {
			return err
		}
	}
	_, err = dropPerson.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// SweepUse forgets uses that clients did not tell of for a while.
func (s *Setup) SweepUse(ctx context.Context, now time.Time) error {
	return sweepOpen.Run(ctx, s.DB, now.Add(-keepOpen).UnixMilli())
}

// Ended is what became of a promise. The zero value: the client is no more, or takes none any more.
type Ended struct {
	Client Client
	Ok     bool
	Cause  uint32 // why the client did not (Error-Cause, RFC 5176 section 3.5); 0: it did not say
}

// sessionUnknown is the Error-Cause of a use that is over.
const sessionUnknown = 503

// Tell has a client end somebody's use of it (RFC 5176 section 2.1), and says what it answered. It must not be called within a transaction. An error
// is that it did not answer.
func (s *Setup) Tell(ctx context.Context, c *call.Call, in Ending) (out Ended, err error) {
	err = c.Snapshot(ctx, func() (err error) { out.Client, err = findClient.One(ctx, c.Tx, c.Tenant.ID, in.Client); return err })
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (out.Client.Disconnect == 0 || out.Client.Authority != "") {
		return Ended{}, nil
	}
	if err != nil {
		return out, err
	}
	secret, err := s.Open(ctx, c.Tenant.ID, out.Client.ID, out.Client.Sealed)
	if err != nil {
		return out, err
	}
	id := c.NewID()[35] // any
	b, at, err := wire.Disconnect(id, secret, in.Use.attributes(c.Now)...)
	if err != nil {
		return out, err
	}
	got, err := s.Ask(ctx, in.Use.From, int(out.Client.Disconnect), endWait, b, func(b []byte) bool {
		p, err := wire.Parse(b)
		if err != nil || !p.Answers(id, at, secret) || p.Code != wire.DisconnectACK && p.Code != wire.DisconnectNAK {
			return false
		}
		has, ok := p.Signed(secret, &at)
		return ok || !has
	})
	if err != nil {
		return out, err
	}
	p, err := wire.Parse(got)
	if err != nil {
		return out, err
	}
	out.Cause, _ = p.Number(wire.ErrorCause)
	out.Ok = p.Code == wire.DisconnectACK || out.Cause == sessionUnknown
	return out, nil
}

// attributes name a use to the client that told of it.
func (u Use) attributes(now time.Time) []wire.Attribute {
	out := []wire.Attribute{{Type: wire.UserName, Value: []byte(u.Name)}, {Type: wire.AcctSessionID, Value: []byte(u.Session)}, wire.Time(now.Unix())}
	for t, v := range map[wire.Type][]byte{wire.NASIdentifier: []byte(u.Identifier), wire.NASIPAddress: u.Address, wire.CallingStation: []byte(u.Station)} {
		if len(v) > 0 {
			out = append(out, wire.Attribute{Type: t, Value: v})
		}
	}
	return out
}
