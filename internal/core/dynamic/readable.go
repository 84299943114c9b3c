package dynamic

// Readable is everything that a script can read of a person, and under which name a change of it is noted: that of a property, or
// one of those in brackets. Nothing is noted of what never changes. A test wants the engine's object model to be here, and another
// one every statement that changes a row of it to be noted.
var Readable = map[string]string{
	"User.Uuid": constant, "User.Username": "Name", "User.DisplayName": "DisplayName", "User.Mail": "Mail", "User.OrgId": "OrgId",
	"User.UserType": constant, "User.DirectoryServiceUuid": constant,
	"User.RiskLevel": constant, "User.IsIdentityCookiePresent": constant, "User.IsYubikeyOtpConfigured": constant,
	"User.Get": property, "User.Properties": property,
	"User.InRole": roles, "User.InRoleByNames": roles,
	"User.InEffectiveGroupByNames": constant, "User.InEffectiveGroupByDNs": constant,
	"User.InDirectGroupByNames": constant, "User.InDirectGroupByDNs": constant,

	"User.Properties.Alias": "Alias", "User.Properties.Name": "Name", "User.Properties.DisplayName": "DisplayName", "User.Properties.Mail": "Mail",
	"User.Properties.MobileNumber": "MobileNumber", "User.Properties.ReportsTo": "ReportsTo", "User.Properties.OrgId": "OrgId",
	"User.Properties.InEverybodyRole": "InEverybodyRole", "User.Properties.OauthClient": "OauthClient", "User.Properties.Version": "Version",
	"User.Properties.State": "State", "User.Properties.CreateDate": constant, "User.Properties.LastModifiedDate": "LastModifiedDate",
	"User.Properties.LastPasswordChangeDate": "LastPasswordChangeDate",
	"User.Properties.role_membership":        constant, "User.Properties.Status": constant, "User.Properties.StatusEnum": constant,
	"User.Properties.Enabled": constant, "User.Properties.Locked": constant, "User.Properties.FirstName": constant, "User.Properties.LastName": constant,
}

// What Readable says besides names.
const (
	constant = "(constant)"
	property = "(property)" // the property that is asked for
)
