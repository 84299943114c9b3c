// Package duo is the mechanism DUO: the person is led to Duo, which asks them in its own way, and says whether it was they (Universal Prompt).
//
// Nobody is led there who has shown nothing yet: Duo lets whoever comes in a name that it does not know enrol a device of theirs for it.
package duo

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/setting"
	"limen/internal/crypt"
	"limen/internal/fault"
	"limen/internal/wire/duo"
)

// ErrUnreachable says that Duo cannot be asked, or does not know this server. Nobody is let in then by this mechanism.
var ErrUnreachable = fault.New(fault.Unavailable, "duo.unreachable", "Duo does not answer. Please try again, or choose another way.")

// wait is for how long an answer is taken.
const wait = 10 * time.Minute

// Mechanism leads people to Duo. Its fields are set before use.
type Mechanism struct {
	// Setup is the tenant's application at Duo; it reads. Open reads its secret, outside transactions.
	Setup func(ctx context.Context, c *call.Call) (setting.Duo, error)
	Open  func(ctx context.Context, c *call.Call, d setting.Duo) (string, error)
	// Return is the address to which browsers come back.
	Return func(c *call.Call) string
	// Post sends a form to an address of Duo's, of which it follows no redirect.
	Post func(ctx context.Context, to string, form url.Values) (status int, body []byte, err error)
}

// Name is DUO.
func (Mechanism) Name() string { return factor.Duo }

// Offer asks everybody whom Duo can know, where the tenant has an application there.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	d, err := m.Setup(ctx, c)
	if err != nil || !d.Set() || named(d, p) == "" {
		return factor.Prompt{}, false, err
	}
	return factor.Prompt{
		AnswerType: factor.StartOOB, Chosen: "Confirm the sign-in with Duo.", Select: "Duo", UI: "Confirm the sign-in with Duo.",
	}, true, nil
}

// Disguise has nothing to hide.
func (Mechanism) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// named is the name of a person at Duo. Nobody is called as they call themselves.
func named(d setting.Duo, p factor.Person) string {
	if d.ByMail && p.ID != "" {
		return p.Mail
	}
	return p.Name
}

// application is the tenant's at Duo. It reads the secret, which belongs outside transactions. errNone where there is none.
func (m Mechanism) application(ctx context.Context, c *call.Call) (a duo.Application, d setting.Duo, err error) {
	err = c.Snapshot(ctx, func() (err error) {
		d, err = m.Setup(ctx, c)
		return err
	})
	if err == nil && !d.Set() {
		err = errNone
	}
	if err != nil {
		return a, d, err
	}
	secret, err := m.Open(ctx, c, d)
	return duo.Application{Host: strings.ToLower(d.Host), ID: d.ID, Secret: secret, Redirect: m.Return(c)}, d, err
}

var errNone = errors.New("the tenant has no application at Duo")

// Lead asks whether Duo is there, and signs the request with which the person is led to it.
func (m Mechanism) Lead(ctx context.Context, c *call.Call, p factor.Person, ch factor.Challenge) (*factor.Away, error) {
	a, d, err := m.application(ctx, c)
	if errors.Is(err, errNone) {
		err = ErrUnreachable.Because(err)
	}
	if err != nil {
		return nil, err
	}
	id, _ := crypt.NewToken(c.Rand)
	form, err := a.Health(id, c.Now)
	if err != nil {
		return nil, ErrUnreachable.Because(err)
	}
	status, body, err := m.Post(ctx, a.HealthURL(), form)
	if err == nil && status != http.StatusOK {
		err = errors.New(http.StatusText(status))
	}
	if err == nil {
		err = duo.ParseHealth(body)
	}
	if err != nil {
		return nil, ErrUnreachable.Because(err)
	}
	state, _ := crypt.NewToken(c.Rand)
	nonce, _ := crypt.NewToken(c.Rand)
	w := duo.Wish{User: named(d, p), State: ch.ID + stateSign + state, Nonce: nonce}
	at, err := a.Authorize(w, c.Now)
	if err != nil {
		return nil, ErrUnreachable.Because(err)
	}
	return &factor.Away{URL: at, State: w.State, Nonce: w.Nonce, User: w.User, Return: a.Redirect}, nil
}

// stateSign stands behind the id of the mechanism in a state.
const stateSign = "."

// MechanismOf is the id of the mechanism that an answer is to; empty where it is none.
func MechanismOf(text string) string {
	back, _ := duo.ParseBack(text)
	id, _, ok := strings.Cut(back.State, stateSign)
	if !ok {
		return ""
	}
	return id
}

// Start begins what Lead has found.
func (Mechanism) Start(_ context.Context, c *call.Call, _ factor.Person, ch *factor.Challenge, _ string) error {
	if ch.Away == nil {
		return factor.ErrNoStart
	}
	ch.Sent, ch.Expires = c.Now.UnixMilli(), c.Now.Add(wait).UnixMilli()
	return nil
}

// Check has Duo say whose the code is that a browser brought back: the answer is the query of the address at which it arrived. It must be of
// this challenge. ErrUnreachable where Duo does not answer, which is no wrong answer.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, ch factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	back, ok := duo.ParseBack(a.Text)
	if !ok || ch.Away == nil || ch.Passed || !crypt.SameText(back.State, ch.Away.State) || c.Now.UnixMilli() >= ch.Expires {
		return factor.Verdict{}, nil
	}
	at, d, err := m.application(ctx, c)
	if errors.Is(err, errNone) || err == nil && named(d, p) != ch.Away.User {
		return factor.Verdict{}, nil
	}
	if err != nil {
		return factor.Verdict{}, err
	}
	at.Redirect = ch.Away.Return
	id, _ := crypt.NewToken(c.Rand)
	form, err := at.Token(back.Code, id, c.Now)
	if err != nil {
		return factor.Verdict{}, ErrUnreachable.Because(err)
	}
	status, body, err := m.Post(ctx, at.TokenURL(), form)
	if err != nil || status >= http.StatusInternalServerError {
		return factor.Verdict{}, ErrUnreachable.Because(err)
	}
	if status != http.StatusOK {
		return factor.Verdict{}, nil
	}
	text, err := duo.ParseToken(body)
	if err == nil {
		err = at.Proves(text, duo.Wish{User: ch.Away.User, Nonce: ch.Away.Nonce}, c.Now)
	}
	return factor.Verdict{Right: err == nil && p.ID != "", Proof: proof(ch.Away.State)}, nil
}

// proof is the state of the request that was answered.
type proof string

// Commit takes the answer to the request that the challenge has still, once.
func (Mechanism) Commit(_ context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	of, ok := v.Proof.(proof)
	if !ok || !v.Right || ch.Passed || p.ID == "" || ch.Away == nil || ch.Away.State != string(of) || c.Now.UnixMilli() >= ch.Expires {
		ch.Tries++
		return false, nil
	}
	ch.Passed, ch.Away = true, nil
	return true, nil
}
