package tenant

import (
	"context"
	"strconv"

	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// SMTP are mail server settings as they are shown.
type SMTP struct {
	Enabled           bool   `json:"Enabled"`
	Host              string `json:"Host"`
	Port              int    `json:"Port"`
	UseTLS            bool   `json:"UseTls"`
	UseAuthentication bool   `json:"UseAuthentication"`
	UserName          string `json:"UserName"`
	HasPassword       bool   `json:"HasPassword"` // the password itself is never shown
	FromAddress       string `json:"FromAddress"`
	FromDisplayName   string `json:"FromDisplayName"`
}

// GetSmtpConfig returns the mail server settings, without the password. tenant.yaml n 399.
func (t Tenant) GetSmtpConfig(ctx context.Context, c *op.Call, _ op.None) (SMTP, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return SMTP{}, err
	}
	s := v.SMTP
	return SMTP{s.Enabled, s.Host, s.Port, s.UseTLS, s.Authenticate, s.User, s.Password != "", s.From, s.FromDisplayName}, nil
}

// NewSMTP are mail server settings to be set or tried. What is absent stays as it is.
type NewSMTP struct {
	// Enabled sends the tenant's mail through this server instead of the installation's.
	Enabled op.Opt[bool]   `json:"Enabled"`
	Host    op.Opt[string] `json:"Host"`
	Port    op.Opt[int]    `json:"Port"`
	// UseTls demands an encrypted connection: STARTTLS, or from the first byte on port 465.
	UseTLS            op.Opt[bool]   `json:"UseTls"`
	UseAuthentication op.Opt[bool]   `json:"UseAuthentication"`
	UserName          op.Opt[string] `json:"UserName"`
	// Password is never shown; empty keeps the saved one.
	Password        string         `json:"Password"`
	FromAddress     op.Opt[string] `json:"FromAddress"`
	FromDisplayName op.Opt[string] `json:"FromDisplayName"`
}

func addText(to []setting.Pair, name string, o op.Opt[string]) []setting.Pair {
	if !o.Given() {
		return to
	}
	return append(to, setting.Set(name, o.Or("")))
}

func addBool(to []setting.Pair, name string, o op.Opt[bool]) []setting.Pair {
	if v, ok := o.Get(); ok {
		return append(to, setting.Set(name, strconv.FormatBool(v)))
	}
	return to
}

func (n NewSMTP) pairs() []setting.Pair {
	out := addBool(nil, "Smtp.Enabled", n.Enabled)
	out = addText(out, "Smtp.Host", n.Host)
	if v, ok := n.Port.Get(); ok {
		out = append(out, setting.Set("Smtp.Port", strconv.Itoa(v)))
	}
	out = addBool(out, "Smtp.UseTls", n.UseTLS)
	out = addBool(out, "Smtp.UseAuthentication", n.UseAuthentication)
	out = addText(out, "Smtp.UserName", n.UserName)
	if n.Password != "" {
		out = append(out, setting.Set(setting.SMTPPassword, n.Password))
	}
	out = addText(out, "Smtp.FromAddress", n.FromAddress)
	return addText(out, "Smtp.FromDisplayName", n.FromDisplayName)
}

func (t Tenant) sealSMTP(ctx context.Context, c *op.Call, in NewSMTP) (setting.Ready, error) {
	return t.Settings.Prepare(ctx, c, in.pairs()...)
}

// SetSmtpConfig sets the tenant's own mail server. A server that is enabled needs a host and a sender's address.
// tenant.yaml n 408.
func (t Tenant) SetSmtpConfig(ctx context.Context, c *op.Call, _ NewSMTP, ready setting.Ready) (op.None, error) {
	return op.None{}, t.Settings.Write(ctx, c, ready)
}

// SMTPTrial are mail server settings to be tried.
type SMTPTrial struct {
	NewSMTP
	// TestRecipient is where the test mail goes; the caller's address when absent.
	TestRecipient string `json:"TestRecipient"`
}

// Check wants an address when one is given.
func (s *SMTPTrial) Check() error {
	if s.TestRecipient == "" {
		return nil
	}
	return user.CheckMail("TestRecipient", s.TestRecipient)
}

// TestSmtpConfig sends a test mail with the settings that are sent, and says what the server replied when it fails.
//
// Nothing is saved. An empty password means the saved one, which is used for the saved host and port only. Servers in
// private networks are refused unless the installation allows them. tenant.yaml n 411.
func (t Tenant) TestSmtpConfig(ctx context.Context, c *op.Call, in SMTPTrial) (bool, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return false, err
	}
	wanted, err := setting.Overlay(v, in.pairs()...)
	if err != nil {
		return false, err
	}
	s := wanted.SMTP
	if s.Host == "" {
		return false, fault.Missing("Host")
	}
	to := in.TestRecipient
	if to == "" {
		if to, err = own(ctx, c, func(u user.User) string { return u.Mail }); err != nil {
			return false, err
		}
	}
	password := in.Password
	if s.Authenticate && password == "" {
		if s.Host != v.SMTP.Host || s.Port != v.SMTP.Port || s.UseTLS != v.SMTP.UseTLS {
			return false, ErrNoSecret.At("Password")
		}
		if password, err = t.Settings.Open(ctx, c.Tenant.ID, setting.SMTPPassword, v.SMTP.Password); err != nil {
			return false, err
		}
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = s.Host, "SmtpServer", s.Host
	err = t.TryMail(ctx, c, s, password, to)
	return err == nil, err
}

