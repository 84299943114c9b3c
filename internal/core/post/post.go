// Package post writes to people: it renders a message in the reader's language and hands it to the outbox, in the
// transaction that gives the reason for it.
package post

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/core/outbox"
	"limen/internal/fault"
)

// Topics of the outbox.
const (
	TopicMail = "mail" // payload Mail
	TopicSMS  = "sms"  // payload SMS
)

// Faults of writing.
var (
	ErrNoMail   = fault.New(fault.Invalid, "post.no_mail", "The user has no mail address.")
	ErrNoMobile = fault.New(fault.Invalid, "post.no_mobile", "The user has no mobile number.")
)

// Mail is a mail on its way.
type Mail struct {
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html,omitempty"`
}

// SMS is a text message on its way.
type SMS struct {
	To   string `json:"to"` // as the person's record has it; the gateway's sender makes E.164 of it
	Text string `json:"text"`
}

// Reader is whom a message is for.
type Reader struct {
	Mail    string
	Mobile  string
	Culture string // BCP 47 tag; empty: the tenant's
	Name    string // display name
	Account string // login name
}

// Style is what every message of a tenant shows.
type Style struct {
	Product   string // the program's name
	Tenant    string // the organization's display name
	Support   string // where to get help
	Culture   string // language of readers who chose none
	Overrides []message.Override
}

// Post writes. Its fields are set once.
type Post struct {
	Catalog *message.Catalog
	Outbox  *outbox.Outbox
	// Style reads the tenant's style, in c.Tx.
	Style func(ctx context.Context, c *call.Call) (Style, error)
}

// Mail sends a message of kind k. key names the occasion, such as "invite/" and an id: the same key is one mail.
// Product, tenant, support, name and account are filled in. It is of no use after expires, when that is not zero.
func (p *Post) Mail(ctx context.Context, c *call.Call, key string, to Reader, k message.Kind, d message.Data, expires time.Time) error {
	if to.Mail == "" {
		return ErrNoMail
	}
	r, err := p.render(ctx, c, to, k, d)
	if err != nil {
		return err
	}
	return p.Outbox.Put(ctx, c, outbox.Delivery{
		Topic: TopicMail, Key: key, Expires: expires,
		Payload: Mail{To: to.Mail, Subject: r.Subject, Text: r.Text, HTML: r.HTML},
	})
}

// SMS sends a text message of kind k, as Mail does.
func (p *Post) SMS(ctx context.Context, c *call.Call, key string, to Reader, k message.Kind, d message.Data, expires time.Time) error {
	if to.Mobile == "" {
		return ErrNoMobile
	}
	r, err := p.render(ctx, c, to, k, d)
	if err != nil {
		return err
	}
	return p.Outbox.Put(ctx, c, outbox.Delivery{
		Topic: TopicSMS, Key: key, Expires: expires, Payload: SMS{To: to.Mobile, Text: r.SMS},
	})
}

func (p *Post) render(ctx context.Context, c *call.Call, to Reader, k message.Kind, d message.Data) (message.Rendered, error) {
	s, err := p.Style(ctx, c)
	if err != nil {
		return message.Rendered{}, err
	}
	d.Product, d.Tenant, d.Support = s.Product, s.Tenant, s.Support
	d.Name, d.Account = to.Name, to.Account
	if d.At.IsZero() {
		d.At = c.Now
	}
	var want []string
	for _, culture := range []string{to.Culture, s.Culture} {
		if culture != "" {
			want = append(want, culture)
		}
	}
	return p.Catalog.Render(k, want, d, s.Overrides)
}
