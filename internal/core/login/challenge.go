package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/profile"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of challenges.
var (
	// ErrDue is for those who must show more than their session rests on; the id of a challenge goes along.
	ErrDue = fault.New(fault.Denied, "auth.challenge", "This needs a further proof of who you are. Answer the challenge first.")
	// errUnknownChallenge is told to nobody: they get ErrFailed.
	errUnknownChallenge = fault.New(fault.NotFound, "login.challenge", ErrFailed.Public)
)

// MorePath is the page on which a challenge of one's own session is answered, which leads on to a path of this server.
func MorePath(id, to string) string {
	return "/login/more?" + url.Values{"challenge": {id}, "cloudRedirect": {to}}.Encode()
}

// challengeLife is how long a challenge waits to be begun.
const challengeLife = 5 * time.Minute

// Wanted is what somebody must have shown, besides what they are.
type Wanted struct {
	Name      string     `json:"n,omitempty"` // of the authentication profile that says so; empty: none does
	For       string     `json:"f,omitempty"` // name of the application that wants it; empty: none does
	Rounds    [][]string `json:"r"`           // mechanisms, of which one of each round is enough
	Questions int        `json:"q,omitempty"` // security questions to ask; 0: as many as the tenant asks
	Lax       bool       `json:"l,omitempty"` // rounds for which they have enrolled nothing are left out
	Anew      bool       `json:"a,omitempty"` // what they have shown before does not count
}

// By is what an authentication profile wants.
func By(a profile.Profile, lax bool) Wanted {
	return Wanted{Name: a.Name, Rounds: a.Challenges, Questions: a.Questions, Lax: lax}
}

// Demand is a challenge that waits: whom it is for.
type Demand struct {
	User    string `db:"user_id"`
	Session string `db:"session"`
	Wanted  string `db:"wanted"`
	Expires int64  `db:"expires"`
}

var (
	insertChallenge = dbx.E("login.insert_challenge", `INSERT INTO challenge (tenant, hash, user_id, session, wanted, expires) VALUES (?, ?, ?, ?, ?, ?)`)
	findChallenge   = dbx.Q[Demand]("login.find_challenge", `SELECT user_id, session, wanted, expires FROM challenge WHERE tenant = ? AND hash = ?`)
	spendChallenge  = dbx.E("login.spend_challenge", `DELETE FROM challenge WHERE tenant = ? AND hash = ?`)
	sweepChallenges = dbx.S("login.sweep_challenge", "challenge", "tenant, hash", "expires < ?")
)

// Challenge gives the id of a challenge for the caller, by which Meet begins it, once and within five minutes; empty where their
// session rests on all that is wanted. The caller needs a session.
func (l *Logins) Challenge(ctx context.Context, c *call.Call, w Wanted) (string, error) {
	due, err := l.Due(ctx, c, w)
	if err != nil || !due {
		return "", err
	}
	return l.promise(ctx, c, c.Caller.User, c.Caller.Session, w)
}

// DueError is ErrDue with a challenge that was made for it. What made it is to be committed.
type DueError struct{ ID string } // empty where the caller has no session that could be raised

// Error is the fault's text.
func (*DueError) Error() string { return ErrDue.Error() }

// Unwrap gives ErrDue.
func (*DueError) Unwrap() error { return ErrDue }

// Need is Challenge as an error: nil where nothing is due, else a DueError.
func (l *Logins) Need(ctx context.Context, c *call.Call, w Wanted) error {
	id, err := l.Challenge(ctx, c, w)
	if errors.Is(err, session.ErrNone) {
		return &DueError{}
	}
	if err != nil || id == "" {
		return err
	}
	return &DueError{id}
}

// Due says whether the caller must show more than their session rests on; session.ErrNone where they have none.
func (l *Logins) Due(ctx context.Context, c *call.Call, w Wanted) (bool, error) {
	if c.Caller == nil || c.Caller.Session == "" {
		return false, session.ErrNone
	}
	s, err := l.rising(ctx, c)
	if err != nil {
		return false, err
	}
	rounds, err := l.left(ctx, c, s, w)
	return len(rounds) > 0, err
}

// promise stores a challenge.
func (l *Logins) promise(ctx context.Context, c *call.Call, person, session string, w Wanted) (string, error) {
	text, err := json.Marshal(w)
	if err != nil {
		return "", err
	}
	id, hash := crypt.NewSessionID(c.Rand)
	return id, insertChallenge.Later(ctx, c.Tx, c.Tenant.ID, hash, person, session, string(text), c.Now.Add(challengeLife).UnixMilli())
}

