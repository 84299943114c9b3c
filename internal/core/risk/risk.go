// Package risk rates a sign-in as it begins: how likely it is that somebody else than the person is at it. Each reason that is found adds its
// weight to a score, and the score makes a level by thresholds; weights and thresholds are the tenant's settings. The rating decides nothing by
// itself: policies name levels (core/policy), and events keep level and reasons.
//
// A reason whose weight is 0 is not looked for, and neither is one that lacks what it goes by. One that should be looked for and cannot be, such as
// by a file that is damaged, is missing: where it could have lifted the level the level is Unknown, which policies can name, and else it stands.
package risk

import (
	"context"
	"errors"
	"net/netip"
	"slices"

	"limen/internal/call"
	"limen/internal/core/setting"
	"limen/internal/core/throttle"
)

// Level is how likely it is that somebody else is at a sign-in (redrock-tables.yaml, User.RiskLevel).
type Level string

// The levels, from the least to the greatest, and the one of sign-ins whose rating lacks what could have lifted it.
const (
	Normal  Level = "Normal"
	Low     Level = "Low"
	Medium  Level = "Medium"
	High    Level = "High"
	Unknown Level = "Unknown"
)

// Levels are all of them, in that order.
var Levels = []Level{Normal, Low, Medium, High, Unknown}

// Names of the reasons.
const (
	NewDevice        = "NewDevice"
	ImpossibleTravel = "ImpossibleTravel"
	AccountFailures  = "AccountFailures"
	NetworkFailures  = "NetworkFailures"
	BadNetwork       = "BadNetwork"
	LeakedPassword   = "LeakedPassword"
)

// Reason is something that was found.
type Reason struct {
	Name   string `json:"n"`
	Weight int    `json:"w"`
	Why    string `json:"y"` // what was found, for administrators
}

// Rating is what is thought of a sign-in.
type Rating struct {
	Level   Level    `json:"l"`
	Score   int      `json:"s"`
	Reasons []Reason `json:"r,omitempty"`
	Missing []string `json:"m,omitempty"` // names of reasons that could not be looked for
}

// Subject is who signs in. A name that does not exist is rated as the person whose package is shown for it, so that nobody learns from what is asked
// which names exist.
type Subject struct {
	User  string // UUID; empty: nobody
	Login string // login name as typed
	// Relayed says that the call comes from a server that asks for the person: neither address nor device are theirs.
	Relayed bool
}

// Risks rates sign-ins. Its fields are set before use.
type Risks struct {
	Settings *setting.Store
	Throttle throttle.Throttle
	// Place says where an address is, false where that is not known; ErrMissing while it cannot be looked up. Nil: nothing is known of places.
	Place func(ip netip.Addr) (Place, bool, error)
	// Listed gives the name of a list of networks that has an address; empty: none has. ErrMissing while that cannot be looked up. Nil: there are none.
	Listed func(ip netip.Addr) (string, error)
	// Leaks says that passwords are looked up, which is told to Learn.
	Leaks bool
}

// ErrMissing says that a reason cannot be looked for at present. It fails no sign-in.
var ErrMissing = errors.New("it cannot be found out at present")

// look is one rating on its way.
type look struct {
	*Risks
	c      *call.Call
	of     Subject
	v      *setting.Risk
	device []byte          // hash of the device, where the person has signed in on it; nil: they have not
	recent throttle.Recent // failures
}

// reason is one that may be found.
type reason struct {
	name   string
	weight func(*setting.Risk) int
	own    bool // it goes by address or device of the person
	// find says what was found; empty: nothing. ErrMissing when that cannot be found out. Nil: Learn is told.
	find func(*look, context.Context) (string, error)
}

var reasons = []reason{
	{NewDevice, func(v *setting.Risk) int { return v.NewDevice }, true, (*look).newDevice},
	{ImpossibleTravel, func(v *setting.Risk) int { return v.ImpossibleTravel }, true, (*look).travel},
	{AccountFailures, func(v *setting.Risk) int { return v.AccountFailures }, false, (*look).accountFailures},
	{NetworkFailures, func(v *setting.Risk) int { return v.NetworkFailures }, true, (*look).networkFailures},
	{BadNetwork, func(v *setting.Risk) int { return v.BadNetwork }, true, (*look).badNetwork},
	{LeakedPassword, func(v *setting.Risk) int { return v.LeakedPassword }, false, nil},
}

// Rate rates a sign-in of the call's client. It reads only: three rows by their keys.
func (r *Risks) Rate(ctx context.Context, c *call.Call, of Subject) (Rating, error) {
	values, err := r.Settings.Get(ctx, c)
	if err != nil {
		return Rating{}, err
	}
	l := &look{Risks: r, c: c, of: of, v: &values.Risk}
	if err := l.ready(ctx); err != nil {
		return Rating{}, err
	}
	var out Rating
	for _, one := range reasons {
		weight := one.weight(l.v)
		if weight == 0 || one.find == nil || one.own && of.Relayed {
			continue
		}
		why, err := one.find(l, ctx)
		switch {
		case errors.Is(err, ErrMissing):
			out.Missing = append(out.Missing, one.name)
		case err != nil:
			return Rating{}, err
		case why != "":
			out.Reasons = append(out.Reasons, Reason{one.name, weight, why})
			out.Score += weight
		}
	}
	out.rank(l.v)
	return out, nil
}

// Learn adds to a rating what showed only later: why a reason is found, empty where that could not be found out.
func (r *Risks) Learn(ctx context.Context, c *call.Call, was Rating, name, why string) (Rating, error) {
	values, err := r.Settings.Get(ctx, c)
	if err != nil {
		return was, err
	}
	weight := weightOf(&values.Risk, name)
	if weight == 0 {
		return was, nil
	}
	out := was
	if why == "" {
		out.Missing = append(slices.Clip(out.Missing), name)
	} else {
		out.Reasons = append(slices.Clip(out.Reasons), Reason{name, weight, why})
		out.Score += weight
	}
	out.rank(&values.Risk)
	return out, nil
}

func weightOf(v *setting.Risk, name string) int {
	at := slices.IndexFunc(reasons, func(one reason) bool { return one.name == name })
	return reasons[at].weight(v)
}

// rank makes the level of the score, and of what is missing.
func (out *Rating) rank(v *setting.Risk) {
	most := out.Score
	for _, name := range out.Missing {
		most += weightOf(v, name)
	}
	if out.Level = level(v, out.Score); level(v, most) != out.Level {
		out.Level = Unknown
	}
}

// level is that of a score.
func level(v *setting.Risk, score int) Level {
	switch {
	case score >= v.High:
		return High
	case score >= v.Medium:
		return Medium
	case score >= v.Low:
		return Low
	}
	return Normal
}

// ready reads what several reasons go by. What strangers do elsewhere says nothing about a device on which the person has signed in: its own failures
// count there, as they do for the throttle.
func (l *look) ready(ctx context.Context) (err error) {
	if !l.of.Relayed {
		if l.device, err = l.Throttle.Known(ctx, l.c, l.of.User, throttle.DeviceHash(l.c.Client.Device)); err != nil {
			return err
		}
	}
	if l.v.AccountFailures == 0 && l.v.NetworkFailures == 0 {
		return nil
	}
	l.recent, err = l.Throttle.Recent(ctx, l.c, throttle.Attempt{Login: l.of.Login, IP: l.c.Client.IP, Device: l.device})
	return err
}
