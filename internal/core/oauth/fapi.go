package oauth

import (
	"slices"

	"github.com/go-jose/go-jose/v4"

	wire "limen/internal/wire/oauth"
)

// FAPI is a profile of FAPI 2.0, which an application sets for all of its clients; empty: none.
type FAPI string

// The profiles. The second adds to the first that authorization requests and answers are signed.
const (
	Security       FAPI = "security"        // FAPI 2.0 Security Profile
	MessageSigning FAPI = "message-signing" // FAPI 2.0 Message Signing
)

// fapiAlgs are the signatures that FAPI 2.0 takes (Security Profile section 5.4.1).
var fapiAlgs = []jose.SignatureAlgorithm{jose.PS256, jose.ES256, jose.EdDSA}

// fapiMethods are the proofs of clients that FAPI 2.0 takes (Security Profile section 5.3.2.1).
var fapiMethods = []wire.Method{wire.PrivateKeyJWT, wire.TLSClient, wire.SelfSignedTLS}

// algorithms are those that the application's clients may sign with.
func (p Profile) algorithms() []jose.SignatureAlgorithm {
	if p.FAPI != "" {
		return fapiAlgs
	}
	return wire.Algorithms
}

// ClientAlgorithms are the signatures that the application's clients may use.
func (p Profile) ClientAlgorithms() (out []string) {
	for _, a := range p.algorithms() {
		out = append(out, string(a))
	}
	return out
}

// fapi is what the profile wants of an authorization request beyond what every client must keep (Security Profile section 5.3.2.2,
// Message Signing section 5.3.2 and 5.4.2).
func (r Request) fapi() error {
	level, ask := r.App.Profile.FAPI, r.Ask
	no := func(code wire.Code, why string) error { return Fault(&wire.Error{Code: code, Description: why}) }
	switch {
	case level == "":
		return nil
	case ask.Type != wire.ResponseType{Code: true}:
		return no(wire.UnsupportedResponseType, "this application takes response_type code alone")
	case ask.Challenge.Method != wire.S256:
		return no(wire.InvalidRequest, "this application wants a code_challenge with the method S256")
	case ask.RedirectURI == "" || !slices.Contains(r.Client.Redirects, ask.RedirectURI):
		return no(wire.InvalidRequest, "this application wants redirect_uri exactly as it is registered")
	case level == MessageSigning && !ask.Mode.Signed():
		return no(wire.InvalidRequest, "this application wants a response_mode that is signed")
	}
	return nil
}

// bindable is whether tokens may be issued that are bound to a key, or to none where that is allowed (RFC 9449 section 5.2, FAPI 2.0
// Security Profile section 5.3.2.1).
func (a Ask) bindable() error {
	if a.Key == "" && (a.App.Profile.FAPI != "" || a.Client.DPoPBound) {
		return ErrProof.Say("this client must send a DPoP proof, so that its tokens are bound to a key")
	}
	return nil
}
