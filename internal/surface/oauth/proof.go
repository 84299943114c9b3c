package oauth

import (
	"context"
	"net/http"
	"strings"

	"limen/internal/core/oauth"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/oauth"
)

// shown is the DPoP proof of a request. The endpoint is known to the client by the host that it asked.
func (s *sent) shown(c *op.Call) oauth.Shown {
	return oauth.Shown{Proofs: s.proofs, Method: s.method, URL: "https://" + c.Client.Host + s.path}
}

// proved checks the DPoP proof of a client's request; its ID is empty where none came.
func (o OAuth) proved(ctx context.Context, c *op.Call, app string, in *sent) (wire.Proof, error) {
	if len(in.proofs) == 0 {
		return wire.Proof{}, nil
	}
	a, err := o.Server.Called(ctx, c, app, in.authorization, in.params)
	if err != nil {
		return wire.Proof{}, err
	}
	return o.Server.Proof(ctx, c, a, in.shown(c))
}

// challenge tells by the header WWW-Authenticate what a protected resource wants (RFC 6750 section 3, RFC 9449 section 7.1), and what a DPoP
// proof must repeat.
func challenge(w http.ResponseWriter, r *http.Request, realm string, code wire.Code) {
	algs := `algs="` + strings.Join(oauth.Profile{}.ClientAlgorithms(), " ") + `"`
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "DPoP"), code == wire.InvalidDPoPProof, code == wire.UseDPoPNonce:
		w.Header().Add("WWW-Authenticate", `DPoP realm="`+realm+`", error="`+string(code)+`", `+algs)
	default:
		w.Header().Add("WWW-Authenticate", `Bearer realm="`+realm+`", error="`+string(code)+`"`)
		w.Header().Add("WWW-Authenticate", `DPoP realm="`+realm+`", `+algs)
	}
}

// nonces gives the nonce that a fault wants a DPoP proof to be made with.
func nonces(w http.ResponseWriter, f *fault.Error) {
	if n := oauth.NonceOf(f); n != "" {
		w.Header().Set("DPoP-Nonce", n)
	}
}
