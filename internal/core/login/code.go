package login

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/netip"
	"net/url"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of codes that authenticators read.
var (
	// ErrNoCodes is for tenants that offer no sign-in by a code to whoever has not said who they are.
	ErrNoCodes = fault.New(fault.Denied, "login.no_codes", "Signing in by a QR code is not offered here.")
	// ErrUnfit is told to the device of a person whom policies do not let in by a code. The end of the conversation is to be committed.
	ErrUnfit = fault.New(fault.Denied, "login.code_unfit", "You cannot sign in there by a QR code.")
)

const whyUnfit = "no code lets the person in"

// CodePath is where a code leads that a sign-in shows (authentication.yaml n 9).
const CodePath = "/Security/SubmitQRCode"

// CodeURL is the text of the code that a challenge of factor.QR shows, at a host.
func CodeURL(host string, ch factor.Challenge) string {
	return "https://" + host + CodePath + "?" + url.Values{"sessionId": {ch.ID}}.Encode()
}

// insertCode lets a code be read until a time, once; one that is shown anew is the same.
var insertCode = dbx.E("login.insert_code", `INSERT INTO login_link (hash, tenant, login, mechanism, answered, expires) VALUES (?, ?, ?, ?, 0, ?)
	ON CONFLICT (hash) DO UPDATE SET expires = excluded.expires WHERE login_link.tenant = excluded.tenant AND login_link.login = excluded.login
	AND login_link.answered = 0`)

// shown lets the code of a challenge be read that was started. What is in the code is the mechanism's id, which alone does nothing for whoever
// sees it: the conversation goes on where its own id is known.
func (l *Logins) shown(ctx context.Context, c *call.Call, s *state, ch *factor.Challenge) error {
	if ch.Number == "" {
		return nil
	}
	_, err := insertCode.Do(ctx, c.Tx, crypt.TokenHash(ch.ID), c.Tenant.ID, s.hash, ch.ID, ch.Expires)
	return err
}

// OffersCodes says whether signing in by a code is offered to whoever has not said who they are.
func (l *Logins) OffersCodes(ctx context.Context, c *call.Call) (bool, error) {
	v, err := l.Settings.Get(ctx, c)
	return v.Auth.QRCode && l.mechanism(factor.QR) != nil, err
}

// ByCode is the wish to sign in by a code, of whoever will read it.
type ByCode struct {
	App  string // name of what the person signs in to, for them to recognise; empty: this server itself
	Guid string // by which a program asks how it stands, beside the conversation's id; empty: none does
}

// StartCode opens a conversation of nobody yet, with a code that is shown at once. Faults: ErrNoCodes. Ensure must have run.
func (l *Logins) StartCode(ctx context.Context, c *call.Call, in ByCode) (Package, string, error) {
	v, err := l.Settings.Get(ctx, c)
	if err != nil {
		return Package{}, "", err
	}
	m, ok := l.mechanism(factor.QR).(interface{ Prompt() factor.Prompt })
	if !ok || !v.Auth.QRCode {
		return Package{}, "", ErrNoCodes
	}
	id, _ := crypt.NewToken(c.Rand)
	ch := factor.Challenge{ID: id, Name: factor.QR, Prompt: m.Prompt()}
	if err := l.mechanism(factor.QR).Start(ctx, c, factor.Person{}, &ch, ""); err != nil {
		return Package{}, "", err
	}
	s := &state{
		Nameless: true, Guid: in.Guid, App: in.App, IP: c.Client.IP.String(), Agent: c.Client.UserAgent, Device: deviceOf(c),
		Challenges: [][]factor.Challenge{{ch}},
	}
	if err := l.create(ctx, c, s); err != nil {
		return Package{}, "", err
	}
	return *s.pack(), s.Device, l.shown(ctx, c, s, &ch)
}

