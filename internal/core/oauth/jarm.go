package oauth

import (
	"context"
	"time"

	"limen/internal/call"
	wire "limen/internal/wire/oauth"
)

// answerLife is for how long a signed answer to an authorization request is good.
const answerLife = 10 * time.Minute

// SignAnswer makes one JWT of an authorization answer, or of an error (JWT Secured Authorization Response Mode section 2.1). It must run
// outside of transactions.
func (s *Server) SignAnswer(ctx context.Context, c *call.Call, r Request, fields []wire.Pair) (string, error) {
	client := r.Client.ID
	if client == "" { // it is told that it is none
		client = r.Ask.ClientID
	}
	claims := map[string]any{"iss": r.App.Issuer(c.Tenant.Host), "aud": client, "exp": c.Now.Add(answerLife).Unix()}
	for _, f := range fields {
		if f.Value != "" {
			claims[f.Name] = f.Value
		}
	}
	return s.sign(ctx, c, r.App, r.Client, ForAnswer, IDType, claims)
}
