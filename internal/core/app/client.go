package app

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/change"
	"limen/internal/core/oauth"
	"limen/internal/core/policy"
	"limen/internal/crypt"
	"limen/internal/fold"
)

// topic of changes; their item is the tenant.
const topic = "app"

// builtin is an application that every tenant has without a row.
type builtin struct{ oauth.App }

// Shared is the application by which service users of ark and idsec sign in (oauth.yaml, head and n 24): they show their
// password, and get an ID token. Whoever is a confidential client may use it; nobody can change it, and it is in no list.
var Shared = builtin{oauth.App{
	ID: "__idaptive_cybr_user_oidc", Service: "__idaptive_cybr_user_oidc", Name: "__idaptive_cybr_user_oidc", Active: true,
	Profile: oauth.Profile{
		Platform: true, OpenID: true, IDBearer: true, ClientID: "__idaptive_cybr_user_oidc", Redirects: []string{"https://cyberark.cloud/redirect"},
		Flows:  []oauth.Flow{oauth.Credentials, oauth.Implicit},
		Scopes: []oauth.Scope{{Name: "api", Description: "Everything that the service user may", Paths: []string{".*"}}},
	},
}}

func (b builtin) is(service string) bool { return strings.EqualFold(service, b.Service) }

// known are applications as the authorization server sees them, by tenant and service key.
type known struct {
	mu         sync.Mutex
	generation int64
	apps       map[string]map[string]oauth.App
	size       int
}

// maxKnown bounds the applications in memory; beyond them all are read anew.
const maxKnown = 20_000

// Watch has the memory forget what changes. It is called before the first call of Client.
func (a *Apps) Watch(watch func(topic string, f func(item string))) { watch(topic, a.forget) }

func (a *Apps) forget(tenant string) {
	a.origins.forget(tenant)
	k := &a.known
	k.mu.Lock()
	defer k.mu.Unlock()
	k.generation++
	if tenant == change.Reset {
		k.apps, k.size = nil, 0
		return
	}
	k.size -= len(k.apps[tenant])
	delete(k.apps, tenant)
}

func (k *known) get(tenant, key string) (oauth.App, int64, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	it, ok := k.apps[tenant][key]
	return it, k.generation, ok
}

func (k *known) put(tenant, key string, it oauth.App, generation int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.generation != generation {
		return // it may have changed since it was read
	}
	if k.apps == nil || k.size >= maxKnown {
		k.apps, k.size = map[string]map[string]oauth.App{}, 0
	}
	if k.apps[tenant] == nil {
		k.apps[tenant] = map[string]oauth.App{}
	}
	if _, had := k.apps[tenant][key]; !had {
		k.size++
	}
	k.apps[tenant][key] = it
}

// Client finds an application as the authorization server sees it, by its ServiceName or its id, inside a transaction or
// outside. oauth.ErrUnknownApp where there is none that tokens are issued for.
func (a *Apps) Client(ctx context.Context, c *call.Call, ref string) (oauth.App, error) {
	if Shared.is(ref) {
		return Shared.App, nil
	}
	key := fold.Key(strings.TrimSpace(ref))
	if key == "" || len(key) > 200 {
		return oauth.App{}, unknown(ref)
	}
	it, generation, ok := a.known.get(c.Tenant.ID, key)
	// A transaction that writes reads for itself: what it has written is in no memory.
	if ok && (a.Fresh == nil || a.Fresh()) && c.Wrote == 0 {
		return it, nil
	}
	return a.read(ctx, c, key, ref, generation)
}

// read asks the store. What it gives outside a transaction is kept, unless something has changed since the generation.
func (a *Apps) read(ctx context.Context, c *call.Call, key, ref string, generation int64) (it oauth.App, err error) {
	find := func() (err error) { it, err = a.client(ctx, c, key, ref); return err }
	if c.Tx != nil {
		return it, find()
	}
	if err := c.Snapshot(ctx, find); err != nil {
		return oauth.App{}, err
	}
	it.Derived = &oauth.Derived{}
	a.known.put(c.Tenant.ID, key, it, generation)
	a.known.put(c.Tenant.ID, fold.Key(it.ID), it, generation) // by which tokens name it
	return it, nil
}

