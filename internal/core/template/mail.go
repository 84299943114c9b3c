package template

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Mail is an occasion on which an organization's people are written to.
type Mail string

// The mails.
const (
	Confirmation  Mail = "invitation" // an invitation to the organization: with a link, or with a code for who has an account
	PasswordReset Mail = "reset"      // a code to replace a forgotten password
	EmailChange   Mail = "address"    // a link that shows that a new address is the reader's
	Device        Mail = "signin"     // a code to sign in
	Notice        Mail = "device"     // a notice of a sign-in on an unknown device
)

// kinds are what goes out on an occasion. Whoever is in an organization gets these in its words.
var kinds = map[Mail][]message.Kind{
	Confirmation: {message.Invitation, message.JoinAsked}, PasswordReset: {message.RecoveryCode}, EmailChange: {message.VerifyMail},
	Device: {message.LoginCode}, Notice: {message.NewDevice},
}

// occasion finds the mail of a kind of message; empty: organizations have no words of their own for it.
func occasion(k message.Kind) Mail {
	for m, of := range kinds {
		for _, one := range of {
			if one == k {
				return m
			}
		}
	}
	return ""
}

// Words are those in which a mail goes out. The zero Words are the installation's.
type Words struct {
	Mail     Mail   `db:"mail"`
	Template string `db:"template"` // id; empty: none
	Subject  string `db:"subject"`  // empty: the template's
	HTML     string `db:"html"`     // where there is no template
}

// over gives what goes out, of a template that may be the zero one.
func (w Words) over(x Template) message.Override {
	out := message.Override{Subject: x.Subject, HTML: x.HTML, Text: x.Plain}
	if w.Subject != "" {
		out.Subject = w.Subject
	}
	if x.ID == "" {
		out.HTML = w.HTML
	}
	return out
}

type sent struct {
	Words
	TSubject string `db:"t_subject"`
	THTML    string `db:"t_html"`
	TPlain   string `db:"t_plain"`
	TID      string `db:"t_id"`
}

var (
	mails = dbx.Q[Words]("template.mails", `SELECT mail, template, subject, html FROM org_mail WHERE tenant = ? AND org = ?`)
	uses  = dbx.Q[Words]("template.uses", `SELECT mail, template, subject, html FROM org_mail WHERE tenant = ? AND org = ? AND template = ?`)
	now   = dbx.Q[sent]("template.sent", `SELECT m.mail, m.template, m.subject, m.html, coalesce(t.id, '') AS t_id, coalesce(t.subject, '') AS t_subject,
		coalesce(t.html, '') AS t_html, coalesce(t.plain, '') AS t_plain
		FROM org_mail m LEFT JOIN mail_template t ON t.tenant = m.tenant AND t.org = m.org AND t.id = m.template
		WHERE m.tenant = ? AND m.org = ? AND m.mail = ?`)
	putMail = dbx.E("template.putMail", `INSERT INTO org_mail (tenant, org, mail, template, subject, html) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org, mail) DO UPDATE SET template = excluded.template, subject = excluded.subject, html = excluded.html`)
	dropMail  = dbx.E("template.dropMail", `DELETE FROM org_mail WHERE tenant = ? AND org = ? AND mail = ?`)
	dropMails = dbx.E("template.dropMails", `DELETE FROM org_mail WHERE tenant = ? AND org = ?`)
)

// Mails says in which words an organization's mails go out; those that are left out go out in the installation's.
func Mails(ctx context.Context, c *call.Call, org string) (map[Mail]Words, error) {
	rows, err := mails.All(ctx, c.Tx, c.Tenant.ID, org)
	out := make(map[Mail]Words, len(rows))
	for _, r := range rows {
		out[r.Mail] = r
	}
	return out, err
}

// Checked are texts that were read outside transactions, each for a kind of mail, and found to say what it must.
type Checked map[message.Override]bool

