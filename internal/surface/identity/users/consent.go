package users

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/consent"
	"limen/internal/core/inquiry"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// consenting declares what people must agree to, and who did.
func (u Users) consenting() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/ConsentManagement/GetConsentManagementConfiguration", Allow: op.System, Effect: op.Read}, u.GetConsentManagementConfiguration),
		op.New(op.Spec{Path: "/ConsentManagement/GetConsentManagementScript", Allow: op.System, Effect: op.Read}, u.GetConsentManagementScript),
		op.New(op.Spec{Path: "/ConsentManagement/IsConsentManagementEnabled", Allow: op.Anonymous, Effect: op.Read}, u.IsConsentManagementEnabled),
		op.New(op.Spec{Path: "/ConsentManagement/GetConsentDocument", Allow: op.Anonymous, Effect: op.Read}, u.GetConsentDocument),
		op.New(op.Spec{Path: "/ConsentManagement/GetUserConsents", Allow: either, Effect: op.Read, Faults: []*fault.Error{user.ErrNotFound}}, u.GetUserConsents),
		op.New(op.Spec{Path: "/ConsentManagement/WithdrawConsent", Allow: op.Authenticated, Effect: op.Write, Audit: audit.ConsentWithdraw,
			Faults: []*fault.Error{consent.ErrNone, user.ErrNotFound}}, u.WithdrawConsent),
		op.Prepared(op.Spec{Path: "/ConsentManagement/UpdateConsentManagementConfiguration", Allow: op.System, Effect: op.Write, Audit: audit.ConsentChange,
			MaxBody: 4 << 20, Rate: op.Costly, Faults: []*fault.Error{consent.ErrScript, consent.ErrChanged, fault.ErrInvalid, fault.ErrMissing}},
			u.lookConsent, u.UpdateConsentManagementConfiguration),
	}
}

// ConsentSettings are whether, and to what, people must agree before they are let in.
type ConsentSettings struct {
	// ConsentManagementEnabled says whether people are asked.
	ConsentManagementEnabled bool `json:"ConsentManagementEnabled"`
	// Provider is empty: consents are kept here, by no outside service.
	Provider string `json:"Provider"`
	// ApiURL is empty, as Provider is.
	ApiURL string `json:"ApiUrl"`
	// ApiKey is empty, as Provider is.
	ApiKey string `json:"ApiKey"`
	// Script is the JavaScript that says who must agree.
	Script string `json:"Script"`
	// ConsentURL is where the same can be read; empty: nowhere but here.
	ConsentURL string `json:"ConsentUrl"`
	// Version is the version that is asked for; empty: none was set.
	Version string `json:"Version"`
	// Attributes are those of people that the script sees.
	Attributes []string `json:"Attributes"`
	// Documents are the texts of Version, by language.
	Documents []ConsentText `json:"Documents"`
}

// ConsentText is what people are asked to agree to, in one language.
type ConsentText struct {
	// Language is a BCP 47 tag, as en or pt-BR.
	Language string `json:"Language"`
	// Text is plain text, whose paragraphs empty lines divide; 65,536 bytes at most.
	Text string `json:"Text"`
	// Digest is the SHA-256 of Text in hexadecimal digits, as consents keep it; ignored where a text is set.
	Digest string `json:"Digest"`
}

// GetConsentManagementConfiguration reads whether, and to what, people must agree before they are let in. lifecycle.yaml n 563.
func (u Users) GetConsentManagementConfiguration(ctx context.Context, c *op.Call, _ op.None) (ConsentSettings, error) {
	s, err := u.Consents.Get(ctx, c)
	if err != nil {
		return ConsentSettings{}, err
	}
	all, err := u.Consents.Documents(ctx, c, s.Version)
	out := ConsentSettings{
		ConsentManagementEnabled: s.Enabled, Script: s.Text(), ConsentURL: s.URL, Version: s.Version, Attributes: s.Seen(), Documents: []ConsentText{},
	}
	for _, d := range all {
		out.Documents = append(out.Documents, ConsentText{d.Language, d.Body, d.Digest})
	}
	return out, err
}

