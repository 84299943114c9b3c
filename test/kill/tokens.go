package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"limen/test/rig"
)

// killTokens kills the program while clients are given tokens, rotate and revoke them: afterwards what was acknowledged is good, and
// what was rotated, revoked or came twice is not, and never again.
func killTokens(ctx context.Context, p place, rounds int) (cut int, err error) {
	st, done, err := p.set(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	holders := make([]*holder, 6)
	for i := range holders {
		if holders[i], err = newHolder(ctx, st, i); err != nil {
			return 0, err
		}
	}
	for round := 1; round <= rounds; round++ {
		stop := hold(ctx, holders)
		err := st.strike(ctx, 1200*time.Millisecond, true)
		stop()
		if err == nil {
			err = settleTokens(ctx, st, holders)
		}
		if err == nil {
			err = verified(ctx, st.server)
		}
		if err != nil {
			return cut, fmt.Errorf("tokens %d: %w\nserver's log:\n%s", round, err, st.server.Log(20))
		}
		var sum tally
		for _, h := range holders {
			sum.plus(h.tally)
			if h.lost > 0 {
				cut++
				h.lost = 0
			}
		}
		fmt.Fprintf(st.out, "tokens %d: %+v\n", round, sum)
	}
	return cut, st.server.Stop()
}

// tally is what was acknowledged, and in how many cases no answer came.
type tally struct{ issued, rotated, revoked, raced, lost int }

func (t *tally) plus(o tally) {
	t.issued += o.issued
	t.rotated += o.rotated
	t.revoked += o.revoked
	t.raced += o.raced
	t.lost += o.lost
}

// chain is what a client holds of one authorization.
type chain struct {
	Refresh string `json:"refresh_token"`
	Access  string `json:"access_token"`

	before  string // the refresh token before this one, which is good no more
	doubted bool   // a call was not answered: it may have happened or not
	ended   bool   // revoked, or a token came twice: it was acknowledged
}

// holder is a client with an application of its own, half of which give opaque access tokens.
type holder struct {
	tally
	http    *rig.Client // of nobody
	auth    string      // session of whom tokens are about
	service string
	id      string
	rand    *rand.Rand
	chains  []*chain
	odd     []error // answers that no blow explains
}

const (
	holderSecret = "a-secret-of-16-bytes-or-more"
	holderBack   = "https://holder.example.com/back"
)

func newHolder(ctx context.Context, st *stage, n int) (*holder, error) {
	client := *st.admin
	client.Patient = false
	h := &holder{http: client.As(""), auth: st.admin.Token, service: fmt.Sprintf("holder%d", n), rand: rand.New(rand.NewPCG(uint64(n), uint64(time.Now().UnixNano())))}
	var made []struct {
		Key string `json:"_RowKey"`
	}
	if err := st.ask(ctx, "/SaasManage/ImportAppFromTemplate", map[string]any{"ID": []string{"Generic OpenID Connect"}}, &made); err != nil {
		return nil, err
	}
	if err := st.ask(ctx, "/SaasManage/UpdateApplicationDE", map[string]any{
		"_RowKey": made[0].Key, "Name": h.service, "ServiceName": h.service,
		"OAuthProfile": map[string]any{
			"ClientIDType": 1, "ClientSecret": holderSecret, "Redirects": []string{holderBack}, "AllowedAuth": "AuthorizationCode", "AllowRefresh": true,
			"TokenType": []string{"JwtRS256", "Opaque"}[n%2],
		},
		"AppRoles": map[string]any{"Publish": []map[string]any{{"Role": "Everybody"}}},
	}, nil); err != nil {
		return nil, err
	}
	var app struct{ OAuthProfile struct{ ClientID string } }
	err := st.ask(ctx, "/SaasManage/GetApplication", map[string]any{"_RowKey": made[0].Key}, &app)
	h.id = app.OAuthProfile.ClientID
	return h, err
}

// hold has the holders act until stop, or until their server is gone.
func hold(ctx context.Context, holders []*holder) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, h := range holders {
		wg.Go(func() {
			for ctx.Err() == nil && h.lost == 0 {
				h.step(context.WithoutCancel(ctx))
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// step does one thing.
func (h *holder) step(ctx context.Context) {
	var living []*chain
	for _, c := range h.chains {
		if !c.ended && !c.doubted {
			living = append(living, c)
		}
	}
	what := h.rand.IntN(12)
	if len(living) < 4 || what == 0 {
		h.issue(ctx)
		return
	}
	c := living[h.rand.IntN(len(living))]
	switch what {
	case 1:
		h.revoke(ctx, c)
	case 2:
		h.race(ctx, c)
	default:
		h.rotate(ctx, c)
	}
}

// issue gets tokens by a code.
func (h *holder) issue(ctx context.Context) {
	q := url.Values{"client_id": {h.id}, "response_type": {"code"}, "redirect_uri": {holderBack}, "scope": {"openid"}, "state": {"s"}, "Auth": {h.auth}}
	a, err := h.do(ctx, http.MethodGet, "/OAuth2/Authorize/"+h.service+"?"+q.Encode(), nil)
	if err != nil || a.Status == http.StatusServiceUnavailable {
		h.lost++
		return
	}
	back, err := url.Parse(a.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		h.mistake("a request for a code", a)
		return
	}
	c := &chain{}
	switch h.ask(ctx, "Token", url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {holderBack}}, c) {
	case http.StatusOK:
		h.issued++
		h.chains = append(h.chains, c)
	case http.StatusBadRequest:
		h.odd = append(h.odd, errors.New("a fresh code was refused"))
	}
}

// rotate exchanges the refresh token.
func (h *holder) rotate(ctx context.Context, c *chain) {
	next := chain{before: c.Refresh}
	switch h.ask(ctx, "Token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {c.Refresh}}, &next) {
	case http.StatusOK:
		h.rotated++
		*c = next
	case http.StatusBadRequest:
		c.ended = true
		h.odd = append(h.odd, errors.New("a refresh token that was never used is refused"))
	default:
		c.doubted = true
	}
}

func (h *holder) revoke(ctx context.Context, c *chain) {
	if h.ask(ctx, "Revoke", url.Values{"token": {c.Refresh}}, nil) == http.StatusOK {
		h.revoked++
		c.ended = true
		return
	}
	c.doubted = true
}

// race sends the same refresh token twice at once: it is taken once at most, and the authorization ends with the second.
func (h *holder) race(ctx context.Context, c *chain) {
	var wg sync.WaitGroup
	var status [2]int
	next := [2]chain{{before: c.Refresh}, {before: c.Refresh}}
	for i := range 2 {
		wg.Go(func() {
			status[i], _ = h.once(ctx, "Token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {c.Refresh}}, &next[i])
		})
	}
	wg.Wait()
	c.doubted = true
	taken, refused := 0, 0
	for i, s := range status {
		switch s {
		case http.StatusOK:
			taken++
			*c = next[i]
			c.doubted = true
		case http.StatusBadRequest:
			refused++
		default:
			h.lost++
		}
	}
	if taken > 1 {
		h.odd = append(h.odd, errors.New("a refresh token was taken twice at once"))
	}
	if taken+refused == 2 {
		h.raced++
		c.ended, c.doubted = true, false
	}
}

// ask posts a form as the client. 0: nobody knows what became of it.
func (h *holder) ask(ctx context.Context, what string, form url.Values, out any) int {
	status, err := h.once(ctx, what, form, out)
	if err != nil {
		h.odd = append(h.odd, err)
	}
	if status == 0 {
		h.lost++
	}
	return status
}

func (h *holder) once(ctx context.Context, what string, form url.Values, out any) (int, error) {
	form.Set("client_id", h.id)
	form.Set("client_secret", holderSecret)
	a, err := h.do(ctx, http.MethodPost, "/OAuth2/"+what+"/"+h.service, []byte(form.Encode()))
	if err != nil || a.Status == http.StatusServiceUnavailable {
		return 0, nil //nolint:nilerr // the blow
	}
	var refusal struct{ Error string }
	switch {
	case a.Status == http.StatusOK && out != nil:
		return a.Status, json.Unmarshal(a.Body, out)
	case a.Status == http.StatusOK:
		return a.Status, nil
	case a.Status == http.StatusBadRequest && json.Unmarshal(a.Body, &refusal) == nil && refusal.Error == "invalid_grant":
		return a.Status, nil
	}
	return 0, fmt.Errorf("%s: status %d: %s", what, a.Status, a.Body)
}

// do asks again where there were too many requests; nothing has happened then.
func (h *holder) do(ctx context.Context, method, path string, form []byte) (*rig.Answer, error) {
	for {
		a, err := h.http.Do(ctx, method, path, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, form)
		if err != nil || a.Status != http.StatusTooManyRequests {
			return a, err
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (h *holder) mistake(what string, a *rig.Answer) {
	h.odd = append(h.odd, fmt.Errorf("%s: status %d, to %q: %s", what, a.Status, a.Header.Get("Location"), a.Body))
}

// settleTokens compares what the server says of every token with what it had acknowledged.
func settleTokens(ctx context.Context, st *stage, holders []*holder) error {
	var wg sync.WaitGroup
	errs := make([]error, len(holders))
	for i, h := range holders {
		wg.Go(func() {
			lost := h.lost
			for n, c := range h.chains {
				h.settle(ctx, c, n)
			}
			if h.lost > lost {
				h.odd = append(h.odd, errors.New("the server that came back did not answer"))
			}
			errs[i] = errors.Join(h.odd...)
			// Those that ended stay, so that nothing revives them; the oldest are left to themselves.
			h.chains = h.chains[max(0, len(h.chains)-60):]
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// settle looks at a chain after a blow.
func (h *holder) settle(ctx context.Context, c *chain, n int) {
	if c.before != "" {
		h.want(ctx, c.before, false, "a refresh token whose rotation was acknowledged")
	}
	switch {
	case c.ended:
		h.want(ctx, c.Refresh, false, "the refresh token of an authorization that has ended")
		h.want(ctx, c.Access, false, "the access token of an authorization that has ended")
	case c.doubted:
		h.resolve(ctx, c)
	default:
		h.want(ctx, c.Refresh, true, "a refresh token that was acknowledged")
		h.want(ctx, c.Access, true, "an access token that was acknowledged")
		h.rotate(ctx, c)
		if n%2 == 0 && c.before != "" {
			h.replay(ctx, c, c.before)
		}
	}
}

// resolve finds out what became of a call without an answer. Whatever it was, a token is not taken a second time.
func (h *holder) resolve(ctx context.Context, c *chain) {
	used := c.Refresh
	next := chain{before: used}
	if h.ask(ctx, "Token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {used}}, &next) == http.StatusOK {
		*c = next
	}
	h.replay(ctx, c, used)
}

// replay shows a token that was used: it is refused, and all of its authorization with it.
func (h *holder) replay(ctx context.Context, c *chain, used string) {
	if h.ask(ctx, "Token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {used}}, &chain{}) == http.StatusOK {
		h.odd = append(h.odd, errors.New("a refresh token was taken twice"))
	}
	c.ended, c.doubted = true, false
	h.want(ctx, c.Refresh, false, "the refresh token of an authorization of which one came twice")
	h.want(ctx, c.Access, false, "the access token of an authorization of which one came twice")
}

// want asks whether a token is good.
func (h *holder) want(ctx context.Context, token string, good bool, what string) {
	var out struct{ Active bool }
	if h.ask(ctx, "Introspect", url.Values{"token": {token}}, &out) == http.StatusOK && out.Active != good {
		h.odd = append(h.odd, fmt.Errorf("%s: good is %v", what, out.Active))
	}
}