// Summon opens a conversation in which somebody is to show what a program wants of them, and gives a challenge of the same kind, for
// who would rather begin it from their own browser. Nobody is signed in by it: the end says that they have shown it, and raises their
// session where they begin from one. ErrFailed where nobody of that name can.
func (l *Logins) Summon(ctx context.Context, c *call.Call, name string, w Wanted) (Package, string, error) {
	u, err := l.People.ByName(ctx, c, name)
	if errors.Is(err, user.ErrNotFound) || err == nil && (u.Barred(c.Now) || u.Service || u.OAuthClient) {
		return Package{}, "", ErrFailed
	}
	if err != nil {
		return Package{}, "", err
	}
	s, err := l.asked(ctx, c, u)
	if err != nil {
		return Package{}, "", err
	}
	if err := l.offered(ctx, c, s, w); err != nil {
		return Package{}, "", err
	}
	out, err := l.opened(ctx, c, s)
	if err != nil {
		return Package{}, "", err
	}
	l.tell(c, s.state, u)
	id, err := l.promise(ctx, c, u.ID, "", w)
	return out, id, err
}

// Met is what became of beginning a challenge: a package, or that nothing is left to be shown.
type Met struct {
	Package *Package
	Device  string // value of the device cookie
	Success *Success
}

// Meet begins a challenge, which is good once. One for a session is begun from that session; auth is the token by which the caller
// showed it, or empty. Faults: ErrFailed where there is no such challenge for the caller, ErrNoFurther where they have enrolled nothing
// that would do; both are to be committed. Ensure must have run.
func (l *Logins) Meet(ctx context.Context, c *call.Call, id, auth string) (Met, error) {
	d, w, err := l.demanded(ctx, c, id)
	if err == nil {
		err = spend(ctx, c, id)
	}
	if errors.Is(err, errUnknownChallenge) {
		failEvent(c, whyGone, "")
		return Met{}, ErrFailed
	}
	if err != nil {
		return Met{}, err
	}
	s, err := l.meeting(ctx, c, d)
	if errors.Is(err, session.ErrUnknown) || errors.Is(err, user.ErrNotFound) || err == nil && s.real.Barred(c.Now) {
		failEvent(c, whyBarred, "")
		return Met{}, ErrFailed
	}
	if err != nil {
		return Met{}, err
	}
	l.tell(c, s.state, s.real)
	err = l.offered(ctx, c, s, w)
	switch {
	case errors.Is(err, errNothingLeft):
		done, err := l.Already(ctx, c, auth, false)
		return Met{Success: done}, err
	case errors.Is(err, ErrNoFurther):
		failEvent(c, whyNothing, strings.Join(s.Passed, ","))
		return Met{}, ErrNoFurther
	case err != nil:
		return Met{}, err
	}
	out, err := l.opened(ctx, c, s)
	return Met{Package: &out, Device: s.Device}, err
}

// demanded gives a challenge, if it is for the caller.
func (l *Logins) demanded(ctx context.Context, c *call.Call, id string) (d Demand, w Wanted, err error) {
	if id == "" || len(id) > maxID {
		return d, w, errUnknownChallenge
	}
	d, err = findChallenge.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(id))
	if errors.Is(err, dbx.ErrNoRow) || err == nil && d.Expires <= c.Now.UnixMilli() {
		return d, w, errUnknownChallenge
	}
	if err != nil {
		return d, w, err
	}
	if d.Session != "" && (c.Caller == nil || c.Caller.Session != d.Session || c.Caller.User != d.User) {
		return d, w, errUnknownChallenge // whoever found the id has not found the session
	}
	return d, w, json.Unmarshal([]byte(d.Wanted), &w)
}

// spend takes a challenge away.
func spend(ctx context.Context, c *call.Call, id string) error {
	n, err := spendChallenge.Do(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(id))
	if err == nil && n == 0 {
		err = errUnknownChallenge
	}
	return err
}

