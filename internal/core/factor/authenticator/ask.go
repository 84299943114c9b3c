package authenticator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/throttle"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of what authenticators are asked.
var (
	ErrAsk    = fault.New(fault.NotFound, "authenticator.ask", "This request is over: it was answered, has expired, or was withdrawn.")
	ErrClock  = fault.New(fault.Denied, "authenticator.clock", "The time of the request is not the server's, as the header Date tells it.")
	ErrNumber = fault.New(fault.Denied, "authenticator.number", "That is not the number which the sign-in shows. Nobody was signed in.")
)

const (
	wait    = 3 * time.Minute  // for which a request is open
	skew    = 2 * time.Minute  // by which the clock of a device may differ
	window  = 30 * time.Minute // in which requests that nobody approved count
	keep    = 24 * time.Hour
	digits  = 2   // of the number
	maxText = 120 // bytes of what is shown
)

// What became of a request.
const (
	approved  = "approved"
	refused   = "refused"
	wrong     = "wrong" // approved with a number that the sign-in does not show
	withdrawn = "withdrawn"
)

// content is what a request is about. The number is for comparing: no device is told.
type content struct {
	Nonce  string `json:"n"`
	Number string `json:"c"`
	App    string `json:"a"`
	Place  string `json:"p"`
	Agent  string `json:"u"`
	Login  string `json:"l"`
}

type askRow struct {
	ID        string `db:"id"`
	User      string `db:"user_id"`
	Login     []byte `db:"login"`
	Mechanism string `db:"mechanism"`
	Content   string `db:"content"`
	Created   int64  `db:"created"`
	Expires   int64  `db:"expires"`
	Answered  int64  `db:"answered"`
}

const askColumns = `a.id, a.user_id, a.login, a.mechanism, a.content, a.created, a.expires, a.answered`

var (
	insertAsk = dbx.E("authenticator.insert_ask", `INSERT INTO authenticator_ask (tenant, id, user_id, login, mechanism, content, created, expires, answered, outcome, device)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', '')`)
	// waiting leaves out requests of conversations that have ended.
	waiting = dbx.Q[askRow]("authenticator.waiting", `SELECT `+askColumns+` FROM authenticator_ask a JOIN login l ON l.tenant = a.tenant AND l.id = a.login
		WHERE a.tenant = ? AND a.user_id = ? AND a.answered = 0 AND a.expires > ? ORDER BY a.created DESC, a.id LIMIT 10`)
	findAsk = dbx.Q[askRow]("authenticator.find_ask", `SELECT `+askColumns+` FROM authenticator_ask a WHERE a.tenant = ? AND a.id = ?`)
	// settle answers a request once.
	settle   = dbx.E("authenticator.settle", `UPDATE authenticator_ask SET answered = ?, outcome = ?, device = ? WHERE tenant = ? AND id = ? AND answered = 0`)
	withdraw = dbx.E("authenticator.withdraw", `UPDATE authenticator_ask SET answered = ?, outcome = ? WHERE tenant = ? AND login = ? AND answered = 0`)
	// unheard are the requests that nobody approved, since one was.
	unheard = dbx.Q[int64]("authenticator.unheard", `SELECT count(*) FROM authenticator_ask WHERE tenant = ? AND user_id = ? AND created > ? AND outcome <> ?
		AND created > COALESCE((SELECT max(b.answered) FROM authenticator_ask b WHERE b.tenant = ? AND b.user_id = ? AND b.created > ? AND b.outcome = ?), 0)`)
	dropAsks = dbx.E("authenticator.drop_asks", `DELETE FROM authenticator_ask WHERE tenant = ? AND user_id = ?`)
	sweepAsk = dbx.S("authenticator.sweep", "authenticator_ask", "tenant, id", "expires < ?")
	use      = dbx.E("authenticator.use", `UPDATE authenticator SET used = ?, version = version + 1 WHERE tenant = ? AND user_id = ? AND id = ?`)
)

// Sweep removes requests of all tenants that ended long before a time.
func Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepAsk.Run(ctx, db, before.Add(-keep).UnixMilli())
}

