package vault

import (
	"context"
	"encoding/json"
	"slices"

	"limen/internal/call"
	"limen/internal/core/detail"
	"limen/internal/core/number"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/wire/pvwa"
)

// Source is where all users come from.
const source = "CyberArk"

// Of gives a user in full.
func (v *Vault) Of(ctx context.Context, c *call.Call, u user.User) (pvwa.User, error) {
	n, err := number.Of(ctx, c, number.User, u.ID)
	if err != nil {
		return pvwa.User{}, missing(err, ErrUser)
	}
	p, err := profileOf(ctx, c, u)
	if err != nil {
		return pvwa.User{}, err
	}
	out := pvwa.User{
		ID: n, Source: source, UserType: p.Type, ComponentUser: u.Service, EnableUser: enabled(u), ChangePassOnNextLogon: u.ForceChange,
		PasswordNeverExpires: u.NeverExpires, ExpiryDate: pvwa.Seconds(u.Expires), UnAuthorizedInterfaces: parted(p.Barred),
		AuthenticationMethod: parted(p.Methods), AllowedAuthenticationMethods: parted(p.Allowed), DistinguishedName: p.DN, Description: u.Description,
		UserActivityLogRetentionDays: p.Retention, LoginFromHour: hour(p.From), LoginToHour: hour(p.To),
	}
	if err := v.known(ctx, c, u, p, &out); err != nil {
		return out, err
	}
	m, err := v.memberships(ctx, c, u.ID)
	if err != nil {
		return out, err
	}
	out.VaultAuthorization, out.GroupsMembership = m.authorizations(u.ID), m.groups(u.ID)
	locked, err := v.Throttle.Locked(ctx, c, u.Name)
	out.Suspended = locked[u.Name]
	return out, err
}

// known adds what other packages know of somebody.
func (v *Vault) known(ctx context.Context, c *call.Call, u user.User, p Profile, out *pvwa.User) error {
	short, err := v.shorter(ctx, c)
	if err != nil {
		return err
	}
	paths, err := v.Orgs.Paths(ctx, c)
	if err != nil {
		return err
	}
	items, err := detail.Of(ctx, c, u.ID)
	if err != nil {
		return err
	}
	last, err := v.People.LastLogin(ctx, c, u.ID)
	if err != nil {
		return err
	}
	out.Username, out.Location, out.LastSuccessfulLoginDate = short(u.Name), location(paths(u.Org)), last/1000
	out.BusinessAddress, out.Internet, out.Phones, out.PersonalDetails = told(u, p, items[u.ID])
	out.FidoCredentialsIds, err = v.handles(ctx, c, u.ID)
	return err
}

// enabled says whether no administrator keeps somebody out.
func enabled(u user.User) bool { return !u.Disabled && !u.Suspended && !u.Locked && !u.CloudLocked }

