package app

import (
	"cmp"
	"context"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/core/setting"
	"limen/internal/platform/mail"
	"limen/internal/platform/sms"
)

// tryMail sends a test mail over settings that need not be saved. What goes wrong is the answer: nothing is tried again.
func (a *App) tryMail(ctx context.Context, c *call.Call, s setting.SMTP, password, to string) error {
	style, err := a.Post.Style(ctx, c)
	if err != nil {
		return err
	}
	m, err := a.Post.Catalog.Render(message.TestMail, []string{style.Culture}, message.Data{
		Product: style.Product, Tenant: style.Tenant, Support: style.Support, By: c.Caller.Name, At: c.Now,
	}, style.Overrides)
	if err != nil {
		return err
	}
	server := mail.Server{Host: s.Host, Port: s.Port, UseTLS: s.UseTLS, From: cmp.Or(s.From, to), FromName: s.FromDisplayName}
	if s.Authenticate {
		server.User, server.Password = s.User, password
	}
	return a.Mailer.Send(ctx, server, mail.Message{ID: c.ID, To: to, Subject: m.Subject, Text: m.Text, HTML: m.HTML, At: c.Now})
}

// trySMS sends a test message through an account that need not be saved.
func (a *App) trySMS(ctx context.Context, c *call.Call, t setting.Twilio, token, to string) error {
	style, err := a.Post.Style(ctx, c)
	if err != nil {
		return err
	}
	gateway := *a.Gateway
	gateway.Base = t.BaseURL
	_, err = gateway.Send(ctx, sms.Account{SID: t.AccountSID, Token: token, From: t.From, Service: t.Service},
		sms.Message{To: to, Body: style.Tenant + ": this is a test message, sent by " + c.Caller.Name + "."})
	return err
}
