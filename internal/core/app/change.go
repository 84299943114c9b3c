package app

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Change is a partial change of a record: members by their names, whatever their case; nil clears one. Publish are roles that
// get the right to use the application, Unpublish those from which it is taken.
type Change struct {
	Members            map[string]any
	Publish, Unpublish []Publication
}

// Publication is a role that gets an application, or loses it.
type Publication struct {
	Role      string // id
	Automatic bool
}

// plain are the members that have columns.
var plain = map[string]func(*App) *string{
	"name": func(it *App) *string { return &it.Name }, "displayname": func(it *App) *string { return &it.Display },
	"description": func(it *App) *string { return &it.Description }, "category": func(it *App) *string { return &it.Category },
	"servicename": func(it *App) *string { return &it.Service },
}

// Update changes an application. It becomes Active as soon as what its kind cannot do without is there. The caller needs
// Edit, and Grant for roles. Members that are not the catalogue's are ignored. Faults: ErrNotFound, acl.ErrDenied, ErrMember,
// ErrProfile, ErrService, ErrServiceTaken, ErrNameTaken, ErrStale, those of acl.Lists.Permit.
func (a *Apps) Update(ctx context.Context, c *call.Call, ref string, ch Change) (App, error) {
	old, o, err := a.need(ctx, c, ref, acl.Edit)
	if err != nil {
		return App{}, err
	}
	noted(c, old)
	it := old
	it.Members = maps.Clone(old.Members)
	for _, name := range slices.Sorted(maps.Keys(ch.Members)) {
		if err := a.set(ctx, c, &it, name, ch.Members[name]); err != nil {
			return App{}, err
		}
	}
	if err := it.check(c, old); err != nil {
		return App{}, err
	}
	if err := a.checkIssuer(ctx, c, it); err != nil {
		return App{}, err
	}
	if err := a.deputed(ctx, c, old, it); err != nil {
		return App{}, err
	}
	it.State = it.ready()
	if !reflect.DeepEqual(old, it) {
		differ(c, old, it)
		if err := a.store(ctx, c, it); err != nil {
			return App{}, err
		}
	}
	if old.Profile != nil && !reflect.DeepEqual(old.Profile, it.Profile) && old.Profile.narrower(it.Profile) {
		if err := a.Ended(ctx, c, it.ID); err != nil {
			return App{}, err
		}
	}
	return it, a.publish(ctx, c, o, ch)
}

// set puts one member in its place.
func (a *Apps) set(ctx context.Context, c *call.Call, it *App, name string, v any) error {
	key := fold.Key(name)
	if at := plain[key]; at != nil {
		s, ok := v.(string)
		if !ok && v != nil {
			return misfit(Member{Name: name}, "must be a text")
		}
		*at(it) = strings.TrimSpace(s)
		return nil
	}
	switch key {
	case "password":
		return a.sealed(ctx, c, &it.password, passwordPurpose, it.ID, v)
	case "oauthprofile":
		return a.setProfile(ctx, c, it, v)
	}
	m, known := members[key]
	if !known {
		return nil
	}
	if m.Name == "Script" && (it.Type == OpenIDConnect || it.Type == OAuth) {
		m.Name = "OpenIDConnectScript" // as older clients write it
	}
	if v == nil {
		delete(it.Members, m.Name)
		return nil
	}
	raw, err := m.read(v)
	if err == nil {
		it.Members[m.Name] = raw
	}
	return err
}

// sealed seals a secret; nil and the empty text clear it.
func (a *Apps) sealed(ctx context.Context, c *call.Call, to *string, purpose, id string, v any) error {
	plain, ok := v.(string)
	switch {
	case v != nil && !ok, len(plain) > maxText, !utf8.ValidString(plain):
		return misfit(Member{Name: "Password"}, "must be a text of %d bytes at most", maxText)
	case plain == "":
		*to = ""
		return nil
	}
	var err error
	*to, err = a.Seal(ctx, c, purpose, id, []byte(plain))
	return err
}

// setProfile replaces the OAuth profile. Its client id stays what it is, and a secret that is not given stays, too: nobody can
// read it to give it back.
func (a *Apps) setProfile(ctx context.Context, c *call.Call, it *App, v any) error {
	if it.Profile == nil {
		return nil // of another kind: clients send back what they have read
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if v == nil {
		return bad("Redirects", "is missing: the profile can be replaced, and not taken away")
	}
	p, secret, err := readProfile(raw)
	if err != nil {
		return err
	}
	p.ClientID = it.Profile.ClientID
	t, _ := FindTemplate(it.Template)
	if t.Profile == nil || !t.Profile.TargetIsUs {
		p.TargetIsUs = false
	} else {
		p.TargetIsUs = true
	}
	it.Profile = p
	if secret == nil {
		return nil
	}
	return a.sealed(ctx, c, &it.secret, secretPurpose, it.ID, *secret)
}

var service = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// check is whether a record may be as it is.
func (it App) check(c *call.Call, old App) error {
	switch {
	case it.Name == "":
		return fault.Blank("Name")
	case len(it.Name) > 200 || !utf8.ValidString(it.Name) || strings.ContainsFunc(it.Name, unicode.IsControl):
		return fault.Bad("Name", "may have 200 bytes and no control characters")
	case len(it.Display) > 200 || len(it.Category) > 200 || len(it.Description) > long:
		return fault.Bad("Description", "may have %d bytes, DisplayName and Category 200", long)
	case it.Service != "" && (!service.MatchString(it.Service) || strings.HasPrefix(it.Service, "__")):
		return ErrService.At("ServiceName")
	}
	if reflect.DeepEqual(it.Profile, old.Profile) && it.Service == old.Service {
		return nil
	}
	if p := it.Profile; p != nil && p.TargetIsUs && !p.Confirm && !c.Caller.Held.System() {
		// Its clients act for whoever follows a link of theirs, the strongest administrator among them.
		return bad("Confirm", "must be true: only system administrators let clients call this API for people without asking them")
	}
	return nil
}

// ready is the state of a record.
func (it App) ready() string {
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { raw := it.Members[n]; return len(raw) == 0 || string(raw) == `""` })
	}
	ok := true
	switch it.Type {
	case SAML:
		ok = has("Audience", "Url")
	case OpenIDConnect, OAuth:
		ok = it.Service != "" && it.Profile.AllowedAuth != "" && (it.Profile.machine() || len(it.Profile.Redirects) > 0)
	case Bookmark, UserPassword, Browser, NTLM:
		ok = has("Url")
	}
	if ok {
		return Active
	}
	return Configured
}

