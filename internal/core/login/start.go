package login

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"math"
	"net/netip"
	"slices"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/fold"
)

// Begin is the wish to sign in.
type Begin struct {
	Login    string  // login name
	Platform bool    // LoginSuccess shall carry a refresh token
	App      string  // name of what the person signs in to, for them to recognise; empty: this server itself
	Named    bool    // the client names its device itself, as the call's device; else that is a cookie
	Radius   *Radius // the RADIUS client that asks; nil: none does
}

// Start opens a conversation and gives its package, for any name.
func (l *Logins) Start(ctx context.Context, c *call.Call, in Begin) (Package, string, error) {
	s, p, who, err := l.begin(ctx, c, in)
	if err != nil {
		return Package{}, "", err
	}
	if err := l.create(ctx, c, s); err != nil {
		return Package{}, "", err
	}
	out := s.pack()
	out.AllowPersist, out.AllowForgot = p.PersistLife > 0, len(p.Recovery) > 0
	err = l.ahead(ctx, c, s, s.Challenges[0][0].Name, out)
	l.tell(c, s, who.real)
	return *out, s.Device, err
}

// begin makes the state of a conversation, and reads only.
func (l *Logins) begin(ctx context.Context, c *call.Call, in Begin) (*state, Profile, subject, error) {
	who, err := l.who(ctx, c, in.Login)
	if err != nil {
		return nil, Profile{}, who, err
	}
	rated, err := l.rate(ctx, c, who.shown, in)
	if err != nil {
		return nil, Profile{}, who, err
	}
	p, err := l.profileFor(ctx, c, who.shown, in.Radius, rated)
	if err != nil {
		return nil, p, who, err
	}
	rescued, err := l.rescue(ctx, c, who.shown, &p)
	if err != nil {
		return nil, p, who, err
	}
	s := &state{
		Rescued: rescued,
		User:    who.real.ID, Factors: who.factors(), Login: in.Login, Platform: in.Platform, Named: in.Named, App: in.App,
		IP: c.Client.IP.String(), Agent: c.Client.UserAgent, Device: deviceOf(c), Profile: p.ID, Revision: p.Revision, Risk: rated,
	}
	s.based(c, who.real.ID, p)
	if s.Exempt, err = l.exempt(ctx, c, who.shown, &p); err != nil {
		return nil, p, who, err
	}
	why, err := l.ask(ctx, c, s, who, p)
	if err != nil {
		return nil, p, who, err
	}
	if !in.Named { // whoever names a device says what it stands in for
		if err := l.skip(ctx, c, s, p); err != nil {
			return nil, p, who, err
		}
	}
	if why != "" {
		s.User, s.Factors = "", "" // nobody gets in; the package is the same as ever
		if who.real.ID != "" {
			s.Refused = why
		}
	}
	return s, p, who, nil
}

// ask makes the challenges of a profile, and says why nobody gets in by them; empty where they do.
func (l *Logins) ask(ctx context.Context, c *call.Call, s *state, who subject, p Profile) (why string, err error) {
	if s.Challenges, err = l.challenges(ctx, c, who, p); err != nil {
		return "", err
	}
	why = p.Refused
	short := lacks(s.Challenges, p)
	if err := l.alone(ctx, c, s, who, p, short); err != nil {
		return "", err
	}
	if why == "" && short && len(s.Single) == 0 {
		why = "no second factor is enrolled"
	}
	if len(s.Challenges) == 0 { // clients break on an empty package
		ch, _, err := l.offer(ctx, c, who, l.mechanism(factor.Password))
		if err != nil {
			return "", err
		}
		s.Challenges = [][]factor.Challenge{{ch}}
	}
	return why, nil
}

// lacks says whether somebody is refused who can pass these challenges of a profile's: fewer where all are required, or none
// of an authentication profile's. Where settings name nothing that the person has, the password lets in: administrators who
// set up nothing else yet must not lock themselves out.
func lacks(made [][]factor.Challenge, p Profile) bool {
	return p.RequireSecond && len(made) < len(p.Challenges) || p.Confirm && !p.Spare && !confirmed(made) || p.ID != "" && len(made) == 0
}

// subject is whom a conversation is about.
type subject struct {
	real  user.User // zero: the name does not exist
	shown user.User // whose mechanisms are shown; another person's for a name that does not exist
	mfa   user.User // whose second factors are shown
	seed  []byte    // keyed hash of the name
}

func (w subject) factors() string {
	if w.real.ID == "" {
		return ""
	}
	return w.mfa.ID
}

// who finds the person of a name, or the one whose package stands in.
func (l *Logins) who(ctx context.Context, c *call.Call, name string) (subject, error) {
	var w subject
	var err error
	if w.seed, err = l.seed(ctx, c, name); err != nil {
		return w, err
	}
	// Read for every name, so that the time does not tell which names need it.
	if w.shown, err = l.sample(ctx, c, w.seed); err != nil {
		return w, err
	}
	w.real, err = l.People.ByName(ctx, c, name)
	switch {
	case err == nil:
		w.shown = w.real
	case !errors.Is(err, user.ErrNotFound):
		return w, err
	}
	w.mfa = w.shown
	if w.shown.MfaUser != "" {
		other, err := l.People.ByID(ctx, c, w.shown.MfaUser)
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return w, err
		}
		w.mfa = other // nobody, when the other is gone
	}
	return w, nil
}

