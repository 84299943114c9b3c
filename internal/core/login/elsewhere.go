package login

import (
	"context"
	"errors"
	"net/netip"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/throttle"
)

// whyRefused is why a conversation failed whose person refused it on their authenticator.
const whyRefused = "refused on the authenticator"

// mayAsk says whether the person's authenticators may be asked. A request counts until the mechanism is passed, by the name as typed, so that
// names that do not exist show a number as often as others.
func (t *turn) mayAsk(ctx context.Context, ch *factor.Challenge) (bool, error) {
	if ch.Sent != 0 && t.c.Now.UnixMilli()-ch.Sent < factor.Again.Milliseconds() {
		return true, nil
	}
	a, err := t.origin(ctx, t.c, t.s, throttle.Push)
	if err != nil {
		return false, err
	}
	out, err := t.Throttle.Count(ctx, t.c, a, false)
	return out.Allowed, err
}

// heard forgets how often the account's authenticators were asked, once the mechanism was passed.
func (t *turn) heard(ctx context.Context) error {
	a, err := t.origin(ctx, t.c, t.s, throttle.Push)
	if err == nil {
		_, err = t.Throttle.Count(ctx, t.c, a, true)
	}
	return err
}

// origin is attempt for where the conversation comes from, whoever moves it on.
func (l *Logins) origin(ctx context.Context, c *call.Call, s *state, kind throttle.Kind) (throttle.Attempt, error) {
	device, err := l.Throttle.Known(ctx, c, s.User, throttle.DeviceHash(s.Device))
	ip, _ := netip.ParseAddr(s.IP)
	return throttle.Attempt{Kind: kind, Login: s.Login, IP: ip, Device: device}, err
}

// Elsewhere answers a mechanism for which a number was shown, on behalf of the client that waits: yes passes it, and no ends the conversation,
// which counts as a wrong answer, and tells the person. ErrLink where nothing waits any more, ErrGuesses while the account is refused. Ensure
// must have run.
func (l *Logins) Elsewhere(ctx context.Context, c *call.Call, talk []byte, mechanism string, yes bool) error {
	s, err := l.byHash(ctx, c, talk)
	if errors.Is(err, errGone) {
		return ErrLink
	}
	if err != nil {
		return err
	}
	ch, at := s.challenge(mechanism)
	if s.Done != nil || ch == nil || at != s.At || ch.Passed || ch.Number == "" || c.Now.UnixMilli() >= ch.Expires || s.User == "" || s.Recovery {
		return ErrLink
	}
	if !yes {
		return l.refused(ctx, c, s, PushRefused)
	}
	a, err := l.origin(ctx, c, s, kindOf(ch.Name))
	if err != nil {
		return err
	}
	out, err := l.Throttle.Count(ctx, c, a, true)
	if err != nil {
		return err
	}
	if !out.Allowed {
		return held(out.Wait)
	}
	return l.approved(ctx, c, s, ch)
}

// refused ends a conversation that its person refused. The event of it is another one than the answer's own, and is about where the
// conversation comes from.
func (l *Logins) refused(ctx context.Context, c *call.Call, s *state, tell Notice) error {
	own, from := c.Event, c.Client.IP
	defer func() { c.Event, c.Client.IP = own, from }()
	if own != nil {
		c.Event = c.Record(audit.LoginFail)
		c.Event.Outcome, c.Event.Reason = "refused", ErrFailed.Code
		c.Event.Set("ClientAddress", s.IP)
	}
	c.Client.IP, _ = netip.ParseAddr(s.IP)
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return err
	}
	a, err := l.origin(ctx, c, s, throttle.Second)
	if err != nil {
		return err
	}
	out, err := l.Throttle.Count(ctx, c, a, false)
	if err == nil && out.Locked {
		err = t.locked(ctx, a)
	}
	if err == nil && t.Notify != nil {
		err = t.Notify(ctx, c, t.person, tell)
	}
	if err != nil {
		return err
	}
	if _, err = t.fail(ctx, whyRefused); errors.Is(err, ErrFailed) {
		err = nil
	}
	return err
}
