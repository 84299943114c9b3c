package authenticator

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/wire/push"
)

// ErrSubscription is for what is no subscription of a browser.
var ErrSubscription = fault.New(fault.Invalid, "authenticator.subscription", "The subscription must have an https endpoint, and the keys that a browser gives it.")

// maxEndpoint bounds the address of a push service, in bytes.
const maxEndpoint = 1000

// Subscription is where a device's browser takes messages, as PushSubscription.toJSON writes it.
type Subscription struct {
	Endpoint string `json:"e"`
	P256DH   string `json:"p"`
	Auth     string `json:"a"`
}

// SubscribeMessage is what a device signs to have messages sent there; all of s empty: no more are.
func SubscribeMessage(tenant, device string, at int64, s Subscription) []byte {
	return message("subscribe", tenant, device, strconv.FormatInt(at, 10), s.Endpoint, s.P256DH, s.Auth)
}

type keyRow struct {
	Private string `db:"private"`
	Public  string `db:"public"`
}

type pushRow struct {
	Device  string `db:"device"`
	User    string `db:"user_id"`
	Content string `db:"content"`
}

var (
	putPush = dbx.E("authenticator.put_push", `INSERT INTO authenticator_push (tenant, device, user_id, content, created) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant, device) DO UPDATE SET content = excluded.content, created = excluded.created`)
	findPush = dbx.Q[pushRow]("authenticator.find_push", `SELECT device, user_id, content FROM authenticator_push WHERE tenant = ? AND device = ?`)
	// pushOf gives first the device that was used last.
	pushOf = dbx.Q[string]("authenticator.push_of", `SELECT p.device FROM authenticator_push p JOIN authenticator a ON a.tenant = p.tenant AND a.id = p.device
		WHERE p.tenant = ? AND p.user_id = ? ORDER BY a.used DESC, a.created DESC, a.id LIMIT 10`)
	dropPush = dbx.E("authenticator.drop_push", `DELETE FROM authenticator_push WHERE tenant = ? AND device = ?`)
	dropAll  = dbx.E("authenticator.drop_pushes", `DELETE FROM authenticator_push WHERE tenant = ? AND user_id = ?`)
	findKey  = dbx.Q[keyRow]("authenticator.find_key", `SELECT private, public FROM push_key WHERE tenant = ?`)
	putKey   = dbx.E("authenticator.put_key", `INSERT INTO push_key (tenant, private, public, created) VALUES (?, ?, ?, ?) ON CONFLICT (tenant) DO NOTHING`)
)

const aadKey = "push key"

func aadPush(device string) string { return "authenticator push/" + device }

// PushKey gives the public key for which browsers subscribe (applicationServerKey), and makes the tenant's where it has none yet. The tenant's
// keys of factor.PurposeCode must have been made.
func (v Devices) PushKey(ctx context.Context, c *call.Call) (string, error) {
	row, err := findKey.One(ctx, c.Tx, c.Tenant.ID)
	if !errors.Is(err, dbx.ErrNoRow) {
		return row.Public, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), c.Rand)
	if err != nil {
		return "", err
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", err
	}
	public, err := push.Public(key)
	if err != nil {
		return "", err
	}
	sealed, err := v.Ring.Seal(ctx, c.Tenant.ID, factor.PurposeCode, raw, aadKey)
	if err != nil {
		return "", err
	}
	if _, err := putKey.Do(ctx, c.Tx, c.Tenant.ID, sealed, public, c.Now.UnixMilli()); err != nil {
		return "", err
	}
	row, err = findKey.One(ctx, c.Tx, c.Tenant.ID) // another one may have been first
	return row.Public, err
}

// Subscribe has messages for a device sent to a push service, in place of where they went before; nowhere where s is empty. Fault:
// ErrSubscription.
func (v Devices) Subscribe(ctx context.Context, c *call.Call, d Device, s Subscription) error {
	if s == (Subscription{}) {
		_, err := dropPush.Do(ctx, c.Tx, c.Tenant.ID, d.ID)
		return err
	}
	if len(s.Endpoint) > maxEndpoint || push.Origin(s.Endpoint) == "" || (push.Keys{P256DH: s.P256DH, Auth: s.Auth}).Check() != nil {
		return ErrSubscription
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return err
	}
	sealed, err := v.Ring.Seal(ctx, c.Tenant.ID, factor.PurposeCode, raw, aadPush(d.ID))
	if err != nil {
		return err
	}
	_, err = putPush.Do(ctx, c.Tx, c.Tenant.ID, d.ID, d.User, sealed, c.Now.UnixMilli())
	return err
}

