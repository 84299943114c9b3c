package access

import (
	"context"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/session"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// waiting declares the operations on what clients have a person asked (CIBA Core).
func (a Access) waiting() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/OAuth2/GetBackchannelRequests", Allow: op.Authenticated, Effect: op.Read}, a.GetBackchannelRequests),
		op.Prepared(op.Spec{
			Path: "/OAuth2/DecideBackchannelRequest", Allow: op.Authenticated, Effect: op.Write, Audit: audit.OAuthAuthorize,
			Faults: []*fault.Error{fault.ErrMissing, oauth.ErrNobody, oauth.ErrDecided, oauth.ErrDenied, session.ErrStale},
		}, a.foresee, a.DecideBackchannelRequest),
	}
}

var requests = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "App"}, {Name: "AppName"}, {Name: "ClientID"}, {Name: "ClientName"}, {Name: "Scope"}, {Name: "BindingMessage"},
	{Name: "IP"}, {Name: "Asked", Type: rpc.TypeDate}, {Name: "Expires", Type: rpc.TypeDate},
}

// GetBackchannelRequests lists what clients have the caller asked, the newest first: who asks, from which address, for which scopes,
// and the message that they show as well. Nobody sees what others are asked.
func (a Access) GetBackchannelRequests(ctx context.Context, c *op.Call, _ op.None) (rpc.Query, error) {
	all, err := a.Server.Backchannels(ctx, c)
	out := rpc.Query{Columns: requests, FullCount: len(all), Results: []rpc.Row{}}
	for _, p := range all {
		out.Results = append(out.Results, rpc.Row{Entities: []rpc.Entity{{Type: "BackchannelRequest", Key: p.ID}}, Row: []any{
			p.ID, p.App.ID, p.App.Name, p.Client.ID, p.Client.Name, p.Scope.String(), p.Message, p.IP, rpc.Time(p.Asked), rpc.Time(p.Expires),
		}})
	}
	return out, err
}

// Decision is what somebody decided about a request that waits for them.
type Decision struct {
	// ID of the request, required.
	ID string `json:"ID"`
	// Approve gives the client what it asks for; false refuses it.
	Approve bool `json:"Approve"`
}

// Check wants the request.
func (d *Decision) Check() error {
	if strings.TrimSpace(d.ID) == "" {
		return fault.Missing("ID")
	}
	return nil
}

// foresee has the application's script decide, where it has one.
func (a Access) foresee(ctx context.Context, c *op.Call, in Decision) (op.None, error) {
	return op.None{}, a.Server.ForeseePending(ctx, c, "", in.ID)
}

// DecideBackchannelRequest gives a client what it asks the caller for, or refuses it. To give it they must have signed in within five
// minutes, in a session of their own: an access token decides nothing. What was decided stays so. Errors: oauth.nothing_pending for what is
// of somebody else, over or decided, session.stale, oauth.access_denied where the caller may not use the application.
func (a Access) DecideBackchannelRequest(ctx context.Context, c *op.Call, in Decision, _ op.None) (op.None, error) {
	next, err := a.Server.DecideBackchannel(ctx, c, in.ID, in.Approve, false)
	if err == nil && next != oauth.Answer {
		err = session.ErrStale
	}
	return op.None{}, err
}
