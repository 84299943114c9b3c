package oauth

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/outbox"
	"limen/internal/core/session"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// BackchannelGrant is the grant_type of Client-Initiated Backchannel Authentication (CIBA Core section 10.1).
const BackchannelGrant = "urn:openid:params:grant-type:ciba"

// ApprovePath is the page on which people answer such requests.
const ApprovePath = "/approvals"

// Bounds of such requests.
const (
	backLife   = 5 * time.Minute
	backMost   = 10 * time.Minute
	backFresh  = 5 * time.Minute // for so long after they have shown what they sign in with, somebody may approve
	backAtOnce = 5               // requests that wait for one person: more would be pressed on them until they give in
	maxMessage = 100             // characters of a binding_message
	maxBearer  = 1024            // bytes of a client_notification_token
)

// Faults of CIBA Core section 13.
var (
	ErrUnknownUser = fault.New(fault.Invalid, Prefix+"unknown_user_id", "the hint names nobody who can be asked")
	ErrBinding     = fault.New(fault.Invalid, Prefix+"invalid_binding_message", "binding_message must be one line of 100 characters at most")
	ErrBusy        = fault.New(fault.Limited, Prefix+string(wire.TemporarilyUnavailable), "this user is asked too much already")
)

// Backchannel is a client's wish to have somebody asked, checked before the transaction.
type Backchannel struct {
	Ask
	person  Person
	life    time.Duration
	bearer  string // client_notification_token, sealed
	object  string // jti of the request object; empty: none came
	expires time.Time
}

// Begun is what the client gets for it.
type Begun struct {
	Handle string // auth_req_id
	Life   time.Duration
	Pace   int64 // seconds between two polls; 0: the client is sent what came of it
}

// PrepareBackchannel finds and proves the client and finds whom it means (CIBA Core section 7.1).
func (s *Server) PrepareBackchannel(ctx context.Context, c *call.Call, service, authorization string, p wire.Params) (Backchannel, error) {
	var out Backchannel
	var err error
	out.Ask, err = s.begin(ctx, c, BackchannelGrant, service, authorization, p, func(a *Ask) error { return s.signedAsk(c, a, &out) })
	if err != nil {
		return out, err
	}
	p = out.Params
	if err := out.check(); err != nil {
		return out, err
	}
	if out.person, err = s.hinted(ctx, c, out.App, out.Client, p); err != nil {
		return out, err
	}
	if token := p.Get("client_notification_token"); token != "" && out.Client.Delivery != "" {
		out.bearer, err = s.Ring.Seal(ctx, c.Tenant.ID, secretPurpose, []byte(token), "backchannel")
	}
	return out, err
}

// signedAsk takes the parameters of a request object, where one came or must come (CIBA Core section 7.1.1). Nothing beside it counts. What is
// wrong with it is no error of its own there (section 13).
func (s *Server) signedAsk(c *call.Call, a *Ask, b *Backchannel) error {
	object := a.Params.Get("request")
	if object == "" {
		if a.Client.BackRequestAlg != "" {
			return wrongAsk("this client must sign its requests")
		}
		return nil
	}
	set, err := a.Client.JWKS()
	if err != nil {
		return Fault(err)
	}
	o, err := wire.ReadObject(object, only(a.App.Profile.algorithms(), a.Client.BackRequestAlg), set.Keys)
	if err == nil {
		err = o.For(a.Client.ID, a.App.Issuer(c.Tenant.Host), c.Now, objectSkew, true)
	}
	if err != nil {
		return wrongAsk(fault.Of(Fault(err)).Public)
	}
	if o.ID == "" || o.Issued.IsZero() {
		return wrongAsk("the request object lacks jti or iat")
	}
	a.Params, b.object, b.expires = o.Params, o.ID, o.Expires.Add(objectSkew)
	return nil
}

func wrongAsk(why string) error {
	return Fault(&wire.Error{Code: wire.InvalidRequest, Description: why})
}

// check is what can be checked of the request by itself.
func (b *Backchannel) check() error {
	p, no := b.Params, wrongAsk
	hints := 0
	for _, name := range []string{"login_hint", "id_token_hint", "login_hint_token"} {
		if p.Get(name) != "" {
			hints++
		}
	}
	told := b.Client.Delivery == "ping" || b.Client.Delivery == "push"
	bearer := p.Get("client_notification_token")
	b.life = backLife
	if text := p.Get("requested_expiry"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			return no("requested_expiry is no number of seconds")
		}
		b.life = min(time.Duration(min(n, 86400))*time.Second, backMost)
	}
	switch {
	case !b.App.Profile.OpenID || !b.Scope.Has("openid"):
		return Fault(&wire.Error{Code: wire.InvalidScope, Description: "the scope must have openid"})
	case p.Get("login_hint_token") != "":
		return no("login_hint_token is not supported")
	case hints != 1:
		return no("one of login_hint and id_token_hint must be given")
	case told && (bearer == "" || len(bearer) > maxBearer):
		return no("client_notification_token is missing or too long")
	case !oneLine(p.Get("binding_message")):
		return ErrBinding
	}
	return nil
}

// oneLine says whether a message can be shown for what it is: short, and without signs that turn or hide what stands beside them.
func oneLine(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxMessage && !slices.ContainsFunc([]rune(s), func(r rune) bool {
		return !unicode.IsPrint(r)
	})
}

