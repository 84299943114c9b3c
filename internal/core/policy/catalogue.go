package policy

import (
	"math"
	"strings"

	"limen/internal/fold"
)

// Kind is the type of a setting's value.
type Kind string

// The kinds. Profile and Secret are a String and an object on the wire.
const (
	Bool    Kind = "Bool"
	Int     Kind = "Int"
	String  Kind = "String"
	RowSet  Kind = "RowSet"
	Ref     Kind = "Profile" // a reference to an authentication profile
	Secret  Kind = "Secret"
	Decimal Kind = "Decimal" // a text that holds a number
)

// Key describes a known setting (policies.yaml, settings_reference).
type Key struct {
	Path      string
	Group     string
	Kind      Kind
	Default   any // bool, int or string: what holds while neither a policy set nor a setting of the tenant says otherwise; nil: nothing
	Min, Max  int64
	Unit      string // minutes, hours, days, seconds; empty: a number of things
	Meaning   string
	Effective bool // it acts; otherwise it is only kept
}

// Settings that act.
const (
	keyEnabled     = "AuthenticationEnabled"
	keyRules       = "/Core/Authentication/AuthenticationRules"
	keyDefault     = "/Core/Authentication/AuthenticationRulesDefaultProfileId"
	keyLife        = "/Core/Authentication/CookieSessionLifespanHours"
	keyPersist     = "/Core/Authentication/CookieAllowPersist"
	keyPersistLife = "/Core/Authentication/CookiePersistLifespanHours"
	keyConcurrent  = "/Core/Authentication/AuthSessionMaxConcurrent"
	keyNoMech      = "/Core/Authentication/NoMfaMechLogin"
	keyCodes       = "/Core/Authentication/AllowRecoveryCodes"
	keyRegain      = "/Core/Authentication/AllowDelayedRecovery"
	partPrefix     = "/Core/Authentication/UserUpdateProfile/"
	keyZso         = "/Core/Authentication/AllowZso"
	keyZsoAlone    = "/Core/Authentication/ZsoSkipChallenge"
	keyZsoKnown    = "/Core/Authentication/ZsoSetKnownEndpoint"
	keyZsoAll      = "/Core/Authentication/ZsoSatisfiesAllMechs"
	keyReset       = "PasswordResetEnabled"
	keyResetToo    = "/Core/PasswordReset/PasswordResetEnabled"
	keyResetCookie = "/Core/PasswordReset/PasswordResetIdentityCookieOnly"

	// Behind devices.prefix.
	enrollAllow = "EnrollRules/Common/AllowEnrollment"
	enrollTell  = "EnrollRules/Common/SendEnrollmentNotification"
	// Behind software.prefix; that is how it is written.
	askAll = "Common/AllowNotificationOnMutipleDevices"

	passwordPrefix = "/Core/Security/CDS/PasswordPolicy/"
	// KeyShow and KeyHint are about what people are told of the rules.
	KeyShow    = passwordPrefix + "ShowPasswordComplexity"
	KeyHint    = passwordPrefix + "NonCdsComplexityHint"
	lockPrefix = "/Core/Security/CDS/LockoutPolicy/"
	// KeyOATHName and KeyU2FName are what people read of the two kinds of factors.
	KeyOATHName = "/Core/Security/CDS/ExternalMFA/UiPrompt"
	KeyU2FName  = "/Core/Security/CDS/ExternalMFA/U2fUiPrompt"
)

// group makes keys of one prefix.
type group struct{ name, prefix string }

func (g group) on(path string, def any, meaning string) Key {
	return Key{Path: g.prefix + path, Group: g.name, Kind: Bool, Default: def, Meaning: meaning}
}

func (g group) count(path string, def any, low, high int64, unit, meaning string) Key {
	return Key{Path: g.prefix + path, Group: g.name, Kind: Int, Default: def, Min: low, Max: high, Unit: unit, Meaning: meaning}
}

func (g group) of(kind Kind, path, meaning string) Key {
	return Key{Path: g.prefix + path, Group: g.name, Kind: kind, Meaning: meaning}
}

func (g group) named(path, def, meaning string) Key {
	k := g.of(String, path, meaning)
	k.Default = def
	return k
}

