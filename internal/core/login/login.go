// Package login is the one conversation by which people sign in, whatever dialect drives it: a package of challenges,
// answers, and at the end a session. Its state lies sealed in the store between calls, so that any node goes on.
//
// Names cannot be probed. Whoever starts a conversation gets a package, and for a name that does not exist it is made
// of what a real person of the tenant, picked by a keyed hash of the name, would be shown: the same mechanisms with the
// same shape, their digits and own questions replaced (factor.Mechanism.Disguise). A name therefore gets the same package each
// time, names that do not exist look as various as people do, and mechanisms added later take part by themselves. Answers to
// such a package are checked at full cost, throttled by the name as typed, and never right. People who may not sign in
// (locked, disabled, suspended, expired) are shown their own package, and their right answers are refused as wrong ones.
// What remains is that sending a real message takes a little longer than sending none.
//
// Any failure ends the conversation (authentication.yaml, AdvanceAuthentication); the one exception is a new password
// that breaks the policy, which is asked for again.
package login

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/consent"
	"limen/internal/core/factor"
	"limen/internal/core/factor/network"
	"limen/internal/core/factor/recovery"
	"limen/internal/core/password"
	"limen/internal/core/profile"
	"limen/internal/core/risk"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	"limen/internal/core/throttle"
	"limen/internal/core/token"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// ErrFailed is every failure of a conversation: the client learns no more. What was written (counters, the end of the
// conversation) is to be committed.
var ErrFailed = fault.New(fault.Denied, "login.failed",
	"Authentication (login or challenge) has failed. Please try again or contact your system administrator.")

// ErrLink is a link that is unknown, used or expired; nothing tells which.
var ErrLink = fault.New(fault.NotFound, "login.link", "This link is not valid any more. Start the sign-in again.")

// Logins runs conversations. Its fields are set before use.
type Logins struct {
	Ring       *crypt.Ring
	People     *user.Directory
	Sessions   *session.Sessions
	Tokens     token.Tokens
	Passwords  password.Passwords
	Throttle   throttle.Throttle
	Risks      *risk.Risks // nil: nobody rates sign-ins
	Settings   *setting.Store
	Profiles   *profile.Profiles // what the settings may name; nil: they name none
	Codes      recovery.Codes
	Networks   network.Passwords
	Mechanisms []factor.Mechanism
	// Profile replaces the settings' profile, where policies decide; nil: Settings alone. It gets the zero User for
	// names that do not exist. Profile.With and Profile.Recover make a Profile of an authentication profile.
	Profile func(ctx context.Context, c *call.Call, u user.User, base Profile) (Profile, error)
	// Terms are on which a person signs in by a certificate, who would sign in by base otherwise.
	Terms func(ctx context.Context, c *call.Call, u user.User, base Profile) (Terms, error)
	// RadiusTerms is Terms for sign-ins at a RADIUS client, whose people pass the authentication profile with that id (empty: none) where
	// policies name none.
	RadiusTerms func(ctx context.Context, c *call.Call, u user.User, base Profile, profileID string) (Terms, error)
	// Radius is Profile for sign-ins at a RADIUS client, whose people pass the authentication profile with that id (empty: none) where
	// policies name none; nil: Settings alone.
	Radius func(ctx context.Context, c *call.Call, u user.User, base Profile, profileID string) (Profile, error)
	// Exempt says whether a person signs in without further factors at present; nil: nobody does.
	Exempt func(ctx context.Context, c *call.Call, userID string) (bool, error)
	// Rescued says whether a person is let in with the password alone, whatever profiles and policies say; nil: nobody is.
	Rescued func(ctx context.Context, c *call.Call, userID string) (bool, error)
	// Unverified says whether a person, whose mail address is still to be shown, must show it before they sign in, and sees to it that they can; nil: they
	// need not.
	Unverified func(ctx context.Context, c *call.Call, u user.User) (bool, error)
	// Consents are what people must agree to before they are in; nil: nothing.
	Consents *consent.Consents
	// Image gives the name of the image that a person wants to see before they give their password; nil: nobody has one.
	Image func(ctx context.Context, c *call.Call, userID string) (string, error)
	// Parts gives what policies want of somebody before they change that part of their own; no rounds: nothing. ErrForbidden where they
	// let nobody. Nil: nothing.
	Parts func(ctx context.Context, c *call.Call, personID string, part Part) (Wanted, error)
	// Alarm runs in the transaction of each sign-in, with the mechanisms that were passed; nil: nothing does.
	Alarm func(ctx context.Context, c *call.Call, u user.User, factors []string) error
	// Notify writes a notice to a person, in c.Tx; nil: nobody is told.
	Notify func(ctx context.Context, c *call.Call, u user.User, what Notice) error
}

