package vault

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/wire/pvwa"
)

// MaxPassword is the longest password that the API takes, in characters.
const MaxPassword = 39

// lengths are the most characters that fields may have.
func lengths(in *pvwa.NewUser) error {
	p, b, i, t := in.PersonalDetails, in.BusinessAddress, in.Internet, in.Phones
	for _, f := range [...]struct {
		name, value string
		most        int
	}{
		{"username", in.Username, 128}, {"description", in.Description, 99}, {"distinguishedName", in.DistinguishedName, 4000},
		{"personalDetails.street", p.Street, 29}, {"personalDetails.city", p.City, 19}, {"personalDetails.state", p.State, 19}, {"personalDetails.zip", p.Zip, 19},
		{"personalDetails.country", p.Country, 19}, {"personalDetails.title", p.Title, 49}, {"personalDetails.organization", p.Organization, 49},
		{"personalDetails.department", p.Department, 49}, {"personalDetails.profession", p.Profession, 49}, {"personalDetails.firstName", p.FirstName, 29},
		{"personalDetails.middleName", p.MiddleName, 29}, {"personalDetails.lastName", p.LastName, 29},
		{"businessAddress.workStreet", b.Street, 29}, {"businessAddress.workCity", b.City, 19}, {"businessAddress.workState", b.State, 19},
		{"businessAddress.workZip", b.Zip, 19}, {"businessAddress.workCountry", b.Country, 19},
		{"internet.homePage", i.HomePage, 319}, {"internet.homeEmail", i.HomeEmail, 319}, {"internet.businessEmail", i.BusinessEmail, 319},
		{"internet.otherEmail", i.OtherEmail, 319}, {"phones.homeNumber", t.Home, 24}, {"phones.businessNumber", t.Business, 24},
		{"phones.cellularNumber", t.Cellular, 24}, {"phones.faxNumber", t.Fax, 24}, {"phones.pagerNumber", t.Pager, 24},
	} {
		if utf8.RuneCountInString(f.value) > f.most || !utf8.ValidString(f.value) || strings.ContainsRune(f.value, 0) {
			return ErrValue.At(f.name).Say("%s can have %d characters.", f.name, f.most)
		}
	}
	return nil
}

// PasswordFits refuses passwords that are longer than the API's.
func PasswordFits(field, plain string) error {
	if utf8.RuneCountInString(plain) > MaxPassword {
		return ErrValue.At(field).Say("%s can have %d characters.", field, MaxPassword)
	}
	return nil
}

// Wish is what a user is to be, checked.
type Wish struct {
	in        pvwa.NewUser
	profile   Profile
	component bool
	grants    []string
	on, force bool
}

// Check reads what a user is to be. Faults: ErrValue.
func Check(in pvwa.NewUser) (w Wish, err error) {
	w = Wish{in: in, on: in.EnableUser == nil || bool(*in.EnableUser), force: in.ChangePassOnNextLogon == nil || bool(*in.ChangePassOnNextLogon)}
	if err := lengths(&in); err != nil {
		return w, err
	}
	t, ok := TypeOf(cmp.Or(in.UserType, Person))
	if !ok {
		return w, ErrValue.At("userType").Say("There is no user type %.100q.", in.UserType)
	}
	w.component = t.Component
	w.profile = Profile{Type: t.Name, DN: in.DistinguishedName, Profession: in.PersonalDetails.Profession, Retention: retention, From: -1, To: -1}
	barred, err := Words("unAuthorizedInterfaces", in.UnAuthorizedInterfaces, Interfaces)
	if err != nil {
		return w, err
	}
	by, err := Words("authenticationMethod", in.AuthenticationMethod, []string{ByPassword, ByRadius})
	if err != nil {
		return w, err
	}
	allowed, err := Words("allowedAuthenticationMethods", in.AllowedAuthenticationMethods, methods)
	if err != nil {
		return w, err
	}
	if w.grants, err = Words("vaultAuthorization", in.VaultAuthorization, every); err != nil {
		return w, err
	}
	w.profile.Barred, w.profile.Methods, w.profile.Allowed = joined(barred), cmp.Or(joined(by), ByPassword), joined(allowed)
	return w, w.numbers()
}

func (w *Wish) numbers() error {
	for _, f := range [...]struct {
		name string
		in   *pvwa.Int
		to   *int64
		most pvwa.Int
	}{
		{"loginFromHour", w.in.LoginFromHour, &w.profile.From, 23}, {"loginToHour", w.in.LoginToHour, &w.profile.To, 23},
		{"userActivityLogRetentionDays", w.in.UserActivityLogRetentionDays, &w.profile.Retention, 36500},
	} {
		if f.in == nil {
			continue
		}
		if *f.in < 0 || *f.in > f.most {
			return ErrValue.At(f.name).Say("%s must be 0 to %d.", f.name, f.most)
		}
		*f.to = int64(*f.in)
	}
	if (w.profile.From < 0) != (w.profile.To < 0) {
		return ErrValue.At("loginToHour").Say("loginFromHour and loginToHour go together.")
	}
	return nil
}

