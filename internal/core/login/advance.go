package login

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
)

// Why a conversation failed, for the event; the client is not told.
const (
	whyGone       = "expired or unknown conversation"
	whyWrong      = "wrong answer"
	whyThrottled  = "too many failures"
	whyUnverified = "mail address not verified"
	whyConsent    = "terms not agreed to"
	whyBarred     = "account may not sign in"
	whyReplaced   = "password was changed meanwhile"
	whyUnknown    = "unknown user"
	whyAction     = "action does not fit"
	whySends      = "too many messages"
	whyMore       = "more than a password is asked for"
	whyNothing    = "nothing is enrolled that is asked for"
	whyAged       = "password expired too long ago"
	whyAway       = "nobody is led elsewhere who has shown nothing"
	whyDevice     = "device no longer stands in for a factor"
)

// turn is one request on its way through a conversation.
type turn struct {
	*Logins
	c       *call.Call
	s       *state
	person  user.User // zero: the name does not exist
	mfa     user.User
	profile Profile
	// deferred says that somebody else than the waiting client moves the conversation on: the end is kept for it.
	deferred bool
	strong   bool // what was shown counts as much as several factors
	risen    bool // the sign-in turned out to have another level of risk than it began with
	stranger bool // the device does not become known by it
	agreed   bool // there are no terms to agree to
}

// Advance does what a request asks for, with what Prepare found out. ErrFailed ends the conversation and is to be
// committed, with the result Fail.
func (l *Logins) Advance(ctx context.Context, c *call.Call, r Request, p Prepared) (Result, error) {
	s, err := l.find(ctx, c, r.Session)
	if err == nil && (s.version != p.version || s.Done != nil || (s.radius() != nil) != r.radius) {
		err = errGone
	}
	if errors.Is(err, errGone) {
		return l.gone(c)
	}
	if err != nil {
		return Result{}, err
	}
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return Result{}, err
	}
	s.Persist, s.Waived = s.Persist || r.Persist, cmp.Or(p.waived, s.Waived)
	out, err := t.all(ctx, r, p)
	if errors.Is(err, errGone) {
		return l.gone(c)
	}
	return out, err
}

func (l *Logins) turn(ctx context.Context, c *call.Call, s *state) (*turn, error) {
	people, err := l.people(ctx, c, s)
	if err != nil {
		return nil, err
	}
	t := &turn{Logins: l, c: c, s: s, person: people[0], mfa: people[1]}
	l.tell(c, s, t.person)
	t.profile, err = l.profileFor(ctx, c, t.person, s.radius(), s.Risk)
	return t, err
}

// pack is what is left to be answered, with the hints of the first package.
func (t *turn) pack() *Package {
	p := t.s.pack()
	p.AllowPersist = t.profile.PersistLife > 0 && !t.s.beside()
	return p
}

// gone fails a request about no conversation.
func (l *Logins) gone(c *call.Call) (Result, error) {
	failEvent(c, whyGone, "")
	return Fail(), ErrFailed
}

func failEvent(c *call.Call, why, factors string) {
	if c.Event == nil {
		return
	}
	c.Event.Type = audit.LoginFail
	c.Event.Set("FailReason", why)
	if factors != "" {
		c.Event.Set("Factors", factors)
	}
}

// all does the actions in order; the reply is that of the last.
func (t *turn) all(ctx context.Context, r Request, p Prepared) (out Result, err error) {
	if len(r.Actions) == 0 || len(r.Actions) > MaxActions {
		return t.fail(ctx, whyAction)
	}
	for i, a := range r.Actions {
		switch a.Do {
		case DoAnswer:
			out, err = t.answer(ctx, a, p.checks[i])
		case DoStart, DoRetry:
			out, err = t.start(ctx, a, p.checks[i].away)
		case DoForgot:
			out, err = t.forgot(ctx)
		default:
			out, err = t.fail(ctx, whyAction)
		}
		if err != nil || out.Success != nil || out.Summary == Noncommittal {
			return out, err
		}
	}
	return out, t.save(ctx, t.c, t.s)
}

