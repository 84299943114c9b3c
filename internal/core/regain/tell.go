package regain

import (
	"context"
	"errors"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/factor"
	"limen/internal/core/message"
	"limen/internal/core/user"
	"limen/internal/fold"
)

// purpose is that of the key which links that stop one are made with, as codes are.
const purpose = factor.PurposeCode

// notice tells the person, wherever they are reached, that somebody wants to regain their account, with the link that stops it.
func (r *Regains) notice(ctx context.Context, c *call.Call, u user.User, one Regain) error {
	token, err := r.stopper(ctx, c, one.ID)
	if err != nil {
		return err
	}
	data := message.Data{Link: r.Links.To(c, StopPath, token), Until: time.UnixMilli(one.Ends()).UTC(), At: time.UnixMilli(one.Started).UTC(), IP: one.IP}
	if err := r.tell(ctx, c, u, one, message.RegainWaiting, data); err != nil {
		return err
	}
	return r.Push(ctx, c, u)
}

// tell writes to every address of a person: what they have, what they had when it was started, and what they had not long ago.
func (r *Regains) tell(ctx context.Context, c *call.Call, u user.User, one Regain, k message.Kind, d message.Data) error {
	mails, mobiles, err := r.reach(ctx, c, u, one)
	if err != nil {
		return err
	}
	for _, to := range mails {
		if err := r.Mail(ctx, c, u, to, k, d); err != nil {
			return err
		}
	}
	for _, to := range mobiles {
		if err := r.Text(ctx, c, u, to, k, d); err != nil {
			return err
		}
	}
	return nil
}

func (r *Regains) reach(ctx context.Context, c *call.Call, u user.User, one Regain) (mails, mobiles []string, err error) {
	add := func(to *[]string, address string) {
		if address != "" && !slices.ContainsFunc(*to, func(had string) bool { return fold.Key(had) == fold.Key(address) }) {
			*to = append(*to, address)
		}
	}
	if !u.MailUnproved { // it may be anybody's
		add(&mails, u.Mail)
	}
	add(&mobiles, u.Mobile)
	add(&mails, one.Mail)
	add(&mobiles, one.Mobile)
	moved, err := movedRows.All(ctx, c.Tx, c.Tenant.ID, u.ID, c.Now.Add(-remembered).UnixMilli())
	if err != nil {
		return nil, nil, err
	}
	for _, m := range moved {
		add(&mails, m.Mail)
		add(&mobiles, m.Mobile)
	}
	err = detail.Each(ctx, c, []string{u.ID}, []detail.Kind{detail.Mail}, func(_ string, _ detail.Kind, value string) {
		if user.CheckMail("Mail", value) == nil {
			add(&mails, value)
		}
	})
	return mails, mobiles, err
}

// Moved notes by what somebody was reached until now, for the directory.
func (r *Regains) Moved(ctx context.Context, c *call.Call, old, now user.User) error {
	m := movedRow{Moved: c.Now.UnixMilli()}
	if old.Mail != now.Mail && !old.MailUnproved {
		m.Mail = old.Mail
	}
	if old.Mobile != now.Mobile {
		m.Mobile = old.Mobile
	}
	_, err := putMoved.Do(ctx, c.Tx, c.Tenant.ID, now.ID, c.NewID(), m.Mail, m.Mobile, m.Moved)
	return errors.Join(err, r.Changed(ctx, c, now.ID))
}
