// Package throttle slows guessers down without giving them a way to keep people out.
//
// Failures are counted apart for the password and for second factors, per account and per network (one IPv4 address, or
// one IPv6 /64). After some failures each further one costs a delay that doubles; after more the account is refused for
// a while, never for good. A device on which the person has signed in completely has a counter of its own and is not
// touched by those of account and network: whoever guesses from elsewhere delays strangers only. An account is its name
// as it was typed, so that names which do not exist are slowed alike.
package throttle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Limits are the numbers of a tenant; the zero value of a field takes its default.
type Limits struct {
	Free     int           // failures that cost no delay; 3
	MaxDelay time.Duration // the longest delay before a lock; 30 s
	Lock     int           // failures within Window after which the account is refused; 10
	Window   time.Duration // failures older than this count no more; 30 min
	LockFor  time.Duration // 30 min
	Network  int           // failures of all accounts within Window after which a network is refused; 100
}

func (l Limits) filled() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	dur := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Free, 3)
	def(&l.Lock, 10)
	def(&l.Network, 100)
	dur(&l.MaxDelay, 30*time.Second)
	dur(&l.Window, 30*time.Minute)
	dur(&l.LockFor, 30*time.Minute)
	return l
}

// Stricter gives the stricter of each member of two limits: what o leaves at zero stays.
func (l Limits) Stricter(o Limits) Limits {
	l = l.filled()
	if o.Lock > 0 {
		l.Lock = min(l.Lock, o.Lock)
	}
	l.Window, l.LockFor = max(l.Window, o.Window), max(l.LockFor, o.LockFor)
	return l
}

// Kind is what is being guessed.
type Kind string

// The kinds.
const (
	Password Kind = "password"
	Second   Kind = "second"
	Send     Kind = "send" // not a guess: asking for a code to be sent, each of which counts as a failure
	// Recover is Send for those who have proved nothing yet: strangers must not use up what the person may have sent.
	Recover Kind = "recover"
	Push    Kind = "push"  // not a guess: asking a device, which counts as a failure until somebody approves
	Token   Kind = "token" // the secret of a link, which names no account: networks alone are counted
)

// Attempt says who tries what.
type Attempt struct {
	Kind   Kind
	Login  string     // login name as typed
	IP     netip.Addr // where from
	Device []byte     // hash of the device cookie where the person knows the device (Known), else nil
}

// Outcome is what became of an attempt.
type Outcome struct {
	Allowed bool          // the answer counts; when false even a right one must be refused
	Wait    time.Duration // until the next attempt is allowed
	Locked  bool          // this failure locked the account
}

// Throttle counts. Its fields are set before use.
type Throttle struct {
	// Limits gives a tenant's numbers for a kind; the defaults when nil. It runs in a transaction.
	Limits func(ctx context.Context, c *call.Call, k Kind) (Limits, error)
	// Own puts what holds for the account of an attempt in the place of the tenant's numbers; nil: nothing. For names that do
	// not exist it must answer as for somebody.
	Own func(ctx context.Context, c *call.Call, a Attempt, base Limits) (Limits, error)
}

type counter struct {
	Failures int64 `db:"failures"`
	Since    int64 `db:"since"`
	Until    int64 `db:"until"`
}

var (
	findRow = dbx.Q[counter]("throttle.find", `SELECT failures, since, until FROM throttle WHERE tenant = ? AND scope = ? AND subject = ?`)
	// takeRow makes the row or locks it: of attempts at once one is counted after the other.
	takeRow = dbx.W[counter]("throttle.take", `INSERT INTO throttle (tenant, scope, subject, failures, since, until) VALUES (?, ?, ?, 0, ?, 0)
		ON CONFLICT (tenant, scope, subject) DO UPDATE SET failures = throttle.failures RETURNING failures, since, until`)
	countRow = dbx.E("throttle.count", `UPDATE throttle SET failures = ?, since = ?, until = ? WHERE tenant = ? AND scope = ? AND subject = ?`)
	clearRow = dbx.E("throttle.clear", `DELETE FROM throttle WHERE tenant = ? AND scope = ? AND subject = ?`)
	sweepRow = dbx.S("throttle.sweep", "throttle", "tenant, scope, subject", "since < ? AND until < ?")
)

// subject is a counter that an attempt falls under.
type subject struct {
	scope, key string
	network    bool
}

func (a Attempt) subjects() []subject {
	if a.Kind == Token {
		return []subject{{scope: string(a.Kind) + ".network", key: Network(a.IP), network: true}}
	}
	account := hashed(fold.Key(a.Login))
	if len(a.Device) > 0 {
		return []subject{{scope: string(a.Kind) + ".device", key: account + "." + hex.EncodeToString(a.Device[:min(len(a.Device), 16)])}}
	}
	return []subject{
		{scope: string(a.Kind) + ".account", key: account},
		{scope: string(a.Kind) + ".network", key: Network(a.IP), network: true},
	}
}

