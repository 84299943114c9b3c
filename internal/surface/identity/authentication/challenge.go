package authentication

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/policy"
	"limen/internal/core/session"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// challenging declares the operations by which a session is raised, and by which programs have people challenged.
func (a Authentication) challenging() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/Security/ChallengeUser", Allow: op.Authenticated, Effect: op.Write, Audit: audit.ChallengeCreate, Rate: op.Guess,
			Faults: []*fault.Error{fault.ErrMissing, login.ErrDue, session.ErrNone, policy.ErrUnnamed, login.ErrForbidden}}, a.ChallengeUser),
		op.Prepared(op.Spec{Path: "/Security/StartChallenge", Allow: op.Anonymous, Effect: op.Write, Effects: []op.Effect{op.Cached},
			Audit: audit.LoginStart, Rate: op.Guess, MaxBody: 32 << 10, Faults: []*fault.Error{login.ErrFailed, login.ErrNoFurther}}, a.ensureChallenge, a.StartChallenge),
		op.Prepared(op.Spec{Path: "/Security/OnDemandChallenge", Allow: op.Authenticated, Effect: op.Write, Audit: audit.ChallengeCreate, Rate: op.Guess,
			Faults: []*fault.Error{op.ErrDenied, login.ErrFailed, login.ErrNoFurther}}, a.ensureSummons, a.OnDemandChallenge),
	}
}

// cannot is the Summary of a challenge that somebody has nothing to answer with.
const cannot = "CannotSatisfyChallenges"

// ProfileName names what is to be satisfied.
type ProfileName struct {
	// ProfileName is the name or the UUID of an authentication profile, or the name of a modifier under which the caller's policies
	// decide; required.
	ProfileName string `json:"profileName" also:"AuthProfile"`
}

// Check wants the name.
func (p *ProfileName) Check() error {
	if strings.TrimSpace(p.ProfileName) == "" {
		return fault.Missing("profileName")
	}
	return nil
}

// Challenged has the id of a challenge that is due, or nothing.
type Challenged struct {
	// ChallengeID is what StartChallenge takes, once and within five minutes; absent where nothing is due.
	ChallengeID string `json:"ChallengeId,omitempty"`
}

// Due is the answer to somebody who must show more first, where an error says so; else the error is given back.
func Due(err error) (Challenged, error) {
	var due *login.DueError
	if errors.As(err, &due) {
		return Challenged{due.ID}, op.Refused(login.ErrDue)
	}
	return Challenged{}, err
}

// ChallengeUser says whether the caller must show more than their session rests on to satisfy an authentication profile. Where they
// must, the answer has success false and the ChallengeId for StartChallenge; else it has success true and no id. Under the name of a
// modifier the caller's policies decide by its settings which profile that is. Errors: policy.unnamed for a name that is neither,
// login.forbidden where the policies let nobody pass; 401 without a session: an access token has none. Contract: authentication.yaml n 3.
func (a Authentication) ChallengeUser(ctx context.Context, c *op.Call, in ProfileName) (Challenged, error) {
	c.Event.Set("Profile", in.ProfileName)
	if c.Caller.Session == "" {
		return Challenged{}, session.ErrNone
	}
	d, err := a.Policies.Named(ctx, c, c.User(), in.ProfileName)
	if err != nil {
		return Challenged{}, err
	}
	w, err := d.Wanted()
	if err != nil {
		return Challenged{}, err
	}
	id, err := a.Logins.Challenge(ctx, c, w)
	if err != nil {
		return Challenged{}, err
	}
	if id == "" {
		c.Event.Type = "" // nothing is due
		return Challenged{}, nil
	}
	return Challenged{id}, op.Refused(login.ErrDue)
}

// StartedChallenge begins a challenge.
type StartedChallenge struct {
	// TenantID names the tenant, as for StartAuthentication.
	TenantID string `json:"TenantId"`
	// Version is "1.0", required.
	Version string `json:"Version"`
	// ChallengeStateID is the ChallengeId that is due, required.
	ChallengeStateID string `json:"ChallengeStateId" also:"ChallengeId"`
	// User is taken and not needed: the challenge knows whom it is for.
	User string `json:"User"`

	auth string
}

// See keeps the session token of the caller.
func (s *StartedChallenge) See(r *http.Request) { s.auth = identity.Codec{}.Credentials(r).Token }

// TenantHint names the tenant, where no session does.
func (s *StartedChallenge) TenantHint() op.Hint { return hint(s.TenantID, s.User) }

// Effect is Write for what may begin a challenge; what cannot is refused from memory.
func (s *StartedChallenge) Effect() op.Effect {
	if s.invalid() {
		return op.Cached
	}
	return op.Write
}

func (s *StartedChallenge) invalid() bool {
	return s.Version != "1.0" || s.ChallengeStateID == "" || len(s.ChallengeStateID) > maxLogin
}