func (a *Apps) client(ctx context.Context, c *call.Call, key, ref string) (oauth.App, error) {
	r, err := found(byService.One(ctx, c.Tx, c.Tenant.ID, key))
	if errors.Is(err, ErrNotFound) {
		r, err = found(byID.One(ctx, c.Tx, c.Tenant.ID, key))
	}
	if errors.Is(err, ErrNotFound) {
		return oauth.App{}, unknown(ref)
	}
	if err != nil {
		return oauth.App{}, err
	}
	it, err := r.app()
	if err == nil && (it.Profile == nil || it.Service == "") {
		err = unknown(ref)
	}
	if err != nil {
		return oauth.App{}, err
	}
	return it.client()
}

func unknown(ref string) error { return oauth.ErrUnknownApp.Say("unknown app %.100s", ref) }

// client is an application as the authorization server sees it.
func (it App) client() (oauth.App, error) {
	p := it.Profile
	flows, err := readFlows(p.AllowedAuth)
	if err != nil {
		return oauth.App{}, err
	}
	life, err := span("TokenLifetimeString", p.TokenLifetimeString, maxLife)
	if err != nil {
		return oauth.App{}, err
	}
	refresh, err := span("RefreshLifetimeString", p.RefreshLifetimeString, maxRefresh)
	if err != nil {
		return oauth.App{}, err
	}
	out := oauth.App{ID: it.ID, Service: it.Service, Name: it.Name, Active: it.State == Active, Guarded: it.closed(), Profile: oauth.Profile{
		Platform: p.TargetIsUs, OpenID: it.Type == OpenIDConnect, ClientID: p.ClientID, Secret: it.secret, Allowed: p.AllowedClients, Public: p.AllowPublic,
		Redirects: p.Redirects, LogoutRedirects: p.PostLogoutRedirects, Issuer: p.Issuer, Audience: p.Audience, Opaque: p.TokenType == Opaque,
		Flows: flows, Life: life, Refresh: p.AllowRefresh, RefreshLife: refresh, Consent: p.Confirm,
		Exchange: oauth.Exchanges{From: p.ExchangeFrom, Impersonation: p.AllowImpersonation},
		Pushed:   p.RequirePushed, DPoPNonce: p.DPoPNonce, FAPI: p.FAPI, Alg: crypt.Alg(p.SigningAlg), Origins: p.AllowedOrigins,
		Sessions: p.SessionManagement,
	}}
	out.Ruled = it.guarded() && !out.Guarded
	if out.Ruled {
		out.Rules, out.Default = it.Members["AuthRules"], it.Text("DefaultAuthProfile")
	}
	out.Scripts = oauth.Scripted{Claims: it.Script("OpenIDConnectScript"), Policy: it.Script("PolicyScript")}
	if out.Scripts.Claims+out.Scripts.Policy != "" {
		out.Scripts.Facts = it.Facts()
	}
	if p.Client != nil {
		out.Profile.Client = *p.Client
	}
	out.Profile.Registering = p.Registration
	if out.Profile.Authorities, err = p.authorities(); err != nil {
		return oauth.App{}, err
	}
	switch {
	case p.MustBeOauthClient || p.ClientIDType == 1:
		out.Profile.Clients = oauth.Confidential
	case len(p.AllowedClients) > 0:
		out.Profile.Clients = oauth.ListedClients
	case p.AllowPublic:
		out.Profile.Clients = oauth.AnyClient
	default:
		out.Profile.Clients = oauth.Confidential
	}
	for _, s := range p.KnownScopes {
		out.Profile.Scopes = append(out.Profile.Scopes, oauth.Scope{Name: s.Scope, Description: s.Description, Paths: slices.Clone(s.AllowedRest)})
	}
	return out, nil
}

