package provision

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/safe"
	"limen/internal/dbx"
	"limen/internal/fold"
	"limen/internal/wire/scim"
)

// URNs of accounts in safes (scim.yaml, head).
const (
	DataURN    = "urn:ietf:params:scim:schemas:pam:1.0:PrivilegedData"
	AccountURN = "urn:ietf:params:scim:schemas:cyberark:1.0:PrivilegedData"
)

var accountSchema = &scim.Schema{ID: AccountURN, Name: "PrivilegedDataAccount", Description: "What Vaults say of an account", Attributes: []scim.Attribute{
	lasting(scim.Attribute{Name: "safe", Description: "The name of the safe that it is in; required of a new one."}),
	text("folder", "The folder within the safe; Root when nothing is said."),
	{Name: "password", Description: "The secret. Left out of a change it stays. The property secret, or password, is read as it too.", Mutability: scim.WriteOnly, Returned: scim.Never, CaseExact: true},
	{Name: "properties", Kind: scim.Complex, Multi: true, Description: "What else is said of it, which is no secret. PATCH adds and removes by key.", Sub: []scim.Attribute{
		{Name: "key", Description: "The name, as username or address; there is one of a name, in any case.", Required: true},
		{Name: "value", Description: "The value.", CaseExact: true},
	}},
	{Name: "remoteMachinesAccess", Kind: scim.Complex, Description: "From where it is used. It is kept for who reads it.", Sub: []scim.Attribute{
		text("remoteMachines", "Machines, parted by ;."), text("accessRestrictedToRemoteMachines", "Whether it is used from those alone."),
	}},
}}

// Data is what accounts in safes look like.
var Data = &scim.Type{
	Name: "PrivilegedData", Description: "Accounts of other systems, in safes", Endpoint: "/PrivilegedData", Extensions: []*scim.Schema{accountSchema, linkedSchema},
	Schema: &scim.Schema{ID: DataURN, Name: "PrivilegedData", Description: "Accounts of other systems, in safes", Attributes: []scim.Attribute{
		{Name: "name", Description: "The name, which one account of a safe has. Of a new one without it, it is made of the properties platformId, address and username."},
		text("description", "What it is for."),
		{Name: "type", Description: "What the secret is.", Required: true, Canonical: []string{"password", "key"}},
	}},
}

// dataFields are what filters over accounts may name.
var dataFields = fields{
	"id": exact("ref"), "name": key("name_key"), "type": exact("type"), AccountURN + ":safe": key("safe_key"),
	"meta.created": moment("created"), "meta.lastModified": moment("changed"),
}

// dataColumns are what accounts are sorted by.
var dataColumns = map[string][]string{
	"": {"name_key", "id"}, "name": {"name_key", "id"}, "id": {"ref"}, "meta.location": {"ref"}, "type": {"type", "id"},
	"meta.created": {"created", "id"}, "meta.lastModified": {"changed", "id"},
}

// FindData gives the page of accounts that a query asks for: in safes that the grant allows, and where the caller may list them.
func (d *Directory) FindData(ctx context.Context, c *call.Call, g grant.Grant, q scim.Query) (scim.List, error) {
	p, err := asked(c, Data, q, dataFields, dataColumns)
	if err != nil {
		return scim.List{}, err
	}
	total, err := d.Safes.CountAccounts(ctx, c, g, p.Where)
	if err != nil {
		return scim.List{}, err
	}
	rows, err := d.Safes.Accounts(ctx, c, g, p)
	if err != nil {
		return scim.List{}, err
	}
	out := make([]Resource, len(rows))
	for i, a := range rows {
		out[i] = account(c, a)
	}
	return answered(Data, Data.Select(q.Attributes, q.Excluded), q, total, behind(q, p, rows), out), nil
}

// account makes a resource of an account, without its secret.
func account(c *call.Call, a safe.Account) Resource {
	o := scim.Object{"name": a.Name, "type": a.Type}
	put(o, "description", a.Description)
	more := scim.Object{"safe": a.SafeName, "folder": a.Folder}
	var ps []any
	for _, p := range a.Properties() {
		in := scim.Object{"key": p.Key}
		put(in, "value", p.Value)
		ps = append(ps, in)
	}
	if len(ps) > 0 {
		more["properties"] = ps
	}
	from := scim.Object{}
	put(from, "remoteMachines", a.Machines)
	put(from, "accessRestrictedToRemoteMachines", a.Restricted)
	putObject(more, "remoteMachinesAccess", from)
	o[AccountURN] = more
	return finished(c, o, Data, a.Ref, stamp(a.Version), a.Created, a.Changed)
}

