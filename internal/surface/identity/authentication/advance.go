package authentication

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"limen/internal/core/factor"
	"limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
)

// AdvanceRequest moves an authentication session on.
type AdvanceRequest struct {
	// TenantID names the tenant, as at the start.
	TenantID string `json:"TenantId"`
	// SessionID is that of the package, required.
	SessionID string `json:"SessionId"`
	// MechanismID is that of the mechanism; not needed with ForgotPassword and MultipleOperations.
	MechanismID string `json:"MechanismId"`
	// Action is Answer (also when absent), StartOOB, RetryOOB, Poll or ForgotPassword.
	Action string `json:"Action"`
	// Answer is a text, or for several security questions an object from the question's Uuid to its answer.
	Answer json.RawMessage `json:"Answer"`
	// PersistentLogin keeps the session when the browser is closed, where ClientHints.AllowPersist says so.
	PersistentLogin bool `json:"PersistentLogin" also:"PersistantLogin"`
	// MultipleOperations are done in order; the answer is that of the last.
	MultipleOperations []Operation `json:"MultipleOperations"`
}

// Operation is one of several things to do.
type Operation struct {
	// MechanismID is that of the mechanism.
	MechanismID string `json:"MechanismId"`
	// Action is Answer (also when absent) or StartOOB.
	Action string `json:"Action"`
	// Answer is as in the request itself.
	Answer json.RawMessage `json:"Answer"`
}

// TenantHint names the tenant.
func (r *AdvanceRequest) TenantHint() op.Hint { return hint(r.TenantID, "") }

// Effect is Read for a poll, and Write for everything else.
func (r *AdvanceRequest) Effect() op.Effect {
	if r.polls() {
		return op.Read
	}
	return op.Write
}

func (r *AdvanceRequest) polls() bool {
	return len(r.MultipleOperations) == 0 && strings.EqualFold(r.Action, login.DoPoll)
}

// Check bounds what is decoded.
func (r *AdvanceRequest) Check() error {
	if len(r.MultipleOperations) > login.MaxActions {
		return fault.Bad("MultipleOperations", "may have %d entries", login.MaxActions)
	}
	return nil
}

func (r *AdvanceRequest) request() login.Request {
	out := login.Request{Session: r.SessionID, Persist: r.PersistentLogin}
	if len(r.MultipleOperations) == 0 {
		out.Actions = []login.Action{action(r.Action, r.MechanismID, r.Answer)}
	}
	for _, o := range r.MultipleOperations {
		out.Actions = append(out.Actions, action(o.Action, o.MechanismID, o.Answer))
	}
	return out
}

var actions = []string{login.DoAnswer, login.DoStart, login.DoRetry, login.DoForgot}

func action(do, mechanism string, raw json.RawMessage) login.Action {
	out := login.Action{Mechanism: mechanism, Answer: answerOf(raw)}
	if do == "" {
		do = login.DoAnswer
	}
	for _, known := range actions {
		if strings.EqualFold(do, known) {
			out.Do = known
		}
	}
	return out
}

// answerOf reads a text, a number that was meant as one, or an object of texts.
func answerOf(raw json.RawMessage) factor.Answer {
	var a factor.Answer
	switch {
	case len(raw) == 0 || string(raw) == "null":
	case raw[0] == '{':
		_ = json.Unmarshal(raw, &a.Parts) // what is no text is no answer
	case raw[0] == '"':
		_ = json.Unmarshal(raw, &a.Text)
	default:
		a.Text = string(raw)
	}
	return a
}

func (a Authentication) check(ctx context.Context, c *op.Call, in AdvanceRequest) (login.Prepared, error) {
	if in.polls() {
		return login.Prepared{}, nil
	}
	return a.Logins.Prepare(ctx, c, in.request())
}

// AdvanceAuthentication answers a mechanism, starts or polls an out-of-band one, or starts the recovery of a forgotten
// password. The answer's Summary says what follows: StartNextChallenge, OobPending, NewPackage (further challenges, or a
// new password that is due), LoginSuccess with cookies, NoncommitalSuccess after a recovery, or Failure. Any failure
// ends the session and gives away nothing; attempts count towards lockout. A poll changes nothing and is never held open.
// Contract: authentication.yaml n 2.
func (a Authentication) AdvanceAuthentication(ctx context.Context, c *op.Call, in AdvanceRequest, p login.Prepared) (Answer, error) {
	var r login.Result
	var err error
	if in.polls() {
		r, err = a.Logins.Poll(ctx, c, in.SessionID, in.MechanismID)
	} else {
		r, err = a.Logins.Advance(ctx, c, in.request(), p)
	}
	if errors.Is(err, login.ErrFailed) {
		return result(c, r), op.Refused(login.ErrFailed)
	}
	if err != nil {
		return Answer{}, err
	}
	return result(c, r), nil
}

// CleanupRequest names an authentication session.
type CleanupRequest struct {
	// TenantID names the tenant, as at the start.
	TenantID string `json:"TenantId"`
	// SessionID is that of the package, required.
	SessionID string `json:"SessionId"`
}

// TenantHint names the tenant.
func (r *CleanupRequest) TenantHint() op.Hint { return hint(r.TenantID, "") }

// Check wants the session to be named.
func (r *CleanupRequest) Check() error {
	if r.SessionID == "" {
		return fault.Missing("SessionId")
	}
	return nil
}

// CleanupAuthentication drops an authentication session that will not be finished, with what it had started. An unknown
// one is dropped as well as any. Contract: authentication.yaml n 10.
func (a Authentication) CleanupAuthentication(ctx context.Context, c *op.Call, in CleanupRequest) (op.None, error) {
	return op.None{}, a.Logins.Cleanup(ctx, c, in.SessionID)
}