// acts marks keys as effective.
func acts(keys ...Key) []Key {
	for i := range keys {
		keys[i].Effective = true
	}
	return keys
}

func concat(groups ...[]Key) (out []Key) {
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

var catalogue = concat(loginKeys, passwordKeys, resetKeys, accountKeys, appKeys, radiusKeys, agentKeys, deviceKeys)

// Keys lists the known settings, grouped as they belong together.
func Keys() []Key { return append([]Key(nil), catalogue...) }

// Effective lists those that act.
func Effective() (out []Key) {
	for _, k := range catalogue {
		if k.Effective {
			out = append(out, k)
		}
	}
	return out
}

var byKey = func() map[string]*Key {
	m := map[string]*Key{}
	for i := range catalogue {
		m[fold.Key(catalogue[i].Path)] = &catalogue[i]
	}
	return m
}()

// Find gives a known setting by its path, whatever its case; those of a modifier are known by what they modify.
func Find(path string, modifiers ...string) (Key, bool) {
	if k := byKey[fold.Key(strings.TrimSpace(path))]; k != nil {
		return *k, true
	}
	for _, m := range modifiers {
		rest, ok := strings.CutPrefix(fold.Key(path), "/core/"+fold.Key(m)+"/")
		if !ok {
			continue
		}
		for _, k := range modified {
			if fold.Key(k.Path) == rest {
				k.Path = "/Core/" + m + "/" + k.Path
				return k, true
			}
		}
	}
	return Key{}, false
}

// BuiltInModifier is the modifier that every tenant has: sign-ins at the agent on a computer.
const BuiltInModifier = "__centrify_cagent"

// modified are the settings that every modifier has.
var modified = append(acts(
	group{"modifier", ""}.on("AuthenticationEnabled", nil, "Have the rules of this modifier decide about challenges that name it."),
	group{"modifier", ""}.of(RowSet, "Authentication/AuthenticationRules", "Rules, of which the first one that fits gives the profile."),
	group{"modifier", ""}.of(Ref, "Authentication/AuthenticationRulesDefaultProfileId", "Profile when no rule fits."),
	group{"modifier", ""}.on("Authentication/NoMfaMechLogin", false, "Leave out of a challenge what the person has none of the factors for."),
),
	group{"modifier", ""}.of(Ref, "Authentication/AuthenticationRulesHighAuthRequestedProfileId", "Profile of a step-up."),
)

var (
	bare       = group{"login", ""}
	sign       = group{"login", "/Core/Authentication/"}
	complexity = group{"password", passwordPrefix}
	lock       = group{"password", lockPrefix}
	reset      = group{"self service", "/Core/PasswordReset/"}
	account    = group{"user account", "/Core/Authentication/"}
	external   = group{"user account", "/Core/Security/CDS/ExternalMFA/"}
	apps       = group{"applications", "/Core/Security/CDS/Applications/"}
	radius     = group{"radius", "/Core/Authentication/"}
	css        = group{"agents", "/Core/Css/"}
	devices    = group{"devices", "/Mobile/"}
	software   = group{"devices", "/Mobile/Software/Policies/Centrify/"}
)

const days, hours, minutes, seconds = "days", "hours", "minutes", "seconds"

var loginKeys = append(acts(
	bare.on(keyEnabled, false, "Have the rules and the default profile decide how people sign in, instead of the tenant's settings."),
	sign.of(RowSet, "AuthenticationRules", "Rules in their order: the first one whose conditions all hold gives the profile."),
	sign.of(Ref, "AuthenticationRulesDefaultProfileId", "Profile when no rule fits; required with AuthenticationEnabled."),
	sign.count("CookieSessionLifespanHours", 12, 1, 720, hours, "Time after which a session ends in any case."),
	sign.on("CookieAllowPersist", false, "Offer to stay signed in when the browser is closed."),
	sign.count("CookiePersistLifespanHours", 336, 1, 8760, hours, "Time after which the session of somebody who stays signed in ends."),
	sign.count("AuthSessionMaxConcurrent", 0, 0, 1000, "", "Most sessions of one person; 0 is any number."),
	sign.on("AllowZso", true, "Let certificates sign in."),
	sign.on("ZsoSkipChallenge", true, "Ask for nothing besides a certificate, whatever the rules say."),
	sign.on("ZsoSetKnownEndpoint", false, "Make a browser known by a sign-in with a certificate."),
	sign.on("ZsoSatisfiesAllMechs", false, "Take a certificate for all factors."),
	sign.on("NoMfaMechLogin", false, "Let in who has none of the factors that the profile asks for, instead of refusing them."),
),
	sign.of(Ref, "AuthenticationRulesHighAuthRequestedProfileId", "Profile of a step-up that an application asks for."),
	sign.on("CookiePersistDefault", nil, "Tick the box for staying signed in."),
	sign.on("AllowIwa", true, "Let Kerberos sign in from the corporate network."),
	sign.on("IwaSetKnownEndpoint", false, "Make a browser known by a sign-in with Kerberos."),
	sign.on("IwaSatisfiesAllMechs", false, "Take Kerberos for all factors."),
	sign.on("FederatedLoginAllowsMfa", false, "Apply the rules to people who sign in elsewhere."),
	sign.on("FederatedLoginSatisfiesAllMechs", false, "Take a sign-in elsewhere for all factors; not together with the former."),
	group{"login", "/Core/MfaRestrictions/"}.on("BlockMobileMechsOnMobileLogin", false, "Ask for no factor of the mobile device that the sign-in comes from."),
	sign.on("ContinueFailedSessions", true, "Go on to the next challenge after a wrong answer."),
	sign.on("SkipMechsInFalseAdvance", true, "Send nothing for later challenges once one failed."),
	sign.on("AllowLoginMfaCache", false, "Suggest the factor that was used last."),
	sign.on("MfaSessionOobRetryEnabled", nil, "Let people have a code sent again."),
	sign.count("MfaSessionOobRetryWaitingTime", nil, 0, 3600, seconds, "Time until they may."),
	sign.count("RequiredFactorSetupCount", nil, 0, 20, "", "Factors that people enrol at their first sign-in."),
	sign.on("SmsMessagePromptInMfaSetupWizard", nil, "Offer text messages there."),
	sign.on("OathPassCodePromptInMfaSetupWizard", nil, "Offer an authenticator app there."),
	sign.on("TransferOwnership", nil, "Let a device pass from one person to another."),
)

var passwordKeys = append(acts(
	complexity.count("MinLength", 8, 4, 128, "", "Least number of characters."),
	complexity.count("MaxLength", 64, 8, 128, "", "Greatest number of characters."),
	complexity.on("RequireDigit", true, "Demand a digit."),
	complexity.on("RequireMixCase", true, "Demand an upper-case and a lower-case letter."),
	complexity.on("RequireSymbol", false, "Demand a character that is neither letter nor digit."),
	complexity.on("RequireUnicode", false, "Demand a character outside ASCII."),
	complexity.on("ShowPasswordComplexity", false, "Show people the rules when they choose a password."),
	complexity.named("NonCdsComplexityHint", "", "Text about the rules of other directories."),
	complexity.count("AllowRepeatedChar", nil, 0, 64, "", "Most equal characters in a row; 0 is any number."),
	complexity.on("CheckWeakPassword", nil, "Refuse common passwords."),
	complexity.on("AllowIncludeUsername", nil, "Allow the login name in it."),
	complexity.on("AllowIncludeDisplayname", nil, "Allow the display name in it."),
	complexity.count("MinAgeInDays", 0, 0, 365, days, "Time between changes."),
	complexity.count("AgeInDays", 365, 0, 3650, days, "Time after which it must be changed; 0 is never."),
	complexity.count("History", 3, 0, 24, "", "How many earlier ones may not come back."),
	lock.count("Threshold", nil, 0, 1000, "", "Wrong answers within the window that lock an account; 0 leaves it to the tenant's settings."),
	lock.count("Window", 30, 1, 1440, minutes, "How long wrong answers count."),
	lock.count("Duration", 30, 1, 1440, minutes, "How long the lock lasts."),
),
	reset.count("NotifySoft", 14, 0, 365, days, "Time before a password expires from which people are told in mails."),
	reset.count("NotifyHard", 48, 0, 8760, hours, "Time before it expires from which they are told at every sign-in."),
	group{"password", "/Core/PasswordChange/"}.on("NotifyOnMobile", nil, "Tell them on their mobile device, too."),
)

var resetKeys = append(acts(
	group{"self service", ""}.on(keyReset, nil, "Allow people to replace a forgotten password: false forbids it."),
	reset.on("PasswordResetEnabled", nil, "The same, for people of the built-in directory."),
	reset.on("PasswordResetIdentityCookieOnly", nil, "Only in a browser in which the person has signed in before."),
),
	reset.on("PasswordResetADEnabled", nil, "The same for people of Active Directory."),
	reset.on("PasswordResetRequiresMfaRestart", nil, "Have people sign in again afterwards."),
	reset.of(Ref, "PasswordResetAuthProfile", "Profile that proves somebody who forgot the password."),
	reset.count("PasswordResetMaxAttemptsPerSession", nil, 0, 100, "", "New passwords that may break the rules before it ends."),
	reset.on("AccountUnlockEnabled", nil, "Allow people to unlock their account."),
	reset.on("AccountUnlockADEnabled", nil, "The same for people of Active Directory."),
	reset.on("AccountUnlockIdentityCookieOnly", nil, "Only in a browser in which the person has signed in before."),
	reset.of(Ref, "AccountUnlockAuthProfile", "Profile that proves somebody whose account is locked."),
	reset.on("ShowAccountUnlocked", nil, "Tell that the account is not locked."),
	group{"self service", "/Mobile/EndpointAgent/"}.on("showAccountLocked", false, "Tell at the agent that the account is locked."),
	reset.on("UseADAdmin", nil, "Use an account of Active Directory to reset passwords there."),
	reset.named("ADAdminUser", "", "Its name."),
	reset.of(Secret, "ADAdminPass", "Its password."),
	reset.count("Max", 10, 0, 1000, "", "Resets within the window."),
	reset.count("MaxTime", 60, 1, 10080, minutes, "The window."),
)

var accountKeys = append(acts(
	external.named("UiPrompt", "OATH OTP Client", "Name of the authenticator app, as the portal shows it."),
	external.named("U2fUiPrompt", "FIDO2 Security Key", "Name of FIDO2 authenticators, as the portal shows it."),
	account.of(Ref, "UserUpdateProfile/Password", "Profile for changing the password."),
	account.of(Ref, "UserUpdateProfile/OathProfile", "Profile for changing the authenticator app."),
	account.of(Ref, "UserUpdateProfile/SecurityQuestion", "Profile for changing security questions."),
	account.of(Ref, "UserUpdateProfile/Profile", "Profile for changing one's attributes."),
	account.of(Ref, "UserUpdateProfile/U2F", "Profile for changing one's FIDO2 authenticators."),
	account.on("AllowRecoveryCodes", nil, "Let people sign in by recovery codes; where it is not set, those without administrative rights may."),
	account.on("AllowDelayedRecovery", false, "Let people regain their account by themselves after a waiting time; nobody who has administrative rights."),
),
	group{"user account", "/Core/PasswordChange/"}.on("UserChangeAllow", true, "Let people change their password."),
	external.on("ShowQRCode", false, "Let people use an authenticator app."),
	external.on("ShowQRCode/AutoSetupOathOtp", nil, "Set it up with the mobile app."),
	external.on("ShowQRCodeForSelfService", true, "Show its QR code."),
	external.on("ShowU2f", false, "Let people use FIDO2 authenticators."),
	account.on("ConfigureSecurityQuestions", nil, "Let people choose security questions."),
	account.on("SecurityQuestionPreventDupAnswers", nil, "Refuse equal answers."),
	account.count("UserSecurityQuestionsPerUser", nil, 0, 20, "", "Questions of one's own."),
	account.count("AdminSecurityQuestionsPerUser", nil, 0, 20, "", "Questions out of the administrators' list."),
	account.count("SecurityQuestionAnswerMinLength", nil, 0, 100, "", "Least length of an answer."),
	group{"user account", "/Core/PhoneAuth/"}.on("UserChangeAllow", nil, "Let people choose the PIN of telephone calls."),
	Key{Path: "/Core/Authentication/MinPhonePinLength", Group: "user account", Kind: Decimal, Min: 0, Max: 20, Meaning: "Its least length, as a text."},
	account.of(Ref, "UserUpdateProfile/PhonePin", "Profile for changing it."),
	group{"user account", "/Core/Security/CDS/"}.on("AllowUserChangeMFARedirect", nil, "Let people choose whose factors answer for them."),
	group{"user account", "/Core/Policy/"}.of(String, "Culture", "Language of the portal, as a tag such as en."),
)

var appKeys = []Key{
	apps.on("AllowSelfService", nil, "Let people add applications."),
	apps.on("AllowPasswordView", nil, "Let them see the passwords that they keep for applications."),
	apps.on("EnableLandCatch", nil, "Offer the browser extension."),
	apps.on("EnableWSTrust", nil, "Let older clients sign in with WS-Trust."),
	apps.on("EnableWSTrustChallenges", nil, "Ask them for factors, too."),
}

var radiusKeys = []Key{
	radius.on("AllowRadius", nil, "Let people sign in through RADIUS."),
	radius.on("RadiusUseChallenges", nil, "Ask them for factors, too."),
	radius.of(Ref, "RadiusChallengeProfile", "Profile of these; required with RadiusUseChallenges."),
	radius.on("SendRadiusVendorSpecificAttributes", nil, "Send vendor-specific attributes."),
	radius.on("AllowExternalRadius", nil, "Let people answer with a RADIUS server elsewhere."),
}

var agentKeys = []Key{
	css.on("AuthenticationEnabled", nil, "Have rules decide at servers."),
	css.of(RowSet, "MfaLogin/AuthenticationRules", "Rules for sign-ins at servers."),
	css.of(Ref, "MfaLogin/AuthenticationRulesDefaultProfileId", "Profile when no rule fits."),
	css.count("MfaLogin/CssPinningMode", nil, 0, math.MaxInt32, "", "How agents check the server's certificate."),
	css.on("WindowsEndpointAuthenticationEnabled", nil, "Have rules decide at Windows computers."),
	css.of(RowSet, "WinClient/AuthenticationRules", "Rules for sign-ins at these."),
	css.of(Ref, "WinClient/AuthenticationRulesDefaultProfileId", "Profile when no rule fits."),
	css.on("PrivilegeElevationEnabled", nil, "Have rules decide about elevated commands."),
	css.of(RowSet, "Dzdo/AuthenticationRules", "Rules for these."),
	css.of(Ref, "Dzdo/AuthenticationRulesDefaultProfileId", "Profile when no rule fits."),
}

var deviceKeys = append(acts(
	devices.on(enrollAllow, nil, "Let people enrol authenticators and mobile devices: false forbids it."),
	devices.on(enrollTell, nil, "Tell people that a device was enrolled: false leaves it out."),
	software.on(askAll, nil, "Send messages to all of a person's devices: false sends them to the one used last."),
),
	devices.on("EnrollRules/Common/AllowJailBrokenDevices", nil, "Also those whose protection is broken."),
	devices.on("DeviceManagement/EnableInviteBasedEnrollment", nil, "Enrol by invitation."),
	software.on("iOSSettings/AllowDebugLogging", nil, "Let the app write a log."),
	software.on("iOSSettings/Restrictions/LocationTracking", nil, "Have the app tell where the device is."),
	software.on("Application/Security/MobileAuthenticator/ForceFingerprintForMobileAuthenticator", nil, "Demand a fingerprint for an answer."),
	software.on("Application/Security/MobileAuthenticator/ForceFingerprintForMobileAuthenticatorAllowFallbackAppPin", nil, "Or the PIN of the app."),
	software.on("Application/Passcode/ForceAppPin", nil, "Demand a PIN for the app."),
	software.count("Application/Passcode/AppInactivityTimeout", nil, 0, 1440, minutes, "Time after which the app asks for it again."),
	software.on("Application/Passcode/AppLockOnExit", nil, "Ask for it whenever the app was left."),
)
