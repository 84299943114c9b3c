package demand

import (
	"context"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/throttle"
	"limen/internal/fault"
)

// Faults of what is demanded of sign-ins.
var (
	ErrBan  = fault.New(fault.Invalid, "demand.ban", "The lock-out rule is out of bounds.")
	ErrLife = fault.New(fault.Invalid, "demand.life", "The life of tokens is out of bounds.")
)

// Entry is what an organization demands of sign-ins, and of tokens for it.
type Entry struct {
	Ban Ban `json:"ban,omitzero"`
	// Life is for how many seconds a token for the organization is good at most; 0: as long as the tenant says.
	Life int `json:"life,omitempty"`
	// Activation keeps who joins the organization out until somebody lets them in.
	Activation bool `json:"activation,omitempty"`
	// Device is how sign-ins on unknown devices are treated.
	Device Device `json:"device,omitzero"`
	// Sights are what personal data roles of the organization see, by their ids; nil: all see everything.
	Sights map[string]Sight `json:"sights,omitempty"`
}

// Ban says when failed sign-ins lock an account of the organization's people for a while.
type Ban struct {
	On       bool `json:"on,omitempty"`
	Attempts int  `json:"attempts,omitempty"` // failures within Window
	Window   int  `json:"window,omitempty"`   // seconds
	Lasts    int  `json:"lasts,omitempty"`    // seconds
}

// Usual is the rule of who has said nothing: it is off, and its numbers are those that throttles have by themselves.
var Usual = Ban{Attempts: 10, Window: 1800, Lasts: 1800}

// Bounds of bans and lives. Locks end within a day, so that nobody keeps people out by failing in their names; and they begin after three
// failures at the earliest, because people mistype.
var bans = map[string]bound{"maxFailedAttempts": {3, 100}, "attemptsWindowInSeconds": {60, 24 * 3600}, "banTimeInSeconds": {60, 24 * 3600}}

// MinLife is the least life of tokens, in seconds.
const MinLife = 60

func (b Ban) check() error {
	for _, m := range []struct {
		name string
		n    int
	}{{"maxFailedAttempts", b.Attempts}, {"attemptsWindowInSeconds", b.Window}, {"banTimeInSeconds", b.Lasts}} {
		if in := bans[m.name]; m.n < in.least || m.n > in.most {
			return ErrBan.At(m.name).Say("Parameter %s must be %d to %d.", m.name, in.least, in.most)
		}
	}
	return nil
}

// Ban locks accounts of an organization's people after failed sign-ins, from the next failure on. Fault: ErrBan.
func (d *Demands) Ban(ctx context.Context, c *call.Call, org string, b Ban) (Demand, error) {
	if err := b.check(); err != nil {
		return Demand{}, err
	}
	return d.change(ctx, c, org, func(now *Demand) error {
		now.Entry.Ban = b
		return nil
	})
}

// Limit bounds for how many seconds tokens for an organization are good that are made from now on; 0: as long as most, the tenant's life
// of tokens, which they may not exceed. Fault: ErrLife.
func (d *Demands) Limit(ctx context.Context, c *call.Call, org string, life, most int) (Demand, error) {
	if life != 0 && (life < MinLife || life > most) {
		return Demand{}, ErrLife.At("tokenLifetimeInSeconds").Say("Parameter tokenLifetimeInSeconds must be %d to %d.", MinLife, most)
	}
	return d.change(ctx, c, org, func(now *Demand) error {
		now.Entry.Life = life
		return nil
	})
}

// Activate keeps people who join an organization from now on out until they are activated, or no longer.
func (d *Demands) Activate(ctx context.Context, c *call.Call, org string, on bool) (Demand, error) {
	return d.change(ctx, c, org, func(now *Demand) error {
		now.Entry.Activation = on
		return nil
	})
}

// Locks puts the strictest of the lock-out rules of the organizations that a person is in on a throttle's limits, member by member.
func (d *Demands) Locks(ctx context.Context, c *call.Call, userID string, l throttle.Limits) (throttle.Limits, error) {
	of, err := d.cache.Get(ctx, c)
	if err != nil || len(of) == 0 || userID == "" {
		return l, err
	}
	in, err := d.Of(ctx, c, userID)
	for _, org := range in {
		one := of[org]
		if n := one.Rule.Attempts; n > 0 {
			l = l.Stricter(throttle.Limits{Lock: n})
		}
		if b := one.Entry.Ban; b.On {
			l = l.Stricter(throttle.Limits{Lock: b.Attempts, Window: time.Duration(b.Window) * time.Second, LockFor: time.Duration(b.Lasts) * time.Second})
		}
	}
	return l, err
}

// Life is for how long a token for an organization is good, of which the tenant says how long it is at most.
func (d *Demands) Life(ctx context.Context, c *call.Call, org string, most time.Duration) (time.Duration, error) {
	if org == "" {
		return most, nil
	}
	now, err := d.Get(ctx, c, org)
	if own := time.Duration(now.Entry.Life) * time.Second; own > 0 {
		most = min(most, own)
	}
	return most, err
}

// notedEntry says in an event what has changed.
func notedEntry(e *call.Event, was, now Entry) {
	call.Changed(e, "BanEnabled", was.Ban.On, now.Ban.On)
	call.Changed(e, "BanAttempts", was.Ban.Attempts, now.Ban.Attempts)
	call.Changed(e, "BanWindowSeconds", was.Ban.Window, now.Ban.Window)
	call.Changed(e, "BanSeconds", was.Ban.Lasts, now.Ban.Lasts)
	call.Changed(e, "TokenSeconds", was.Life, now.Life)
	call.Changed(e, "ActivationRequired", was.Activation, now.Activation)
	call.Changed(e, "DeviceMode", string(was.Device.Mode), string(now.Device.Mode))
	call.Changed(e, "DeviceCountries", strings.Join(was.Device.Countries, ","), strings.Join(now.Device.Countries, ","))
}
