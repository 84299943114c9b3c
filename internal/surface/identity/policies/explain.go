package policies

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"limen/internal/core/policy"
	"limen/internal/core/risk"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
)

// Situation is where, when and with what somebody signs in. What is not told is not known, and no condition about it holds.
type Situation struct {
	// IP is the address.
	IP string `json:"IP"`
	// Time is when; now when absent.
	Time op.Opt[time.Time] `json:"Time"`
	// KnownDevice says whether the person has signed in completely on the device before.
	KnownDevice op.Opt[bool] `json:"KnownDevice" also:"IdentityCookie"`
	// UserAgent is what the browser calls itself; DeviceOs and Browser are taken from it where they are not told.
	UserAgent string `json:"UserAgent"`
	// DeviceOs is iOS, Android, WindowsMobile, Mac, Windows or Linux.
	DeviceOs string `json:"DeviceOs"`
	// Browser is Chrome, Firefox, IE, Safari, MicrosoftEdge or Other.
	Browser string `json:"Browser"`
	// CountryCode is an ISO 3166-1 alpha-2 code.
	CountryCode string `json:"CountryCode"`
	// RiskLevel is Normal, Low, Medium, High or Unknown.
	RiskLevel string `json:"RiskLevel"`
}

// Check wants an address that is one, and a level that is one.
func (s Situation) Check() error {
	if s.RiskLevel != "" && !slices.Contains(risk.Levels, risk.Level(s.RiskLevel)) {
		return fault.Bad("Situation.RiskLevel", "must be Normal, Low, Medium, High or Unknown")
	}
	if s.IP == "" {
		return nil
	}
	if _, err := netip.ParseAddr(strings.TrimSpace(s.IP)); err != nil {
		return fault.Bad("Situation.IP", "must be an address, as 192.0.2.7")
	}
	return nil
}

// At reads a situation that was checked.
func (s Situation) At(c *op.Call) policy.Situation {
	out := policy.Situation{Time: s.Time.Or(c.Now), OS: s.DeviceOs, Browser: s.Browser, Country: s.CountryCode, Risk: risk.Level(s.RiskLevel)}
	out.IP, _ = netip.ParseAddr(strings.TrimSpace(s.IP))
	if out.OS == "" {
		out.OS = policy.System(s.UserAgent)
	}
	if out.Browser == "" {
		out.Browser = policy.Browser(s.UserAgent)
	}
	if known, ok := s.KnownDevice.Get(); ok {
		out.Known = &known
	}
	return out
}

// Question asks how somebody would sign in.
type Question struct {
	// User is the UUID or login name, required.
	User string `json:"User"`
	// Situation is where, when and with what.
	Situation Situation `json:"Situation"`
	person
}

// Check wants a user, and an address that is one.
func (q *Question) Check() error {
	if err := required("User", q.User); err != nil {
		return err
	}
	return q.Situation.Check()
}

// Resolve finds the user.
func (q *Question) Resolve(ctx context.Context, c *op.Call) error { return q.find(ctx, c, q.User) }

// Condition is a condition of a rule and what became of it.
type Condition struct {
	// Prop is what it looks at.
	Prop string `json:"Prop"`
	// Op is how.
	Op string `json:"Op"`
	// Val is what with.
	Val string `json:"Val"`
	// Holds says whether it does; what is not known never does.
	Holds bool `json:"Holds"`
	// Why is what was found.
	Why string `json:"Why"`
}

// Tried is a rule and what became of it.
type Tried struct {
	// Rule is its number, from 1.
	Rule int `json:"Rule"`
	// Fits says whether all its conditions hold; the first rule that fits decides.
	Fits bool `json:"Fits"`
	// ProfileID is what it would choose: a UUID, AlwaysAllowed or -1.
	ProfileID string `json:"ProfileId"`
	// Conditions are its conditions.
	Conditions []Condition `json:"Conditions"`
}

// Explanation is how somebody signs in, and why.
type Explanation struct {
	// Verdict is Tenant (the tenant's settings say how), Profile (an authentication profile does), Least (the password is
	// enough) or Refused.
	Verdict string `json:"Verdict"`
	// Why is the reason in words.
	Why string `json:"Why"`
	// CanSignIn says whether the person is not refused and has enrolled enough for the profile. Whether the account is locked
	// is another matter.
	CanSignIn bool `json:"CanSignIn"`
	// Profile is the authentication profile of the verdict Profile; else null.
	Profile *AuthProfile `json:"Profile"`
	// Setting is the key that decided; empty when no policy set has it.
	Setting string `json:"Setting"`
	// PolicySet is the path of the set that it comes from.
	PolicySet string `json:"PolicySet"`
	// LinkType is that of the set's link.
	LinkType string `json:"LinkType"`
	// Role is the id of the role through which the set applies; empty for sets that are everybody's.
	Role string `json:"Role"`
	// Rules are the rules that were tried, in order, up to the one that fits.
	Rules []Tried `json:"Rules"`
}

