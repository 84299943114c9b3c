package authentication

import (
	"context"
	"errors"

	"limen/internal/core/audit"
	"limen/internal/core/factor/duo"
	"limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
)

func (a Authentication) duo() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{
			Path: "/Security/SubmitDuo", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStep, Rate: op.Guess, MaxBody: 32 << 10,
			Faults: []*fault.Error{login.ErrFailed, duo.ErrUnreachable, fault.ErrMissing},
		}, a.checkDuo, a.SubmitDuo),
	}
}

// DuoAnswer is what a browser brought back from Duo.
type DuoAnswer struct {
	// TenantID names the tenant, as at the start.
	TenantID string `json:"TenantId"`
	// SessionID is that of the package, required.
	SessionID string `json:"SessionId"`
	// SignedResponse is the query of the address at which the browser came back, or the whole address: duo_code and state; required.
	SignedResponse string `json:"signedResponse" also:"sig_response"`
}

// TenantHint names the tenant.
func (d *DuoAnswer) TenantHint() op.Hint { return hint(d.TenantID, "") }

// Check wants both.
func (d *DuoAnswer) Check() error {
	switch {
	case d.SessionID == "":
		return fault.Missing("SessionId")
	case d.SignedResponse == "":
		return fault.Missing("signedResponse")
	}
	return nil
}

func (d *DuoAnswer) submission() login.Request {
	return login.Submission(d.SessionID, duo.MechanismOf(d.SignedResponse), d.SignedResponse)
}

func (a Authentication) checkDuo(ctx context.Context, c *op.Call, in DuoAnswer) (login.Prepared, error) {
	return a.Logins.Prepare(ctx, c, in.submission())
}

// SubmitDuo hands in what a browser brought back from Duo's Universal Prompt, on behalf of the program whose sign-in waits for it: StartOOB of the
// mechanism DUO gives the address of the prompt as ThirdPartyMfaRequest, and the next poll behind this call goes on. AdvanceAuthentication
// takes the same text as Answer. A wrong answer, and an unknown session, are answered with the one generic failure and end the sign-in; that Duo
// does not answer is no wrong answer. The signed response of Duo's older frame is not taken: Duo has ended it. authentication.yaml n 7.
func (a Authentication) SubmitDuo(ctx context.Context, c *op.Call, in DuoAnswer, p login.Prepared) (op.None, error) {
	err := a.Logins.Submit(ctx, c, in.submission(), p)
	if errors.Is(err, login.ErrFailed) {
		return op.None{}, op.Refused(login.ErrFailed)
	}
	return op.None{}, err
}
