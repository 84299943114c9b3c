package oauth

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	wire "limen/internal/wire/oauth"
)

// What can be next besides a sign-in and consent.
const (
	Select Next = "select" // they must say with which account they go on (OpenID Connect Core section 3.1.2.1, prompt)
	Raise  Next = "raise"  // they are asked for a further proof, if they have one (acr_values)
)

var settleWait = dbx.E("oauth.settle_wait", `UPDATE oauth_request SET params = ? WHERE tenant = ? AND hash = ?`)

// further is what a request asks of somebody who is signed in, and who may use the application; again as for Server.Next.
func further(ask wire.Authorization, again bool) Next {
	if ask.Prompt.SelectAccount && !again {
		return Select
	}
	return Answer
}

// Settle notes with a request that waits that what it wanted first has been done or cannot be, so that nobody is asked for it
// again: Select or Raise. The client learns from acr what the person has shown in the end.
func (s *Server) Settle(ctx context.Context, c *call.Call, w Waiting, what Next) error {
	switch what {
	case Select:
		rest := slices.DeleteFunc(strings.Fields(w.Params.Get("prompt")), func(word string) bool { return word == "select_account" })
		w.Params["prompt"] = []string{strings.Join(rest, " ")}
	case Raise:
		w.Settled = true
	}
	text, err := json.Marshal(w.Presented)
	if err != nil {
		return err
	}
	_, err = settleWait.Do(ctx, c.Tx, string(text), c.Tenant.ID, crypt.TokenHash(w.handle))
	return err
}