// own gives something of the caller's own record.
func own(ctx context.Context, c *op.Call, get func(user.User) string) (out string, err error) {
	err = c.Snapshot(ctx, func() error {
		u, err := user.Find(ctx, c, c.User())
		out = get(u)
		return err
	})
	if err == nil && out == "" {
		err = ErrNoAddress
	}
	return out, err
}

// Twilio are gateway settings as they are shown.
type Twilio struct {
	Enabled             bool   `json:"Enabled"`
	AccountSid          string `json:"AccountSid"`
	HasAuthToken        bool   `json:"HasAuthToken"` // the token itself is never shown
	FromNumber          string `json:"FromNumber"`
	MessagingServiceSid string `json:"MessagingServiceSid"`
	UseForSms           bool   `json:"UseForSms"`
	UseForVoice         bool   `json:"UseForVoice"`
}

// GetTwilioConfig returns the text message gateway's settings, without the token. tenant.yaml n 401.
func (t Tenant) GetTwilioConfig(ctx context.Context, c *op.Call, _ op.None) (Twilio, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return Twilio{}, err
	}
	w := v.Twilio
	return Twilio{w.Enabled, w.AccountSID, w.AuthToken != "", w.From, w.Service, w.SMS, w.Voice}, nil
}

// NewTwilio are gateway settings to be set or tried. What is absent stays as it is.
type NewTwilio struct {
	Enabled op.Opt[bool] `json:"Enabled"`
	// AccountSid is AC and 32 hexadecimal digits.
	AccountSid op.Opt[string] `json:"AccountSid"`
	// AuthToken is never shown; empty keeps the saved one.
	AuthToken string `json:"AuthToken"`
	// FromNumber is in E.164 form.
	FromNumber op.Opt[string] `json:"FromNumber"`
	// MessagingServiceSid is MG and 32 hexadecimal digits; the service picks the number.
	MessagingServiceSid op.Opt[string] `json:"MessagingServiceSid"`
	UseForSms           op.Opt[bool]   `json:"UseForSms"`
	UseForVoice         op.Opt[bool]   `json:"UseForVoice"`
}

func (n NewTwilio) pairs() []setting.Pair {
	out := addBool(nil, "Twilio.Enabled", n.Enabled)
	out = addText(out, "Twilio.AccountSid", n.AccountSid)
	if n.AuthToken != "" {
		out = append(out, setting.Set(setting.TwilioToken, n.AuthToken))
	}
	out = addText(out, "Twilio.FromNumber", n.FromNumber)
	out = addText(out, "Twilio.MessagingServiceSid", n.MessagingServiceSid)
	out = addBool(out, "Twilio.UseForSms", n.UseForSms)
	return addBool(out, "Twilio.UseForVoice", n.UseForVoice)
}

func (t Tenant) sealTwilio(ctx context.Context, c *op.Call, in NewTwilio) (setting.Ready, error) {
	return t.Settings.Prepare(ctx, c, in.pairs()...)
}

// SetTwilioConfig sets the account through which the tenant's text messages go. tenant.yaml n 410.
func (t Tenant) SetTwilioConfig(ctx context.Context, c *op.Call, _ NewTwilio, ready setting.Ready) (op.None, error) {
	return op.None{}, t.Settings.Write(ctx, c, ready)
}

// TwilioTrial are gateway settings to be tried.
type TwilioTrial struct {
	NewTwilio
	// TestNumber is where the test message goes, in E.164 form; required.
	TestNumber string `json:"TestNumber"`
}

// Check wants a number.
func (w *TwilioTrial) Check() error {
	if err := required("TestNumber", w.TestNumber); err != nil {
		return err
	}
	if e164, ok := user.Phone(w.TestNumber, ""); !ok || e164 != w.TestNumber {
		return fault.Bad("TestNumber", "must be a telephone number in E.164 form, as +12065550100")
	}
	return nil
}

// TestTwilioConfig sends a test message with the settings that are sent, and says what the gateway answered when it
// fails. Nothing is saved; an empty token means the saved one, for the saved account only. tenant.yaml n 412.
func (t Tenant) TestTwilioConfig(ctx context.Context, c *op.Call, in TwilioTrial) (bool, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return false, err
	}
	wanted, err := setting.Overlay(v, in.pairs()...)
	if err != nil {
		return false, err
	}
	w := wanted.Twilio
	if w.AccountSID == "" {
		return false, fault.Missing("AccountSid")
	}
	token := in.AuthToken
	if token == "" {
		if w.AccountSID != v.Twilio.AccountSID {
			return false, ErrNoSecret.At("AuthToken")
		}
		if token, err = t.Settings.Open(ctx, c.Tenant.ID, setting.TwilioToken, v.Twilio.AuthToken); err != nil {
			return false, err
		}
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = w.AccountSID, "TwilioAccount", w.AccountSID
	err = t.TrySMS(ctx, c, w, token, in.TestNumber)
	return err == nil, err
}