func (t *turn) fail(ctx context.Context, why string) (Result, error) {
	factors := strings.Join(t.s.Passed, ",")
	if t.person.ID == "" {
		why = whyUnknown
	}
	if t.s.Refused != "" {
		why = t.s.Refused
	}
	failEvent(t.c, why, factors)
	if t.c.Event != nil {
		t.c.Event.Set("FailUserName", t.s.Login)
		t.recorded(t.c.Event)
	}
	if factors != "" {
		t.summary("Failure", factors)
	}
	if err := t.end(ctx, t.c, t.s); err != nil {
		return Result{}, err
	}
	return Fail(), ErrFailed
}

// answer takes an answer to a mechanism of the challenge that is due.
func (t *turn) answer(ctx context.Context, a Action, k check) (Result, error) {
	ch, at := t.s.challenge(a.Mechanism)
	if ch == nil || at != t.s.At || ch.Passed {
		return t.fail(ctx, whyAction)
	}
	if t.outdated() {
		return t.fail(ctx, whyReplaced)
	}
	switch ch.Name {
	case factor.Reset:
		return t.reset(ctx, ch, k)
	case factor.Consent:
		return t.agrees(ctx, ch, a.Answer.Text)
	}
	if k.verdict.Again != "" {
		return t.again(ctx, ch, k.verdict)
	}
	why, err := t.prove(ctx, ch, k.verdict)
	if err != nil {
		return Result{}, err
	}
	if why != "" {
		return t.fail(ctx, why)
	}
	return t.passed(ctx, ch)
}

// prove commits an answer and counts it; it says why it is refused.
func (t *turn) prove(ctx context.Context, ch *factor.Challenge, v factor.Verdict) (why string, err error) {
	attempt, err := t.attempt(ctx, t.c, t.s, kindOf(ch.Name))
	if err != nil {
		return "", err
	}
	wait, err := t.Throttle.Wait(ctx, t.c, attempt)
	if err != nil || wait > 0 {
		return whyThrottled, err
	}
	whose := t.answering(t.s, [2]user.User{t.person, t.mfa}, ch.Name)
	ok, err := t.mechanism(ch.Name).Commit(ctx, t.c, whose, ch, v)
	if err != nil {
		return "", err
	}
	barred := t.person.ID != "" && t.person.Barred(t.c.Now)
	if ch.Name == factor.Network && ok && !barred { // whoever knows it must not wash away their guesses at the password
		return "", nil
	}
	out, err := t.Throttle.Count(ctx, t.c, attempt, ok && !barred)
	if err != nil {
		return "", err
	}
	switch {
	case out.Locked:
		return whyWrong, t.locked(ctx, attempt)
	case !out.Allowed:
		return whyThrottled, nil
	case !ok:
		return whyWrong, nil
	case barred:
		return whyBarred, nil
	}
	return "", t.learn(ctx, v.Leaked)
}

// locked notes that an account is refused for a while, and tells its owner.
func (t *turn) locked(ctx context.Context, a throttle.Attempt) error {
	e := t.c.Record(audit.Lockout)
	e.Login, e.User, e.Target, e.Kind, e.Name = t.s.Login, t.person.ID, t.person.ID, "User", t.person.Name
	e.Set("Scope", string(a.Kind))
	if t.person.ID == "" || t.Notify == nil {
		return nil
	}
	return t.Notify(ctx, t.c, t.person, Locked)
}

// outdated says whether the password that was shown is no longer the person's: it was changed on another way since, and
// whoever knows the old one alone must not get in by going on with what they had begun.
func (t *turn) outdated() bool {
	return slices.Contains(t.s.Passed, factor.Password) && !t.s.Replaced && t.person.PasswordChanged != t.s.Secret
}