// seed is the same for a name each time, and unknown to whoever does not hold the tenant's key. When that key is rotated,
// names that do not exist change their packages.
func (l *Logins) seed(ctx context.Context, c *call.Call, name string) ([]byte, error) {
	mac, err := l.Ring.MAC(ctx, c.Tenant.ID, purpose, []byte("seed"))
	if err != nil {
		return nil, err
	}
	h := hmac.New(sha256.New, []byte(mac))
	h.Write([]byte(fold.Key(name)))
	return h.Sum(nil), nil
}

// sample picks a person by a seed: the first at or behind a name that the seed makes. The zero User when there are none.
func (l *Logins) sample(ctx context.Context, c *call.Call, seed []byte) (user.User, error) {
	key := make([]byte, 3)
	for i := range key {
		key[i] = 'a' + seed[i]%26
	}
	for _, key := range []string{string(key), ""} {
		u, err := l.People.Behind(ctx, c, key)
		if !errors.Is(err, user.ErrNotFound) {
			return u, err
		}
	}
	return user.User{}, nil
}

// challenges makes challenges of the mechanisms that the person shown has enrolled. One without any is left out, and so is
// one that only a mechanism could pass which another one needs.
func (l *Logins) challenges(ctx context.Context, c *call.Call, w subject, p Profile) ([][]factor.Challenge, error) {
	out, err := l.offers(ctx, c, w, behind(p.Challenges), p.Questions)
	out = distinct(slices.DeleteFunc(out, func(one []factor.Challenge) bool { return len(one) == 0 }))
	if err != nil || !p.Confirm {
		return out, err
	}
	return l.confirm(ctx, c, w, out)
}

// offers makes one challenge of each list of mechanisms, of those that the person shown has enrolled.
func (l *Logins) offers(ctx context.Context, c *call.Call, w subject, names [][]string, questions int) ([][]factor.Challenge, error) {
	out := make([][]factor.Challenge, len(names))
	for i, alternatives := range names {
		for _, name := range alternatives {
			ch, ok, err := l.offer(ctx, c, w, l.asking(name, questions))
			if err != nil {
				return nil, err
			}
			if ok {
				out[i] = append(out[i], ch)
			}
		}
	}
	return out, nil
}

// offer makes a challenge of a mechanism; false where there is no such mechanism, or the person has not enrolled it.
func (l *Logins) offer(ctx context.Context, c *call.Call, w subject, m factor.Mechanism) (factor.Challenge, bool, error) {
	if m == nil {
		return factor.Challenge{}, false, nil
	}
	whose := w.mfa
	if m.Name() == factor.Password {
		whose = w.shown
	}
	prompt, ok, err := m.Offer(ctx, c, personOf(whose))
	if err != nil || !ok {
		return factor.Challenge{}, false, err
	}
	if w.real.ID == "" {
		prompt = m.Disguise(prompt, w.seed)
	}
	id, _ := crypt.NewToken(c.Rand)
	return factor.Challenge{ID: id, Name: m.Name(), Prompt: prompt}, true, nil
}

// deviceOf is the device cookie, or a new value for it.
func deviceOf(c *call.Call) string {
	if d := c.Client.Device; len(d) >= 20 && len(d) <= 128 {
		return d
	}
	d, _ := crypt.NewToken(c.Rand)
	return d
}

// attempt is who tries what, for the throttle.
func (l *Logins) attempt(ctx context.Context, c *call.Call, s *state, kind throttle.Kind) (throttle.Attempt, error) {
	device, err := l.Throttle.Known(ctx, c, s.User, throttle.DeviceHash(c.Client.Device))
	ip := c.Client.IP
	if !ip.IsValid() {
		ip, _ = netip.ParseAddr(s.IP)
	}
	return throttle.Attempt{Kind: kind, Login: s.Login, IP: ip, Device: device}, err
}

func kindOf(name string) throttle.Kind {
	if name == factor.Password || name == factor.Network {
		return throttle.Password
	}
	return throttle.Second
}

// ahead completes a package by what must be known before a mechanism is answered: how many seconds until the answer would be looked
// at, and the person's image. The image tells which names exist, and a page that is not ours must not learn it: it is shown in
// browsers only that the person is known by.
func (l *Logins) ahead(ctx context.Context, c *call.Call, s *state, mechanism string, out *Package) error {
	a, err := l.attempt(ctx, c, s, kindOf(mechanism))
	if err != nil {
		return err
	}
	d, err := l.Throttle.Wait(ctx, c, a)
	if err != nil {
		return err
	}
	out.Wait = int(math.Ceil(d.Seconds()))
	if a.Device != nil && l.Image != nil {
		out.Image, err = l.Image(ctx, c, s.User)
	}
	return err
}

// tell notes in the event whom the conversation is about.
func (l *Logins) tell(c *call.Call, s *state, u user.User) {
	if c.Event == nil {
		return
	}
	c.Event.Login, c.Event.User = s.Login, u.ID
	c.Event.Kind, c.Event.Target, c.Event.Name = "User", u.ID, u.Name
}
