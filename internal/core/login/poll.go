package login

import (
	"context"
	"errors"
	"net/netip"
	"net/url"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/session"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// Poll says how a started mechanism stands. It only reads: what a click on a link brought about was done by the click.
// A mechanism that is already satisfied answers StartNextChallenge again and again, for clients that poll on. ErrFailed
// ends nothing here.
func (l *Logins) Poll(ctx context.Context, c *call.Call, id, mechanism string) (Result, error) {
	s, err := l.find(ctx, c, id)
	if errors.Is(err, errGone) {
		return Fail(), ErrFailed
	}
	if err != nil {
		return Result{}, err
	}
	ch, at := s.challenge(mechanism)
	switch {
	case ch == nil || at > s.At:
		return Fail(), ErrFailed
	case s.Done != nil:
		return l.fetched(ctx, c, s)
	case at < s.At && !s.Recovery && (s.Challenges[s.At][0].Name == factor.Reset || s.Challenges[s.At][0].Name == factor.Consent):
		return Result{Summary: NewPackage, Package: s.pack()}, nil
	case at < s.At && s.Narrowed == s.At:
		return Result{Summary: NewPackage, Package: s.pack()}, nil
	case at < s.At:
		return Result{Summary: NextDone}, nil
	case ch.Sent == 0 || ch.Expires != 0 && c.Now.UnixMilli() >= ch.Expires:
		return Fail(), ErrFailed
	}
	return Result{Summary: Pending, Number: ch.Number}, nil
}

// fetched hands out what a conversation that was finished elsewhere ended in.
func (l *Logins) fetched(ctx context.Context, c *call.Call, s *state) (Result, error) {
	if s.Done.Noncommittal {
		return Result{Summary: Noncommittal, Message: recovered}, nil
	}
	if s.Done.Shown {
		u, err := l.People.ByID(ctx, c, s.User)
		if err != nil {
			return failedOr(err, user.ErrNotFound)
		}
		return Result{Summary: Succeeded, Success: &Success{Person: u, Device: s.Device, Session: session.Session{Level: s.Done.Level}}}, nil
	}
	row, err := l.Sessions.Find(ctx, c, s.Done.Session)
	if err != nil {
		return failedOr(err, session.ErrUnknown)
	}
	out, err := l.resumed(ctx, c, row, s.Done.Auth, false)
	if err != nil {
		return failedOr(err, user.ErrNotFound)
	}
	out.Refresh, out.Platform, out.Device = s.Done.Refresh, s.Platform, s.Device
	return Result{Summary: Succeeded, Success: out}, nil
}

func failedOr(err, expected error) (Result, error) {
	if errors.Is(err, expected) {
		return Fail(), ErrFailed
	}
	return Result{}, err
}

type linkRow struct {
	Login     []byte `db:"login"`
	Mechanism string `db:"mechanism"`
	Answered  int64  `db:"answered"`
	Expires   int64  `db:"expires"`
}

var (
	insertLink = dbx.E("login.insert_link", `INSERT INTO login_link (hash, tenant, login, mechanism, answered, expires) VALUES (?, ?, ?, ?, 0, ?)`)
	findLink   = dbx.Q[linkRow]("login.find_link", `SELECT login, mechanism, answered, expires FROM login_link WHERE tenant = ? AND hash = ?`)
	useLink    = dbx.E("login.use_link", `UPDATE login_link SET answered = ? WHERE tenant = ? AND hash = ? AND answered = 0`)
	dropLinks  = dbx.E("login.drop_links", `DELETE FROM login_link WHERE tenant = ? AND login = ?`)
	sweepLinks = dbx.S("login.sweep_links", "login_link", "hash", "expires < ?")
)

// LinkPath is where a link leads (authentication.yaml n 6).
const LinkPath = "/Security/AnswerOOBChallenge"

// link makes the address that answers a challenge by a click, or that a call is asked about; empty where the mechanism has none. The recovery of a
// password has none: anybody can begin that one, and who clicks by mistake would hand the account over. RADIUS has none: nobody waits
// there for anything but what is typed.
func (t *turn) link(ctx context.Context, ch *factor.Challenge) (string, error) {
	if ch.Name != factor.Email && ch.Name != factor.Phone || t.s.Recovery || t.s.radius() != nil {
		return "", nil
	}
	plain, hash := crypt.NewToken(t.c.Rand)
	_, err := insertLink.Do(ctx, t.c.Tx, hash, t.c.Tenant.ID, t.s.hash, ch.ID, t.c.Now.Add(life).UnixMilli())
	if ch.Name == factor.Phone {
		return ringing(t.c.Tenant.Host, plain), err
	}
	return "https://" + t.c.Tenant.Host + LinkPath + "?answer=" + url.QueryEscape(plain), err
}

// Asking is what the page behind a link shows: which sign-in it would approve.
type Asking struct{ Login, IP, Agent string }

// Link says what a link would approve, and changes nothing. ErrLink when it approves nothing any more.
func (l *Logins) Link(ctx context.Context, c *call.Call, plain string) (Asking, error) {
	s, _, err := l.linked(ctx, c, plain, factor.Email)
	if err != nil {
		return Asking{}, err
	}
	return Asking{Login: s.Login, IP: s.IP, Agent: s.Agent}, nil
}

// linked finds the challenge of a mechanism that a link is about, or that a code shows: one that waits, of a conversation in which somebody signs in.
// What is for one mechanism answers no other one.
func (l *Logins) linked(ctx context.Context, c *call.Call, plain, mechanism string) (*state, *factor.Challenge, error) {
	if plain == "" || len(plain) > maxID {
		return nil, nil, ErrLink
	}
	row, err := findLink.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(plain))
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (row.Answered != 0 || row.Expires <= c.Now.UnixMilli()) {
		return nil, nil, ErrLink
	}
	if err != nil {
		return nil, nil, err
	}
	s, err := l.byHash(ctx, c, row.Login)
	if errors.Is(err, errGone) {
		return nil, nil, ErrLink
	}
	if err != nil {
		return nil, nil, err
	}
	ch, at := s.challenge(row.Mechanism)
	over := ch == nil || ch.Name != mechanism || at != s.At || s.Done != nil || ch.Passed || c.Now.UnixMilli() >= ch.Expires
	if over || s.User == "" && !s.Nameless || s.Recovery {
		return nil, nil, ErrLink
	}
	return s, ch, nil
}