// Explained writes a decision.
func Explained(e policy.Explained) Explanation {
	out := Explanation{
		Verdict: string(e.Verdict), Why: e.Why, CanSignIn: e.Able, Setting: e.From.Key, PolicySet: e.From.Block, LinkType: string(e.From.Link),
		Role: e.From.Role, Rules: make([]Tried, len(e.Tried)),
	}
	if e.Profile != nil {
		p := shown(*e.Profile)
		out.Profile = &p
	}
	for i, t := range e.Tried {
		one := Tried{Rule: t.Rule, Fits: t.Fits, ProfileID: t.Profile, Conditions: make([]Condition, len(t.Results))}
		for j, r := range t.Results {
			one.Conditions[j] = Condition{Prop: r.Prop, Op: r.Op, Val: r.Val, Holds: r.Holds, Why: r.Why}
		}
		out.Rules[i] = one
	}
	return out
}

// Explain says how a user would sign in, in a situation, and why: which rules were tried, which of their conditions hold,
// and which policy set decided. It is what signing in asks, too.
//
// Beyond the contract.
func (p Policies) Explain(ctx context.Context, c *op.Call, in Question) (Explanation, error) {
	e, err := p.Policies.Explain(ctx, c, in.found.ID, in.Situation.At(c))
	if err != nil {
		return Explanation{}, err
	}
	return Explained(e), nil
}

// maxPeople is how many people one call of Simulate looks at.
const maxPeople = 500

// Proposal is a policy set that might be saved.
type Proposal struct {
	Saving
	// Users are UUIDs or login names of those to look at, at most 500; absent: everybody, in pages.
	Users []string `json:"Users" rpc:"one"`
	// Situation is where, when and with what they sign in.
	Situation Situation `json:"Situation"`
	// Args is the page of everybody: PageNumber, and PageSize up to 500.
	Args page.Args `json:"Args"`
}

// Check wants a path.
func (p *Proposal) Check() error {
	if len(p.Users) > maxPeople {
		return fault.Bad("Users", "may name %d users", maxPeople)
	}
	if err := required("policy.Path", p.Policy.Path); err != nil {
		return err
	}
	return p.Situation.Check()
}

func (p Policies) checkProposal(ctx context.Context, c *op.Call, in Proposal) (policy.Settings, error) {
	return p.checked(ctx, c, in.Policy.Settings)
}

// Affected is somebody for whom something would change.
type Affected struct {
	// ID is the user's UUID.
	ID string `json:"ID"`
	// Name is the login name.
	Name string `json:"Name"`
	// Settings are the keys of the resultant set whose values would be others.
	Settings []string `json:"Settings"`
	// Before is how they sign in now.
	Before Explanation `json:"Before"`
	// After is how they would.
	After Explanation `json:"After"`
}

// Simulation is what a policy set would change.
type Simulation struct {
	// Affected are those for whom something would change.
	Affected []Affected `json:"Affected"`
	// Looked is how many people were looked at.
	Looked int `json:"Looked"`
	// LockedOut is how many of them could sign in now and could not then.
	LockedOut int `json:"LockedOut"`
	// More says that there may be another page.
	More bool `json:"More"`
}

// Simulate says for whom saving a policy set would change something, and what; nothing is saved.
//
// policy and plinks are those of SavePolicyBlock3; a set of that path is replaced, whatever its RevStamp, and another one
// added. Beyond the contract.
func (p Policies) Simulate(ctx context.Context, c *op.Call, in Proposal, checked policy.Settings) (Simulation, error) {
	wish, err := in.wish(checked)
	if err != nil {
		return Simulation{}, err
	}
	ids, names, more, err := p.people(ctx, c, in)
	if err != nil {
		return Simulation{}, err
	}
	all, err := p.Policies.Simulate(ctx, c, wish, ids, in.Situation.At(c))
	out := Simulation{Affected: make([]Affected, len(all)), Looked: len(ids), More: more}
	for i, a := range all {
		if a.Settings == nil {
			a.Settings = []string{}
		}
		out.Affected[i] = Affected{ID: a.Person, Name: names[a.Person], Settings: a.Settings, Before: Explained(a.Before), After: Explained(a.After)}
		if a.Before.Able && !a.After.Able {
			out.LockedOut++
		}
	}
	return out, err
}

// people are those to look at, with their names.
func (p Policies) people(ctx context.Context, c *op.Call, in Proposal) (ids []string, names map[string]string, more bool, err error) {
	names = map[string]string{}
	for _, ref := range in.Users {
		u, err := user.Find(ctx, c, ref)
		if err != nil {
			return nil, nil, false, err
		}
		ids, names[u.ID] = append(ids, u.ID), u.Name
	}
	if len(in.Users) > 0 {
		return ids, names, false, nil
	}
	size := in.Args.Size(maxPeople)
	rows, err := p.People.Page(ctx, c, c.Grant, user.Query{Limit: size}, in.Args.Number())
	for _, u := range rows {
		ids, names[u.ID] = append(ids, u.ID), u.Name
	}
	return ids, names, len(rows) == size, err
}
