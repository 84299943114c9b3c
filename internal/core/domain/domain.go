// Package domain is the mail domains that organizations prove to be theirs: by a TXT record, or by a file that the domain serves
// over HTTPS. People of an organization whose mail address is in such a domain are managed by it; which people that are, and what
// follows, is said at Manages.
//
// The outside is asked between two transactions: Look reads which code is to be found and looks for it, Prove takes what it found.
package domain

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	_ "embed" // the list of providers

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of managed domains.
var (
	ErrName     = fault.New(fault.Invalid, "domain.name", "This is not the name of a mail domain.")
	ErrPublic   = fault.New(fault.Invalid, "domain.public", "Everybody can have an address in this domain; nobody can manage its people.")
	ErrTaken    = fault.New(fault.Invalid, "domain.taken", "Another organization manages this domain.")
	ErrMany     = fault.New(fault.Invalid, "domain.many", "The organization has as many domains as it may have.")
	ErrNotFound = fault.New(fault.NotFound, "domain.not_found", "The domain was not found.")
	ErrMethod   = fault.New(fault.Invalid, "domain.method", "A domain is verified by DNS_TXT or by HTML_FILE.")
	ErrNoCode   = fault.New(fault.Invalid, "domain.no_code", "There is no code for this domain, or it has expired. Get a new one first.")
	ErrNoProof  = fault.New(fault.Invalid, "domain.no_proof", "The code was not found.")
	ErrUnseen   = fault.New(fault.Unavailable, "domain.unseen", "The domain name system gave no answer. Please try again later.")
	ErrChanged  = fault.New(fault.Conflict, "domain.changed", "The code was changed meanwhile. Please try again.")
)

// State is where a domain stands.
type State string

// The states.
const (
	Pending  State = "PENDING"  // a code was given out
	Verified State = "VERIFIED" // the code was found
	Lost     State = "LOST"     // it was verified, and has not been found any more for Grace
)

// Method is where the code is published.
type Method string

// The methods.
const (
	TXT  Method = "DNS_TXT"   // a TXT record of the domain itself
	File Method = "HTML_FILE" // a file on https://DOMAIN/
)

// What is published, and for how long what counts.
const (
	prefix   = "limen-domain-verification="
	FilePath = ".well-known/limen-domain-verification.html" // RFC 8615: no place where guests of a site may put something
	CodeLife = 7 * 24 * time.Hour
	Every    = 24 * time.Hour     // between two looks at what was proved
	Grace    = 3 * 24 * time.Hour // how long a proof may be missing
	keepOld  = 30 * 24 * time.Hour
	maxOf    = 200 // of one organization
	maxName  = 253
)

// Domain is a domain of an organization. Times are milliseconds since 1970 UTC, 0 where it did not happen.
type Domain struct {
	ID        string `db:"id"` // UUID
	Org       string `db:"org"`
	Name      string `db:"name"` // lower case, in the xn-- form
	Code      string `db:"code"`
	CodeUntil int64  `db:"code_until"`
	State     State  `db:"state"`
	Method    Method `db:"method"`
	Verified  int64  `db:"verified"`
	Checked   int64  `db:"checked"`
	Failing   int64  `db:"failing"` // since when the proof has not been found
}

// Record is the text of the TXT record, which is also all that is in the file.
func (d Domain) Record() string { return prefix + d.Code }

// Domains are the managed domains of the call's tenant. The fields are set before use.
type Domains struct {
	DB *dbx.DB
	// TXT gives the TXT records of a name; none for one that has none or does not exist.
	TXT func(ctx context.Context, name string) ([]string, error)
	// Page gives what an https address answers.
	Page func(ctx context.Context, url string) (status int, body []byte, err error)
	// Act makes a change of a tenant in a transaction of its own, as the server itself, with an event of the kind.
	Act func(ctx context.Context, tenant, kind string, f func(ctx context.Context, c *call.Call) error) error
}

var spelling = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.Transitional(false))

// Normalize gives the one spelling of a domain name: lower case and ASCII, without a dot at the end. ErrName, ErrPublic.
func Normalize(name string) (string, error) {
	name = strings.TrimSuffix(strings.TrimSpace(name), ".")
	out, err := ascii(name)
	if err != nil || !strings.Contains(out, ".") {
		return "", ErrName
	}
	if _, err := netip.ParseAddr(out); err == nil {
		return "", ErrName
	}
	if suffix, _ := publicsuffix.PublicSuffix(out); suffix == out || providers()[out] {
		return "", ErrPublic
	}
	return out, nil
}

func ascii(name string) (string, error) {
	if len(name) > maxName {
		return "", ErrName
	}
	out, err := spelling.ToASCII(name)
	if err != nil || strings.Trim(out, "0123456789.") == "" {
		return "", ErrName
	}
	return out, nil
}

// Of gives the domain of a mail address, in the spelling of Normalize; empty where it has none.
func Of(mail string) string {
	at := strings.LastIndexByte(mail, '@')
	if at < 0 {
		return ""
	}
	out, err := ascii(mail[at+1:])
	if err != nil {
		return ""
	}
	return out
}

//go:embed providers.txt
var providerList string

// providers are the domains in which everybody can have an address.
var providers = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(providerList) {
		if name := strings.TrimSpace(line); name != "" && name[0] != '#' {
			out[name] = true
		}
	}
	return out
})