// ConsentScript is the script that says who must agree, and what its editor needs.
type ConsentScript struct {
	// Script is the script that counts: JavaScript that declares the function required.
	Script string `json:"Script"`
	// IsDefault says whether it is the program's own.
	IsDefault bool `json:"IsDefault"`
	// DefaultScript is the program's own: everybody must agree.
	DefaultScript string `json:"DefaultScript"`
	// HelperInfo is what an editor shows of what the script is given, and has to give.
	HelperInfo []inquiry.Helper `json:"HelperInfo"`
}

var consentHelp = []inquiry.Helper{
	{
		Name: "required", Signature: "function required(user, consents)",
		Description: "Says whether somebody must agree before they are let in: true or false. Where it fails they must.",
		Sample:      "return user.properties.country_ === 'DE';",
	},
	{
		Name: "user", Signature: "{id, name, displayName, culture, properties}",
		Description: "Who signs in, with the attributes that Attributes names.",
		Sample:      "user.properties.country_",
	},
	{
		Name: "consents", Signature: "[{version, language, agreedOn, withdrawn}]",
		Description: "What they agreed to before, the newest first; agreedOn in milliseconds since 1970.",
		Sample:      "consents.length === 0",
	},
}

// GetConsentManagementScript reads the script that says who must agree, and what it can use. lifecycle.yaml n 564.
func (u Users) GetConsentManagementScript(ctx context.Context, c *op.Call, _ op.None) (ConsentScript, error) {
	s, err := u.Consents.Get(ctx, c)
	return ConsentScript{Script: s.Text(), IsDefault: s.Script == "", DefaultScript: consent.DefaultScript, HelperInfo: consentHelp}, err
}

// ConsentOf names the tenant.
type ConsentOf struct {
	// Language is the language that is wanted, a BCP 47 tag; the next one that there is is given. Absent: the tenant's.
	Language string `json:"Language"`
	// TenantID names the tenant where the host does not.
	TenantID string `json:"TenantId"`
}

// TenantHint names the tenant.
func (o *ConsentOf) TenantHint() op.Hint { return op.Hint{Tenant: o.TenantID} }

// IsConsentManagementEnabled says whether people must agree to something before they are let in. Pages of registration ask it, so anybody may.
// lifecycle.yaml n 565.
func (u Users) IsConsentManagementEnabled(ctx context.Context, c *op.Call, _ ConsentOf) (bool, error) {
	s, err := u.Consents.Get(ctx, c)
	return s.Enabled, err
}

// ConsentDocument is what people are asked to agree to now.
type ConsentDocument struct {
	// Version is what who registers sends back as ConsentVersion.
	Version string `json:"Version"`
	// Language is that of Text, a BCP 47 tag.
	Language string `json:"Language"`
	// Text is plain text.
	Text string `json:"Text"`
	// Digest is the SHA-256 of Text in hexadecimal digits.
	Digest string `json:"Digest"`
	// URL is where the same can be read; empty: nowhere else.
	URL string `json:"Url"`
}

// GetConsentDocument gives the text that people are asked to agree to; null where nobody is asked.
func (u Users) GetConsentDocument(ctx context.Context, c *op.Call, in ConsentOf) (*ConsentDocument, error) {
	s, d, ok, err := u.Consents.Current(ctx, c, in.Language)
	if err != nil || !ok {
		return nil, err
	}
	return &ConsentDocument{d.Version, d.Language, d.Body, d.Digest, s.URL}, nil
}

// ConsentsOf names whose consents are asked about.
type ConsentsOf struct {
	// UserID is the user's UUID or login name; the caller's own when absent.
	UserID string `json:"userId"`
	person
}

// Resolve finds the user.
func (r *ConsentsOf) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.UserID) }

// UserConsent is a consent that somebody gave.
type UserConsent struct {
	// Version is the version of the terms.
	Version string `json:"Version"`
	// Language is that in which they were shown, a BCP 47 tag.
	Language string `json:"Language"`
	// Digest is the SHA-256 of the text that was shown, in hexadecimal digits.
	Digest string `json:"Digest"`
	// Means is SignUp or SignIn.
	Means string `json:"Means"`
	// AgreedOn is when they agreed.
	AgreedOn rpc.Time `json:"AgreedOn"`
	// WithdrawnOn is when they withdrew it; null: they did not.
	WithdrawnOn rpc.Time `json:"WithdrawnOn"`
	// IPAddress is where they agreed from.
	IPAddress string `json:"IpAddress"`
	// UserAgent is by what, as it called itself.
	UserAgent string `json:"UserAgent"`
}

