package upstream

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Provider is one that a tenant has set up, or could.
type Provider struct {
	Key     string `db:"name_key"`
	Name    string `db:"name"`
	Display string `db:"display"`
	Issuer  string `db:"issuer"` // empty: the program knows it
	Enabled bool   `db:"enabled"`
	Client  string `db:"client"` // id of the tenant's application there; empty: none
	Sealed  string `db:"sealed"`
	Team    string `db:"team"`
	KeyID   string `db:"key_id"`
	Scope   string `db:"scope"`
	Portal  string `db:"portal"`
	Domains string `db:"link_domains"` // for which it is believed as to whose an address is, with commas between, or *; empty: for none
	Changed int64  `db:"changed"`
	Version int64  `db:"version"` // 0: it is not set up
}

// Own says whether the tenant has an application of its own there.
func (p Provider) Own() bool { return p.Client != "" }

// Callback is the path to which the provider sends people back. Each has its own, so that an answer of one is never taken for another's.
func (p Provider) Callback() string { return Path + p.Name + suffix }

// Where providers send people back to: Path, the provider's name, and this.
const (
	Path   = "/SocialAuth/"
	suffix = "AuthCallback"
)

// NameOf is the provider of the last part of a path below Path; empty where it is none.
func NameOf(last string) string {
	if len(last) <= len(suffix) || !strings.EqualFold(last[len(last)-len(suffix):], suffix) {
		return ""
	}
	return last[:len(last)-len(suffix)]
}

const (
	columns  = `name_key, name, display, issuer, enabled, client, sealed, team, key_id, scope, portal, link_domains, changed, version`
	maxNames = 50 // providers of a tenant
	maxName  = 40 // bytes
	maxText  = 2000
	maxKey   = 16 << 10
)

var (
	findRow = dbx.Q[Provider]("upstream.find", `SELECT `+columns+` FROM upstream WHERE tenant = ? AND name_key = ?`)
	lockRow = dbx.Q[Provider]("upstream.lock", `SELECT `+columns+` FROM upstream WHERE tenant = ? AND name_key = ? FOR UPDATE`)
	allRows = dbx.Q[Provider]("upstream.all", `SELECT `+columns+` FROM upstream WHERE tenant = ? ORDER BY name_key`)
	putRow  = dbx.E("upstream.put", `INSERT INTO upstream (tenant, name_key, name, display, issuer, enabled, client, sealed, team, key_id, scope, portal, link_domains, changed, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant, name_key) DO UPDATE SET name = excluded.name, display = excluded.display,
		issuer = excluded.issuer, enabled = excluded.enabled, client = excluded.client, sealed = excluded.sealed, team = excluded.team, key_id = excluded.key_id,
		scope = excluded.scope, portal = excluded.portal, link_domains = excluded.link_domains, changed = excluded.changed, version = upstream.version + 1`)
	dropRow   = dbx.E("upstream.drop", `DELETE FROM upstream WHERE tenant = ? AND name_key = ?`)
	dropFlows = dbx.E("upstream.drop_flows", `DELETE FROM upstream_flow WHERE tenant = ? AND provider = ?`)
)

// known gives how a provider is asked.
func (p *Providers) known(row Provider) Known {
	if i := p.listed(row.Key); i >= 0 {
		return p.Catalog[i]
	}
	return custom(row)
}

func (p *Providers) listed(key string) int {
	return slices.IndexFunc(p.Catalog, func(k Known) bool { return fold.Key(k.Name) == key })
}

// Find gives a provider of the catalogue, or one that the tenant has set up. ErrUnknown.
func (p *Providers) Find(ctx context.Context, c *call.Call, name string) (Provider, error) {
	return p.find(ctx, c, findRow, name)
}

func (p *Providers) find(ctx context.Context, c *call.Call, q dbx.Query[Provider], name string) (Provider, error) {
	key := fold.Key(strings.TrimSpace(name))
	if key == "" || len(key) > 4*maxName || strings.ContainsRune(key, 0) {
		return Provider{}, ErrUnknown
	}
	row, err := q.One(ctx, c.Tx, c.Tenant.ID, key)
	i := p.listed(key)
	switch {
	case errors.Is(err, dbx.ErrNoRow) && i < 0:
		return Provider{}, ErrUnknown
	case errors.Is(err, dbx.ErrNoRow):
		row, err = Provider{Key: key}, nil
	}
	if i >= 0 {
		row.Name, row.Display = p.Catalog[i].Name, p.Catalog[i].Display
	}
	row.Display = cmp.Or(row.Display, row.Name)
	return row, err
}

// All gives the five of the contract, in its order, set up or not; then the others that are set up, by name.
func (p *Providers) All(ctx context.Context, c *call.Call) ([]Provider, error) {
	rows, err := allRows.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	var out []Provider
	for _, k := range p.Catalog {
		row := Provider{Key: fold.Key(k.Name)}
		i := slices.IndexFunc(rows, func(r Provider) bool { return r.Key == row.Key })
		if i >= 0 {
			row = rows[i]
		}
		if row.Name, row.Display = k.Name, k.Display; i >= 0 || !k.Extra {
			out = append(out, row)
		}
	}
	for _, row := range rows {
		if p.listed(row.Key) < 0 {
			row.Display = cmp.Or(row.Display, row.Name)
			out = append(out, row)
		}
	}
	return out, nil
}

