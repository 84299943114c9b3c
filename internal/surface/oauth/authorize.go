package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/session"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// AuthorizeRequest asks for a code or tokens for whoever signs in. Query and form are both taken.
type AuthorizeRequest struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// ClientID of the client, required.
	ClientID string `json:"client_id"`
	// RedirectURI is where the answer goes; one that the application has registered. It may be left out where there is one only.
	RedirectURI string `json:"redirect_uri"`
	// ResponseType is code, id_token, token, or several of them with spaces between; required.
	ResponseType string `json:"response_type"`
	// ResponseMode is query, fragment or form_post; what fits the type when absent. With .jwt behind it, and as jwt alone, the answer is one
	// signed JWT.
	ResponseMode string `json:"response_mode"`
	// Scope asked for, spaces between; openid for an ID token.
	Scope string `json:"scope"`
	// State is given back.
	State string `json:"state"`
	// Nonce comes back in the ID token.
	Nonce string `json:"nonce"`
	// Prompt is none, login, consent, select_account.
	Prompt string `json:"prompt"`
	// ACRValues are levels of assurance, the best first: High asks for a further proof where the person has one.
	ACRValues string `json:"acr_values"`
	// MaxAge is how many seconds ago people may have signed in.
	MaxAge string `json:"max_age"`
	// UILocales are the languages that the person reads, as BCP 47 tags with spaces between, the best first.
	UILocales string `json:"ui_locales"`
	// CodeChallenge binds the code to who asked (RFC 7636); public clients must send one.
	CodeChallenge string `json:"code_challenge"`
	// CodeChallengeMethod is S256, or plain.
	CodeChallengeMethod string `json:"code_challenge_method"`
	// Request is a request object: a JWT of the client with all parameters (RFC 9101). Of what stands beside it only client_id counts.
	Request string `json:"request"`
	// RequestURI is that of a pushed request (RFC 9126), or a registered address of a request object.
	RequestURI string `json:"request_uri"`
	// Bounce is the handle of a request that waited for somebody to sign in.
	Bounce string `json:"bounce"`

	sent
}

// authorization declares the operations of the front channel.
func (o OAuth) authorization() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/OAuth2/Authorize/{app_id}", Methods: []string{http.MethodGet}, Allow: op.Anonymous, Effect: op.Write, Audit: audit.OAuthAuthorize, MaxBody: maxForm,
			Faults: append(faults, oauth.ErrScope, oauth.ErrDenied),
		}, o.prepareAuthorize, o.Authorize),
	}
}

func (o OAuth) prepareAuthorize(ctx context.Context, c *op.Call, in AuthorizeRequest) (p oauth.Presented, err error) {
	if in.Bounce == "" {
		if p, err = o.Server.Present(ctx, c, in.App, in.params); err != nil {
			return p, err
		}
	}
	by := func(ctx context.Context, a oauth.App) (*oauth.SignedIn, error) { return o.by(ctx, c, a, in.sent) }
	if err := o.Server.ForeseeAnswer(ctx, c, in.App, p, in.Bounce, by, nil); err != nil {
		return p, err
	}
	return p, o.Server.Ensure(ctx, c)
}

// by is who answers: who is signed in, or a service user that shows a token.
func (o OAuth) by(ctx context.Context, c *op.Call, a oauth.App, in sent) (*oauth.SignedIn, error) {
	by, err := o.Server.SignedIn(ctx, c)
	if err == nil && by == nil {
		by, err = o.machine(ctx, c, a, in)
	}
	return by, err
}

// Authorize signs the person in, or takes their session, and sends a code or tokens to where the client wants them. Who is
// not signed in is sent to the page for that, and comes back by the handle bounce. What is wrong is told to the client, but
// only where client and redirect URI are known to belong together. Contract: oauth.yaml n 24; RFC 6749 section 4.1, RFC 9207,
// OpenID Connect Core section 3.
func (o OAuth) Authorize(ctx context.Context, c *op.Call, in AuthorizeRequest, p oauth.Presented) (authorized, error) {
	w := oauth.Waiting{Presented: p}
	if in.Bounce != "" {
		var err error
		if w, err = o.Server.Resume(ctx, c, in.Bounce); err != nil {
			return authorized{}, err
		}
	}
	r, err := o.Server.Request(ctx, c, in.App, w.Presented)
	out := authorized{request: r}
	if err == nil {
		err = o.answer(ctx, c, &out, w, in.sent)
	}
	if _, untrusted := errors.AsType[*oauth.UntrustedError](err); err == nil || untrusted {
		return out, err
	}
	f := fault.Of(err)
	if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
		return out, err
	}
	if err := o.Server.Done(ctx, c, w); err != nil && !errors.Is(err, oauth.ErrRequestURI) { // an error is an answer, too
		return out, err
	}
	out.failed = spoken(f)
	return out, op.Refused(f)
}