// hashed keeps names that were typed out of the table, a password typed into the wrong field among them.
func hashed(s string) string {
	sum := sha256.Sum256([]byte("limen throttle\x00" + s))
	return hex.EncodeToString(sum[:16])
}

// Network is the part of an address that one stranger controls: a host in IPv4, a /64 in IPv6.
func Network(ip netip.Addr) string {
	ip = ip.Unmap().WithZone("")
	if ip.Is6() {
		if p, err := ip.Prefix(64); err == nil {
			return p.String()
		}
	}
	return ip.String()
}

func (t Throttle) limits(ctx context.Context, c *call.Call, a Attempt) (l Limits, err error) {
	k := a.Kind
	if t.Limits != nil {
		l, err = t.Limits(ctx, c, k)
	}
	if t.Own != nil && err == nil {
		l, err = t.Own(ctx, c, a, l)
	}
	l = l.filled()
	if k == Push { // whoever is asked again and again approves in the end
		l.Free, l.Lock, l.Window, l.LockFor = Pushes, Pushes, 30*time.Minute, 30*time.Minute
	}
	if k == Send || k == Recover || k == Push { // most who ask for a code are who they say: a company behind one address does so all morning
		l.Network *= sendsPerFailure
	}
	return l, err
}

// Pushes is how often a device is asked within half an hour while nobody approves.
const Pushes = 5

// sendsPerFailure is how many messages weigh as much as one failure, for networks.
const sendsPerFailure = 20

// Wait says how long until an attempt would be allowed; 0 when it is now. It only reads.
func (t Throttle) Wait(ctx context.Context, c *call.Call, a Attempt) (time.Duration, error) {
	var wait time.Duration
	for _, s := range a.subjects() {
		row, err := findRow.One(ctx, c.Tx, c.Tenant.ID, s.scope, s.key)
		if errors.Is(err, dbx.ErrNoRow) {
			continue
		}
		if err != nil {
			return 0, err
		}
		wait = max(wait, row.wait(c.Now))
	}
	return wait, nil
}

func (r counter) wait(now time.Time) time.Duration {
	return max(0, time.Duration(r.Until-now.UnixMilli())*time.Millisecond)
}

// Count takes an attempt whose answer was right or wrong, in a transaction that may write. A refused attempt counts
// nothing, so that nobody prolongs a refusal by trying on. A right answer clears the account's or the device's counter,
// but not the network's: an account of one's own must not wash away the guesses at others'.
func (t Throttle) Count(ctx context.Context, c *call.Call, a Attempt, right bool) (Outcome, error) {
	limits, err := t.limits(ctx, c, a)
	if err != nil {
		return Outcome{}, err
	}
	subjects := a.subjects()
	rows := make([]counter, len(subjects))
	out := Outcome{Allowed: true}
	for i, s := range subjects {
		if rows[i], err = t.take(ctx, c, s, right); err != nil {
			return Outcome{}, err
		}
		if wait := rows[i].wait(c.Now); wait > 0 {
			out.Allowed, out.Wait = false, max(out.Wait, wait)
		}
	}
	if !out.Allowed {
		return out, nil
	}
	for i, s := range subjects {
		if err := t.settle(ctx, c, s, rows[i], limits, right, &out); err != nil {
			return Outcome{}, err
		}
	}
	return out, nil
}

// Recent is how many attempts at passwords and second factors failed not long ago: within the window in which they count.
type Recent struct {
	Account int64 // at the account, on devices that the person is not known on; on the attempt's own alone where it is known
	Network int64 // at all accounts, from the attempt's network; 0 where the device is known
}

type failed struct {
	Scope    string `db:"scope"`
	Failures int64  `db:"failures"`
	Since    int64  `db:"since"`
}

var recentRows = dbx.Q[failed]("throttle.recent", `SELECT scope, failures, since FROM throttle WHERE tenant = ? AND scope = ANY(?) AND subject = ANY(?)`)

// Recent says how many failures an attempt comes after, whatever its Kind. It only reads.
func (t Throttle) Recent(ctx context.Context, c *call.Call, a Attempt) (out Recent, err error) {
	var scopes, keys []string
	window := map[string]time.Duration{}
	for _, a.Kind = range []Kind{Password, Second} {
		l := Limits{}
		if t.Limits != nil {
			if l, err = t.Limits(ctx, c, a.Kind); err != nil {
				return out, err
			}
		}
		for _, s := range a.subjects() {
			scopes, keys, window[s.scope] = append(scopes, s.scope), append(keys, s.key), l.filled().Window
		}
	}
	rows, err := recentRows.All(ctx, c.Tx, c.Tenant.ID, scopes, keys)
	for _, r := range rows {
		switch {
		case c.Now.UnixMilli()-r.Since > window[r.Scope].Milliseconds():
		case strings.HasSuffix(r.Scope, ".network"):
			out.Network += r.Failures
		default:
			out.Account += r.Failures
		}
	}
	return out, err
}

