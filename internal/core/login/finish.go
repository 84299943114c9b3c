package login

import (
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/password"
	"limen/internal/core/profile"
	"limen/internal/core/session"
	"limen/internal/core/throttle"
	"limen/internal/core/token"
	"limen/internal/core/user"
	"limen/internal/crypt"
)

// maxResets is how many new passwords may break the policy before the conversation ends.
const maxResets = 5

const verifyFirst = "Show first that your mail address is yours: open the link that was sent to it. Then sign in again."

// unverified says whether the person must show first that their mail address is theirs.
func (t *turn) unverified(ctx context.Context) (bool, error) {
	if !t.person.MailUnproved || t.Unverified == nil {
		return false, nil
	}
	return t.Unverified(ctx, t.c, t.person)
}

const recovered = "Your password has been changed. Sign in with it."

// finish ends a conversation whose challenges are all passed, or asks for a new password first.
func (t *turn) finish(ctx context.Context) (Result, error) {
	if t.person.ID == "" || t.person.Barred(t.c.Now) {
		return t.fail(ctx, whyBarred)
	}
	if t.outdated() {
		return t.fail(ctx, whyReplaced)
	}
	if t.s.Recovery {
		return t.recover(ctx)
	}
	if t.s.Raised != "" {
		return t.raise(ctx)
	}
	if t.s.Shows {
		return t.shows(ctx)
	}
	if gone, err := t.noLonger(ctx); err != nil || gone {
		if err != nil {
			return Result{}, err
		}
		return t.fail(ctx, whyDevice)
	}
	due, hint, err := t.resetDue(ctx)
	if err != nil {
		return Result{}, err
	}
	switch {
	case due && hint == "":
		return t.fail(ctx, whyAged)
	case due:
		t.s.Challenges = append(t.s.Challenges, []factor.Challenge{t.resetChallenge(hint)})
		return Result{Summary: NewPackage, Package: t.pack()}, nil
	}
	if out, asked, err := t.asked(ctx); err != nil || asked {
		return out, err
	}
	return t.success(ctx)
}

// resetDue says whether the password that was shown must be replaced before it lets in, with a hint at how; without one it expired too
// long ago to be replaced by whoever knows it.
func (t *turn) resetDue(ctx context.Context) (due bool, hint string, err error) {
	if !slices.Contains(t.s.Passed, factor.Password) || t.s.Replaced {
		return false, "", nil
	}
	policy, err := t.Passwords.PolicyOf(ctx, t.c, t.person.ID)
	if err != nil {
		return false, "", err
	}
	cur, err := t.Passwords.Find(ctx, t.c, t.person.ID)
	if err != nil {
		return false, "", err
	}
	expired := !t.person.NeverExpires && !t.person.Service && policy.Expired(cur.Changed, t.c.Now)
	if expired && policy.Blocked(cur.Changed, t.c.Now) {
		return true, "", nil
	}
	return t.person.ForceChange || expired, policy.Hint(), nil
}

func (t *turn) resetChallenge(hint string) factor.Challenge {
	id, _ := crypt.NewToken(t.c.Rand)
	return factor.Challenge{ID: id, Name: factor.Reset, Prompt: factor.Prompt{
		AnswerType: factor.Text, Chosen: "Enter a new password", Select: "New password", Hint: hint,
	}}
}

// reset takes a new password. One that breaks the policy is asked for again, with the rule that it breaks.
func (t *turn) reset(ctx context.Context, ch *factor.Challenge, k check) (Result, error) {
	if t.person.ID == "" || t.person.Barred(t.c.Now) {
		return t.fail(ctx, whyBarred)
	}
	if k.rule != nil {
		if t.s.Resets++; t.s.Resets >= maxResets {
			return t.fail(ctx, whyWrong)
		}
		p := t.pack()
		p.Message = k.rule.Public
		return Result{Summary: NewPackage, Package: p, Message: k.rule.Public, Rule: k.rule.Code}, nil
	}
	err := t.Passwords.Put(ctx, t.c, t.person.ID, k.fresh, false)
	if errors.Is(err, password.ErrChanged) {
		return t.fail(ctx, whyAction)
	}
	if err != nil {
		return Result{}, err
	}
	if err := t.replaced(ctx); err != nil {
		return Result{}, err
	}
	return t.passed(ctx, ch)
}

// replaced does what follows a new password: whoever knew the old one is out.
func (t *turn) replaced(ctx context.Context) error {
	kind := audit.PasswordChange
	if t.s.Recovery {
		kind = audit.ResetFinish
		if err := t.Throttle.ForgetDevices(ctx, t.c, t.person.ID); err != nil {
			return err
		}
	}
	e := t.c.Record(kind)
	e.User, e.Login, e.Target, e.Kind, e.Name = t.person.ID, t.person.Name, t.person.ID, "User", t.person.Name
	if _, err := t.Sessions.EndAll(ctx, t.c, t.person.ID, ""); err != nil || t.Notify == nil {
		return err
	}
	return t.Notify(ctx, t.c, t.person, PasswordChanged)
}

