package tenant

import (
	"context"
	"strconv"
	"strings"

	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// SMTP are mail server settings as they are shown.
type SMTP struct {
	Enabled           bool   `json:"Enabled"` // the tenant's mail goes through this server instead of the installation's
	Host              string `json:"Host"`    // empty when none is set
	Port              int    `json:"Port"`
	UseTLS            bool   `json:"UseTls"` // STARTTLS, or from the first byte on port 465
	UseAuthentication bool   `json:"UseAuthentication"`
	UserName          string `json:"UserName"`
	HasPassword       bool   `json:"HasPassword"` // one is saved; the password itself is never shown
	FromAddress       string `json:"FromAddress"`
	FromDisplayName   string `json:"FromDisplayName"`
}

// GetSmtpConfig returns the mail server settings without the password; the defaults when nothing is set.
// tenant.yaml n 399.
func (t Tenant) GetSmtpConfig(ctx context.Context, c *op.Call, _ op.None) (SMTP, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return SMTP{}, err
	}
	s := v.SMTP
	return SMTP{
		Enabled: s.Enabled, Host: s.Host, Port: s.Port, UseTLS: s.UseTLS, UseAuthentication: s.Authenticate, UserName: s.User,
		HasPassword: s.Password != "", FromAddress: s.From, FromDisplayName: s.FromDisplayName,
	}, nil
}

// NewSMTP are mail server settings to be set or tried. What is absent stays as it is.
type NewSMTP struct {
	// Enabled sends the tenant's mail through this server instead of the installation's.
	Enabled op.Opt[bool] `json:"Enabled"`
	// Host is the server's name or address, without a port.
	Host op.Opt[string] `json:"Host"`
	// Port is the server's port, 587 unless set.
	Port op.Opt[int] `json:"Port"`
	// UseTLS demands an encrypted connection, as is the default: STARTTLS, or from the first byte on port 465.
	UseTLS op.Opt[bool] `json:"UseTls"`
	// UseAuthentication signs in at the server; without an encrypted connection that is refused.
	UseAuthentication op.Opt[bool] `json:"UseAuthentication"`
	// UserName is the name to sign in with.
	UserName op.Opt[string] `json:"UserName"`
	// Password is never shown; empty keeps the saved one.
	Password string `json:"Password"`
	// FromAddress is the address that mail is sent from.
	FromAddress op.Opt[string] `json:"FromAddress"`
	// FromDisplayName is the name shown before that address.
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
	if n.Password != "" && n.Password != setting.Mask {
		out = append(out, setting.Set(setting.SMTPPassword, n.Password))
	}
	out = addText(out, "Smtp.FromAddress", n.FromAddress)
	return addText(out, "Smtp.FromDisplayName", n.FromDisplayName)
}

func (t Tenant) sealSMTP(ctx context.Context, c *op.Call, in NewSMTP) (setting.Ready, error) {
	return t.Settings.Prepare(ctx, c, in.pairs()...)
}

// SetSmtpConfig sets the tenant's own mail server.
//
// A server that is enabled needs a host and a sender's address. An empty password keeps the saved one, as long as the
// host stays the same. Errors: setting.value, tenant.no_secret. tenant.yaml n 408.
func (t Tenant) SetSmtpConfig(ctx context.Context, c *op.Call, in NewSMTP, ready setting.Ready) (op.None, error) {
	return op.None{}, t.write(ctx, c, in.pairs(), ready)
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

// TestSmtpConfig sends a test mail with the settings that are sent; what is absent is as saved.
//
// Nothing is saved. An empty password means the saved one, and then only for the saved host. The connection is real, and
// servers in private networks are refused unless the installation allows them. Errors: tenant.trial with the server's
// reply, tenant.no_secret, tenant.no_address, setting.value. tenant.yaml n 411.
func (t Tenant) TestSmtpConfig(ctx context.Context, c *op.Call, in SMTPTrial) (bool, error) {
	s, secret, err := t.mailTrial(ctx, c, in.NewSMTP)
	if err != nil {
		return false, err
	}
	to := in.TestRecipient
	if to == "" {
		if to, err = own(ctx, c, func(u user.User) string { return u.Mail }); err != nil {
			return false, err
		}
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = s.Host, "SmtpServer", s.Host
	err = tried(t.TryMail(ctx, c, s, secret, to))
	return err == nil, err
}

// mailTrial gives the settings to be tried, and the password in the clear.
func (t Tenant) mailTrial(ctx context.Context, c *op.Call, in NewSMTP) (setting.SMTP, string, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return setting.SMTP{}, "", err
	}
	wanted, err := setting.Overlay(v, in.pairs()...)
	if err != nil {
		return setting.SMTP{}, "", err
	}
	s, secret := wanted.SMTP, in.Password
	if s.Host == "" {
		return s, "", fault.Missing("Host")
	}
	if s.Authenticate && (secret == "" || secret == setting.Mask) {
		secret, err = t.saved(ctx, c, setting.SMTPPassword, v.SMTP.Password, strings.EqualFold(s.Host, v.SMTP.Host))
	}
	return s, secret, err
}

// saved opens the saved secret for the server that it was saved for.
func (t Tenant) saved(ctx context.Context, c *op.Call, name string, secret setting.Sealed, same bool) (string, error) {
	if !same || secret == "" {
		return "", ErrNoSecret.At(name)
	}
	return t.Settings.Open(ctx, c.Tenant.ID, name, secret)
}

// tried is the outcome of a test: what the other side said is the answer, however it came about.
func tried(err error) error {
	f := fault.Of(err)
	if f == nil || f.Kind == fault.Internal {
		return err
	}
	return ErrTrial.Because(err).Say("%s", f.Public)
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
	Enabled             bool   `json:"Enabled"` // the tenant's text messages go through this account
	AccountSid          string `json:"AccountSid"`
	HasAuthToken        bool   `json:"HasAuthToken"` // one is saved; the token itself is never shown
	FromNumber          string `json:"FromNumber"`
	MessagingServiceSid string `json:"MessagingServiceSid"`
	UseForSms           bool   `json:"UseForSms"`
	UseForVoice         bool   `json:"UseForVoice"` // people are called as a factor of their sign-in
}

// GetTwilioConfig returns the text message gateway's settings, without the token. tenant.yaml n 401.
func (t Tenant) GetTwilioConfig(ctx context.Context, c *op.Call, _ op.None) (Twilio, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return Twilio{}, err
	}
	w := v.Twilio
	return Twilio{
		Enabled: w.Enabled, AccountSid: w.AccountSID, HasAuthToken: w.AuthToken != "", FromNumber: w.From,
		MessagingServiceSid: w.Service, UseForSms: w.SMS, UseForVoice: w.Voice,
	}, nil
}

