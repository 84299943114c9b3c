// Package upstream is the providers at which people may sign in instead of with a password here: Google, Apple, Microsoft, Facebook,
// LinkedIn, X, and any issuer of OpenID Connect that a tenant names. It knows which account there is whose here, and takes nobody's word
// but the provider's for it: each sign-in has a state of its own that only the browser which began it can bring back, once; the code is
// exchanged here, with a proof key where the provider takes one; ID tokens are checked in full.
//
// An account there becomes somebody's on three ways. Whoever is signed in here connects it, which proves both. Or the provider shows that
// a mail address is theirs, which is that of exactly one person here who has shown the same, and the tenant believes providers as to that
// domain; never for people who hold rights to administrate. Or, where the tenant has it so, a person is made of it.
package upstream

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"unicode"

	"limen/internal/call"
	"limen/internal/core/link"
	"limen/internal/core/setting"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// Faults of providers. What strangers are told is no more than what they could do about it.
var (
	// ErrUnknown is for providers that there are not, or that nobody may sign in at.
	ErrUnknown = fault.New(fault.NotFound, "upstream.unknown", "The authentication request could not be processed: there is no such identity provider here.")
	// ErrState is for answers of a provider that nobody here waits for, or another browser does.
	ErrState = fault.New(fault.Conflict, "upstream.state", "This sign-in was begun elsewhere, took too long, or was used. Please begin again.")
	// ErrProvider is for providers that cannot be asked, or whose answer proves nothing.
	ErrProvider = fault.New(fault.Unavailable, "upstream.provider", "The identity provider could not be asked, or did not say who you are. Please try again later.")
	// ErrCancelled is for people who changed their mind there.
	ErrCancelled = fault.New(fault.Denied, "upstream.cancelled", "You did not sign in at the identity provider.")
	// ErrUnlinked is for accounts there that nobody here has.
	ErrUnlinked = fault.New(fault.Denied, "upstream.unlinked", "This account is not connected to an account here. Sign in as usual, and connect it then.")
	// ErrTaken is for accounts there that somebody else here has.
	ErrTaken = fault.New(fault.Exists, "upstream.taken", "This account is connected to somebody else's account here.")
	// ErrMany bounds how many accounts somebody connects.
	ErrMany = fault.New(fault.Conflict, "upstream.many", "You have connected as many accounts as you may have.")
	// ErrNone is for connections that somebody does not have.
	ErrNone = fault.New(fault.NotFound, "upstream.none", "You have connected no such account.")
	// ErrReturn is for addresses to return to that are not the tenant's own.
	ErrReturn = fault.New(fault.Invalid, "upstream.return", "The redirect URI is not trusted or not valid.")
	// ErrSecret is for an application without what shows that it is the tenant's.
	ErrSecret = fault.New(fault.Invalid, "upstream.secret", "The provider needs the id and the secret of an application of your own there: this installation shares none.")
	// ErrProviders bounds how many providers a tenant sets up.
	ErrProviders = fault.New(fault.Conflict, "upstream.providers", "There are as many identity providers as there may be.")
	// ErrVersion is for a provider that was set otherwise meanwhile.
	ErrVersion = fault.New(fault.Conflict, "upstream.changed", "The identity provider was changed meanwhile. Please try again.")
)

const purpose = "upstream"

// Providers are those of the call's tenant. Its fields are set before use.
type Providers struct {
	Catalog  []Known
	Ring     *crypt.Ring
	People   *user.Directory
	Settings *setting.Store
	Links    link.Links
	// HTTP asks providers: addresses that tenants name. It follows no redirects.
	HTTP *http.Client
	// Ours says whether a host serves the call's tenant.
	Ours func(ctx context.Context, c *call.Call, host string) (bool, error)
	// Plain says whether somebody holds no right to administrate anything.
	Plain func(ctx context.Context, c *call.Call, userID string) (bool, error)
	// Proofed says whether those who register are looked at before they are let in: nobody is made of an account then, past that.
	Proofed func(ctx context.Context, c *call.Call) (bool, error)
	// Claimed fails where people of a mail address are an organization's to invite.
	Claimed func(ctx context.Context, c *call.Call, mail string) error
	// Ask sends somebody the link by which they show that their mail address is theirs.
	Ask func(ctx context.Context, c *call.Call, u user.User) error
	// Name finds a free login name for a mail address.
	Name func(ctx context.Context, c *call.Call, mail string) (string, error)

	mu    sync.Mutex
	found map[string]discovered // what issuers tell of themselves
}

// Identity is an account at a provider, as the provider shows it.
type Identity struct {
	Issuer, Subject     string
	Mail                string
	Verified            bool // the provider shows that the address is the person's
	Name, Given, Family string
	User                string // name by which the account is known there
}

// label is the account as its owner knows it.
func (id Identity) label() string {
	for _, text := range []string{id.Mail, id.User, id.Name} {
		if text != "" {
			return clip(text, 254)
		}
	}
	return clip(id.Subject, 254)
}

// clip makes one line of at most so many bytes of a text of somebody else's.
func clip(text string, most int) string {
	text = text[:min(len(text), most)]
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