// hinted finds whom a request means. Who may not use the application is not asked.
func (s *Server) hinted(ctx context.Context, c *call.Call, a App, client Client, p wire.Params) (out Person, err error) {
	id := ""
	if token := p.Get("id_token_hint"); token != "" {
		h, err := s.Hinted(ctx, c, a, token)
		if errors.Is(err, ErrHint) {
			return out, ErrUnknownUser
		}
		if err != nil {
			return out, err
		}
		if h.Client != client.ID {
			return out, ErrUnknownUser
		}
		id = h.Person
	}
	err = c.Snapshot(ctx, func() (err error) {
		if id == "" {
			out, err = s.ByName(ctx, c, p.Get("login_hint"))
		} else {
			out, err = s.Person(ctx, c, id)
		}
		if err != nil && fault.Of(err).Kind == fault.NotFound || err == nil && (out.Barred || out.Service) {
			return ErrUnknownUser
		}
		if err != nil {
			return err
		}
		return s.may(ctx, c, a, out)
	})
	return out, err
}

// Backchannel asks the person: they see it among what waits for them, and are told (CIBA Core section 7.3).
func (s *Server) Backchannel(ctx context.Context, c *call.Call, b Backchannel) (Begun, error) {
	if b.object != "" {
		if fresh, err := s.Once(ctx, c, "request", b.Client.ID+"\x00"+b.object, b.expires); err != nil || !fresh {
			return Begun{}, errors.Join(err, wrongAsk("the request object was used before"))
		}
	}
	waiting, err := pendingOfUser.All(ctx, c.Tx, c.Tenant.ID, b.person.ID, c.Now.UnixMilli())
	if err != nil {
		return Begun{}, err
	}
	if len(waiting) >= backAtOnce {
		return Begun{}, ErrBusy
	}
	plain, hash := crypt.NewToken(c.Rand)
	w := wish{Message: b.Params.Get("binding_message"), ACR: strings.Fields(b.Params.Get("acr_values")), Notify: b.bearer}
	if b.bearer != "" {
		if w.Handle, err = s.Ring.Seal(ctx, c.Tenant.ID, secretPurpose, []byte(plain), "backchannel"); err != nil {
			return Begun{}, err
		}
	}
	if _, err := s.keep(ctx, c, b.Ask, cibaKind, plain, "", b.person.ID, w, b.life); err != nil {
		return Begun{}, err
	}
	row, err := findPending.One(ctx, c.Tx, c.Tenant.ID, hash, cibaKind)
	if err != nil {
		return Begun{}, err
	}
	shown, err := s.shown(ctx, c, row)
	if err == nil && s.TellAsked != nil {
		err = s.TellAsked(ctx, c, b.person, shown)
	}
	out := Begun{Handle: plain, Life: b.life, Pace: pace}
	if b.Client.Delivery == "push" {
		out.Pace = 0
	}
	return out, err
}

// byBackchannel is a client that asks what came of its request (CIBA Core section 10.1). One that is sent the tokens does not ask.
func (s *Server) byBackchannel(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	if a.Client.Delivery == "push" {
		return grantee{}, ErrFlow
	}
	return s.poll(ctx, c, a, cibaKind, a.Params.Get("auth_req_id"))
}

// ofBackchannel is who agreed to it.
func (s *Server) ofBackchannel(ctx context.Context, c *call.Call, a Ask) (grantee, error) {
	return s.decided(ctx, c, cibaKind, a.Params.Get("auth_req_id"))
}

// Backchannels are the requests that wait for the caller, the newest first.
func (s *Server) Backchannels(ctx context.Context, c *call.Call) ([]Pending, error) {
	rows, err := pendingOfUser.All(ctx, c.Tx, c.Tenant.ID, c.User(), c.Now.UnixMilli())
	if err != nil {
		return nil, err
	}
	out := make([]Pending, 0, len(rows))
	for _, row := range rows {
		p, err := s.shown(ctx, c, row)
		if f := fault.Of(err); err != nil && f.Kind != fault.Internal { // the application or its client is gone
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// PendingSteps are the rounds of mechanisms that the caller must still pass before they approve a request, and the name of the application;
// none where anything further would do. Fault: ErrDecided.
func (s *Server) PendingSteps(ctx context.Context, c *call.Call, id string) (app string, rounds [][]string, err error) {
	by, err := s.SignedIn(ctx, c)
	if err != nil {
		return "", nil, err
	}
	row, err := pendingByID.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (by == nil || row.User != by.Person.ID || row.Kind != cibaKind) {
		return "", nil, ErrDecided
	}
	if err != nil {
		return "", nil, err
	}
	p, err := s.shown(ctx, c, row)
	if err != nil {
		return "", nil, err
	}
	rounds, err = s.Steps(ctx, c, p.request(), *by)
	return p.App.Name, rounds, err
}

// DecideBackchannel notes what the caller decided about a request that waits for them. To agree they must have signed in within
// five minutes: a session that is left open, or stolen, approves nothing. settled says that they have no further proof to give, where the client
// wishes for one. Faults: ErrNobody, ErrDecided, session.ErrStale, ErrDenied.
func (s *Server) DecideBackchannel(ctx context.Context, c *call.Call, id string, yes, settled bool) (Next, error) {
	by, err := s.SignedIn(ctx, c)
	if err != nil {
		return Answer, err
	}
	if by == nil || by.Session == "" {
		return SignIn, ErrNobody
	}
	row, err := pendingByID.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (row.User != by.Person.ID || row.Kind != cibaKind) {
		return Answer, ErrDecided
	}
	if err != nil {
		return Answer, err
	}
	p, err := s.shown(ctx, c, row)
	switch {
	case err != nil:
		return Answer, err
	case yes && c.Now.Sub(by.Proved) > backFresh:
		return SignIn, session.ErrStale
	}
	p.settled = settled
	next, err := s.decide(ctx, c, p, *by, yes)
	if err != nil || next != Answer || p.wish.Notify == "" {
		return next, err
	}
	return next, s.Promise(ctx, c, outbox.Delivery{Topic: TopicBackchannel, Key: row.ID, Payload: promised{row.ID}, Expires: p.Expires})
}