// Names are those that a password of the user must not be made of.
func (w Wish) Names() password.Names {
	return password.Names{Login: w.in.Username, Display: w.display(), Mail: w.in.Internet.BusinessEmail}
}

// Force says whether the next sign-in asks for another password.
func (w Wish) Force() bool { return w.force }

func (w Wish) display() string {
	return strings.TrimSpace(strings.TrimSpace(w.in.PersonalDetails.FirstName) + " " + strings.TrimSpace(w.in.PersonalDetails.LastName))
}

// Create makes a user. The hash is that of the first password. Faults: those of user.Directory, ErrLocation, ErrAbove, ErrNotGiven.
func (v *Vault) Create(ctx context.Context, c *call.Call, w Wish, hash password.New) (pvwa.User, error) {
	full, err := v.Full(ctx, c, w.in.Username)
	if err != nil {
		return pvwa.User{}, err
	}
	at, err := v.place(ctx, c, w.in.Location)
	if err != nil {
		return pvwa.User{}, err
	}
	in := w.in
	u, err := v.People.Create(ctx, c, user.New{
		Name: full, Mail: in.Internet.BusinessEmail, Display: w.display(), Description: in.Description, Mobile: in.Phones.Cellular,
		Home: in.Phones.Home, Office: in.Phones.Business, Org: at, State: user.State{Disabled: !w.on}, Expires: pvwa.Millis(int64(in.ExpiryDate)),
		Everybody: !w.component, Service: w.component, ForceChange: w.force, NeverExpires: bool(in.PasswordNeverExpires),
	})
	if err != nil {
		return pvwa.User{}, err
	}
	if _, err := detail.Set(ctx, c, u.ID, nil, w.details(nil)); err != nil {
		return pvwa.User{}, err
	}
	if err := w.profile.store(ctx, c, u.ID, standard(u)); err != nil {
		return pvwa.User{}, err
	}
	if err := v.Passwords.Put(ctx, c, u.ID, hash, w.force); err != nil {
		return pvwa.User{}, err
	}
	if err := v.authorize(ctx, c, u, w.grants); err != nil {
		return pvwa.User{}, err
	}
	return v.again(ctx, c, u.ID)
}

func (v *Vault) again(ctx context.Context, c *call.Call, id string) (pvwa.User, error) {
	u, err := v.People.ByID(ctx, c, id)
	if err != nil {
		return pvwa.User{}, err
	}
	return v.Of(ctx, c, u)
}

// Change makes a user what is sent: what is left out is what it says where it is left out. Faults: as Create, ErrSelf, ErrSystem,
// user.ErrStronger.
func (v *Vault) Change(ctx context.Context, c *call.Call, id string, w Wish) (pvwa.User, error) {
	u, err := v.guarded(ctx, c, id)
	if err != nil {
		return pvwa.User{}, err
	}
	ch, err := v.change(ctx, c, u, w)
	if err != nil {
		return pvwa.User{}, err
	}
	items, err := detail.Of(ctx, c, id)
	if err != nil {
		return pvwa.User{}, err
	}
	now := w.details(items[id])
	was, err := profileOf(ctx, c, u)
	if err != nil {
		return pvwa.User{}, err
	}
	ch.Touched = !detail.Same(items[id], now) || was != w.profile
	reroutes := ch.Mail != nil || ch.Mobile != nil
	if id == c.User() && (reroutes || !w.on || ch.Org != nil || ch.Service != nil) {
		return pvwa.User{}, ErrSelf
	}
	store := func() error { _, err := v.People.Change(ctx, c, id, ch); return err }
	if reroutes {
		err = v.Keep(ctx, c, id, store)
	} else {
		err = store()
	}
	if err != nil {
		return pvwa.User{}, err
	}
	return v.beside(ctx, c, id, w, was, items[id], now)
}

// beside stores what does not stand in the directory's row.
func (v *Vault) beside(ctx context.Context, c *call.Call, id string, w Wish, was Profile, items, now []detail.Item) (pvwa.User, error) {
	if _, err := detail.Set(ctx, c, id, items, now); err != nil {
		return pvwa.User{}, err
	}
	if err := w.profile.store(ctx, c, id, was); err != nil {
		return pvwa.User{}, err
	}
	u, err := v.People.ByID(ctx, c, id)
	if err != nil {
		return pvwa.User{}, err
	}
	if w.in.Suspended != nil && !bool(*w.in.Suspended) {
		if err := v.lift(ctx, c, u); err != nil {
			return pvwa.User{}, err
		}
	}
	if err := v.authorize(ctx, c, u, w.grants); err != nil {
		return pvwa.User{}, err
	}
	return v.Of(ctx, c, u)
}

