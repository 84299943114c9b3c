package pvwa

// Failure is the body of an error.
type Failure struct {
	// Code is the error's code, such as ITATS003E.
	Code string `json:"ErrorCode"`
	// Message says what is wrong.
	Message string `json:"ErrorMessage"`
	// Details are there for wrong values: one of each field.
	Details []Failure `json:"Details"`
}

// Business is where somebody works.
type Business struct {
	// Street is at most 29 characters.
	Street string `json:"workStreet"`
	// City is at most 19 characters.
	City string `json:"workCity"`
	// State is at most 19 characters.
	State string `json:"workState"`
	// Zip is at most 19 characters.
	Zip string `json:"workZip"`
	// Country is at most 19 characters.
	Country string `json:"workCountry"`
}

// Internet is how somebody is reached by mail, at most 319 characters each.
type Internet struct {
	// HomePage is an address of the web.
	HomePage string `json:"homePage"`
	// HomeEmail is a private mail address.
	HomeEmail string `json:"homeEmail"`
	// BusinessEmail is the mail address that codes and notices go to.
	BusinessEmail string `json:"businessEmail"`
	// OtherEmail is one more mail address.
	OtherEmail string `json:"otherEmail"`
}

// Phones are telephone numbers, at most 24 characters each.
type Phones struct {
	// Home is the private number.
	Home string `json:"homeNumber"`
	// Business is the number at work.
	Business string `json:"businessNumber"`
	// Cellular is the mobile number, which codes go to.
	Cellular string `json:"cellularNumber"`
	// Fax is a fax number.
	Fax string `json:"faxNumber"`
	// Pager is a pager's number.
	Pager string `json:"pagerNumber"`
}

// Personal is who somebody is, and where they live.
type Personal struct {
	// Street is at most 29 characters.
	Street string `json:"street"`
	// City is at most 19 characters.
	City string `json:"city"`
	// State is at most 19 characters.
	State string `json:"state"`
	// Zip is at most 19 characters.
	Zip string `json:"zip"`
	// Country is at most 19 characters.
	Country string `json:"country"`
	// Title is at most 49 characters.
	Title string `json:"title"`
	// Organization is at most 49 characters.
	Organization string `json:"organization"`
	// Department is at most 49 characters.
	Department string `json:"department"`
	// Profession is at most 49 characters.
	Profession string `json:"profession"`
	// FirstName is at most 29 characters.
	FirstName string `json:"firstName"`
	// MiddleName is at most 29 characters.
	MiddleName string `json:"middleName"`
	// LastName is at most 29 characters.
	LastName string `json:"lastName"`
}

// NewUser is what a user is to be. What is left out is what it says.
type NewUser struct {
	// Username is at most 128 characters, required for a new user; without a suffix it gets the tenant's own.
	Username string `json:"username"`
	// UserType is one of GET /UserTypes; EPVUser when absent. Of component types the user is a service user.
	UserType string `json:"userType"`
	// InitialPassword is required for a new user who signs in by password, at most 39 characters.
	InitialPassword string `json:"initialPassword"`
	// AuthenticationMethod is AuthTypePass (when absent), AuthTypeRADIUS or both: by which logons the password is taken.
	AuthenticationMethod Words `json:"authenticationMethod"`
	// AllowedAuthenticationMethods are further ways to log on.
	AllowedAuthenticationMethods Words `json:"allowedAuthenticationMethods"`
	// Location is a path of organizations; one backslash, the root, when absent.
	Location string `json:"location"`
	// UnAuthorizedInterfaces are those that the user must not use. Without PVWA there is no logon here.
	UnAuthorizedInterfaces Words `json:"unAuthorizedInterfaces"`
	// ExpiryDate is the end of the account, in seconds since 1970 UTC; -62135578800, or absent: none.
	ExpiryDate Int `json:"expiryDate"`
	// VaultAuthorization are the authorizations that the user has; none when absent.
	VaultAuthorization Words `json:"vaultAuthorization"`
	// EnableUser is false for somebody who may not sign in; true when absent.
	EnableUser *Bool `json:"enableUser"`
	// Suspended lifts a suspension when it is false. It cannot be set.
	Suspended *Bool `json:"suspended"`
	// ChangePassOnNextLogon asks for another password; true when absent.
	ChangePassOnNextLogon *Bool `json:"changePassOnNextLogon"`
	// PasswordNeverExpires says that the password's age does not matter; false when absent.
	PasswordNeverExpires Bool `json:"passwordNeverExpires"`
	// DistinguishedName is the name in an X.500 directory.
	DistinguishedName string `json:"distinguishedName"`
	// Description is at most 99 characters.
	Description string `json:"description"`
	// BusinessAddress is where the user works.
	BusinessAddress Business `json:"businessAddress"`
	// Internet is how the user is reached by mail.
	Internet Internet `json:"internet"`
	// Phones are the user's numbers.
	Phones Phones `json:"phones"`
	// PersonalDetails is who the user is.
	PersonalDetails Personal `json:"personalDetails"`
	// UserActivityLogRetentionDays is kept and told; events are kept as long as the tenant says. 90 when absent.
	UserActivityLogRetentionDays *Int `json:"userActivityLogRetentionDays"`
	// LoginFromHour is the first hour, 0 to 23 UTC, in which the user may log on here; absent: any.
	LoginFromHour *Int `json:"loginFromHour"`
	// LoginToHour is the hour at whose beginning that ends; it may lie before the first one.
	LoginToHour *Int `json:"loginToHour"`
}

