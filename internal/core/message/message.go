// Package message writes the mails and text messages that people get: invitations, codes, notices.
//
// The sentences are data, one file a language in texts/, for translators to read; the layout is one template for all of
// them; a tenant may put its own text in the place of ours.
package message

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"limen/internal/fault"
)

// Kind is what a message is about.
type Kind string

// The kinds. Invitation, LoginCode and RecoveryCode exist as text messages, too.
const (
	Invitation      Kind = "invitation"        // an account was made; the link sets it up
	LoginCode       Kind = "login_code"        // a code, and perhaps a link, to answer a sign-in challenge
	RecoveryCode    Kind = "recovery_code"     // a code to choose a new password in place of a forgotten one
	PasswordReset   Kind = "password_reset"    // a link to choose a new password
	PasswordChanged Kind = "password_changed"  // notice after the fact
	ForgotUsername  Kind = "forgot_username"   // the sign-in names that belong to an address
	NewDevice       Kind = "new_device"        // notice of a sign-in from an unknown device
	AccountLocked   Kind = "account_locked"    // notice of a lock after failed attempts
	ScriptFailed    Kind = "script_failed"     // to administrators: the script of a dynamic role, App, failed
	SignInRecovered Kind = "sign_in_recovered" // to administrators: By was let in with the password alone, from the server's command line
	TestMail        Kind = "test_mail"         // proof that the mail settings work
	ImportReport    Kind = "import_report"     // what an import of users has done
	ImportStopped   Kind = "import_stopped"    // what one has done that was cancelled or failed
	JobDone         Kind = "job_done"          // what a job, App, has done
	JobFailed       Kind = "job_failed"        // and one that was cancelled or failed
	MailChanged     Kind = "mail_changed"      // notice to the address that was the account's
	MobileChanged   Kind = "mobile_changed"    // notice of another mobile number
	MfaExempted     Kind = "mfa_exempted"      // notice that no second factor is asked for, for a while
	VerifyMail      Kind = "verify_mail"       // a link that shows that an address is the reader's
	IdentityCode    Kind = "identity_code"     // a code to be read out to the help desk
	ApprovalAsked   Kind = "approval_asked"    // a client, App, has the reader asked whether it may act for them
	AccessAsked     Kind = "access_asked"      // to approvers: By asks for access to an application, App
	AccessGiven     Kind = "access_given"      // the reader has access to App, perhaps until a time
	AccessRefused   Kind = "access_refused"    // and has not
	RegisterCode    Kind = "register_code"     // a code that confirms that the reader registered
	SignupAsked     Kind = "signup_asked"      // to approvers: somebody registered, By
	SignupApproved  Kind = "signup_approved"   // the reader, who registered, may sign in
	SignupRefused   Kind = "signup_refused"    // and may not, perhaps for a reason
	JoinAsked       Kind = "join_asked"        // the reader, who has an account, is invited to join App; the code accepts

	AuthenticatorAdded Kind = "authenticator_added" // notice of a device that is asked at sign-ins from now on
	PushRefused        Kind = "push_refused"        // notice of a sign-in that was refused there
	BreakGlass         Kind = "break_glass"         // to administrators: an account for an emergency, By, signed in
	RegainWaiting      Kind = "regain_waiting"      // somebody wants to regain the account, and will at Until unless the link stops it
	RegainReady        Kind = "regain_ready"        // the link that gives it back
	RegainCode         Kind = "regain_code"         // and the code that goes with it
	RegainApproved     Kind = "regain_approved"     // administrators, By, let the account be set up anew
	RegainStopped      Kind = "regain_stopped"      // nobody regains it any more
	CodesMade          Kind = "codes_made"          // notice of a new set of recovery codes
	NetworkPassword    Kind = "network_password"    // notice of a new network password
	CodeUsed           Kind = "code_used"           // notice of the use of one; Total are left
	CodeRefused        Kind = "code_refused"        // notice of a sign-in by a QR code that was refused there
)

// kind says what a kind of message needs and shows.
type kind struct {
	need  []string // fields of Data without which the message makes no sense
	keep  []string // those of them that a tenant's own text must still show
	facts []string // fields that are listed with a label when they are known
	sms   bool
	bare  bool // it leads nowhere: a link in its data is not shown
	list  bool // it shows Accounts, when there are any
}

