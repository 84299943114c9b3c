// Package portal is what people have before them in the user portal: the applications that they may use, with what they keep
// for each (a name and password, notes, tags, a place in the order), applications of their own, and secured items such as
// passwords and notes.
//
// All of it belongs to one person. Nobody else reads it, administrators neither: what is secret is sealed for the person and
// the one application or item, and functions that tell of other people leave out everything but what those were assigned.
// Events name the fields that changed, and never what people wrote into them.
package portal

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/login"
	"limen/internal/core/oauth"
	"limen/internal/core/policy"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// Faults of the portal.
var (
	ErrNotFound    = fault.New(fault.NotFound, "portal.not_found", "The requested data or its dependent data was not found in the service.")
	ErrName        = fault.New(fault.Invalid, "portal.name", "The name is text of 1 to 200 bytes without control characters.")
	ErrAddress     = fault.New(fault.Invalid, "portal.address", "The address is not one of a web page: it begins with https:// or http://.")
	ErrSize        = fault.New(fault.Invalid, "portal.size", "A value is too long.")
	ErrMany        = fault.New(fault.Conflict, "portal.too_many", "There are as many as there may be.")
	ErrStale       = fault.New(fault.Conflict, "portal.stale", "The data changed meanwhile. Please try again.")
	ErrMapping     = fault.New(fault.Invalid, "portal.mapping", "People have no name of their own with this application: its administrators decide it.")
	ErrSelfService = fault.New(fault.Denied, "portal.self_service", "A policy does not let you add applications.")
	ErrView        = fault.New(fault.Denied, "portal.password_view", "No policy lets you see the passwords that you keep for applications.")
	ErrMatching    = fault.New(fault.Invalid, "portal.matching", "How the page is known must be empty, BaseDomain, RegularExpression, ExactMatch or Hostname.")
	ErrPattern     = fault.New(fault.Invalid, "portal.pattern", "The regular expression cannot be read.")
	ErrTagExists   = fault.New(fault.Exists, "portal.tag_exists", "A tag of that name already exists.")
	ErrTag         = fault.New(fault.NotFound, "portal.tag_not_found", "The requested data or its dependent data was not found in the service.")
	ErrIcon        = fault.New(fault.Invalid, "portal.icon", "The file is not a PNG, JPEG or GIF image, or it is too large.")
	ErrTransferOff = fault.New(fault.Denied, "portal.transfer_off", "No policy lets the items of this person be handed to somebody else.")
	ErrManager     = fault.New(fault.Invalid, "portal.no_manager", "A person has no manager to hand their items to.")
	ErrOwn         = fault.New(fault.Denied, "portal.transfer_own", "You cannot hand the items of others to yourself.")
)

// Limits of one person.
const (
	maxItems = 2000 // applications of their own and secured items
	maxTags  = 500
	maxOn    = 50  // tags of one application or item
	maxIcons = 200 // since all of them go into one answer
)

// Limits of texts, in bytes.
const (
	maxName        = 200
	maxDescription = 4000
	maxAddress     = 4000
	maxLogin       = 500
	maxPassword    = 4000
	maxNotes       = 64 << 10
	maxFields      = 50
	maxTag         = 100
	maxPattern     = 500
	maxType        = 50
)

// The settings of policies that decide here.
const (
	keyAdd      = "/Core/Security/CDS/Applications/AllowSelfService"
	keyView     = "/Core/Security/CDS/Applications/AllowPasswordView"
	keyTransfer = "/Core/Authentication/TransferOwnership"
)

// Purpose is what secrets are sealed for.
const Purpose = "portal"

// Portal is what the people of the call's tenant have.
type Portal struct {
	Apps     *app.Apps
	People   *user.Directory
	Roles    *role.Roles
	Policies *policy.Policies
	Logins   *login.Logins
	// Foresee has the PolicyScript of an application decide about the caller, outside of transactions, and Demand says what it decided.
	Foresee func(ctx context.Context, c *call.Call, a oauth.App)
	Demand  func(ctx context.Context, c *call.Call, a oauth.App, person string) (oauth.Demand, error)
	// Seal and Open seal a text of the tenant's for Purpose, bound to what it belongs to.
	Seal func(ctx context.Context, c *call.Call, plain []byte, bound string) (string, error)
	Open func(ctx context.Context, c *call.Call, sealed, bound string) ([]byte, error)
}