// Offered gives those at which people may sign in.
func (p *Providers) Offered(ctx context.Context, c *call.Call) ([]Provider, error) {
	all, err := p.All(ctx, c)
	return slices.DeleteFunc(all, func(r Provider) bool { return !r.Enabled }), err
}

// Secret opens the secret of the tenant's application; empty: there is none.
func (p *Providers) Secret(ctx context.Context, c *call.Call, row Provider) (string, error) {
	if row.Sealed == "" {
		return "", nil
	}
	plain, err := p.Ring.Open(ctx, c.Tenant.ID, purpose, row.Sealed, row.Key)
	return string(plain), err
}

// Wish is how a provider is to be. What is nil stays as it is.
type Wish struct {
	Name    string
	Own     *bool // false: without an application of the tenant's own, and so nobody signs in there
	Enabled *bool
	Client  *string
	Secret  string // empty: as it is
	Issuer  *string
	Display *string
	Team    *string
	KeyID   *string
	Scope   *string
	Portal  *string
	Domains *string // as Provider.Domains
}

// Ready is a wish whose secret is sealed.
type Ready struct {
	wish   Wish
	sealed string
}

// Prepare checks a wish as far as it tells, and seals its secret; outside transactions.
func (p *Providers) Prepare(ctx context.Context, c *call.Call, w Wish) (Ready, error) {
	out := Ready{wish: w}
	for _, t := range []struct {
		field string
		text  *string
		most  int
	}{
		{"AppId", w.Client, 500}, {"AppSecret", &w.Secret, maxKey}, {"DisplayName", w.Display, 100}, {"TeamId", w.Team, 100}, {"KeyId", w.KeyID, 100},
		{"Scope", w.Scope, maxText}, {"PortalUrl", w.Portal, maxText}, {"Issuer", w.Issuer, maxText}, {"LinkDomains", w.Domains, maxText},
	} {
		if t.text == nil {
			continue
		}
		if len(*t.text) > t.most || t.field != "AppSecret" && strings.ContainsFunc(*t.text, unicode.IsControl) {
			return out, fault.Bad(t.field, "may have %d bytes and be one line", t.most)
		}
	}
	if w.Portal != nil && *w.Portal != "" && !address(*w.Portal) {
		return out, fault.Bad("PortalUrl", "must be an absolute https address")
	}
	if w.Domains != nil {
		list, ok := domains(*w.Domains)
		if !ok {
			return out, fault.Bad("LinkDomains", "must be mail domains with commas between, or *")
		}
		out.wish.Domains = &list
	}
	if w.Secret == "" {
		return out, nil
	}
	if fold.Key(w.Name) == fold.Key(Apple) {
		if _, err := appleKey(w.Secret); err != nil {
			return out, fault.Bad("AppSecret", "must be the private key of Apple's, in PEM")
		}
	}
	err := p.Ring.Ensure(ctx, c.Tenant.ID, purpose)
	if err == nil {
		out.sealed, err = p.Ring.Seal(ctx, c.Tenant.ID, purpose, []byte(w.Secret), fold.Key(strings.TrimSpace(w.Name)))
	}
	return out, err
}

// address says whether a text is an absolute https address that a browser can be led to.
func address(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && u.Opaque == ""
}

// issuer says whether a text can be an issuer (OpenID Connect Discovery 1.0 section 3).
func issuer(text string) bool {
	u, err := url.Parse(text)
	return err == nil && address(text) && u.RawQuery == "" && !u.ForceQuery && !strings.Contains(text, "#")
}

// nameable says whether a provider that the program does not know can be called so: the name is part of a path.
func nameable(name string) bool {
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}

// domains reads a list of mail domains, and says whether it is one.
func domains(text string) (string, bool) {
	var out []string
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		if one != "*" && (strings.ContainsFunc(one, func(r rune) bool { return r == '@' || r == '*' || unicode.IsSpace(r) }) || strings.HasPrefix(one, ".")) {
			return "", false
		}
		out = append(out, one)
	}
	return strings.Join(out, ","), true
}

// Set stores a provider. One that the program does not know needs its issuer. A saved secret stays with the issuer and the application that
// it was saved for. Faults: ErrUnknown, ErrSecret, ErrProviders and those of parameters.
func (p *Providers) Set(ctx context.Context, c *call.Call, r Ready) error {
	w := r.wish
	w.Name = strings.TrimSpace(w.Name)
	old, err := p.find(ctx, c, lockRow, w.Name)
	if errors.Is(err, ErrUnknown) && w.Issuer != nil && *w.Issuer != "" {
		if !nameable(w.Name) {
			return fault.Bad("IdpName", "of an issuer of your own may have %d letters of English, digits and hyphens", maxName)
		}
		all, err := allRows.All(ctx, c.Tx, c.Tenant.ID)
		if err != nil {
			return err
		}
		if len(all) >= maxNames {
			return ErrProviders
		}
		old = Provider{Key: fold.Key(w.Name), Name: w.Name}
	} else if err != nil {
		return err
	}
	now, err := p.changed(old, r)
	if err != nil {
		return err
	}
	return p.store(ctx, c, old, now)
}

