package tenant_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/setting"
	"limen/internal/op"
	"limen/internal/surface/identity/tenant"
)

// The saved password goes to the saved server and to no other.
func TestSavedSecretsStayWithTheirServer(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		ctx := t.Context()
		var sent []string
		surface := tenant.Tenant{
			Tenants: s.App.Tenants, Settings: s.App.Values,
			TryMail: func(_ context.Context, _ *call.Call, m setting.SMTP, password, to string) error {
				sent = append(sent, m.Host+" "+m.User+" "+password+" "+to)
				return nil
			},
			TrySMS: func(_ context.Context, _ *call.Call, w setting.Twilio, token, to string) error {
				sent = append(sent, w.From+" "+token+" "+to)
				return nil
			},
		}
		const sid = "AC0123456789abcdef0123456789abcdef"
		ready, err := s.App.Values.Prepare(ctx, s.App.Shell(site.ID),
			setting.Set("Smtp.Host", "mail.example.com"), setting.Set("Smtp.UserName", "u"), setting.Set(setting.SMTPPassword, "hush"), setting.Set("Smtp.UseAuthentication", "true"),
			setting.Set("Twilio.AccountSid", sid), setting.Set(setting.TwilioToken, "quiet"), setting.Set("Twilio.FromNumber", "+12065550100"))
		if err != nil {
			t.Fatal(err)
		}
		site.Do(t, "Cloud.Core.SettingChange", func(ctx context.Context, c *call.Call) error { return s.App.Values.Write(ctx, c, ready) })
		run := func(want error, f func(c *call.Call) (bool, error)) {
			t.Helper()
			c := s.App.Shell(site.ID)
			c.Event = &call.Event{}
			if ok, err := f(c); ok != (want == nil) || want == nil && err != nil || want != nil && !errors.Is(err, want) {
				t.Error(ok, err)
			}
		}
		mail := func(change func(*tenant.SMTPTrial)) func(c *call.Call) (bool, error) {
			in := tenant.SMTPTrial{TestRecipient: "a@example.com"}
			change(&in)
			return func(c *call.Call) (bool, error) { return surface.TestSmtpConfig(ctx, c, in) }
		}
		run(nil, mail(func(*tenant.SMTPTrial) {}))
		run(tenant.ErrNoSecret, mail(func(in *tenant.SMTPTrial) { in.Host = op.Some("evil.example.net") }))
		run(nil, mail(func(in *tenant.SMTPTrial) { in.Host, in.Password = op.Some("MAIL.example.com"), setting.Mask }))
		run(nil, mail(func(in *tenant.SMTPTrial) { in.Host, in.Password = op.Some("other.example.net"), "other" }))
		sms := func(in tenant.TwilioTrial) func(c *call.Call) (bool, error) {
			in.TestNumber = "+12065550101"
			return func(c *call.Call) (bool, error) { return surface.TestTwilioConfig(ctx, c, in) }
		}
		run(nil, sms(tenant.TwilioTrial{}))
		run(tenant.ErrNoSecret, sms(tenant.TwilioTrial{NewTwilio: tenant.NewTwilio{AccountSid: op.Some("AC" + sid[4:] + "00")}}))
		want := []string{"mail.example.com u hush a@example.com", "MAIL.example.com u hush a@example.com", "other.example.net u other a@example.com", "+12065550100 quiet +12065550101"}
		if !slices.Equal(sent, want) {
			t.Errorf("%q", sent)
		}
	})
}
