package setting

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"limen/internal/core/password"
	"limen/internal/fold"
)

// Values are a tenant's settings at a moment. They are shared between calls: read only.
type Values struct {
	SMTP      SMTP
	Twilio    Twilio
	Auth      Auth
	Session   Session
	Lockout   Lockout
	Risk      Risk
	Password  password.Policy
	Code      Code
	Signup    Signup
	Captcha   Captcha
	Social    Social
	Company   Company
	Workspace Workspace
	Theme     Theme
	Oath      OathProfile
	Duo       Duo
	Regain    Regain
	Alarm     string // addresses that are told of sign-ins by accounts for an emergency, with commas between
	Language  string // BCP 47 tag of people who chose none
	Country   string // ISO 3166 code of the country whose telephone numbers may lack their country code
	// StoreLockouts stores changes of policy sets that shut administrators out, with a warning, as the contract's clients expect.
	StoreLockouts bool
	// RemindNames mails people the login names that belong to their mail address, when they ask.
	RemindNames bool
	// KeyRotation is how long a key signs tokens; 0: until somebody replaces it.
	KeyRotation time.Duration
	// SSHKey is how long SSH keys are good that are made for people; 0: none is made.
	SSHKey time.Duration
	// UncheckedCertificates takes certificates of which it cannot be found out whether they were revoked.
	UncheckedCertificates bool
	// EAPMethods are the methods of EAP that RADIUS clients may speak, the one that is offered first, and commas between.
	EAPMethods string
	// RadiusRemembers lets it be remembered for a while that passwords were right which RADIUS clients send.
	RadiusRemembers bool
	// NetworkPasswords lets people have passwords for networks alone, which MS-CHAP version 2 asks for.
	NetworkPasswords bool
	// NetworkPasswordLife is how long they are good; 0: for ever.
	NetworkPasswordLife time.Duration
	// CreateUsers allows /CDirectoryService/CreateUsers (users.yaml n 82).
	CreateUsers bool
	// ChosenRights lets dynamic roles carry rights although people can choose to be in them.
	ChosenRights bool
	// OpenSearch lets those without administrative rights look up people and roles (directories.yaml n 255).
	OpenSearch bool
	// ScimDocumented has /scim/ServiceProviderConfig tell what the contract's server tells (scim.yaml).
	ScimDocumented bool

	free map[string]string
}

// Free gives a setting that is none of the known ones.
func (v *Values) Free(name string) (value string, ok bool) {
	value, ok = v.free[fold.Key(name)]
	return value, ok
}

// Regain is how people regain their account who have lost all that they sign in with.
type Regain struct {
	Wait      time.Duration // before they get the link
	MailAlone bool          // a mail address is enough
	Two       bool          // administrators are reset by two others alone
	Captcha   bool          // who starts it proves to be no cheap program
}

// SMTP is the tenant's own mail server.
type SMTP struct {
	Enabled         bool // use it instead of the installation's
	Host            string
	Port            int
	UseTLS          bool
	Authenticate    bool
	User            string
	Password        Sealed // name SMTPPassword
	From            string
	FromDisplayName string
}

// Twilio is the tenant's own account for text messages and calls.
type Twilio struct {
	Enabled    bool
	AccountSID string
	AuthToken  Sealed // name TwilioToken
	From       string // E.164
	Service    string // messaging service
	SMS        bool
	Voice      bool
	BaseURL    string // of the API; empty: Twilio's own
}

// Names of the secrets, as Store.Open takes them.
const (
	SMTPPassword = "Smtp.Password"
	TwilioToken  = "Twilio.AuthToken"

	CaptchaSecret = "Captcha.Secret"
)

// SocialPortal is the name of the setting Social.Portal.
const SocialPortal = "Social.PortalUrl"

// Auth is how people sign in while no policy says otherwise.
type Auth struct {
	Challenges          [][]string // one after the other; each a list of mechanisms of which one is enough
	Profile             string     // id of the authentication profile that stands in for Challenges; empty: none
	Recovery            string     // id of the one by which a forgotten password is replaced; empty: codes by mail, text message or app
	PasskeyAlone        bool       // a passkey among Challenges ends the sign-in by itself
	RequireSecondFactor bool       // false: who has enrolled no second factor signs in with the password alone
	RememberDevice      bool       // a device on which somebody signed in completely needs no second factor
	RememberFor         time.Duration
	QRCode              bool // signing in by a QR code is offered to whoever has not said who they are
}

// Session is how long sign-ins last.
type Session struct {
	Idle         time.Duration // without a call
	Life         time.Duration // in all
	AllowPersist bool          // offer to stay signed in
	PersistLife  time.Duration // of those who stay signed in
	Concurrent   int           // most sessions of one person; 0: any number
	Proof        time.Duration // since a sign-in, for changing what one signs in with; 0: for ever
}

// Guard is when guessing is stopped.
type Guard struct {
	Free    int           // failures that cost no delay
	Lock    int           // failures within Window after which the account is refused
	Network int           // failures of all accounts within Window after which a network is refused
	Window  time.Duration // failures older than this count no more
	LockFor time.Duration // how long it is refused
}

// Lockout guards passwords and second factors apart.
type Lockout struct{ Password, Factor Guard }

// Risk is what makes a sign-in look like somebody else's (core/risk). The reasons have weights, of which 0 says that nobody looks for them.
type Risk struct {
	NewDevice        int // the person has not signed in on the device
	ImpossibleTravel int // nobody comes so far so fast
	AccountFailures  int // many attempts at the account failed
	NetworkFailures  int // many attempts at other accounts failed from the network
	BadNetwork       int // the address is in a list of networks of ill repute
	LeakedPassword   int // the password that was typed is in a list of leaked ones
	Failures         int // how many are many, for AccountFailures
	Spread           int // how many are many, for NetworkFailures
	Speed            int // kilometres an hour that nobody travels at
	Low              int // sum of weights from which the level is that
	Medium           int
	High             int
}