// ask asks a person's authenticators, and says with which number; empty where they were asked too often of late. What the same
// conversation asked before is withdrawn.
func (v Devices) ask(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge) (string, error) {
	now, since := c.Now.UnixMilli(), c.Now.Add(-window).UnixMilli()
	if _, err := withdraw.Do(ctx, c.Tx, now, withdrawn, c.Tenant.ID, ch.From.Talk); err != nil {
		return "", err
	}
	n, err := unheard.One(ctx, c.Tx, c.Tenant.ID, p.ID, since, approved, c.Tenant.ID, p.ID, since, approved)
	if err != nil || n >= throttle.Pushes {
		return "", err
	}
	nonce, _ := crypt.NewToken(c.Rand)
	what := content{
		Nonce: nonce, Number: crypt.NewCode(c.Rand, digits), App: line(ch.From.App), Place: line(v.place(c)), Agent: line(c.Client.UserAgent), Login: line(cmp.Or(ch.From.Name, p.Name)),
	}
	raw, err := json.Marshal(what)
	if err != nil {
		return "", err
	}
	id := c.NewID()
	sealed, err := v.Ring.Seal(ctx, c.Tenant.ID, factor.PurposeCode, raw, aadAsk(id))
	if err != nil {
		return "", err
	}
	_, err = insertAsk.Do(ctx, c.Tx, c.Tenant.ID, id, p.ID, ch.From.Talk, ch.ID, sealed, now, c.Now.Add(wait).UnixMilli())
	if err == nil {
		err = v.send(ctx, c, p, id, c.Now.Add(wait))
	}
	return what.Number, err
}

func aadAsk(id string) string { return "authenticator ask/" + id }

// place is where a sign-in comes from, as far as that is known.
func (v Devices) place(c *call.Call) string { return v.at(c.Client.IP) }

func (v Devices) at(ip netip.Addr) string {
	at := ip.Unmap()
	if v.Country != nil {
		if country := v.Country(at); country != "" {
			return at.String() + " (" + country + ")"
		}
	}
	return at.String()
}

// line is a text as it is shown and signed: without line breaks, and not long.
func line(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	for len(text) > maxText {
		_, n := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-n]
	}
	return text
}

// Ask is a request as a device shows it. Times are in ms since 1970 UTC.
type Ask struct {
	ID      string
	Nonce   string // drawn for this request; it is signed
	Login   string // name of the account
	App     string // what is signed in to; empty: this server itself
	Place   string // address that the sign-in comes from, with its country where that is known
	Agent   string // what the browser or program calls itself
	Created int64
	Expires int64
}

// Tell notes in an event that a device answered what it was asked.
func (a Ask) Tell(e *call.Event, d Device, approved bool) {
	e.Set("Asked", time.UnixMilli(a.Created).UTC().Format(time.RFC3339))
	e.Set("Approved", approved)
	if d.ID != "" { // else it is not known which one
		e.Set("Authenticator", d.ID)
	}
}

// Caller finds the device that signed a message with its time. Faults: ErrSignature, ErrClock.
func (v Devices) Caller(ctx context.Context, c *call.Call, id string, at int64, message []byte, signature string) (Device, error) {
	d, err := v.signer(ctx, c, id, message, signature)
	if err != nil {
		return d, err
	}
	if off := c.Now.Sub(time.UnixMilli(at)).Abs(); off > skew {
		return d, ErrClock
	}
	return d, nil
}

func (v Devices) signer(ctx context.Context, c *call.Call, id string, message []byte, signature string) (Device, error) {
	d, err := v.Find(ctx, c, id)
	if errors.Is(err, ErrNotFound) {
		return d, ErrSignature
	}
	if err != nil {
		return d, err
	}
	key, err := d.key()
	if err == nil && !signed(key, message, signature) {
		err = ErrSignature
	}
	return d, err
}

// Waiting gives what a device's owner is asked, the newest first.
func (v Devices) Waiting(ctx context.Context, c *call.Call, d Device) ([]Ask, error) {
	rows, err := waiting.All(ctx, c.Tx, c.Tenant.ID, d.User, c.Now.UnixMilli())
	if err != nil {
		return nil, err
	}
	out := make([]Ask, len(rows))
	for i, row := range rows {
		what, err := v.open(ctx, c, row)
		if err != nil {
			return nil, err
		}
		out[i] = Ask{row.ID, what.Nonce, what.Login, what.App, what.Place, what.Agent, row.Created, row.Expires}
	}
	return out, nil
}

func (v Devices) open(ctx context.Context, c *call.Call, row askRow) (out content, err error) {
	raw, err := v.Ring.Open(ctx, c.Tenant.ID, factor.PurposeCode, row.Content, aadAsk(row.ID))
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	return out, err
}