// recover ends a recovery: in a session where the password alone lets in, else with the advice to sign in.
func (t *turn) recover(ctx context.Context) (Result, error) {
	w := subject{real: t.person, shown: t.person, mfa: t.mfa}
	usual, err := t.challenges(ctx, t.c, w, t.profile)
	if err != nil {
		return Result{}, err
	}
	_, due, err := t.terms(ctx)
	if err != nil {
		return Result{}, err
	}
	if len(usual) == 1 && usual[0][0].Name == factor.Password && !t.profile.RequireSecond && !due {
		return t.success(ctx)
	}
	if t.deferred {
		t.s.Done = &done{Noncommittal: true}
		return Result{Summary: Noncommittal, Message: recovered}, t.save(ctx, t.c, t.s)
	}
	return Result{Summary: Noncommittal, Message: recovered}, t.end(ctx, t.c, t.s)
}

// success signs in.
func (t *turn) success(ctx context.Context) (Result, error) {
	if waits, err := t.unverified(ctx); err != nil {
		return Result{}, err
	} else if waits {
		out, err := t.fail(ctx, whyUnverified)
		out.Message = verifyFirst
		return out, err
	}
	if ended, err := t.overdue(ctx); err != nil {
		return Result{}, err
	} else if ended {
		return t.fail(ctx, whyExempt)
	}
	if out, refused, err := t.unagreed(ctx); err != nil || refused {
		return out, err
	}
	if t.Alarm != nil {
		if err := t.Alarm(ctx, t.c, t.person, t.s.Passed); err != nil {
			return Result{}, err
		}
	}
	if t.s.radius() != nil {
		return t.admitted(ctx)
	}
	if err := t.settleDevice(ctx); err != nil {
		return Result{}, err
	}
	out, err := t.open(ctx)
	if err != nil {
		return Result{}, err
	}
	if err := t.noted(ctx); err != nil {
		return Result{}, err
	}
	t.succeeded(out)
	if t.deferred {
		t.s.Done = &done{Auth: out.Auth, Session: out.Session.ID, Refresh: out.Refresh}
		err = t.save(ctx, t.c, t.s)
	} else {
		err = t.end(ctx, t.c, t.s)
	}
	return Result{Summary: Succeeded, Success: out}, err
}

// settleDevice gives a device that the person is not known by a new cookie: whoever planted one in their browser would know
// what makes theirs a known device.
func (t *turn) settleDevice(ctx context.Context) error {
	if t.s.Named {
		return nil
	}
	known, err := t.Throttle.Known(ctx, t.c, t.person.ID, throttle.DeviceHash(t.s.Device))
	if err == nil && known == nil {
		t.s.Device, _ = crypt.NewToken(t.c.Rand)
	}
	return err
}

// open makes the session and the tokens.
func (t *turn) open(ctx context.Context) (*Success, error) {
	n := session.New{
		User: t.person.ID, Level: t.level(), Factors: t.s.Passed, IP: t.s.IP, Agent: t.s.Agent,
		Device: throttle.DeviceHash(t.s.Device), Idle: t.profile.Idle, Life: t.profile.Life,
	}
	n.Long = t.s.Vault != nil
	if t.s.Persist && t.profile.PersistLife > 0 {
		n.Persistent, n.Idle, n.Life = true, t.profile.PersistLife, t.profile.PersistLife
	}
	if err := t.makeRoom(ctx); err != nil {
		return nil, err
	}
	auth, made, err := t.Sessions.Create(ctx, t.c, n)
	if err != nil {
		return nil, err
	}
	out := &Success{Person: t.person, Session: made, Auth: auth, Platform: t.s.Platform, Device: t.s.Device, Persistent: n.Persistent}
	return out, t.tokens(ctx, t.c, out, t.s.Platform)
}

// tokens adds the platform token, and a refresh token where one is wanted.
func (l *Logins) tokens(ctx context.Context, c *call.Call, out *Success, refresh bool) (err error) {
	h := token.Holder{User: out.Person.ID, Name: out.Person.Name, Session: out.Session.ID, Expires: out.Session.Expires}
	if out.Token, out.Lifetime = l.Tokens.Platform(c, h); !refresh {
		return nil
	}
	out.Refresh, err = l.Tokens.Refresh(ctx, c, h)
	return err
}

// level is High after two different mechanisms, or one that proves two categories of factors or counts as much.
func (t *turn) level() string {
	if t.strong || profile.Reached(t.s.Passed) > 1 || len(slices.Compact(slices.Sorted(slices.Values(t.s.Passed)))) > 1 {
		return session.High
	}
	return session.Normal
}

