package login

import (
	"cmp"
	"context"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/network"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/wire/mschap"
)

// Faults of sign-ins at the Vault's dialect by those whose password is right. They are to be committed, as ErrFailed is.
var (
	// ErrExpired wants a new password along with the old one.
	ErrExpired = fault.New(fault.Conflict, "login.password_expired", "The password has expired or must be changed. Send a new one along as newPassword.")
	// ErrMore is for logons that can take a password alone.
	ErrMore = fault.New(fault.Denied, "login.more", "A further factor is asked of this user, which this way to log on cannot take. Log on by RADIUS, which asks for it.")
	// ErrNotDue refuses a new password that nothing asks for.
	ErrNotDue = fault.New(fault.Invalid, "login.not_due", "The password need not be changed. Log on without newPassword.")
	// ErrNewPassword is for new passwords that break the policy.
	ErrNewPassword = fault.New(fault.Invalid, "login.new_password", "The new password breaks the policy.")
)

// Vault is a wish to sign in at the Vault's dialect, or at a RADIUS client: name and password at once, and the answers to further factors
// one after the other, if there are any (pvwa.yaml, logon; RFC 2865 section 4.4).
type Vault struct {
	Login      string `json:"-"` // login name with its suffix
	Password   string `json:"-"`
	Fresh      string `json:"-"` // a new password, for when one is due; empty: none
	Method     string // by which the person signs in: cyberark or radius
	Concurrent bool   // sessions of the person at this dialect go on
	Further    bool   // a further factor can be asked for
	Joined     bool   `json:"-"` // the password may be a code alone, or have one behind a comma
	// Exchange is one of MS-CHAP by the person's network password, in place of Password, at a RADIUS client; nil: there is none.
	Exchange *mschap.Exchange `json:"-"`
	// Radius is the RADIUS client that asks, in place of the Vault's dialect; nil: that one does.
	Radius *Radius `json:",omitempty"`
}

// VaultStart is a sign-in at the Vault's dialect on its way.
type VaultStart struct {
	in     Vault
	s      *state
	people [2]user.User
	check  check
	fresh  check
	code   coded
	waived string
}

// first is what stands for the password, and the answer to it.
func (in Vault) first() (factor.Challenge, factor.Answer) {
	if in.Exchange != nil && in.Radius != nil {
		return factor.Challenge{Name: factor.Network}, factor.Answer{Exchange: *in.Exchange}
	}
	return factor.Challenge{Name: factor.Password}, factor.Answer{Text: in.Password, Repeated: in.Radius != nil}
}

// Agreed is what an exchange of MS-CHAP gave, which is to be used once the person is let in.
func (s VaultStart) Agreed() network.Agreed {
	out, _ := s.check.verdict.Proof.(network.Agreed)
	return out
}

// PrepareVault checks name, password and new password, outside transactions.
func (l *Logins) PrepareVault(ctx context.Context, c *call.Call, in Vault) (VaultStart, error) {
	out := VaultStart{in: in}
	if err := l.Ensure(ctx, c.Tenant.ID); err != nil {
		return out, err
	}
	err := c.Snapshot(ctx, func() error {
		s, _, who, err := l.begin(ctx, c, Begin{Login: in.Login, Radius: in.Radius})
		out.s, out.people = s, [2]user.User{who.real, who.mfa}
		return err
	})
	if err != nil {
		return out, err
	}
	ch, answer := in.first()
	if out.check, err = l.check(ctx, c, out.s, out.people, ch, answer); err != nil {
		return out, err
	}
	if in.Joined && !out.check.verdict.Right {
		if err := l.joined(ctx, c, &out); err != nil {
			return out, err
		}
	}
	if out.waived, err = l.waived(ctx, c, out.s.User, out.check, out.code.check); err != nil || in.Fresh == "" {
		return out, err
	}
	out.fresh, err = l.newPassword(ctx, c, out.people[0], in.Fresh)
	return out, err
}

// Vault signs in, or gives the package of the further factor that is asked for, begun. May says last whether somebody whose
// password is right may sign in so: its fault is answered. Faults: ErrFailed, ErrExpired, ErrMore, ErrNotDue, ErrNewPassword and
// those of may, all to be committed.
func (l *Logins) Vault(ctx context.Context, c *call.Call, start VaultStart, may func(context.Context, *call.Call, user.User) error) (Result, error) {
	s := *start.s // a transaction may run again
	s.Challenges, s.Vault, s.Waived = slices.Clone(s.Challenges), &start.in, start.waived
	for i := range s.Challenges {
		s.Challenges[i] = slices.Clone(s.Challenges[i])
	}
	t, err := l.turn(ctx, c, &s)
	if err != nil {
		return Result{}, err
	}
	at := slices.IndexFunc(s.Challenges[0], func(ch factor.Challenge) bool { return ch.Name == factor.Password })
	own, _ := start.in.first()
	ch, verdict := &own, start.check.verdict
	if at >= 0 && own.Name == factor.Password {
		ch = &s.Challenges[0][at]
	}
	if only, round := s.challenge(start.code.mechanism); only != nil && round == 0 {
		ch, verdict, at = only, start.code.check.verdict, 0
	}
	why, err := t.prove(ctx, ch, verdict)
	if err != nil {
		return Result{}, err
	}
	if why != "" || at < 0 {
		return t.fail(ctx, cmp.Or(why, whyMore))
	}
	if may != nil && t.person.ID != "" {
		if f := fault.Of(may(ctx, c, t.person)); f != nil {
			return t.refuse(ctx, f)
		}
	}
	out, err := t.passed(ctx, ch)
	if err != nil || out.Success != nil {
		if err == nil && start.in.Fresh != "" {
			return Result{}, ErrNotDue // nothing is signed in: all is rolled back
		}
		return out, err
	}
	return t.goOn(ctx, start)
}