// place is where and when something happened, for the reader to recognise or not.
var place = []string{"Account", "App", "When", "IP", "Place", "Device"}

var kinds = map[Kind]kind{
	Invitation: {need: []string{"Link", "Lasts"}, keep: []string{"Link"}, facts: []string{"Account", "By"}, sms: true},
	LoginCode:  {need: []string{"Code", "Lasts"}, keep: []string{"Code"}, facts: place, sms: true},
	// Whoever asked for the code may be a stranger: what arrives leads nowhere by a click.
	RecoveryCode:    {need: []string{"Code", "Lasts"}, keep: []string{"Code"}, facts: place, sms: true, bare: true},
	PasswordReset:   {need: []string{"Link", "Lasts"}, keep: []string{"Link"}, facts: place},
	PasswordChanged: {need: []string{"When"}, facts: append([]string{"By"}, place...)},
	ForgotUsername:  {need: []string{"Accounts"}, keep: []string{"Accounts"}, facts: []string{"When", "IP", "Place", "Device"}},
	NewDevice:       {need: []string{"When"}, facts: place},
	AccountLocked:   {need: []string{"When"}, facts: place},
	ScriptFailed:    {need: []string{"When"}, facts: []string{"When"}, bare: true},
	SignInRecovered: {need: []string{"When"}, facts: []string{"By", "When"}, bare: true},
	TestMail:        {facts: []string{"By", "When"}, bare: true},
	ImportReport:    {need: []string{"File", "Made", "Total"}, facts: []string{"When"}, bare: true, list: true},
	ImportStopped:   {need: []string{"File", "Made", "Total"}, facts: []string{"When"}, bare: true, list: true},
	JobDone:         {need: []string{"App"}, facts: []string{"By", "When"}, bare: true, list: true},
	JobFailed:       {need: []string{"App"}, facts: []string{"By", "When"}, bare: true, list: true},
	MailChanged:     {need: []string{"When"}, facts: []string{"Account", "By", "When"}, bare: true},
	MobileChanged:   {need: []string{"When"}, facts: []string{"Account", "By", "When"}, sms: true, bare: true},
	MfaExempted:     {need: []string{"When"}, facts: []string{"Account", "By", "When"}, bare: true},
	VerifyMail:      {need: []string{"Link", "Lasts"}, keep: []string{"Link"}, facts: []string{"Account"}},
	// Whoever knows the reader's name may have started it: what arrives leads nowhere by a click.
	ApprovalAsked:  {need: []string{"App", "Lasts"}, facts: []string{"Account", "When", "IP", "Page"}, bare: true},
	AccessAsked:    {need: []string{"App", "By"}, facts: []string{"By", "When"}, bare: true},
	AccessGiven:    {need: []string{"App"}, facts: []string{"When"}, bare: true},
	AccessRefused:  {need: []string{"App"}, facts: []string{"When"}, bare: true},
	SignupAsked:    {need: []string{"By"}, facts: []string{"By", "When"}, bare: true},
	SignupApproved: {need: []string{"Link"}, facts: []string{"Account"}},
	SignupRefused:  {need: []string{"When"}, facts: []string{"Account", "When", "Reason"}, bare: true},
	// Whoever registered may be a stranger: what arrives leads nowhere by a click.
	RegisterCode: {need: []string{"Code", "Lasts"}, keep: []string{"Code"}, facts: []string{"When", "IP", "Place", "Device"}, bare: true},
	JoinAsked:    {need: []string{"App", "Code", "Lasts"}, keep: []string{"App", "Code"}, facts: []string{"Account", "By", "Page"}, bare: true},
	IdentityCode: {need: []string{"Code", "Lasts"}, keep: []string{"Code"}, facts: []string{"Account", "By"}, sms: true, bare: true},

	AuthenticatorAdded: {need: []string{"When"}, facts: place, bare: true},
	PushRefused:        {need: []string{"When"}, facts: place, bare: true},
	BreakGlass:         {need: []string{"When", "By"}, facts: []string{"By", "When", "IP"}, bare: true},
	RegainWaiting:      {need: []string{"Link", "When", "Until"}, keep: []string{"Link"}, facts: []string{"Account", "When", "IP"}, sms: true},
	RegainReady:        {need: []string{"Link", "Lasts"}, keep: []string{"Link"}, facts: []string{"Account"}},
	RegainCode:         {need: []string{"Code", "Lasts"}, keep: []string{"Code"}, facts: []string{"Account"}, sms: true, bare: true},
	RegainApproved:     {need: []string{"Link", "When", "By"}, keep: []string{"Link"}, facts: []string{"Account", "By", "When"}, sms: true},
	RegainStopped:      {need: []string{"When"}, facts: []string{"Account", "When"}, sms: true, bare: true},
	CodesMade:          {need: []string{"When"}, facts: place, bare: true},
	NetworkPassword:    {need: []string{"When"}, facts: place, bare: true},
	CodeUsed:           {need: []string{"When", "Total"}, facts: place, bare: true},
	CodeRefused:        {need: []string{"When"}, facts: place, bare: true},
}

