// Package simulation says what a change of policies, authentication profiles or roles would do, before it is made: to the
// sign-ins of the last days, as their events recorded them, and to chosen people. Both sides of the comparison are decided by
// the code that decides sign-ins and rights; nothing is stored.
package simulation

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/login"
	"limen/internal/core/policy"
	"limen/internal/core/profile"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

// Simulator simulates changes in the call's tenant. The fields are set before use.
type Simulator struct {
	Roles    *role.Roles
	Policies *policy.Policies
	People   *user.Directory
	Logins   *login.Logins
	Events   *audit.Log

	// Budget is how long one simulation may take; 20 s when 0.
	Budget time.Duration
}

// Change is what might be changed.
type Change struct {
	Policy policy.Proposal
	Roles  []role.Proposal
}

// Question is what to compare.
type Question struct {
	People []string         // UUIDs of chosen people
	At     policy.Situation // where, when and with what these sign in
	Days   int              // of which the sign-ins are decided anew; 0: none are
	Most   int              // people who are listed
	Grant  grant.Grant      // who may be listed
}

// MaxReplayed is how many recorded sign-ins of each kind are decided anew at most.
const MaxReplayed = 500_000

// Way is how somebody signs in.
type Way struct {
	Decision   policy.Decision
	Profile    string     // UUID of the authentication profile that gives the challenges; empty: the tenant's settings do
	Name       string     // of that profile
	Challenges [][]string // mechanisms that the person has, one of each challenge is enough; on a device that stands in for none
	Refused    string     // why nobody gets in, whatever is answered; empty: they may
}

// Right is a right over an organization and all below it, or everywhere (empty).
type Right struct {
	Right right.Right
	Org   string
}

// Person is somebody for whom something would change.
type Person struct {
	ID, Name  string
	SignIns   int // recorded ones of them that were decided anew
	Otherwise int // of these, how many would go otherwise
	LockedOut int // of these, how many would be refused that are not now
	// Before and After are of the newest recorded sign-in that would go otherwise; of chosen people in the question's situation.
	// Nil where no sign-in goes otherwise.
	Before, After *Way
	At            time.Time // when that sign-in began
	Settings      []string  // keys of the resultant set with another value
	Gained, Lost  []Right
	Joined, Left  []string // ids of roles
}

// Result is what a change would do.
type Result struct {
	Replayed   int      // recorded sign-ins that were decided anew
	Otherwise  int      // of these, how many would go otherwise
	LockedOut  int      // of these, how many would be refused that are not now
	Released   int      // and the other way round
	Unrecorded int      // left out: their events do not say what the decision saw, or the person is gone
	Oldest     int64    // ms UTC of the oldest that was looked at; 0: none
	People     []Person // those affected, who is locked out first, then those with most sign-ins
	Affected   int      // how many there are, listed or not
	Looked     int      // people who were looked at
	Truncated  string   // why not everything was looked at; empty: everything was
}

// run is one simulation.
type run struct {
	*Simulator
	c        *call.Call
	q        Question
	end      time.Time
	roles    [2]*role.View
	policies [2]*policy.View
	people   map[string]*subject
	ways     map[string]*Way // by person and what was decided
	memo     [2]map[memoKey]*verdict
	base     [2][2]*login.Profile // before, after; of people, of programs
	out      Result
}

// subject is somebody who is looked at.
type subject struct {
	before, after *role.Membership
	user          *user.User // read once it is needed
	found         Person
}

// Run simulates. Faults: those of making the change, but those about the caller's own right to make it.
func (s *Simulator) Run(ctx context.Context, c *call.Call, change Change, q Question) (Result, error) {
	budget := s.Budget
	if budget == 0 {
		budget = 20 * time.Second
	}
	r := &run{Simulator: s, c: c, q: q, end: time.Now().Add(budget), people: map[string]*subject{}, ways: map[string]*Way{}}
	r.memo = [2]map[memoKey]*verdict{{}, {}}
	if err := r.views(ctx, change); err != nil {
		return Result{}, err
	}
	for _, step := range []func(context.Context, Change) error{r.chosen, r.reached, r.replay} {
		if err := step(ctx, change); err != nil {
			return Result{}, err
		}
	}
	return r.out, r.list(ctx)
}

// views makes both sides of the comparison.
func (r *run) views(ctx context.Context, change Change) (err error) {
	if r.roles[0], err = r.Roles.Now(ctx, r.c); err != nil {
		return err
	}
	if r.policies[0], err = r.Policies.Now(ctx, r.c); err != nil {
		return err
	}
	r.roles[1], r.policies[1] = r.roles[0], r.policies[0]
	if len(change.Roles) > 0 {
		if r.roles[1], err = r.Roles.Propose(ctx, r.c, change.Roles); err != nil {
			return err
		}
	}
	if !change.Policy.Nothing() {
		r.policies[1], err = r.Policies.Propose(ctx, r.c, change.Policy)
	}
	return err
}

// over says whether the time is over, and notes that not everything was looked at.
func (r *run) over(ctx context.Context) bool {
	if time.Now().After(r.end) || ctx.Err() != nil {
		r.out.Truncated = "The time was over before everything was looked at."
	}
	return r.out.Truncated != ""
}

// know reads what people are in; who is known already, or does not exist, is left out.
func (r *run) know(ctx context.Context, ids []string) error {
	var fresh []string
	for _, id := range ids {
		if _, known := r.people[id]; !known && id != "" {
			fresh, r.people[id] = append(fresh, id), nil
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	direct, err := r.Roles.Load(ctx, r.c, fresh)
	if err != nil {
		return err
	}
	before := r.roles[0].Of(direct)
	after := before
	if r.roles[1] != r.roles[0] {
		after = r.roles[1].Of(direct)
	}
	for id, m := range before {
		r.people[id] = &subject{before: m, after: after[id], found: Person{ID: id}}
		r.out.Looked++
		r.compare(r.people[id])
	}
	return nil
}

// compare says what somebody would hold otherwise.
func (r *run) compare(s *subject) {
	if s.before != s.after {
		s.found.Gained, s.found.Lost = differs(s.after.Held, s.before.Held), differs(s.before.Held, s.after.Held)
		s.found.Joined, s.found.Left = without(s.after.Roles, s.before.Roles), without(s.before.Roles, s.after.Roles)
	}
	if r.policies[0] != r.policies[1] || s.before != s.after {
		s.found.Settings = r.policies[0].For(s.before.Roles).Differs(r.policies[1].For(s.after.Roles))
	}
}

// differs lists what one holds and another does not.
func differs(a, b right.Held) (out []Right) {
	for _, x := range (a.Tenant &^ b.Tenant).Rights() {
		out = append(out, Right{Right: x})
	}
	for org, s := range a.Orgs {
		for _, x := range s.Rights() {
			if !b.Over(x, org) {
				out = append(out, Right{x, org})
			}
		}
	}
	sortRights(out)
	return out
}

// user reads somebody, once.
func (r *run) user(ctx context.Context, id string) (user.User, error) {
	s := r.people[id]
	if s.user == nil {
		u, err := r.Simulator.People.ByID(ctx, r.c, id)
		if err != nil {
			return user.User{}, err
		}
		s.user, s.found.Name = &u, u.Name
	}
	return *s.user, nil
}

// proposed are the authentication profiles that stand in the place of stored ones.
func (r *run) proposed(side int) map[string]profile.Profile { return r.policies[side].Profiles() }
