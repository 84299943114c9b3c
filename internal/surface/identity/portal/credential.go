package portal

import (
	"context"

	"github.com/pquerna/otp"

	core "limen/internal/core/portal"
	"limen/internal/op"
	"limen/internal/surface/identity/authentication"
)

// text is a value that was given; null is none.
func text(o op.Opt[string]) *string {
	if s, ok := o.Get(); ok {
		return &s
	}
	return nil
}

// AppCredentials are the caller's name and password for an application.
type AppCredentials struct {
	AppRef
	// Username is the name; it stays when absent, and is cleared by empty text.
	Username op.Opt[string] `json:"Username"`
	// Password is the password; it stays when absent, and is cleared by empty text.
	Password op.Opt[string] `json:"Password"`
	// PublicKeyHash says that the password is encrypted for a key; refused.
	PublicKeyHash string `json:"PublicKeyHash"`
	// ConnectorID is taken and does nothing: there are no connectors.
	ConnectorID string `json:"ConnectorId"`
}

// SetUserCredsForApp stores the caller's name and password for an application: one whose names people set themselves
// (UserNameStrategy SetByUser), or one of their own. They are sealed for this person and this application. Errors:
// portal.not_found, acl.denied, portal.mapping, portal.encrypted, portal.size, portal.stale. apps.yaml n 210.
func (p Portal) SetUserCredsForApp(ctx context.Context, c *op.Call, in AppCredentials) (op.None, error) {
	if !blank(in.PublicKeyHash) {
		return op.None{}, ErrEncrypted.At("PublicKeyHash")
	}
	return op.None{}, p.Portal.SetCredentials(ctx, c, in.AppKey, core.Edit{Username: text(in.Username), Password: text(in.Password)})
}

// Secret is what somebody keeps with an application or an item.
type Secret struct {
	Username string  `json:"u"`
	Password string  `json:"p"`
	Notes    string  `json:"n"`
	Fields   []Field `json:"ce,omitempty"` // of secured items
}

// Field is a further field of a secured item.
type Field struct {
	Key    string `json:"cfk"`
	Value  string `json:"cfv"`
	Hidden bool   `json:"cfh"`
}

// AppSecret asks for what is kept with an application.
type AppSecret struct {
	AppRef
	// PublicKey asks for an answer that is encrypted for it; refused.
	PublicKey string `json:"publicKey"`
}

// reveal is asked before any secret is shown: shortly after a proof of who one is, and in the clear only.
func (p Portal) reveal(ctx context.Context, c *op.Call, publicKey string) error {
	if !blank(publicKey) {
		return ErrEncrypted.At("publicKey")
	}
	return p.Sessions.Recent(ctx, c, c.User())
}

// GetMCFA gives the caller their name and password for an application with their notes: those that they keep, or the common
// ones where the administrators of the application show them (AllowViewFixedCredentials). null where there is nothing.
//
// A policy must let people see passwords (/Core/Security/CDS/Applications/AllowPasswordView), and the caller must have proved
// who they are within the time that the tenant's setting Session.ProofMinutes gives. Every call leaves an event. Errors:
// portal.not_found, acl.denied, app.closed, app.rules, portal.password_view, session.stale, portal.encrypted; auth.challenge with a
// ChallengeId where the rules of the application want more of the caller before the common ones are shown. apps.yaml, behind n 219.
func (p Portal) GetMCFA(ctx context.Context, c *op.Call, in AppSecret, _ op.None) (*Shown, error) {
	if err := p.reveal(ctx, c, in.PublicKey); err != nil {
		return nil, err
	}
	s, ok, err := p.Portal.Credentials(ctx, c, in.AppKey)
	if due, err := authentication.Due(err); due.ChallengeID != "" {
		return &Shown{Challenged: &due}, err
	}
	if err != nil || !ok {
		return nil, err
	}
	return &Shown{Secret: &Secret{Username: s.Username, Password: s.Password, Notes: s.Notes}}, nil
}

// Shown is what is kept with an application, or the challenge that is due before it is shown.
type Shown struct {
	*Secret
	*authentication.Challenged
}

// Seed is what makes one-time codes.
type Seed struct {
	Seed      string `json:"t"` // base32
	Label     string `json:"label"`
	Issuer    string `json:"issuer"`
	Digits    int    `json:"digits"`
	Algorithm string `json:"algorithm"`
	Period    int    `json:"period"` // seconds
}