// GetUserConsents gives the consents of somebody, the newest first, 500 at most. People ask it about themselves, administrators about those whom they
// administer.
func (u Users) GetUserConsents(ctx context.Context, c *op.Call, in ConsentsOf) ([]UserConsent, error) {
	all, err := u.Consents.Of(ctx, c, in.found.ID)
	out := make([]UserConsent, 0, len(all))
	for _, g := range all {
		out = append(out, UserConsent{g.Version, g.Language, g.Digest, g.Means, at(g.Agreed), at(g.Withdrawn), g.IP, g.Agent})
	}
	return out, err
}

// WithdrawConsent takes back what the caller agreed to, and ends all sessions of theirs: they are asked again before they are let in again. That they
// agreed, and when they withdrew it, is kept. Error: consent.none.
func (u Users) WithdrawConsent(ctx context.Context, c *op.Call, _ op.None) (op.None, error) {
	who, err := u.People.ByID(ctx, c, c.Caller.User)
	if err == nil {
		err = u.Consents.Withdraw(ctx, c, who)
	}
	if err == nil {
		_, err = u.Sessions.EndAll(ctx, c, who.ID, "")
	}
	return op.None{}, err
}

// NewConsentSettings are whether, and to what, people are to agree. What is absent stays as it is.
type NewConsentSettings struct {
	// ConsentManagementEnabled says whether people are asked from the next sign-in on. It needs Version and Documents.
	ConsentManagementEnabled op.Opt[bool] `json:"ConsentManagementEnabled"`
	// Provider must be empty: consents are kept here, by no outside service.
	Provider string `json:"Provider"`
	// Script is JavaScript of at most 65,536 bytes that declares the function required; empty: everybody must agree.
	Script op.Opt[string] `json:"Script"`
	// ConsentURL is an https address where the same can be read; empty: nowhere but here.
	ConsentURL op.Opt[string] `json:"ConsentUrl"`
	// Version names the texts, in at most 50 bytes. Another one asks everybody anew, and needs Documents the first time.
	Version op.Opt[string] `json:"Version"`
	// Attributes are those of people that the script sees, 50 at most.
	Attributes []string `json:"Attributes"`
	// Documents are texts of Version, by language. A text that there is cannot change: that takes another Version. Languages can be added.
	Documents []ConsentText `json:"Documents"`
}

// Check wants no outside service, and each language once.
func (n *NewConsentSettings) Check() error {
	if n.Provider != "" {
		return fault.Bad("Provider", "must be empty: consents are kept here")
	}
	if v, ok := n.Script.Get(); ok && len(v) > inquiry.MaxScript {
		return fault.Bad("Script", "may have %d bytes", inquiry.MaxScript)
	}
	if len(n.Documents) > consent.MaxLanguages {
		return fault.Bad("Documents", "may be in %d languages", consent.MaxLanguages)
	}
	seen := map[string]bool{}
	for _, d := range n.Documents {
		if seen[d.Language] {
			return fault.Bad("Documents", "must have each language once")
		}
		seen[d.Language] = true
	}
	return nil
}

func (u Users) lookConsent(ctx context.Context, c *op.Call, in NewConsentSettings) (consent.Ready, error) {
	w := consent.Wish{Enabled: in.ConsentManagementEnabled.OrNil(), Version: in.Version.OrNil(), URL: in.ConsentURL.OrNil(), Script: in.Script.OrNil(), Attributes: in.Attributes}
	for _, d := range in.Documents {
		if w.Texts == nil {
			w.Texts = map[string]string{}
		}
		w.Texts[d.Language] = d.Text
	}
	return u.Consents.Prepare(ctx, c, w)
}

// UpdateConsentManagementConfiguration says whether, and to what, people must agree before they are let in, from the next sign-in on. Sessions that there
// are go on. Consents stay when it is switched off. Errors: consent.script with the line and the reason, consent.changed, and those of parameters.
// lifecycle.yaml n 566.
func (u Users) UpdateConsentManagementConfiguration(ctx context.Context, c *op.Call, _ NewConsentSettings, ready consent.Ready) (op.None, error) {
	return op.None{}, u.Consents.Set(ctx, c, ready)
}