// changed is the provider as it is wished.
func (p *Providers) changed(old Provider, r Ready) (Provider, error) {
	now, w := old, r.wish
	for to, from := range map[*string]*string{
		&now.Client: w.Client, &now.Display: w.Display, &now.Issuer: w.Issuer, &now.Team: w.Team, &now.KeyID: w.KeyID, &now.Scope: w.Scope, &now.Portal: w.Portal,
		&now.Domains: w.Domains,
	} {
		if from != nil {
			*to = strings.TrimSpace(*from)
		}
	}
	if w.Enabled != nil {
		now.Enabled = *w.Enabled
	}
	if w.Own != nil && !*w.Own {
		now.Client, now.Sealed, now.Enabled, now.Team, now.KeyID = "", "", false, "", ""
		return now, nil
	}
	if now.Issuer != old.Issuer && w.Domains == nil {
		now.Domains = "" // another issuer was not meant
	}
	if r.sealed != "" {
		now.Sealed = r.sealed
	} else if now.Client != old.Client || now.Issuer != old.Issuer {
		now.Sealed = "" // or whoever names another issuer would be sent it
	}
	return now, p.check(now, w)
}

// check says whether a provider can be so.
func (p *Providers) check(now Provider, w Wish) error {
	listed := p.listed(now.Key) >= 0
	switch {
	case listed && now.Issuer != "":
		return fault.Bad("Issuer", "is known of %s and cannot be set", now.Name)
	case !listed && !issuer(now.Issuer):
		return fault.Bad("Issuer", "must be an absolute https address without a query")
	case w.Own != nil && now.Client == "":
		return fault.Missing("AppId")
	case w.Own != nil && now.Sealed == "":
		return fault.Missing("AppSecret")
	case now.Key == fold.Key(Apple) && now.Own() && now.Team == "":
		return fault.Missing("TeamId")
	case now.Key == fold.Key(Apple) && now.Own() && now.KeyID == "":
		return fault.Missing("KeyId")
	case now.Enabled && (now.Client == "" || now.Sealed == ""):
		return ErrSecret.At(now.Name)
	}
	return nil
}

// Reset puts a provider back to the beginning. What people connected stays theirs, and is of use again with it.
func (p *Providers) Reset(ctx context.Context, c *call.Call, name string) error {
	old, err := p.find(ctx, c, lockRow, name)
	if err != nil {
		return err
	}
	if _, err := dropRow.Do(ctx, c.Tx, c.Tenant.ID, old.Key); err != nil {
		return err
	}
	note(c, old, Provider{Key: old.Key, Name: old.Name})
	_, err = dropFlows.Do(ctx, c.Tx, c.Tenant.ID, old.Key)
	return err
}

func (p *Providers) store(ctx context.Context, c *call.Call, old, now Provider) error {
	display := now.Display
	if display == now.Name || p.listed(now.Key) >= 0 {
		display = ""
	}
	if _, err := putRow.Do(ctx, c.Tx, c.Tenant.ID, now.Key, now.Name, display, now.Issuer, now.Enabled, now.Client, now.Sealed, now.Team, now.KeyID, now.Scope, now.Portal,
		now.Domains, c.Now.UnixMilli()); err != nil {
		return err
	}
	note(c, old, now)
	if old.Enabled == now.Enabled && old.Client == now.Client && old.Issuer == now.Issuer && old.Domains == now.Domains {
		return nil
	}
	_, err := dropFlows.Do(ctx, c.Tx, c.Tenant.ID, now.Key) // they were begun with what counts no more
	return err
}

// note keeps a change in the event; of the secret, only that it changed.
func note(c *call.Call, old, now Provider) {
	e := c.Event
	if e == nil {
		return
	}
	if e.Target == "" {
		e.Target, e.Kind, e.Name = now.Name, "IdentityProvider", now.Name
	}
	at := func(field string, was, is any) {
		if was != is {
			e.Change(now.Name+"."+field, was, is)
		}
	}
	at("Enabled", old.Enabled, now.Enabled)
	at("DisplayName", old.Display, now.Display)
	at("AppId", old.Client, now.Client)
	at("Issuer", old.Issuer, now.Issuer)
	at("TeamId", old.Team, now.Team)
	at("KeyId", old.KeyID, now.KeyID)
	at("Scope", old.Scope, now.Scope)
	at("PortalUrl", old.Portal, now.Portal)
	at("LinkDomains", old.Domains, now.Domains)
	if old.Sealed != now.Sealed {
		e.Changes[now.Name+".AppSecret"] = call.Change{Old: masked(old.Sealed), New: masked(now.Sealed)}
	}
}

// Mask stands for a secret that there is.
const Mask = "********"

func masked(sealed string) string {
	if sealed == "" {
		return ""
	}
	return Mask
}