// Membership is a group that somebody is in.
type Membership struct {
	// ID is the group's number.
	ID int64 `json:"groupID"`
	// Name is the group's name.
	Name string `json:"groupName"`
	// Type is Vault.
	Type string `json:"groupType"`
}

// User is a user in full.
type User struct {
	// ID is the user's number.
	ID int64 `json:"id"`
	// Username is the login name, without the tenant's own suffix.
	Username string `json:"username"`
	// Source is CyberArk: nobody comes from another directory.
	Source string `json:"source"`
	// UserType is one of GET /UserTypes.
	UserType string `json:"userType"`
	// ComponentUser says whether the type is that of a component.
	ComponentUser bool `json:"componentUser"`
	// EnableUser is false for whoever may not sign in because an administrator said so.
	EnableUser bool `json:"enableUser"`
	// Suspended says whether too many wrong passwords keep the user out at present.
	Suspended bool `json:"suspended"`
	// ChangePassOnNextLogon says whether the next logon needs another password.
	ChangePassOnNextLogon bool `json:"changePassOnNextLogon"`
	// PasswordNeverExpires says that the password's age does not matter.
	PasswordNeverExpires bool `json:"passwordNeverExpires"`
	// ExpiryDate is the end of the account, in seconds since 1970 UTC; -62135578800: none.
	ExpiryDate int64 `json:"expiryDate"`
	// LastSuccessfulLoginDate is the last sign-in, in seconds since 1970 UTC; 0: none.
	LastSuccessfulLoginDate int64 `json:"lastSuccessfulLoginDate"`
	// UnAuthorizedInterfaces are those that the user must not use.
	UnAuthorizedInterfaces []string `json:"unAuthorizedInterfaces"`
	// AuthenticationMethod tells by which logons the password is taken.
	AuthenticationMethod []string `json:"authenticationMethod"`
	// AllowedAuthenticationMethods are further ways to log on.
	AllowedAuthenticationMethods []string `json:"allowedAuthenticationMethods"`
	// VaultAuthorization are the authorizations that the user has.
	VaultAuthorization []string `json:"vaultAuthorization"`
	// GroupsMembership are the groups that the user is directly in.
	GroupsMembership []Membership `json:"groupsMembership"`
	// Location is the path of the user's organization; one backslash: none.
	Location string `json:"location"`
	// DistinguishedName is the name in an X.500 directory.
	DistinguishedName string `json:"distinguishedName"`
	// Description is a text.
	Description string `json:"description"`
	// BusinessAddress is where the user works.
	BusinessAddress Business `json:"businessAddress"`
	// Internet is how the user is reached by mail.
	Internet Internet `json:"internet"`
	// Phones are the user's numbers.
	Phones Phones `json:"phones"`
	// PersonalDetails is who the user is.
	PersonalDetails Personal `json:"personalDetails"`
	// UserActivityLogRetentionDays is what was said of it.
	UserActivityLogRetentionDays int64 `json:"userActivityLogRetentionDays"`
	// LoginFromHour is the first hour in which the user may log on here; null: any.
	LoginFromHour *int64 `json:"loginFromHour"`
	// LoginToHour is the hour at whose beginning that ends.
	LoginToHour *int64 `json:"loginToHour"`
	// FidoCredentialsIds are the ids of the user's FIDO2 devices; absent where there is none.
	FidoCredentialsIds []string `json:"FidoCredentialsIds,omitempty"`
}

// Again is what makes the user what they are: the body of a PUT that changes nothing.
func (u User) Again() NewUser {
	hour := func(n *int64) *Int {
		if n == nil {
			return nil
		}
		return new(Int(*n))
	}
	return NewUser{
		Username: u.Username, UserType: u.UserType, AuthenticationMethod: u.AuthenticationMethod, AllowedAuthenticationMethods: u.AllowedAuthenticationMethods,
		Location: u.Location, UnAuthorizedInterfaces: u.UnAuthorizedInterfaces, ExpiryDate: Int(u.ExpiryDate), VaultAuthorization: u.VaultAuthorization,
		EnableUser: new(Bool(u.EnableUser)), ChangePassOnNextLogon: new(Bool(u.ChangePassOnNextLogon)), PasswordNeverExpires: Bool(u.PasswordNeverExpires),
		DistinguishedName: u.DistinguishedName, Description: u.Description, BusinessAddress: u.BusinessAddress, Internet: u.Internet, Phones: u.Phones,
		PersonalDetails: u.PersonalDetails, UserActivityLogRetentionDays: new(Int(u.UserActivityLogRetentionDays)), LoginFromHour: hour(u.LoginFromHour),
		LoginToHour: hour(u.LoginToHour),
	}
}

