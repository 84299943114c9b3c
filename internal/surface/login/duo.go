package login

import (
	"context"
	"net/http"
	"net/url"

	"limen/internal/core/audit"
	"limen/internal/core/factor/duo"
	core "limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/duo"
	"limen/internal/wire/target"
	"limen/web/login"
)

// DuoPath is where Duo sends browsers back to.
const DuoPath = path + "/duo"

// duo declares coming back from Duo.
func (s SignIn) duo() []op.Op {
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: DuoPath, Allow: op.Anonymous, Effect: op.Read}, s.FromDuo),
		op.Prepared(op.Spec{
			Method: http.MethodGet, Path: DuoPath + "/back", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess,
			Faults: []*fault.Error{core.ErrFailed, ErrGone, duo.ErrUnreachable},
		}, s.brought, s.BackFromDuo),
	}
}

// FromDuo is what a browser brings from Duo.
type FromDuo struct {
	// Code is to be redeemed at Duo.
	Code string `json:"duo_code"`
	// State is that of the request.
	State string `json:"state"`
}

func (d FromDuo) query() string { return wire.Back{Code: d.Code, State: d.State}.Query() }

// FromDuo takes a browser that Duo sends back, and leads it on: what another site leads to carries none of the cookies that are for this site
// alone. It changes nothing.
func (s SignIn) FromDuo(_ context.Context, _ *op.Call, in FromDuo) (login.View, error) {
	return login.Onward{To: DuoPath + "/back?" + in.query()}, nil
}

// BackFromDuo is FromDuo with the browser's cookies.
type BackFromDuo struct {
	// Code is to be redeemed at Duo.
	Code string `json:"duo_code"`
	// State is that of the request.
	State string `json:"state"`

	talk
	goal string
}

// See reads the cookies.
func (b *BackFromDuo) See(r *http.Request) {
	b.talk.See(r)
	if k, err := r.Cookie(goalName); err == nil {
		b.goal, _ = url.QueryUnescape(k.Value) // nothing that cannot be read leads anywhere
	}
}

func (b BackFromDuo) query() string { return FromDuo{b.Code, b.State}.query() }

func (b BackFromDuo) form() AnswerForm {
	text := b.query()
	return AnswerForm{CloudRedirect: b.goal, Mechanism: duo.MechanismOf(text), Answer: text, talk: b.talk}
}

func (s SignIn) brought(ctx context.Context, c *op.Call, in BackFromDuo) (move, error) {
	return s.check(ctx, c, in.form())
}

// BackFromDuo answers the mechanism DUO of the browser's sign-in with what Duo says, and goes on as any answer does. A browser that has no such
// sign-in shows what the program needs whose sign-in it is: whoever was sent here by somebody else must not let them in by looking.
func (s SignIn) BackFromDuo(ctx context.Context, c *op.Call, in BackFromDuo, m move) (any, error) {
	if _, ok := wire.ParseBack(in.query()); !ok {
		m.wrong = ErrGone
	} else if m.wrong == ErrGone || m.at < 0 || m.stage.End != nil { //nolint:errorlint // the very one
		c.Event.Type = "" // nothing happened
		return login.Brought{Text: in.query()}, nil
	}
	return s.Answer(ctx, c, in.form(), m)
}

// goalName is the cookie of where a browser goes on that was led elsewhere.
const goalName = "logingoal"

func goalCookie(c *op.Call, to string) *http.Cookie {
	k := talkCookie(c, url.QueryEscape(target.Local(to)))
	k.Name = goalName
	return k
}