// Waiting says what a challenge of the caller's session wants, and whether they have enrolled what would do. It changes nothing. ErrFailed
// where there is none.
func (l *Logins) Waiting(ctx context.Context, c *call.Call, id string) (w Wanted, able bool, err error) {
	d, w, err := l.demanded(ctx, c, id)
	if errors.Is(err, errUnknownChallenge) || err == nil && d.Session == "" {
		return w, false, ErrFailed
	}
	if err != nil {
		return w, false, err
	}
	s, err := l.rising(ctx, c)
	if err != nil {
		return w, false, err
	}
	err = l.offered(ctx, c, s, w)
	return w, !errors.Is(err, ErrNoFurther), but(but(err, ErrNoFurther), errNothingLeft)
}

// Again opens a conversation for what the caller was to show in one that failed.
func (l *Logins) Again(ctx context.Context, c *call.Call, w Wanted) (Package, string, error) {
	s, err := l.rising(ctx, c)
	if err == nil {
		err = l.offered(ctx, c, s, w)
	}
	if err != nil {
		return Package{}, "", err
	}
	l.tell(c, s.state, s.real)
	out, err := l.opened(ctx, c, s)
	return out, s.Device, err
}

// meeting is the state in which a challenge is begun: that of the caller's session where it is theirs, else of nobody's.
func (l *Logins) meeting(ctx context.Context, c *call.Call, d Demand) (rise, error) {
	if c.Caller != nil && c.Caller.Session != "" && c.Caller.User == d.User {
		return l.rising(ctx, c)
	}
	u, err := l.People.ByID(ctx, c, d.User)
	if err != nil {
		return rise{}, err
	}
	return l.asked(ctx, c, u)
}

// asked is the state of somebody of whom a program wants a proof; no session is raised by it.
func (l *Logins) asked(ctx context.Context, c *call.Call, u user.User) (rise, error) {
	who, err := l.who(ctx, c, u.Name)
	return rise{&state{
		User: u.ID, Factors: who.factors(), Login: u.Name, IP: c.Client.IP.String(), Agent: c.Client.UserAgent, Device: deviceOf(c), Shows: true,
		Secret: u.PasswordChanged,
	}, who}, err
}

// errNothingLeft says that all that is wanted has been shown.
var errNothingLeft = fault.New(fault.Conflict, "login.nothing_left", "You have shown all that is needed.")

// left are the rounds that somebody has yet to pass.
func (l *Logins) left(ctx context.Context, c *call.Call, s rise, w Wanted) ([][]string, error) {
	passed := s.Passed
	if w.Anew {
		passed = nil
	}
	rounds := profile.Lacking(w.Rounds, passed)
	if !w.Lax || len(rounds) == 0 {
		return rounds, nil
	}
	made, err := l.offers(ctx, c, s.subject, rounds, w.Questions)
	out := rounds[:0:0]
	for i, one := range made {
		if len(one) > 0 {
			out = append(out, rounds[i])
		}
	}
	return out, err
}

// offered gives a state the challenges that are left of what is wanted. Faults: errNothingLeft, ErrNoFurther.
func (l *Logins) offered(ctx context.Context, c *call.Call, s rise, w Wanted) error {
	rounds, err := l.left(ctx, c, s, w)
	if err != nil {
		return err
	}
	if len(rounds) == 0 && s.Shows { // nothing is no proof
		return ErrNoFurther
	}
	if len(rounds) == 0 {
		return errNothingLeft
	}
	made, err := l.offers(ctx, c, s.subject, rounds, w.Questions)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(made, func(one []factor.Challenge) bool { return len(one) == 0 }) || !passable(made, nil) {
		return ErrNoFurther
	}
	s.Challenges, s.Want = distinct(made), &w
	return nil
}

// opened stores a conversation and gives its package.
func (l *Logins) opened(ctx context.Context, c *call.Call, s rise) (Package, error) {
	if err := l.create(ctx, c, s.state); err != nil {
		return Package{}, err
	}
	out := s.pack()
	err := l.ahead(ctx, c, s.state, s.Challenges[0][0].Name, out)
	return *out, err
}

// shows ends a conversation in which somebody showed a program what it wanted.
func (t *turn) shows(ctx context.Context) (Result, error) {
	out := &Success{Person: t.person, Device: t.s.Device, Session: session.Session{Level: t.level()}}
	t.succeeded(out)
	if t.deferred {
		t.s.Done = &done{Shown: true, Level: out.Session.Level}
		return Result{Summary: Succeeded, Success: out}, t.save(ctx, t.c, t.s)
	}
	return Result{Summary: Succeeded, Success: out}, t.end(ctx, t.c, t.s)
}