// machine says whether clients come in their own names only.
func (p *Profile) machine() bool {
	return !strings.Contains(p.AllowedAuth, "AuthorizationCode") && !strings.Contains(p.AllowedAuth, "Implicit")
}

// narrower says whether clients that had what p allows may have more than next allows: whose tokens are for other ends.
func (p *Profile) narrower(next *Profile) bool {
	has := func(list []string) func(string) bool {
		return func(s string) bool { return !slices.Contains(list, s) }
	}
	return slices.ContainsFunc(p.AllowedClients, has(next.AllowedClients)) || p.AllowPublic && !next.AllowPublic ||
		!p.MustBeOauthClient && next.MustBeOauthClient || p.AllowRefresh && !next.AllowRefresh || next.FAPI != "" && p.FAPI != next.FAPI
}

// publish gives the application to roles, and takes it from roles.
func (a *Apps) publish(ctx context.Context, c *call.Call, o acl.Object, ch Change) error {
	var gs []acl.Given
	for _, p := range ch.Publish {
		mask := acl.View | Execute
		if p.Automatic {
			mask |= Automatic
		}
		gs = append(gs, acl.Given{Kind: role.Sub, Principal: p.Role, Mask: mask})
		told(c, o, audit.AppPublish, p.Role)
	}
	for _, p := range ch.Unpublish {
		gs = append(gs, acl.Given{Kind: role.Sub, Principal: p.Role})
		told(c, o, audit.AppUnpublish, p.Role)
	}
	if len(gs) == 0 {
		return nil
	}
	return a.Lists.Permit(ctx, c, o, gs...)
}

// told records to or from whom an application was given or taken.
func told(c *call.Call, o acl.Object, event, roleID string) {
	e := c.Record(event)
	e.Kind, e.Target, e.Name = Table, o.ID, o.Name
	e.Set("Role", roleID)
}

// Permit sets what principals have on an application. Faults: ErrNotFound, and those of acl.Lists.Permit.
func (a *Apps) Permit(ctx context.Context, c *call.Call, ref string, gs ...acl.Given) error {
	it, o, err := a.need(ctx, c, ref, acl.Grant)
	if err != nil {
		return err
	}
	noted(c, it)
	if err := a.Lists.Permit(ctx, c, o, gs...); err != nil {
		return err
	}
	return a.Put(ctx, c, topic, c.Tenant.ID) // whoever lost it is signed out of it
}

// ResetScript puts the script of an application's template back. The caller needs Edit. Faults: ErrNotFound, ErrNoScript,
// acl.ErrDenied.
func (a *Apps) ResetScript(ctx context.Context, c *call.Call, ref string) error {
	it, _, err := a.need(ctx, c, ref, acl.Edit)
	if err != nil {
		return err
	}
	noted(c, it)
	t, _ := FindTemplate(it.Template)
	old := it
	it.Members = maps.Clone(it.Members)
	done := false
	for _, name := range []string{"SamlScript", "OpenIDConnectScript", "UserPassScript"} {
		if raw, ok := t.Members[name]; ok {
			it.Members[name], done = raw, true
		}
	}
	if !done {
		return ErrNoScript
	}
	differ(c, old, it)
	return a.store(ctx, c, it)
}

// differ keeps in the event what a record was and is. Of secrets it says that they changed.
func differ(c *call.Call, old, it App) {
	e := c.Event
	if e == nil {
		return
	}
	call.Changed(e, "Name", old.Name, it.Name)
	call.Changed(e, "DisplayName", old.Display, it.Display)
	call.Changed(e, "Description", old.Description, it.Description)
	call.Changed(e, "Category", old.Category, it.Category)
	call.Changed(e, "ServiceName", old.Service, it.Service)
	call.Changed(e, "State", old.State, it.State)
	for _, m := range Catalogue() {
		call.Changed(e, m.Name, audit.Shown(clip(old.Members[m.Name])), audit.Shown(clip(it.Members[m.Name]))) // no member is a secret
	}
	text := func(p *Profile) string { raw, _ := json.Marshal(p); return clip(raw) } // its members always can be written
	call.Changed(e, "OAuthProfile", text(old.Profile), text(it.Profile))
	var sealed []string // what they are is no event's
	if old.secret != it.secret {
		sealed = append(sealed, "client")
	}
	if old.password != it.password {
		sealed = append(sealed, "account")
	}
	if sealed != nil {
		e.Set("Sealed", sealed)
	}
}

// clip keeps events short.
func clip(raw json.RawMessage) string {
	const most = 4000
	if len(raw) > most {
		return string(raw[:most]) + "..."
	}
	return string(raw)
}
