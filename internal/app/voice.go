package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/outbox"
	"limen/internal/core/post"
	"limen/internal/core/setting"
	"limen/internal/fault"
	"limen/internal/platform/sms"
	"limen/internal/surface/dev"
	"limen/internal/wire/twilio"
)

// canCall says whether the tenant's account makes calls.
func (a *App) canCall(ctx context.Context, c *call.Call) (bool, error) {
	v, err := a.Values.Get(ctx, c)
	return v.Twilio.Enabled && v.Twilio.Voice, err
}

// callCode has a person called. The call's own code goes with the address, which only the telephone service gets.
func (a *App) callCode(ctx context.Context, c *call.Call, to factor.Person, what factor.Sending) error {
	return a.Post.Call(ctx, c, "call/"+c.NewID(), readerOf(to), what.Link+"."+what.Code+"&round=0", c.Now.Add(what.Life))
}

func (a *App) trayCall(_ context.Context, d outbox.Delivery) error {
	var r post.Ring
	if err := d.Into(&r); err != nil {
		return outbox.Permanent(err)
	}
	a.Tray.Put(dev.Message{At: time.Now(), Channel: "call", Tenant: d.Tenant, To: r.To, Text: r.URL})
	return nil
}

// placeCall has somebody called by the tenant's account.
func (a *App) placeCall(ctx context.Context, d outbox.Delivery) error {
	var r post.Ring
	if err := d.Into(&r); err != nil {
		return outbox.Permanent(err)
	}
	t, err := a.telephone(ctx, d.Tenant, r.To, func(t setting.Twilio) bool { return t.Voice }, errNoCalls)
	if err != nil {
		return err
	}
	_, err = t.Call(ctx, t.account, sms.Call{To: t.number, URL: r.URL})
	return telephoned(err)
}

var errNoCalls = fault.New(fault.Unavailable, "sms.no_calls", "No account makes calls.")

// tryCall makes a test call by an account that need not be saved.
func (a *App) tryCall(ctx context.Context, c *call.Call, t setting.Twilio, token, to string) error {
	style, err := a.Post.Style(ctx, c)
	if err != nil {
		return err
	}
	say, err := twilio.Response(twilio.Say{Text: style.Tenant + ": this is a test call, made by " + c.Caller.Name + "."})
	if err != nil {
		return err
	}
	gateway := *a.Gateway
	gateway.Base = t.BaseURL
	_, err = gateway.Call(ctx, sms.Account{SID: t.AccountSID, Token: token, From: t.From}, sms.Call{To: to, Script: string(say)})
	return err
}

// calledBy says whether a request of the telephone service is signed by the tenant's account.
func (a *App) calledBy(ctx context.Context, c *call.Call, address string, body []byte, signature string) (bool, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil || !v.Twilio.Enabled || !v.Twilio.Voice || v.Twilio.AuthToken == "" {
		return false, err
	}
	token, err := a.Values.Open(ctx, c.Tenant.ID, setting.TwilioToken, v.Twilio.AuthToken)
	return err == nil && twilio.Valid(token, address, body, signature), err
}
