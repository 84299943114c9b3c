package oauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/session"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// Scripts of applications take time, and may take too long, so they run ahead of the transaction that needs what they say: in the
// Prepare of an operation, by the methods Foresee. What they said waits in memory for the same request, to be taken by whoever issues
// tokens or decides by the application's rules. Where nothing waits, or the script failed, that is refused, and nothing that is
// good once has been used up.

// ErrScript says that a script of the application failed, or was not asked. Why, administrators find among the events.
var ErrScript = fault.New(fault.Invalid, Prefix+string(wire.ServerError), "a script of the application failed; its administrator finds why among the events")

// Scripted are the scripts of an application; empty where it has none.
type Scripted struct {
	Claims string // sets claims of tokens and of UserInfo
	Policy string // says who may use the application, and how, in place of its rules
	// Facts are what scripts see of the application's record, by the names of its members.
	Facts map[string]string
}

func (s Scripted) any() bool { return s.Claims != "" || s.Policy != "" }

// Reserved are the claims that scripts cannot set: those that say who issued what to whom, for how long and on what proof, and those that
// this server's own answers have beside claims.
var Reserved = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "acr", "amr", "azp", "auth_time", "at_hash", "c_hash", "s_hash", "sid", "client_id", "app_id",
	"unique_name", "scope", "cnf", "act", "may_act", "events", "sub_jwk", "sub_id", "toe", "txn", "active", "token_type", "username", "token_introspection",
	"authorization_details", "_claim_names", "_claim_sources", "urn:openid:params:jwt:claim:auth_req_id", "urn:openid:params:jwt:claim:rt_hash", "Success", "__proto__",
}

var reserved = func() map[string]bool {
	out := map[string]bool{}
	for _, name := range Reserved {
		out[name] = true
	}
	return out
}()

// said is what a script said.
type said struct {
	claims map[string]json.RawMessage
	demand Demand
	err    error
}

// ahead is what scripts said, by request. What nobody took is forgotten when there is too much.
type ahead struct {
	mu    sync.Mutex
	known map[string]said
	order []string
	next  int
}

// maxAhead bounds it: many more than requests can have scripts run at once.
const maxAhead = 4096

func (a *ahead) put(key string, what said) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known, a.order = map[string]said{}, make([]string, maxAhead)
	}
	if _, had := a.known[key]; !had {
		delete(a.known, a.order[a.next])
		a.order[a.next], a.next = key, (a.next+1)%maxAhead
	}
	a.known[key] = what
}

func (a *ahead) get(key string) (said, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	out, ok := a.known[key]
	return out, ok
}

// tokenKey is of the claims of tokens that a request gives: for one person and client, with one scope.
func tokenKey(c *call.Call, a App, client, person string, scope wire.Scope) string {
	return strings.Join([]string{"claims", c.ID, c.Tenant.ID, a.ID, client, person, scope.String()}, "\x00")
}

func policyKey(c *call.Call, a App, person string) string {
	return strings.Join([]string{"policy", c.ID, c.Tenant.ID, a.ID, person}, "\x00")
}

// foreclaim has the application's script say what tokens tell, outside of transactions.
func (s *Server) foreclaim(ctx context.Context, c *call.Call, a App, client, person string, scope wire.Scope) {
	if a.Scripts.Claims == "" {
		return
	}
	out := said{err: ErrScript}
	if s.ScriptClaims != nil {
		out.claims, out.err = s.ScriptClaims(ctx, c, a, client, person, scope)
	}
	s.ahead.put(tokenKey(c, a, client, person, scope), out)
}

// ForeseePolicy has the application's PolicyScript decide about who is signed in, outside of transactions.
func (s *Server) ForeseePolicy(ctx context.Context, c *call.Call, a App) {
	if a.Scripts.Policy == "" || c.Caller == nil {
		return
	}
	s.forerule(ctx, c, a, c.Caller.User, c.Caller.Level == session.High, c.Caller.Proved)
}

func (s *Server) forerule(ctx context.Context, c *call.Call, a App, person string, strong bool, proved time.Time) {
	out := said{err: ErrScript}
	if s.ScriptPolicy != nil {
		out.demand, out.err = s.ScriptPolicy(ctx, c, a, person, strong, proved)
	}
	s.ahead.put(policyKey(c, a, person), out)
}

