package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/crypt"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// PushLife is for how long a pushed request may be taken up. People may take longer to sign in.
const PushLife = 90 * time.Second

type pushRow struct {
	App     string `db:"app"`
	Client  string `db:"client"`
	Params  string `db:"params"`
	Expires int64  `db:"expires"`
}

var (
	putPush  = dbx.E("oauth.put_push", `INSERT INTO oauth_request (tenant, hash, app, client, params, expires) VALUES (?, ?, ?, ?, ?, ?)`)
	findPush = dbx.Q[pushRow]("oauth.find_push", `SELECT app, client, params, expires FROM oauth_request WHERE tenant = ? AND hash = ?`)
)

// ErrRequestURI is a request_uri that was never given to the client, has expired, or has been used.
var ErrRequestURI = Fault(&wire.Error{Code: wire.InvalidRequestURI, Description: "request_uri is unknown, was used, or has expired"})

// Pushing is a pushed request whose client has proved itself.
type Pushing struct {
	Service   string
	Client    Client
	Presented Presented
}

// secretParams prove the client and are no part of what it asks for.
var secretParams = []string{"client_secret", "client_assertion", "client_assertion_type", "Auth"}

// PreparePush has the client prove itself as at the token endpoint and reads what it pushes (RFC 9126 section 2.1). key is the
// thumbprint of a DPoP proof that came along, to which the code will be bound (RFC 9449 section 10.1).
func (s *Server) PreparePush(ctx context.Context, c *call.Call, service, authorization string, p wire.Params, key string) (Pushing, error) {
	out := Pushing{Service: service}
	cred, err := wire.ReadCredentials(authorization, p)
	if err != nil {
		return out, Fault(err)
	}
	a, err := s.Called(ctx, c, service, authorization, p)
	if err != nil {
		return out, err
	}
	client, err := s.Authenticate(ctx, c, a, cred)
	if err != nil {
		return out, err
	}
	out.Client, out.Presented.Wide = client, a.Wide
	if p.Get("request_uri") != "" {
		return out, Fault(&wire.Error{Code: wire.InvalidRequest, Description: "request_uri cannot be pushed"})
	}
	p = maps.Clone(p)
	for _, name := range secretParams {
		delete(p, name)
	}
	p["client_id"] = []string{client.ID}
	out.Presented.Params = p
	if object := p.Get("request"); object != "" {
		if out.Presented, err = s.object(ctx, c, a, client.Registration, object); err != nil {
			return out, err
		}
		out.Presented.Wide = a.Wide
	}
	switch jkt := out.Presented.Params.Get("dpop_jkt"); {
	case key == "":
	case jkt != "" && jkt != key:
		return out, ErrProof.Say("dpop_jkt is not the key of the DPoP proof")
	default:
		out.Presented.Params["dpop_jkt"] = []string{key}
	}
	return out, nil
}

// Push checks a pushed request as the authorization endpoint would, keeps it, and gives its request_uri.
func (s *Server) Push(ctx context.Context, c *call.Call, in Pushing) (uri string, err error) {
	plain, hash := crypt.NewToken(c.Rand)
	in.Presented.Pushed = wire.PushedPrefix + plain
	r, err := s.Request(ctx, c, in.Service, in.Presented)
	if err != nil {
		if u, ok := errors.AsType[*UntrustedError](err); ok {
			err = u.Cause
		}
		return "", err
	}
	in.Presented.Pushed = ""
	text, err := json.Marshal(in.Presented)
	if err != nil {
		return "", err
	}
	if c.Event != nil {
		c.Event.Type, c.Event.Kind, c.Event.Target, c.Event.Name = audit.OAuthPush, "Application", r.App.ID, r.App.Name
		c.Event.Set("ClientID", r.Client.ID)
		c.Event.Set("Scope", r.Ask.Scope.String())
	}
	return wire.PushedPrefix + plain, putPush.Later(ctx, c.Tx, c.Tenant.ID, hash, r.App.ID, r.Client.ID, string(text), c.Now.Add(PushLife).UnixMilli())
}

// pushed finds what a client has pushed under a request_uri, outside transactions. Another client's is as unknown as one that was
// never given.
func (s *Server) pushed(ctx context.Context, c *call.Call, a App, client Registration, uri string) (out Presented, err error) {
	var row pushRow
	err = c.Snapshot(ctx, func() error {
		if row, err = findPush.One(ctx, c.Tx, c.Tenant.ID, crypt.TokenHash(strings.TrimPrefix(uri, wire.PushedPrefix))); err != nil {
			return err
		}
		seen, err := spent.One(ctx, c.Tx, c.Tenant.ID, onceHash(pushKind, uri))
		if err == nil && seen.N > 0 {
			err = ErrRequestURI
		}
		return err
	})
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (row.Client == "" || row.App != a.ID || row.Client != client.ID || row.Expires <= c.Now.UnixMilli()) {
		return out, ErrRequestURI
	}
	if err != nil {
		return out, err
	}
	err = json.Unmarshal([]byte(row.Params), &out)
	if out.Wide != a.Wide {
		return Presented{}, ErrRequestURI
	}
	out.Pushed = uri
	return out, err
}

// pushKind is the kind of Once of a pushed request that has been answered.
const pushKind = "pushed"

// answered takes a pushed request out of use; ErrRequestURI where it was answered before.
func (s *Server) answered(ctx context.Context, c *call.Call, p Presented) error {
	if p.Pushed == "" {
		return nil
	}
	// Longer than anybody may have it waiting in another window.
	fresh, err := s.Once(ctx, c, pushKind, p.Pushed, c.Now.Add(PushLife+waitLife+time.Minute))
	if err == nil && !fresh {
		err = ErrRequestURI
	}
	return err
}
