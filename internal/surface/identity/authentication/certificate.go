package authentication

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// Faults of certificates.
var (
	// ErrCertificate is every failure where clients go by the status.
	ErrCertificate = fault.New(fault.Unauthenticated, "login.certificate", login.ErrFailed.Public)
	errBeside      = login.ErrMore.Say("A further factor is asked of you, which a certificate does not replace. Sign in by name and password.")
)

func (a Authentication) certificates() []op.Op {
	sp := func(method, path string, faults ...*fault.Error) op.Spec {
		return op.Spec{Method: method, Path: path, Allow: op.Anonymous, Effect: op.Write, Audit: audit.Login, Rate: op.Guess, MaxBody: 16 << 10, Faults: append(faults, login.ErrMore, op.ErrNoTenant)}
	}
	return []op.Op{
		op.Prepared(sp(http.MethodPost, "/NegotiateCertSecurity/Sso", login.ErrFailed), a.identified, a.Sso),
		op.Prepared(sp(http.MethodGet, "/NegotiateCertSecurity/Whoami", ErrCertificate), a.identified, a.Whoami),
		op.New(op.Spec{Path: "/Core/GetZsoHostInfo", Allow: op.Anonymous, Effect: op.Cached, Faults: []*fault.Error{op.ErrNoTenant}}, a.GetZsoHostInfo),
	}
}

// CertificateRequest signs in by the certificate of the connection.
type CertificateRequest struct {
	// TenantID names the tenant; the host does when absent.
	TenantID string `json:"TenantId"`
	// User is the login name that the certificate must be of; any when absent.
	User string `json:"User"`
	// Version is taken and not needed.
	Version string `json:"Version"`
	// Nothing is an empty list, which older clients send in place of an object; it is not needed.
	Nothing []string `json:"Nothing" rpc:"array"`

	foreign bool
}

// See notes whether another site's link leads here.
func (r *CertificateRequest) See(q *http.Request) { r.foreign = identity.Foreign(q) }

// TenantHint names the tenant.
func (r *CertificateRequest) TenantHint() op.Hint {
	if len(r.User) > maxLogin {
		return hint(r.TenantID, "")
	}
	return hint(r.TenantID, r.User)
}

// identified is what was found out of a certificate.
type identified struct {
	wish  login.Certified
	cause error // why it names nobody, for the log
}

// identified looks at the certificate of the connection, outside transactions.
func (a Authentication) identified(ctx context.Context, c *op.Call, in CertificateRequest) (out identified, err error) {
	if in.foreign { // the browser would show its certificate there, and be signed in unasked
		return out, op.ErrForged
	}
	if err := a.Logins.Ensure(ctx, c.Tenant.ID); err != nil {
		return out, err
	}
	s, err := a.Authorities.Identify(ctx, c)
	if err != nil {
		return out, err
	}
	out = identified{login.Certified{Login: s.Login, Why: s.Why, Print: s.Print, Authority: s.Authority}, s.Cause}
	if in.User == "" || s.Why != "" {
		return out, nil
	}
	full, err := a.Authorities.Suffixed(ctx, c, strings.TrimSpace(in.User))
	if fold.Key(full) != fold.Key(s.Login) {
		out.wish.Why = "certificate is somebody else's"
	}
	return out, err
}

func (a Authentication) byCertificate(ctx context.Context, c *call.Call, k identified) (login.Result, error) {
	r, err := a.Logins.ByCertificate(ctx, c, k.wish, nil)
	if errors.Is(err, login.ErrMore) {
		return r, op.Refused(errBeside)
	}
	return r, err
}

// Sso signs in whom the certificate of the connection names, and answers as AdvanceAuthentication does at its end, with the same cookies.
//
// The certificate is one of an authority that the tenant trusts (AddCertificateAuthority), and the connection is made to where certificates are
// asked for (GetZsoHostInfo). What policies ask for beside a certificate cannot be asked for here: the fault login.more. Who is refused for another
// reason is told none. certificates.yaml n 355.
func (a Authentication) Sso(ctx context.Context, c *op.Call, _ CertificateRequest, k identified) (Answer, error) {
	r, err := a.byCertificate(ctx, c, k)
	if errors.Is(err, login.ErrFailed) {
		return result(c, r), op.Refused(login.ErrFailed.Because(k.cause))
	}
	if err != nil {
		return result(c, r), err
	}
	return result(c, r), nil
}

// Certified is who has signed in.
type Certified struct {
	// TenantID is the tenant's id.
	TenantID string `json:"TenantId"`
	// User is the login name.
	User string `json:"User"`

	cookies []*http.Cookie
}

// Cookies are those of any sign-in.
func (w Certified) Cookies() []*http.Cookie { return w.cookies }

// Whoami signs in as Sso does, and answers who that is; status 401 where it is nobody. authentication.yaml, GET /NegotiateCertSecurity/Whoami.
func (a Authentication) Whoami(ctx context.Context, c *op.Call, _ CertificateRequest, k identified) (Certified, error) {
	r, err := a.byCertificate(ctx, c, k)
	if errors.Is(err, login.ErrFailed) {
		return Certified{}, op.Refused(ErrCertificate.Because(k.cause))
	}
	if err != nil {
		return Certified{}, err
	}
	return Certified{TenantID: c.Tenant.ID, User: r.Success.Person.Name, cookies: success(c, r.Success).cookies}, nil
}

// CertificateHost is where certificates are asked for.
type CertificateHost struct {
	// Host is the name of the host.
	Host string `json:"Host"`
	// Port is its port.
	Port int `json:"Port"`
	// Enabled says whether certificates are asked for at all; otherwise the other two are those of the tenant.
	Enabled bool `json:"Enabled"`
}

// HostRequest asks where certificates are asked for.
type HostRequest struct {
	// TenantID names the tenant; the host does when absent.
	TenantID string `json:"TenantId"`
}

// TenantHint names the tenant.
func (r *HostRequest) TenantHint() op.Hint { return hint(r.TenantID, "") }

// GetZsoHostInfo tells where certificates are asked for: pages and other calls do not ask, so that browsers do not. Behind a proxy that passes
// certificates on it is the tenant's own host. certificates.yaml n 352.
func (a Authentication) GetZsoHostInfo(_ context.Context, c *op.Call, _ HostRequest) (CertificateHost, error) {
	at := c.Tenant.Host
	if a.CertHost != nil {
		if own := a.CertHost(at); own != "" {
			at = own
		}
	}
	out := CertificateHost{Host: at, Port: 443, Enabled: a.Certs}
	if host, port, err := net.SplitHostPort(at); err == nil {
		out.Host = host
		out.Port, _ = strconv.Atoi(port) // of a host that clients reach
	}
	return out, nil
}
