package audit

import "limen/internal/fault"

// ErrValue is an event whose values are no JSON: a mistake in the program.
var ErrValue = fault.New(fault.Internal, "event.value", fault.ErrInternal.Public)

// Types of events. Those of the contract's Event table (redrock-tables.yaml) are Login, ServiceLogin, LoginFail, Logout,
// MfaSummary, Impersonate, OAuthCreate and OAuthInvalidClient; the others follow their pattern.
const (
	// Sign-in.

	LoginStart         = "Cloud.Core.LoginStart"               // a sign-in began
	LoginStep          = "Cloud.Core.LoginStep"                // a challenge of a sign-in was answered, rightly or not
	Login              = "Cloud.Core.Login"                    // someone signed in
	ServiceLogin       = "Cloud.Core.Login.ServiceLogin"       // a service user or confidential client signed in
	LoginFail          = "Cloud.Core.LoginFail"                // a sign-in ended without success
	Logout             = "Cloud.Core.Logout"                   // someone signed out
	MfaSummary         = "Cloud.Core.MfaSummary"               // which factors a sign-in or step-up asked for, and how it ended
	StepUp             = "Cloud.Core.StepUp"                   // a session was raised, or somebody showed a program what it wanted of them
	ChallengeCreate    = "Cloud.Core.ChallengeCreate"          // a further proof was asked of somebody
	Lockout            = "Cloud.Core.UserLockout"              // an account was locked after too many failures
	Unlock             = "Cloud.Core.UserUnlock"               // an account was unlocked
	AccessDenied       = "Cloud.Core.AccessDenied"             // someone asked for what they may not have
	RateLimited        = "Cloud.Core.RateLimited"              // a source was held back
	Impersonate        = "Cloud.Core.StartImpersonate"         // an administrator began to act as someone else
	ImpersonateEnd     = "Cloud.Core.EndImpersonate"           // and ended it
	SignInRecover      = "Cloud.Core.SignInRecovery"           // whoever owns the machine let an administrator in with the password alone for a while
	OAuthCreate        = "Cloud.Core.OAuthToken.Create"        // an OAuth token was issued
	OAuthAuthorize     = "Cloud.Core.OAuthToken.Authorize"     // an authorization request was answered, or waits for somebody to sign in
	OAuthPush          = "Cloud.Core.OAuthToken.Push"          // a client pushed an authorization request
	OAuthProof         = "Cloud.Core.OAuthToken.Proof"         // a proof of the key that a token is bound to was taken or refused
	OAuthRevoke        = "Cloud.Core.OAuthToken.Revoke"        // an OAuth token was revoked
	OAuthClientCreate  = "Cloud.Core.OAuthClient.Create"       // an OAuth client was registered with an application
	OAuthClientChange  = "Cloud.Core.OAuthClient.Change"       // a registered OAuth client was changed
	OAuthClientDelete  = "Cloud.Core.OAuthClient.Delete"       // a registered OAuth client was deleted
	OAuthInitialCreate = "Cloud.Core.OAuthClient.TokenCreate"  // a token was made with which OAuth clients may be registered
	OAuthInitialDelete = "Cloud.Core.OAuthClient.TokenDelete"  // such a token was revoked
	OAuthKeys          = "Cloud.Core.OAuthToken.Keys"          // new keys were made to sign tokens with
	OAuthInvalidClient = "Cloud.Core.OAuthToken.InvalidClient" // an OAuth client could not prove who it is
	ResetStart         = "Cloud.Core.PasswordReset.Start"      // someone asked for a forgotten password
	ResetFinish        = "Cloud.Core.PasswordReset.Finish"     // a forgotten password was replaced
	NameAsked          = "Cloud.Core.ForgotUsername"           // someone asked for the login names of a mail address

	// People.

	UserCreate              = "Cloud.Core.UserCreate"               // a user was added
	ProvisioningTokenCreate = "Cloud.Core.ProvisioningToken.Create" // a token was made with which a client provisions over SCIM
	ProvisioningTokenRotate = "Cloud.Core.ProvisioningToken.Rotate" // it got another secret
	ProvisioningTokenRevoke = "Cloud.Core.ProvisioningToken.Revoke" // it was ended
	UserChange              = "Cloud.Core.UserChange"               // attributes of a user changed
	UserDelete              = "Cloud.Core.UserDelete"               // a user was removed
	UserState               = "Cloud.Core.UserStateChange"          // a user was enabled, disabled, suspended or expired
	UserRename              = "Cloud.Core.UserRename"               // a login name changed
	UserInvite              = "Cloud.Core.UserInvite"               // an invitation was sent
	UserInviteAccept        = "Cloud.Core.UserInviteAccept"         // someone invited chose their first password
	UserRegister            = "Cloud.Core.UserRegister"             // a stranger registered, or asked for the code of it again
	UserImport              = "Cloud.Core.UserImport"               // users were taken from a file or another directory
	UserImportFile          = "Cloud.Core.UserImportFile"           // a file of users to be imported was checked and kept
	UserExport              = "Cloud.Core.UserExport"               // users were written to a file
	UserPicture             = "Cloud.Core.UserPicture"              // a picture was set or removed
	UserMailAsked           = "Cloud.Core.UserMailAsk"              // a link was sent by which a person shows that a mail address is theirs
	UserMail                = "Cloud.Core.UserMailVerify"           // a person showed that a mail address is theirs
	UserAction              = "Cloud.Core.UserAction"               // a command for several users; what became of each has events of its own
	UserReload              = "Cloud.Core.UserReload"               // what nodes remember of a person was read anew
	UserPreference          = "Cloud.Core.UserPreferences"          // preferences or settings of a person were stored
	IdentityCode            = "Cloud.Core.IdentityCode"             // the help desk sent a code to a person, or checked one
	SupportAccess           = "Cloud.Core.SupportAccess"            // technical support was let in, or its access was ended
	PasswordChange          = "Cloud.Core.PasswordChange"           // someone changed their own password
	PasswordSet             = "Cloud.Core.PasswordSet"              // an administrator set someone's password
	PasswordForce           = "Cloud.Core.PasswordForceChange"      // someone must change their password at the next sign-in
	PasswordMigrate         = "Cloud.Core.PasswordMigrate"          // a password was taken over from the old system
	PasswordMigrateFail     = "Cloud.Core.PasswordMigrateFail"      // the old system could not be asked for a password, or the script failed
	ProofingChange          = "Cloud.Core.Proofing.Change"          // how those who register are looked at was set
	ProofingFail            = "Cloud.Core.Proofing.Fail"            // the script or the service failed that looks at those who register
	SignUpDecide            = "Cloud.Core.SignUp.Decide"            // the sign-up of somebody who registered was decided
	ConsentChange           = "Cloud.Core.Consent.Change"           // what people must agree to was set
	ConsentGive             = "Cloud.Core.Consent.Give"             // somebody agreed to the terms
	ConsentWithdraw         = "Cloud.Core.Consent.Withdraw"         // somebody withdrew that they agree
	ConsentFail             = "Cloud.Core.Consent.Fail"             // the script failed that says who must agree
	PasswordMigration       = "Cloud.Core.PasswordMigration.Change" // how passwords are taken over was set
	SSHKeyCreate            = "Cloud.Core.SshKeyCreate"             // somebody was given an SSH key
	SSHKeyLend              = "Cloud.Core.SshKeyLend"               // a short-lived SSH key was made for somebody
	UpstreamLink            = "Cloud.Core.IdentityProvider.Link"    // an account at an identity provider became somebody's
	UpstreamUnlink          = "Cloud.Core.IdentityProvider.Unlink"  // an account at an identity provider was taken from somebody
	UpstreamChange          = "Cloud.Core.IdentityProvider.Change"  // an identity provider was set up, changed or reset
	UpstreamSecret          = "Cloud.Core.IdentityProvider.Secret"  // the secret of the application at an identity provider was read
	SSHKeyDelete            = "Cloud.Core.SshKeyDelete"             // SSH keys were taken from somebody
	SecurityQuestion        = "Cloud.Core.SecurityQuestion"         // security questions or their answers changed
	AttributesSchema        = "Cloud.Core.SchemaChange"             // the attributes that users can have changed

	// Roles, rights and organizations.

	RoleCreate       = "Cloud.Core.RoleCreate"                 // a role was added
	RoleChange       = "Cloud.Core.RoleChange"                 // a role's name or description changed
	RoleDelete       = "Cloud.Core.RoleDelete"                 // a role was removed
	RoleMembers      = "Cloud.Core.RoleMembers"                // members joined or left a role
	RoleRights       = "Cloud.Core.RoleRights"                 // rights were given to or taken from a role
	RoleScript       = "Cloud.Core.RoleScript"                 // the script of a dynamic role was set
	RoleGroupCreate  = "Cloud.Core.RoleGroup.Create"           // a group of roles was added
	RoleGroupChange  = "Cloud.Core.RoleGroup.Change"           // a group of roles got another name
	RoleGroupDelete  = "Cloud.Core.RoleGroup.Delete"           // a group of roles was removed
	RoleScriptFail   = "Cloud.Core.RoleScriptFail"             // the script of a dynamic role failed; the members stay
	SafeCreate       = "Cloud.Core.SafeCreate"                 // a safe was added
	SafeChange       = "Cloud.Core.SafeChange"                 // a safe's name, settings or owner changed
	SafeDelete       = "Cloud.Core.SafeDelete"                 // a safe was removed
	SafeMembers      = "Cloud.Core.SafeMembers"                // somebody joined or left a safe, or has other rights in it
	AccountCreate    = "Cloud.Core.AccountCreate"              // an account was put into a safe
	AccountChange    = "Cloud.Core.AccountChange"              // an account in a safe, or its secret, changed
	AccountDelete    = "Cloud.Core.AccountDelete"              // an account was removed from a safe
	OrgCreate        = "Cloud.Core.OrganizationCreate"         // an organization was added
	OrgChange        = "Cloud.Core.OrganizationChange"         // an organization, its members or administrators changed
	OrgDelete        = "Cloud.Core.OrganizationDelete"         // an organization was removed
	OrgStay          = "Cloud.Core.OrganizationStay"           // somebody's time in an organization was set, began or ended
	DomainCode       = "Cloud.Core.Domain.Code"                // a code was given out that proves a mail domain
	DomainVerify     = "Cloud.Core.Domain.Verify"              // an organization proved that a mail domain is its own
	DomainDelete     = "Cloud.Core.Domain.Delete"              // a mail domain was taken from an organization
	DomainLost       = "Cloud.Core.Domain.Lost"                // the proof of a mail domain was not found any more
	WorkspaceEnter   = "Cloud.Core.WorkspaceEnter"             // somebody chose the workspace that their token is for
	WorkspaceKey     = "Cloud.Core.WorkspaceKey"               // a program came into a workspace by its API key
	WorkspaceFavor   = "Cloud.Core.WorkspaceFavor"             // a workspace was marked as a favorite, or no longer
	WorkspaceMember  = "Cloud.Core.WorkspaceMember"            // somebody was invited to a workspace, joined it, or may enter it otherwise than before
	PolicyChange     = "Cloud.Core.PolicyChange"               // a policy or its assignment changed
	RangeCreate      = "Cloud.Core.IpRangeCreate"              // a range of addresses was added
	RangeChange      = "Cloud.Core.IpRangeChange"              // a range of addresses changed, or was switched on or off
	RangeDelete      = "Cloud.Core.IpRangeDelete"              // a range of addresses was removed
	WidgetCreate     = "Cloud.Core.WidgetCreate"               // a sign-in widget was made
	WidgetChange     = "Cloud.Core.WidgetChange"               // a sign-in widget changed, or was switched on or off
	WidgetDelete     = "Cloud.Core.WidgetDelete"               // a sign-in widget was removed
	AuthorityCreate  = "Cloud.Core.CertificateAuthorityCreate" // a certificate authority was trusted to say who somebody is
	AuthorityChange  = "Cloud.Core.CertificateAuthorityChange" // a certificate authority was changed
	AuthorityDelete  = "Cloud.Core.CertificateAuthorityDelete" // a certificate authority is trusted no more
	RadiusClient     = "Cloud.Core.RadiusClientChange"         // a RADIUS client was added, changed or removed
	RadiusAccounting = "Cloud.Core.RadiusAccounting"           // a RADIUS client told of somebody's use of it
	RadiusDisconnect = "Cloud.Core.RadiusDisconnect"           // a RADIUS client was told to end somebody's use of it, and answered
	RadiusServer     = "Cloud.Core.RadiusServerChange"         // a RADIUS server elsewhere was added, changed or removed
	ProfileCreate    = "Cloud.Core.ProfileCreate"              // an authentication profile was added
	ProfileChange    = "Cloud.Core.ProfileChange"              // an authentication profile changed
	ProfileDelete    = "Cloud.Core.ProfileDelete"              // an authentication profile was removed

	// Sets of objects.

	SetCreate      = "Cloud.Core.CollectionCreate"      // a set of objects was made
	SetChange      = "Cloud.Core.CollectionChange"      // a set's name, description or query changed
	SetMembers     = "Cloud.Core.CollectionMembers"     // objects joined or left a set
	SetPermissions = "Cloud.Core.CollectionPermissions" // who has which rights on a set changed
	SetDelete      = "Cloud.Core.CollectionDelete"      // a set was deleted

	// Tenant.

	TenantCreate  = "Cloud.Core.TenantCreate"  // a tenant was made
	TenantChange  = "Cloud.Core.TenantChange"  // a tenant's name changed
	SuffixCreate  = "Cloud.Core.SuffixCreate"  // a login suffix was added
	SuffixChange  = "Cloud.Core.SuffixChange"  // a login suffix changed
	SuffixDelete  = "Cloud.Core.SuffixDelete"  // a login suffix was removed
	HostCreate    = "Cloud.Core.HostCreate"    // a host name was registered
	HostChange    = "Cloud.Core.HostChange"    // the preferred host name changed
	HostDelete    = "Cloud.Core.HostDelete"    // a host name was removed
	SettingChange = "Cloud.Core.SettingChange" // settings changed
	MessageSend   = "Cloud.Core.MessageSend"   // a test message was sent, or a message on request
	KeyRotate     = "Cloud.Core.KeyRotate"     // a signing or sealing key was replaced
	DeliveryFail  = "Cloud.Core.DeliveryFail"  // a mail, SMS or call to another system was given up
	DeliveryRetry = "Cloud.Core.DeliveryRetry" // a delivery given up is tried again
	JobStart      = "Cloud.Core.JobStart"      // a long-running job was started
	JobCancel     = "Cloud.Core.JobCancel"     // a job was cancelled
	JobEnd        = "Cloud.Core.JobEnd"        // a job ended
	JobDelete     = "Cloud.Core.JobDelete"     // jobs were removed from the history
	Query         = "Cloud.Core.Query"         // an administrator's query read across people
	AuditVerify   = "Cloud.Core.AuditVerify"   // the audit log was verified
	AuditExport   = "Cloud.Core.AuditExport"   // audit events were exported
	AuditPrune    = "Cloud.Core.AuditPrune"    // old audit events were removed by retention
	Shell         = "Cloud.Core.Shell"         // a command of the server's own command line changed something
	Backup        = "Cloud.Core.Backup"        // a copy of the store was made

	// Sessions, tokens and factors.

	SessionEnd    = "Cloud.Core.SessionEnd"       // a session was ended by its owner from elsewhere, or by an administrator
	SessionEndAll = "Cloud.Core.SessionEndAll"    // all sessions of someone were ended
	TokenCreate   = "Cloud.Core.ApiToken.Create"  // an API token was made
	TokenDelete   = "Cloud.Core.ApiToken.Delete"  // an API token was removed
	TokenFile     = "Cloud.Core.OathImportFile"   // a file of hardware tokens to be imported was checked and kept
	FactorEnroll  = "Cloud.Core.MfaEnroll"        // a factor was enrolled: authenticator, passkey, phone ...
	FactorChange  = "Cloud.Core.MfaChange"        // an enrolled factor was renamed, or set as the default
	FactorRemove  = "Cloud.Core.MfaRemove"        // an enrolled factor was removed
	FactorReset   = "Cloud.Core.MfaReset"         // an administrator removed someone's factors
	FactorBypass  = "Cloud.Core.MfaBypass"        // an administrator let someone pass without further factors for a while
	RecoveryCodes = "Cloud.Core.MfaRecoveryCodes" // recovery codes were made anew
	// NetworkPassword is that a network password was made, in the place of the one before.
	NetworkPassword = "Cloud.Core.MfaNetworkPassword"
	// RecoveryCodeUse is that a code of a set was used, and cannot be any more.
	RecoveryCodeUse  = "Cloud.Core.MfaRecoveryCodeUse"
	BreakGlassChange = "Cloud.Core.BreakGlass.Change" // an account was made one for an emergency, or like others again
	BreakGlassUse    = "Cloud.Core.BreakGlass.Use"    // somebody signed in by one

	RegainAsk      = "Cloud.Core.AccountRecovery.Ask"      // somebody gave a name to regain its account
	RegainStart    = "Cloud.Core.AccountRecovery.Start"    // the waiting time began, or was refused
	RegainReady    = "Cloud.Core.AccountRecovery.Ready"    // it is over: the link was sent
	RegainStop     = "Cloud.Core.AccountRecovery.Stop"     // it was stopped, or the link was not used
	RegainPropose  = "Cloud.Core.AccountRecovery.Propose"  // an administrator proposed that somebody sets up anew what they sign in with
	RegainApprove  = "Cloud.Core.AccountRecovery.Approve"  // another one approved it
	RegainWithdraw = "Cloud.Core.AccountRecovery.Withdraw" // it was taken back
	RegainFinish   = "Cloud.Core.AccountRecovery.Finish"   // the account was given back

	DeviceForget = "Cloud.Core.DeviceForget" // a remembered browser was forgotten

	// Applications, as the contract names them.

	AppLaunch       = "Cloud.Saas.Application.AppLaunch"      // someone opened an application
	AppCreate       = "Cloud.Saas.Application.AppCreate"      // an application was made from a template, or as a copy
	AppChange       = "Cloud.Saas.Application.AppChange"      // an application was changed
	AppDelete       = "Cloud.Saas.Application.AppDelete"      // an application was deleted
	AppPermissions  = "Cloud.Saas.Application.AppPermissions" // who may do what with an application, or the members of a set of them, was changed
	AppPublish      = "Cloud.Saas.Application.AppPublish"     // an application was made available
	AppUnpublish    = "Cloud.Saas.Application.AppUnpublish"   // an application was withdrawn
	WorkflowRequest = "Cloud.Core.Workflow.Request"           // somebody asked for access to an application
	WorkflowAnswer  = "Cloud.Core.Workflow.Answer"            // such a request was approved, rejected, cancelled, or expired
	WorkflowDelete  = "Cloud.Core.Workflow.Delete"            // such a request was deleted

	AppScriptFail = "Cloud.Saas.Application.ScriptFail" // a script of an application failed, and somebody was refused

	// Provisioning of the people of applications elsewhere.

	ProvisionTarget  = "Cloud.Saas.Provisioning.TargetChange" // where an application's people are provisioned to was set or changed
	ProvisionDelete  = "Cloud.Saas.Provisioning.TargetDelete" // it is provisioned no more
	ProvisionAccount = "Cloud.Saas.Provisioning.Account"      // an account elsewhere was made, changed, disabled or removed, or could not be
	ProvisionTry     = "Cloud.Saas.Provisioning.Test"         // the service was asked whether it answers
	ProvisionRetry   = "Cloud.Saas.Provisioning.Retry"        // accounts are to be tried again
	ProvisionRun     = "Cloud.Saas.Provisioning.Run"          // a dry run or a comparison was started
	ProvisionRepair  = "Cloud.Saas.Provisioning.Repair"       // what a comparison found is to be put right

	// The user portal: what people keep for themselves. Events name what changed, and never what it is.

	PortalApp        = "Cloud.Saas.Portal.AppChange"         // someone changed what is on their portal
	PortalTag        = "Cloud.Saas.Portal.TagChange"         // someone made, renamed, deleted or set tags
	PortalItem       = "Cloud.Saas.Portal.SecuredItemChange" // someone made, changed or deleted a secured item
	PortalCredential = "Cloud.Saas.Portal.CredentialSet"     // someone stored their name or password for an application
	PortalReveal     = "Cloud.Saas.Portal.CredentialView"    // someone read what they keep in an application or item
	PortalImport     = "Cloud.Saas.Portal.CredentialImport"  // someone imported credentials
	PortalTransfer   = "Cloud.Saas.Portal.OwnershipTransfer" // what someone had of their own was handed to somebody else
)