// GetTotpSeedForApp gives the caller the seed of one-time codes that they imported with an application; null where there is
// none. It asks for what GetMCFA asks for. Beyond the contract, as clients that export know it. Errors: those of GetMCFA.
func (p Portal) GetTotpSeedForApp(ctx context.Context, c *op.Call, in AppSecret, _ op.None) (*Seed, error) {
	if err := p.reveal(ctx, c, in.PublicKey); err != nil {
		return nil, err
	}
	s, _, err := p.Portal.Credentials(ctx, c, in.AppKey)
	if err != nil || s.TOTP == "" {
		return nil, err
	}
	out := &Seed{Seed: s.TOTP, Digits: 6, Algorithm: "SHA1", Period: 30}
	if k, err := otp.NewKeyFromURL(s.TOTP); err == nil && k.Secret() != "" {
		out = &Seed{k.Secret(), k.AccountName(), k.Issuer(), k.Digits().Length(), k.Algorithm().String(), int(k.Period())}
	}
	return out, nil
}

// ItemSecret asks for what is kept in a secured item.
type ItemSecret struct {
	ItemRef
	// PublicKey asks for an answer that is encrypted for it; refused.
	PublicKey string `json:"publicKey"`
}

// GetCredsForSecuredItem gives the caller what they keep in a secured item. They must have proved who they are within the time
// that the tenant's setting Session.ProofMinutes gives; every call leaves an event. Errors: portal.not_found, session.stale,
// portal.encrypted. apps.yaml, behind n 219.
func (p Portal) GetCredsForSecuredItem(ctx context.Context, c *op.Call, in ItemSecret) (Secret, error) {
	if err := p.reveal(ctx, c, in.PublicKey); err != nil {
		return Secret{}, err
	}
	s, err := p.Portal.Reveal(ctx, c, in.ItemKey)
	out := Secret{Username: s.Username, Password: s.Password, Notes: s.Notes}
	for _, f := range s.Fields {
		out.Fields = append(out.Fields, Field(f))
	}
	return out, err
}

// CustomField is a further field of a secured item.
type CustomField struct {
	// Key is the field's name, of at most 200 bytes; required.
	Key string `json:"CustomFields_Key"`
	// Value is its value, of at most 4,000 bytes.
	Value string `json:"CustomFields_Value"`
	// IsHidden has clients draw it as a password.
	IsHidden bool `json:"CustomFields_IsHidden"`
}

// ItemCredentials change what is kept in a secured item.
type ItemCredentials struct {
	ItemRef
	// Username is the name; it stays when absent.
	Username op.Opt[string] `json:"Username"`
	// Password is the password; it stays when absent.
	Password op.Opt[string] `json:"Password"`
	// Notes are notes of at most 64 KB; they stay when absent.
	Notes op.Opt[string] `json:"Notes"`
	// CustomFields are all further fields, at most 50; they stay when absent.
	CustomFields op.Opt[[]CustomField] `json:"CustomFields"`
}

// UpdateCredsForSecuredItem changes what the caller keeps in a secured item: the members that are sent. Errors:
// portal.not_found, portal.size, portal.stale. apps.yaml n 212.
func (p Portal) UpdateCredsForSecuredItem(ctx context.Context, c *op.Call, in ItemCredentials) (op.None, error) {
	change := core.Edit{Username: text(in.Username), Password: text(in.Password), Notes: text(in.Notes)}
	if fields, ok := in.CustomFields.Get(); ok {
		kept := []core.Field{}
		for _, f := range fields {
			kept = append(kept, core.Field{Key: f.Key, Value: f.Value, Hidden: f.IsHidden})
		}
		change.Fields = &kept
	}
	return op.None{}, p.Portal.SetSecured(ctx, c, in.ItemKey, change)
}

// NameToKeep is a name to be kept.
type NameToKeep struct {
	// UserName is the name; required.
	UserName string `json:"userName"`
}

// Check wants it.
func (n *NameToKeep) Check() error { return required("userName", n.UserName) }

// ValidateUsernameIsAllowed says whether a name can be kept with an application or a secured item: it has at most 500 bytes
// and no control characters. No policy on such names is known. apps.yaml, behind n 219.
func (p Portal) ValidateUsernameIsAllowed(_ context.Context, _ *op.Call, in NameToKeep) (bool, error) {
	return core.Login(in.UserName), nil
}