// Code is what is sent to people to prove that they can read it.
type Code struct {
	Length  int           // digits
	Life    time.Duration // of codes
	Link    time.Duration // of links that answer a challenge or reset a password
	Invite  time.Duration // of links in invitations
	Answers int           // wrong answers after which a code is of no use
}

// Workspace is how people enter workspaces (core/workspace).
type Workspace struct {
	Token  time.Duration // for which a token is good
	Device bool          // devices that clients name stand in for the second factor for a while
}

// Signup is self-registration.
type Signup struct {
	Allowed bool
	Captcha bool // strangers prove that they are people
	// Verified says that nobody signs in whose mail address is still to be shown.
	Verified bool
}

// Captcha is how strangers show that they are no cheap programs (core/captcha).
type Captcha struct {
	Work    int    // the most numbers that a browser tries
	Service string // https address that checks answers, in place of work; empty: none
	Secret  Sealed // name CaptchaSecret; of the service
	Score   int    // that an answer needs where the service gives one, 0 to 100
}

// Social is how far identity providers are believed (core/upstream).
type Social struct {
	CreateUsers bool   // an account is made of who is not known here
	Portal      string // where people land; empty: here
}

// Company is what people are shown of the tenant.
type Company struct{ Name, Support, Privacy, Terms string }

// Mechanisms are the factors that Authentication.Challenges may name: the password, authenticator codes, codes by mail
// and text message, security questions, security keys, authenticators of a device, passkeys, push, codes that are read, calls, passcodes, Duo and recovery
// codes behind another one.
var Mechanisms = []string{"UP", "OATH", "EMAIL", "SMS", "SQ", "U2F", "U2FONDEVICE", "PASSKEY", "OTP", "QR", "PF", "RADIUS", "DUO", "RECOVERY"}

// read fills the values from the stored rows. A stored value that is not valid any more counts as not set.
func read(rows []row) *Values {
	v := &Values{free: map[string]string{}}
	for i := range keys {
		if keys[i].Default != "" {
			_, _ = keys[i].set(v, keys[i].Default) // a test sets every default
		}
	}
	for _, r := range rows {
		k := byKey[r.Key]
		if k == nil {
			v.free[r.Key] = shown(r)
			continue
		}
		if k.Secret {
			_, _ = k.set(v, r.Value)
			continue
		}
		next := *v
		if _, err := k.set(&next, r.Value); err == nil {
			*v = next
		}
	}
	return v
}

// consistent says which settings do not go together.
func (v *Values) consistent() error {
	switch {
	case v.Password.MinLength > v.Password.MaxLength:
		return ErrValue.At("Password.MinLength").Say("The least length of passwords is greater than the greatest.")
	case v.Session.Idle > max(v.Session.Life, v.Session.PersistLife):
		return ErrValue.At("Session.IdleMinutes").Say("A session cannot idle for longer than it lasts.")
	case v.SMTP.Enabled && (v.SMTP.Host == "" || v.SMTP.From == ""):
		return ErrValue.At("Smtp.Host").Say("A mail server that is enabled needs a host and a sender's address.")
	case v.Twilio.Enabled && (v.Twilio.AccountSID == "" || v.Twilio.AuthToken == "" || v.Twilio.From == "" && v.Twilio.Service == ""):
		return ErrValue.At("Twilio.AccountSid").Say("A Twilio account that is enabled needs its id, its token, and a number or a messaging service.")
	case v.Twilio.Enabled && v.Twilio.Voice && !strings.HasPrefix(v.Twilio.From, "+"):
		return ErrValue.At("Twilio.FromNumber").Say("Calls need the account's number that they come from, as a messaging service makes none.")
	}
	return nil
}

// parseChallenges reads "UP;OATH,SMS": challenges one after the other, of each one mechanism.
func parseChallenges(s string) ([][]string, error) {
	var out [][]string
	for part := range strings.SplitSeq(s, ";") {
		var any []string
		for m := range strings.SplitSeq(part, ",") {
			m = strings.ToUpper(strings.TrimSpace(m))
			known := false
			for _, k := range Mechanisms {
				known = known || k == m
			}
			if !known {
				return nil, errors.New("must name mechanisms of " + strings.Join(Mechanisms, ", "))
			}
			any = append(any, m)
		}
		out = append(out, any)
	}
	for _, m := range []string{"RECOVERY", "DUO"} {
		if slices.Contains(out[0], m) {
			return nil, errors.New("may take " + m + " behind the first challenge only")
		}
	}
	if len(out) > 5 {
		return nil, errors.New("may have five challenges")
	}
	return out, nil
}

func challenges(name, def, meaning string, at func(*Values) *[][]string) Key {
	return Key{Name: name, Kind: "text", Default: def, Max: 200, Meaning: meaning, set: func(v *Values, text string) (string, error) {
		parsed, err := parseChallenges(text)
		if err != nil {
			return "", err
		}
		*at(v) = parsed
		parts := make([]string, len(parsed))
		for i, p := range parsed {
			parts[i] = strings.Join(p, ",")
		}
		return strings.Join(parts, ";"), nil
	}}
}

var (
	uuid       = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString
	accountSID = regexp.MustCompile(`^AC[0-9a-fA-F]{32}$`).MatchString
	serviceSID = regexp.MustCompile(`^MG[0-9a-fA-F]{32}$`).MatchString
	e164       = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`).MatchString
	country    = regexp.MustCompile(`^[A-Za-z]{2}$`).MatchString
)

func isLanguage(s string) bool {
	_, err := language.Parse(s)
	return err == nil
}
