package tenant

import (
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

const hostColumns = `name_key, name, preferred, custom, created`

var (
	listHosts  = dbx.Q[Host]("tenant.hosts", `SELECT `+hostColumns+` FROM host WHERE tenant = ? ORDER BY name_key`)
	findHost   = dbx.Q[Host]("tenant.findHost", `SELECT `+hostColumns+` FROM host WHERE tenant = ? AND name_key = ?`)
	preferHost = dbx.E("tenant.preferHost", `UPDATE host SET preferred = (name_key = ?) WHERE tenant = ?`)
	firstHost  = dbx.E("tenant.preferSystem", `UPDATE host SET preferred = (name_key =
		(SELECT min(h.name_key) FROM host h WHERE h.tenant = ? AND NOT h.custom)) WHERE tenant = ?`)
	deleteHost = dbx.E("tenant.deleteHost", `DELETE FROM host WHERE tenant = ? AND name_key = ?`)
)

// reserved are prefixes that are not given out: people would take them for the operator's own.
var reserved = []string{"www", "api", "admin", "mail", "smtp", "imap", "ftp", "ns", "ns1", "ns2", "localhost", "autodiscover", "mta-sts", "wpad", "root", "support"}

// CheckHost gives the lower-case form of a host name without a port: an address in IPv4, or DNS labels.
func CheckHost(field, s string) (string, error) {
	s = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(s), "."))
	if s == "" {
		return "", fault.Blank(field)
	}
	if len(s) > 253 {
		return "", fault.Bad(field, "may have 253 bytes")
	}
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return "", fault.Bad(field, "must be a host name")
		}
	}
	return s, nil
}

// isLabel says whether s is one DNS label in lower case (RFC 1035 section 2.3.1, digits first allowed by RFC 1123).
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// Hosts lists the tenant's host names.
func (t *Tenants) Hosts(ctx context.Context, c *call.Call) ([]Host, error) {
	return listHosts.All(ctx, c.Tx, c.Tenant.ID)
}

// AddHost gives the tenant a further host name, made of a label and the installation's domain, and returns it.
func (t *Tenants) AddHost(ctx context.Context, c *call.Call, prefix string) (string, error) {
	prefix = strings.ToLower(strings.TrimSpace(prefix))
	switch {
	case !isLabel(prefix):
		return "", fault.Bad("cnamePrefix", "must be one label of a host name")
	case slices.Contains(reserved, prefix):
		return "", ErrHostTaken
	case t.Index.Domain == "":
		return "", ErrDomain
	}
	if err := t.lock(ctx, c); err != nil {
		return "", err
	}
	have, err := t.Hosts(ctx, c)
	if err != nil {
		return "", err
	}
	if len(have) >= maxHosts {
		return "", ErrTooMany
	}
	name := prefix + "." + t.Index.Domain
	noted(c, "Host", name)
	return name, addHost(ctx, c, Host{Name: name, Custom: true})
}

func (t *Tenants) host(ctx context.Context, c *call.Call, name string) (Host, error) {
	h, err := findHost.One(ctx, c.Tx, c.Tenant.ID, fold.Key(bare(name)))
	if errors.Is(err, dbx.ErrNoRow) {
		return Host{}, ErrHost
	}
	return h, err
}

// Prefer makes one of the tenant's host names the preferred one.
func (t *Tenants) Prefer(ctx context.Context, c *call.Call, name string) error {
	if err := t.lock(ctx, c); err != nil {
		return err
	}
	h, err := t.host(ctx, c, name)
	if err != nil {
		return err
	}
	noted(c, "Host", h.Name)
	_, err = preferHost.Do(ctx, c.Tx, h.Key, c.Tenant.ID)
	return err
}

// DeleteHost removes a custom host name; when it was the preferred one, a system name becomes it.
func (t *Tenants) DeleteHost(ctx context.Context, c *call.Call, name string) error {
	if err := t.lock(ctx, c); err != nil {
		return err
	}
	h, err := t.host(ctx, c, name)
	if err != nil {
		return err
	}
	noted(c, "Host", h.Name)
	if !h.Custom {
		return ErrHostSystem
	}
	if _, err := deleteHost.Do(ctx, c.Tx, c.Tenant.ID, h.Key); err != nil || !h.Preferred {
		return err
	}
	_, err = firstHost.Do(ctx, c.Tx, c.Tenant.ID, c.Tenant.ID)
	return err
}
