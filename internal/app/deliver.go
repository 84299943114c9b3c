package app

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/core/outbox"
	"limen/internal/core/post"
	"limen/internal/core/setting"
	"limen/internal/core/template"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/platform/egress"
	"limen/internal/platform/mail"
	"limen/internal/platform/sms"
	"limen/internal/surface/dev"
)

// wireDelivery says how what the outbox holds leaves the program: over the tenant's mail server and text message
// gateway, or onto the tray of --dev.
func (a *App) wireDelivery() {
	a.Outbox.Handle(topicPush, a.sendPush)
	if a.Tray != nil {
		a.Outbox.Handle(post.TopicMail, a.trayMail)
		a.Outbox.Handle(post.TopicSMS, a.traySMS)
		a.Outbox.Handle(post.TopicCall, a.trayCall)
		return
	}
	a.Outbox.Handle(post.TopicMail, a.sendMail)
	a.Outbox.Handle(post.TopicSMS, a.sendSMS)
	a.Outbox.Handle(post.TopicCall, a.placeCall)
}

// words opens a letter and makes the message of it. What cannot be read or worded now never can.
func (a *App) words(ctx context.Context, d outbox.Delivery) (l post.Letter, r message.Rendered, err error) {
	if err = d.Into(&l); err != nil {
		return l, r, outbox.Permanent(err)
	}
	r, err = a.Post.Words(ctx, &call.Call{Tenant: call.Tenant{ID: d.Tenant}}, l)
	if errors.Is(err, message.ErrKind) || errors.Is(err, message.ErrData) {
		err = outbox.Permanent(err)
	}
	return l, r, err
}

func (a *App) trayMail(ctx context.Context, d outbox.Delivery) error {
	l, r, err := a.words(ctx, d)
	if err == nil {
		a.Tray.Put(dev.Message{At: time.Now(), Channel: "mail", Tenant: d.Tenant, To: l.To, Subject: r.Subject, Text: r.Text, HTML: r.HTML})
	}
	return err
}

func (a *App) traySMS(ctx context.Context, d outbox.Delivery) error {
	l, r, err := a.words(ctx, d)
	if err == nil {
		a.Tray.Put(dev.Message{At: time.Now(), Channel: "sms", Tenant: d.Tenant, To: l.To, Text: r.SMS})
	}
	return err
}

// sendMail sends over the tenant's own mail server, else over the installation's relay.
func (a *App) sendMail(ctx context.Context, d outbox.Delivery) error {
	l, r, err := a.words(ctx, d)
	if err != nil {
		return err
	}
	to := mail.Message{ID: d.ID, To: l.To, Subject: r.Subject, Text: r.Text, HTML: r.HTML, At: d.Created}
	v, err := a.Values.Get(ctx, &call.Call{Tenant: call.Tenant{ID: d.Tenant}})
	if err != nil {
		return err
	}
	if v.SMTP.Enabled {
		server, err := a.ownServer(ctx, d.Tenant, v.SMTP)
		if err != nil {
			return err
		}
		return mailed(a.Mailer.Send(ctx, server, to))
	}
	if a.Relay == nil {
		return errNoServer
	}
	return mailed(a.Trusted.Send(ctx, *a.Relay, to))
}

var errNoServer = fault.New(fault.Unavailable, "mail.no_server", "No mail server is set: neither the tenant's own, nor the installation's relay.")

func mailed(err error) error {
	if f, ok := errors.AsType[*mail.Failure](err); ok && f.Class == mail.Permanent {
		return outbox.Permanent(err)
	}
	return err
}

// ownServer is the mail server that a tenant has set.
func (a *App) ownServer(ctx context.Context, tenantID string, s setting.SMTP) (mail.Server, error) {
	out := mail.Server{Host: s.Host, Port: s.Port, UseTLS: s.UseTLS, From: s.From, FromName: s.FromDisplayName}
	if !s.Authenticate {
		return out, nil
	}
	password, err := a.Values.Open(ctx, tenantID, setting.SMTPPassword, s.Password)
	out.User, out.Password = s.User, password
	return out, err
}

