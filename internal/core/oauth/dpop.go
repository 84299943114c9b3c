package oauth

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// How old a DPoP proof may be, and by how much the clocks may differ.
const (
	proofLife = time.Minute
	proofSkew = 10 * time.Second // FAPI 2.0 Security Profile section 5.3.2.1 wants as much
)

// Shown is the DPoP proof of a request, as it came.
type Shown struct {
	Proofs      []string // values of the header DPoP
	Method, URL string   // of the request, as a proof names them
}

// NonceError goes with a fault about a DPoP proof that must be made anew with a nonce of the server's, which it carries.
type NonceError struct{ Nonce string }

// Error says what is wanted.
func (n *NonceError) Error() string { return "a nonce must be in the proof" }

// NonceOf is the nonce that goes with a fault; empty: none does.
func NonceOf(err error) string {
	if n, ok := errors.AsType[*NonceError](err); ok {
		return n.Nonce
	}
	return ""
}

// noncePurpose is the purpose of the key that nonces are made with.
const noncePurpose = "oauth-dpop"

// nonceStep is how long a nonce is given out; it is good for as long again.
const nonceStep = 3 * time.Minute

// Nonce is what DPoP proofs for an application must repeat now; empty where they need not. Nonces are not stored: they are a keyed hash of
// the time, so that every node knows them.
func (s *Server) Nonce(ctx context.Context, c *call.Call, a App) (string, error) {
	if !a.Profile.DPoPNonce {
		return "", nil
	}
	step := strconv.FormatInt(c.Now.Unix()/int64(nonceStep/time.Second), 36)
	mac, err := s.Ring.MAC(ctx, c.Tenant.ID, noncePurpose, []byte(step))
	return step + "." + mac, err
}

// good says whether a nonce is one of this server's that is not too old.
func (s *Server) good(ctx context.Context, c *call.Call, nonce string) (bool, error) {
	text, mac, _ := strings.Cut(nonce, ".")
	step, err := strconv.ParseInt(text, 36, 64)
	now := c.Now.Unix() / int64(nonceStep/time.Second)
	if err != nil || len(nonce) > 200 || step > now+1 || step < now-1 {
		return false, nil //nolint:nilerr // it is none
	}
	return s.Ring.CheckMAC(ctx, c.Tenant.ID, noncePurpose, []byte(text), mac)
}

// Proof checks the DPoP proof of a request, outside transactions; its ID is empty where none came. That it was never used before is told by
// Unused. A fault with a NonceError wants it anew.
func (s *Server) Proof(ctx context.Context, c *call.Call, a App, in Shown) (wire.Proof, error) {
	if len(in.Proofs) == 0 {
		return wire.Proof{}, nil
	}
	p, err := wire.ReadProof(in.Proofs)
	if err == nil {
		err = p.For(in.Method, in.URL)
	}
	if err == nil {
		err = p.Fresh(c.Now, proofLife, proofSkew)
	}
	if err != nil {
		return wire.Proof{}, Fault(err)
	}
	want, err := s.Nonce(ctx, c, a)
	if err != nil || want == "" {
		return p, err
	}
	if ok, err := s.good(ctx, c, p.Nonce); err != nil || ok {
		return p, err
	}
	return wire.Proof{}, ErrNonce.Because(&NonceError{want})
}

// Unused takes a proof, in a transaction: it is good for one request (RFC 9449 section 11.1). One that did not come is none.
func (s *Server) Unused(ctx context.Context, c *call.Call, p wire.Proof) error {
	if p.ID == "" {
		return nil
	}
	fresh, err := s.Once(ctx, c, "proof", p.Thumbprint+p.ID, p.Issued.Add(proofLife+2*proofSkew))
	if err == nil && !fresh {
		err = ErrProof.Say("the DPoP proof was used before")
	}
	return err
}

// Holds says whether a request that shows a token, by a scheme of the header Authorization, proves the key that the token is bound to (RFC
// 9449 section 7.1), or came by a connection with the certificate that it is bound to (RFC 8705 section 3). A token that is bound to none
// is no DPoP token, and one that is bound to a key is no bearer.
func (l Live) Holds(c *call.Call, scheme, token string, p wire.Proof) error {
	dpop := strings.EqualFold(scheme, "DPoP")
	switch {
	case l.Key == "" && !dpop, l.Certified(c) && !dpop:
		return nil
	case l.Key == "" || l.OfCert() || !dpop || p.ID == "" || p.Thumbprint != l.Key:
		return ErrToken
	}
	return Fault(p.Binds(token))
}

// Resource turns the fault of a proof into that of a request for something protected, which is answered with 401 (RFC 9449 section 7.1).
func Resource(err error) error {
	f := fault.Of(err)
	if f == nil || f.Code != ErrProof.Code && f.Code != ErrNonce.Code {
		return err
	}
	out := *f
	out.Kind = fault.Unauthenticated
	return &out
}
