package portal

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/login"
	core "limen/internal/core/portal"
	"limen/internal/core/user"
	"limen/internal/op"
	"limen/internal/surface/identity/authentication"
	"limen/internal/wire/rpc"
)

func blank(s string) bool { return strings.TrimSpace(s) == "" }

// person is the user that an input is about, once it is resolved.
type person struct{ found user.User }

// Target is who the call is about.
func (p *person) Target() op.Target { return op.Target{ID: p.found.ID, Org: p.found.Org} }

// find resolves a UUID or login name; empty is the caller.
func (p *person) find(ctx context.Context, c *op.Call, ref string) (err error) {
	if blank(ref) {
		ref = c.User()
	}
	p.found, err = user.Find(ctx, c, ref)
	return err
}

// Whose says whose portal is wanted.
type Whose struct {
	// Username is a login name or UUID; the caller's own portal when absent.
	Username string `json:"username"`
	// Force is taken and not needed: nothing is cached.
	Force bool `json:"force"`
	person
}

// Resolve finds the person.
func (w *Whose) Resolve(ctx context.Context, c *op.Call) error { return w.find(ctx, c, w.Username) }

// Access is a principal through which somebody has an application.
type Access struct {
	Type string `json:"Type"` // User, Role
	ID   string `json:"ID"`
	Name string `json:"Name"`
}

// App is an application on a portal.
type App struct {
	AppKey                string   `json:"AppKey"`
	ID                    string   `json:"ID"`
	Name                  string   `json:"Name"`
	DisplayName           string   `json:"DisplayName"`
	Description           string   `json:"Description"`
	Icon                  string   `json:"Icon"` // path, or data URI of an uploaded one
	URL                   string   `json:"Url"`
	Username              string   `json:"Username"`
	UsernameRO            bool     `json:"UsernameRO"`
	UsernameStrategy      string   `json:"UsernameStrategy"` // beyond the contract: as in the application's record
	PasswordIsSet         bool     `json:"PasswordIsSet"`
	IsTotpSet             bool     `json:"IsTotpSet"`
	Notes                 string   `json:"Notes"`
	Tags                  []string `json:"Tags"`
	Rank                  int64    `json:"Rank"`
	Category              string   `json:"Category"`
	AdminTag              string   `json:"AdminTag"`
	AppType               string   `json:"AppType"`
	AppTypeDisplayName    string   `json:"AppTypeDisplayName"`
	WebAppType            string   `json:"WebAppType"`
	WebAppTypeDisplayName string   `json:"WebAppTypeDisplayName"`
	TemplateName          string   `json:"TemplateName"`
	CorpIdentifier        string   `json:"CorpIdentifier"`
	Automatic             bool     `json:"Automatic"`
	Intranet              bool     `json:"Intranet"`
	Shortcut              bool     `json:"Shortcut"`
	IsNew                 bool     `json:"IsNew"` // beyond the contract: never opened
	URLMatchDetection     string   `json:"UrlMatchDetection"`
	MatchPattern          string   `json:"MatchPattern"`
	AccessList            []Access `json:"AccessList"`
}

// Data is a portal.
type Data struct {
	Apps []App    `json:"Apps"`
	Tags []string `json:"Tags"`
}

// GetUPData gives everything that a user portal shows: the applications that a person is given with View and Execute, by
// themselves or through roles, and that are there by themselves (Automatic) or were put there by the person (Shortcut); and
// the person's own applications. They are sorted by Rank, then name. Applications that are not configured, that are hidden
// (ShowInUP false) or that are only for programs (OAuth) are left out.
//
// Holders of User Management get the portal of another person by username: what is assigned to that person, and nothing of
// what the person keeps: no applications of their own, tags, names, notes or order. apps.yaml n 219.
func (p Portal) GetUPData(ctx context.Context, c *op.Call, in Whose) (Data, error) {
	s, err := p.Portal.Of(ctx, c, in.found)
	out := Data{Apps: make([]App, 0, len(s.Tiles)), Tags: list(s.Tags)}
	for _, t := range s.Tiles {
		out.Apps = append(out.Apps, tile(t))
	}
	return out, err
}

// list is never null.
func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// ownTemplate is what people's own applications are like.
const ownTemplate = "Generic User-Password"