// Notice is what people are told of.
type Notice string

// The notices.
const (
	NewDevice       Notice = "new_device"
	Locked          Notice = "account_locked"
	PasswordChanged Notice = "password_changed"
	Authenticator   Notice = "authenticator_added"
	PushRefused     Notice = "push_refused"
	CodesMade       Notice = "codes_made"
	NetworkPassword Notice = "network_password"
	CodeRefused     Notice = "code_refused"
)

// Package is what a client is asked to answer. Challenges are answered in order, one mechanism of each.
type Package struct {
	Session      string // id of the conversation, which proves it
	Challenges   [][]factor.Challenge
	AllowPersist bool
	AllowForgot  bool
	Wait         int    // seconds until an answer is looked at; 0: at once
	Message      string // for the person; empty: none
	Image        string // of a person who has signed in completely in this browser; empty: none, or none of anybody's business
}

// Summary says what an answer led to, in the contract's words.
type Summary string

// The summaries.
const (
	NewPackage   Summary = "NewPackage"
	NextDone     Summary = "StartNextChallenge"
	Pending      Summary = "OobPending"
	Succeeded    Summary = "LoginSuccess"
	Noncommittal Summary = "NoncommitalSuccess" // spelled so
	Failed       Summary = "Failure"
)

// Result is what a call led to.
type Result struct {
	Summary Summary
	Package *Package
	Success *Success
	Message string            // for the person, beside NoncommitalSuccess
	Rule    string            // fault code of the rule that a new password breaks; empty: it breaks none
	Number  string            // beside OobPending: what the person has to enter where they approve; empty: nothing
	Started *factor.Challenge // beside OobPending of what was started now: what a key is to sign is in it
}

// Success is a complete sign-in.
type Success struct {
	Person     user.User
	Session    session.Session
	Auth       string         // session token, shown once
	Token      token.Unsigned // platform token
	Refresh    string         // refresh token; empty unless it was asked for at the start
	Lifetime   int            // seconds, of Token
	Platform   bool           // Refresh and Lifetime were asked for
	Device     string         // value of the device cookie
	Persistent bool
}

// Fail is the result that goes with ErrFailed.
func Fail() Result { return Result{Summary: Failed} }

// Ensure makes the tenant's keys that a conversation needs; it must run before a transaction that writes.
func (l *Logins) Ensure(ctx context.Context, tenant string) error {
	if err := l.Ring.Ensure(ctx, tenant, append([]string{purpose}, factor.Purposes...)...); err != nil {
		return err
	}
	return l.Tokens.Ensure(ctx, tenant)
}

func (l *Logins) mechanism(name string) factor.Mechanism {
	for _, m := range l.Mechanisms {
		if m.Name() == name {
			return m
		}
	}
	return nil
}

func personOf(u user.User) factor.Person {
	out := factor.Person{ID: u.ID, Name: u.Name, Display: u.Display, Mail: u.Mail, Mobile: u.Mobile, Culture: u.Culture, Org: u.Org}
	if u.MailUnproved { // whose address it is nobody knows
		out.Mail = ""
	}
	return out
}
