package app_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// compared are the operations that give lists, each with the test that compares it with single reads; or the reason why there
// is nothing to compare, in parentheses.
var compared = map[string]string{
	"/ConsentManagement/GetUserConsents":             "(about one person, who is the target)",
	"/CDirectoryService/GetUsers":                    "TestListsEqualSingleReads",
	"/Roles/GetRoleMembers":                          "TestListsEqualSingleReads",
	"/Roles/GetPagedRoleMembers":                     "TestListsEqualSingleReads",
	"/Org/ListAll":                                   "TestOrganizationsEqualSingleReads",
	"/Org/GetPermission":                             "TestOrganizationsEqualSingleReads",
	"/Org/GetAdministrators":                         "(who administers an organization is told to whoever administers it, in Get as here)",
	"/Org/GetRoles":                                  "(the roles of an organization are told to whoever administers it)",
	"/Task/GetJobHistory":                            "(one's own jobs, or all for system administrators: core/job compares the list with Get)",
	"/AuthProfile/GetDecoratedProfileList":           "(all or nothing: profiles belong to no organization)",
	"/Core/GetRadiusClients":                         "(all or nothing: RADIUS clients belong to no organization)",
	"/Core/GetRadiusServers":                         "(all or nothing: RADIUS servers belong to no organization)",
	"/Core/GetRadiusUserIdentifierAttributes":        "(a fixed list)",
	"/AuthProfile/GetProfileList":                    "(all or nothing: profiles belong to no organization)",
	"/Policy/GetAuthPolicyModifiers":                 "(a fixed list)",
	"/Policy/GetPolicyMetaData":                      "(a fixed list)",
	"/Core/GetAliasesForTenant":                      "(suffixes are told to everybody)",
	"/Core/GetCdsAliasesForTenant":                   "(suffixes are told to everybody)",
	"/Core/GetAssignedAdministrativeRights":          "(about one role, which is the target)",
	"/Core/GetUserSettings":                          "(about one person, who is the target)",
	"/ExtData/GetColumn":                             "(about one person, who is the target)",
	"/Oath/GetImportProfileList":                     "(nothing else reads an imported token; its package sees that organizations bound the list)",
	"/Oath/GetProfileList":                           "(about one person, who is the target)",
	"/U2f/GetU2fDevices":                             "(nothing else reads a key; its package sees that organizations bound the list)",
	"/AccountRecovery/GetAccountResets":              "(nothing else reads a proposal; its surface sees that organizations bound the list)",
	"/AccountRecovery/GetAccountRecoveries":          "(nothing but GetAccountRecovery reads one, by the same rows; its surface sees that organizations bound the list)",
	"/Widget/GetWidgets":                             "(all or nothing: system administrators alone)",
	"/BreakGlass/GetAccounts":                        "(all or nothing: system administrators alone)",
	"/Authenticator/GetAuthenticators":               "(nothing else reads an authenticator; its surface sees that organizations bound the list)",
	"/U2f/GetU2fDevicesForUser":                      "(about one person, who is the target)",
	"/TenantCnames/Get":                              "(host names are told to everybody)",
	"/TenantCnames/UiGet":                            "(host names belong to no organization)",
	"/TenantConfig/GetAdminSecurityQuestions":        "(of the tenant)",
	"/TenantConfig/GetAdvancedConfig":                "(of the tenant)",
	"/UserMgmt/GetAuthorizations":                    "(about one person, who is the target)",
	"/UserMgmt/GetLogoutReceipts":                    "(about one person, who is the target)",
	"/OAuth2/GetBackchannelRequests":                 "(what the caller is asked)",
	"/JobFlow/GetMyJobs":                             "(what the caller has a part in: surface/identity/workflows compares it with GetJob)",
	"/JobFlow/GetRequestableApps":                    "(what the caller may ask for: nothing else tells of it)",
	"/UPRest/GetCredentialsProviderListForImport":    "(a fixed list)",
	"/UPRest/GetRecentImportedAccountsFile":          "(the caller's own)",
	"/UPRest/GetResultantAppsForUser":                "(about one person, who is the target; its package sees that organizations bound who may ask)",
	"/UPRest/GetTagsForApp":                          "(the caller's own)",
	"/UserMgmt/GetUserPicture":                       "(a picture)",
	"/UserMgmt/GetUsersRolesAndAdministrativeRights": "(about one person, who is the target)",
	"/UserMgmt/DirectoryServiceQuery":                "(its package compares it with single reads)",
	"/Collection/GetObjectCollections":               "TestSetsEqualSingleReads",
	"/Collection/GetObjectCollectionsAndFilters":     "TestSetsEqualSingleReads",
	"/Collection/GetMembers":                         "TestSetsEqualSingleReads",
	"/Collection/GetResolvedMembers":                 "TestSetsEqualSingleReads",
	"/Collection/GetBucketContents":                  "(keys alone, as the set keeps them, for whoever may view the set)",
	"/Collection/GetCollectionPermissions":           "(about one set, which is the target)",
	"/Collection/GetCollectionReferences":            "(about one set, which is the target)",
	"/Acl/GetRowAces":                                "(about one row, which is the target)",
	"/Acl/GetCollectionAces":                         "(about one set, which is the target)",
	"/Acl/GetAces":                                   "(core/acl reads each as GetAce does)",
	"/Core/GetBlockedIpRanges":                       "(of the tenant)",
	"/Core/GetPremDetectRanges":                      "(of the tenant)",
	"/Core/GetCertificateAuthorities":                "(of the tenant)",
	"/Policy/GetPlinks":                              "(of the tenant)",
	"/SaasManage/GetRoleApps":                        "(about one role, which is the target)",
	"/SaasManage/GetClients":                         "(about one application, which is the target)",
	"/SaasManage/GetInitialAccessTokens":             "(about one application, which is the target)",
	"/SaasManage/GetCustomWebAppTemplates":           "(a fixed list)",
	"/Provisioning/GetFindings":                      "(of one target, for who administers all whom it is for)",
	"/Provisioning/GetReceipts":                      "(core/outbound compares what administrators of an organization are told with whom they administer)",
	"/UserMgmt/GetProvisioningTokens":                "(about one service user, who is the target)",
	"/Core/GetDirectoryServices":                     "(directories belong to no organization)",

	"/business-profile-service/business-profiles":                                "TestWorkspacesEqualThoseEntered",
	"/business-profile-service/organizations/business-profiles":                  "TestWorkspacesEqualThoseEntered",
	"/business-profile-service/organizations/business-profiles/with-identifiers": "TestWorkspacesEqualThoseEntered",
	"/uauth/users/listing":                   "TestWorkspaceListsEqualSingleReads",
	"/uauth/v2/users/listing":                "TestWorkspaceListsEqualSingleReads",
	"/uauth/users/listing/autocomplete":      "TestWorkspaceListsEqualSingleReads",
	"/uauth/roles/listing":                   "TestWorkspaceListsEqualSingleReads",
	"/uauth/users/available-roles":           "TestWorkspaceListsEqualSingleReads",
	"/uauth/permissions/group/role/{roleId}": "(about one role, which is the target)",
	"/sauth/settings/templates/mails":        "(of the workspace: nothing else tells of one template)",
	"/uauth/managed-domains":                 "(of the workspace: nothing else tells of one domain)",

	"/PasswordVault/API/Users":      "TestVaultListsEqualSingleReads",
	"/PasswordVault/API/UserGroups": "TestVaultListsEqualSingleReads",
	"/PasswordVault/WebServices/PIMServices.svc/Users/{userName}/AuthenticationMethods/SSHKeyAuthentication/AuthorizedKeys": "(about one person, who is the target)",
	"/PasswordVault/API/Users/{userId}/safes": "(about one person, who is the target)",
	"/PasswordVault/API/UserTypes":            "(a fixed list)",
}

