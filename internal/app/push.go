package app

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/outbox"
	"limen/internal/dbx"
	"limen/internal/platform/egress"
)

// topicPush is that of messages to authenticators.
const topicPush = "push"

// pushRegain is what a message is about that tells of somebody who wants to regain the account.
const pushRegain = "regain"

// putPush promises a message to an authenticator, in c.Tx.
func (a *App) putPush(ctx context.Context, c *call.Call, p authenticator.Push, until time.Time) error {
	return a.Outbox.Put(ctx, c, outbox.Delivery{Topic: topicPush, Key: "push/" + p.Ask + "/" + p.Device, Expires: until, Payload: p})
}

// sendPush hands a message to the push service that an authenticator's browser named. What is wrong with a subscription cannot be mended by
// sending again; one that the service knows no more is forgotten.
func (a *App) sendPush(ctx context.Context, d outbox.Delivery) error {
	var p authenticator.Push
	if err := d.Into(&p); err != nil {
		return outbox.Permanent(err)
	}
	m, err := a.pushMessage(ctx, d, p)
	if errors.Is(err, authenticator.ErrNowhere) { // revoked meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	header := http.Header{}
	for name, value := range m.Header {
		header.Set(name, value)
	}
	out, err := a.Egress.Do(ctx, egress.Request{Method: http.MethodPost, URL: m.Endpoint, Header: header, Body: m.Body})
	if errors.Is(err, egress.ErrAddress) || errors.Is(err, egress.ErrForbidden) {
		return outbox.Permanent(err)
	}
	switch {
	case err != nil:
		return err
	case out.Status/100 == 2:
		return nil
	case out.Status == http.StatusNotFound || out.Status == http.StatusGone: // RFC 8030 section 7.3
		return a.act(ctx, d.Tenant, audit.FactorChange, func(ctx context.Context, c *call.Call) error {
			c.Event.Target, c.Event.Kind = p.Device, "Authenticator"
			c.Event.Set("Unsubscribed", true)
			return a.Authenticators.Unsubscribe(ctx, c, p.Device)
		})
	case out.Status == http.StatusTooManyRequests || out.Status/100 == 5:
		return fmt.Errorf("push: the service answers %d", out.Status)
	}
	return outbox.Permanent(fmt.Errorf("push: the service answers %d", out.Status))
}

// pushMessage says, in the person's language, that something waits. What waits only the app is told.
func (a *App) pushMessage(ctx context.Context, d outbox.Delivery, p authenticator.Push) (m authenticator.Message, err error) {
	t, err := a.Index.ByID(ctx, d.Tenant)
	if err != nil {
		return m, err
	}
	c := &call.Call{Tenant: t, Now: time.Now(), Rand: rand.Reader}
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return m, err
	}
	say := func(key string) string { return a.Pages.Say([]string{p.Culture, v.Language}, key) }
	title, body := "app.waiting", "app.text"
	if p.About == pushRegain {
		title, body = "app.regain", "app.regain.text"
	}
	text, err := json.Marshal(map[string]string{"title": say(title), "body": say(body)})
	if err != nil {
		return m, err
	}
	err = a.DB.Read(ctx, func(tx *dbx.Tx) error {
		c.Tx = tx
		m, err = a.Authenticators.Message(ctx, c, p.Device, text, "https://"+t.Host, d.Expires)
		return err
	})
	return m, err
}
