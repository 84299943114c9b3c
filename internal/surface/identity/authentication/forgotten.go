package authentication

import (
	"context"
	"errors"
	"net/mail"

	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/remind"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

func (a Authentication) forgotten() []op.Op {
	spec := op.Spec{Allow: op.Anonymous, Effect: op.Write, Audit: audit.NameAsked, Rate: op.Guess, MaxBody: 16 << 10}
	at := func(path string, faults ...*fault.Error) op.Spec {
		out := spec
		out.Path, out.Faults = path, append(faults, remind.ErrOff)
		return out
	}
	start := at("/Security/StartForgotUsername", login.ErrFailed)
	start.Effect, start.Audit = op.Cached, "" // nothing is kept of it
	return []op.Op{
		op.New(at("/Security/ForgotUsername", remind.ErrWait, fault.ErrMissing, fault.ErrInvalid), a.ForgotUsername),
		op.Prepared(start, a.startForgotten, a.StartForgotUsername),
		op.Prepared(at("/Security/AdvanceForgotUsername", remind.ErrWait, login.ErrFailed), a.checkForgotten, a.AdvanceForgotUsername),
	}
}

// ForgottenName is who asks for a login name.
type ForgottenName struct {
	// SearchKey is the mail address of the account, required.
	SearchKey string `json:"SearchKey"`
}

// Check wants an address.
func (f *ForgottenName) Check() error {
	if f.SearchKey == "" {
		return fault.Missing("SearchKey")
	}
	if !isAddress(f.SearchKey) {
		return fault.Bad("SearchKey", "must be a mail address")
	}
	return nil
}

// maxAddress is the longest mail address in bytes (RFC 5321).
const maxAddress = 254

func isAddress(text string) bool {
	at, err := mail.ParseAddress(text)
	return err == nil && at.Address == text && len(text) <= maxAddress
}

// ForgotUsername mails the login names that belong to a mail address to it. The answer is the same whether there is an account or not; those who
// are disabled or locked, and addresses that nobody has proved, get no mail. Who asks often is held back. It is off unless the tenant's setting
// ForgotUsername.Allowed is on. Contract: authentication.yaml n 11.
func (a Authentication) ForgotUsername(ctx context.Context, c *op.Call, in ForgottenName) (op.None, error) {
	return op.None{}, a.remind(ctx, c, in.SearchKey)
}

func (a Authentication) remind(ctx context.Context, c *op.Call, address string) error {
	who, err := a.Reminders.Send(ctx, c, address)
	if err != nil || len(who) == 0 {
		return err
	}
	e, u := c.Event, who[0]
	e.Target, e.Kind, e.Name = u.ID, "User", u.Name
	if len(who) > 1 {
		e.Set("Accounts", user.Names(who))
	}
	return nil
}

// StartForgotten opens a conversation about a forgotten login name.
type StartForgotten struct {
	// Version is "1.0", required.
	Version string `json:"Version"`
}

// Forgotten is a conversation about a forgotten login name, in the form of an authentication session.
type Forgotten struct {
	TenantID string `json:"TenantId"`
	// SessionID names the conversation, for ten minutes.
	SessionID string `json:"SessionId"`
	Version   string `json:"Version"` // 1.0
	Summary   string `json:"Summary"` // NewPackage
	// EventDescription is always null.
	EventDescription *string `json:"EventDescription"`
	// AllowLoginMfaCache is always false.
	AllowLoginMfaCache bool `json:"AllowLoginMfaCache"`
	// RetryWaitingTime is always 0.
	RetryWaitingTime int `json:"RetryWaitingTime"`
	// ClientHints offer nothing.
	ClientHints ClientHints `json:"ClientHints"`
	// Challenges are one, with one mechanism: the mail address.
	Challenges []ForgottenChallenge `json:"Challenges"`
}

// ForgottenChallenge asks for the mail address.
type ForgottenChallenge struct {
	Mechanisms []ForgottenMechanism `json:"Mechanisms"`
}

// ForgottenMechanism is the mail address that is asked for.
type ForgottenMechanism struct {
	// ServiceName is the operation to continue with: AdvanceForgotUsername.
	ServiceName string `json:"ServiceName"`
	MechanismID string `json:"MechanismId"`
	AnswerType  string `json:"AnswerType"` // Text
	// Name says what to enter: EmailAddress.
	Name string `json:"Name"`
}

func (a Authentication) startForgotten(ctx context.Context, c *op.Call, in StartForgotten) (remind.Talk, error) {
	if in.Version != "1.0" {
		return remind.Talk{}, op.Refused(login.ErrFailed)
	}
	return a.Reminders.Start(ctx, c)
}

// StartForgotUsername opens a conversation that asks for a mail address, in the form of an authentication session; AdvanceForgotUsername answers
// it. Contract: authentication.yaml n 12.
func (a Authentication) StartForgotUsername(_ context.Context, c *op.Call, _ StartForgotten, t remind.Talk) (Forgotten, error) {
	return Forgotten{
		TenantID: c.Tenant.ID, SessionID: t.Session, Version: "1.0", Summary: string(login.NewPackage),
		Challenges: []ForgottenChallenge{{Mechanisms: []ForgottenMechanism{{
			ServiceName: "AdvanceForgotUsername", MechanismID: t.Mechanism, AnswerType: "Text", Name: "EmailAddress",
		}}}},
	}, nil
}

// AnswerForgotten answers a conversation about a forgotten login name.
type AnswerForgotten struct {
	// TenantID names the tenant; when absent, the host does.
	TenantID string `json:"TenantId"`
	// Action is Answer, also when absent.
	Action string `json:"Action"`
	// PersistentLogin is taken and not needed.
	PersistentLogin bool `json:"PersistentLogin"`
	// SessionID is that of the conversation, required.
	SessionID string `json:"SessionId"`
	// MechanismID is that of its mechanism, required.
	MechanismID string `json:"MechanismId"`
	// Answer is the mail address, required.
	Answer string `json:"Answer"`
}

// TenantHint names the tenant.
func (f *AnswerForgotten) TenantHint() op.Hint { return hint(f.TenantID, "") }

// Noncommittal is an answer that says nothing of whether there is an account.
type Noncommittal struct {
	// ClientMessage says that a mail is on its way if there is an account.
	ClientMessage string `json:"ClientMessage"`
	Summary       string `json:"Summary"` // NoncommitalSuccess
}

func (a Authentication) checkForgotten(ctx context.Context, c *op.Call, in AnswerForgotten) (struct{}, error) {
	if in.Action != "" && in.Action != "Answer" || !isAddress(in.Answer) {
		return struct{}{}, op.Refused(login.ErrFailed)
	}
	err := a.Reminders.Check(ctx, c, remind.Talk{Session: in.SessionID, Mechanism: in.MechanismID})
	if errors.Is(err, remind.ErrTalk) {
		err = op.Refused(login.ErrFailed)
	}
	return struct{}{}, err
}

// AdvanceForgotUsername answers a conversation of StartForgotUsername with a mail address, and does what ForgotUsername does. An argument that is
// empty or wrong has the generic message. Contract: authentication.yaml, /Security/AdvanceForgotUsername.
func (a Authentication) AdvanceForgotUsername(ctx context.Context, c *op.Call, in AnswerForgotten, _ struct{}) (Noncommittal, error) {
	return Noncommittal{
		ClientMessage: "If there is an account with this mail address, a mail with its user name is on its way.", Summary: string(login.Noncommittal),
	}, a.remind(ctx, c, in.Answer)
}
