package audit

import (
	"strings"
	"unicode"
)

// phrases say what someone did, for types whose name does not read well when split into words. The object follows.
var phrases = map[string]string{
	LoginStart: "began to sign in", LoginStep: "answered a sign-in challenge", Login: "signed in", ServiceLogin: "signed in as a service",
	LoginFail: "failed to sign in", Logout: "signed out", MfaSummary: "was asked for further factors", StepUp: "raised the session's level",
	Lockout: "was locked out", Unlock: "unlocked the account of", AccessDenied: "asked for what is not allowed",
	RateLimited: "was held back", Impersonate: "began to act as", ImpersonateEnd: "ended acting as", OAuthCreate: "got an OAuth token",
	OAuthRevoke: "revoked an OAuth token", OAuthInvalidClient: "failed to prove an OAuth client",
	OAuthClientCreate: "registered an OAuth client with", OAuthClientChange: "changed an OAuth client of", OAuthClientDelete: "deleted an OAuth client of",
	OAuthKeys: "made new keys to sign tokens with", OAuthInitialCreate: "made a token to register OAuth clients with", ProvisioningTokenCreate: "made a token to provision with", ProvisioningTokenRotate: "renewed a token to provision with",
	ProvisioningTokenRevoke: "revoked a token to provision with", OAuthInitialDelete: "revoked a token to register OAuth clients with",
	ResetStart: "asked to reset the password of", ResetFinish: "reset the password of", NameAsked: "asked for the login name of", UserState: "changed the state of",
	PasswordChange: "changed the password of", PasswordSet: "set the password of", PasswordForce: "forced a new password on", PasswordMigrate: "took over the password of", PasswordMigrateFail: "could not ask the old system about", PasswordMigration: "changed",
	ProofingChange: "changed", ProofingFail: "could not learn whether to let in", SignUpDecide: "decided the sign-up of",
	ConsentGive: "agreed to", ConsentWithdraw: "withdrew the consent to", ConsentFail: "could not learn whether there is to agree", UserMailAsked: "had a link sent to verify the mail address of", UserMail: "verified the mail address of", UserInviteAccept: "chose the first password of",
	SecurityQuestion: "changed security questions of", RoleMembers: "changed members of", RoleRights: "changed rights of",
	DeliveryFail: "gave up a delivery", DeliveryRetry: "tried again a delivery", SessionEnd: "ended a session of",
	SessionEndAll: "ended all sessions of", FactorEnroll: "enrolled a factor", FactorChange: "changed a factor",
	FactorRemove: "removed a factor", FactorReset: "removed the factors of", FactorBypass: "allowed to pass without further factors",
	RegainAsk: "asked to regain an account", RegainStart: "began the waiting time to regain the account of", RegainReady: "sent the link to regain the account of",
	RegainStop: "stopped the regaining of the account of", RegainPropose: "proposed the reset of", RegainApprove: "approved the reset of",
	RegainWithdraw: "took back the proposed reset of", RegainFinish: "regained the account of",
	RecoveryCodes: "made new recovery codes", NetworkPassword: "made a new network password", RadiusDisconnect: "had a device end the use by", BreakGlassChange: "changed what is an account for an emergency:", BreakGlassUse: "signed in by an account for an emergency:", RecoveryCodeUse: "used a recovery code of", DeviceForget: "forgot a browser", TokenCreate: "made an API token",
	ProvisionTarget: "set where to provision people of", ProvisionDelete: "ended the provisioning of people of", ProvisionAccount: "provisioned",
	ProvisionTry: "tried where to provision people of", ProvisionRetry: "had tried again who was not provisioned of",
	ProvisionRun: "had looked through the provisioning of", ProvisionRepair: "had put right the provisioning of",
	SSHKeyCreate: "gave an SSH key to", SSHKeyLend: "had a short-lived SSH key made for", SSHKeyDelete: "took SSH keys from",
	UpstreamLink: "connected an account elsewhere with", UpstreamUnlink: "disconnected an account elsewhere from", UpstreamChange: "changed",
	UpstreamSecret: "read the secret of", TokenDelete: "removed an API token", Query: "ran a query", Shell: "used the command line",
}

// sentence makes the readable line of an event from its type, actor and object.
func sentence(r Row) string {
	var b strings.Builder
	b.WriteString(first(r.ActorName, r.Login, "Someone"))
	b.WriteByte(' ')
	did := phrase(r.Type)
	b.WriteString(did)
	if object := first(r.Name, r.Target); object != "" {
		if kind := strings.ToLower(r.Kind); kind != "" && !strings.HasSuffix(did, " "+kind) {
			b.WriteString(" " + kind)
		}
		b.WriteString(" " + object)
	} else if r.Login != "" && r.Login != r.ActorName && r.ActorName != "" {
		b.WriteString(" " + r.Login)
	}
	if r.Outcome != "success" {
		b.WriteString(": " + r.Outcome)
		if r.Reason != "" {
			b.WriteString(" (" + r.Reason + ")")
		}
	}
	return b.String()
}

// verbs turns the last word of a type into what someone did.
var verbs = map[string]string{"Create": "created", "Change": "changed", "Delete": "deleted", "Rename": "renamed", "Invite": "invited",
	"Import": "imported", "Export": "exported", "Start": "started", "End": "ended", "Cancel": "cancelled", "Rotate": "rotated",
	"Send": "sent", "Verify": "verified", "Prune": "pruned", "Launch": "launched", "Publish": "published", "Unpublish": "withdrew"}

func phrase(kind string) string {
	if p := phrases[kind]; p != "" {
		return p
	}
	last := kind[strings.LastIndexByte(kind, '.')+1:]
	i := strings.LastIndexFunc(last, unicode.IsUpper)
	if i > 0 && verbs[last[i:]] != "" {
		return verbs[last[i:]] + " " + strings.ToLower(last[:i])
	}
	return "did " + kind
}

func first(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}