func freshAccount(match string) func(safe.Account) error {
	return func(a safe.Account) error { return fresh(match, stamp(a.Version)) }
}

// GetData gives an account by its id.
func (d *Directory) GetData(ctx context.Context, c *call.Call, id string) (Resource, error) {
	a, err := d.Safes.Account(ctx, c, id)
	if err != nil {
		return Resource{}, err
	}
	return account(c, a), nil
}

// disclosed takes the secret out of what a client sends: password, and the properties that are it.
func disclosed(o scim.Object) (plain string, err error) {
	more, _ := o[AccountURN].(scim.Object)
	plain = texts(more["password"])
	delete(more, "password")
	var kept []any
	list, _ := more["properties"].([]any)
	for _, v := range list {
		p := v.(scim.Object)
		if key := fold.Key(texts(p["key"])); key != "secret" && key != "password" {
			kept = append(kept, v)
			continue
		}
		if s := texts(p["value"]); s != "" {
			if plain != "" && plain != s {
				return "", ErrValue.Say("the secret is given twice, and not the same")
			}
			plain = s
		}
	}
	if len(kept) < len(list) {
		more["properties"] = kept
	}
	return plain, nil
}

// described is what is said of an account, without its secret.
func described(o scim.Object) (out safe.Details, err error) {
	more, _ := o[AccountURN].(scim.Object)
	from, _ := more["remoteMachinesAccess"].(scim.Object)
	out = safe.Details{
		Name: texts(o["name"]), Description: texts(o["description"]), Type: texts(o["type"]), Folder: texts(more["folder"]),
		Machines: texts(from["remoteMachines"]), Restricted: texts(from["accessRestrictedToRemoteMachines"]),
	}
	var ps []safe.Property
	list, _ := more["properties"].([]any)
	for _, v := range list {
		p := v.(scim.Object)
		ps = append(ps, safe.Property{Key: texts(p["key"]), Value: texts(p["value"])})
	}
	return out, out.SetProperties(ps)
}

// invented is a name for an account without one.
func invented(d safe.Details) string {
	var parts []string
	for _, want := range [...]string{"platformId", "address", "username"} {
		for _, p := range d.Properties() {
			if strings.EqualFold(p.Key, want) && p.Value != "" {
				parts = append(parts, p.Value)
			}
		}
	}
	return strings.Join(parts, "-")
}

// Enclosed is an account to be made, or what one is to be, with its secret sealed.
type Enclosed struct {
	object scim.Object
	secret *safe.Secret // nil: none is given
}

// enclose seals the secret in what a client sends of an account, whose UUID is empty when it is to be made.
func (d *Directory) enclose(ctx context.Context, c *call.Call, o scim.Object, id string) (Enclosed, error) {
	plain, err := disclosed(o)
	out := Enclosed{object: o}
	if err == nil && plain != "" {
		out.secret, err = d.Safes.Seal(ctx, c, id, plain)
	}
	return out, err
}

// PrepareData reads an account to be made and seals its secret. It runs outside transactions.
func (d *Directory) PrepareData(ctx context.Context, c *call.Call, body []byte) (Enclosed, error) {
	o, err := Data.Read(body)
	if err != nil {
		return Enclosed{}, Fault(err)
	}
	if more, _ := o[AccountURN].(scim.Object); texts(more["safe"]) == "" {
		return Enclosed{}, ErrValue.Say("%s:safe is required", AccountURN)
	}
	return d.enclose(ctx, c, o, "")
}

// PrepareDataReplacement is PrepareData of an account that is there.
func (d *Directory) PrepareDataReplacement(ctx context.Context, c *call.Call, id string, body []byte) (Enclosed, error) {
	o, err := Data.Read(body)
	if err != nil {
		return Enclosed{}, Fault(err)
	}
	a, err := d.glimpse(ctx, c, id)
	if err != nil {
		return Enclosed{}, err
	}
	return d.enclose(ctx, c, o, a.ID)
}

// glimpse finds an account outside of the transaction that changes it.
func (d *Directory) glimpse(ctx context.Context, c *call.Call, id string) (a safe.Account, err error) {
	err = c.Snapshot(ctx, func() error {
		a, err = d.Safes.Account(ctx, c, id)
		return err
	})
	return a, err
}

// PrepareDataPatch seals the secret that an account would have after a PATCH. What else it would be is found out within the transaction.
func (d *Directory) PrepareDataPatch(ctx context.Context, c *call.Call, id string, body []byte) (Enclosed, error) {
	a, err := d.glimpse(ctx, c, id)
	if err != nil {
		return Enclosed{}, err
	}
	o, err := patchedData(account(c, a).Object, body)
	if err != nil {
		return Enclosed{}, err
	}
	return d.enclose(ctx, c, o, a.ID)
}

