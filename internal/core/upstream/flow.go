package upstream

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// How long a person may take at the provider, and a client to resume what came back.
const (
	Life       = 10 * time.Minute
	resumeLife = 2 * time.Minute
	maxReturn  = 2000 // bytes of an address to return to
	maxState   = 128
	maxCode    = 8 << 10
)

// flow is a sign-in that is under way at a provider, or came back from it.
type flow struct {
	Provider string `json:"p"`
	Redirect string `json:"r,omitempty"`
	Verifier string `json:"x,omitempty"` // RFC 7636
	Nonce    string `json:"n,omitempty"`
	Browser  string `json:"b,omitempty"` // hash of the cookie of the browser that began
	Return   string `json:"u,omitempty"` // address of the client that began; empty: the pages did
	To       string `json:"t,omitempty"` // where to go on afterwards, a path of this server
	User     string `json:"w,omitempty"` // who is signed in and connects the account; of what came back: whose it is
	Session  string `json:"s,omitempty"` // theirs
	Back     bool   `json:"k,omitempty"` // it came back

	hash []byte
}

type flowRow struct {
	State   string `db:"state"`
	Expires int64  `db:"expires"`
}

var (
	insertFlow = dbx.E("upstream.begin", `INSERT INTO upstream_flow (tenant, hash, provider, state, expires) VALUES (?, ?, ?, ?, ?)`)
	findFlow   = dbx.Q[flowRow]("upstream.flow", `SELECT state, expires FROM upstream_flow WHERE tenant = ? AND hash = ?`)
	spendFlow  = dbx.E("upstream.spend", `DELETE FROM upstream_flow WHERE tenant = ? AND hash = ?`)
	sweepFlows = dbx.S("upstream.sweep", "upstream_flow", "tenant, hash", "expires < ?")
)

// Begin is the wish to sign in at a provider, or to connect the account there.
type Begin struct {
	Provider string
	Return   string // address of the client, where it is not a page of ours
	To       string // where to go on afterwards, a path of this server
	User     string // who is signed in and connects the account; empty: somebody signs in
	Session  string // theirs
}

// Begun is one that was prepared.
type Begun struct {
	Provider Provider
	URL      string // to which the browser is to be led
	Cookie   string // name of the cookie that binds the flow to the browser
	Value    string // its value
	Posts    bool   // the provider's answer comes as another site's form, with which browsers send few cookies

	flow flow
}

// CookieOf is the name of the cookie that binds the flow of a state to the browser in which it began.
func CookieOf(state string, secure bool) string {
	sum := sha256.Sum256([]byte(state))
	name := "extidp-" + hex.EncodeToString(sum[:8])
	if secure {
		name = "__Host-" + name // which no other host of the domain can set
	}
	return name
}

// Bind is the cookie that the browser keeps until it comes back.
func (b Begun) Bind(c *call.Call) *http.Cookie {
	k := &http.Cookie{
		Name: b.Cookie, Value: b.Value, Path: "/", MaxAge: int(Life / time.Second), HttpOnly: true, Secure: c.Client.Secure, SameSite: http.SameSiteLaxMode,
	}
	if b.Posts && c.Client.Secure { // or no browser would send it along with the provider's form
		k.SameSite = http.SameSiteNoneMode
	}
	return k
}

// Unbind takes it away.
func Unbind(c *call.Call, state string) *http.Cookie {
	return &http.Cookie{Name: CookieOf(state, c.Client.Secure), Path: "/", MaxAge: -1, HttpOnly: true, Secure: c.Client.Secure, SameSite: http.SameSiteLaxMode}
}

