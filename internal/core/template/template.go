// Package template is the words that an organization puts in the place of the installation's in mails to its people: invitations to it, and
// what those get who belong to it. They are data, of few placeholders (core/message), and lead nowhere but to the mail's own link.
package template

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of templates.
var (
	ErrNotFound = fault.New(fault.NotFound, "template.not_found", "There is no such mail template in this workspace.")
	ErrTaken    = fault.New(fault.Exists, "template.name_taken", "A mail template of that name already exists.")
	ErrName     = fault.New(fault.Invalid, "template.name", "The name of a mail template has 1 to 100 characters, and no control characters.")
	ErrLong     = fault.New(fault.Invalid, "template.long", "The text is too long.")
	ErrMany     = fault.New(fault.Conflict, "template.many", "The workspace has as many mail templates as it may have.")
	ErrChanged  = fault.New(fault.Conflict, "template.changed", "A mail template, or what it is used for, was changed meanwhile. Please try again.")
	ErrUsed     = fault.New(fault.Conflict, "template.used", "A mail goes out in the words of this template. Choose others for it first.")
)

// Limits.
const (
	maxTemplates = 50 // of one organization
	maxName      = 100
	maxSubject   = 500      // bytes
	maxText      = 48 << 10 // bytes of each part
)

// Template is a text of an organization. The zero parts are the installation's.
type Template struct {
	ID      string `db:"id"` // UUID
	Name    string `db:"name"`
	Subject string `db:"subject"`
	HTML    string `db:"html"`
	Plain   string `db:"plain"`
	Changed int64  `db:"changed"` // ms since 1970 UTC
}

var (
	list   = dbx.Q[Template]("template.list", `SELECT id, name, subject, html, plain, changed FROM mail_template WHERE tenant = ? AND org = ? ORDER BY name_key, id`)
	find   = dbx.Q[Template]("template.find", `SELECT id, name, subject, html, plain, changed FROM mail_template WHERE tenant = ? AND org = ? AND id = ? FOR UPDATE`)
	whole  = dbx.Q[Template]("template.whole", `SELECT id, name, subject, html, plain, changed FROM mail_template WHERE tenant = ? AND org = ? AND id = ?`)
	count  = dbx.Q[int64]("template.count", `SELECT count(*) FROM mail_template WHERE tenant = ? AND org = ?`)
	insert = dbx.E("template.insert", `INSERT INTO mail_template (tenant, org, id, name, name_key, subject, html, plain, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, org, name_key) DO NOTHING`)
	store     = dbx.E("template.store", `UPDATE mail_template SET name = ?, name_key = ?, subject = ?, html = ?, plain = ?, changed = ? WHERE tenant = ? AND org = ? AND id = ?`)
	remove    = dbx.E("template.delete", `DELETE FROM mail_template WHERE tenant = ? AND org = ? AND id = ?`)
	dropTexts = dbx.E("template.dropTexts", `DELETE FROM mail_template WHERE tenant = ? AND org = ?`)
)

// Templates are those of the call's tenant. Its field is set before use.
type Templates struct{ Catalog *message.Catalog }

// check looks at a template but for its words.
func (x *Template) check() error {
	x.Name = strings.TrimSpace(x.Name)
	if x.Name == "" || utf8.RuneCountInString(x.Name) > maxName || !utf8.ValidString(x.Name) || strings.ContainsFunc(x.Name, unicode.IsControl) {
		return ErrName.At("name")
	}
	if strings.TrimSpace(x.HTML) == "" {
		return fault.Missing("html")
	}
	return nil
}

// fine says whether a template may be stored whose words were read.
func (x *Template) fine(done Checked) error {
	if err := x.check(); err != nil {
		return err
	}
	return done.has(message.TestMail, x.over())
}

// over gives what goes out in a template's own words.
func (x Template) over() message.Override {
	return message.Override{Subject: x.Subject, HTML: x.HTML, Text: x.Plain}
}

// parts are the fields of what an Override's parts are called outside.
var parts = map[string]string{"Subject": "subject", "HTML": "html", "Text": "text"}

// words checks a text for a kind of mail. It reads the text as a template, which takes longer than a transaction that writes may be held.
func (t *Templates) words(k message.Kind, o message.Override) error {
	o.Kind, o.Lang = k, "en"
	for part, text := range map[string]string{"subject": o.Subject, "html": o.HTML, "text": o.Text} {
		most := maxText
		if part == "subject" {
			most = maxSubject
		}
		if len(text) > most || !utf8.ValidString(text) {
			return ErrLong.At(part).Say("Parameter %s may have %d bytes of UTF-8.", part, most)
		}
	}
	err := message.Tame(o)
	if err == nil {
		err = t.Catalog.Check(o)
	}
	if f := fault.Of(err); f != nil && parts[f.Field] != "" {
		return f.At(parts[f.Field])
	}
	return err
}

// List gives an organization's templates by name.
func List(ctx context.Context, c *call.Call, org string) ([]Template, error) {
	return list.All(ctx, c.Tx, c.Tenant.ID, org)
}

