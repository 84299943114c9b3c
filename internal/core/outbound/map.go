package outbound

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/provision"
	"limen/internal/core/script"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/wire/scim"
)

// Reserved are attributes that no mapping sets: what they are is decided here, or by the service.
var Reserved = []string{"schemas", "id", "externalId", "meta", "active", "groups", "password"}

// told are the attributes of people that are told where no script says otherwise.
var told = []string{
	"userName", "displayName", "name", "nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone", "emails", "phoneNumbers",
	"addresses", provision.EnterpriseURN,
}

// plain is what is told of somebody without a script, in c.Tx. externalId is the person's UUID, by which their account is found again. The
// manager is left out: the service knows people by ids of its own.
func (o *Outbound) plain(ctx context.Context, c *call.Call, u user.User) (scim.Object, error) {
	t, err := o.Directory.User(ctx, c)
	if err != nil {
		return nil, err
	}
	all, err := o.Directory.Users(ctx, c, t, t.Select(told, nil), u)
	if err != nil {
		return nil, err
	}
	out := scim.Object{"externalId": u.ID, "active": true}
	for _, name := range told {
		if v, ok := all[0].Object[name]; ok {
			out[name] = v
		}
	}
	if ent, ok := out[provision.EnterpriseURN].(scim.Object); ok {
		ent = maps.Clone(ent)
		delete(ent, "manager")
		out[provision.EnterpriseURN] = ent
		if len(ent) == 0 {
			delete(out, provision.EnterpriseURN)
		}
	}
	return out, nil
}

// flat are the texts of a resource by the names of attributes, as scripts see them.
func flat(o scim.Object) map[string]any {
	out := map[string]any{}
	for _, in := range []any{o[provision.EnterpriseURN], o["name"], o} {
		part, _ := in.(scim.Object)
		for name, v := range part {
			if s, ok := v.(string); ok {
				out[name] = s
			}
		}
	}
	for _, name := range []string{"title", "nickName", "userType", "givenName", "middleName", "familyName", "formatted", "employeeNumber", "costCenter", "organization", "division", "department"} {
		if _, ok := out[name]; !ok {
			out[name] = nil // so that scripts may ask
		}
	}
	return out
}

// mapped is what is told of somebody, and what the script said of it.
type mapped struct {
	resource scim.Object
	verdict  script.Verdict
}

// errMapping is a failure of the script, which nothing but a change mends.
var errMapping = fault.New(fault.Invalid, "outbound.mapping", "The mapping script failed.")

// mapTo has the script of a target change what is told of somebody. It is called outside of transactions. Faults: errMapping; those of kind
// Unavailable and Limited pass.
func (o *Outbound) mapTo(ctx context.Context, c *call.Call, t *Target, name, person string, plain scim.Object, trace bool) (mapped, error) {
	out := mapped{resource: plain}
	if t.Settings.Script != "" {
		v, err := o.Scripts.Try(ctx, c, script.Ask{
			Kind: script.Mapping, Text: t.Settings.Script, App: t.App, Name: name, Person: person, Resource: flat(plain), Trace: trace,
		})
		if err != nil {
			return out, err
		}
		out.verdict = v
		if v.Error != "" {
			return out, errMapping.Say("%s", v.Error)
		}
		for _, path := range slices.Sorted(maps.Keys(v.Mapped)) {
			var value any
			if value, err = decoded(v.Mapped[path]); err != nil {
				return out, errMapping.Say("The value of %s cannot be read.", path)
			}
			scim.Assign(out.resource, path, value)
		}
	}
	if name, _ := out.resource["userName"].(string); strings.TrimSpace(name) == "" {
		return out, errMapping.Say("The mapping leaves no userName.")
	}
	out.resource["schemas"] = schemas(out.resource)
	raw, err := json.Marshal(out.resource) // so that what is compared later is of the same types
	if err == nil {
		out.resource, _, err = scim.ReadResource(raw)
	}
	if err != nil {
		return out, errMapping.Because(err)
	}
	return out, nil
}

func decoded(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

// schemas are those whose attributes a resource has.
func schemas(o scim.Object) []any {
	out := []any{provision.UserURN}
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if strings.HasPrefix(strings.ToLower(name), "urn:") {
			out = append(out, name)
		}
	}
	return out
}