func (a Authentication) ensureChallenge(ctx context.Context, c *op.Call, in StartedChallenge) (op.None, error) {
	if in.invalid() {
		return op.None{}, nil
	}
	return op.None{}, a.Logins.Ensure(ctx, c.Tenant.ID)
}

// StartChallenge begins a challenge and gives a package like that of StartAuthentication, which AdvanceAuthentication goes on with. It has
// what the session does not rest on already. The final LoginSuccess raises the session: it has another token, in Auth and in the cookie,
// and the one before is worth nothing. A challenge from ChallengeUser is begun from the session that asked for it; one from
// OnDemandChallenge from anywhere: there LoginSuccess has neither Auth nor cookies, unless the person begins from a session of theirs. Ids
// are good once, for five minutes. An id that is none, used, over or another session's is answered like a wrong Version: Summary Undefined.
// Who has enrolled nothing that would do gets the Summary CannotSatisfyChallenges. Contract: authentication.yaml n 4.
func (a Authentication) StartChallenge(ctx context.Context, c *op.Call, in StartedChallenge, _ op.None) (Answer, error) {
	if in.invalid() {
		return Answer{Summary: "Undefined"}, op.Refused(login.ErrFailed)
	}
	auth := in.auth
	if !signedIn(c) { // a platform token is no session token
		auth = ""
	}
	m, err := a.Logins.Meet(ctx, c, in.ChallengeStateID, auth)
	switch {
	case errors.Is(err, login.ErrFailed):
		return Answer{Summary: "Undefined"}, op.Refused(login.ErrFailed)
	case errors.Is(err, login.ErrNoFurther):
		return Answer{Summary: cannot}, op.Refused(login.ErrNoFurther)
	case err != nil:
		return Answer{}, err
	case m.Success != nil:
		c.Event.Type = "" // nothing happened
		return success(c, m.Success), nil
	}
	out := packed(c, m.Package)
	out.keepDevice(c, m.Device)
	return out, nil
}

// Summons has a program challenge a person.
type Summons struct {
	// User is the login name of the person, required.
	User string `json:"User"`
	// AuthProfile is the name or the UUID of an authentication profile, or the name of a modifier under which the person's policies
	// decide; required.
	AuthProfile string `json:"AuthProfile" also:"profileName"`
}

func (a Authentication) ensureSummons(ctx context.Context, c *op.Call, _ Summons) (op.None, error) {
	return op.None{}, a.Logins.Ensure(ctx, c.Tenant.ID)
}

// OnDemandChallenge has a person challenged at the wish of a program, which learns whether they show what a profile asks for. The program
// comes with an access token of its own, by client credentials, whose scope covers this path; everybody else is refused. The answer is a
// package for AdvanceAuthentication, and a ChallengeId by which the person can begin the same from their own browser with StartChallenge.
// Its LoginSuccess says that the person has shown it and signs nobody in: there is neither Auth nor Token, so that no program can let
// itself in by a weaker profile than sign-ins ask for. What rules look at is where the program calls from. Who does not exist, may not sign in, or has
// a profile that is none or lets nobody pass, is answered with the one generic failure. Contract: authentication.yaml n 13.
func (a Authentication) OnDemandChallenge(ctx context.Context, c *op.Call, in Summons, _ op.None) (Answer, error) {
	c.Event.Login = in.User
	c.Event.Set("Profile", in.AuthProfile)
	if !c.Caller.Machine {
		return Answer{}, op.ErrDenied
	}
	w, err := a.wanted(ctx, c, in)
	if err != nil {
		return refusedSummons(err)
	}
	pack, id, err := a.Logins.Summon(ctx, c, in.User, w)
	if err != nil {
		return refusedSummons(err)
	}
	out := packed(c, &pack)
	out.ChallengeID = id
	return out, nil
}

// wanted is what a program wants of a person; login.ErrFailed where that is nothing that can be asked.
func (a Authentication) wanted(ctx context.Context, c *op.Call, in Summons) (login.Wanted, error) {
	u, err := a.People.ByName(ctx, c, in.User)
	if err != nil {
		return login.Wanted{}, unknown(err)
	}
	d, err := a.Policies.Named(ctx, c, u.ID, in.AuthProfile)
	if err != nil {
		return login.Wanted{}, unknown(err)
	}
	if d.Verdict != policy.ByProfile {
		return login.Wanted{}, login.ErrFailed
	}
	return login.By(*d.Profile, d.Lax), nil
}

func unknown(err error) error {
	if fault.Of(err).Kind == fault.NotFound {
		return login.ErrFailed
	}
	return err
}

func refusedSummons(err error) (Answer, error) {
	switch {
	case errors.Is(err, login.ErrFailed):
		return Answer{Summary: string(login.Failed)}, op.Refused(login.ErrFailed)
	case errors.Is(err, login.ErrNoFurther):
		return Answer{Summary: cannot}, op.Refused(login.ErrNoFurther)
	}
	return Answer{}, err
}