func tile(t core.Tile) App {
	out := App{
		Icon: t.Icon, Username: t.Login, PasswordIsSet: t.Secret.Password != "", IsTotpSet: t.Secret.TOTP != "", Notes: t.Secret.Notes, Tags: list(t.Tags),
		Rank: t.Rank, Automatic: t.Automatic, Shortcut: t.Added, IsNew: t.Visited == 0, URLMatchDetection: t.Matching, MatchPattern: t.Pattern, AccessList: []Access{},
	}
	it := t.App
	if i := t.Item; i != nil {
		it = app.App{ID: i.ID, Name: i.Name, Display: i.Name, Description: i.Description, Template: ownTemplate, Kind: app.Web, Type: app.UserPassword}
		out.AppKey, out.URL, out.UsernameStrategy = i.Key(), i.URL, app.SetByUser
	} else {
		_, shared := it.Kept()
		out.AppKey, out.URL, out.UsernameStrategy, out.UsernameRO = it.ID, it.Location(), it.Strategy(), it.Strategy() != app.SetByUser
		out.PasswordIsSet = out.PasswordIsSet || out.UsernameRO && shared
	}
	out.ID, out.Name, out.DisplayName, out.Description, out.TemplateName = it.ID, it.Name, it.Display, it.Description, it.Template
	if out.DisplayName == "" {
		out.DisplayName = it.Name
	}
	if out.Icon == "" {
		out.Icon = it.Icon()
	}
	out.Category, out.AdminTag, out.CorpIdentifier, out.Intranet = it.Category, it.Text("AdminTag"), it.Text("CorpIdentifier"), it.Flag("OnPrem", false)
	out.AppType, out.AppTypeDisplayName = it.Kind, app.KindLabel(it.Kind, it.Type)
	out.WebAppType, out.WebAppTypeDisplayName = it.Type, app.TypeLabel(it.Type)
	for _, h := range t.Through {
		out.AccessList = append(out.AccessList, Access{h.Kind, h.ID, h.Name})
	}
	return out
}

// Resultant says whose applications are wanted.
type Resultant struct {
	// UserUUID is the person's UUID, or login name; required.
	UserUUID string `json:"userUuid" also:"ID,username"`
	person
}

// Check wants it.
func (r *Resultant) Check() error { return required("userUuid", r.UserUUID) }

// Resolve finds the person.
func (r *Resultant) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.UserUUID) }

var resultantColumns = []rpc.Column{
	{Name: "ID", TableKey: "Primary"}, {Name: "Name"}, {Name: "DisplayName"}, {Name: "Description"}, {Name: "AppType"}, {Name: "AppTypeDisplayName"},
	{Name: "WebAppType"}, {Name: "WebAppTypeDisplayName"}, {Name: "Icon"}, {Name: "Category"}, {Name: "State"}, {Name: "TemplateName"},
	{Name: "Automatic", Type: rpc.TypeBool}, {Name: "InPortal", Type: rpc.TypeBool},
}

// GetResultantAppsForUser lists the applications that a person has on their portal or may put there (InPortal, beyond the
// contract, says which), by name. To the person themselves also their own. Holders of User Management ask about the people
// whom they administer. apps.yaml n 206.
func (p Portal) GetResultantAppsForUser(ctx context.Context, c *op.Call, in Resultant) (rpc.Query, error) {
	all, err := p.Portal.Reach(ctx, c, in.found)
	out := rpc.Query{Columns: resultantColumns, FullCount: len(all), Results: []rpc.Row{}}
	for _, t := range all {
		a, state := tile(t), t.App.State
		if t.Item != nil {
			state = app.Active
		}
		out.Results = append(out.Results, rpc.Row{Entities: []rpc.Entity{{Type: app.Table, Key: a.ID}}, Row: []any{
			a.ID, a.Name, a.DisplayName, a.Description, a.AppType, a.AppTypeDisplayName, a.WebAppType, a.WebAppTypeDisplayName, a.Icon, a.Category, state,
			a.TemplateName, a.Automatic, a.Automatic || a.Shortcut,
		}})
	}
	return out, err
}

// OneApp asks for one application.
type OneApp struct {
	AppRef
	// MarkAppVisited notes that the caller has opened it, True or False.
	MarkAppVisited bool `json:"markAppVisited"`
}

// Effect is a write where something is noted.
func (o *OneApp) Effect() op.Effect {
	if o.MarkAppVisited {
		return op.Write
	}
	return op.Read
}