// answer does what has to be done next.
func (o OAuth) answer(ctx context.Context, c *op.Call, out *authorized, w oauth.Waiting, in sent) error {
	r := out.request
	by, err := o.by(ctx, c, r.App, in)
	if err != nil {
		return err
	}
	again := by != nil && !w.Since.IsZero() && by.Proved.After(w.Since)
	next, err := o.Server.Next(ctx, c, r, by, again)
	if err != nil {
		return err
	}
	if c.Event != nil {
		c.Event.Kind, c.Event.Target, c.Event.Name = "Application", r.App.ID, r.App.Name
		c.Event.Set("ClientID", r.Client.ID)
		c.Event.Set("Scope", r.Ask.Scope.String())
	}
	if next != oauth.Answer {
		// A request that waits already goes on waiting: who signed in for it has done so, whatever is asked of them next.
		handle := w.Handle()
		if handle == "" {
			handle, err = o.Server.Wait(ctx, c, r)
		}
		out.next = next
		out.back = waits(r, handle)
		return err
	}
	if err := o.Server.Done(ctx, c, w); err != nil {
		return err
	}
	out.reply, err = o.Server.Reply(ctx, c, r, *by)
	return err
}

// waits is where the browser comes back to a request that waits. The languages that it asks for are for the pages on the way.
func waits(r oauth.Request, handle string) string {
	out := r.App.Endpoint("Authorize") + "?bounce=" + handle
	if tags := wire.Locales(r.Ask.Locales); tags != "" {
		out += "&ui_locales=" + url.QueryEscape(tags)
	}
	return out
}

// machine is a service user that comes with an access token of the same application, which it got in its own name for its
// password: it could ask for anything else as well (oauth.yaml n 24). Tokens that people's clients have do not sign in.
func (o OAuth) machine(ctx context.Context, c *op.Call, a oauth.App, in sent) (*oauth.SignedIn, error) {
	scheme, token, _ := strings.Cut(in.authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return nil, nil //nolint:nilnil // nobody is an answer
	}
	l, err := o.Server.Look(ctx, c, strings.TrimSpace(token))
	if errors.Is(err, oauth.ErrToken) || err == nil && (l.Kind != "access" || l.Granted != "" || l.User == "" || l.Key != "" || l.App != a.ID && l.App != a.Service) {
		return nil, nil //nolint:nilnil // the token signs nobody in
	}
	if err != nil {
		return nil, err
	}
	p, err := o.Server.Person(ctx, c, l.User)
	return &oauth.SignedIn{Person: p, Level: session.Normal, Proved: time.Unix(l.AuthTime, 0), Factors: []string{"pwd"}, Passed: []string{"UP"}}, err
}

// authorized is the answer of the authorization endpoint.
type authorized struct {
	request oauth.Request
	reply   oauth.Reply
	failed  *wire.Error // what the client is told
	next    oauth.Next
	back    string // where to come back to
}

// pages are where what comes first is done (surface/login).
var pages = map[oauth.Next]string{oauth.SignIn: "/login", oauth.Consent: "/consent", oauth.Select: "/login/account", oauth.Raise: "/login/more"}

// finish signs the tokens and sends the browser on.
func (a authorized) finish(r *http.Request, c *op.Call, s *oauth.Server) (any, error) {
	if page := pages[a.next]; page != "" {
		return op.Redirect{URL: page + "?cloudRedirect=" + url.QueryEscape(a.back)}, nil
	}
	if a.reply.Tokens {
		var err error
		if a.reply.Granted, err = s.Sign(r.Context(), c, a.reply.Granted); err != nil {
			return nil, err
		}
	}
	return a.answer(r.Context(), c, s)
}

// answer is what the browser carries to the client.
func (a authorized) answer(ctx context.Context, c *op.Call, s *oauth.Server) (op.Raw, error) {
	fields, mode := append(a.fields(), wire.Pair{Name: "iss", Value: a.request.App.Issuer(c.Tenant.Host)}), a.request.Ask.Mode // RFC 9207
	state, cookies, err := a.watched(c)
	if err != nil {
		return nil, err
	}
	fields = append(fields, wire.Pair{Name: "session_state", Value: state})
	if mode.Signed() {
		token, err := s.SignAnswer(ctx, c, a.request, fields)
		if err != nil {
			return nil, err
		}
		fields = []wire.Pair{{Name: "response", Value: token}}
	}
	if mode == wire.FormPost || mode == wire.FormPostJWT {
		page := post(a.request.Redirect, fields)
		page.Cookie = cookies
		return page, nil
	}
	return op.Redirect{URL: wire.Location(a.request.Redirect, mode, fields), Cookie: cookies}, nil
}

func (a authorized) fields() []wire.Pair {
	g := a.reply.Granted
	out := []wire.Pair{{Name: "state", Value: a.request.Ask.State}}
	if a.failed != nil {
		return append(out, wire.Pair{Name: "error", Value: string(a.failed.Code)}, wire.Pair{Name: "error_description", Value: a.failed.Description})
	}
	out = append(out, wire.Pair{Name: "code", Value: a.reply.Code}, wire.Pair{Name: "access_token", Value: g.Access})
	if g.Access != "" {
		out = append(out, wire.Pair{Name: "token_type", Value: g.Type}, wire.Pair{Name: "expires_in", Value: strconv.FormatInt(int64(g.Life/time.Second), 10)},
			wire.Pair{Name: "scope", Value: g.Scope.String()})
	}
	return append(out, wire.Pair{Name: "id_token", Value: g.ID})
}