func (k Checked) has(of message.Kind, o message.Override) error {
	if o.Kind = of; !k[o] {
		return ErrChanged
	}
	return nil
}

// fits says whether words were found to tell what the mail must.
func (k Checked) fits(m Mail, o message.Override) error {
	for _, of := range kinds[m] {
		if err := k.has(of, o); err != nil {
			return err
		}
	}
	return nil
}

// read checks a text for a kind of mail, and notes it.
func (t *Templates) read(into Checked, of message.Kind, o message.Override) error {
	if err := t.words(of, o); err != nil {
		return err
	}
	o.Kind = of
	into[o] = true
	return nil
}

// fits says whether words tell what the mail must.
func (t *Templates) fits(into Checked, m Mail, o message.Override) error {
	for _, of := range kinds[m] {
		if err := t.read(into, of, o); err != nil {
			return err
		}
	}
	return nil
}

// none are no words of an organization's own.
func (w Words) none() bool { return w.Template+w.Subject+w.HTML == "" }

// PrepareWords reads the words for a mail, and the template that they name, outside transactions, and notes them among those that were read.
// Faults: ErrNotFound at "template", ErrLong, and message.ErrOverride where they lack what the mail must show.
func (t *Templates) PrepareWords(ctx context.Context, c *call.Call, org string, m Mail, w Words, into Checked) error {
	x := Template{}
	if w.Subject = strings.TrimSpace(w.Subject); w.none() {
		return nil
	}
	if w.Template != "" {
		if err := c.Snapshot(ctx, func() (err error) {
			x, err = whole.One(ctx, c.Tx, c.Tenant.ID, org, w.Template)
			return err
		}); err != nil {
			return unnamed(but(err))
		}
	}
	return t.fits(into, m, w.over(x))
}

// unnamed calls the id of no template what it is.
func unnamed(err error) error {
	if errors.Is(err, ErrNotFound) {
		return fault.Bad("template", "names no mail template of this workspace")
	}
	return err
}

// Choose sets in which words, which were read, a mail of an organization goes out. Faults: ErrNotFound at "template", ErrChanged.
func (t *Templates) Choose(ctx context.Context, c *call.Call, org string, m Mail, w Words, done Checked) error {
	w.Mail, w.Subject = m, strings.TrimSpace(w.Subject)
	old, err := Mails(ctx, c, org)
	if err != nil {
		return err
	}
	if c.Event != nil {
		e := c.Event
		e.Target, e.Kind = org, "Organization"
		call.Changed(e, string(m)+"Template", old[m].Template, w.Template)
		call.Changed(e, string(m)+"Subject", old[m].Subject, w.Subject)
		call.Changed(e, string(m)+"HtmlSHA256", digest(old[m].HTML), digest(w.HTML))
	}
	if w.none() {
		_, err = dropMail.Do(ctx, c.Tx, c.Tenant.ID, org, string(m))
		return err
	}
	x := Template{}
	if w.Template != "" {
		if x, err = locked(ctx, c, org, w.Template); err != nil {
			return unnamed(err)
		}
	}
	if err := done.fits(m, w.over(x)); err != nil {
		return err
	}
	_, err = putMail.Do(ctx, c.Tx, c.Tenant.ID, org, string(m), w.Template, w.Subject, w.HTML)
	return err
}

// Worded says whether organizations may have words of their own for a kind of message.
func Worded(k message.Kind) bool { return occasion(k) != "" }

// Own gives an organization's own words for a kind of message, without a language; false where it has none.
func Own(ctx context.Context, c *call.Call, org string, k message.Kind) (message.Override, bool, error) {
	rows, err := now.All(ctx, c.Tx, c.Tenant.ID, org, string(occasion(k)))
	if err != nil || len(rows) == 0 {
		return message.Override{}, false, err
	}
	r := rows[0]
	out := r.over(Template{ID: r.TID, Subject: r.TSubject, HTML: r.THTML, Plain: r.TPlain})
	out.Kind = k
	return out, true, nil
}