// admits asks for what the rules of an application want of the caller. Faults: app.ErrClosed, app.ErrRules; a login.DueError where they must
// show more first.
func (p *Portal) admits(ctx context.Context, c *call.Call, it app.App) error {
	if a, ok := it.Scripted(); ok {
		return p.scripted(ctx, c, a)
	}
	rules, fallback, ok, err := it.Rules()
	if err != nil || !ok {
		return err
	}
	d, err := p.Policies.Judge(ctx, c, c.User(), rules, fallback)
	if err != nil {
		return err
	}
	w, err := d.Wanted()
	switch {
	case errors.Is(err, login.ErrForbidden):
		return app.ErrRules
	case err != nil || len(w.Rounds) == 0:
		return err
	}
	w.For = it.Name
	return p.Logins.Need(ctx, c, w)
}

// scripted is admits where a script decides.
func (p *Portal) scripted(ctx context.Context, c *call.Call, a oauth.App) error {
	d, err := p.Demand(ctx, c, a, c.User())
	switch {
	case err != nil:
		return err
	case d.Refused && d.Reason != "":
		return app.ErrRules.Say("%s", d.Reason)
	case d.Refused:
		return app.ErrRules
	case len(d.Rounds) > 0:
		return p.Logins.Need(ctx, c, login.Wanted{For: a.Name, Rounds: d.Rounds})
	case d.Strong && c.Caller.Level != session.High:
		return app.ErrRules.Say("The application wants you to sign in with a further factor.")
	}
	return nil
}

// Ahead has the PolicyScript of an application decide about the caller, where it has one, before the transaction that opens it. What is wrong
// with the key, that transaction says.
func (p *Portal) Ahead(ctx context.Context, c *call.Call, key string) error {
	var t Target
	err := c.Snapshot(ctx, func() (err error) { t, err = p.Find(ctx, c, key); return err })
	if f := fault.Of(err); err != nil && f.Kind == fault.Internal {
		return err
	}
	if err != nil || t.App == nil {
		return nil //nolint:nilerr // said later
	}
	if a, ok := t.App.Scripted(); ok {
		p.Foresee(ctx, c, a)
	}
	return nil
}

// allows reads a policy about somebody; absent is what counts where no policy says.
func (p *Portal) allows(ctx context.Context, c *call.Call, userID, key string, absent bool) (bool, error) {
	r, err := p.Policies.For(ctx, c, userID)
	if err != nil {
		return false, err
	}
	if v, given := r.Bool(key); given {
		return v, nil
	}
	return absent, nil
}

// ownHome and homes are how keys of people's own applications begin: one's own home, and anybody's with its UUID.
const (
	ownHome = "@~/apps/"
	homes   = "@/home/"
	inHome  = "/apps/"
)

// Target is an application or an item that somebody keeps something for.
type Target struct {
	ID   string
	App  *app.App // an assigned application
	Item *Item    // one's own
}

// Find finds an application of the caller's by its key: an assigned one by its id or name, one of their own by its id, or as
// @/home/<UUID of the person>/apps/<id>. Faults: ErrNotFound, acl.ErrDenied.
func (p *Portal) Find(ctx context.Context, c *call.Call, key string) (Target, error) {
	key = strings.TrimSpace(key)
	if id, ok := own(c, key); ok {
		return p.item(ctx, c, id, App)
	}
	t, err := p.item(ctx, c, key, App)
	if err == nil || fault.Of(err).Kind != fault.NotFound {
		return t, err
	}
	it, err := p.Apps.Use(ctx, c, key)
	if f := fault.Of(err); err != nil && f.Kind == fault.NotFound {
		err = ErrNotFound
	}
	return Target{ID: it.ID, App: &it}, err
}

// own says which of the caller's applications a key names; the homes of others are as good as not there.
func own(c *call.Call, key string) (id string, ok bool) {
	if id, ok = strings.CutPrefix(key, ownHome); ok {
		return id, true
	}
	rest, ok := strings.CutPrefix(key, homes)
	if !ok {
		return "", false
	}
	if id, ok = strings.CutPrefix(rest, c.User()+inHome); !ok {
		return "", true
	}
	return id, true
}

// Key is the key of one of a person's own applications.
func (i Item) Key() string { return homes + i.User + inHome + i.ID }

// about says in the event what it is about; fields are the names of what changed.
func about(c *call.Call, kind, id string, fields ...string) {
	if c.Event == nil {
		return
	}
	c.Event.Kind, c.Event.Target = kind, id
	if len(fields) > 0 {
		c.Event.Set("Changed", fields)
	}
}

func (t Target) kind() string {
	switch {
	case t.App != nil:
		return app.Table
	case t.Item.Kind == App:
		return "PersonalApp"
	}
	return "SecuredItem"
}

// plain says whether a text can be kept: it is UTF-8, short enough and without control characters.
func plain(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// prose is plain for texts of several lines.
func prose(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}
