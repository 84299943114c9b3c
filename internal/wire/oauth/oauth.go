// Package oauth reads and writes the messages of OAuth 2.0 and OpenID Connect: pure functions over bytes and values. What a
// message means, who may send it, and what is stored of it, is none of its business.
//
// What it reads comes from anybody, so every length is bounded, a parameter that is given twice is refused (RFC 6749
// section 3.1), and an error says which parameter is wrong without repeating what was sent.
package oauth

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Code is an error code of the registry "OAuth Extensions Error".
type Code string

// The codes, and where they are defined.
const (
	InvalidRequest          Code = "invalid_request"           // RFC 6749 section 4.1.2.1
	UnauthorizedClient      Code = "unauthorized_client"       // the same
	AccessDenied            Code = "access_denied"             // the same
	UnsupportedResponseType Code = "unsupported_response_type" // the same
	InvalidScope            Code = "invalid_scope"             // the same
	ServerError             Code = "server_error"              // the same
	TemporarilyUnavailable  Code = "temporarily_unavailable"   // the same
	InvalidClient           Code = "invalid_client"            // RFC 6749 section 5.2
	InvalidGrant            Code = "invalid_grant"             // the same
	UnsupportedGrantType    Code = "unsupported_grant_type"    // the same
	InvalidToken            Code = "invalid_token"             // RFC 6750 section 3.1
	InsufficientScope       Code = "insufficient_scope"        // the same
	UnsupportedTokenType    Code = "unsupported_token_type"    // RFC 7009 section 2.2.1
	InvalidTarget           Code = "invalid_target"            // RFC 8707 section 2
	AuthorizationPending    Code = "authorization_pending"     // RFC 8628 section 3.5
	SlowDown                Code = "slow_down"                 // the same
	ExpiredToken            Code = "expired_token"             // the same
	InvalidDPoPProof        Code = "invalid_dpop_proof"        // RFC 9449 section 5
	UseDPoPNonce            Code = "use_dpop_nonce"            // RFC 9449 section 8
	InvalidRequestURI       Code = "invalid_request_uri"       // OpenID Connect Core section 3.1.2.6
	InvalidRequestObject    Code = "invalid_request_object"    // the same
	RequestNotSupported     Code = "request_not_supported"     // the same
	LoginRequired           Code = "login_required"            // the same
	InteractionRequired     Code = "interaction_required"      // the same
	ConsentRequired         Code = "consent_required"          // the same
	AccountSelection        Code = "account_selection_required"
	UnmetAuthentication     Code = "unmet_authentication_requirements" // OpenID Connect Core, Unmet Authentication Requirements 1.0
	InvalidRedirectURI      Code = "invalid_redirect_uri"              // RFC 7591 section 3.2.2
	InvalidClientMetadata   Code = "invalid_client_metadata"           // the same
	UnapprovedStatement     Code = "unapproved_software_statement"     // the same
)

// Error is what a client is told. The description is for its developers, in ASCII without quotes and backslashes as
// RFC 6749 section 5.2 wants it.
type Error struct {
	Code        Code
	Description string
}

// Error is code and description.
func (e *Error) Error() string { return string(e.Code) + ": " + e.Description }

// Status is the HTTP status of an error that is answered to the client itself (RFC 6749 section 5.2, RFC 6750 section 3.1).
func (e *Error) Status() int {
	switch e.Code {
	case InvalidClient, InvalidToken:
		return http.StatusUnauthorized
	case InsufficientScope:
		return http.StatusForbidden
	case ServerError:
		return http.StatusInternalServerError
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

func bad(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Description: fmt.Sprintf(format, args...)}
}

// maxValue bounds one parameter in bytes; request objects and assertions may have maxJWT.
const (
	maxValue = 4 << 10
	maxJWT   = 16 << 10
)

// long are the parameters that hold whole tokens or documents.
var long = map[string]bool{
	"request": true, "client_assertion": true, "id_token_hint": true, "claims": true, "assertion": true, "subject_token": true,
	"actor_token": true, "login_hint_token": true, "logout_token": true, "token": true, "authorization_details": true,
}

// many are the parameters that may come more than once.
var many = map[string]bool{"resource": true, "audience": true} // RFC 8707 section 2, RFC 8693 section 2.1

// Params are the parameters of one request, checked by Read. A parameter without a value counts as one that was not sent
// (RFC 6749 section 3.1).
type Params map[string][]string

// Read checks the form of parameters: none twice, none too long, all of it text.
func Read(in url.Values) (Params, error) {
	if len(in) > 100 {
		return nil, bad(InvalidRequest, "too many parameters")
	}
	out := make(Params, len(in))
	for name, values := range in {
		switch {
		case len(name) > 100 || !printable(name):
			return nil, bad(InvalidRequest, "a parameter has an unreadable name")
		case len(values) > 1 && !many[name], len(values) > 20:
			return nil, bad(InvalidRequest, "%s is given more than once", name)
		}
		for _, v := range values {
			if limit := map[bool]int{true: maxJWT, false: maxValue}[long[name]]; len(v) > limit {
				return nil, bad(InvalidRequest, "%s is longer than %d bytes", name, limit)
			}
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }) {
				return nil, bad(InvalidRequest, "%s has characters that are no text", name)
			}
			if v != "" {
				out[name] = append(out[name], v)
			}
		}
	}
	return out, nil
}

// Get gives the value of a parameter that comes once; empty when it was not sent.
func (p Params) Get(name string) string {
	if v := p[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Need is Get of a parameter that must be there.
func (p Params) Need(name string) (string, error) {
	v := p.Get(name)
	if v == "" {
		return "", bad(InvalidRequest, "missing %s", name)
	}
	return v, nil
}

// printable says whether text is of visible ASCII without quotes and backslashes.
func printable(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}