// PrepareBegin finds where a provider wants people sent, outside transactions. Faults: ErrUnknown, ErrProvider, ErrReturn.
func (p *Providers) PrepareBegin(ctx context.Context, c *call.Call, b Begin) (Begun, error) {
	var row Provider
	err := c.Snapshot(ctx, func() (err error) {
		row, err = p.Find(ctx, c, b.Provider)
		return err
	})
	if err == nil && !row.Enabled {
		err = ErrUnknown
	}
	if err == nil && b.Return != "" {
		err = p.returns(ctx, c, b.Return)
	}
	if err == nil {
		err = p.Ring.Ensure(ctx, c.Tenant.ID, purpose)
	}
	if err != nil {
		return Begun{}, err
	}
	id, err := uuid.NewRandomFromReader(c.Rand)
	if err != nil {
		return Begun{}, err
	}
	state := c.Tenant.ID + "-" + id.String()
	out := Begun{Provider: row, Cookie: CookieOf(state, c.Client.Secure), Posts: p.known(row).FormPost}
	var cookie []byte
	out.Value, cookie = crypt.NewToken(c.Rand)
	out.flow = flow{
		Provider: row.Key, Redirect: p.Links.To(c, row.Callback(), ""), Return: b.Return, To: b.To, User: b.User, Session: b.Session,
		Browser: hex.EncodeToString(cookie), hash: crypt.TokenHash(state),
	}
	out.flow.Verifier, _ = crypt.NewToken(c.Rand) // in the form of RFC 7636 section 4.1
	out.flow.Nonce, _ = crypt.NewToken(c.Rand)
	out.URL, err = p.authorize(ctx, row, out.flow, state)
	return out, err
}

// returns wants an address at which the tenant itself is, so that nobody is led elsewhere with what proves them.
func (p *Providers) returns(ctx context.Context, c *call.Call, text string) error {
	u, err := url.Parse(text)
	if err != nil || len(text) > maxReturn || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return ErrReturn
	}
	if u.Scheme != "https" && (!p.Links.Insecure || u.Scheme != "http") {
		return ErrReturn
	}
	ours, err := p.Ours(ctx, c, strings.ToLower(u.Host))
	if err == nil && !ours {
		err = ErrReturn
	}
	return err
}

// Begin keeps a flow until the browser comes back.
func (p *Providers) Begin(ctx context.Context, c *call.Call, b Begun) error {
	return p.keep(ctx, c, b.flow, Life)
}

func (p *Providers) keep(ctx context.Context, c *call.Call, f flow, life time.Duration) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	sealed, err := p.Ring.Seal(ctx, c.Tenant.ID, purpose, raw, hex.EncodeToString(f.hash))
	if err != nil {
		return err
	}
	return insertFlow.Later(ctx, c.Tx, c.Tenant.ID, f.hash, f.Provider, sealed, c.Now.Add(life).UnixMilli())
}

