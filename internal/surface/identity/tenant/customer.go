package tenant

import (
	"context"
	"encoding/json"
	"reflect"
	"strings"

	"limen/internal/core/picture"
	"limen/internal/core/setting"
	"limen/internal/fault"
	"limen/internal/op"
)

// CustomerConfig is the tenant's settings record. A field that is absent stays as it is; null, and of texts "", puts the default back. Fields
// whose setting begins with "Customer." are kept and act on nothing yet.
type CustomerConfig struct {
	// CompanyName is the name that people are shown: setting Company.Name.
	CompanyName op.Opt[string] `json:"CompanyName" setting:"Company.Name"`
	// CustomerCompany is the customer's name in contracts.
	CustomerCompany op.Opt[string] `json:"CustomerCompany" setting:"Customer.Company"`
	// CompanySupportLink is where people get help, a web or mail address: setting Company.Support.
	CompanySupportLink op.Opt[string] `json:"CompanySupportLink" setting:"Company.Support"`
	// ThemeColor is the color of buttons and links on the sign-in pages, #RRGGBB, with a contrast of 4.5 to white and to the background.
	ThemeColor op.Opt[string] `json:"ThemeColor" setting:"Theme.Color" look:"1"`
	// BackgroundColor is the color behind the sign-in pages, #RRGGBB, with a contrast of 4.5 to dark text.
	BackgroundColor op.Opt[string] `json:"BackgroundColor" setting:"Theme.Background" look:"1"`
	// NavigationColor is the color of the portal's navigation, #RRGGBB.
	NavigationColor op.Opt[string] `json:"NavigationColor" setting:"Customer.NavigationColor" look:"1" form:"color"`
	// Icon is the path of the portal's icon.
	Icon op.Opt[string] `json:"Icon" setting:"Customer.Icon" look:"1"`
	// PortalImage is the path of the portal's logo.
	PortalImage op.Opt[string] `json:"PortalImage" setting:"Customer.PortalImage" look:"1"`
	// GlobalImage is the path of an image for everything.
	GlobalImage op.Opt[string] `json:"GlobalImage" setting:"Customer.GlobalImage" look:"1"`
	// LoginImage is the logo of the sign-in pages. Sent as data:image/png;base64,... (PNG, JPEG, GIF; at most 256 KB and 2000 by 2000
	// pixels) it is stored; its path is what is answered, and taken as well.
	LoginImage op.Opt[string] `json:"LoginImage" setting:"Theme.Logo" look:"1"`
	// LoginBackgroundImage is the path of an image behind the sign-in pages.
	LoginBackgroundImage op.Opt[string] `json:"LoginBackgroundImage" setting:"Customer.LoginBackgroundImage" look:"1"`
	// EmailImage is the path of a logo for mails.
	EmailImage op.Opt[string] `json:"EmailImage" setting:"Customer.EmailImage" look:"1"`
	// WelcomeMessage is a sentence on the first step of a sign-in.
	WelcomeMessage op.Opt[string] `json:"WelcomeMessage" setting:"Theme.Greeting" look:"1"`
	// LoginSampleText says what a user name looks like.
	LoginSampleText op.Opt[string] `json:"LoginSampleText" setting:"Theme.SampleName" look:"1"`
	// DisplayLoginBanner shows LoginBannerMessage.
	DisplayLoginBanner op.Opt[bool] `json:"DisplayLoginBanner" setting:"Theme.ShowBanner" look:"1"`
	// LoginBannerMessage is what people must know before they sign in.
	LoginBannerMessage op.Opt[string] `json:"LoginBannerMessage" setting:"Theme.Banner" look:"1"`
	// LoginBannerMessageL10nEnabled says that the message exists in several languages.
	LoginBannerMessageL10nEnabled op.Opt[bool] `json:"LoginBannerMessageL10nEnabled" setting:"Customer.LoginBannerMessageL10nEnabled" look:"1"`
	// PrivacyPolicyLink is the web address of what is said on privacy.
	PrivacyPolicyLink op.Opt[string] `json:"PrivacyPolicyLink" setting:"Company.Privacy" look:"1"`
	// TermsOfUseLink is the web address of the terms of use.
	TermsOfUseLink op.Opt[string] `json:"TermsOfUseLink" setting:"Company.Terms" look:"1"`
	// AllowCors are the origins whose pages may have the sign-in widget: https://app.example.com, in lower case and without a path; http for
	// this computer alone. Their scripts may call the operations of signing in, and no cookie goes with that.
	AllowCors op.Opt[[]string] `json:"AllowCors" setting:"Customer.AllowCors"`
	// IsOriginValidationEnabled checks origins of changes.
	IsOriginValidationEnabled op.Opt[bool] `json:"IsOriginValidationEnabled" setting:"Customer.IsOriginValidationEnabled"`
	// IsOriginValidationOnGetEnabled checks origins of reads.
	IsOriginValidationOnGetEnabled op.Opt[bool] `json:"IsOriginValidationOnGetEnabled" setting:"Customer.IsOriginValidationOnGetEnabled"`
	// ReCaptchaThreshold is from 0 to 100.
	ReCaptchaThreshold op.Opt[int] `json:"reCaptchaThreshold" setting:"Customer.ReCaptchaThreshold" most:"100"`
	// ForgotUsernameAllowed mails people their user name when they ask: setting ForgotUsername.Allowed.
	ForgotUsernameAllowed op.Opt[bool] `json:"ForgotUsernameAllowed" setting:"ForgotUsername.Allowed"`
	// EnableQRCode lets people sign in by a QR code that their authenticator reads: setting Authentication.QRCode.
	EnableQRCode op.Opt[bool] `json:"EnableQRCode" setting:"Authentication.QRCode"`
	// EnableUmc is a switch of the user portal.
	EnableUmc op.Opt[bool] `json:"EnableUmc" setting:"Customer.EnableUmc"`
	// OtpCodeLength is how many digits codes by mail and text message have, 6 to 10: setting Code.Length.
	OtpCodeLength op.Opt[int] `json:"OtpCodeLength" setting:"Code.Length"`
	// SendPasswordChangeConfirmation tells people that their password was changed.
	SendPasswordChangeConfirmation op.Opt[bool] `json:"SendPasswordChangeConfirmation" setting:"Customer.SendPasswordChangeConfirmation"`
	// IsPasswordPersistanceEnabled keeps directory passwords that are replayed to applications.
	IsPasswordPersistanceEnabled op.Opt[bool] `json:"IsPasswordPersistanceEnabled" setting:"Customer.IsPasswordPersistanceEnabled"`
	// StoreCorporateAppUserCredsInVault keeps passwords of the company's applications in the vault.
	StoreCorporateAppUserCredsInVault op.Opt[bool] `json:"StoreCorporateAppUserCredsInVault" setting:"Customer.StoreCorporateAppUserCredsInVault"`
	// StorePersonalAppUserCredsInVault keeps passwords of people's own applications in the vault.
	StorePersonalAppUserCredsInVault op.Opt[bool] `json:"StorePersonalAppUserCredsInVault" setting:"Customer.StorePersonalAppUserCredsInVault"`
	// ZsoCertLifeTime is for how long certificates for sign-in are good.
	ZsoCertLifeTime op.Opt[int] `json:"ZsoCertLifeTime" setting:"Customer.ZsoCertLifeTime" most:"100000"`
	// ZsoCertRenewalWindow is how long before their end they are renewed.
	ZsoCertRenewalWindow op.Opt[int] `json:"ZsoCertRenewalWindow" setting:"Customer.ZsoCertRenewalWindow" most:"100000"`
	// FastSearchEnabledEntities are the kinds of things that are searched at once.
	FastSearchEnabledEntities op.Opt[[]string] `json:"FastSearchEnabledEntities" setting:"Customer.FastSearchEnabledEntities"`
	// TenantUrlDeprecationEnabled is a switch for old addresses of the tenant.
	TenantUrlDeprecationEnabled op.Opt[bool] `json:"TenantUrlDeprecationEnabled" setting:"Customer.TenantUrlDeprecationEnabled"` //nolint:revive // the contract's spelling
}