// Every operation that gives a list is compared with single reads, or there is a reason why not.
func TestEveryListIsCompared(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		for _, surface := range s.App.Surfaces() {
			for _, o := range surface.Ops {
				list := o.Out == reflect.TypeFor[rpc.Query]() || o.Out.Kind() == reflect.Slice || o.Out.Kind() == reflect.Interface || hasData(o.Out)
				switch surface.Name {
				case "identity", "synerise":
				case "pvwa":
					list = holdsList(o.Out)
				default:
					continue
				}
				if o.Effect != op.Read || !list || o.Allow.Open() || o.Allow.String() == op.System.String() {
					continue
				}
				if compared[o.Path] == "" {
					t.Errorf("%s gives a list: compare it with what single reads give to the same callers, and name it in compared", o.Path)
				}
			}
		}
	})
}

// hasData says whether a result is a list in the form of the Synerise dialect.
func hasData(out reflect.Type) bool {
	if out.Kind() != reflect.Struct {
		return false
	}
	f, ok := out.FieldByName("Data")
	return ok && f.Type.Kind() == reflect.Slice
}

// holdsList says whether a list is all that an answer is about: a structure with one, and nothing but numbers beside it.
func holdsList(out reflect.Type) bool {
	if out.Kind() != reflect.Struct {
		return false
	}
	lists := 0
	for _, f := range reflect.VisibleFields(out) {
		switch f.Type.Kind() {
		case reflect.Slice:
			lists++
		case reflect.Int, reflect.Int64:
		default:
			return false
		}
	}
	return lists == 1
}

// Lists of organizations, and of what is held over them, give exactly those that single reads give to the same caller.
func TestOrganizationsEqualSingleReads(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		b := plant(t, s)
		for who, n := range map[string]int{"of this": 2, "of parent": 3, "of child": 1, "of foreign": 1, "unlocks this": 2, "this": 0, "holder Report Management": 4, "admin": 4} {
			token := b.token(who)
			single, rights := []string{}, 0
			for _, id := range b.org {
				if b.ask(token, "/Org/Get", map[string]any{"OrgId": id}).Success {
					single = append(single, id)
				}
				var held []struct{ Right []string }
				if a := b.ask(token, "/Org/GetPermission", map[string]any{"OrgId": id}); a.Success {
					if err := json.Unmarshal(a.Result, &held); err != nil {
						t.Fatal(err)
					}
				}
				for _, h := range held {
					rights += len(h.Right)
				}
			}
			slices.Sort(single)
			if len(single) != n {
				t.Errorf("%s reads %d organizations, want %d", who, len(single), n)
			}
			if a := b.ask(token, "/Org/ListAll", map[string]any{"format": "Query"}); a.Success || n > 0 {
				if got := b.ids(a, "ID"); !slices.Equal(got, single) {
					t.Errorf("%s lists %v and reads %v", who, got, single)
				}
			}
			query := func(script string) []string {
				return b.ids(b.ask(token, "/Redrock/Query", map[string]any{"Script": script}), "ID")
			}
			if got := query("SELECT ID FROM Organization"); !slices.Equal(got, single) {
				t.Errorf("%s reports %v and reads %v", who, got, single)
			}
			if got := query("SELECT ID FROM OrganizationRight"); len(got) != rights {
				t.Errorf("%s reports %d rights over organizations and reads %d", who, len(got), rights)
			}
		}
	})
}