// Reply is a device's answer.
type Reply struct {
	Device    string // id
	Ask       string // id of the request
	Approve   bool
	Number    string // that the owner has entered; empty with a refusal
	Signature string // over AnswerMessage
}

// AnswerMessage is what a device signs to answer: what it has shown, and what its owner said.
func AnswerMessage(tenant, device string, a Ask, approve bool, number string) []byte {
	said := "refuse"
	if approve {
		said = "approve"
	}
	return message("answer", tenant, device, a.ID, a.Nonce, said, line(number), a.Login, a.App, a.Place, strconv.FormatInt(a.Created, 10))
}

// Answered is a request that was answered, once.
type Answered struct {
	Device    Device
	Ask       Ask
	Approved  bool
	Wrong     bool   // approved with a wrong number, which is no approval
	Talk      []byte // hash of the conversation's id
	Mechanism string // id of the mechanism in it
}

// Answer takes a device's answer to a request, of which there is one only. Faults: ErrSignature, ErrAsk.
func (v Devices) Answer(ctx context.Context, c *call.Call, r Reply) (Answered, error) {
	d, err := v.Find(ctx, c, r.Device)
	if errors.Is(err, ErrNotFound) {
		return Answered{}, ErrSignature
	}
	if err != nil {
		return Answered{}, err
	}
	row, err := findAsk.One(ctx, c.Tx, c.Tenant.ID, r.Ask)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.User != d.User {
		return Answered{}, ErrAsk
	}
	if err != nil {
		return Answered{}, err
	}
	what, err := v.open(ctx, c, row)
	if err != nil {
		return Answered{}, err
	}
	key, err := d.key()
	if err != nil {
		return Answered{}, err
	}
	out := answered(d, row, what, r.Approve, r.Number)
	if !signed(key, AnswerMessage(c.Tenant.ID, d.ID, out.Ask, r.Approve, r.Number), r.Signature) {
		return Answered{}, ErrSignature
	}
	return out, v.settled(ctx, c, row, out)
}

func answered(d Device, row askRow, what content, approve bool, number string) Answered {
	out := Answered{
		Device: d, Talk: row.Login, Mechanism: row.Mechanism,
		Ask: Ask{row.ID, what.Nonce, what.Login, what.App, what.Place, what.Agent, row.Created, row.Expires},
	}
	out.Approved = approve && crypt.SameText(strings.TrimSpace(number), what.Number)
	out.Wrong = approve && !out.Approved
	return out
}

// Coded takes an answer to the request of a person's that waits, the newest where ask is empty, of whoever has shown by a code of the profile that their
// authenticators share (oath.Profiles.Own) that they hold one of them. It is as good as the code itself, which a sign-in takes in the place of an
// approval, and needs the number besides. Fault: ErrAsk.
func (v Devices) Coded(ctx context.Context, c *call.Call, userID, ask string, approve bool, number string) (Answered, error) {
	rows, err := waiting.All(ctx, c.Tx, c.Tenant.ID, userID, c.Now.UnixMilli())
	if err != nil {
		return Answered{}, err
	}
	i := slices.IndexFunc(rows, func(r askRow) bool { return ask == "" || r.ID == ask })
	if i < 0 {
		return Answered{}, ErrAsk
	}
	what, err := v.open(ctx, c, rows[i])
	if err != nil {
		return Answered{}, err
	}
	out := answered(Device{User: userID}, rows[i], what, approve, number)
	return out, v.settled(ctx, c, rows[i], out)
}

// settled takes a request out of use. Fault: ErrAsk.
func (Devices) settled(ctx context.Context, c *call.Call, row askRow, a Answered) error {
	now, outcome := c.Now.UnixMilli(), refused
	switch {
	case row.Answered != 0 || row.Expires <= now:
		return ErrAsk
	case a.Approved:
		outcome = approved
	case a.Wrong:
		outcome = wrong
	}
	n, err := settle.Do(ctx, c.Tx, now, outcome, a.Device.ID, c.Tenant.ID, row.ID)
	if err == nil && n == 0 {
		err = ErrAsk
	}
	if err != nil {
		return err
	}
	_, err = use.Do(ctx, c.Tx, now, c.Tenant.ID, a.Device.User, a.Device.ID)
	return err
}