// locked finds a template, and keeps others from changing it or choosing it meanwhile; ErrNotFound.
func locked(ctx context.Context, c *call.Call, org, id string) (Template, error) {
	x, err := find.One(ctx, c.Tx, c.Tenant.ID, org, id)
	return x, but(err)
}

// Prepare reads a template outside transactions; id is that of the one that it replaces, or empty. What it must show depends on the mails that it
// is used for. Faults: ErrName, ErrLong, ErrNotFound, message.ErrOverride.
func (t *Templates) Prepare(ctx context.Context, c *call.Call, org, id string, x Template) (Checked, error) {
	var using []Words
	if id != "" {
		if err := c.Snapshot(ctx, func() (err error) {
			if _, err = whole.One(ctx, c.Tx, c.Tenant.ID, org, id); err == nil {
				using, err = uses.All(ctx, c.Tx, c.Tenant.ID, org, id)
			}
			return err
		}); err != nil {
			return nil, but(err)
		}
	}
	err, out := x.check(), Checked{}
	if err == nil {
		err = t.read(out, message.TestMail, x.over())
	}
	x.ID = id
	for i := 0; err == nil && i < len(using); i++ {
		err = t.fits(out, using[i].Mail, using[i].over(x))
	}
	return out, err
}

// but tells of a template that there is not.
func but(err error) error {
	if errors.Is(err, dbx.ErrNoRow) {
		return ErrNotFound
	}
	return err
}

// Create makes a template that was read. Faults: ErrName, ErrTaken, ErrMany.
func (t *Templates) Create(ctx context.Context, c *call.Call, org string, x Template, done Checked) (Template, error) {
	if err := x.fine(done); err != nil {
		return Template{}, err
	}
	have, err := count.One(ctx, c.Tx, c.Tenant.ID, org)
	if err == nil && have >= maxTemplates {
		err = ErrMany
	}
	if err != nil {
		return Template{}, err
	}
	x.ID, x.Changed = c.NewID(), c.Now.UnixMilli()
	n, err := insert.Do(ctx, c.Tx, c.Tenant.ID, org, x.ID, x.Name, fold.Key(x.Name), x.Subject, x.HTML, x.Plain, x.Changed)
	if err == nil && n == 0 {
		err = ErrTaken.At("name")
	}
	noted(c, x.ID, Template{}, x)
	return x, err
}

// Change replaces a template whole by one that was read. Mails that use it go out in its new words. Faults: those of Create, ErrNotFound, and
// ErrChanged where another mail has come to use it.
func (t *Templates) Change(ctx context.Context, c *call.Call, org, id string, x Template, done Checked) (Template, error) {
	was, err := locked(ctx, c, org, id)
	if err != nil {
		return Template{}, err
	}
	noted(c, id, was, x)
	if err := x.fine(done); err != nil {
		return Template{}, err
	}
	x.ID, x.Changed = id, c.Now.UnixMilli()
	using, err := uses.All(ctx, c.Tx, c.Tenant.ID, org, id)
	for _, u := range using {
		if err == nil {
			err = done.fits(u.Mail, u.over(x))
		}
	}
	if err != nil {
		return Template{}, err
	}
	_, err = store.Do(ctx, c.Tx, x.Name, fold.Key(x.Name), x.Subject, x.HTML, x.Plain, x.Changed, c.Tenant.ID, org, id)
	if errors.Is(err, dbx.ErrExists) {
		err = ErrTaken.At("name")
	}
	return x, err
}

// Delete removes a template that no mail uses. Faults: ErrNotFound, ErrUsed.
func (t *Templates) Delete(ctx context.Context, c *call.Call, org, id string) error {
	was, err := locked(ctx, c, org, id)
	if err != nil {
		return err
	}
	noted(c, id, was, Template{Name: was.Name})
	using, err := uses.All(ctx, c.Tx, c.Tenant.ID, org, id)
	if err == nil && len(using) > 0 {
		err = ErrUsed
	}
	if err != nil {
		return err
	}
	_, err = remove.Do(ctx, c.Tx, c.Tenant.ID, org, id)
	return err
}

// Gone forgets the words of an organization that is being deleted.
func Gone(ctx context.Context, c *call.Call, org string) error {
	_, err := dropTexts.Do(ctx, c.Tx, c.Tenant.ID, org)
	_, bad := dropMails.Do(ctx, c.Tx, c.Tenant.ID, org)
	return errors.Join(err, bad)
}

func noted(c *call.Call, id string, was, now Template) {
	e := c.Event
	if e == nil {
		return
	}
	e.Target, e.Kind, e.Name = id, "MailTemplate", now.Name
	call.Changed(e, "Name", was.Name, now.Name)
	call.Changed(e, "Subject", was.Subject, now.Subject)
	call.Changed(e, "HtmlSHA256", digest(was.HTML), digest(now.HTML))
	call.Changed(e, "TextSHA256", digest(was.Plain), digest(now.Plain))
}

// digest stands for a long text in an event.
func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
