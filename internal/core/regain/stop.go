package regain

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/message"
	"limen/internal/core/user"
	"limen/internal/dbx"
)

// Why one ended, as events and lists say.
const (
	byLink   = "link"    // of a notice
	bySelf   = "session" // the person, signed in
	byHelper = "administrator"
	bySignIn = "sign-in"
	byChange = "changed" // an address or the password
	byGuess  = "guessed" // too many wrong codes
)

// Open gives the one that is under way of a person's account. Fault: ErrNone.
func (r *Regains) Open(ctx context.Context, c *call.Call, userID string) (Regain, error) {
	one, err := openRow.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		err = ErrNone
	}
	return one, err
}

// Stop ends what is under way of a person's account, as the person or an administrator wishes. Fault: ErrNone.
func (r *Regains) Stop(ctx context.Context, c *call.Call, userID string) error {
	why := byHelper
	if c.Caller != nil && c.Caller.User == userID {
		why = bySelf
	}
	return r.stop(ctx, c, userID, why)
}

func (r *Regains) stop(ctx context.Context, c *call.Call, userID, why string) error {
	one, err := lockOpen.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		return ErrNone
	}
	if err != nil {
		return err
	}
	return r.end(ctx, c, one, Stopped, why)
}

// SignedIn ends what is under way of the account of somebody who signs in: they have not lost what they sign in with.
func (r *Regains) SignedIn(ctx context.Context, c *call.Call, userID string) error {
	return r.unless(ctx, c, userID, bySignIn)
}

// Changed ends what is under way of the account of somebody whose addresses or password were changed.
func (r *Regains) Changed(ctx context.Context, c *call.Call, userID string) error {
	return r.unless(ctx, c, userID, byChange)
}

// unless stops what is under way, if anything is. It reads first, since all sign-ins come here.
func (r *Regains) unless(ctx context.Context, c *call.Call, userID, why string) error {
	_, err := r.Open(ctx, c, userID)
	if err == nil {
		err = r.stop(ctx, c, userID, why)
	}
	if errors.Is(err, ErrNone) {
		return nil
	}
	return err
}

// end ends one and tells the person; its link is dead from then on.
func (r *Regains) end(ctx context.Context, c *call.Call, one Regain, state, why string) error {
	n, err := endRow.Do(ctx, c.Tx, state, c.Now.UnixMilli(), why, []byte{}, c.Tenant.ID, one.ID)
	if err != nil || n == 0 {
		return err
	}
	u, err := r.People.ByID(ctx, c, one.User)
	if errors.Is(err, user.ErrNotFound) {
		return nil
	}
	if err != nil || state == Done {
		return err
	}
	record(c, audit.RegainStop, u).Set("Why", why)
	return r.tell(ctx, c, u, one, message.RegainStopped, message.Data{At: c.Now})
}

// stopper is the secret of links that stop one. It is not stored: it is a keyed hash of the id.
func (r *Regains) stopper(ctx context.Context, c *call.Call, id string) (string, error) {
	mac, err := r.Ring.MAC(ctx, c.Tenant.ID, purpose, stopText(id))
	return id + "." + mac, err
}

func stopText(id string) []byte { return []byte("regain stop\x00" + id) }

// maxToken is the length of a link's secret in bytes that is looked at.
const maxToken = 256

// told finds what a link of a notice is about. Fault: ErrLink.
func (r *Regains) told(ctx context.Context, c *call.Call, by dbx.Query[Regain], token string) (Regain, error) {
	id, mac, ok := strings.Cut(token, ".")
	if !ok || len(token) > maxToken {
		return Regain{}, ErrLink
	}
	ok, err := r.Ring.CheckMAC(ctx, c.Tenant.ID, purpose, stopText(id), mac)
	if err != nil {
		return Regain{}, err
	}
	if !ok {
		return Regain{}, ErrLink
	}
	one, err := by.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && one.Ended != 0 {
		err = ErrLink
	}
	return one, err
}

// LookStop says whose account a notice's link is about. It changes nothing, since mail scanners open links. Faults: ErrLink, ErrWait.
func (r *Regains) LookStop(ctx context.Context, c *call.Call, token string) (user.User, error) {
	if err := r.Links.Admit(ctx, c, ErrWait); err != nil {
		return user.User{}, err
	}
	one, err := r.told(ctx, c, findID, token)
	if err != nil {
		return user.User{}, err
	}
	return r.owner(ctx, c, one)
}

// owner is whose account it is. Fault: ErrLink.
func (r *Regains) owner(ctx context.Context, c *call.Call, one Regain) (user.User, error) {
	u, err := r.People.ByID(ctx, c, one.User)
	if errors.Is(err, user.ErrNotFound) {
		err = ErrLink
	}
	return u, err
}

// StopBy stops what a notice's link is about. A link that opens nothing counts as a guess of the caller's network, so its fault must not undo the
// transaction. Faults: ErrLink, ErrWait.
func (r *Regains) StopBy(ctx context.Context, c *call.Call, token string) (user.User, error) {
	one, err := r.told(ctx, c, lockID, token)
	if err != nil && !errors.Is(err, ErrLink) {
		return user.User{}, err
	}
	if failed := r.Links.Used(ctx, c, err == nil, ErrWait); failed != nil {
		return user.User{}, failed
	}
	if err != nil {
		return user.User{}, err
	}
	u, err := r.owner(ctx, c, one)
	if err != nil {
		return u, err
	}
	return u, r.end(ctx, c, one, Stopped, byLink)
}