// goOn replaces a password that is due, or asks for the further factor.
func (t *turn) goOn(ctx context.Context, start VaultStart) (Result, error) {
	next := &t.s.Challenges[t.s.At][0]
	switch {
	case next.Name == factor.Reset && start.in.Fresh == "":
		return t.refuse(ctx, ErrExpired)
	case next.Name == factor.Reset && start.fresh.rule != nil:
		return t.refuse(ctx, ErrNewPassword.Say("%s", start.fresh.rule.Public))
	case next.Name == factor.Reset:
		return t.reset(ctx, next, start.fresh)
	case !start.in.Further || start.in.Fresh != "":
		return t.refuse(ctx, ErrMore)
	}
	if _, round := t.s.challenge(start.code.mechanism); round > 0 {
		if out, err := t.answer(ctx, Action{Mechanism: start.code.mechanism}, start.code.check); err != nil || out.Success != nil {
			return out, err
		}
	}
	if err := t.create(ctx, t.c, t.s); err != nil {
		return Result{}, err
	}
	return t.asks(ctx)
}

// asks begins the mechanism that is offered, and gives it alone.
func (t *turn) asks(ctx context.Context) (Result, error) {
	ch := t.s.offered()
	if ch.Name == factor.Reset && t.s.radius() != nil { // what is typed there once, and perhaps shown, is no new password
		return t.refuse(ctx, ErrExpired)
	}
	if !typed(ch) {
		return t.refuse(ctx, ErrMore.Say("The further factor of this user is a security key, a passkey or a call, which only a browser can ask for."))
	}
	if ch.Prompt.MaskedMail != "" || ch.Prompt.Digits != "" {
		if out, err := t.start(ctx, Action{Do: DoStart, Mechanism: ch.ID}, nil); err != nil {
			return out, err
		}
	}
	p := t.s.pack()
	p.Challenges = [][]factor.Challenge{{*ch}}
	return Result{Summary: NextDone, Package: p}, t.save(ctx, t.c, t.s)
}

// typed says whether a mechanism can be answered by typing.
func typed(ch *factor.Challenge) bool {
	return !passkey.Is(ch.Name) && ch.Prompt.AnswerType != factor.StartOOB
}

// offered is the mechanism that is asked for where a client can take one question only: one that can be answered by typing, and that
// sends nothing, if there is one. Recovery codes are asked for where there is nothing else.
func (s *state) offered() *factor.Challenge {
	list := s.Challenges[s.At]
	best := &list[0]
	for i := range list {
		switch ch := &list[i]; {
		case !typed(ch):
		case ch.Prompt.MaskedMail == "" && ch.Prompt.Digits == "" && ch.Name != factor.Recovery:
			return ch
		case !typed(best) || best.Name == factor.Recovery:
			best = ch
		}
	}
	return best
}

// refuse fails a sign-in of somebody whose password is right, who is told why.
func (t *turn) refuse(ctx context.Context, f *fault.Error) (Result, error) {
	if out, err := t.fail(ctx, f.Code); fault.Of(err).Code != ErrFailed.Code {
		return out, err
	}
	return Fail(), f
}

// VaultRequest is the answer to the further factor of a conversation that Vault began; false where there is none.
func (l *Logins) VaultRequest(ctx context.Context, c *call.Call, id, answer string) (r Request, in Vault, ok bool, err error) {
	return l.further(ctx, c, id, answer, false)
}

func (l *Logins) further(ctx context.Context, c *call.Call, id, answer string, radius bool) (r Request, in Vault, ok bool, err error) {
	err = c.Snapshot(ctx, func() error {
		s, err := l.find(ctx, c, id)
		if err != nil || s.Vault == nil || (s.Vault.Radius != nil) != radius || s.Done != nil || s.At >= len(s.Challenges) {
			return err
		}
		ch := s.offered()
		in, ok = *s.Vault, true
		r = Request{Session: id, radius: radius, Actions: []Action{{Do: DoAnswer, Mechanism: ch.ID, Answer: factor.Answer{Text: answer}}}}
		in.Login = s.Login
		return nil
	})
	if fault.Of(err) != nil && fault.Of(err).Code == errGone.Code {
		return Request{}, Vault{}, false, nil
	}
	return r, in, ok, err
}

// VaultAnswer takes the answer to a further factor, as Advance does, and asks for the next one if there is one.
func (l *Logins) VaultAnswer(ctx context.Context, c *call.Call, r Request, p Prepared) (Result, error) {
	out, err := l.Advance(ctx, c, r, p)
	if err != nil || out.Success != nil {
		return out, err
	}
	s, err := l.find(ctx, c, r.Session)
	if err != nil {
		return Result{}, err
	}
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return Result{}, err
	}
	message := out.Message
	if out, err = t.asks(ctx); err == nil {
		out.Message = message
	}
	return out, err
}
