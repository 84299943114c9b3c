package portal

import (
	"context"

	core "limen/internal/core/portal"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Personal changes an application of the caller's own.
type Personal struct {
	AppRef
	// Name is its name of at most 200 bytes.
	Name op.Opt[string] `json:"appName"`
	// Description is its description; it stays when absent, and is cleared by empty text.
	Description op.Opt[string] `json:"appDescription"`
	// Notes are sealed as passwords are; they stay when absent, and are cleared by empty text.
	Notes op.Opt[string] `json:"notes"`
	// URL is the address of its page; it stays when absent, and is cleared by empty text. Without a scheme it means https.
	URL op.Opt[string] `json:"appUrl"`
}

// Check wants the name not to be blank where it is given.
func (p *Personal) Check() error {
	if name, ok := p.Name.Get(); ok && blank(name) {
		return fault.ErrBlank.At("appName").Say("The application name must not be blank.")
	}
	return p.AppRef.Check()
}

func (p Personal) change() core.Change {
	return core.Change{Name: text(p.Name), Description: text(p.Description), Notes: text(p.Notes), URL: text(p.URL)}
}

// NamedPersonal changes an application of the caller's own, and names it.
type NamedPersonal struct {
	Personal
}

// Check wants a name.
func (p *NamedPersonal) Check() error {
	if err := p.Personal.Check(); err != nil {
		return err
	}
	if _, ok := p.Name.Get(); !ok {
		return fault.Missing("appName")
	}
	return nil
}

// UpdatePersonalApplication changes an application that the caller has added. Errors: portal.not_found, portal.name,
// portal.address, portal.size, portal.stale. apps.yaml n 213.
func (p Portal) UpdatePersonalApplication(ctx context.Context, c *op.Call, in NamedPersonal) (op.None, error) {
	return op.None{}, p.Portal.Update(ctx, c, in.AppKey, in.change())
}

// UpdateCapturedUserApplication is UpdatePersonalApplication with a name that may be absent: what a browser extension captures
// is kept as any other application of the caller's own. apps.yaml n 211.
func (p Portal) UpdateCapturedUserApplication(ctx context.Context, c *op.Call, in Personal) (op.None, error) {
	return op.None{}, p.Portal.Update(ctx, c, in.AppKey, in.change())
}

// AppSettings are the caller's settings of an application.
type AppSettings struct {
	AppRef
	// Notes are sealed as passwords are; they stay when absent.
	Notes op.Opt[string] `json:"notes"`
	// URLMatchDetection is how a browser extension knows the page: empty, BaseDomain, RegularExpression, ExactMatch or
	// Hostname; it stays when absent.
	URLMatchDetection op.Opt[string] `json:"UrlMatchDetection"`
	// MatchPattern is the pattern of RegularExpression, of at most 500 bytes; it stays when absent.
	MatchPattern op.Opt[string] `json:"MatchPattern"`
	// Rank is the place in the order of the portal, 0 to 1,000, which is that of applications without one; it stays when
	// absent. Beyond the contract.
	Rank op.Opt[int64] `json:"Rank"`
}

// UpdateUserApplication changes the caller's settings of an application, assigned or their own: those that are sent. Errors:
// portal.not_found, acl.denied, portal.matching, portal.pattern, portal.size, portal.stale. apps.yaml n 214.
func (p Portal) UpdateUserApplication(ctx context.Context, c *op.Call, in AppSettings) (op.None, error) {
	s := core.Settings{Notes: text(in.Notes), Matching: text(in.URLMatchDetection), Pattern: text(in.MatchPattern)}
	if rank, ok := in.Rank.Get(); ok {
		s.Rank = &rank
	}
	return op.None{}, p.Portal.Set(ctx, c, in.AppKey, s)
}

// NewPersonal is an application to be added.
type NewPersonal struct {
	// Name is its name of at most 200 bytes; required.
	Name string `json:"appName"`
	// Description is its description.
	Description string `json:"appDescription"`
	// URL is the address of its page; without a scheme it means https.
	URL string `json:"appUrl"`
	// Notes are sealed as passwords are.
	Notes string `json:"notes"`
	// Username is the caller's name with it.
	Username string `json:"Username"`
	// Password is the caller's password with it.
	Password string `json:"Password"`
}

// Check wants a name.
func (n *NewPersonal) Check() error { return required("appName", n.Name) }

// AddPersonalApplication adds an application of the caller's own to their portal, and answers its key. A policy can forbid it
// (/Core/Security/CDS/Applications/AllowSelfService). Beyond the contract, which tells of importing them alone. Errors:
// portal.self_service, portal.name, portal.address, portal.size, portal.too_many beyond 2,000.
func (p Portal) AddPersonalApplication(ctx context.Context, c *op.Call, in NewPersonal) (string, error) {
	it, err := p.Portal.Add(ctx, c, core.NewItem{
		Kind: core.App, Type: core.Added, Name: in.Name, Description: in.Description, URL: in.URL,
		Secret: core.Secret{Username: in.Username, Password: in.Password, Notes: in.Notes},
	})
	return it.Key(), err
}

// AddUserApplication puts an application that the caller is given, and that is not on portals by itself, on their portal.
// Beyond the contract. Errors: portal.not_found, acl.denied, portal.stale.
func (p Portal) AddUserApplication(ctx context.Context, c *op.Call, in AppRef) (op.None, error) {
	return op.None{}, p.Portal.AddAssigned(ctx, c, in.AppKey)
}

// RemoveUserApplication deletes an application of the caller's own with what they keep for it, or takes one that they put on
// their portal off it. Beyond the contract. Errors: portal.not_found, acl.denied, portal.stale.
func (p Portal) RemoveUserApplication(ctx context.Context, c *op.Call, in AppRef) (op.None, error) {
	return op.None{}, p.Portal.Remove(ctx, c, in.AppKey)
}

// NewSecured is a secured item to be made.
type NewSecured struct {
	// Name is its name of at most 200 bytes; required.
	Name string `json:"Name"`
	// Type is what it is, a word such as Password or SecureNote; required.
	Type string `json:"SecuredItemType"`
	// Description is its description, which is not sealed.
	Description string `json:"Description"`
	// Username is sealed.
	Username string `json:"Username"`
	// Password is sealed.
	Password string `json:"Password"`
	// Notes are sealed, at most 64 KB.
	Notes string `json:"Notes"`
}

// Check wants name and type.
func (n *NewSecured) Check() error {
	if err := required("Name", n.Name); err != nil {
		return err
	}
	return required("SecuredItemType", n.Type)
}

// AddSecuredItem makes a secured item of the caller's, and answers its key. Errors: portal.name, portal.size, portal.too_many
// beyond 2,000. apps.yaml, behind n 219.
func (p Portal) AddSecuredItem(ctx context.Context, c *op.Call, in NewSecured) (string, error) {
	it, err := p.Portal.Add(ctx, c, core.NewItem{
		Kind: core.Secured, Type: in.Type, Name: in.Name, Description: in.Description,
		Secret: core.Secret{Username: in.Username, Password: in.Password, Notes: in.Notes},
	})
	return it.ID, err
}

// DeleteSecuredItem deletes a secured item of the caller's with what is in it. Beyond the contract. Errors: portal.not_found.
func (p Portal) DeleteSecuredItem(ctx context.Context, c *op.Call, in ItemRef) (op.None, error) {
	return op.None{}, p.Portal.RemoveSecured(ctx, c, in.ItemKey)
}

// AppIcon is an icon for an application of the caller's own.
type AppIcon struct {
	AppRef
	// Icon is the file part of the multipart request, under any name: PNG, JPEG or GIF of at most 512 KB.
	Icon op.Upload `json:"-" form:"*"`
}

// Check wants both.
func (i *AppIcon) Check() error {
	if err := i.AppRef.Check(); err != nil {
		return err
	}
	return file(i.Icon)
}

func file(f op.Upload) error {
	if len(f.Body) == 0 {
		return fault.Missing("Icon")
	}
	return nil
}

func (p Portal) redrawApp(_ context.Context, _ *op.Call, in AppIcon) (user.Picture, error) {
	return core.Redraw(in.Icon.Body)
}

// UploadPersonalAppIcon sets the icon of an application of the caller's own, and answers it as a data URI. It is decoded,
// scaled down to 128 pixels on a side, and encoded anew, so that nothing but its pixels is kept. Errors: portal.not_found,
// portal.icon, portal.too_many beyond 200 icons. apps.yaml n 215.
func (p Portal) UploadPersonalAppIcon(ctx context.Context, c *op.Call, in AppIcon, pic user.Picture) (string, error) {
	return p.Portal.SetAppIcon(ctx, c, in.AppKey, pic)
}

// ItemIcon is an icon for a secured item.
type ItemIcon struct {
	ItemRef
	// Icon is the file part of the multipart request, under any name: PNG, JPEG or GIF of at most 512 KB.
	Icon op.Upload `json:"-" form:"*"`
}

// Check wants both.
func (i *ItemIcon) Check() error {
	if err := i.ItemRef.Check(); err != nil {
		return err
	}
	return file(i.Icon)
}

func (p Portal) redrawItem(_ context.Context, _ *op.Call, in ItemIcon) (user.Picture, error) {
	return core.Redraw(in.Icon.Body)
}

// UploadSecuredItemIcon is UploadPersonalAppIcon for a secured item. apps.yaml n 216.
func (p Portal) UploadSecuredItemIcon(ctx context.Context, c *op.Call, in ItemIcon, pic user.Picture) (string, error) {
	return p.Portal.SetSecuredIcon(ctx, c, in.ItemKey, pic)
}