// sendSMS sends through the tenant's account at the gateway.
func (a *App) sendSMS(ctx context.Context, d outbox.Delivery) error {
	l, r, err := a.words(ctx, d)
	if err != nil {
		return err
	}
	t, err := a.telephone(ctx, d.Tenant, l.To, func(t setting.Twilio) bool { return t.SMS }, errNoGateway)
	if err != nil {
		return err
	}
	_, err = t.Send(ctx, t.account, sms.Message{To: t.number, Body: r.SMS})
	return telephoned(err)
}

// telephone is a tenant's account at the gateway, about to reach a number.
type telephone struct {
	sms.Twilio
	account sms.Account
	number  string // E.164
}

// telephone opens the account where the tenant has it do what is wanted; none is the error where it does not.
func (a *App) telephone(ctx context.Context, tenantID, to string, wanted func(setting.Twilio) bool, none error) (telephone, error) {
	v, err := a.Values.Get(ctx, &call.Call{Tenant: call.Tenant{ID: tenantID}})
	if err != nil {
		return telephone{}, err
	}
	if !v.Twilio.Enabled || !wanted(v.Twilio) {
		return telephone{}, none
	}
	number, err := sms.Normalize(to, v.Country)
	if err != nil {
		return telephone{}, outbox.Permanent(err)
	}
	token, err := a.Values.Open(ctx, tenantID, setting.TwilioToken, v.Twilio.AuthToken)
	out := telephone{*a.Gateway, sms.Account{SID: v.Twilio.AccountSID, Token: token, From: v.Twilio.From, Service: v.Twilio.Service}, number}
	out.Base = v.Twilio.BaseURL
	return out, err
}

// telephoned is an error of the gateway as the outbox takes it.
func telephoned(err error) error {
	if f, ok := errors.AsType[*sms.Failure](err); ok && f.Class == sms.Permanent {
		return outbox.Permanent(err)
	}
	return err
}

var errNoGateway = fault.New(fault.Unavailable, "sms.no_gateway", "No text message gateway is set.")

// wireSenders makes what talks to the outside. Servers that tenants name are dialled only in public networks and in
// those that the settings allow.
func (a *App) wireSenders() error {
	guard := egress.Guard{Permit: a.Settings.Networks()}
	a.Mailer = &mail.Sender{Log: a.Log, Allow: guard.Allow}
	a.Trusted = &mail.Sender{Log: a.Log}
	dialer := &net.Dialer{Timeout: 10 * time.Second, ControlContext: guard.Control}
	a.Gateway = &sms.Twilio{Log: a.Log, HTTP: &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second}}}
	var err error
	a.Relay, err = relay(a.Settings.MailRelay)
	return err
}

// relay reads smtp://USER:PASSWORD@HOST:PORT?from=ADDRESS; smtps is TLS from the first byte.
func relay(text string) (*mail.Server, error) {
	if text == "" {
		return nil, nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	s := &mail.Server{Host: u.Hostname(), Port: 587, UseTLS: true, Implicit: u.Scheme == "smtps", From: u.Query().Get("from")}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil {
			return nil, err
		}
	} else if s.Implicit {
		s.Port = 465
	}
	if u.User != nil {
		s.User = u.User.Username()
		s.Password, _ = u.User.Password()
	}
	if u.Query().Get("tls") == "off" {
		s.UseTLS = false
	}
	if s.From == "" {
		s.From = "limen@" + s.Host
	}
	return s, nil
}

// style is what a tenant's messages show.
func (a *App) style(ctx context.Context, c *call.Call) (post.Style, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return post.Style{}, err
	}
	return post.Style{Product: "Limen", Tenant: cmp.Or(v.Company.Name, "Limen"), Support: v.Company.Support, Culture: v.Language}, nil
}

// ownWords are an organization's own for a kind of message.
func (a *App) ownWords(ctx context.Context, c *call.Call, org string, k message.Kind) (o message.Override, ok bool, err error) {
	if !template.Worded(k) {
		return o, false, nil
	}
	err = a.DB.Read(ctx, func(tx *dbx.Tx) error {
		in := *c
		in.Tx = tx
		o, ok, err = template.Own(ctx, &in, org, k)
		return err
	})
	return o, ok, err
}