// Listed is a user as lists show it.
type Listed struct {
	// ID is the user's number.
	ID int64 `json:"id"`
	// Username is the login name, without the tenant's own suffix.
	Username string `json:"username"`
	// Source is CyberArk.
	Source string `json:"source"`
	// UserType is one of GET /UserTypes.
	UserType string `json:"userType"`
	// ComponentUser says whether the type is that of a component.
	ComponentUser bool `json:"componentUser"`
	// GroupsMembership are the groups that the user is directly in; with ExtendedDetails.
	GroupsMembership []Membership `json:"groupsMembership,omitempty"`
	// VaultAuthorization are the authorizations that the user has.
	VaultAuthorization []string `json:"vaultAuthorization"`
	// AuthorizedInterfaces are those of the type that the user may use.
	AuthorizedInterfaces []string `json:"authorizedInterfaces"`
	// UnAuthorizedInterfaces are those that the user must not use.
	UnAuthorizedInterfaces []string `json:"unAuthorizedInterfaces"`
	// AllowedAuthenticationMethods are further ways to log on.
	AllowedAuthenticationMethods []string `json:"allowedAuthenticationMethods"`
	// Location is the path of the user's organization; one backslash: none.
	Location string `json:"location"`
	// Enabled is false for whoever may not sign in; with ExtendedDetails.
	Enabled *bool `json:"enabled,omitempty"`
	// EnableUser is the same by its other name.
	EnableUser *bool `json:"enableUser,omitempty"`
	// Suspended says whether wrong passwords keep the user out; with ExtendedDetails.
	Suspended *bool `json:"suspended,omitempty"`
	// PersonalDetails are the names; with ExtendedDetails organization and department, too.
	PersonalDetails Named `json:"personalDetails"`
}

// Named is what lists tell of who somebody is.
type Named struct {
	// FirstName is the given name.
	FirstName string `json:"firstName"`
	// MiddleName is the middle name.
	MiddleName string `json:"middleName"`
	// LastName is the family name.
	LastName string `json:"lastName"`
	// Organization is where the user works.
	Organization *string `json:"organization,omitempty"`
	// Department is the department there.
	Department *string `json:"department,omitempty"`
}

// Users is a list of users.
type Users struct {
	// Users are those found, or the page of them that was asked for.
	Users []Listed `json:"Users"`
	// Total is how many were found, on all pages.
	Total int64 `json:"Total"`
}

// OlderUser is a user as the calls of the first generation show it.
type OlderUser struct {
	// AgentUser says whether the type is that of a component.
	AgentUser bool `json:"AgentUser"`
	// Disabled says whether an administrator keeps the user out.
	Disabled bool `json:"Disabled"`
	// Email is the mail address.
	Email string `json:"Email"`
	// Expired says whether the account has ended.
	Expired bool `json:"Expired"`
	// ExpiryDate is the day on which it ends, as 12/31/2030; null: none.
	ExpiryDate *string `json:"ExpiryDate"`
	// FirstName is the given name.
	FirstName string `json:"FirstName"`
	// LastName is the family name.
	LastName string `json:"LastName"`
	// Location is the path of the user's organization.
	Location string `json:"Location"`
	// Source is Internal.
	Source string `json:"Source"`
	// Suspended says whether wrong passwords keep the user out.
	Suspended bool `json:"Suspended"`
	// UserName is the login name, without the tenant's own suffix.
	UserName string `json:"UserName"`
	// UserTypeName is one of GET /UserTypes.
	UserTypeName string `json:"UserTypeName"`
}

// Group is a group.
type Group struct {
	// ID is the group's number.
	ID int64 `json:"id"`
	// Type is Vault.
	Type string `json:"groupType"`
	// Name is the group's name.
	Name string `json:"groupName"`
	// Description is a text.
	Description string `json:"description"`
	// Location is the path of the group's organization; one backslash: none.
	Location string `json:"location"`
	// Members are the users who are directly in it; only when they are asked for.
	Members *[]Member `json:"members,omitempty"`
}

// Member is a user in a group.
type Member struct {
	// ID is the user's number.
	ID int64 `json:"id"`
	// Username is the login name, without the tenant's own suffix.
	Username string `json:"username"`
}
