package settings

import (
	"context"
	"errors"
	"strings"

	"limen/internal/core/domain"
	"limen/internal/core/number"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// Domain is a mail domain of a workspace.
type Domain struct {
	// ID is the domain's number.
	ID int64 `json:"id"`
	// Domain is its name, in lower case and ASCII.
	Domain string `json:"domain"`
	// Status is PENDING before the code was found, VERIFIED afterwards, and LOST when it has not been found any more for three days.
	Status string `json:"status"`
	// VerificationMethod is how it was verified last: DNS_TXT, HTML_FILE; null: never.
	VerificationMethod *string `json:"verificationMethod"`
	// VerifiedAt is when it was verified; null: never.
	VerifiedAt *string `json:"verifiedAt"`
	// UsersCount is how many members of the workspace it manages by the domain.
	UsersCount int64 `json:"usersCount"`
}

// Domains are the domains of a workspace.
type Domains struct {
	// Data are all of them by name.
	Data []Domain `json:"data"`
}

// ListDomains lists the workspace's domains, verified or not. synerise.yaml, GET /uauth/managed-domains.
func (s Settings) ListDomains(ctx context.Context, c *op.Call, in Workspace) (Domains, error) {
	rows, err := s.Domains.List(ctx, c, in.Workspace().ID)
	if err != nil {
		return Domains{}, err
	}
	var ids []string
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	numbers, err := number.Some(ctx, c, number.Domain, ids...)
	out := Domains{Data: []Domain{}}
	for _, r := range rows {
		d := Domain{ID: numbers[r.ID], Domain: r.Name, Status: string(r.State), VerifiedAt: wire.Moment(r.Verified)}
		if m := string(r.Method); m != "" {
			d.VerificationMethod = &m
		}
		n, bad := s.Domains.People(ctx, c, r)
		d.UsersCount, err = n, errors.Join(err, bad)
		out.Data = append(out.Data, d)
	}
	return out, err
}

// OldDomain names a domain of the workspace.
type OldDomain struct {
	synerise.Here
	// Domain is its name; required where its number is not sent.
	Domain string `json:"domain" in:"query"`
	// ID is its number, in place of the name.
	ID int64 `json:"id" in:"query"`
}

// Check wants one of them.
func (d *OldDomain) Check() error {
	if d.Domain == "" && d.ID == 0 {
		return fault.Missing("domain")
	}
	return nil
}

// DeleteDomain takes a domain from the workspace: whoever it manages by that is a guest from then on; accounts stay. synerise.yaml, DELETE
// /uauth/managed-domains.
func (s Settings) DeleteDomain(ctx context.Context, c *op.Call, in OldDomain) (op.None, error) {
	ref := in.Domain
	if in.ID != 0 {
		var err error
		if ref, err = number.Find(ctx, c, number.Domain, in.ID); errors.Is(err, number.ErrNotFound) {
			err = domain.ErrNotFound
		}
		if err != nil {
			return op.None{}, err
		}
	}
	return op.None{}, s.Domains.Remove(ctx, c, in.Workspace().ID, ref)
}

// NewDomain names a domain that is to be managed.
type NewDomain struct {
	synerise.Here
	// Domain is its name, required.
	Domain string `json:"domain" in:"query"`
}

// Check wants a name.
func (d *NewDomain) Check() error { return named(d.Domain) }

func named(name string) error {
	if strings.TrimSpace(name) == "" {
		return fault.Missing("domain")
	}
	_, err := domain.Normalize(name)
	return at(err)
}

// at says which member of the request a fault is about.
func at(err error) error {
	for _, f := range []*fault.Error{domain.ErrName, domain.ErrPublic, domain.ErrTaken, domain.ErrNoCode} {
		if errors.Is(err, f) {
			return fault.Of(err).At("domain")
		}
	}
	if errors.Is(err, domain.ErrMethod) {
		return fault.Of(err).At("verificationMethod")
	}
	return err
}

// Code is what proves a domain.
type Code struct {
	// Code is the code, good for seven days while it has proved nothing.
	Code string `json:"code"`
	// DNSTxtRecord is the text of the TXT record that the domain itself is to have.
	DNSTxtRecord string `json:"dnsTxtRecord"`
	// HTMLFileName is the path of a file on https://DOMAIN/, without the slash at its head.
	HTMLFileName string `json:"htmlFileName"`
	// HTMLFileContent is all that is in the file.
	HTMLFileContent string `json:"htmlFileContent"`
}

// InitializeDomain gives the code by which the workspace proves that a domain is its own; the same again while it is good.
// synerise.yaml, GET /uauth/managed-domains/initialize-code. Errors: domain.name, domain.public, domain.taken, domain.many.
func (s Settings) InitializeDomain(ctx context.Context, c *op.Call, in NewDomain) (Code, error) {
	d, err := s.Domains.Issue(ctx, c, in.Workspace().ID, in.Domain)
	if err != nil {
		return Code{}, at(err)
	}
	return Code{d.Code, d.Record(), domain.FilePath, d.Record()}, nil
}

// Proof names a domain whose code was published.
type Proof struct {
	synerise.Here
	// Domain is its name, required.
	Domain string `json:"domain"`
	// VerificationMethod is where the code is to be found: DNS_TXT, HTML_FILE; required.
	VerificationMethod string `json:"verificationMethod"`
}

// Check wants both.
func (p *Proof) Check() error {
	if p.VerificationMethod == "" {
		return fault.Missing("verificationMethod")
	}
	return named(p.Domain)
}

// look asks the domain for the code.
func (s Settings) look(ctx context.Context, c *op.Call, in Proof) (domain.Proof, error) {
	p, err := s.Domains.Look(ctx, c, in.Workspace().ID, in.Domain, domain.Method(in.VerificationMethod))
	return p, at(err)
}

// Verified is a domain that was verified.
type Verified struct {
	// Domain is its name, in lower case and ASCII.
	Domain string `json:"domain"`
	// Verified is true.
	Verified bool `json:"verified"`
}

// VerifyDomain looks for the code, and takes the domain over: members with addresses in it are managed by the workspace from then on, but
// for those who belong to another organization. synerise.yaml, POST /uauth/managed-domains/verification. Errors: domain.no_code,
// domain.no_proof, domain.taken, domain.unseen.
func (s Settings) VerifyDomain(ctx context.Context, c *op.Call, in Proof, p domain.Proof) (Verified, error) {
	d, err := s.Domains.Prove(ctx, c, in.Workspace().ID, p)
	return Verified{d.Name, err == nil}, at(err)
}
