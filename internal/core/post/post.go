// Package post writes to people: it hands what is to be said to the outbox, in the transaction that gives the reason for
// it, and makes the message of it, in the reader's language, when it is delivered.
package post

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/core/outbox"
	"limen/internal/fault"
)

// Topics of the outbox. The payload is a Letter, and of a call a Ring.
const (
	TopicMail = "mail"
	TopicSMS  = "sms"
	TopicCall = "call"
)

// Faults of writing.
var (
	ErrNoMail   = fault.New(fault.Invalid, "post.no_mail", "The user has no mail address.")
	ErrNoMobile = fault.New(fault.Invalid, "post.no_mobile", "The user has no mobile number.")
)

// Letter is something to be said to somebody, before it has words.
type Letter struct {
	To      string       `json:"to"`      // mail address, or mobile number as the person's record has it
	Culture string       `json:"culture"` // BCP 47 tag; empty: the tenant's
	Kind    message.Kind `json:"kind"`
	Data    message.Data `json:"data"`
	Org     string       `json:"org,omitempty"` // organization in whose words it is said, where it has some; empty: the installation's
}

// Reader is whom a message is for.
type Reader struct {
	Mail    string
	Mobile  string
	Culture string // BCP 47 tag; empty: the tenant's
	Name    string // display name
	Account string // login name
	Org     string // organization in whose words they are written to: the one that they belong to, or that writes; empty: none
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
	// Style reads the tenant's style.
	Style func(ctx context.Context, c *call.Call) (Style, error)
	// Own gives an organization's own words for a kind of message; false where it has none. It is asked when a message is delivered, outside
	// transactions. Nil: organizations have none.
	Own func(ctx context.Context, c *call.Call, org string, k message.Kind) (message.Override, bool, error)
}

// Mail sends a message of kind k. key names the occasion, such as "invite/" and an id: the same key is one mail.
// Product, tenant, support, name and account are filled in. It is of no use after expires, when that is not zero.
func (p *Post) Mail(ctx context.Context, c *call.Call, key string, to Reader, k message.Kind, d message.Data, expires time.Time) error {
	if to.Mail == "" {
		return ErrNoMail
	}
	return p.put(ctx, c, TopicMail, key, to.Mail, to, k, d, expires)
}

// SMS sends a text message of kind k, as Mail does.
func (p *Post) SMS(ctx context.Context, c *call.Call, key string, to Reader, k message.Kind, d message.Data, expires time.Time) error {
	if to.Mobile == "" {
		return ErrNoMobile
	}
	return p.put(ctx, c, TopicSMS, key, to.Mobile, to, k, d, expires)
}

// Ring is a telephone call.
type Ring struct {
	To  string `json:"to"`  // mobile number as the person's record has it
	URL string `json:"url"` // where the telephone service asks what to say
}

// Call has somebody called, about what an address tells. key and expires are as with Mail.
func (p *Post) Call(ctx context.Context, c *call.Call, key string, to Reader, address string, expires time.Time) error {
	if to.Mobile == "" {
		return ErrNoMobile
	}
	return p.Outbox.Put(ctx, c, outbox.Delivery{Topic: TopicCall, Key: key, Expires: expires, Payload: Ring{To: to.Mobile, URL: address}})
}

func (p *Post) put(ctx context.Context, c *call.Call, topic, key, address string, to Reader, k message.Kind, d message.Data, expires time.Time) error {
	d.Name, d.Account = to.Name, to.Account
	if d.At.IsZero() {
		d.At = c.Now
	}
	return p.Outbox.Put(ctx, c, outbox.Delivery{
		Topic: topic, Key: key, Expires: expires, Payload: Letter{To: address, Culture: to.Culture, Kind: k, Data: d, Org: to.Org},
	})
}

// Words makes the message of a letter, as the call's tenant writes it. It is slow enough not to belong into a transaction.
func (p *Post) Words(ctx context.Context, c *call.Call, l Letter) (message.Rendered, error) {
	s, err := p.Style(ctx, c)
	if err != nil {
		return message.Rendered{}, err
	}
	l.Data.Product, l.Data.Tenant, l.Data.Support = s.Product, s.Tenant, s.Support
	var want []string
	for _, culture := range []string{l.Culture, s.Culture} {
		if culture != "" {
			want = append(want, culture)
		}
	}
	own, err := p.own(ctx, c, l, p.Catalog.Match(want...))
	if err != nil {
		return message.Rendered{}, err
	}
	return p.Catalog.Render(l.Kind, want, l.Data, append(own, s.Overrides...))
}

// own are the words of a letter's organization. They are for readers of every language.
func (p *Post) own(ctx context.Context, c *call.Call, l Letter, lang string) ([]message.Override, error) {
	if p.Own == nil || l.Org == "" {
		return nil, nil
	}
	o, ok, err := p.Own(ctx, c, l.Org, l.Kind)
	if err != nil || !ok {
		return nil, err
	}
	o.Lang = lang
	return []message.Override{o}, nil
}
