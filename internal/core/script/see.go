package script

import (
	"context"
	"errors"
	"strings"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/dynamic"
	"limen/internal/core/policy"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

// batch gathers what a script sees, in one snapshot.
func (s *Scripts) batch(ctx context.Context, c *call.Call, in Ask) (b Batch, err error) {
	b = Batch{Tenant: c.Tenant.ID, Kind: in.Kind, Text: in.Text, Now: c.Now, Trace: in.Trace, See: map[string]map[string]any{
		"Application": application(in),
		"TenantData":  {"CybrTenantID": c.Tenant.ID, "TenantID": c.Tenant.ID, "CustomerID": c.Tenant.ID, "Host": c.Tenant.Host},
		"Request":     {"ClientID": in.Client, "Scopes": list(in.Scopes)},
	}}
	if in.Kind == Mapping {
		b.See["Resource"] = in.Resource
	}
	err = c.Snapshot(ctx, func() error {
		if in.Kind == Policy {
			if err := s.situation(ctx, c, in, b.See); err != nil {
				return err
			}
		}
		if in.Person == "" { // a client in its own name
			b.Person = dynamic.Person{Name: in.Client, Properties: map[string]any{}}
			b.See["LoginUser"] = loginUser(user.User{}, nil, nil)
			return nil
		}
		u, err := s.People.ByID(ctx, c, in.Person)
		if err != nil {
			return err
		}
		if b.Person, err = s.Persons.Describe(ctx, c, u); err != nil {
			return err
		}
		in, err := s.Roles.Carries(ctx, c, u.ID)
		b.Person.Roles = nil
		for _, r := range in {
			b.Roles = append(b.Roles, r.Role)
			b.Person.Roles = append(b.Person.Roles, r.ID)
		}
		known, err2 := detail.Of(ctx, c, u.ID)
		b.See["LoginUser"] = loginUser(u, known[u.ID], b.Roles)
		return errors.Join(err, err2)
	})
	return b, err
}

func application(in Ask) map[string]any {
	out := map[string]any{"_RowKey": in.App, "ID": in.App, "Name": in.Name}
	for name, v := range in.Facts {
		out[name] = v
	}
	return out
}

// loginUser is what scripts see of the person beside what the roles' scripts do (apps.yaml n 196, SamlAttributeValueOptions). The
// built-in directory has no groups.
func loginUser(u user.User, known []detail.Item, in []role.Role) map[string]any {
	words := strings.Fields(u.Display)
	var first, last any
	if len(words) > 0 {
		first, last = words[0], words[len(words)-1]
	}
	if given, family, ok := detail.Name(known); ok {
		first, last = text(given), text(family)
	}
	short, _, _ := strings.Cut(u.Name, "@")
	none := []any{}
	return map[string]any{
		"FirstName": first, "LastName": last, "Email": text(u.Mail), "MobileNumber": text(u.Mobile), "HomeNumber": text(u.Home), "OfficeNumber": text(u.Office),
		"Description": text(u.Description), "Shortname": text(short), "CanonicalName": text(u.Name), "ServiceType": "CDS", "RoleNames": list(names(in)),
		"GroupNames": none, "GroupNames2": none, "GroupDNs": none, "EffectiveGroupNames": none, "EffectiveGroupDNs": none,
	}
}

// text is null where there is none, as scripts expect of what a person does not have.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func list(all []string) []any {
	out := make([]any, 0, len(all))
	for _, s := range all {
		out = append(out, s)
	}
	return out
}

func names(all []role.Role) []string {
	out := make([]string, 0, len(all))
	for _, r := range all {
		out = append(out, r.Name)
	}
	return out
}

// situation is from where and with what somebody comes: the objects Context and Client of policies' scripts.
func (s *Scripts) situation(ctx context.Context, c *call.Call, in Ask, see map[string]map[string]any) error {
	ip, level := c.Client.IP.Unmap(), 1
	if in.Strong {
		level = 2
	}
	at := map[string]any{"authLevel": level, "onPrem": false, "ipAddress": nil, "country": nil, "lastAuthenticated": in.Proved}
	if in.Proved.IsZero() {
		at["lastAuthenticated"] = nil
	}
	if ip.IsValid() {
		at["ipAddress"] = ip.String()
		if s.Policies.Country != nil {
			at["country"] = text(s.Policies.Country(ip))
		}
		of, ok, err := s.Policies.Ranges(ctx, c, "")
		if err != nil {
			return err
		}
		at["onPrem"] = ok && of.Contains(ip)
	}
	agent := c.Client.UserAgent
	os := text(policy.System(agent))
	see["Context"] = at
	see["Client"] = map[string]any{
		"os": os, "oS": os, "OS": os, "browser": text(policy.Browser(agent)), "userAgent": text(agent[:min(len(agent), maxAgent)]), "application": nil,
	}
	return nil
}

// maxAgent bounds in bytes what scripts see of what a browser calls itself.
const maxAgent = 500
