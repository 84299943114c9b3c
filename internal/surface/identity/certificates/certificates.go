// Package certificates is the RPC dialect's operations on the certificate authorities that a tenant trusts to say who somebody is
// (certificates.yaml n 346 to 350).
package certificates

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/authority"
	"limen/internal/core/session"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/certificate"
	"limen/internal/wire/rpc"
)

// Certificates is the operations.
type Certificates struct {
	Authorities *authority.Authorities
	Sessions    *session.Sessions
}

// maxBody is the size of a request with a file.
const maxBody = certificate.MaxFile + 64<<10

// Ops declares them.
func (a Certificates) Ops() []op.Op {
	faults := []*fault.Error{
		authority.ErrNotFound, authority.ErrTaken, authority.ErrTrusted, authority.ErrMany, authority.ErrFile, session.ErrStale, fault.ErrMissing, fault.ErrInvalid,
	}
	write := func(path, event string) op.Spec {
		return op.Spec{Path: path, Allow: op.System, Effect: op.Write, Audit: event, Faults: faults, MaxBody: maxBody}
	}
	return []op.Op{
		op.New(op.Spec{Path: "/Core/GetCertificateAuthorities", Allow: op.System, Effect: op.Read}, a.GetCertificateAuthorities),
		op.New(op.Spec{Path: "/Core/DownloadCertificateAuthority", Allow: op.System, Effect: op.Read}, a.DownloadCertificateAuthority),
		op.New(write("/Core/AddCertificateAuthority", audit.AuthorityCreate), a.AddCertificateAuthority),
		op.New(write("/Core/UpdateCertificateAuthority", audit.AuthorityChange), a.UpdateCertificateAuthority),
		op.New(write("/Core/RemoveCertificateAuthority", audit.AuthorityDelete), a.RemoveCertificateAuthority),
	}
}

// extractions are the ways to a login name, in the contract's words.
var extractions = []struct {
	login authority.Login
	label string
}{
	{authority.Principal, "Principal Name from Subject Alternate Name"}, {authority.Mail, "RFC 822 Name Subject Alternate Name"}, {authority.Subject, "User Name from Subject"},
}

func label(of authority.Login) string {
	for _, e := range extractions {
		if e.login == of {
			return e.label
		}
	}
	return ""
}

// Listing asks for all authorities.
type Listing struct {
	// Args is taken and not needed: every authority comes at once.
	Args page.Args `json:"Args"`
}

var columns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Name"}, {Name: "LoginExtraction"}, {Name: "Subject"}, {Name: "Thumbprint"}, {Name: "NotAfter"}, {Name: "Chain"},
	{Name: "RevocationCheck"}, {Name: "RevocationList"},
}

// Link is a certificate of an authority's chain.
type Link struct {
	// Subject is whose it is.
	Subject string `json:"Subject"`
	// Issuer is who signed it.
	Issuer string `json:"Issuer"`
	// Thumbprint is its SHA-1 in upper-case hexadecimal.
	Thumbprint string `json:"Thumbprint"`
	// NotAfter is when it ends.
	NotAfter rpc.Time `json:"NotAfter"`
}

func link(c *x509.Certificate) Link {
	return Link{Subject: c.Subject.String(), Issuer: c.Issuer.String(), Thumbprint: certificate.Thumbprint(c), NotAfter: rpc.Time(c.NotAfter)}
}

