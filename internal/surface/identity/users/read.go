package users

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"limen/internal/core/user"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Attributes are a user as GetUser and GetUserAttributes show it. Texts are empty, never null, where nothing is known:
// a client asserts their type.
type Attributes struct {
	UUID  string `json:"Uuid"`
	Name  string `json:"Name"`
	Alias string `json:"Alias"` // login suffix
	// DisplayName is how people see the user.
	DisplayName string `json:"DisplayName"`
	// Mail is a mail address.
	Mail string `json:"Mail"`
	// Description is free text.
	Description string `json:"Description"`
	// MobileNumber is a mobile number, best in international form; text messages go there.
	MobileNumber string `json:"MobileNumber"`
	// HomeNumber is a telephone number at home.
	HomeNumber string `json:"HomeNumber"`
	// OfficeNumber is a telephone number at work.
	OfficeNumber        string `json:"OfficeNumber"`
	ReportsTo           string `json:"ReportsTo"` // UUID of the manager
	PreferredCulture    string `json:"PreferredCulture"`
	PictureURI          string `json:"PictureUri"` // empty when there is no picture
	State               string `json:"State"`      // None, or a list of Locked, Disabled, Expired
	CloudState          string `json:"CloudState"` // None or Locked
	SubjectToCloudLocks bool   `json:"SubjectToCloudLocks"`
	// InEverybodyRole says whether the user is in the role Everybody; for administrators.
	InEverybodyRole bool `json:"InEverybodyRole"`
	// OauthClient is true for confidential OAuth clients; for administrators.
	OauthClient bool `json:"OauthClient"`
	// ServiceUser is true for what is no person; for administrators.
	ServiceUser             bool   `json:"ServiceUser"`
	ForcePasswordChangeNext string `json:"ForcePasswordChangeNext"` // True or False, as text
	// PasswordNeverExpire exempts the password from the policy's age; for administrators.
	PasswordNeverExpire    bool     `json:"PasswordNeverExpire"`
	LastPasswordChangeDate rpc.Time `json:"LastPasswordChangeDate"`
	CreateDate             rpc.Time `json:"CreateDate"`
	LastModifiedDate       rpc.Time `json:"LastModifiedDate"`
	AccountExp             rpc.Time `json:"AccountExp"`
	CmaRedirectedUser      string   `json:"CmaRedirectedUser"` // login name
	CmaRedirectedUserUUID  string   `json:"CmaRedirectedUserUuid"`
	OrgID                  string   `json:"OrgId"`
	OrgPath                string   `json:"OrgPath"` // empty when in none
	Version                string   `json:"Version"`
	// MailUnproved is there, and true, while that the mail address is the user's is still to be shown (VerifyEmail).
	MailUnproved         bool   `json:"MailUnproved,omitempty"`
	DirectoryServiceUUID string `json:"directoryServiceUuid"`
}

// at is a stored time, unset when 0.
func at(ms int64) rpc.Time {
	if ms == 0 {
		return rpc.Time{}
	}
	return rpc.Time(time.UnixMilli(ms))
}

func cloudState(locked bool) string {
	if locked {
		return "Locked"
	}
	return "None"
}

func pictureURI(p user.User) string {
	if p.Picture == 0 {
		return ""
	}
	return "/UserMgmt/GetUserPicture?id=" + p.ID
}

func capital(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func (u Users) attributes(ctx context.Context, c *op.Call, p user.User) (Attributes, error) {
	out := Attributes{
		UUID: p.ID, Name: p.Name, Alias: p.Suffix(), DisplayName: p.Display, Mail: p.Mail, Description: p.Description, MobileNumber: p.Mobile,
		HomeNumber: p.Home, OfficeNumber: p.Office, ReportsTo: p.ReportsTo, PreferredCulture: p.Culture, PictureURI: pictureURI(p),
		State: p.State().String(), CloudState: cloudState(p.CloudLocked), SubjectToCloudLocks: p.Lockable(), InEverybodyRole: p.Everybody,
		OauthClient: p.OAuthClient, ServiceUser: p.Service, ForcePasswordChangeNext: capital(p.ForceChange), PasswordNeverExpire: p.NeverExpires,
		LastPasswordChangeDate: at(p.PasswordChanged), CreateDate: at(p.Created), LastModifiedDate: at(p.Changed), AccountExp: at(p.Expires),
		MailUnproved: p.MailUnproved, CmaRedirectedUserUUID: p.MfaUser, OrgID: p.Org, Version: strconv.FormatInt(p.Version, 10), DirectoryServiceUUID: user.Source,
	}
	var err error
	if out.OrgPath, err = u.path(ctx, c, p.Org); err != nil {
		return Attributes{}, err
	}
	if p.MfaUser != "" {
		other, err := u.People.ByID(ctx, c, p.MfaUser)
		if err != nil && !errors.Is(err, user.ErrNotFound) {
			return Attributes{}, err
		}
		out.CmaRedirectedUser = other.Name
	}
	return out, nil
}

// GetUser returns one user by UUID or login name. It never shows a password. users.yaml n 96.
func (u Users) GetUser(ctx context.Context, c *op.Call, in OneUser) (Attributes, error) {
	return u.attributes(ctx, c, in.found)
}

// UserName names a user by login name.
type UserName struct {
	// Username is the login name with its suffix, whatever its case; required.
	Username string `json:"username" also:"Name"`
	person
}

// Check wants a name.
func (n *UserName) Check() error { return required("username", n.Username) }

// Resolve finds the user.
func (n *UserName) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.Username) }