// Asked counts that somebody who has proved nothing asks for a mail, whether the address is anybody's or not. Where they ask too often it fails
// with a fault, which says when to ask again.
func (t Throttle) Asked(ctx context.Context, c *call.Call, mail string, often *fault.Error) error {
	counted, err := t.Count(ctx, c, Attempt{Kind: Recover, Login: mail, IP: c.Client.IP}, false)
	if err == nil && !counted.Allowed {
		err = often.RetryAfter(int((counted.Wait + time.Second - 1) / time.Second))
	}
	return err
}

func (t Throttle) take(ctx context.Context, c *call.Call, s subject, right bool) (counter, error) {
	if s.network && right { // nothing will change, so no row is made
		row, err := findRow.One(ctx, c.Tx, c.Tenant.ID, s.scope, s.key)
		if errors.Is(err, dbx.ErrNoRow) {
			return counter{}, nil
		}
		return row, err
	}
	return takeRow.One(ctx, c.Tx, c.Tenant.ID, s.scope, s.key, c.Now.UnixMilli())
}

func (t Throttle) settle(ctx context.Context, c *call.Call, s subject, row counter, l Limits, right bool, out *Outcome) error {
	if right {
		if s.network {
			return nil
		}
		return clearRow.Later(ctx, c.Tx, c.Tenant.ID, s.scope, s.key)
	}
	locked := row.fail(c.Now, l, s.network)
	out.Wait = max(out.Wait, row.wait(c.Now))
	out.Locked = out.Locked || locked && !s.network
	return countRow.Later(ctx, c.Tx, row.Failures, row.Since, row.Until, c.Tenant.ID, s.scope, s.key)
}

// fail counts a failure and says whether it locked.
func (r *counter) fail(now time.Time, l Limits, network bool) bool {
	ms := now.UnixMilli()
	most := l.Lock
	if network {
		most = l.Network
	}
	if ms-r.Since > l.Window.Milliseconds() || r.Failures >= int64(most) {
		r.Failures, r.Since = 0, ms
	}
	r.Failures++
	switch {
	case r.Failures >= int64(most):
		r.Until = ms + l.LockFor.Milliseconds()
		return true
	case !network && r.Failures > int64(l.Free):
		delay := l.MaxDelay
		if shift := r.Failures - int64(l.Free) - 1; shift < 16 {
			delay = min(delay, time.Second<<shift)
		}
		r.Until = ms + delay.Milliseconds()
	}
	return false
}

// Clear forgets the failures of an account, whoever made them; for administrators who unlock it.
func (t Throttle) Clear(ctx context.Context, c *call.Call, login string) error {
	for _, kind := range []Kind{Password, Second, Send, Recover, Push} {
		if _, err := clearRow.Do(ctx, c.Tx, c.Tenant.ID, string(kind)+".account", hashed(fold.Key(login))); err != nil {
			return err
		}
	}
	return nil
}

// Sweep removes counters of all tenants that count no more: those whose window began before a time at least a Window
// ago, and that refuse nobody.
func (t Throttle) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepRow.Run(ctx, db, before.UnixMilli(), before.UnixMilli())
}

// Locked says which accounts are refused at present whatever password is given, after too many wrong ones; not those who wait
// some seconds.
func (t Throttle) Locked(ctx context.Context, c *call.Call, logins ...string) (map[string]bool, error) {
	const chunk = 500
	out := map[string]bool{}
	for part := range slices.Chunk(logins, chunk) {
		by, keys := map[string]string{}, make([]string, len(part))
		for i, login := range part {
			keys[i] = hashed(fold.Key(login))
			by[keys[i]] = login
		}
		where := dbx.And(dbx.Eq("scope", string(Password)+".account"), dbx.In("subject", keys...), dbx.Gt("until", c.Now.UnixMilli()))
		rows, err := refused.Rows(ctx, c.Tx, where, nil, chunk, c.Tenant.ID)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			l, err := t.limits(ctx, c, Attempt{Kind: Password, Login: by[r.Subject]})
			if err != nil {
				return nil, err
			}
			if r.Failures >= int64(l.Lock) {
				out[by[r.Subject]] = true
			}
		}
	}
	return out, nil
}

// Refuses says whether any account of the tenant is refused at present whatever password is given, be it for some seconds.
func (t Throttle) Refuses(ctx context.Context, c *call.Call) (bool, error) {
	where := dbx.And(dbx.Eq("scope", string(Password)+".account"), dbx.Gt("until", c.Now.UnixMilli()))
	rows, err := refused.Rows(ctx, c.Tx, where, nil, 1, c.Tenant.ID)
	return len(rows) > 0, err
}

type refusal struct {
	Subject  string `db:"subject"`
	Failures int64  `db:"failures"`
}

var refused = dbx.L[refusal]("throttle.refused", `SELECT subject, failures FROM throttle WHERE tenant = ?`).By("scope", "until")
