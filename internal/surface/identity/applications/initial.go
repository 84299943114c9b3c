package applications

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Bounds of initial access tokens.
const (
	initialLife = 24 * time.Hour
	maxInitial  = 90 * 24 * time.Hour
	maxUses     = 1000 // clients that one token can register
)

var initialColumns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Name"}, {Name: "Uses"}, {Name: "Created", Type: rpc.TypeDate}, {Name: "Expires", Type: rpc.TypeDate},
}

// GetInitialAccessTokens lists the initial access tokens of an application, without what they are: Uses is how many clients each may
// still register. The caller needs Admin on the application. Errors: app.not_found, acl.denied.
func (a Applications) GetInitialAccessTokens(ctx context.Context, c *op.Call, in Service) (rpc.Query, error) {
	it, err := a.Apps.Administered(ctx, c, in.ServiceName)
	if err != nil {
		return rpc.Query{}, err
	}
	all, err := a.OAuth.Initials(ctx, c, it)
	out := rpc.Query{Columns: initialColumns, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, t := range all {
		out.Results[i] = rpc.Row{Entities: []rpc.Entity{{Type: "OAuthInitial", Key: t.ID}}, Row: []any{
			t.ID, t.Name, t.Uses, rpc.Time(time.UnixMilli(t.Created)), rpc.Time(time.UnixMilli(t.Expires)),
		}}
	}
	return out, err
}

// NewInitial is an initial access token to be made.
type NewInitial struct {
	// ServiceName of the application, required.
	ServiceName string `json:"ServiceName"`
	// Name says what it is for, at most 200 bytes.
	Name string `json:"Name"`
	// Uses is how many clients may be registered with it, 1 when absent, at most 1000.
	Uses op.Opt[int] `json:"Uses"`
	// Lifetime in seconds; a day when absent, 90 days at most.
	Lifetime op.Opt[int] `json:"Lifetime"`
}

// Check wants an application, and sound numbers.
func (n *NewInitial) Check() error {
	uses, life := n.Uses.Or(1), n.Lifetime.Or(int(initialLife/time.Second))
	switch {
	case strings.TrimSpace(n.ServiceName) == "":
		return fault.Missing("ServiceName")
	case len(n.Name) > 200 || !utf8.ValidString(n.Name):
		return fault.Bad("Name", "must be at most 200 bytes")
	case uses < 1 || uses > maxUses:
		return fault.Bad("Uses", "must be 1 to 1000")
	case life < 1 || life > int(maxInitial/time.Second):
		return fault.Bad("Lifetime", "must be 1 to 7776000 seconds")
	}
	return nil
}

// Initial is an initial access token that was made.
type Initial struct {
	ID      string   `json:"ID"`
	Token   string   `json:"Token"` // told this once
	Uses    int64    `json:"Uses"`
	Expires rpc.Time `json:"Expires"`
}

// CreateInitialAccessToken makes a token with which clients can be registered with an application at /OAuth2/Register, where its
// Registration is Token or Open; with it, they may also have grants in which no person decides. The caller needs Admin on the application.
// Errors: app.not_found, acl.denied, oauth.initial_many beyond 1,000 tokens. RFC 7591 section 3.
func (a Applications) CreateInitialAccessToken(ctx context.Context, c *op.Call, in NewInitial) (Initial, error) {
	it, err := a.Apps.Administered(ctx, c, in.ServiceName)
	if err != nil {
		return Initial{}, err
	}
	life := time.Duration(in.Lifetime.Or(int(initialLife/time.Second))) * time.Second
	t, plain, err := a.OAuth.MakeInitial(ctx, c, it, in.Name, int64(in.Uses.Or(1)), life)
	return Initial{ID: t.ID, Token: plain, Uses: t.Uses, Expires: rpc.Time(time.UnixMilli(t.Expires))}, err
}

// InitialRef names an initial access token.
type InitialRef struct {
	// ServiceName of the application, required.
	ServiceName string `json:"ServiceName"`
	// ID is the token's id, which is not the token; required.
	ID string `json:"ID"`
}

// Check wants both.
func (r *InitialRef) Check() error {
	switch {
	case strings.TrimSpace(r.ServiceName) == "":
		return fault.Missing("ServiceName")
	case strings.TrimSpace(r.ID) == "":
		return fault.Missing("ID")
	}
	return nil
}

// DeleteInitialAccessToken takes an initial access token out of use. Clients that were registered with it stay. The caller needs Admin on
// the application. Errors: app.not_found, acl.denied, oauth.initial_not_found.
func (a Applications) DeleteInitialAccessToken(ctx context.Context, c *op.Call, in InitialRef) (op.None, error) {
	it, err := a.Apps.Administered(ctx, c, in.ServiceName)
	if err != nil {
		return op.None{}, err
	}
	return op.None{}, a.OAuth.DropInitial(ctx, c, it, strings.TrimSpace(in.ID))
}
