package oauth

import (
	"net/url"
	"slices"
	"strings"
)

// Sector is what clients share that are to know people by the same identifiers: the host of sector_identifier_uri, or that of all redirect
// URIs (OpenID Connect Core section 8.1). Where neither is, the client is alone, and its id comes back.
func (m Metadata) Sector(id string) string {
	if m.SectorURI != "" {
		if u, err := url.Parse(m.SectorURI); err == nil && u.Hostname() != "" {
			return "host " + strings.ToLower(u.Hostname())
		}
	}
	if hosts := m.hosts(); len(hosts) == 1 && hosts[0] != "" {
		return "host " + hosts[0]
	}
	return "client " + id
}

// hosts are those of the redirect URIs, each once.
func (m Metadata) hosts() (out []string) {
	for _, uri := range m.Redirects {
		host := ""
		if u, err := url.Parse(uri); err == nil {
			host = strings.ToLower(u.Hostname())
		}
		if !slices.Contains(out, host) {
			out = append(out, host)
		}
	}
	return out
}

// checkSector is whether it is clear who shares the identifiers by which the client knows people.
func (m Metadata) checkSector(no func(member, why string) error) error {
	if m.Subjects == "pairwise" && m.SectorURI == "" && len(m.hosts()) > 1 {
		return no("sector_identifier_uri", "is missing, since redirect_uris have several hosts")
	}
	return nil
}