// makeRoom ends the oldest sessions where only so many may be.
func (t *turn) makeRoom(ctx context.Context) error {
	if t.profile.Concurrent <= 0 {
		return nil
	}
	list, err := t.Sessions.List(ctx, t.c, t.person.ID)
	for i := t.profile.Concurrent - 1; err == nil && i < len(list); i++ {
		err = t.Sessions.End(ctx, t.c, list[i].ID)
	}
	return err
}

// noted notes the device and the sign-in with the person.
func (t *turn) noted(ctx context.Context) error {
	if err := t.strange(ctx); err != nil {
		return err
	}
	recovered := slices.Contains(t.s.Passed, factor.Recovery)                     // its use is told by itself
	if !t.s.Skipped && !t.s.Exempt && !t.s.Rescued && !t.stranger && !recovered { // a device that stood in for a factor does not prolong its own standing
		unknown, err := t.Throttle.Remember(ctx, t.c, t.person.ID, throttle.DeviceHash(t.s.Device))
		if err == nil {
			err = t.notePass(ctx)
		}
		if err != nil {
			return err
		}
		if unknown {
			err = t.unknown(ctx)
		}
		if err != nil {
			return err
		}
	}
	if err := t.noteRisk(ctx); err != nil {
		return err
	}
	tenant, id, now, people := t.c.Tenant.ID, t.person.ID, t.c.Now, t.People
	t.c.Tx.After(func() { people.Saw(tenant, id, now) })
	return t.People.Activate(ctx, t.c, t.person)
}

// unknown tells the person of a sign-in on a device that was not known.
func (t *turn) unknown(ctx context.Context) error {
	familiar, err := t.familiar(ctx)
	if err != nil || familiar || t.person.Active == 0 || t.Notify == nil {
		return err
	}
	return t.Notify(ctx, t.c, t.person, NewDevice)
}

// succeeded writes the events.
func (t *turn) succeeded(out *Success) {
	factors := strings.Join(t.s.Passed, ",")
	if len(t.s.Passed) > 1 {
		t.summary("Success", factors)
	}
	e := t.c.Event
	if e == nil {
		return
	}
	e.Type = audit.Login
	switch {
	case t.s.Raised != "" || t.s.Shows:
		e.Type = audit.StepUp
	case t.person.Service || t.person.OAuthClient:
		e.Type = audit.ServiceLogin
	}
	if t.s.Want != nil && t.s.Want.Name != "" {
		e.Set("Profile", t.s.Want.Name)
	}
	e.Set("Factors", factors)
	e.Set("AuthMethod", method(t.s.Passed))
	if t.s.Exempt {
		e.Set("MfaExempt", true)
	}
	t.recorded(e)
	if t.s.Rescued {
		e.Set("Recovered", true)
	}
	e.Set("AuthLevel", out.Session.Level)
	if out.Session.ID != "" {
		e.Set("Session", out.Session.ID)
	}
}

// method names how somebody signed in, for reports.
func method(passed []string) string {
	if len(passed) > 1 {
		return "MultiFactor"
	}
	if len(passed) == 1 && passed[0] == factor.Password {
		return "Password"
	}
	if len(passed) == 1 && passed[0] == Certificate {
		return "Certificate"
	}
	return strings.Join(passed, ",")
}

// summary notes how a conversation of several factors ended.
func (t *turn) summary(result, factors string) {
	e := t.c.Record(audit.MfaSummary)
	if result != "Success" {
		e.Outcome = "refused"
	}
	e.User, e.Login = t.person.ID, t.s.Login
	e.Set("MfaResult", result)
	e.Set("Factors", factors)
}

// Already is what somebody gets who starts to sign in and is signed in (authentication.yaml, StartAuthentication): the
// session's own token, and a new platform token. refresh asks for a refresh token, too, which needs a transaction that
// may write.
func (l *Logins) Already(ctx context.Context, c *call.Call, auth string, refresh bool) (*Success, error) {
	row, err := l.Sessions.Find(ctx, c, c.Caller.Session)
	if err != nil {
		return nil, err
	}
	return l.resumed(ctx, c, row, auth, refresh)
}

func (l *Logins) resumed(ctx context.Context, c *call.Call, row session.Session, auth string, refresh bool) (*Success, error) {
	u, err := l.People.ByID(ctx, c, row.User)
	if err != nil {
		return nil, err
	}
	if u.Barred(c.Now) {
		return nil, user.ErrNotFound
	}
	out := &Success{Person: u, Session: row, Auth: auth, Platform: refresh, Device: c.Client.Device, Persistent: row.Persistent}
	return out, l.tokens(ctx, c, out, refresh)
}