// NewTwilio are gateway settings to be set or tried. What is absent stays as it is.
type NewTwilio struct {
	// Enabled sends the tenant's text messages through this account.
	Enabled op.Opt[bool] `json:"Enabled"`
	// AccountSid is AC and 32 hexadecimal digits.
	AccountSid op.Opt[string] `json:"AccountSid"`
	// AuthToken is never shown; empty keeps the saved one.
	AuthToken string `json:"AuthToken"`
	// FromNumber is the number that messages come from, in E.164 form.
	FromNumber op.Opt[string] `json:"FromNumber"`
	// MessagingServiceSid is MG and 32 hexadecimal digits; the service picks the number.
	MessagingServiceSid op.Opt[string] `json:"MessagingServiceSid"`
	// UseForSms sends text messages, as is the default.
	UseForSms op.Opt[bool] `json:"UseForSms"`
	// UseForVoice has people called as a factor of their sign-in (mechanism PF); it needs FromNumber.
	UseForVoice op.Opt[bool] `json:"UseForVoice"`
}

func (n NewTwilio) pairs() []setting.Pair {
	out := addBool(nil, "Twilio.Enabled", n.Enabled)
	out = addText(out, "Twilio.AccountSid", n.AccountSid)
	if n.AuthToken != "" && n.AuthToken != setting.Mask {
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

// SetTwilioConfig sets the account through which the tenant's text messages go, and its calls.
//
// An account that is enabled needs its id, its token, and a number or a messaging service. An empty token keeps the saved
// one. Calls need a number. Error: setting.value. tenant.yaml n 410.
func (t Tenant) SetTwilioConfig(ctx context.Context, c *op.Call, in NewTwilio, ready setting.Ready) (op.None, error) {
	return op.None{}, t.write(ctx, c, in.pairs(), ready)
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

// TestTwilioConfig sends a test message with the settings that are sent; what is absent is as saved. With UseForVoice it makes a call
// instead.
//
// Nothing is saved. An empty token means the saved one, and then only for the saved account. The message, or the call, is real and
// charged for. Errors: tenant.trial with the gateway's code and words, tenant.no_secret, setting.value.
// tenant.yaml n 412.
func (t Tenant) TestTwilioConfig(ctx context.Context, c *op.Call, in TwilioTrial) (bool, error) {
	w, secret, err := t.smsTrial(ctx, c, in.NewTwilio)
	if err != nil {
		return false, err
	}
	c.Event.Target, c.Event.Kind, c.Event.Name = w.AccountSID, "TwilioAccount", w.AccountSID
	try := t.TrySMS
	if in.UseForVoice.Or(false) {
		try = t.TryCall
		c.Event.Set("Call", true)
	}
	err = tried(try(ctx, c, w, secret, in.TestNumber))
	return err == nil, err
}

// smsTrial gives the settings to be tried, and the token in the clear.
func (t Tenant) smsTrial(ctx context.Context, c *op.Call, in NewTwilio) (setting.Twilio, string, error) {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return setting.Twilio{}, "", err
	}
	wanted, err := setting.Overlay(v, in.pairs()...)
	if err != nil {
		return setting.Twilio{}, "", err
	}
	w, secret := wanted.Twilio, in.AuthToken
	if w.AccountSID == "" {
		return w, "", fault.Missing("AccountSid")
	}
	if secret == "" || secret == setting.Mask {
		secret, err = t.saved(ctx, c, setting.TwilioToken, v.Twilio.AuthToken, w.AccountSID == v.Twilio.AccountSID)
	}
	return w, secret, err
}
