package oauth

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// maxRegistration bounds a registration in bytes.
const maxRegistration = 64 << 10

// Registering is a client's registration as it sends it (RFC 7591 section 3.1, RFC 7592 section 2.2).
type Registering struct {
	Metadata
	ID     string `json:"client_id"`     // of a change only
	Secret string `json:"client_secret"` // of a change only

	Statement string `json:"software_statement"`
}

// ReadRegistration reads a registration. Members that are not known are ignored (RFC 7591 section 2). Software statements are not taken:
// there is nobody whom the server would believe what clients say.
func ReadRegistration(body []byte) (r Registering, err error) {
	if len(body) > maxRegistration {
		return r, bad(InvalidClientMetadata, "the registration is longer than %d bytes", maxRegistration)
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return r, bad(InvalidClientMetadata, "the registration is no JSON of the form that is wanted")
	}
	if r.Statement != "" {
		return r, bad(UnapprovedStatement, "software statements are not taken")
	}
	return r, nil
}

// needs are the grant types that response types need (RFC 7591 section 2.1).
func needs(t ResponseType) (out []string) {
	if t.Code {
		out = append(out, "authorization_code")
	}
	if t.Front() {
		out = append(out, "implicit")
	}
	return out
}

// Complete adds the response types that the metadata leaves to its default, and checks that they, the grant types and the redirect URIs go
// together. known are the response types of the server.
func (m *Metadata) Complete(known []string) error {
	no := func(member, why string) error { return bad(InvalidClientMetadata, "%s %s", member, why) }
	front := slices.Contains(m.GrantTypes, "authorization_code") || slices.Contains(m.GrantTypes, "implicit")
	if m.ResponseTypes == nil && slices.Contains(m.GrantTypes, "authorization_code") {
		m.ResponseTypes = []string{"code"}
	}
	for _, s := range m.ResponseTypes {
		t, err := ReadResponseType(s)
		switch {
		case err != nil || !slices.Contains(known, t.String()):
			return no("response_types", "has one that the application does not allow")
		case slices.ContainsFunc(needs(t), func(g string) bool { return !slices.Contains(m.GrantTypes, g) }):
			return no("response_types", "has one that needs another of grant_types")
		}
	}
	if front && len(m.Redirects) == 0 {
		return bad(InvalidRedirectURI, "redirect_uris is missing")
	}
	if m.Type == "" {
		m.Type = "web"
	}
	for _, uri := range m.Redirects {
		if err := m.fits(uri); err != nil {
			return err
		}
	}
	return nil
}

// fits says whether a redirect URI is of the kind of the client (OpenID Connect Registration section 2, application_type): web clients
// have https, programs on a device a scheme of their own, a loopback address, or https that is theirs.
func (m *Metadata) fits(uri string) error {
	u, err := url.Parse(uri)
	if err != nil {
		return bad(InvalidRedirectURI, "redirect_uris has one that cannot be read")
	}
	local := loopback(u) || strings.EqualFold(u.Hostname(), "localhost")
	switch {
	case m.Type == "web" && (u.Scheme != "https" || local):
		return bad(InvalidRedirectURI, "redirect_uris of web clients must be https, and not on this computer")
	case m.Type == "native" && u.Scheme == "http" && !local:
		return bad(InvalidRedirectURI, "redirect_uris of native clients must be a scheme of their own, a loopback address, or https")
	}
	return nil
}
