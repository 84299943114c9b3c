// Package passkeytest is an authenticator for tests: it answers registrations and signs, and does so wrongly when told to.
package passkeytest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"

	"github.com/descope/virtualwebauthn"

	"limen/internal/core/factor/passkey"
)

// Authenticator is a key in a browser that shows a page.
type Authenticator struct {
	Origin string // of the page
	RP     string // for which it signs; the host of Origin when empty
	// What it says of itself.
	Absent, Unverified, Copied, Platform bool
	NotDiscoverable                      bool

	Credential virtualwebauthn.Credential
	user       []byte
}

// whole is how many bytes a key of P-256 has in COSE.
const whole = 77

// New makes one whose counter stands at 1.
func New(origin string) *Authenticator {
	a := &Authenticator{Origin: origin, Credential: virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)}
	for len(a.Credential.Key.AttestationData()) != whole { // the library writes coordinates that begin with zeros shorter than they must be
		a.Credential = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	a.Credential.Counter = 1
	return a
}

func (a *Authenticator) parts() (virtualwebauthn.RelyingParty, virtualwebauthn.Authenticator) {
	rp := a.RP
	if u, err := url.Parse(a.Origin); rp == "" && err == nil {
		rp = u.Hostname()
	}
	return virtualwebauthn.RelyingParty{ID: rp, Origin: a.Origin}, virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{
		UserHandle: a.user, UserNotPresent: a.Absent, UserNotVerified: a.Unverified, BackupEligible: a.Copied, BackupState: a.Copied,
	})
}

// Handle is the credential id, in base64url.
func (a *Authenticator) Handle() string { return base64.RawURLEncoding.EncodeToString(a.Credential.ID) }

// Register answers a registration.
func (a *Authenticator) Register(c passkey.Creation) string {
	rp, auth := a.parts()
	a.user, _ = base64.RawURLEncoding.DecodeString(c.User.ID)
	challenge, _ := base64.RawURLEncoding.DecodeString(c.Challenge)
	text := virtualwebauthn.CreateAttestationResponse(rp, auth, a.Credential, virtualwebauthn.AttestationOptions{Challenge: challenge})
	attachment := "cross-platform"
	if a.Platform {
		attachment = "platform"
	}
	return with(text, map[string]any{
		"authenticatorAttachment": attachment, "clientExtensionResults": map[string]any{"credProps": map[string]any{"rk": !a.NotDiscoverable}},
	})
}

// Sign answers a sign-in, and counts it.
func (a *Authenticator) Sign(q passkey.Assertion) string {
	a.Credential.Counter++
	return a.SignAgain(q)
}

// SignAs answers a sign-in as if the key were somebody's.
func (a *Authenticator) SignAs(user string, q passkey.Assertion) string {
	a.user = []byte(user)
	return a.Sign(q)
}

// SignAgain answers without counting.
func (a *Authenticator) SignAgain(q passkey.Assertion) string {
	rp, auth := a.parts()
	challenge, _ := base64.RawURLEncoding.DecodeString(q.Challenge)
	return virtualwebauthn.CreateAssertionResponse(rp, auth, a.Credential, virtualwebauthn.AssertionOptions{Challenge: challenge})
}

// with adds members to an object.
func with(text string, more map[string]any) string {
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	for k, v := range more {
		o[k] = v
	}
	out, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return string(out)
}