// guarded says whether the record has rules about who may use the application and how. They are decided where the authorization server
// signs people in to it; whatever else opens an application cannot decide them, and must not ask for less than its administrator wants.
func (it App) guarded() bool {
	var rules struct {
		Enabled bool              `json:"Enabled"`
		Value   []json.RawMessage `json:"_Value"`
	}
	var profile string
	for name, to := range map[string]any{"AuthRules": &rules, "DefaultAuthProfile": &profile} {
		if raw, ok := it.Members[name]; ok && json.Unmarshal(raw, to) != nil {
			return true
		}
	}
	return rules.Enabled && len(rules.Value) > 0 || profile != "" && !strings.EqualFold(profile, policy.Always) || it.Script("PolicyScript") != ""
}

// Script is the text of a script of the record; empty where there is none.
func (it App) Script(member string) string {
	text := it.Text(member)
	if strings.TrimSpace(text) == "" || text == empty {
		return ""
	}
	return text
}

// empty is what records have in place of a script that does nothing.
const empty = "@Empty"

// Facts are what scripts see of the record: its short texts, none of which is a secret.
func (it App) Facts() map[string]string {
	out := map[string]string{
		"DisplayName": it.Display, "Description": it.Description, "ServiceName": it.Service, "TemplateName": it.Template, "AppType": it.Kind, "WebAppType": it.Type,
		"Category": it.Category, "Icon": it.Icon(), "Url": it.Location(),
	}
	for _, name := range []string{"Issuer", "Audience", "CorpIdentifier", "AdditionalField1", "AdminTag", "RelayState", "UserNameStrategy", "UserNameArg"} {
		out[name] = it.Text(name)
	}
	if p := it.Profile; p != nil {
		out["Issuer"], out["Audience"] = p.Issuer, p.Audience
	}
	return out
}

// closed says whether the record has rules that cannot be read.
func (it App) closed() bool {
	var profile, script string
	for name, to := range map[string]any{"DefaultAuthProfile": &profile, "PolicyScript": &script} {
		if raw, ok := it.Members[name]; ok && json.Unmarshal(raw, to) != nil {
			return true
		}
	}
	return policy.MisfitRules(it.Members["AuthRules"]) != ""
}

// Usable says whether somebody may use an application: they have the right Execute on it. by is the person as a caller, with
// their roles and rights. The shared application has no row: whoever is a confidential client may use it.
//
// until is when the answer may be another though nothing changes, in ms since 1970 UTC; 0: never.
func (a *Apps) Usable(ctx context.Context, c *call.Call, by call.Caller, id string) (usable bool, until int64, err error) {
	in := *c
	in.Caller = &by
	_, until, err = a.Lists.NeedUntil(ctx, &in, Table, id, Execute)
	if errors.Is(err, acl.ErrRow) || errors.Is(err, acl.ErrDenied) {
		return false, until, nil
	}
	return err == nil, until, err
}

// Administered is Client for who may administer the application, by its ServiceName. Faults: ErrNotFound, acl.ErrDenied.
func (a *Apps) Administered(ctx context.Context, c *call.Call, service string) (oauth.App, error) {
	r, err := found(byService.One(ctx, c.Tx, c.Tenant.ID, fold.Key(strings.TrimSpace(service))))
	if err == nil {
		_, err = a.Lists.Need(ctx, c, Table, r.ID, acl.Edit)
	}
	switch {
	case errors.Is(err, acl.ErrRow):
		return oauth.App{}, ErrNotFound
	case err != nil:
		return oauth.App{}, err
	}
	return a.Client(ctx, c, r.ID)
}

// LongestLife is how long a token of any of the tenant's applications can live, in c.Tx.
func (a *Apps) LongestLife(ctx context.Context, c *call.Call) (time.Duration, error) {
	longest := Shared.Profile.TokenLife()
	err := lives.Each(ctx, c.Tx, func(raw string) error {
		var p Profile
		if err := json.Unmarshal([]byte(raw), &p); err != nil {
			return err
		}
		life, err := span("TokenLifetimeString", p.TokenLifetimeString, maxLife)
		longest = max(longest, oauth.Profile{Life: life}.TokenLife())
		return err
	}, c.Tenant.ID)
	return longest, err
}
