package authentication

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/upstream"
	"limen/internal/fault"
	"limen/internal/op"
)

// providers declares signing in at an identity provider. Browsers come back to /SocialAuth/ (surface/login).
func (a Authentication) providers() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{Path: "/Security/StartSocialAuthentication", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStart, Rate: op.Guess,
			Faults: []*fault.Error{upstream.ErrUnknown, upstream.ErrReturn, upstream.ErrProvider, fault.ErrMissing}}, a.towards, a.StartSocialAuthentication),
		op.Prepared(op.Spec{Path: "/Security/ResumeFromExtIdpAuth", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess,
			Faults: []*fault.Error{login.ErrFailed}}, a.keys, a.ResumeFromExtIdpAuth),
	}
}

// SocialStart is the wish to sign in at an identity provider.
type SocialStart struct {
	// TenantID names the tenant; when absent, the host does.
	TenantID string `json:"TenantId"`
	// IdpName is the provider, required: Facebook, Google, Twitter, LinkedIn or Microsoft, or another one that is set up.
	IdpName string `json:"IdpName"`
	// PostExtIdpAuthCallbackURL is where the browser is led afterwards, required: an address at one of the tenant's own hosts.
	PostExtIdpAuthCallbackURL string `json:"PostExtIdpAuthCallbackUrl"`
}

// TenantHint names the tenant.
func (s *SocialStart) TenantHint() op.Hint { return hint(s.TenantID, "") }

// Check wants both.
func (s *SocialStart) Check() error {
	if strings.TrimSpace(s.IdpName) == "" {
		return fault.Missing("IdpName")
	}
	if strings.TrimSpace(s.PostExtIdpAuthCallbackURL) == "" {
		return fault.Missing("PostExtIdpAuthCallbackUrl")
	}
	return nil
}

// SocialRedirect says where to send the browser.
type SocialRedirect struct {
	// Status is RedirecToIdp, spelled so.
	Status string `json:"Status"`
	// IdpRedirectURL is the provider's page.
	IdpRedirectURL string `json:"IdpRedirectUrl"`

	cookies []*http.Cookie
}

// Cookies bind the sign-in to the browser.
func (s SocialRedirect) Cookies() []*http.Cookie { return s.cookies }

func (a Authentication) towards(ctx context.Context, c *op.Call, in SocialStart) (upstream.Begun, error) {
	return a.Providers.PrepareBegin(ctx, c, upstream.Begin{Provider: in.IdpName, Return: strings.TrimSpace(in.PostExtIdpAuthCallbackURL)})
}

// StartSocialAuthentication begins a sign-in at an identity provider, and gives the page there to which the browser is to be sent. The answer
// has a cookie that the browser must keep: only with it the provider's answer is taken, once, within ten minutes. Then the browser is led to
// PostExtIdpAuthCallbackUrl with ExtIdpAuthChallengeState, username and customerId, which ResumeFromExtIdpAuth takes; or with error and
// error_description, where nobody is signed in. Errors: upstream.unknown, upstream.return, upstream.provider. Contract: authentication.yaml
// n 14.
func (a Authentication) StartSocialAuthentication(ctx context.Context, c *op.Call, _ SocialStart, b upstream.Begun) (SocialRedirect, error) {
	out := SocialRedirect{Status: "RedirecToIdp", IdpRedirectURL: b.URL, cookies: []*http.Cookie{b.Bind(c)}}
	c.Event.Target, c.Event.Kind, c.Event.Name = b.Provider.Name, "IdentityProvider", b.Provider.Name
	return out, a.Providers.Begin(ctx, c, b)
}

// Resumption is what the browser brought back from an identity provider.
type Resumption struct {
	// ExtIdpAuthChallengeState is the value in the address, required.
	ExtIdpAuthChallengeState string `json:"ExtIdpAuthChallengeState"`
	// Username is taken and not needed.
	Username string `json:"username"`
	// CustomerID names the tenant; when absent, the host does.
	CustomerID string `json:"customerId"`
}

// TenantHint names the tenant.
func (r *Resumption) TenantHint() op.Hint { return hint(r.CustomerID, "") }

func (a Authentication) keys(ctx context.Context, c *op.Call, _ Resumption) (op.None, error) {
	return op.None{}, a.Logins.Ensure(ctx, c.Tenant.ID)
}

// ResumeFromExtIdpAuth signs in whom an identity provider has shown, with cookies, or gives the package of what is asked for besides: the
// provider stands in for the password, and further factors are asked for as ever. The value is good once, for two minutes. Contract:
// authentication.yaml n 16.
func (a Authentication) ResumeFromExtIdpAuth(ctx context.Context, c *op.Call, in Resumption, _ op.None) (Answer, error) {
	person, by, err := a.Providers.Redeem(ctx, c, in.ExtIdpAuthChallengeState)
	if errors.Is(err, upstream.ErrState) {
		return result(c, login.Fail()), op.Refused(login.ErrFailed)
	}
	if err != nil {
		return Answer{}, err
	}
	r, device, err := a.Logins.Vouched(ctx, c, person, by.Name)
	if errors.Is(err, login.ErrFailed) {
		return result(c, r), op.Refused(login.ErrFailed)
	}
	if err != nil {
		return Answer{}, err
	}
	out := result(c, r)
	if r.Success == nil {
		out.keepDevice(c, device)
	}
	return out, nil
}