// passed goes on to the next challenge, or finishes.
func (t *turn) passed(ctx context.Context, ch *factor.Challenge) (Result, error) {
	ch.Passed = true
	if ch.Name == factor.Password {
		t.s.Secret = t.person.PasswordChanged
	}
	if ch.Name == factor.Reset {
		t.s.Replaced = true
	} else {
		t.s.Passed = append(t.s.Passed, ch.Name)
	}
	if ch.Sends > 0 {
		if err := t.received(ctx); err != nil {
			return Result{}, err
		}
	}
	if ch.Name == factor.OTP {
		if err := t.heard(ctx); err != nil {
			return Result{}, err
		}
	}
	if why, more, err := t.reconsider(ctx); err != nil || why != "" {
		if err != nil {
			return Result{}, err
		}
		return t.fail(ctx, why)
	} else if more {
		return Result{Summary: NewPackage, Package: t.pack()}, nil
	}
	if t.s.ends(ch.Name) {
		t.s.At = len(t.s.Challenges)
	} else {
		t.s.At++
	}
	switch {
	case t.s.At == len(t.s.Challenges):
		return t.finish(ctx)
	case t.s.narrow(ch.Name):
		return Result{Summary: NewPackage, Package: t.pack()}, nil
	}
	return Result{Summary: NextDone}, nil
}

// sendKind tells messages that strangers can bring about from those that need a factor first.
func (t *turn) sendKind() throttle.Kind {
	if t.s.Recovery || t.s.At == 0 {
		return throttle.Recover
	}
	return throttle.Send
}

// received forgets how often the account had something sent, once it was of use.
func (t *turn) received(ctx context.Context) error {
	attempt, err := t.attempt(ctx, t.c, t.s, t.sendKind())
	if err == nil {
		_, err = t.Throttle.Count(ctx, t.c, attempt, true)
	}
	return err
}

// start sends what a mechanism sends; away is where it leads, if it is a factor.Leader.
func (t *turn) start(ctx context.Context, a Action, away *factor.Away) (Result, error) {
	ch, at := t.s.challenge(a.Mechanism)
	if ch == nil || at != t.s.At || ch.Passed || ch.Name == factor.Reset || ch.Name == factor.Consent {
		return t.fail(ctx, whyAction)
	}
	if ch.Away = away; leads(t.mechanism(ch.Name)) && (away == nil || !t.s.shown()) {
		return t.fail(ctx, whyAway)
	}
	// An address in the prompt says that something is sent there; it counts, also for names that do not exist.
	sends := ch.Prompt.MaskedMail != "" || ch.Prompt.Digits != ""
	if sends {
		if refused, err := t.sending(ctx, ch); err != nil || refused {
			if err != nil {
				return Result{}, err
			}
			return t.fail(ctx, whySends)
		}
	}
	link, err := t.link(ctx, ch)
	if err != nil {
		return Result{}, err
	}
	whose := t.answering(t.s, [2]user.User{t.person, t.mfa}, ch.Name)
	if t.person.Barred(t.c.Now) {
		whose = factor.Person{Name: t.s.Login} // nothing is sent to those who will not be let in
	}
	if ch.Name == factor.OTP && !t.s.Recovery {
		may, err := t.mayAsk(ctx, ch)
		if err != nil {
			return Result{}, err
		}
		if may {
			ch.From = factor.From{Talk: t.s.hash, App: t.s.app(), Name: t.person.Name}
		}
	}
	err = t.mechanism(ch.Name).Start(ctx, t.c, whose, ch, link)
	if err == nil && ch.Name == factor.QR {
		err = t.shown(ctx, t.c, t.s, ch)
	}
	switch {
	case errors.Is(err, factor.ErrNoStart):
		return t.fail(ctx, whyAction)
	case errors.Is(err, factor.ErrSends):
		return t.fail(ctx, whySends)
	}
	return Result{Summary: Pending, Started: ch, Number: ch.Number}, err
}

// sending counts a message against what the account and the network may have sent, and says whether it is too much. A
// repeated request within moments is the same message.
func (t *turn) sending(ctx context.Context, ch *factor.Challenge) (refused bool, err error) {
	if ch.Sent != 0 && t.c.Now.UnixMilli()-ch.Sent < factor.Again.Milliseconds() {
		return false, nil
	}
	attempt, err := t.attempt(ctx, t.c, t.s, t.sendKind())
	if err != nil {
		return false, err
	}
	out, err := t.Throttle.Count(ctx, t.c, attempt, false)
	return !out.Allowed, err
}
