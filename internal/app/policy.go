package app

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"limen/internal/call"
	"limen/internal/core/breakglass"
	"limen/internal/core/demand"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/network"
	"limen/internal/core/password"
	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/risk"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/platform/geoip"
	"limen/internal/platform/netlist"
)

// wirePolicies wires policy sets with what they rule: passwords, locks, and how people sign in.
func (a *App) wirePolicies() {
	a.Policies = &policy.Policies{
		DB: a.DB, Roles: a.Roles, Changes: a.Changes, Ring: a.Ring, Profiles: a.Profiles, Able: a.able, Knows: a.knowsDevice, Zone: a.localTime,
		Ranges: a.Networks.Corporate, Lockout: a.lockout, Risk: a.risk,
	}
	a.Risks = &risk.Risks{Settings: a.Values, Leaks: a.Settings.Leaked != ""} // its throttle is wired with sign-ins
	if a.Settings.GeoIP != "" {
		places := geoip.New(a.Settings.GeoIP, a.Log, nil)
		a.Policies.Country, a.Risks.Place = places.Of, func(ip netip.Addr) (risk.Place, bool, error) {
			at, known, err := places.At(ip)
			if err != nil {
				err = errors.Join(risk.ErrMissing, err)
			}
			return risk.Place(at), known, err
		}
	}
	if len(a.Settings.BadNetworks) > 0 {
		lists := netlist.New(a.Settings.BadNetworks, a.Log, nil)
		a.Risks.Listed = func(ip netip.Addr) (string, error) {
			name, err := lists.Find(ip)
			if err != nil {
				err = errors.Join(risk.ErrMissing, err)
			}
			return name, err
		}
	}
	a.Policies.Start()
	a.Tenants.Begun = append(a.Tenants.Begun, a.Policies.Make)
}

// wireNetworks wires IP ranges with what names them.
func (a *App) wireNetworks() {
	a.Networks = &network.Networks{
		DB: a.DB, Changes: a.Changes, Lockout: a.lockout,
		Holders: func(ctx context.Context, c *call.Call, id string) ([]string, error) {
			sets, err := a.Policies.NamingRange(ctx, c, id)
			for i, path := range sets {
				sets[i] = "the policy set " + path
			}
			return sets, err
		},
	}
	a.Networks.Start()
}

// wireDemands wires what organizations demand of the people in them.
func (a *App) wireDemands() {
	a.Demands = &demand.Demands{
		DB: a.DB, Changes: a.Changes, Of: a.organizationsOf, Places: a.Settings.GeoIP != "",
		Lockout: func(ctx context.Context, c *call.Call, warning *fault.Error) error {
			err := a.lockout(ctx, c, warning)
			if errors.Is(err, warning) { // in its own words: it cannot be overridden
				err = warning
			}
			return err
		},
		Corporate: func(ctx context.Context, c *call.Call) (network.Set, error) {
			set, _, err := a.Networks.Corporate(ctx, c, "")
			return set, err
		},
	}
	a.Roles.Beyond = a.Demands.Beyond
	a.Demands.Start()
	a.Orgs.Gone = append(a.Orgs.Gone, a.Demands.Gone)
}

// organizationsOf lists the organizations that a person is in: the one that they belong to, and the workspaces that they joined.
func (a *App) organizationsOf(ctx context.Context, c *call.Call, userID string) ([]string, error) {
	u, err := a.People.ByID(ctx, c, userID)
	if errors.Is(err, user.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return a.Workspaces.Of(ctx, c, u)
}

// lockout gives the warning when a change has shut out those who could undo it.
func (a *App) lockout(ctx context.Context, c *call.Call, warning *fault.Error) error {
	return lockout.Guard{Roles: a.Roles, People: a.People, Admits: a.Logins.Admits}.Check(ctx, c, warning)
}

// keepWay makes a change to what somebody signs in with, unless no system administrator could sign in then, or it takes two.
func (a *App) keepWay(ctx context.Context, c *call.Call, userID string, change func() error) error {
	if err := a.alone(ctx, c, userID); err != nil {
		return err
	}
	return lockout.Guard{Roles: a.Roles, People: a.People, Admits: a.Logins.Admits}.Keep(ctx, c, userID, change)
}

// passwordPolicy is the tenant's, with what policy sets say in its place.
func (a *App) passwordPolicy(ctx context.Context, c *call.Call, userID string) (password.Policy, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return password.Policy{}, err
	}
	r, err := a.Policies.For(ctx, c, userID)
	if err != nil {
		return password.Policy{}, err
	}
	rule, err := a.Demands.Binding(ctx, c, userID)
	if err != nil {
		return password.Policy{}, err
	}
	out := rule.Onto(r.Password(v.Password))
	if is, err := a.BreakGlass.Is(ctx, c, userID); err != nil || is {
		out.MinLength = max(out.MinLength, breakglass.LeastPassword)
		out.MaxLength = max(out.MaxLength, out.MinLength)
		return out, err
	}
	return out, nil
}