// GetUserByName returns one user by login name. users.yaml n 97.
func (u Users) GetUserByName(ctx context.Context, c *op.Call, in UserName) (Attributes, error) {
	return u.attributes(ctx, c, in.found)
}

// GetUserAttributes returns the attributes of a user, the caller's own without an ID. users.yaml n 111.
func (u Users) GetUserAttributes(ctx context.Context, c *op.Call, in UserRef) (Attributes, error) {
	return u.attributes(ctx, c, in.found)
}

// GetOwnAttributes returns the caller's own attributes. users.yaml n 111.
func (u Users) GetOwnAttributes(ctx context.Context, c *op.Call, _ op.None) (Attributes, error) {
	p, err := u.People.ByID(ctx, c, c.User())
	if err != nil {
		return Attributes{}, err
	}
	return u.attributes(ctx, c, p)
}

// Info is what is known of a user of any directory.
type Info struct {
	UUID string `json:"Uuid"`
	Name string `json:"Name"`
	// DisplayName is how people see the user.
	DisplayName  string `json:"DisplayName"`
	EmailAddress string `json:"EmailAddress"`
	// Mail is a mail address.
	Mail string `json:"Mail"`
	// MobileNumber is a mobile number, best in international form; text messages go there.
	MobileNumber string `json:"MobileNumber"`
	// HomeNumber is a telephone number at home.
	HomeNumber string `json:"HomeNumber"`
	// OfficeNumber is a telephone number at work.
	OfficeNumber string `json:"OfficeNumber"`
	// Description is free text.
	Description          string `json:"Description"`
	PictureURI           string `json:"PictureUri"`
	DirectoryServiceUUID string `json:"DirectoryServiceUuid"`
	DirectoryServiceName string `json:"DirectoryServiceName"`
	DirectoryServiceType string `json:"DirectoryServiceType"`
	ReportsTo            string `json:"ReportsTo"`
	State                string `json:"State"`
	CloudState           string `json:"CloudState"`
	StatusEnum           string `json:"StatusEnum"` // Created, Invited, Active or Suspended
	OrgID                string `json:"OrgId"`
	OrgPath              string `json:"OrgPath"`
	PreferredCulture     string `json:"PreferredCulture"`
}

// GetUserInfo returns details about a user; without parameters about the caller, which clients use to see whether their
// token is good. users.yaml n 102.
func (u Users) GetUserInfo(ctx context.Context, c *op.Call, in UserRef) (Info, error) {
	p := in.found
	path, err := u.path(ctx, c, p.Org)
	return Info{
		UUID: p.ID, Name: p.Name, DisplayName: p.Display, EmailAddress: p.Mail, Mail: p.Mail, MobileNumber: p.Mobile, HomeNumber: p.Home,
		OfficeNumber: p.Office, Description: p.Description, PictureURI: pictureURI(p), DirectoryServiceUUID: user.Source,
		DirectoryServiceName: "Cloud Directory", DirectoryServiceType: "CDS", ReportsTo: p.ReportsTo, State: p.State().String(),
		CloudState: cloudState(p.CloudLocked), StatusEnum: string(p.Status()), OrgID: p.Org, OrgPath: path, PreferredCulture: p.Culture,
	}, err
}

// path is that of an organization; empty for none.
func (u Users) path(ctx context.Context, c *op.Call, id string) (string, error) {
	if id == "" {
		return "", nil
	}
	of, err := u.Orgs.Paths(ctx, c)
	if err != nil {
		return "", err
	}
	return of(id), nil
}

// Locked names the user whose locks are asked for.
type Locked struct {
	// User is the user's UUID or login name, required.
	User string `json:"user" also:"ID,Uuid"`
	person
}

// Check wants the user to be named.
func (l *Locked) Check() error { return required("user", l.User) }

// Resolve finds the user.
func (l *Locked) Resolve(ctx context.Context, c *op.Call) error { return l.find(ctx, c, l.User) }

// IsUserCloudLocked says whether a user is cloud locked. users.yaml n 107.
func (u Users) IsUserCloudLocked(_ context.Context, _ *op.Call, in Locked) (bool, error) {
	return in.found.CloudLocked, nil
}

// IsUserSubjectToCloudLocks says whether cloud locks apply to a user; they do not to service users. users.yaml n 109.
func (u Users) IsUserSubjectToCloudLocks(_ context.Context, _ *op.Call, in Locked) (bool, error) {
	return in.found.Lockable(), nil
}

// PictureRef names whose picture is wanted.
type PictureRef struct {
	// ID is the user's UUID; the caller's own when absent.
	ID string `json:"id" also:"Uuid"`
}

// GetUserPicture returns a user's picture as an image, and status 404 when there is none. Browsers may keep it for five
// minutes. users.yaml n 119.
func (u Users) GetUserPicture(ctx context.Context, c *op.Call, in PictureRef) (op.Raw, error) {
	id := strings.ToLower(strings.TrimSpace(in.ID))
	if id == "" {
		id = c.User()
	}
	pic, err := u.People.Picture(ctx, c, id)
	if errors.Is(err, user.ErrNoPicture) {
		return op.JSON{Code: 404, Body: map[string]any{"success": false, "Message": user.ErrNoPicture.Public}}, nil
	}
	if err != nil {
		return nil, err
	}
	return op.File{Name: "picture", Type: pic.Type, Body: pic.Body, Modified: time.UnixMilli(pic.Changed), MaxAge: 300}, nil
}
