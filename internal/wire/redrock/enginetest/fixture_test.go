package enginetest

import (
	"testing"

	"limen/internal/wire/redrock"
)

type row = map[string]any

func ms(days int, minutes int) int64 {
	return now.UnixMilli() - int64(days)*86400000 + int64(minutes)*60000
}

// fill makes the tables of the contract with a few rows, one of another tenant in each that tests look at.
func (s store) fill(t testing.TB) {
	t.Helper()
	rows := map[string][]row{
		"User": {
			{"ID": "u1", "Username": "anna@acme", "DisplayName": "Anna Johnson", "Email": "anna@acme", "StatusEnum": "Active", "SourceDsType": "CDS", "LastLogin": ms(1, 0), "SecurityQuestionCount": int64(2), "ServiceUser": false, "DirectoryServiceUuid": "d1"},
			{"ID": "u2", "Username": "Bob@acme", "DisplayName": "bob JOHN", "Email": "bob@acme", "StatusEnum": "Suspended", "SourceDsType": "AdProxy", "ServiceUser": true, "DirectoryServiceUuid": "d2"},
			{"ID": "u3", "Username": "carl@acme", "DisplayName": "Çarl O'Neil 100%", "StatusEnum": "Active", "SourceDsType": "CDS", "LastLogin": ms(40, 0), "SecurityQuestionCount": int64(0), "ServiceUser": false, "DirectoryServiceUuid": "d1"},
			{"owner": "other", "ID": "x1", "Username": "anna@acme", "DisplayName": "Stranger John"},
		},
		"Role": {
			{"ID": "r1", "Name": "System Administrator", "Description": "All rights", "RoleType": "PrincipalList", "ReadOnly": true},
			{"ID": "r2", "Name": "Everybody", "RoleType": "Everybody", "ReadOnly": true},
			{"ID": "r3", "Name": "x", "RoleType": "Script", "ReadOnly": false},
		},
		"DSUsers": {
			{"InternalName": "u1", "SystemName": "anna@acme", "ServiceInstance": "CDS", "ServiceInstanceLocalized": "CyberArk Cloud Directory", "DirectoryServiceUuid": "d1"},
			{"InternalName": "u2", "SystemName": "x", "ServiceInstance": "AdProxy_a", "ServiceInstanceLocalized": "Active Directory (a)", "DirectoryServiceUuid": "d2"},
			{"InternalName": "u3", "SystemName": "b"},
		},
		"Event": {
			{"ID": "e1", "EventType": "Cloud.Core.Login", "EventMessage": "in", "NormalizedUser": "anna@acme", "UserGuid": "u1", "WhenOccurred": ms(1, 0), "WhenLogged": ms(1, 1), "FromIPAddress": "192.0.2.1", "from_country": "Iceland", "RequestDeviceOS": "Windows", "RequestIsMobileDevice": false, "NewEntity": `{"a":1}`},
			{"ID": "e2", "EventType": "Cloud.Core.Login", "NormalizedUser": "anna@acme", "UserGuid": "u1", "WhenOccurred": ms(2, 0), "FromIPAddress": "192.0.2.2", "from_country": "Iceland", "RequestDeviceOS": "iOS", "RequestIsMobileDevice": true},
			{"ID": "e3", "EventType": "Cloud.Core.Login", "NormalizedUser": "bob@acme", "WhenOccurred": ms(3, 0), "FromIPAddress": "198.51.100.1", "RequestDeviceOS": "Mac"},
			{"ID": "e4", "EventType": "Cloud.Saas.Application.AppLaunch", "NormalizedUser": "anna@acme", "ApplicationName": "Salesforce", "WhenOccurred": ms(3, 5)},
			{"ID": "e5", "EventType": "Cloud.Saas.Application.AppLaunch", "NormalizedUser": "anna@acme", "ApplicationName": "Salesforce", "WhenOccurred": ms(3, 6)},
			{"ID": "e6", "EventType": "Cloud.Saas.Application.AppLaunch", "NormalizedUser": "bob@acme", "ApplicationName": "Salesforce", "WhenOccurred": ms(4, 0), "From": "a", "To": "b"},
			{"ID": "e7", "EventType": "Cloud.Server.DataVault.DataVaultDownload", "EventMessage": "got", "DataVaultItemID": "x", "NormalizedUser": "bob@acme", "WhenOccurred": ms(5, 0)},
			{"ID": "e8", "EventType": "Cloud.Core.Login", "NormalizedUser": "old@acme", "WhenOccurred": ms(400, 0)},
			{"owner": "other", "ID": "x9", "EventType": "Cloud.Core.Login", "NormalizedUser": "anna@acme", "WhenOccurred": ms(1, 0)},
		},
	}
	tables := redrock.Tables()
	for i := range tables {
		s.create(t, &tables[i], rows[tables[i].Name]...)
	}
}