// signInProfile is what policy sets say about a sign-in, with what the person's organizations demand beyond it.
func (a *App) signInProfile(ctx context.Context, c *call.Call, u user.User, base login.Profile) (login.Profile, error) {
	if is, err := a.BreakGlass.Is(ctx, c, u.ID); err != nil || is { // before policies, whose mistakes it is for
		return breakglass.Profile(base), err
	}
	p, err := a.Policies.Login(ctx, c, u, base)
	if err != nil {
		return p, err
	}
	return a.demanded(ctx, c, u, p)
}

// certificateTerms is the same about a sign-in by a certificate.
func (a *App) certificateTerms(ctx context.Context, c *call.Call, u user.User, base login.Profile) (login.Terms, error) {
	t, err := a.Policies.Certificate(ctx, c, u, base)
	if err != nil {
		return t, err
	}
	t.Profile, err = a.demanded(ctx, c, u, t.Profile)
	return t, err
}

// demanded adds to how somebody signs in what the person's organizations demand.
func (a *App) demanded(ctx context.Context, c *call.Call, u user.User, p login.Profile) (login.Profile, error) {
	var err error
	if p.Confirm, err = a.confirms(ctx, c, u); err == nil && p.Confirm {
		p.Spare, err = a.Roles.Protected(ctx, c, u.ID)
	}
	if err != nil {
		return p, err
	}
	rule, err := a.Demands.Binding(ctx, c, u.ID)
	if idle := time.Duration(rule.Idle) * time.Second; idle > 0 {
		p.Idle, p.PersistLife = min(p.Idle, idle), 0 // a session that outlives the browser would not mind being idle
	}
	return p, err
}

// confirms says whether somebody must confirm the device of the call.
func (a *App) confirms(ctx context.Context, c *call.Call, u user.User) (bool, error) {
	if u.Service || u.OAuthClient {
		return false, nil
	}
	asked, err := a.Demands.Confirms(ctx, c, u.ID, a.country(c.Client.IP))
	if err != nil || !asked {
		return false, err
	}
	known, err := a.knowsDevice(ctx, c, u.ID)
	return err == nil && !known, err
}

// accountLimits puts what policy sets say about locks in the place of the tenant's numbers. A name that does not exist is
// locked as the person whose package stands in for it.
func (a *App) accountLimits(ctx context.Context, c *call.Call, at throttle.Attempt, base throttle.Limits) (throttle.Limits, error) {
	if at.Kind != throttle.Password && at.Kind != throttle.Second {
		return base, nil
	}
	if l, glass, err := a.glassLimits(ctx, c, at, base); err != nil || glass {
		return l, err
	}
	some, err := a.Policies.Locks(ctx, c)
	if err == nil && !some {
		some, err = a.Demands.Limits(ctx, c)
	}
	if err != nil || !some {
		return base, err
	}
	u, err := a.Logins.Standing(ctx, c, at.Login)
	if err != nil {
		return base, err
	}
	r, err := a.Policies.For(ctx, c, u.ID)
	if err != nil {
		return base, err
	}
	return a.Demands.Locks(ctx, c, u.ID, r.Limits(base))
}

// able says whether somebody has enrolled enough to pass an authentication profile.
func (a *App) able(ctx context.Context, c *call.Call, personID string, of profile.Profile) (bool, error) {
	u, err := a.People.ByID(ctx, c, personID)
	if errors.Is(err, user.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return a.Logins.Able(ctx, c, u, login.Profile{}.With(of))
}

// knowsDevice says whether somebody has signed in completely on the device of the call.
func (a *App) knowsDevice(ctx context.Context, c *call.Call, personID string) (bool, error) {
	known, err := a.Throttle.Known(ctx, c, personID, throttle.DeviceHash(c.Client.Device))
	return known != nil, err
}

// risk is the level that a sign-in of somebody would have, from where the call comes.
func (a *App) risk(ctx context.Context, c *call.Call, personID string) (risk.Level, error) {
	return a.Logins.Risk(ctx, c, personID)
}

// localTime is the server's: nobody has a time zone of their own yet.
func (a *App) localTime(context.Context, *call.Call) (*time.Location, error) { return time.Local, nil }