// Check wants something, and forms where no setting checks them.
func (k *CustomerConfig) Check() error {
	given := false
	err := k.each(func(f reflect.StructField, v customerField) error {
		given = given || v.Given()
		return checkForm(f, v)
	})
	if err == nil && !given {
		return fault.ErrNoArgs
	}
	return err
}

// customerField is any op.Opt.
type customerField interface {
	Given() bool
	Null() bool
	MarshalJSON() ([]byte, error)
}

// each calls f with every field.
func (k *CustomerConfig) each(f func(reflect.StructField, customerField) error) error {
	v := reflect.ValueOf(k).Elem()
	for i := range v.NumField() {
		if err := f(v.Type().Field(i), v.Field(i).Interface().(customerField)); err != nil {
			return err
		}
	}
	return nil
}

// pairs are the settings behind the fields that were sent.
func (k *CustomerConfig) pairs() (out []setting.Pair) {
	_ = k.each(func(f reflect.StructField, v customerField) error {
		name := f.Tag.Get("setting")
		switch {
		case v.Null():
			out = append(out, setting.Unset(name))
		case v.Given():
			out = append(out, setting.Set(name, customerText(v)))
		}
		return nil
	})
	return out
}

// customerText is a field as settings keep it: a text as it is, everything else as JSON.
func customerText(v customerField) string {
	if s, ok := v.(op.Opt[string]); ok {
		return s.Or("")
	}
	raw, err := v.MarshalJSON()
	if err != nil {
		return ""
	}
	return string(raw)
}