// Approve takes a click on a link. The conversation goes on, and ends if this was the last challenge; the client that
// waits learns it at its next Poll. ErrLink when the link approves nothing any more. Ensure must have run.
func (l *Logins) Approve(ctx context.Context, c *call.Call, plain string) error {
	s, ch, err := l.linked(ctx, c, plain, factor.Email)
	if err != nil {
		return err
	}
	n, err := useLink.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, crypt.TokenHash(plain))
	if err == nil && n == 0 {
		return ErrLink
	}
	if err != nil {
		return err
	}
	return l.approved(ctx, c, s, ch)
}

// ApproveFactor passes the started mechanism of that name in the conversations that wait for the person's second factor,
// as an approval on a phone does, and says in how many. Only those from the caller's own network take part: a stranger
// who knows the password and waits elsewhere must not be let in by what the person does for themselves. Recoveries of the
// password never do: these anybody can begin. Ensure must have run.
func (l *Logins) ApproveFactor(ctx context.Context, c *call.Call, userID, name string) (int, error) {
	hashes, err := ofUser.All(ctx, c.Tx, c.Tenant.ID, userID, c.Now.UnixMilli())
	if err != nil || userID == "" {
		return 0, err
	}
	count := 0
	for _, hash := range hashes {
		s, err := l.byHash(ctx, c, hash)
		if err != nil {
			return count, err
		}
		if s.Done != nil || s.Recovery || s.radius() != nil || s.At >= len(s.Challenges) || !near(s, c) {
			continue
		}
		for i := range s.Challenges[s.At] {
			ch := &s.Challenges[s.At][i]
			if ch.Name != name || ch.Sent == 0 || s.User == "" {
				continue
			}
			if err := l.approved(ctx, c, s, ch); err != nil {
				return count, err
			}
			count++
			break
		}
	}
	return count, nil
}

// near says whether a conversation comes from the caller's network.
func near(s *state, c *call.Call) bool {
	ip, err := netip.ParseAddr(s.IP)
	return err == nil && throttle.Network(ip) == throttle.Network(c.Client.IP)
}

// approved passes a mechanism on behalf of a client that waits.
func (l *Logins) approved(ctx context.Context, c *call.Call, s *state, ch *factor.Challenge) error {
	t, err := l.turn(ctx, c, s)
	if err != nil {
		return err
	}
	t.deferred = true
	if c.Event != nil {
		c.Event.Set("ClientAddress", s.IP) // of the client that waits; the event's own is that of the approval
	}
	out, err := t.passed(ctx, ch)
	if err == nil && out.Success == nil && out.Summary != Noncommittal {
		err = t.save(ctx, c, s)
	}
	if errors.Is(err, ErrFailed) || errors.Is(err, errGone) || errors.Is(err, ErrMore) {
		return ErrLink
	}
	return err
}
