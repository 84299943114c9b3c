package authority

import (
	"context"
	"crypto/x509"
	"errors"
	"slices"

	"limen/internal/call"
	"limen/internal/core/revocation"
	"limen/internal/fault"
	"limen/internal/wire/certificate"
)

// Why a certificate says nothing of anybody, for the event; the client is not told.
const (
	whyNone    = "no certificate was shown"
	whyUse     = "certificate is not for signing in"
	whyDate    = "certificate has expired or is not good yet"
	whyForeign = "no authority of the tenant vouches for the certificate"
	whyRevoked = "certificate has been revoked"
	whyUnknown = "whether the certificate has been revoked cannot be found out"
	whyNoList  = "certificate names no list of revoked certificates, and its authority has none"
	whyLogin   = "certificate has no login name where its authority has it, or several"
)

// Shown is what became of the certificate by which a client made its connection.
type Shown struct {
	Login     string // login name of the person whom it names; empty: nobody
	Why       string // why nobody, for the event; empty: it is somebody's
	Print     string // SHA-256 of the certificate, in hexadecimal; empty: there was none
	Authority string // name of the authority that vouches for it; empty: none does
	Cause     error  // of Why, for the log; nil: it says all
}

// Identify finds out of whom the certificate is that the client has shown, outside transactions: lists of revoked certificates may have to
// be fetched. Where ways are given, authorities count alone that find login names in one of them.
func (a *Authorities) Identify(ctx context.Context, c *call.Call, ways ...Login) (Shown, error) {
	if len(c.Client.Certs) == 0 {
		return Shown{Why: whyNone}, nil
	}
	leaf := certificate.Understood(c.Client.Certs[0])
	out := Shown{Print: print256(leaf)}
	all, err := a.All(ctx, c)
	if err != nil {
		return out, err
	}
	if out.Why = unusable(c, leaf); out.Why != "" {
		return out, nil
	}
	out.Why = whyForeign
	for _, one := range all {
		if len(ways) > 0 && !slices.Contains(ways, one.Login) {
			continue
		}
		chains, err := one.Chain.verify(leaf, c.Now, x509.ExtKeyUsageClientAuth)
		if err != nil {
			out.Cause = errors.Join(out.Cause, err)
			continue
		}
		out.Authority, out.Cause = one.Name, nil
		return a.vouched(ctx, c, one, leaf, chains, out)
	}
	return out, nil
}

// unusable says why a certificate lets nobody in, whoever issued it. It must say itself that it is for TLS clients: crypto/x509 takes one
// that says nothing for any use.
func unusable(c *call.Call, leaf *x509.Certificate) string {
	switch {
	case c.Now.Before(leaf.NotBefore) || c.Now.After(leaf.NotAfter):
		return whyDate
	case leaf.IsCA || !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) || leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return whyUse
	}
	return ""
}

// vouched looks whether an authority has revoked a certificate of its own, and reads whom it names.
func (a *Authorities) vouched(ctx context.Context, c *call.Call, by Authority, leaf *x509.Certificate, chains [][]*x509.Certificate, out Shown) (Shown, error) {
	if by.Revoked {
		if err := a.standing(ctx, c, by, chains); err != nil {
			out.Cause = err
			switch f := fault.Of(err); {
			case errors.Is(f, revocation.ErrRevoked):
				out.Why = whyRevoked
			case errors.Is(f, revocation.ErrNoList):
				out.Why = whyNoList
			case errors.Is(f, revocation.ErrUnknown):
				out.Why = whyUnknown
			default:
				return out, err
			}
			return out, nil
		}
	}
	name := by.Login.of(leaf)
	if name == "" {
		out.Why = whyLogin
		return out, nil
	}
	var err error
	out.Login, err = a.Suffixed(ctx, c, name)
	out.Why = ""
	return out, err
}

// standing wants one way to the root on which nothing has been revoked. What has been on any way is refused, even where another one leads
// around it: who wants that one takes the certificate out of the file.
func (a *Authorities) standing(ctx context.Context, c *call.Call, by Authority, chains [][]*x509.Certificate) (err error) {
	lenient := false
	if a.Lenient != nil {
		if lenient, err = a.Lenient(ctx, c); err != nil {
			return err
		}
	}
	for _, chain := range chains {
		if err = a.unrevoked(ctx, c, by, chain, lenient); err == nil || errors.Is(err, revocation.ErrRevoked) {
			return err
		}
	}
	return err
}

// unrevoked looks at each certificate of a way but the root. The authority's own address is of the list on which people's certificates are.
func (a *Authorities) unrevoked(ctx context.Context, c *call.Call, by Authority, chain []*x509.Certificate, lenient bool) error {
	for i, cert := range chain[:len(chain)-1] {
		at := ""
		if i == 0 {
			at = by.List
		}
		err := a.Lists.Check(ctx, c, cert, chain[i+1], at)
		switch {
		case err == nil, lenient && !errors.Is(err, revocation.ErrRevoked):
		case i > 0 && errors.Is(err, revocation.ErrNoList): // authorities that name no list are taken out of the file instead
		default:
			return err
		}
	}
	return nil
}
