package regain

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor/recovery"
	"limen/internal/core/link"
	"limen/internal/core/password"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Offer is what whoever opens the link at the end is asked for.
type Offer struct {
	Person user.User
	Code   bool // the code of the text message, too
}

// Answer is what they give.
type Answer struct{ Token, Code, Plain, Again string }

// Choice is a new password that was checked and hashed.
type Choice struct {
	user  string // whose link it was when the password was checked; empty: link or code opened nothing
	fresh password.New
	rule  *fault.Error // what is wrong with the password
}

// Look says whose account a link gives back. It only reads, so it counts no guesses. Faults: ErrLink, ErrWait.
func (r *Regains) Look(ctx context.Context, c *call.Call, token string) (Offer, error) {
	if err := r.Links.Admit(ctx, c, ErrWait); err != nil {
		return Offer{}, err
	}
	one, u, err := r.offered(ctx, c, token)
	return Offer{u, one.Code != ""}, err
}

// offered finds what a link gives back. Fault: ErrLink.
func (r *Regains) offered(ctx context.Context, c *call.Call, token string) (Regain, user.User, error) {
	if code, ok := recovery.Read(token); ok { // as it was read out
		token = code
	}
	hash, ok := link.Hash(token)
	if !ok {
		return Regain{}, user.User{}, ErrLink
	}
	one, err := findLink.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (one.State != Ready || one.Ended != 0 || one.Due <= c.Now.UnixMilli()) {
		return Regain{}, user.User{}, ErrLink
	}
	if err != nil {
		return Regain{}, user.User{}, err
	}
	u, err := r.owner(ctx, c, one)
	if err != nil {
		return Regain{}, user.User{}, err
	}
	why, err := r.unfit(ctx, c, u, one)
	if err == nil && why != "" {
		err = ErrLink
	}
	return one, u, err
}

// right says whether the code of the text message is right, where there is one.
func (r *Regains) right(ctx context.Context, c *call.Call, one Regain, code string) (bool, error) {
	if one.Code == "" {
		return true, nil
	}
	if code = strings.Join(strings.Fields(code), ""); len(code) != digits {
		return false, nil
	}
	return r.Ring.CheckMAC(ctx, c.Tenant.ID, purpose, codeText(one.ID, code), one.Code)
}

// Prepare checks and hashes the new password; outside transactions. What is wrong with link, code or password is told by Finish. It fails with
// ErrWait while the network is refused: then nothing is hashed.
func (r *Regains) Prepare(ctx context.Context, c *call.Call, in Answer) (Choice, error) {
	var u user.User
	err := c.Snapshot(ctx, func() error {
		if err := r.Links.Admit(ctx, c, ErrWait); err != nil {
			return err
		}
		one, who, err := r.offered(ctx, c, in.Token)
		if err != nil {
			return err
		}
		ok, err := r.right(ctx, c, one, in.Code)
		if err == nil && !ok {
			err = ErrLink
		}
		u = who
		return err
	})
	if errors.Is(err, ErrLink) {
		return Choice{}, nil
	}
	if err != nil {
		return Choice{}, err
	}
	if !crypt.SameText(in.Plain, in.Again) {
		return Choice{user: u.ID, rule: ErrDiffer}, nil
	}
	fresh, err := r.Passwords.Prepare(ctx, c, password.Change{
		User: u.ID, Names: password.Names{Login: u.Name, Display: u.Display, Mail: u.Mail}, Plain: in.Plain, Reset: true,
	})
	if f := fault.Of(err); f != nil && f.Kind == fault.Invalid {
		return Choice{user: u.ID, rule: f}, nil
	}
	return Choice{user: u.ID, fresh: fresh}, err
}

// Finished is who is in again.
type Finished struct {
	Person  user.User
	Auth    string // token of the session in which they set up what they sign in with
	Session session.Session
}

// Finish gives the account back: it stores the password, takes away every factor that the person had, ends their sessions, and opens one in which
// nothing can be done but to set up others. The person is given also where the password or the code is at fault: then it may be tried again.
// A link that opens nothing counts as a guess of the caller's network, and a wrong code as one at the link, so that their faults must not undo the
// transaction.
//
// Faults: ErrLink; ErrWait; ErrCode; ErrDiffer and those of the password policy; password.ErrChanged.
func (r *Regains) Finish(ctx context.Context, c *call.Call, in Answer, ch Choice) (Finished, error) {
	one, u, err := r.offered(ctx, c, in.Token)
	if err == nil { // of two at once, one
		one, err = lockID.One(ctx, c.Tx, c.Tenant.ID, one.ID)
		if err == nil && one.State != Ready {
			err = ErrLink
		}
	}
	if err != nil && !errors.Is(err, ErrLink) {
		return Finished{}, err
	}
	if failed := r.Links.Used(ctx, c, err == nil, ErrWait); failed != nil {
		return Finished{}, failed
	}
	if err != nil {
		return Finished{}, err
	}
	ok, err := r.right(ctx, c, one, in.Code)
	switch {
	case err != nil:
		return Finished{}, err
	case !ok:
		return Finished{Person: u}, r.wrong(ctx, c, one)
	case ch.rule != nil:
		return Finished{Person: u}, ch.rule
	case ch.user != u.ID:
		return Finished{}, ErrLink
	}
	return r.give(ctx, c, u, one, ch.fresh)
}

// wrong counts a wrong code, and gives the fault. With the last one the link is dead.
func (r *Regains) wrong(ctx context.Context, c *call.Call, one Regain) error {
	if one.Tries++; one.Tries >= maxTries {
		if err := r.end(ctx, c, one, Stopped, byGuess); err != nil {
			return err
		}
		return ErrLink
	}
	if err := r.store(ctx, c, one); err != nil {
		return err
	}
	return ErrCode
}

// put stores the password as the person's own choice: the browser may be one in which somebody else is signed in.
func (r *Regains) put(ctx context.Context, c *call.Call, userID string, fresh password.New) error {
	other := c.Caller
	c.Caller = nil
	defer func() { c.Caller = other }()
	return r.Passwords.Put(ctx, c, userID, fresh, false)
}

func (r *Regains) give(ctx context.Context, c *call.Call, u user.User, one Regain, fresh password.New) (Finished, error) {
	if err := r.end(ctx, c, one, Done, ""); err != nil { // first: a new password ends what is under way
		return Finished{}, err
	}
	if err := r.Strip(ctx, c, u.ID); err != nil {
		return Finished{}, err
	}
	if err := r.put(ctx, c, u.ID, fresh); err != nil {
		return Finished{}, err
	}
	if err := r.People.End(ctx, c, u.ID); err != nil {
		return Finished{}, err
	}
	if err := r.Told(ctx, c, u); err != nil {
		return Finished{}, err
	}
	auth, made, err := r.Sessions.Create(ctx, c, session.New{
		User: u.ID, Level: session.Setup, IP: c.Client.IP.Unmap().String(), Agent: c.Client.UserAgent, Idle: setupTime, Life: setupTime,
	})
	return Finished{Person: u, Auth: auth, Session: made}, err
}
