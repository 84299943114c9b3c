package provisioning

import (
	"context"
	"strings"
	"time"

	"limen/internal/core/outbound"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
	"limen/internal/wire/scim"
)

// Look is somebody to be looked at.
type Look struct {
	Ref
	// User is the UUID or login name of the person; required.
	User string `json:"User"`
	// Script is a mapping to try; the target's when absent.
	Script op.Opt[string] `json:"Script"`
	who    user.User
}

// Check wants application and person.
func (l *Look) Check() error {
	if err := l.Ref.Check(); err != nil {
		return err
	}
	if strings.TrimSpace(l.User) == "" {
		return fault.Missing("User")
	}
	if s, ok := l.Script.Get(); ok && len(s) > outbound.MaxScript {
		return fault.Bad("Script", "may have %d bytes", outbound.MaxScript)
	}
	return nil
}

// Resolve finds the person.
func (l *Look) Resolve(ctx context.Context, c *op.Call) (err error) {
	l.who, err = user.Find(ctx, c, strings.TrimSpace(l.User))
	return err
}

// Target is the person, so that nobody learns by a mapping what they could not read.
func (l *Look) Target() op.Target { return op.Target{ID: l.who.ID, Org: l.who.Org} }

// Change is a part of a resource that would be sent.
type Change struct {
	Op    string `json:"Op"`    // add, replace, remove
	Path  string `json:"Path"`  // of the attribute
	Value any    `json:"Value"` // null of what is removed
}

// Previewed is what would be told of somebody.
type Previewed struct {
	// Action is create, change, disable, remove, none, or fail when the mapping does.
	Action string `json:"Action"`
	// Resource is the account as it would be; null when the mapping fails.
	Resource scim.Object `json:"Resource"`
	// Changes are what is otherwise than what was acknowledged last.
	Changes []Change `json:"Changes"`
	// Error says why the mapping fails; null when it does not.
	Error *string `json:"Error"`
	// Trace is what the script said with trace(); up to 100 lines.
	Trace []string `json:"Trace"`
	// Saw is what the script read, and what was there.
	Saw map[string]any `json:"Saw"`
}

// look makes the preview, outside of transactions.
func (p Provisioning) look(ctx context.Context, c *op.Call, in Look) (Previewed, error) {
	var text *string
	if s, ok := in.Script.Get(); ok {
		text = &s
	}
	v, err := p.Outbound.Preview(ctx, c, c.Grant, in.RowKey, in.who, text)
	if err != nil {
		return Previewed{}, err
	}
	out := Previewed{Action: v.Action, Resource: v.Resource, Changes: []Change{}, Trace: v.Trace, Saw: v.Saw}
	for _, d := range v.Changes {
		out.Changes = append(out.Changes, Change{d.Op, d.Path, d.Value})
	}
	if v.Error != "" {
		out.Error = &v.Error
	}
	if out.Trace == nil {
		out.Trace = []string{}
	}
	if out.Saw == nil {
		out.Saw = map[string]any{}
	}
	return out, nil
}

// Preview says what the service would be told of one person, with the target's mapping script or another one, and sends nothing. A script
// that fails or does not compile is no error of the call.
//
// The caller needs what SetTarget asks for, and User Management over the person. Errors: app.not_found, acl.denied, outbound.not_found,
// outbound.reach, user.not_found, script.failed where scripts cannot run here at present. Beyond the contract.
func (p Provisioning) Preview(_ context.Context, _ *op.Call, _ Look, out Previewed) (Previewed, error) {
	return out, nil
}

// Page is whose receipts are wanted, and from where on.
type Page struct {
	Ref
	// User is the UUID or login name of one person; everybody when absent.
	User string `json:"User"`
	// State is waiting, acknowledged, failed or conflict; all when absent.
	State string `json:"State"`
	// Kind is User or Group; both when absent.
	Kind string `json:"Kind"`
	// After is the ID of the last receipt of the page before; absent or empty: the first page.
	After string `json:"After"`
	// Limit is how many rows a page has, 1 to 1000; 100 when absent or 0.
	Limit int `json:"Limit"`
}