// GetAppByKey gives one application of the caller's as GetUPData does; never a password. With markAppVisited it is no longer
// new. Errors: portal.not_found, acl.denied. apps.yaml n 203.
func (p Portal) GetAppByKey(ctx context.Context, c *op.Call, in OneApp) (App, error) {
	if in.MarkAppVisited {
		if err := p.Portal.Visit(ctx, c, in.AppKey); err != nil {
			return App{}, err
		}
	}
	u, err := p.self(ctx, c)
	if err != nil {
		return App{}, err
	}
	t, err := p.Portal.Tile(ctx, c, u, in.AppKey)
	return tile(t), err
}

// HandleAppClick opens an application: it leads the browser to the page of a bookmark, of an application with name and
// password, or of a relying party that begins sign-in with OpenID Connect, or of one of the caller's own applications. Names
// and passwords are filled in by whatever fills in forms in the browser, never here. Sign-on with SAML is not served.
//
// Where the rules of an application want more of the caller than their session rests on, the answer has success false, auth.challenge and the
// ChallengeId for StartChallenge; a browser is led to the page on which to answer it, and from there to the application.
//
// Errors: portal.not_found, acl.denied, app.closed, app.rules, app.not_ready, app.no_address, app.saml. apps.yaml, behind n 219.
func (p Portal) HandleAppClick(ctx context.Context, c *op.Call, in Click, _ op.None) (any, error) {
	at, err := p.Portal.Launch(ctx, c, in.AppKey)
	if err == nil {
		return op.Redirect{URL: at}, nil
	}
	out, err := authentication.Due(err)
	if out.ChallengeID == "" || !in.browser {
		return out, err
	}
	c.Event.Type = audit.ChallengeCreate // the application was not opened
	return op.Redirect{URL: login.MorePath(out.ChallengeID, "/UPRest/HandleAppClick?appkey="+url.QueryEscape(in.AppKey))}, nil
}

// Click opens an application.
type Click struct {
	AppRef
	browser bool
}

// See notes whether a browser navigates here.
func (k *Click) See(q *http.Request) {
	k.browser = q.Method == http.MethodGet && strings.Contains(q.Header.Get("Accept"), "text/html")
}

// SecuredItem is a secured item without what is in it.
type SecuredItem struct {
	ItemKey         string   `json:"ItemKey"`
	Name            string   `json:"Name"`
	DisplayName     string   `json:"DisplayName"`
	Description     string   `json:"Description"`
	Icon            string   `json:"Icon"` // data URI
	Tags            []string `json:"Tags"`
	SecuredItemType string   `json:"SecuredItemType"`
	IsUsernameSet   bool     `json:"IsUsernameSet"`
	IsPasswordSet   bool     `json:"IsPasswordSet"`
	IsNotesSet      bool     `json:"IsNotesSet"`
	HasCustomFields bool     `json:"HasCustomFields"`
}

// SecuredItems are those of a person.
type SecuredItems struct {
	SecuredItems []SecuredItem `json:"SecuredItems"`
	Tags         []string      `json:"Tags"`
}

// Forced is a request for what is the caller's own.
type Forced struct {
	// Force is taken and not needed: nothing is cached.
	Force bool `json:"force"`
}

// GetSecuredItemsData lists the caller's secured items, by name, without what is in them, and the caller's tags. apps.yaml,
// behind n 219.
func (p Portal) GetSecuredItemsData(ctx context.Context, c *op.Call, _ Forced) (SecuredItems, error) {
	all, err := p.Portal.Secured(ctx, c)
	if err != nil {
		return SecuredItems{}, err
	}
	tags, err := p.Portal.Tags(ctx, c)
	out := SecuredItems{SecuredItems: make([]SecuredItem, 0, len(all)), Tags: list(tags)}
	for _, it := range all {
		pic := it.Icon
		if pic == "" {
			pic = padlock
		}
		out.SecuredItems = append(out.SecuredItems, SecuredItem{
			it.ID, it.Name, it.Name, it.Description, pic, list(it.Tags), it.Type, it.LoginSet, it.PasswordSet, it.NotesSet, it.FurtherFields,
		})
	}
	return out, err
}

// padlock is the picture of items that have none.
var padlock = "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString([]byte(
	`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path fill="#555" d="M6 10V7a6 6 0 0 1 12 0v3h1v11H5V10zm2 0h8V7a4 4 0 0 0-8 0z"/></svg>`))