// GetCertificateAuthorities lists the certificate authorities that are trusted to say who somebody is, by their names.
//
// Columns: ID; Name; LoginExtraction; Subject, Thumbprint (SHA-1) and NotAfter of the root; Chain, the certificates of the file with Subject,
// Issuer, Thumbprint and NotAfter, the root last; RevocationCheck; RevocationList, beyond the contract. certificates.yaml n 348.
func (a Certificates) GetCertificateAuthorities(ctx context.Context, c *op.Call, _ Listing) (rpc.Query, error) {
	all, err := a.Authorities.All(ctx, c)
	out := rpc.Query{Columns: columns, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, one := range all {
		chain := make([]Link, len(one.Chain))
		for j, cert := range one.Chain {
			chain[j] = link(cert)
		}
		root := one.Root()
		out.Results[i] = rpc.Row{
			Entities: []rpc.Entity{{Type: "CertificateAuthority", Key: one.ID}},
			Row: []any{
				one.ID, one.Name, label(one.Login), root.Subject.String(), certificate.Thumbprint(root), root.NotAfter, chain, one.Revoked, one.List,
			},
		}
	}
	return out, err
}

// AuthorityID names an authority.
type AuthorityID struct {
	// ID is the authority's UUID, required.
	ID string `json:"ID"`
}

// Check wants it.
func (i *AuthorityID) Check() error {
	if strings.TrimSpace(i.ID) == "" {
		return fault.Missing("ID")
	}
	return nil
}

// DownloadCertificateAuthority gives the certificates of an authority in PEM, the root last, and status 404 when there is no such authority.
// certificates.yaml n 347.
func (a Certificates) DownloadCertificateAuthority(ctx context.Context, c *op.Call, in AuthorityID) (op.Raw, error) {
	one, err := a.Authorities.Find(ctx, c, in.ID)
	if errors.Is(err, authority.ErrNotFound) {
		return op.JSON{Code: 404, Body: map[string]any{"success": false, "Message": authority.ErrNotFound.Public}}, nil
	}
	if err != nil {
		return nil, err
	}
	out := op.File{Name: one.Name + ".pem", Type: "application/pem-certificate-chain", Body: one.File(), Download: true}
	if len(one.Chain) == 1 {
		out.Name, out.Type = one.Name+".cer", "application/x-x509-ca-cert"
	}
	return out, nil
}

// Wish is what an authority is to be.
type Wish struct {
	// LoginExtraction is what of a certificate is the login name of the person: Principal Name from Subject Alternate Name, RFC 822 Name Subject
	// Alternate Name, or User Name from Subject, whatever the case. A new authority has the first. A name without a suffix has the tenant's own; a
	// certificate that has several of the kind lets nobody in.
	LoginExtraction string `json:"LoginExtraction"`
	// RevocationCheck refuses certificates that their authority has revoked, and those of which that cannot be found out unless the setting
	// Certificate.AllowUnchecked allows them. True for a new authority.
	RevocationCheck op.Opt[bool] `json:"RevocationCheck"`
	// RevocationList is the address, http or https, of the list of revoked certificates (CRL) of people; empty: where each certificate says. Beyond
	// the contract.
	RevocationList op.Opt[string] `json:"RevocationList"`
}

func (w *Wish) check() error {
	if w.LoginExtraction != "" && w.login() == nil {
		return fault.Bad("LoginExtraction", "is %s, %s or %s", extractions[0].label, extractions[1].label, extractions[2].label)
	}
	return nil
}

func (w *Wish) login() *authority.Login {
	for _, e := range extractions {
		if strings.EqualFold(strings.TrimSpace(w.LoginExtraction), e.label) {
			return &e.login
		}
	}
	return nil
}

func (w *Wish) wish(file op.Upload, now time.Time) (out authority.Wish, err error) {
	out.Login = w.login()
	if v, ok := w.RevocationCheck.Get(); ok {
		out.Revoked = &v
	}
	if v, ok := w.RevocationList.Get(); ok {
		out.List = &v
	}
	if len(file.Body) > 0 {
		out.Chain, err = authority.ReadChain(file.Body, now)
	}
	return out, err
}

// NewAuthority is an authority to be trusted.
type NewAuthority struct {
	// Name is what administrators call it, required: at most 200 bytes, unique whatever its case.
	Name string `json:"Name"`
	Wish
	// File is, required, the file part of the multipart request, under any name: the root alone, or all certificates from those that issue for people up to
	// one root, in PEM, DER or PKCS #7; at most 256 KB and 20 certificates.
	File op.Upload `json:"-" form:"*"`
}

// Check wants a name and a file.
func (n *NewAuthority) Check() error {
	switch {
	case strings.TrimSpace(n.Name) == "":
		return fault.Missing("Name")
	case len(n.File.Body) == 0:
		return fault.Missing("file")
	}
	return n.check()
}

// AddCertificateAuthority trusts a certificate authority to say who somebody is, and returns its id.
//
// From then on whoever makes a connection by a certificate of it may sign in as the person whom that names, where certificates are asked for and
// the policy setting /Core/Authentication/AllowZso does not forbid it. Only certificates count that those of the file have issued; what clients
// send along does not. Callers must have signed in within Session.ProofMinutes. Errors: authority.file, which says what is wrong;
// authority.name_taken, authority.trusted, authority.many. certificates.yaml n 346.
func (a Certificates) AddCertificateAuthority(ctx context.Context, c *op.Call, in NewAuthority) (string, error) {
	if err := a.Sessions.Recent(ctx, c, c.User()); err != nil {
		return "", err
	}
	w, err := in.wish(in.File, c.Now)
	if err != nil {
		return "", err
	}
	w.Name = &in.Name
	made, err := a.Authorities.Add(ctx, c, w)
	return made.ID, err
}

// AuthorityChange is how an authority is to change. What is absent stays.
type AuthorityChange struct {
	AuthorityID
	// Name is its new name, as in AddCertificateAuthority.
	Name op.Opt[string] `json:"Name"`
	Wish
	// File is a new chain, as in AddCertificateAuthority.
	File op.Upload `json:"-" form:"*"`
}

// Check wants to know which one.
func (u *AuthorityChange) Check() error {
	if err := u.AuthorityID.Check(); err != nil {
		return err
	}
	return u.check()
}

// UpdateCertificateAuthority changes a certificate authority: its name, the way to the login name, the look for revoked certificates, or its
// chain. Sessions go on.
//
// Callers must have signed in within Session.ProofMinutes. Errors: authority.not_found, and those of AddCertificateAuthority. certificates.yaml n 350.
func (a Certificates) UpdateCertificateAuthority(ctx context.Context, c *op.Call, in AuthorityChange) (op.None, error) {
	if err := a.Sessions.Recent(ctx, c, c.User()); err != nil {
		return op.None{}, err
	}
	w, err := in.wish(in.File, c.Now)
	if err != nil {
		return op.None{}, err
	}
	if v, ok := in.Name.Get(); ok {
		w.Name = &v
	}
	return op.None{}, a.Authorities.Change(ctx, c, in.ID, w)
}

// RemoveCertificateAuthority stops trusting a certificate authority: nobody signs in by its certificates any more. Sessions go on.
//
// Error: authority.not_found. certificates.yaml n 349.
func (a Certificates) RemoveCertificateAuthority(ctx context.Context, c *op.Call, in AuthorityID) (op.None, error) {
	return op.None{}, a.Authorities.Remove(ctx, c, in.ID)
}
