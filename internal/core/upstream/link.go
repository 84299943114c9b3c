package upstream

import (
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Link is an account at a provider that is somebody's here.
type Link struct {
	Provider string `db:"provider"` // key
	Issuer   string `db:"issuer"`
	Subject  string `db:"subject"`
	User     string `db:"user_id"`
	Label    string `db:"label"`
	MadeBy   string `db:"made_by"`
	Created  int64  `db:"created"`

	Display string // of the provider
}

// How a link came about.
const (
	byOwner = "Owner" // who was signed in here showed the account there
	byMail  = "Mail"  // the provider showed that the address is the person's
	byNew   = "New"   // the person was made of it
)

const maxLinks = 20 // of one person

var (
	findLink   = dbx.Q[Link]("upstream.link", `SELECT provider, issuer, subject, user_id, label, made_by, created FROM upstream_link WHERE tenant = ? AND provider = ? AND issuer = ? AND subject = ?`)
	linksOf    = dbx.Q[Link]("upstream.links", `SELECT provider, issuer, subject, user_id, label, made_by, created FROM upstream_link WHERE tenant = ? AND user_id = ? ORDER BY created, provider, subject`)
	insertLink = dbx.E("upstream.insert_link", `INSERT INTO upstream_link (tenant, provider, issuer, subject, user_id, label, made_by, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, provider, issuer, subject) DO NOTHING`)
	dropLink  = dbx.E("upstream.drop_link", `DELETE FROM upstream_link WHERE tenant = ? AND user_id = ? AND provider = ? AND issuer = ? AND subject = ?`)
	dropLinks = dbx.E("upstream.drop_links", `DELETE FROM upstream_link WHERE tenant = ? AND user_id = ?`)
)

// Of gives what somebody has connected.
func (p *Providers) Of(ctx context.Context, c *call.Call, userID string) ([]Link, error) {
	out, err := linksOf.All(ctx, c.Tx, c.Tenant.ID, userID)
	if err != nil || len(out) == 0 {
		return nil, err
	}
	all, err := p.All(ctx, c)
	for i := range out {
		out[i].Display = out[i].Provider
		if j := slices.IndexFunc(all, func(r Provider) bool { return r.Key == out[i].Provider }); j >= 0 {
			out[i].Display = all[j].Display
		}
	}
	return out, err
}

// Whose gives whose account it is here. An unknown one becomes that of the person whose address the provider shows, or of a new person,
// as far as the tenant has it so. Faults: ErrUnlinked and those of making people.
func (p *Providers) Whose(ctx context.Context, c *call.Call, l Landed) (user.User, error) {
	have, err := findLink.One(ctx, c.Tx, c.Tenant.ID, l.Provider.Key, l.Identity.Issuer, l.Identity.Subject)
	if err == nil {
		return p.People.ByID(ctx, c, have.User)
	}
	if !errors.Is(err, dbx.ErrNoRow) {
		return user.User{}, err
	}
	v, err := p.Settings.Get(ctx, c)
	if err != nil {
		return user.User{}, err
	}
	u, err := p.byMail(ctx, c, l)
	if errors.Is(err, ErrUnlinked) && v.Social.CreateUsers {
		u, err = p.create(ctx, c, l)
	}
	return u, err
}

// believed says whether the tenant takes a provider's word as to whose an address is. It does for the domains that are named of this provider: one
// that is believed for its own is not for another's.
func (p Provider) believed(mail string) bool {
	_, domain, ok := user.SplitName(mail)
	for one := range strings.SplitSeq(p.Domains, ",") {
		one = strings.TrimSpace(one)
		if one != "" && ok && (one == "*" || fold.Key(one) == fold.Key(domain)) {
			return true
		}
	}
	return false
}

// byMail connects the account with the one person whose address the provider shows to be the account's, where that person has shown the
// same here. Who may administrate anything connects it by themselves: a mailbox must not be worth more than a password. ErrUnlinked.
func (p *Providers) byMail(ctx context.Context, c *call.Call, l Landed) (user.User, error) {
	if !l.Identity.Verified || !l.Provider.believed(l.Identity.Mail) {
		return user.User{}, ErrUnlinked
	}
	all, err := p.People.ByMail(ctx, c, l.Identity.Mail, 2)
	if err != nil {
		return user.User{}, err
	}
	if len(all) != 1 || all[0].MailUnproved || all[0].Service || all[0].OAuthClient || all[0].Barred(c.Now) {
		return user.User{}, ErrUnlinked
	}
	plain, err := p.Plain(ctx, c, all[0].ID)
	if err != nil || !plain {
		return user.User{}, unlinkedOr(err)
	}
	return all[0], p.connect(ctx, c, all[0], l, byMail)
}

// unlinkedOr is an error where there is one.
func unlinkedOr(err error) error {
	if err == nil {
		return ErrUnlinked
	}
	return err
}

// create makes a person of an account whose address the provider shows; nobody who has it already is touched. Where the provider is not believed
// for the domain, the person shows once more that the address is theirs: until then it connects them with no other account, and no code goes there.
func (p *Providers) create(ctx context.Context, c *call.Call, l Landed) (user.User, error) {
	id := l.Identity
	if id.Mail == "" || !id.Verified || user.CheckMail("mail", id.Mail) != nil {
		return user.User{}, ErrUnlinked // nobody could tell them anything
	}
	have, err := p.People.ByMail(ctx, c, id.Mail, 1)
	if err != nil || len(have) > 0 {
		return user.User{}, unlinkedOr(err)
	}
	if proofed, err := p.Proofed(ctx, c); err != nil || proofed {
		return user.User{}, unlinkedOr(err)
	}
	if err := p.Claimed(ctx, c, id.Mail); err != nil {
		return user.User{}, but(err, fault.Of(err), ErrUnlinked)
	}
	name, err := p.Name(ctx, c, id.Mail)
	if err != nil {
		return user.User{}, err
	}
	display := printable(id.Name)
	if display == "" {
		display, _, _ = user.SplitName(id.Mail)
	}
	n := user.New{Name: name, Mail: id.Mail, Display: display, Everybody: true, MailUnproved: !l.Provider.believed(id.Mail)}
	if err := n.Offer(); err != nil {
		n.Display, _, _ = user.SplitName(name)
	}
	u, err := p.People.Create(ctx, c, n)
	if err != nil {
		return user.User{}, err
	}
	e := c.Record(audit.UserCreate)
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	e.Set("IdentityProvider", l.Provider.Name)
	if u.MailUnproved {
		if err := p.Ask(ctx, c, u); err != nil {
			return user.User{}, err
		}
	}
	return u, p.connect(ctx, c, u, l, byNew)
}

// printable is a name that somebody else gave, as far as it can stand in a record.
func printable(name string) string {
	name = strings.Join(strings.Fields(strings.ToValidUTF8(name, "")), " ")
	return strings.TrimSpace(clip(name, 100))
}

// Connect makes an account at a provider somebody's who is signed in and has shown both. Faults: ErrTaken, ErrMany.
func (p *Providers) Connect(ctx context.Context, c *call.Call, u user.User, l Landed) error {
	have, err := findLink.One(ctx, c.Tx, c.Tenant.ID, l.Provider.Key, l.Identity.Issuer, l.Identity.Subject)
	switch {
	case err == nil && have.User == u.ID:
		return nil
	case err == nil:
		return ErrTaken
	case !errors.Is(err, dbx.ErrNoRow):
		return err
	}
	return p.connect(ctx, c, u, l, byOwner)
}

func (p *Providers) connect(ctx context.Context, c *call.Call, u user.User, l Landed, how string) error {
	if err := p.People.Touch(ctx, c, u.ID); err != nil { // which lets nobody else count meanwhile
		return err
	}
	have, err := linksOf.All(ctx, c.Tx, c.Tenant.ID, u.ID)
	if err != nil {
		return err
	}
	if len(have) >= maxLinks {
		return ErrMany
	}
	n, err := insertLink.Do(ctx, c.Tx, c.Tenant.ID, l.Provider.Key, l.Identity.Issuer, l.Identity.Subject, u.ID, l.Identity.label(), how, c.Now.UnixMilli())
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrTaken
	}
	e := c.Record(audit.UpstreamLink)
	e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
	e.Set("IdentityProvider", l.Provider.Name)
	e.Set("Subject", l.Identity.Subject)
	e.Set("By", how)
	return nil
}

// Disconnect takes an account at a provider from somebody. ErrNone.
func (p *Providers) Disconnect(ctx context.Context, c *call.Call, u user.User, provider, issuer, subject string) error {
	if strings.ContainsRune(provider+issuer+subject, 0) {
		return ErrNone
	}
	n, err := dropLink.Do(ctx, c.Tx, c.Tenant.ID, u.ID, fold.Key(provider), issuer, subject)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrNone
	}
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name, e.User, e.Login = u.ID, "User", u.Name, u.ID, u.Name
		e.Set("IdentityProvider", provider)
		e.Set("Subject", subject)
	}
	return nil
}

// Drop takes everything from somebody who is being deleted.
func Drop(ctx context.Context, c *call.Call, userID string) error {
	return dropLinks.Later(ctx, c.Tx, c.Tenant.ID, userID)
}
