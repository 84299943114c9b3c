package oauth

import (
	"net/netip"
	"net/url"
	"strings"
)

// maxURI bounds redirect URIs in bytes.
const maxURI = 2000

// CheckRedirect says whether a URI may be registered for answers to go to. It must be absolute and without a fragment
// (RFC 6749 section 3.1.2), name no user, and be https; http is for loopback addresses (RFC 8252 section 7.3) and localhost,
// and other schemes are for programs on a device, whose scheme is a domain turned round (RFC 8252 section 7.1).
func CheckRedirect(uri string) error {
	u, err := readURI(uri)
	if err != nil {
		return err
	}
	switch u.Scheme {
	case "https":
		if u.Hostname() == "" {
			return bad(InvalidRedirectURI, "the redirect URI has no host")
		}
		return nil
	case "http":
		if loopback(u) || strings.EqualFold(u.Hostname(), "localhost") {
			return nil
		}
		return bad(InvalidRedirectURI, "the redirect URI must be https, or http to a loopback address")
	}
	if !strings.Contains(u.Scheme, ".") {
		return bad(InvalidRedirectURI, "the scheme of the redirect URI must be https, or a domain name turned round such as com.example.app")
	}
	return nil
}

func readURI(uri string) (*url.URL, error) {
	if uri == "" || len(uri) > maxURI || !visible(uri) || strings.ContainsAny(uri, `\`) {
		return nil, bad(InvalidRedirectURI, "the redirect URI cannot be read")
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil || !u.IsAbs():
		return nil, bad(InvalidRedirectURI, "the redirect URI is not absolute")
	case strings.Contains(uri, "#"):
		return nil, bad(InvalidRedirectURI, "the redirect URI has a fragment")
	case u.User != nil:
		return nil, bad(InvalidRedirectURI, "the redirect URI names a user")
	}
	return u, nil
}

// visible says whether text is of visible ASCII.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Origin is that of a URI as browsers write it (RFC 6454 section 6.2); empty where it has none: a program's own scheme.
func Origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
	return u.Scheme + "://" + host
}

// CheckOrigin says whether a text is an origin whose scripts may be trusted with answers: https, or http of this computer.
func CheckOrigin(text string) error {
	if text == "" || Origin(text) != text {
		return bad(InvalidClientMetadata, "an origin is scheme, host and port, in lower case and without a path")
	}
	return CheckRedirect(text + "/")
}

func loopback(u *url.URL) bool {
	ip, err := netip.ParseAddr(u.Hostname())
	return err == nil && ip.IsLoopback()
}

// Redirects are the URIs that a client has registered.
type Redirects []string

// Allow says whether answers may go to a URI: to one that was registered, byte for byte (RFC 9700 section 4.1.3). The one
// exception is the port of a loopback address, which programs choose as they run (RFC 8252 section 7.3).
func (r Redirects) Allow(uri string) bool {
	if _, err := readURI(uri); err != nil {
		return false
	}
	for _, known := range r {
		if known == uri || sameButPort(known, uri) {
			return true
		}
	}
	return false
}

func sameButPort(known, uri string) bool {
	a, errA := readURI(known)
	b, errB := readURI(uri)
	if errA != nil || errB != nil || a.Scheme != "http" || b.Scheme != "http" || !loopback(a) || !loopback(b) {
		return false
	}
	return a.Hostname() == b.Hostname() && a.EscapedPath() == b.EscapedPath() && a.RawQuery == b.RawQuery && a.ForceQuery == b.ForceQuery
}