// Check bounds the page.
func (p *Page) Check() error {
	if err := p.Ref.Check(); err != nil {
		return err
	}
	switch p.State {
	case "", outbound.Waiting, outbound.Acknowledged, outbound.Failed, outbound.Conflict:
	default:
		return fault.Bad("State", "must be waiting, acknowledged, failed or conflict")
	}
	switch {
	case p.Kind != "" && p.Kind != outbound.KindUser && p.Kind != outbound.KindGroup:
		return fault.Bad("Kind", "must be User or Group")
	case p.Limit < 0 || p.Limit > outbound.MaxReceipts:
		return fault.Bad("Limit", "must be 1 to %d", outbound.MaxReceipts)
	case p.Limit == 0:
		p.Limit = 100
	}
	return nil
}

// person is the UUID of a person whom the caller administers; empty: nobody is named.
func person(ctx context.Context, c *op.Call, ref string) (string, error) {
	if ref = strings.TrimSpace(ref); ref == "" {
		return "", nil
	}
	u, err := user.Find(ctx, c, ref)
	if err == nil && !c.Grant.Allows(u.ID, u.Org) {
		err = user.ErrNotFound
	}
	return u.ID, err
}

var receipts = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Kind"}, {Name: "Object"}, {Name: "Name"}, {Name: "Remote"}, {Name: "There"}, {Name: "State"}, {Name: "Pending"},
	{Name: "FailureClass"}, {Name: "Failure"}, {Name: "Tries"}, {Name: "Version"}, {Name: "LastTry", Type: rpc.TypeDate}, {Name: "NextTry", Type: rpc.TypeDate},
	{Name: "Acknowledged", Type: rpc.TypeDate},
}

// GetReceipts lists how people and groups stand at the target of an application, in the order in which they came to it, as far as the
// caller administers them. There are no receipts of people who never had an account there and are to have none.
//
// Columns: ID; Kind, User or Group; Object, the person's UUID or the role's id; Name at the time; Remote, the service's id; There, what
// was acknowledged: active, disabled, removed, or empty; State: waiting, acknowledged, failed, conflict; Pending, whether something is still to be looked at
// or sent; FailureClass: unreachable, server, throttled, credentials, refused, conflict, mapping, limited, and Failure, which says more;
// Tries since something was acknowledged; Version of the person that was; LastTry, NextTry and Acknowledged, null where there is none.
//
// The caller needs Admin on the application, and User Management. Errors: app.not_found, acl.denied, outbound.not_found, user.not_found.
// Beyond the contract.
func (p Provisioning) GetReceipts(ctx context.Context, c *op.Call, in Page) (rpc.Query, error) {
	who, err := person(ctx, c, in.User)
	if err != nil {
		return rpc.Query{}, err
	}
	all, err := p.Outbound.Receipts(ctx, c, c.Grant, in.RowKey, outbound.Query{State: in.State, Kind: in.Kind, User: who, After: in.After, Limit: in.Limit})
	out := rpc.Query{Columns: receipts, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, r := range all {
		out.Results[i] = rpc.Row{Entities: []rpc.Entity{{Type: "ProvisioningReceipt", Key: r.ID}}, Row: []any{
			r.ID, r.Kind, r.Object, r.Name, r.Remote, r.There, r.State, r.Pending, r.Class, r.Error, r.Tries, r.Version, date(r.Tried), date(r.Next), date(r.Acked),
		}}
	}
	return out, err
}

func date(ms int64) any {
	if ms == 0 {
		return nil
	}
	return rpc.Time(time.UnixMilli(ms))
}

// Again names whom to try again.
type Again struct {
	Ref
	// User is the UUID or login name of one person; absent: all that wait, failed, or are in conflict, up to 1,000 of each.
	User string `json:"User"`
}

// Retry has the accounts of people tried again at once, as far as the caller administers them, and answers how many they are. What failed
// for good is tried by itself when the person or the target changes. The caller needs Admin on the application, and User Management.
// Errors: app.not_found, acl.denied, outbound.not_found, user.not_found, outbound.account. Beyond the contract.
func (p Provisioning) Retry(ctx context.Context, c *op.Call, in Again) (int, error) {
	who, err := person(ctx, c, in.User)
	if err != nil {
		return 0, err
	}
	n, err := p.Outbound.Retry(ctx, c, c.Grant, in.RowKey, who)
	if c.Event != nil {
		c.Event.Kind, c.Event.Name, c.Event.User = "Application", in.RowKey, who
		c.Event.Set("Accounts", n)
	}
	return n, err
}
