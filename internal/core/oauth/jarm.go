package oauth

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
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
	return s.Signers.Sign(ctx, c.Tenant.ID, s.answerAlg(r), IDType, claims)
}

// answerAlg is what answers to a client are signed with.
func (s *Server) answerAlg(r Request) crypt.Alg {
	switch {
	case r.Client.AnswerAlg != "":
		return crypt.Alg(r.Client.AnswerAlg)
	case r.App.Profile.FAPI != "":
		return crypt.ES256
	}
	return s.alg()
}
