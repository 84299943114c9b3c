package regain

import (
	"context"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/recovery"
	"limen/internal/core/grant"
	"limen/internal/core/message"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

const (
	proposalLasts = time.Hour
	// apart is for how long two administrators must have had nothing to do with each other's accounts, nor one of them with who holds which
	// rights, before they reset somebody together: whoever makes a second administrator must wait, and others see it.
	apart = 24 * time.Hour
	// MaxReason bounds the reason that a proposer gives, in bytes.
	MaxReason = 400
)

// Faults of resets by two administrators.
var (
	ErrSelf     = fault.New(fault.Denied, "regain.self", "Nobody takes part in the reset of their own account.")
	ErrPerson   = fault.New(fault.Denied, "regain.person", "This takes a person who is signed in: no program, and no token.")
	ErrAccount  = fault.New(fault.Conflict, "regain.account", "This account is not reset so: it may not be used, belongs to a program, is signed in to elsewhere, or is kept for an emergency.")
	ErrProposed = fault.New(fault.Exists, "regain.proposed", "Another administrator has proposed this already. Approve it, or take it back.")
	ErrProposal = fault.New(fault.NotFound, "regain.proposal", "Nobody has proposed this, or the proposal is over.")
	ErrSecond   = fault.New(fault.Denied, "regain.second", "Another administrator must approve this than the one who proposed it, in another browser.")
	ErrApart    = fault.New(fault.Denied, "regain.apart",
		"One of the two administrators has changed the other one's account, or who holds which rights, within 24 hours, or is new. Somebody else must take part.")
	// ErrTwo is for one administrator alone, where the tenant wants two.
	ErrTwo      = fault.New(fault.Denied, "regain.two", "Nobody does this alone to somebody who holds administrative rights. Propose a reset, which another administrator approves.")
	ErrProposer = fault.New(fault.Denied, "regain.proposer", "Whoever proposed this may not do it any more.")
)

// Proposal is what an administrator proposes. Times are in ms since 1970 UTC.
type Proposal struct {
	User     string `db:"user_id"`
	Proposer string `db:"proposer"`
	Device   []byte `db:"device"`
	Reason   string `db:"reason"`
	Made     int64  `db:"made"`
	Expires  int64  `db:"expires"`
}

const proposed = `user_id, proposer, device, reason, made, expires`

var (
	putProposal = dbx.E("regain.propose", `INSERT INTO regain_proposal (tenant, `+proposed+`) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, user_id) DO UPDATE SET proposer = excluded.proposer, device = excluded.device, reason = excluded.reason, made = excluded.made,
		expires = excluded.expires WHERE regain_proposal.proposer = excluded.proposer OR regain_proposal.expires <= excluded.made`)
	lockProposal  = dbx.Q[Proposal]("regain.lock_proposal", `SELECT `+proposed+` FROM regain_proposal WHERE tenant = ? AND user_id = ? FOR UPDATE`)
	proposals     = dbx.L[Proposal]("regain.proposals", `SELECT `+proposed+` FROM regain_proposal WHERE tenant = ?`)
	dropProposal  = dbx.E("regain.drop_proposal", `DELETE FROM regain_proposal WHERE tenant = ? AND user_id = ?`)
	sweepProposal = dbx.S("regain.sweep_proposals", "regain_proposal", "tenant, user_id", "expires < ?")
)

// takesPart sees whether the caller may take part in the reset of somebody at all. Faults: ErrPerson, ErrSelf, ErrAccount, session.ErrStale.
func (r *Regains) takesPart(ctx context.Context, c *call.Call, u user.User) error {
	switch {
	case c.Caller == nil || c.Caller.Session == "" || c.Caller.Machine:
		return ErrPerson
	case c.Caller.User == u.ID || u.MfaUser == c.Caller.User:
		return ErrSelf
	}
	if err := r.Sessions.Recent(ctx, c, c.Caller.User); err != nil {
		return err
	}
	why, err := r.Barred(ctx, c, u)
	if err == nil && why != "" {
		err = ErrAccount
	}
	return err
}

// Propose proposes that somebody sets up anew what they sign in with. It takes the place of what the caller proposed before. Faults: ErrPerson,
// ErrSelf, ErrAccount, ErrProposed, session.ErrStale, those of May.
func (r *Regains) Propose(ctx context.Context, c *call.Call, u user.User, reason string) (Proposal, error) {
	if err := r.takesPart(ctx, c, u); err != nil {
		return Proposal{}, err
	}
	if err := r.May(ctx, c, c.Caller.User, u); err != nil {
		return Proposal{}, err
	}
	now := c.Now.UnixMilli()
	p := Proposal{u.ID, c.Caller.User, browser(c), reason, now, c.Now.Add(proposalLasts).UnixMilli()}
	n, err := putProposal.Do(ctx, c.Tx, c.Tenant.ID, p.User, p.Proposer, p.Device, p.Reason, p.Made, p.Expires)
	if err == nil && n == 0 {
		err = ErrProposed
	}
	if err == nil {
		record(c, audit.RegainPropose, u).Set("Reason", reason)
	}
	return p, err
}

// browser tells browsers apart; empty where nothing does.
func browser(c *call.Call) []byte {
	if hash := throttle.DeviceHash(c.Client.Device); hash != nil {
		return hash
	}
	return []byte{}
}

// proposal finds what is proposed of somebody. Fault: ErrProposal.
func proposal(ctx context.Context, c *call.Call, userID string) (Proposal, error) {
	p, err := lockProposal.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && p.Expires <= c.Now.UnixMilli() {
		err = ErrProposal
	}
	return p, err
}

// Withdraw takes a proposal back. Fault: ErrProposal.
func (r *Regains) Withdraw(ctx context.Context, c *call.Call, u user.User) error {
	p, err := proposal(ctx, c, u.ID)
	if err != nil {
		return err
	}
	record(c, audit.RegainWithdraw, u).Set("Proposer", p.Proposer)
	_, err = dropProposal.Do(ctx, c.Tx, c.Tenant.ID, u.ID)
	return err
}

// Proposals lists what is proposed, by the UUIDs of whom it is about: of those whom the grant allows, behind one of them.
func (r *Regains) Proposals(ctx context.Context, c *call.Call, g grant.Grant, after string, limit int) ([]Proposal, error) {
	where := []dbx.Clause{user.Among(c, g, "user_id", dbx.Clause{}), dbx.Gt("expires", c.Now.UnixMilli())}
	if after != "" {
		where = append(where, dbx.Gt("user_id", after))
	}
	return proposals.Rows(ctx, c.Tx, dbx.And(where...), []dbx.Order{{Column: "user_id"}}, limit, c.Tenant.ID)
}

// Approved is what a second administrator gives on.
type Approved struct {
	Code    string // to be told to the person; empty: they got a link by mail
	Expires time.Time
}

// Approve lets somebody set up anew what they sign in with, as another administrator has proposed. The code that does is given to the caller, to be
// told to the person once it is known that it is them; or a link is sent to the person's addresses. Each proposal is approved once. The
// tenant's keys must have been made (Ensure).
//
// Faults: ErrProposal, ErrSecond, ErrApart, ErrProposer, ErrPerson, ErrSelf, ErrAccount, session.ErrStale, those of May; with a link, post.ErrNoMail.
func (r *Regains) Approve(ctx context.Context, c *call.Call, u user.User, send bool) (Approved, error) {
	if err := r.takesPart(ctx, c, u); err != nil {
		return Approved{}, err
	}
	p, err := proposal(ctx, c, u.ID)
	if err == nil {
		err = r.second(ctx, c, u, p)
	}
	if err != nil {
		return Approved{}, err
	}
	if _, err := dropProposal.Do(ctx, c.Tx, c.Tenant.ID, u.ID); err != nil {
		return Approved{}, err
	}
	e := record(c, audit.RegainApprove, u)
	e.Set("Proposer", p.Proposer)
	e.Set("Reason", p.Reason)
	return r.reset(ctx, c, u, p, send)
}

// second sees whether the caller may approve what was proposed.
func (r *Regains) second(ctx context.Context, c *call.Call, u user.User, p Proposal) error {
	if p.Proposer == c.Caller.User || len(p.Device) > 0 && slices.Equal(p.Device, browser(c)) {
		return ErrSecond
	}
	if err := r.May(ctx, c, c.Caller.User, u); err != nil {
		return err
	}
	if err := r.May(ctx, c, p.Proposer, u); err != nil { // they may have lost the right since
		return ErrProposer.Because(err)
	}
	near, err := r.Near(ctx, c, p.Proposer, c.Caller.User, c.Now.Add(-apart))
	if err == nil && near {
		err = ErrApart
	}
	return err
}

func (r *Regains) reset(ctx context.Context, c *call.Call, u user.User, p Proposal, send bool) (Approved, error) {
	if _, err := endOpen.Do(ctx, c.Tx, Stopped, c.Now.UnixMilli(), byHelper, []byte{}, c.Tenant.ID, u.ID); err != nil {
		return Approved{}, err
	}
	one := Regain{
		ID: c.NewID(), User: u.ID, State: Ready, Step: Steps, Due: c.Now.Add(linkLasts).UnixMilli(), Started: c.Now.UnixMilli(),
		IP: c.Client.IP.Unmap().String(), Mail: u.Mail, Mobile: u.Mobile, Hash: []byte{}, Approver: c.Caller.User,
	}
	out := Approved{Expires: time.UnixMilli(one.Due).UTC()}
	if !send {
		plain, shown, err := recovery.NewCode(c.Rand)
		if err != nil {
			return out, err
		}
		one.Hash, out.Code = crypt.TokenHash(plain), shown
	}
	if _, err := insertRow.Do(ctx, c.Tx, append([]any{c.Tenant.ID}, one.values()...)...); err != nil {
		return out, err
	}
	if send {
		if err := r.offer(ctx, c, u, one); err != nil {
			return out, err
		}
	}
	by, err := r.People.ByID(ctx, c, p.Proposer)
	if err != nil {
		return out, err
	}
	token, err := r.stopper(ctx, c, one.ID)
	if err != nil {
		return out, err
	}
	data := message.Data{Link: r.Links.To(c, StopPath, token), By: by.Name + ", " + c.Caller.Name, At: c.Now}
	return out, r.tell(ctx, c, u, one, message.RegainApproved, data)
}

// Ensure makes the tenant's key; it must run before a transaction that writes.
func (r *Regains) Ensure(ctx context.Context, tenant string) error {
	return r.Ring.Ensure(ctx, tenant, purpose)
}