// ruled is what the application's PolicyScript has decided about somebody.
func (s *Server) ruled(c *call.Call, a App, person string) (Demand, error) {
	out, ok := s.ahead.get(policyKey(c, a, person))
	if !ok {
		return Demand{Refused: true}, ErrScript
	}
	return out.demand, out.err
}

// scripted are the claims that the application's script has set for tokens of a grantee.
func (s *Server) scripted(c *call.Call, a App, client, person string, scope wire.Scope) (map[string]json.RawMessage, error) {
	if a.Scripts.Claims == "" {
		return nil, nil
	}
	out, ok := s.ahead.get(tokenKey(c, a, client, person, scope))
	if !ok {
		return nil, ErrScript
	}
	return out.claims, out.err
}

// tell adds the claims of a script to those of a token. Claims of the server stay what they are. That an address was verified is said of the
// one on record, and not of another that a script puts in its place.
func tell(to map[string]any, extra map[string]json.RawMessage) {
	for of, verified := range map[string]string{"email": "email_verified", "phone_number": "phone_number_verified"} {
		if raw, set := extra[of]; set {
			var now string
			if was, ok := to[of].(string); !ok || json.Unmarshal(raw, &now) != nil || now != was {
				delete(to, verified)
			}
		}
	}
	for name, v := range extra {
		if !reserved[name] {
			to[name] = v
		}
	}
}

// foresee finds for whom the tokens of a request would be, and has the script say what they tell. Who it is, the grant itself finds again,
// with its locks; what is wrong, it tells.
func (s *Server) foresee(ctx context.Context, c *call.Call, a Ask) error {
	by := grants[a.Type]
	again := a.Type == "refresh_token" && a.App.Scripts.Policy != ""
	if a.App.Scripts.Claims == "" && !again {
		return nil
	}
	var g grantee
	err := c.Snapshot(ctx, func() (err error) {
		if by.foresee == nil {
			return nil
		}
		g, err = by.foresee(s, ctx, c, a)
		return err
	})
	if err != nil {
		if f := fault.Of(err); f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			return err
		}
		return nil //nolint:nilerr // the grant says what is wrong
	}
	if again {
		at := g.facts.seen()
		s.forerule(ctx, at.from(c), a.App, g.person.ID, at.Strong, time.Unix(g.facts.AuthTime, 0))
	}
	s.foreclaim(ctx, c, a.App, a.Client.ID, g.person.ID, g.scope)
	return nil
}

var (
	peekCode    = dbx.Q[codeRow]("oauth.peek_code", `SELECT granted, request, expires, used FROM oauth_code WHERE tenant = ? AND hash = ?`)
	peekPending = dbx.Q[pendingRow]("oauth.peek_pending", `SELECT `+pendingColumns+` FROM oauth_pending WHERE tenant = ? AND hash = ? AND kind = ?`)
)

// ForeseeAnswer has the scripts of an application say what an authorization request needs of them, outside of transactions. by finds who
// answers; bounce is the handle of a request that waited, empty for p itself; agreed leaves of the scope what they agree to, nil: all.
func (s *Server) ForeseeAnswer(ctx context.Context, c *call.Call, service string, p Presented, bounce string,
	by func(ctx context.Context, a App) (*SignedIn, error), agreed func(wire.Scope) wire.Scope,
) error {
	if service != "" { // else the client says which application it is
		a, err := s.App(ctx, c, service)
		if err != nil || !a.Scripts.any() {
			return nil //nolint:nilerr // the operation itself says that there is no such application
		}
	}
	var r Request
	var who *SignedIn
	err := c.Snapshot(ctx, func() (err error) {
		if bounce != "" {
			w, err := s.Resume(ctx, c, bounce)
			if err != nil {
				return err
			}
			p = w.Presented
		}
		if a, err := s.At(ctx, c, service, p.Params.Get("client_id")); err != nil || !a.Scripts.any() {
			return err
		}
		if r, err = s.Request(ctx, c, service, p); err == nil && r.App.Scripts.any() {
			who, err = by(ctx, r.App)
		}
		return err
	})
	if f := fault.Of(err); err != nil && f.Kind == fault.Internal {
		return err
	}
	if err != nil || who == nil {
		return nil //nolint:nilerr // the operation itself says what is wrong
	}
	a := r.App
	if a.Scripts.Policy != "" {
		s.forerule(ctx, c, a, who.Person.ID, who.Level == session.High, who.Proved)
	}
	if r.Ask.Type.Front() {
		scope := r.Ask.Scope
		if agreed != nil {
			scope = agreed(scope)
		}
		s.foreclaim(ctx, c, a, r.Client.ID, who.Person.ID, scope)
	}
	return nil
}