// send promises a message to each device of a person that takes some, or to the one used last where policies want one alone.
func (v Devices) send(ctx context.Context, c *call.Call, p factor.Person, ask string, until time.Time) error {
	if v.Send == nil {
		return nil
	}
	list, err := pushOf.All(ctx, c.Tx, c.Tenant.ID, p.ID)
	if err != nil || len(list) == 0 {
		return err
	}
	if v.Many != nil {
		many, err := v.Many(ctx, c, p.ID)
		if err != nil {
			return err
		}
		if !many {
			list = list[:1]
		}
	}
	return v.toEach(ctx, c, list, Push{Ask: ask, Culture: p.Culture}, until)
}

// Tell promises a message about something to all devices of a person that take some.
func (v Devices) Tell(ctx context.Context, c *call.Call, p factor.Person, about string, until time.Time) error {
	if v.Send == nil {
		return nil
	}
	list, err := pushOf.All(ctx, c.Tx, c.Tenant.ID, p.ID)
	if err != nil {
		return err
	}
	return v.toEach(ctx, c, list, Push{Ask: c.NewID(), Culture: p.Culture, About: about}, until)
}

func (v Devices) toEach(ctx context.Context, c *call.Call, devices []string, p Push, until time.Time) error {
	for _, p.Device = range devices {
		if err := v.Send(ctx, c, p, until); err != nil {
			return err
		}
	}
	return nil
}

// Push is a message to a device on its way: that something waits, and nothing of what.
type Push struct {
	Device  string `json:"device"`
	Ask     string `json:"ask"`
	Culture string `json:"culture,omitempty"` // BCP 47 tag of its owner's language
	About   string `json:"about,omitempty"`   // what it tells of; empty: that a sign-in waits
}

// Message is what is sent to a push service.
type Message struct {
	Endpoint string
	Body     []byte            // encrypted for the browser
	Header   map[string]string // besides the one about its length
}

// ErrNowhere says that a device takes no messages any more.
var ErrNowhere = fault.New(fault.NotFound, "authenticator.nowhere", "The authenticator takes no messages.")

// Message makes a message for a device: text is what its browser gets. subject is an address of whoever runs the server. Fault: ErrNowhere.
func (v Devices) Message(ctx context.Context, c *call.Call, device string, text []byte, subject string, until time.Time) (Message, error) {
	row, err := findPush.One(ctx, c.Tx, c.Tenant.ID, device)
	if errors.Is(err, dbx.ErrNoRow) {
		return Message{}, ErrNowhere
	}
	if err != nil {
		return Message{}, err
	}
	raw, err := v.Ring.Open(ctx, c.Tenant.ID, factor.PurposeCode, row.Content, aadPush(device))
	if err != nil {
		return Message{}, err
	}
	var s Subscription
	if err := json.Unmarshal(raw, &s); err != nil {
		return Message{}, err
	}
	key, err := v.private(ctx, c)
	if err != nil {
		return Message{}, err
	}
	body, err := push.Encrypt(push.Keys{P256DH: s.P256DH, Auth: s.Auth}, text, c.Rand)
	if err != nil {
		return Message{}, err
	}
	who, err := push.Authorization(key, s.Endpoint, subject, c.Now.Add(time.Hour))
	left := max(int64(until.Sub(c.Now)/time.Second), 0)
	return Message{s.Endpoint, body, map[string]string{
		"Authorization": who, "Content-Encoding": push.Encoding, "Content-Type": "application/octet-stream",
		"TTL": strconv.FormatInt(left, 10), "Urgency": "high",
	}}, err
}

func (v Devices) private(ctx context.Context, c *call.Call) (*ecdsa.PrivateKey, error) {
	row, err := findKey.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	raw, err := v.Ring.Open(ctx, c.Tenant.ID, factor.PurposeCode, row.Private, aadKey)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(raw)
	if err != nil {
		return nil, err
	}
	out, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, ErrKey
	}
	return out, nil
}

// Unsubscribe forgets where messages for a device went, since the push service knows it no more.
func (Devices) Unsubscribe(ctx context.Context, c *call.Call, device string) error {
	_, err := dropPush.Do(ctx, c.Tx, c.Tenant.ID, device)
	return err
}