func hour(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

// address is a postal address as core/detail keeps it: in the words of SCIM.
type address struct {
	Street  string `json:"streetAddress,omitempty"`
	City    string `json:"locality,omitempty"`
	State   string `json:"region,omitempty"`
	Zip     string `json:"postalCode,omitempty"`
	Country string `json:"country,omitempty"`
}

// typed finds the first item of a kind and type that has a value of its own, or says more.
func typed(items []detail.Item, kind detail.Kind, of string) int {
	return slices.IndexFunc(items, func(i detail.Item) bool { return i.Kind == kind && i.Type == of && (i.Value != "" || i.More != "") })
}

func valueOf(items []detail.Item, kind detail.Kind, of string) string {
	if at := typed(items, kind, of); at >= 0 {
		return items[at].Value
	}
	return ""
}

func addressOf(items []detail.Item, of string) (out address) {
	if at := typed(items, detail.Address, of); at >= 0 {
		_ = json.Unmarshal([]byte(items[at].More), &out) // another dialect may have said less
	}
	return out
}

// told is what the directory and core/detail tell of somebody.
func told(u user.User, p Profile, items []detail.Item) (pvwa.Business, pvwa.Internet, pvwa.Phones, pvwa.Personal) {
	one := func(kind detail.Kind) string {
		i, _ := detail.Find(items, kind)
		return i.Value
	}
	work, home := addressOf(items, "work"), addressOf(items, "home")
	return pvwa.Business{Street: work.Street, City: work.City, State: work.State, Zip: work.Zip, Country: work.Country},
		pvwa.Internet{
			HomePage: one(detail.Profile), BusinessEmail: u.Mail, HomeEmail: valueOf(items, detail.Mail, "home"), OtherEmail: valueOf(items, detail.Mail, "other"),
		},
		pvwa.Phones{
			Home: u.Home, Business: u.Office, Cellular: u.Mobile, Fax: valueOf(items, detail.Phone, "fax"), Pager: valueOf(items, detail.Phone, "pager"),
		},
		pvwa.Personal{
			Street: home.Street, City: home.City, State: home.State, Zip: home.Zip, Country: home.Country, Title: one(detail.Title),
			Organization: one(detail.Organization), Department: one(detail.Department), Profession: p.Profession,
			FirstName: one(detail.Given), MiddleName: one(detail.Middle), LastName: one(detail.Family),
		}
}

// Older gives a user as the calls of the first generation show it.
func (v *Vault) Older(ctx context.Context, c *call.Call, u user.User) (pvwa.OlderUser, error) {
	full, err := v.Of(ctx, c, u)
	return pvwa.OlderUser{
		AgentUser: full.ComponentUser, Disabled: !full.EnableUser, Email: full.Internet.BusinessEmail, Expired: u.Expired || u.Ended(c.Now),
		ExpiryDate: pvwa.OlderDate(u.Expires), FirstName: full.PersonalDetails.FirstName, LastName: full.PersonalDetails.LastName,
		Location: full.Location, Source: "Internal", Suspended: full.Suspended, UserName: full.Username, UserTypeName: full.UserType,
	}, err
}

// memberships are who is in which roles.
type memberships struct {
	c       *call.Call
	direct  role.Direct
	held    map[string]*role.Membership
	within  map[string][]string // who is in roles that give authorizations; nil: held tells
	stand   entitled
	names   map[string]string
	numbers map[string]int64
}

// memberships reads the roles of people, all together.
func (v *Vault) memberships(ctx context.Context, c *call.Call, ids ...string) (m memberships, err error) {
	m.c = c
	if m.stand, err = entitlements(ctx, c); err != nil {
		return m, err
	}
	if m.direct, err = v.Roles.Load(ctx, c, ids); err != nil {
		return m, err
	}
	now, err := v.Roles.Now(ctx, c)
	if err != nil {
		return m, err
	}
	m.held = now.Of(m.direct)
	all, err := v.Roles.List(ctx, c)
	if err != nil {
		return m, err
	}
	m.names = make(map[string]string, len(all))
	for _, r := range all {
		m.names[r.ID] = r.Name
	}
	in := map[string]bool{}
	for _, id := range ids {
		for _, r := range m.direct.Roles(id, c.Now) {
			in[r] = true
		}
	}
	roles := make([]string, 0, len(in))
	for r := range in {
		roles = append(roles, r)
	}
	m.numbers, err = number.Some(ctx, c, number.Role, roles...)
	return m, err
}

// entitled reads who has which authorizations, and nothing else of roles.
func (v *Vault) entitled(ctx context.Context, c *call.Call) (m memberships, err error) {
	if m.stand, err = entitlements(ctx, c); err != nil {
		return m, err
	}
	roles := []string{role.System}
	for id := range m.stand {
		roles = append(roles, id)
	}
	m.within, err = v.Roles.Within(ctx, c, roles...)
	return m, err
}

func (m memberships) authorizations(id string) []string {
	if m.within != nil {
		return m.stand.of(m.within[id])
	}
	if h := m.held[id]; h != nil {
		return m.stand.of(h.Roles)
	}
	return []string{}
}

// groups are the roles that somebody is directly in, but for those that stand for authorizations.
func (m memberships) groups(id string) []pvwa.Membership {
	out := []pvwa.Membership{}
	for _, r := range m.direct.Roles(id, m.c.Now) {
		if _, stands := m.stand[r]; !stands && m.numbers[r] != 0 {
			out = append(out, pvwa.Membership{ID: m.numbers[r], Name: m.names[r], Type: kindVault})
		}
	}
	slices.SortFunc(out, func(a, b pvwa.Membership) int { return int(a.ID - b.ID) })
	return out
}