// flow reads one; ErrState where there is none that lives.
func (p *Providers) flow(ctx context.Context, c *call.Call, text string, back bool) (flow, error) {
	f := flow{hash: crypt.TokenHash(text)}
	if text == "" || len(text) > maxState {
		return f, ErrState
	}
	row, err := findFlow.One(ctx, c.Tx, c.Tenant.ID, f.hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Expires <= c.Now.UnixMilli() {
		return f, ErrState
	}
	if err != nil {
		return f, err
	}
	raw, err := p.Ring.Open(ctx, c.Tenant.ID, purpose, row.State, hex.EncodeToString(f.hash))
	if err == nil {
		err = json.Unmarshal(raw, &f)
	}
	if err == nil && f.Back != back {
		err = ErrState
	}
	return f, err
}

func (p *Providers) spend(ctx context.Context, c *call.Call, f flow) error {
	n, err := spendFlow.Do(ctx, c.Tx, c.Tenant.ID, f.hash)
	if err == nil && n == 0 {
		err = ErrState
	}
	return err
}

// Answer is what the browser brought back from a provider.
type Answer struct {
	Provider string // whose path it was sent to
	State    string
	Code     string
	Error    string // in place of Code
	Issuer   string // RFC 9207; empty: the provider does not say it
	User     string // of Apple, at the first time: a JSON object with the name
	Cookie   string // value of the cookie of CookieOf
}

// Landed is what was found out about an answer.
type Landed struct {
	Provider Provider
	Identity Identity
	Return   string // as Begin
	To       string
	User     string
	Session  string
	Wrong    *fault.Error // why nobody is signed in by it; nil: somebody may be

	flow flow
}

// Look finds out who somebody is at the provider, outside transactions. ErrState where nobody here waits for the answer; what else is wrong
// stands in Landed.Wrong, since the flow is used up by it.
func (p *Providers) Look(ctx context.Context, c *call.Call, a Answer) (Landed, error) {
	var out Landed
	err := c.Snapshot(ctx, func() (err error) {
		if out.flow, err = p.flow(ctx, c, a.State, false); err == nil {
			out.Provider, err = p.Find(ctx, c, out.flow.Provider)
		}
		return err
	})
	if err == nil && !out.flow.began(a) {
		err = ErrState
	}
	if err != nil {
		return Landed{}, but(err, ErrUnknown, ErrState)
	}
	f := out.flow
	out.Return, out.To, out.User, out.Session = f.Return, f.To, f.User, f.Session
	switch {
	case !out.Provider.Enabled:
		out.Wrong = ErrUnknown
	case a.Error != "":
		out.Wrong = declined(a.Error)
	case a.Code == "" || len(a.Code) > maxCode:
		out.Wrong = ErrProvider
	default:
		out.Identity, err = p.ask(ctx, c, out.Provider, f, a)
		if out.Wrong = fault.Of(err); out.Wrong != nil && out.Wrong.Code != ErrProvider.Code {
			out.Wrong = ErrProvider.Because(err)
		}
	}
	return out, nil
}

// began says whether the browser that brings an answer is the one that began, and the answer came where the provider sends people: one
// provider must not be able to have its codes redeemed at another.
func (f flow) began(a Answer) bool {
	shown := hex.EncodeToString(crypt.TokenHash(a.Cookie))
	here := strings.EqualFold(a.Provider, f.Provider)
	return a.Cookie != "" && subtle.ConstantTimeCompare([]byte(shown), []byte(f.Browser)) == 1 && here
}

// declined tells people who changed their mind from providers that fail.
func declined(code string) *fault.Error {
	switch code {
	case "access_denied", "user_cancelled_login", "user_cancelled_authorize", "user_cancelled_authorization", "user_denied":
		return ErrCancelled
	}
	return ErrProvider
}

func but(err, is error, than *fault.Error) error {
	if errors.Is(err, is) {
		return than
	}
	return err
}

// Land uses a flow up. ErrState where another answer did so first.
func (p *Providers) Land(ctx context.Context, c *call.Call, l Landed) error {
	return p.spend(ctx, c, l.flow)
}

// Promise gives what resumes a sign-in that came back, once and soon.
func (p *Providers) Promise(ctx context.Context, c *call.Call, userID string, by Provider) (string, error) {
	text, hash := crypt.NewToken(c.Rand)
	return text, p.keep(ctx, c, flow{Provider: by.Key, User: userID, Back: true, hash: hash}, resumeLife)
}

// Redeem gives whose sign-in it is that is resumed, and uses it up. ErrState where there is none.
func (p *Providers) Redeem(ctx context.Context, c *call.Call, text string) (userID string, by Provider, err error) {
	f, err := p.flow(ctx, c, text, true)
	if err == nil {
		err = p.spend(ctx, c, f)
	}
	if err != nil {
		return "", by, err
	}
	by, err = p.Find(ctx, c, f.Provider)
	if err == nil && !by.Enabled {
		err = ErrState
	}
	return f.User, by, but(err, ErrUnknown, ErrState)
}

// Sweep removes, in all tenants, what waited in vain until a time.
func (p *Providers) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return sweepFlows.Run(ctx, db, before.UnixMilli())
}