// ForeseePending has the PolicyScript of an application decide about who is about to answer a request that waits for them: by the code
// that a device shows, or by the request's id.
func (s *Server) ForeseePending(ctx context.Context, c *call.Call, userCode, id string) error {
	if c.Caller == nil {
		return nil
	}
	var a App
	err := c.Snapshot(ctx, func() error {
		find, by := pendingByID, id
		if userCode != "" {
			mac, err := s.userCode(ctx, c, plainCode(userCode))
			if err != nil {
				return err
			}
			find, by = pendingByCode, mac
		}
		row, err := find.One(ctx, c.Tx, c.Tenant.ID, by)
		if err == nil {
			a, err = s.App(ctx, c, row.App)
		}
		return err
	})
	if errors.Is(err, dbx.ErrNoRow) || errors.Is(err, ErrUnknownApp) {
		return nil
	}
	if err == nil {
		s.ForeseePolicy(ctx, c, a)
	}
	return err
}

// ForeseeInfo has the script of an application say what UserInfo tells of a token's person. service is empty at the tenant's issuer.
func (s *Server) ForeseeInfo(ctx context.Context, c *call.Call, service, token string) error {
	if service == "" {
		service = claimed(token)
	}
	if service != "" {
		a, err := s.App(ctx, c, service)
		if err != nil || a.Scripts.Claims == "" {
			return nil //nolint:nilerr // UserInfo itself says that there is no such application
		}
	}
	var a App
	l, err := s.Look(ctx, c, token)
	if err == nil {
		a, err = s.App(ctx, c, l.App)
	}
	if f := fault.Of(err); err != nil && f.Kind == fault.Internal {
		return err
	}
	if err == nil && l.Kind == "access" && l.User != "" {
		s.foreclaim(ctx, c, a, l.Client, l.User, l.Scope)
	}
	return nil
}

// claimed is the application that a signed token says it is of, unverified: whether it is worth a look. One that says so wrongly gets no
// further than one without the claims of a script.
func claimed(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || len(token) > 16<<10 {
		return ""
	}
	var k struct {
		App string `json:"app_id"`
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &k) != nil {
		return ""
	}
	return k.App
}

// foreseeDecision has the script of an application say what the tokens tell that are about to be pushed to a client.
func (s *Server) foreseeDecision(ctx context.Context, db *dbx.DB, tenant, id string) error {
	var c *call.Call
	var p Pending
	var g grantee
	err := db.Read(ctx, func(tx *dbx.Tx) (err error) {
		if c, err = s.Alone(ctx, tenant, tx); err != nil {
			return err
		}
		row, err := pendingByID.One(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		row.Decided = 0 // it is shown as it was
		if p, err = s.shown(ctx, c, row); err != nil || p.App.Scripts.Claims == "" || row.Granted == "" {
			return err
		}
		g, err = s.granted(ctx, c, row.Granted)
		return err
	})
	if err != nil || g.person.ID == "" {
		if f := fault.Of(err); err != nil && f.Kind == fault.Internal && !errors.Is(err, dbx.ErrNoRow) {
			return err
		}
		return nil
	}
	c.ID, c.Tx = pushID(id), nil
	c.Snapshot = func(ctx context.Context, f func() error) error {
		return db.Read(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			return f()
		})
	}
	s.foreclaim(ctx, c, p.App, p.Client.ID, g.person.ID, g.scope)
	return nil
}

// pushID stands for a request's where nobody asks: tokens are pushed.
func pushID(pending string) string { return "push/" + pending }

// ForeseeClient has the script of an application say what a token in a client's own name tells.
func (s *Server) ForeseeClient(ctx context.Context, c *call.Call, a App, client string, scope wire.Scope) {
	s.foreclaim(ctx, c, a, client, "", scope)
}