// PollCode says how the conversation stands that a program began with a code of this guid. Who knows the guid and not the conversation's id
// learns nothing. It reads only.
func (l *Logins) PollCode(ctx context.Context, c *call.Call, id, guid string) (Result, error) {
	s, err := l.find(ctx, c, id)
	if errors.Is(err, errGone) || err == nil && (s.Guid == "" || subtle.ConstantTimeCompare([]byte(s.Guid), []byte(guid)) != 1) {
		return Fail(), ErrFailed
	}
	if err != nil {
		return Result{}, err
	}
	return l.Poll(ctx, c, id, s.Challenges[0][0].ID)
}

// Read is what a code is about that was read.
type Read struct {
	Login   string // name of the account that would be signed in; empty: that of whoever confirms
	App     string // name of what is signed in to; empty: this server itself
	IP      netip.Addr
	Agent   string
	Shown   int64 // ms since 1970 UTC
	Expires int64 // the same
}

// Code says what a code is about that a device of somebody's read, and changes nothing. ErrLink when it is not for them, or is over.
func (l *Logins) Code(ctx context.Context, c *call.Call, code, userID string) (Read, error) {
	s, ch, err := l.coded(ctx, c, code, userID)
	if err != nil {
		return Read{}, err
	}
	out := Read{Login: s.Login, App: s.app(), Agent: s.Agent, Shown: ch.Sent, Expires: ch.Expires}
	out.IP, _ = netip.ParseAddr(s.IP)
	return out, nil
}

// coded finds the challenge that shows a code, if somebody may confirm it: a code that was shown for a name is for whoever's factors
// answer for that name.
func (l *Logins) coded(ctx context.Context, c *call.Call, code, userID string) (*state, *factor.Challenge, error) {
	s, ch, err := l.linked(ctx, c, code, factor.QR)
	if err == nil && (ch.Number == "" || userID == "" || !s.Nameless && s.Factors != userID) {
		err = ErrLink
	}
	return s, ch, err
}

// Confirmation is what the owner of a device said of a code that it read.
type Confirmation struct {
	Code    string
	User    string // UUID of the owner
	Approve bool
	Number  string // that they entered
}

// Confirm takes what somebody said of a code, once. The client that shows it goes on, or is refused: where they refuse, or enter a number that
// it does not show (which is true then), and where policies do not let them in so. Faults: ErrLink where it is over, ErrGuesses while the
// account is refused, ErrUnfit. Ensure must have run.
func (l *Logins) Confirm(ctx context.Context, c *call.Call, in Confirmation) (wrong bool, err error) {
	s, ch, err := l.coded(ctx, c, in.Code, in.User)
	if err != nil {
		return false, err
	}
	n, err := useLink.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, crypt.TokenHash(in.Code))
	if err == nil && n == 0 {
		err = ErrLink
	}
	if err != nil {
		return false, err
	}
	u, err := l.People.ByID(ctx, c, in.User)
	if errors.Is(err, user.ErrNotFound) {
		err = ErrLink
	}
	if err != nil {
		return false, err
	}
	if s.Nameless {
		s.User, s.Factors, s.Login = u.ID, u.ID, u.Name
	}
	if right := in.Approve && crypt.SameText(in.Number, ch.Number); !right {
		return in.Approve, l.refused(ctx, c, s, CodeRefused)
	}
	a, err := l.origin(ctx, c, s, kindOf(ch.Name))
	if err != nil {
		return false, err
	}
	out, err := l.Throttle.Count(ctx, c, a, true)
	if err == nil && !out.Allowed {
		err = held(out.Wait)
	}
	if err != nil {
		return false, err
	}
	return false, l.confirmed(ctx, c, s, *ch, u, a.Device != nil)
}

