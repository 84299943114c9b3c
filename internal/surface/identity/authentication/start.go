package authentication

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// StartRequest opens an authentication session.
type StartRequest struct {
	// TenantID names the tenant: its id, subdomain, host or a URL. When absent, the login suffix or the host does.
	TenantID string `json:"TenantId"`
	// User is the login name, required; "@suffix" alone asks which host serves the suffix.
	User string `json:"User"`
	// Version is "1.0", required.
	Version string `json:"Version"`
	// PlatformTokenResponse wants a refresh token with LoginSuccess.
	PlatformTokenResponse bool `json:"PlatformTokenResponse"`
	// MfaRequestor is taken and not needed; clients send DeviceAgent.
	MfaRequestor string `json:"MfaRequestor"`
	// AssociatedEntityType is taken and not needed; clients send API.
	AssociatedEntityType string `json:"AssociatedEntityType"`
	// AssociatedEntityName is taken and not needed.
	AssociatedEntityName string `json:"AssociatedEntityName"`

	auth string
}

const maxLogin = 512

// See keeps the session token of a caller who is signed in already.
func (s *StartRequest) See(r *http.Request) { s.auth = identity.Codec{}.Credentials(r).Token }

// TenantHint names the tenant. A login name that nobody serves must not be told from others.
func (s *StartRequest) TenantHint() op.Hint { return hint(s.TenantID, s.User) }

// Effect is Write for what opens a session; what cannot be answered is refused from memory.
func (s *StartRequest) Effect() op.Effect {
	if s.invalid() || s.suffixOnly() {
		return op.Cached
	}
	return op.Write
}

func (s *StartRequest) invalid() bool {
	return strings.TrimSpace(s.User) == "" || len(s.User) > maxLogin || s.Version != "1.0"
}

func (s *StartRequest) suffixOnly() bool { return strings.HasPrefix(strings.TrimSpace(s.User), "@") }

// StartAuthentication opens an authentication session for a login name and gives its package of challenges. Any name
// gets one: which names exist cannot be told from it. A request at another tenant's host, or for a bare "@suffix", is
// answered by the host to ask instead (PodFqdn). Who is signed in already gets LoginSuccess at once. While too many
// attempts failed, RetryWaitingTime says for how many seconds answers are refused. Contract: authentication.yaml n 1.
func (a Authentication) StartAuthentication(ctx context.Context, c *op.Call, in StartRequest, elsewhere string) (Answer, error) {
	if in.invalid() {
		return Answer{Summary: "Undefined"}, op.Refused(login.ErrFailed)
	}
	if elsewhere != "" {
		if c.Event != nil {
			c.Event.Type = "" // nothing happened
		}
		return Answer{PodFqdn: elsewhere}, nil
	}
	if signedIn(c) {
		done, err := a.Logins.Already(ctx, c, in.auth, in.PlatformTokenResponse)
		switch {
		case err == nil:
			c.Event.Type = "" // nothing happened
			return success(c, done), nil
		case !errors.Is(err, session.ErrUnknown) && !errors.Is(err, user.ErrNotFound):
			return Answer{}, err
		}
	}
	pack, device, err := a.Logins.Start(ctx, c, login.Begin{Login: in.User, Platform: in.PlatformTokenResponse})
	if err != nil {
		return Answer{}, err
	}
	out := packed(c, &pack)
	out.keepDevice(c, device)
	return out, nil
}

// place is what is found out before a conversation is opened: the host to ask instead, empty when this is the right one.
// It also makes the keys that a conversation needs, which no transaction may make.
func (a Authentication) place(ctx context.Context, c *op.Call, in StartRequest) (string, error) {
	switch {
	case in.invalid():
		return "", nil
	case in.suffixOnly():
		return a.served(ctx, c, strings.TrimSpace(in.User)[1:])
	}
	at, err := a.Tenants.AtHost(ctx, c.Client.Host)
	if err != nil {
		return "", err
	}
	if at != "" && at != c.Tenant.ID && c.Tenant.Host != "" {
		return c.Tenant.Host, nil
	}
	return "", a.Logins.Ensure(ctx, c.Tenant.ID)
}

// served gives the host of the tenant that a suffix belongs to.
func (a Authentication) served(ctx context.Context, c *op.Call, suffix string) (host string, err error) {
	t, err := a.Tenants.Find(ctx, tenant.Hint{Login: "@" + suffix}, "")
	if err != nil {
		return "", ErrSuffix
	}
	if t.Host == "" { // a tenant without a host name of its own is served where it is asked for
		t.Host = c.Client.Host
	}
	err = c.Snapshot(ctx, func() error { // what was found may be the only tenant there is, whatever the suffix
		of := *c
		of.Tenant = t
		_, err := a.Tenants.Suffix(ctx, &of, suffix)
		return err
	})
	if errors.Is(err, tenant.ErrSuffix) {
		return "", ErrSuffix
	}
	return t.Host, err
}
