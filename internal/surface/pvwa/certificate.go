package pvwa

import (
	"context"
	"net/http"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/authority"
	"limen/internal/core/login"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

func (p PVWA) certificates() []op.Op {
	sp := func(path string) op.Spec {
		s := writes(http.MethodPost, path, op.Anonymous, audit.LoginStart, []*fault.Error{
			login.ErrFailed, login.ErrMore, vault.ErrInterface, vault.ErrMethod, vault.ErrHours, vault.ErrSessions, vault.ErrValue, vault.ErrMethodOff,
		})
		s.Rate, s.MaxBody = op.Guess, maxLogon
		return s
	}
	return []op.Op{
		op.Prepared(sp(base+"/auth/PKI/Logon"), p.checkPKI, p.LogonPKI),
		op.Prepared(sp(base+"/auth/PKIPN/Logon"), p.checkPKIPN, p.LogonPKIPN),
	}
}

// CertificateLogon is a wish to log on by the certificate of the connection.
type CertificateLogon struct {
	// ConcurrentSession lets the user's other sessions go on; up to 300 do. False when absent: they end.
	ConcurrentSession wire.Bool `json:"concurrentSession"`
	// SecureMode is taken and not needed: there is no other mode.
	SecureMode wire.Bool `json:"secureMode"`
	// Type is taken and not needed: the path says it.
	Type string `json:"type"`
}

func (l *CertificateLogon) take(r *op.Request) error { return wire.Read(r.Body, l) }

// certified is a logon by a certificate with what was found out of that.
type certified struct {
	method     string
	concurrent bool
	wish       login.Certified
	cause      error // why it names nobody, for the log
}

// certificate looks at the certificate of the connection, outside transactions.
func (p PVWA) certificate(ctx context.Context, c *op.Call, in CertificateLogon, method string, ways ...authority.Login) (certified, error) {
	out := certified{method: method, concurrent: bool(in.ConcurrentSession)}
	if err := p.Logins.Ensure(ctx, c.Tenant.ID); err != nil {
		return out, err
	}
	if err := c.Snapshot(ctx, func() error { return vault.Open(ctx, c, method) }); err != nil { // before anything is looked up
		return out, err
	}
	s, err := p.Authorities.Identify(ctx, c, ways...)
	out.cause = s.Cause
	out.wish = login.Certified{
		Login: s.Login, Why: s.Why, Print: s.Print, Authority: s.Authority, Vault: &login.Vault{Method: method, Concurrent: out.concurrent},
	}
	return out, err
}

func (p PVWA) checkPKI(ctx context.Context, c *op.Call, in CertificateLogon) (certified, error) {
	return p.certificate(ctx, c, in, vault.LogonPKI)
}

func (p PVWA) checkPKIPN(ctx context.Context, c *op.Call, in CertificateLogon) (certified, error) {
	return p.certificate(ctx, c, in, vault.LogonPKIPN, authority.Principal)
}

// LogonPKI signs in whom the certificate of the connection names, and answers the session's token as a bare text. The certificate is one of an
// authority that the tenant trusts, which says where the login name is (AddCertificateAuthority), and the connection is made to where
// certificates are asked for. What policies ask for beside a certificate cannot be asked for here: 403. System administrators enable this way to
// log on as pki. pvwa.yaml, POST /PasswordVault/API/auth/PKI/Logon.
func (p PVWA) LogonPKI(ctx context.Context, c *op.Call, _ CertificateLogon, k certified) (Session, error) {
	return p.signCertified(ctx, c, k)
}

// LogonPKIPN is LogonPKI by authorities alone whose certificates name people by user principal names. System administrators enable it as pkipn.
// pvwa.yaml, POST /PasswordVault/API/auth/PKIPN/Logon.
func (p PVWA) LogonPKIPN(ctx context.Context, c *op.Call, _ CertificateLogon, k certified) (Session, error) {
	return p.signCertified(ctx, c, k)
}

func (p PVWA) signCertified(ctx context.Context, c *op.Call, k certified) (out Session, err error) {
	r, err := p.Logins.ByCertificate(ctx, c, k.wish, func(ctx context.Context, c *call.Call, u user.User) error {
		return p.Vault.May(ctx, c, u, k.method)
	})
	if f := fault.Of(err); f != nil {
		if told(f) {
			return out, op.Refused(f.Because(k.cause))
		}
		return out, err
	}
	err = p.opened(ctx, c, &out, r.Success, k.concurrent)
	return out, err
}