// confirmed goes on behind a code that was confirmed. It is decided as for the browser that shows the code, whatever the device is and wherever.
func (l *Logins) confirmed(ctx context.Context, c *call.Call, s *state, ch factor.Challenge, u user.User, known bool) (err error) {
	from := c.Client
	defer func() { c.Client = from }()
	c.Client = call.Client{Host: from.Host, UserAgent: s.Agent, Device: s.Device, Secure: from.Secure}
	c.Client.IP, _ = netip.ParseAddr(s.IP)
	own, near := true, known || c.Client.IP.IsValid() && throttle.Network(c.Client.IP) == throttle.Network(from.IP)
	if s.Nameless {
		if s, err = l.identified(ctx, c, s, u); err != nil {
			return err
		}
		own = s.Factors == s.User
	} else if !s.ends(factor.QR) || near {
		return l.approved(ctx, c, s, &ch)
	}
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return err
	}
	t.deferred = true
	l.tell(c, s, u) // also where policies refuse them, of whom the conversation knows no more
	if c.Event != nil {
		c.Event.Set("ClientAddress", s.IP)
	}
	if _, err = t.scanned(ctx, ch, own, near); errors.Is(err, ErrFailed) {
		err = ErrUnfit
	}
	return err
}

// identified is a conversation of nobody as one of somebody, as if they had given their name where it began.
func (l *Logins) identified(ctx context.Context, c *call.Call, s *state, u user.User) (*state, error) {
	out, _, _, err := l.begin(ctx, c, Begin{Login: u.Name, App: s.App})
	if err != nil {
		return nil, err
	}
	out.id, out.hash, out.version, out.Guid, out.Device = s.id, s.hash, s.version, s.Guid, s.Device
	return out, nil
}

// scanned passes the challenge that the code answers, whichever it is, and goes on to the others. Where the code would end the sign-in by
// itself it does so near its reader alone, or on a device on which they are known: who shows a copy of the code elsewhere is neither. It passes
// nothing where it is not their own factor: another one's answer for them.
func (t *turn) scanned(ctx context.Context, ch factor.Challenge, own, near bool) (Result, error) {
	s := t.s
	if s.User == "" || t.person.ID == "" || t.person.Barred(t.c.Now) || t.person.Service || t.person.OAuthClient {
		return t.fail(ctx, whyBarred)
	}
	rest, passed := s.behind(own, near)
	if slices.ContainsFunc(rest, func(one []factor.Challenge) bool { return len(one) == 0 }) || len(rest) == 0 && !passed {
		return t.fail(ctx, whyUnfit)
	}
	ch.Passed = true
	s.Challenges, s.At, s.Narrowed = append([][]factor.Challenge{{ch}}, rest...), 1, 1
	if passed {
		s.Passed = append(s.Passed, factor.QR)
	}
	if len(rest) == 0 {
		out, err := t.finish(ctx)
		if err == nil && out.Package != nil { // something is left after all
			err = t.save(ctx, t.c, s)
		}
		return out, err
	}
	return Result{Summary: NewPackage, Package: t.pack()}, t.save(ctx, t.c, s)
}

// behind are the challenges that are left behind a code, and whether it passed one: that names it, or that names the authenticator, of which
// as much is asked.
func (s *state) behind(own, near bool) (rest [][]factor.Challenge, passed bool) {
	switch {
	case own && near && slices.Contains(s.Single, factor.QR):
		return nil, true
	case own:
		for _, name := range []string{factor.QR, factor.OTP} {
			for i, one := range s.Challenges {
				named := slices.ContainsFunc(one, func(ch factor.Challenge) bool { return ch.Name == name })
				if !named || i == 0 && slices.Contains(s.Lone, name) {
					continue
				}
				rest := without(slices.Delete(slices.Clone(s.Challenges), i, i+1), factor.QR, name)
				if passable(rest, nil) {
					return rest, true
				}
			}
		}
	}
	return without(s.Challenges, factor.QR), false
}

// without takes mechanisms out of challenges.
func without(challenges [][]factor.Challenge, names ...string) [][]factor.Challenge {
	out := make([][]factor.Challenge, len(challenges))
	for i, one := range challenges {
		out[i] = slices.DeleteFunc(slices.Clone(one), func(ch factor.Challenge) bool { return slices.Contains(names, ch.Name) })
	}
	return out
}
