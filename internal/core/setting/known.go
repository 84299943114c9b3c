package setting

import (
	"time"

	"limen/internal/core/password"
)

// keys are the known settings. A setting that has no default is empty when nothing is set.
var keys = concat(smtpKeys, twilioKeys, authKeys, guards("Password", func(v *Values) *Guard { return &v.Lockout.Password }),
	guards("Factor", func(v *Values) *Guard { return &v.Lockout.Factor }), passwordKeys, riskKeys, oathKeys, duoKeys, otherKeys, themeKeys)

func concat(groups ...[]Key) (out []Key) {
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

var smtpKeys = []Key{
	boolean("Smtp.Enabled", false, "Send mail through this server instead of the installation's.", func(v *Values) *bool { return &v.SMTP.Enabled }),
	text("Smtp.Host", "", 253, "Name of the mail server.", func(v *Values) *string { return &v.SMTP.Host }, oneLine, isHost),
	integer("Smtp.Port", 587, 1, 65535, "Port of the mail server.", func(v *Values) *int { return &v.SMTP.Port }),
	boolean("Smtp.UseTls", true, "Demand an encrypted connection: STARTTLS, or from the first byte on port 465.", func(v *Values) *bool { return &v.SMTP.UseTLS }),
	boolean("Smtp.UseAuthentication", false, "Sign in at the mail server.", func(v *Values) *bool { return &v.SMTP.Authenticate }),
	text("Smtp.UserName", "", 256, "User name at the mail server.", func(v *Values) *string { return &v.SMTP.User }, oneLine),
	secret(SMTPPassword, "Password at the mail server.", func(v *Values) *Sealed { return &v.SMTP.Password }),
	text("Smtp.FromAddress", "", 254, "Address that mail is sent from.", func(v *Values) *string { return &v.SMTP.From }, isMail),
	text("Smtp.FromDisplayName", "", 200, "Name shown before that address.", func(v *Values) *string { return &v.SMTP.FromDisplayName }, oneLine),
}

var twilioKeys = []Key{
	boolean("Twilio.Enabled", false, "Send text messages through this Twilio account.", func(v *Values) *bool { return &v.Twilio.Enabled }),
	text("Twilio.AccountSid", "", 34, "Id of the account: AC and 32 hexadecimal digits.", func(v *Values) *string { return &v.Twilio.AccountSID },
		isForm(accountSID, "AC and 32 hexadecimal digits")),
	secret(TwilioToken, "Token of the account.", func(v *Values) *Sealed { return &v.Twilio.AuthToken }),
	text("Twilio.FromNumber", "", 16, "Number that messages are sent from, in E.164 form.", func(v *Values) *string { return &v.Twilio.From },
		isForm(e164, "a telephone number in E.164 form, as +12065550100")),
	text("Twilio.MessagingServiceSid", "", 34, "Messaging service that picks the number: MG and 32 hexadecimal digits.",
		func(v *Values) *string { return &v.Twilio.Service }, isForm(serviceSID, "MG and 32 hexadecimal digits")),
	boolean("Twilio.UseForSms", true, "Use the account for text messages.", func(v *Values) *bool { return &v.Twilio.SMS }),
	boolean("Twilio.UseForVoice", false, "Use the account for calls.", func(v *Values) *bool { return &v.Twilio.Voice }),
	text("Twilio.BaseURL", "", 500, "Address of the API, where it is not Twilio's own.", func(v *Values) *string { return &v.Twilio.BaseURL }, isURL),
}

var authKeys = []Key{
	challenges("Authentication.Challenges", "UP;PASSKEY,U2FONDEVICE,U2F,OTP,OATH,EMAIL,SMS,SQ",
		"What people answer to sign in: challenges are separated by semicolons, the mechanisms of which one is enough by commas.",
		func(v *Values) *[][]string { return &v.Auth.Challenges }),
	text("Authentication.Profile", "", 36, "UUID of the authentication profile by which everybody signs in, in place of Authentication.Challenges.",
		func(v *Values) *string { return &v.Auth.Profile }, isForm(uuid, "the UUID of an authentication profile, in lower case")),
	text("Authentication.RecoveryProfile", "", 36, "UUID of the authentication profile by which people choose a new password when they forgot theirs.",
		func(v *Values) *string { return &v.Auth.Recovery }, isForm(uuid, "the UUID of an authentication profile, in lower case")),
	boolean("Authentication.PasskeyAlone", true, "Let a passkey, where Authentication.Challenges name it, stand for the password and the second factor.",
		func(v *Values) *bool { return &v.Auth.PasskeyAlone }),
	boolean("Authentication.RequireSecondFactor", false, "Refuse people who have enrolled none of the second challenge's mechanisms.",
		func(v *Values) *bool { return &v.Auth.RequireSecondFactor }),
	boolean("Authentication.RememberDevice", false, "Ask for no second factor on a device on which the person signed in completely.",
		func(v *Values) *bool { return &v.Auth.RememberDevice }),
	duration("Authentication.RememberDeviceDays", "days", 30, 1, 365, "For how long a device is remembered.", func(v *Values) *time.Duration { return &v.Auth.RememberFor }),
	boolean("Authentication.QRCode", false, "Offer to sign in by a QR code that the person's authenticator reads.", func(v *Values) *bool { return &v.Auth.QRCode }),
	duration("Session.IdleMinutes", "minutes", 20, 1, 43200, "Time without a call after which a session ends.", func(v *Values) *time.Duration { return &v.Session.Idle }),
	duration("Session.LifespanHours", "hours", 12, 1, 720, "Time after which a session ends in any case.", func(v *Values) *time.Duration { return &v.Session.Life }),
	boolean("Session.AllowPersist", false, "Offer to stay signed in when the browser is closed.", func(v *Values) *bool { return &v.Session.AllowPersist }),
	duration("Session.PersistLifespanHours", "hours", 336, 1, 8760, "Time after which the session of somebody who stays signed in ends.",
		func(v *Values) *time.Duration { return &v.Session.PersistLife }),
	duration("Workspace.TokenMinutes", "minutes", 60, 1, 10080, "How long a token of the Synerise dialect is good; no longer than its session.",
		func(v *Values) *time.Duration { return &v.Workspace.Token }),
	boolean("Workspace.RememberDevice", true, "Let clients of the Synerise dialect name a device on which no second factor is asked for during eight hours.",
		func(v *Values) *bool { return &v.Workspace.Device }),
	duration("Session.ProofMinutes", "minutes", 15, 0, 43200,
		"Time after signing in within which people may change what they sign in with: address, mobile number, authenticator, questions; 0 is any time.",
		func(v *Values) *time.Duration { return &v.Session.Proof }),
	integer("Session.MaxConcurrent", 0, 0, 1000, "Most sessions of one person; 0 is any number.", func(v *Values) *int { return &v.Session.Concurrent }),
}

func guards(what string, at func(*Values) *Guard) []Key {
	of := map[string]string{"Password": "wrong passwords", "Factor": "wrong answers to second factors"}[what]
	return []Key{
		integer("Lockout."+what+".Free", 3, 0, 100, "How many "+of+" cost no delay.", func(v *Values) *int { return &at(v).Free }),
		integer("Lockout."+what+".Threshold", 10, 3, 1000, "How many "+of+" within the window lock the account.", func(v *Values) *int { return &at(v).Lock }),
		integer("Lockout."+what+".Network", 100, 10, 1_000_000, "How many "+of+" of all accounts within the window lock out a network.",
			func(v *Values) *int { return &at(v).Network }),
		duration("Lockout."+what+".WindowMinutes", "minutes", 30, 1, 1440, "How long "+of+" count.", func(v *Values) *time.Duration { return &at(v).Window }),
		duration("Lockout."+what+".DurationMinutes", "minutes", 30, 1, 1440, "How long the lock lasts.", func(v *Values) *time.Duration { return &at(v).LockFor }),
	}
}

var passwordKeys = []Key{
	integer("Password.MinLength", 12, 4, 64, "Least number of characters.", func(v *Values) *int { return &v.Password.MinLength }),
	integer("Password.MaxLength", int64(password.Default.MaxLength), 8, 128, "Greatest number of characters.", func(v *Values) *int { return &v.Password.MaxLength }),
	boolean("Password.RequireDigit", password.Default.Digit, "Demand a digit.", func(v *Values) *bool { return &v.Password.Digit }),
	boolean("Password.RequireMixCase", password.Default.MixedCase, "Demand an upper-case and a lower-case letter.", func(v *Values) *bool { return &v.Password.MixedCase }),
	boolean("Password.RequireSymbol", password.Default.Symbol, "Demand a character that is neither letter nor digit.", func(v *Values) *bool { return &v.Password.Symbol }),
	boolean("Password.RequireUnicode", password.Default.Unicode, "Demand a character outside ASCII.", func(v *Values) *bool { return &v.Password.Unicode }),
	integer("Password.AllowRepeatedChar", int64(password.Default.Repeated), 0, 64, "Most equal characters in a row; 0 is any number.",
		func(v *Values) *int { return &v.Password.Repeated }),
	boolean("Password.CheckWeakPassword", password.Default.RefuseWeak, "Refuse common passwords.", func(v *Values) *bool { return &v.Password.RefuseWeak }),
	integer("Password.MinScore", int64(password.Default.MinScore), 0, 4, "Least strength by zxcvbn.", func(v *Values) *int { return &v.Password.MinScore }),
	boolean("Password.AllowIncludeUsername", password.Default.AllowLogin, "Allow the login name in it.", func(v *Values) *bool { return &v.Password.AllowLogin }),
	boolean("Password.AllowIncludeDisplayname", password.Default.AllowDisplay, "Allow the display name in it.", func(v *Values) *bool { return &v.Password.AllowDisplay }),
	duration("Password.MinAgeInDays", "days", 0, 0, 365, "Time between changes.", func(v *Values) *time.Duration { return &v.Password.MinAge }),
	duration("Password.AgeInDays", "days", int64(password.Default.MaxAge/(24*time.Hour)), 0, 3650, "Time after which it must be changed; 0 is never.",
		func(v *Values) *time.Duration { return &v.Password.MaxAge }),
	integer("Password.History", int64(password.Default.History), 0, 24, "How many earlier ones may not come back.", func(v *Values) *int { return &v.Password.History }),
}

// moved are settings of earlier versions, by their keys, and where they are now.
var moved = map[string]string{"social.linkdomains": "is of each identity provider by itself: it is LinkDomains of SetSocialCustomConfig"}

var otherKeys = []Key{
	boolean("Scim.ConfigAsDocumented", false,
		"Tell provisioning clients, in ServiceProviderConfig, that there are no bulk requests, no order, no entity tags and no changes of passwords, as the documented server does, although all are served.",
		func(v *Values) *bool { return &v.ScimDocumented }),
	integer("Code.Length", 6, 6, 10, "Digits of codes sent by mail and text message.", func(v *Values) *int { return &v.Code.Length }),
	duration("Code.LifeMinutes", "minutes", 10, 1, 60, "How long such a code is good.", func(v *Values) *time.Duration { return &v.Code.Life }),
	integer("Code.Answers", 5, 1, 20, "Wrong answers after which a code is of no use.", func(v *Values) *int { return &v.Code.Answers }),
	duration("Link.LifeMinutes", "minutes", 30, 1, 1440, "How long a link to answer a challenge or reset a password is good.", func(v *Values) *time.Duration { return &v.Code.Link }),
	duration("Invitation.LifeDays", "days", 7, 1, 90, "How long the link of an invitation is good.", func(v *Values) *time.Duration { return &v.Code.Invite }),
	duration("SshKey.LifeHours", "hours", 0, 0, 168, "How long the SSH keys are good that people have made for them; 0 lets nobody have one made.",
		func(v *Values) *time.Duration { return &v.SSHKey }),
	boolean("Certificate.AllowUnchecked", false,
		"Take certificates of people and of OAuth clients although it cannot be found out whether their authority has revoked them, as while its list is not to be had.",
		func(v *Values) *bool { return &v.UncheckedCertificates }),
	text("Radius.EapMethods", "TLS, TTLS, PEAP", 100, "Methods of EAP that RADIUS clients may speak for people, the one that is offered first: TLS (certificates), TTLS (PAP), PEAP (GTC), and MS-CHAPv2 in the latter two where Radius.NetworkPasswords is set; none alone: no EAP.",
		func(v *Values) *string { return &v.EAPMethods }, isMethods),
	boolean("Radius.RememberPasswords", false,
		"Remember for five minutes, in memory and as a keyed digest, that the password was right which somebody's device sends by RADIUS, so that it is not hashed each time. All else is decided anew.",
		func(v *Values) *bool { return &v.RadiusRemembers }),
	boolean("Radius.NetworkPasswords", false, "Let people have a network password, besides that of their account, for RADIUS clients whose devices speak MS-CHAP version 2.",
		func(v *Values) *bool { return &v.NetworkPasswords }),
	duration("Radius.NetworkPasswordDays", "days", 365, 0, 3650, "How long a network password is good; 0 is for ever.",
		func(v *Values) *time.Duration { return &v.NetworkPasswordLife }),
	duration("OAuth.KeyRotationDays", "days", 90, 0, 3650, "After how long the keys that sign tokens are replaced; 0 is never.",
		func(v *Values) *time.Duration { return &v.KeyRotation }),
	text("BreakGlass.AlarmAddresses", "", 1000, "Mail addresses, with commas between, that are told besides the system administrators when an account for an emergency signs in.",
		func(v *Values) *string { return &v.Alarm }, oneLine, isMailList),
	duration("Recovery.WaitHours", "hours", 24, 1, 720, "How long people wait who have lost all that they sign in with and regain their account by themselves, where policies let them.",
		func(v *Values) *time.Duration { return &v.Regain.Wait }),
	boolean("Recovery.MailAlone", false, "Let those regain their account, too, who have no mobile number: whoever reads their mail has it in the end.",
		func(v *Values) *bool { return &v.Regain.MailAlone }),
	boolean("Recovery.RequireCaptcha", false, "Have programs that start it prove that they are no cheap ones; the page for it is closed then.",
		func(v *Values) *bool { return &v.Regain.Captcha }),
	boolean("Recovery.TwoForAdministrators", false, "Have nobody alone replace the password, addresses or factors of somebody else who holds administrative rights: two administrators reset them together.",
		func(v *Values) *bool { return &v.Regain.Two }),
	boolean("ForgotUsername.Allowed", false, "Mail people the login names that belong to their mail address, when they ask.", func(v *Values) *bool { return &v.RemindNames }),
	boolean("Signup.Allowed", false, "Let strangers register themselves.", func(v *Values) *bool { return &v.Signup.Allowed }),
	boolean("EmailVerification.Mandatory", false, "Let nobody sign in, system administrators excepted, who was asked to show that their mail address is theirs and has not.",
		func(v *Values) *bool { return &v.Signup.Verified }),
	integer("Captcha.Work", 200_000, 1000, 5_000_000, "How many numbers a browser has to try, at the most, as its proof that it is no cheap program.",
		func(v *Values) *int { return &v.Captcha.Work }),
	text("Captcha.Service", "", 2000, "The https address of a service that checks CAPTCHAs as reCAPTCHA, hCaptcha and Turnstile do; empty: the work of browsers is the proof.",
		func(v *Values) *string { return &v.Captcha.Service }, isSecure),
	secret(CaptchaSecret, "Secret for the service that checks CAPTCHAs.", func(v *Values) *Sealed { return &v.Captcha.Secret }),
	integer("Customer.ReCaptchaThreshold", 0, 0, 100, "The score, from 0 to 100, that an answer to a CAPTCHA needs where its service gives scores.",
		func(v *Values) *int { return &v.Captcha.Score }),
	boolean("Signup.RequireCaptcha", true, "Have strangers who register prove that they are people.", func(v *Values) *bool { return &v.Signup.Captcha }),
	boolean("Social.CreateUsers", false, "Make an account of people who sign in at an identity provider and are not known here, where it shows that the mail address is theirs.",
		func(v *Values) *bool { return &v.Social.CreateUsers }),
	text(SocialPortal, "", 2000, "Where people land who signed in at an identity provider: an https address; empty is here.",
		func(v *Values) *string { return &v.Social.Portal }, isSecure),
	boolean("Policy.StoreLockouts", false, "Store changes of policy sets with which administrators could not sign in any more, and only warn of it.",
		func(v *Values) *bool { return &v.StoreLockouts }),
	boolean("CusCreateUser.QandD", false, "Allow /CDirectoryService/CreateUsers.", func(v *Values) *bool { return &v.CreateUsers }),
	boolean("Roles.SelfEditableRights", false, "Let dynamic roles carry rights although their scripts read what people may change of themselves.",
		func(v *Values) *bool { return &v.ChosenRights }),
	boolean("Directory.OpenSearch", false, "Let everybody who is signed in look up the names and mail addresses of all people, and the names of all roles.",
		func(v *Values) *bool { return &v.OpenSearch }),
	text("Company.Name", "", 200, "Name of the organization, as people are shown it.", func(v *Values) *string { return &v.Company.Name }, oneLine),
	text("Company.Support", "", 500, "Where people get help: a web address, or mailto: and an address.", func(v *Values) *string { return &v.Company.Support }, isLink),
	text("Language", "en", 35, "Language of people who chose none, as a BCP 47 tag.", func(v *Values) *string { return &v.Language }, isForm(isLanguage, "a language tag, as en-US")),
	text("Country", "US", 2, "Country whose telephone numbers may lack their country code.", func(v *Values) *string { return &v.Country }, isForm(country, "two letters, as US")),
}