// change is what the directory has to change.
func (v *Vault) change(ctx context.Context, c *call.Call, u user.User, w Wish) (ch user.Change, err error) {
	full := u.Name
	if w.in.Username != "" {
		if full, err = v.Full(ctx, c, w.in.Username); err != nil {
			return ch, err
		}
	}
	at, err := v.place(ctx, c, cmp.Or(w.in.Location, root))
	if err != nil {
		return ch, err
	}
	for _, f := range [...]struct {
		is, want string
		to       **string
	}{
		{u.Name, full, &ch.Name}, {u.Mail, w.in.Internet.BusinessEmail, &ch.Mail}, {u.Description, w.in.Description, &ch.Description},
		{u.Mobile, w.in.Phones.Cellular, &ch.Mobile}, {u.Home, w.in.Phones.Home, &ch.Home}, {u.Office, w.in.Phones.Business, &ch.Office}, {u.Org, at, &ch.Org},
	} {
		if want := strings.TrimSpace(f.want); f.is != want {
			*f.to = &want
		}
	}
	if w.on != enabled(u) {
		ch.Suspended, ch.State = turned(u, w.on)
	}
	ch.Expires, ch.ForceChange, ch.NeverExpires = new(pvwa.Millis(int64(w.in.ExpiryDate))), &w.force, new(bool(w.in.PasswordNeverExpires))
	if pvwa.Seconds(u.Expires) == int64(w.in.ExpiryDate) { // told without its milliseconds
		ch.Expires = nil
	}
	if w.component != u.Service {
		ch.Service, ch.Everybody = &w.component, new(!w.component)
	}
	return ch, nil
}

// turned is what lets somebody in, or keeps them out.
func turned(u user.User, on bool) (*bool, *user.State) {
	if !on {
		return nil, &user.State{Locked: u.Locked, Disabled: true, Expired: u.Expired}
	}
	return new(bool), &user.State{Expired: u.Expired}
}

// details are the items of somebody with what is wanted put in the place of what the API knows.
func (w Wish) details(was []detail.Item) []detail.Item {
	in, out := w.in, slices.Clone(was)
	p, b := in.PersonalDetails, in.BusinessAddress
	for kind, value := range map[detail.Kind]string{
		detail.Given: p.FirstName, detail.Middle: p.MiddleName, detail.Family: p.LastName, detail.Title: p.Title, detail.Organization: p.Organization,
		detail.Department: p.Department, detail.Profile: in.Internet.HomePage,
	} {
		at := slices.IndexFunc(out, func(i detail.Item) bool { return i.Kind == kind })
		out = settle(out, at, detail.Item{Kind: kind, Value: strings.TrimSpace(value)})
	}
	for _, f := range []detail.Item{
		{Kind: detail.Mail, Type: "home", Value: in.Internet.HomeEmail}, {Kind: detail.Mail, Type: "other", Value: in.Internet.OtherEmail},
		{Kind: detail.Phone, Type: "fax", Value: in.Phones.Fax}, {Kind: detail.Phone, Type: "pager", Value: in.Phones.Pager},
	} {
		out = settle(out, typed(out, f.Kind, f.Type), f)
	}
	for _, a := range []struct {
		of string
		is address
	}{{"work", address{b.Street, b.City, b.State, b.Zip, b.Country}}, {"home", address{p.Street, p.City, p.State, p.Zip, p.Country}}} {
		if a.is == addressOf(out, a.of) {
			continue // with all else that another dialect has said of it
		}
		item := detail.Item{Kind: detail.Address, Type: a.of}
		if a.is != (address{}) {
			raw, _ := json.Marshal(a.is)
			item.More = string(raw)
		}
		out = settle(out, typed(out, detail.Address, a.of), item)
	}
	slices.SortStableFunc(out, func(a, b detail.Item) int { return strings.Compare(string(a.Kind), string(b.Kind)) })
	return out
}

// settle puts an item at a place, or behind all others where it has none; without a value it leaves.
func settle(items []detail.Item, at int, i detail.Item) []detail.Item {
	switch empty := i.Value == "" && i.More == ""; {
	case at < 0 && empty:
		return items
	case at < 0:
		return append(items, i)
	case empty:
		return slices.Delete(items, at, at+1)
	}
	i.Main = items[at].Main
	if i.More == "" {
		i.More = items[at].More
	}
	items[at] = i
	return items
}

// lift ends a suspension after wrong passwords.
func (v *Vault) lift(ctx context.Context, c *call.Call, u user.User) error {
	locked, err := v.Throttle.Locked(ctx, c, u.Name)
	if err != nil || !locked[u.Name] {
		return err
	}
	if c.Event != nil {
		call.Changed(c.Event, "SuspendedByFailures", true, false)
	}
	return v.Throttle.Clear(ctx, c, u.Name)
}