// patchedData is what an account is after a PATCH. Properties go by their keys.
func patchedData(o scim.Object, body []byte) (scim.Object, error) {
	ops, err := Data.Patch(body)
	for _, op := range ops {
		if p := op.Path; p.Ext == accountSchema && p.Attr.Name == "properties" && p.Where == nil && p.Sub == nil && op.Op != scim.Replace {
			o = byKey(o, op)
		} else if o, err = Data.Apply(o, []scim.Operation{op}); err != nil {
			break
		}
	}
	return o, Fault(err)
}

// byKey adds properties, in the place of those of the same keys, or takes some or all away.
func byKey(o scim.Object, op scim.Operation) scim.Object {
	more, _ := o[AccountURN].(scim.Object)
	list, _ := more["properties"].([]any)
	given, _ := op.Value.([]any)
	list = slices.DeleteFunc(slices.Clone(list), func(was any) bool {
		return op.Op == scim.Remove && op.Value == nil || slices.ContainsFunc(given, func(is any) bool {
			return fold.Key(texts(was.(scim.Object)["key"])) == fold.Key(texts(is.(scim.Object)["key"]))
		})
	})
	if op.Op == scim.Add {
		list = append(list, given...)
	}
	more["properties"] = list
	return o
}

// CreateData puts an account into a safe.
func (d *Directory) CreateData(ctx context.Context, c *call.Call, in Enclosed) (Resource, error) {
	more, _ := in.object[AccountURN].(scim.Object)
	n, err := described(in.object)
	if err != nil {
		return Resource{}, err
	}
	if n.Name == "" {
		n.Name = invented(n)
	}
	a, err := d.Safes.AddAccount(ctx, c, texts(more["safe"]), n, in.secret)
	if err != nil {
		return Resource{}, err
	}
	return account(c, a), nil
}

// ReplaceData makes an account what a client sends. The name and the secret stay where none is sent.
func (d *Directory) ReplaceData(ctx context.Context, c *call.Call, id, match string, in Enclosed) (Resource, error) {
	return d.alter(ctx, c, id, match, in.secret, func(scim.Object) (scim.Object, error) { return in.object, nil })
}

// PatchData changes an account by operations, all of them or none.
func (d *Directory) PatchData(ctx context.Context, c *call.Call, id, match string, in Enclosed, body []byte) (Resource, error) {
	return d.alter(ctx, c, id, match, in.secret, func(o scim.Object) (scim.Object, error) {
		o, err := patchedData(o, body)
		if err == nil {
			_, err = disclosed(o) // which Prepare has sealed
		}
		return o, err
	})
}

func (d *Directory) alter(ctx context.Context, c *call.Call, id, match string, secret *safe.Secret, edit func(scim.Object) (scim.Object, error)) (Resource, error) {
	a, err := d.Safes.ChangeAccount(ctx, c, id, freshAccount(match), secret, func(a safe.Account) (safe.Details, error) {
		o, err := edit(account(c, a).Object)
		if err != nil {
			return safe.Details{}, err
		}
		more, _ := o[AccountURN].(scim.Object)
		if in := texts(more["safe"]); in != "" && fold.Key(in) != a.SafeKey {
			return safe.Details{}, ErrMutable.Say("%s:safe cannot be changed", AccountURN)
		}
		n, err := described(o)
		if n.Name == "" {
			n.Name = a.Name
		}
		return n, err
	})
	if err != nil {
		return Resource{}, err
	}
	return account(c, a), nil
}

// DeleteData removes an account with its secret.
func (d *Directory) DeleteData(ctx context.Context, c *call.Call, id, match string) error {
	return d.Safes.DeleteAccount(ctx, c, id, freshAccount(match))
}

// inside is the field of the accounts that safes have, as far as the caller may list them.
func inside(c *call.Call, f scim.Filter) (dbx.Clause, bool) {
	s, _ := f.Arg.(string)
	switch {
	case f.Op == scim.Pr:
		return safe.Holding(c, c.Grant, "id", dbx.Clause{}), true
	case f.At.Attr.Name == "display":
		in, ok := compare("name_key", f.Op, folded(f.Op, s))
		return safe.Holding(c, c.Grant, "id", in), ok
	case f.At.Attr.Name == "value":
		in, ok := compare("ref", f.Op, f.Arg)
		return safe.Holding(c, c.Grant, "id", in), ok
	}
	return dbx.Clause{}, false
}