// Kinds lists all kinds in the order of their names.
func Kinds() []Kind {
	all := make([]Kind, 0, len(kinds))
	for k := range kinds {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// SMS tells whether messages of this kind exist as text messages.
func (k Kind) SMS() bool { return kinds[k].sms }

// Required lists the placeholders that a tenant's own text of this kind must keep, such as "Code".
func (k Kind) Required() []string { return slices.Clone(kinds[k].keep) }

// Data is what a message tells. Everything but Product and Tenant may be absent, as far as the kind makes sense without
// it. Values may come from anybody: they are put on one line, shortened and escaped here.
type Data struct {
	Product string // the program's name
	Tenant  string // the organisation's display name
	Support string // where to get help: an http, https or mailto URL, a mail address, or any short text

	Name     string   // the reader's display name
	Account  string   // the reader's sign-in name
	Accounts []string // or lines of a report
	By       string   // who did it, when it was somebody else: the inviting or resetting administrator
	App      string   // the application that is being signed in to

	File        string // what was read
	Made, Total string // how many of how many

	Code  string
	Link  string         // http or https
	Lasts time.Duration  // how long the code or link is good for
	Until time.Time      // when a lock ends by itself; zero when it does not
	At    time.Time      // when it happened
	Zone  *time.Location `json:"-"` // for showing times; nil means UTC

	IP     string // from which address
	Place  string // from where, as far as it is known: city and country
	Device string // browser and system, or the device's name
	Page   string // host and path where to go on, as people type it
	Reason string // why, as somebody gave it
}

// Rendered is a message ready to be sent.
type Rendered struct {
	Lang    string // BCP 47 tag of the language it is in
	Subject string // one line
	Text    string
	HTML    string
	SMS     string // empty for kinds that have none

	// Refused says why a tenant's own text was not used: it no longer compiles or renders. The message has our words
	// then, because a lost code is worse than a plain one. Nil when all is well.
	Refused error
}

// Faults.
var (
	// ErrKind says that there is no such kind of message.
	ErrKind = fault.New(fault.NotFound, "message.kind", "There is no such message.")
	// ErrData says that the caller left out what the kind needs, or gave something unusable; Field names it.
	ErrData = fault.New(fault.Invalid, "message.data", "The message lacks something it has to say.")
	// ErrOverride says why a tenant's own text is refused: the public sentence has the part, the line and the reason.
	ErrOverride = fault.New(fault.Invalid, "message.override", "The text cannot be used.")
)

// values is what the sentences and a tenant's own texts may use, all of it text.
type values struct {
	Product, Tenant, Support string
	Name, Account, By, App   string
	File, Made, Total        string
	Code, Link, Lasts        string
	Until, When              string
	IP, Place, Device, Page  string
	Reason                   string
	Accounts                 []string
	supportURL, supportText  string
}

// maxAccounts bounds the list of sign-in names.
const maxAccounts = 20

// shown turns data into text of a language, or says what is missing for the kind.
func (l *texts) shown(k Kind, d Data) (values, error) {
	if !link(d.Link) && d.Link != "" {
		return values{}, ErrData.At("Link").Say("The link is not an http or https address.")
	}
	v := values{
		Product: plain(d.Product, 60), Tenant: plain(d.Tenant, 80), Support: plain(d.Support, 200),
		Name: name(d.Name), Account: plain(d.Account, 254), By: name(d.By), App: plain(d.App, 80),
		File: plain(d.File, 80), Made: plain(d.Made, 20), Total: plain(d.Total, 20),
		Code: plain(d.Code, 64), Link: d.Link, IP: plain(d.IP, 60), Place: plain(d.Place, 80), Device: plain(d.Device, 120), Page: plain(d.Page, 200), Reason: plain(d.Reason, 300),
		When: moment(d.At, d.Zone), Until: moment(d.Until, d.Zone),
	}
	if l.Direction == "rtl" {
		v.When, v.Until, v.Place, v.Device, v.Page = isolate(v.When), isolate(v.Until), isolate(v.Place), isolate(v.Device), isolate(v.Page)
		v.Reason = isolate(v.Reason)
	}
	if d.Lasts > 0 {
		v.Lasts = l.lasts(d.Lasts)
	}
	for _, a := range d.Accounts[:min(len(d.Accounts), maxAccounts)] {
		v.Accounts = append(v.Accounts, plain(a, 254))
	}
	if kinds[k].bare {
		v.Link = ""
	}
	v.supportURL, v.supportText = contact(v.Support)
	for _, f := range append([]string{"Product", "Tenant"}, kinds[k].need...) {
		if !v.has(f) {
			return values{}, ErrData.At(f).Say("The message %s needs %s.", k, f)
		}
	}
	return v, nil
}

// field gives a value by the name that templates use.
func (v values) field(name string) string {
	switch name {
	case "Product":
		return v.Product
	case "Tenant":
		return v.Tenant
	case "Account":
		return v.Account
	case "By":
		return v.By
	case "App":
		return v.App
	case "File":
		return v.File
	case "Made":
		return v.Made
	case "Total":
		return v.Total
	case "When":
		return v.When
	case "Until":
		return v.Until
	case "IP":
		return v.IP
	case "Place":
		return v.Place
	case "Device":
		return v.Device
	case "Page":
		return v.Page
	case "Reason":
		return v.Reason
	case "Code":
		return v.Code
	case "Link":
		return v.Link
	case "Lasts":
		return v.Lasts
	}
	return ""
}

func (v values) has(name string) bool {
	if name == "Accounts" {
		return len(v.Accounts) > 0
	}
	return v.field(name) != ""
}

// isolate keeps text from being shuffled with what stands around it: in plain text a date after an Arabic word would be
// shown from its end (Unicode Annex 9, rule W2). Names and addresses that people may copy are left alone.
func isolate(s string) string {
	if s == "" {
		return ""
	}
	return "\u2066" + s + "\u2069"
}

func moment(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format("2006-01-02 15:04 MST")
}

// link tells whether s is an address that a button may lead to.
func link(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 2000 && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		!strings.ContainsAny(s, " \"<>\\^`{|}") && plain(s, 2000) == s
}

// contact makes a link and its text of what a tenant gave as its support.
func contact(s string) (address, text string) {
	u, err := url.Parse(s)
	switch {
	case s == "" || err != nil:
		return "", s
	case u.Scheme == "mailto":
		return s, u.Opaque
	case link(s):
		return s, strings.TrimSuffix(strings.TrimPrefix(s, u.Scheme+"://"), "/")
	case u.Scheme == "" && strings.Count(s, "@") == 1 && !strings.ContainsAny(s, " /?#"):
		return "mailto:" + s, s
	}
	return "", s
}

// name is a person's display name. Somebody who can choose a name could let us send addresses to strangers in it, so a
// name that has one is left out.
func name(s string) string {
	if low := strings.ToLower(s); strings.Contains(low, "://") || strings.Contains(low, "www.") {
		return ""
	}
	return plain(s, 80)
}

// plain puts a value on one line of at most most runes, without characters that show nothing, turn the direction of
// what follows, or end a header field.
func plain(s string, most int) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u0085' || r == '\u2028' || r == '\u2029':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\ufffd' || r == '\ufeff' || r == '\u061c',
			r >= '\u200b' && r <= '\u200f' && r != '\u200c' && r != '\u200d', r >= '\u202a' && r <= '\u202e', r >= '\u2060' && r <= '\u206f':
			return -1
		}
		return r
	}, s)), " ")
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