// GetCustomerConfig returns the tenant's settings record: its look, its links, and switches. What is not set is null, or its default.
//
// LoginImage is the path of the stored logo. tenant.yaml n 396.
func (t Tenant) GetCustomerConfig(ctx context.Context, c *op.Call, _ op.None) (*CustomerConfig, error) {
	all, err := t.Settings.List(ctx, c)
	if err != nil {
		return nil, err
	}
	text := map[string]string{}
	for _, s := range all {
		text[s.Name] = s.Value
	}
	out := &CustomerConfig{}
	v := reflect.ValueOf(out).Elem()
	for i := range v.NumField() {
		value := text[v.Type().Field(i).Tag.Get("setting")]
		switch f := v.Field(i).Addr().Interface().(type) {
		case *op.Opt[string]:
			if value != "" {
				*f = op.Some(value)
			}
		case json.Unmarshaler:
			if value != "" && f.UnmarshalJSON([]byte(value)) != nil { // set by hand to something else
				v.Field(i).SetZero()
			}
		}
	}
	return out, nil
}

// customer is what SetCustomerConfig needs to know before its transaction.
type customer struct {
	ready setting.Ready
	logo  picture.Picture
}

func (t Tenant) sealCustomer(ctx context.Context, c *op.Call, in CustomerConfig) (out customer, err error) {
	if text := in.LoginImage.Or(""); strings.HasPrefix(text, "data:") {
		if out.logo, err = picture.Read(text); err != nil {
			return out, fault.Of(err).At("LoginImage")
		}
		in.LoginImage = op.Some(out.logo.At())
	}
	out.ready, err = t.Settings.Prepare(ctx, c, in.pairs()...)
	return out, named(err)
}

// SetCustomerConfig changes the tenant's settings record: the fields that are sent, and no others. All of them, or none when one is not valid.
//
// Errors: setting.value with the field that does not fit, also where text could not be read in a color; picture.form and picture.large for
// the logo. tenant.yaml n 404.
func (t Tenant) SetCustomerConfig(ctx context.Context, c *op.Call, in CustomerConfig, p customer) (op.None, error) {
	c.Event.Target, c.Event.Kind, c.Event.Name = "CustomerConfig", "Setting", "CustomerConfig"
	if p.logo.ID != "" {
		if err := t.Pictures.Put(ctx, c, p.logo); err != nil {
			return op.None{}, err
		}
	}
	if err := t.Settings.Write(ctx, c, p.ready); err != nil {
		return op.None{}, named(err)
	}
	if !in.LoginImage.Given() {
		return op.None{}, nil
	}
	return op.None{}, t.tidy(ctx, c)
}

// tidy removes the pictures that no setting names any more.
func (t Tenant) tidy(ctx context.Context, c *op.Call) error {
	v, err := t.Settings.Get(ctx, c)
	if err != nil {
		return err
	}
	return t.Pictures.Keep(ctx, c, v.Theme.Logo)
}

// portalPairs put the look back to the defaults: images, colors, texts and links, no switches.
func portalPairs() (out []setting.Pair) {
	_ = (&CustomerConfig{}).each(func(f reflect.StructField, _ customerField) error {
		if f.Tag.Get("look") != "" {
			out = append(out, setting.Unset(f.Tag.Get("setting")))
		}
		return nil
	})
	return append(out, setting.Unset(setting.ThemeDarkColor), setting.Unset(setting.ThemeLanguages))
}

func (t Tenant) preparePortal(ctx context.Context, c *op.Call, _ op.None) (setting.Ready, error) {
	return t.Settings.Prepare(ctx, c, portalPairs()...)
}

// ResetPortalConfig puts the look of the tenant's pages back to the defaults: images, colors, texts and links. Names, help and switches stay.
//
// tenant.yaml n 402.
func (t Tenant) ResetPortalConfig(ctx context.Context, c *op.Call, _ op.None, ready setting.Ready) (op.None, error) {
	c.Event.Target, c.Event.Kind, c.Event.Name = "CustomerConfig", "Setting", "CustomerConfig"
	if err := t.Settings.Write(ctx, c, ready); err != nil {
		return op.None{}, err
	}
	return op.None{}, t.Pictures.Keep(ctx, c, "")
}
