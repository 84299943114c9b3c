package authentication

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"limen/internal/core/audit"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/login"
	"limen/internal/core/scan"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

func (a Authentication) codes() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{Path: "/Security/StartQRCodeAuthentication", Allow: op.Anonymous, Effect: op.Write, Audit: audit.LoginStart,
			Rate: op.Guess, Faults: []*fault.Error{login.ErrNoCodes, ErrGuid, fault.ErrMissing}}, a.ensureCode, a.StartQRCodeAuthentication),
		op.New(op.Spec{Path: "/Security/GetQRCodeStatus", Allow: op.Anonymous, Effect: op.Read,
			Faults: []*fault.Error{login.ErrFailed, fault.ErrMissing}}, a.GetQRCodeStatus),
		op.Prepared(op.Spec{Path: login.CodePath, Allow: op.Authenticated, Effect: op.Write, Audit: audit.LoginStep,
			Rate: op.Guess, Faults: []*fault.Error{
				authenticator.ErrSignature, scan.ErrCode, authenticator.ErrNumber, login.ErrGuesses, login.ErrUnfit, fault.ErrMissing,
			}}, a.ensureScan, a.SubmitQRCode),
	}
}

// ErrGuid wants a guid that nobody guesses.
var ErrGuid = fault.New(fault.Invalid, "login.guid", "guid must be a UUID that was drawn for this sign-in.")

// codeCookie is the cookie of a program that waits for a code: whoever knows the guid alone is told nothing.
const codeCookie = "qrsession"

// CodeRequest names a sign-in by a code.
type CodeRequest struct {
	// Guid is a UUID that the caller draws for this sign-in, required.
	Guid string `json:"guid"`
	// TenantID names the tenant, as for StartAuthentication.
	TenantID string `json:"TenantId"`
	// SessionID is that of the package, for callers that keep no cookies; absent: the cookie qrsession has it. The start does not look at it.
	SessionID string `json:"SessionId"`

	talk string
}

// See keeps the cookie.
func (r *CodeRequest) See(q *http.Request) {
	if k, err := q.Cookie(codeCookie); err == nil {
		r.talk = k.Value
	}
}

// TenantHint names the tenant.
func (r *CodeRequest) TenantHint() op.Hint { return hint(r.TenantID, "") }

// Check wants the guid.
func (r *CodeRequest) Check() error {
	if strings.TrimSpace(r.Guid) == "" {
		return fault.Missing("guid")
	}
	return nil
}

func (a Authentication) ensureCode(ctx context.Context, c *op.Call, _ CodeRequest) (op.None, error) {
	return op.None{}, a.Logins.Ensure(ctx, c.Tenant.ID)
}

// StartQRCodeAuthentication begins a sign-in by a QR code, for whoever reads it with their authenticator, where the tenant offers that (setting
// Authentication.QRCode). Its package has the one mechanism QR, whose Image is the code and GeneratedAuthValue the number that the person enters
// on the authenticator; both are good for two minutes. The client polls GetQRCodeStatus from the same cookies. Contract: authentication.yaml n 15.
func (a Authentication) StartQRCodeAuthentication(ctx context.Context, c *op.Call, in CodeRequest, _ op.None) (Answer, error) {
	guid := strings.ToLower(strings.TrimSpace(in.Guid))
	if !isGuid(guid) {
		return Answer{}, ErrGuid
	}
	pack, device, err := a.Logins.StartCode(ctx, c, login.ByCode{Guid: guid})
	if err != nil {
		return Answer{}, err
	}
	out := packed(c, &pack)
	out.GeneratedAuthValue = pack.Challenges[0][0].Number
	out.keepDevice(c, device)
	k := cookie(c, codeCookie, pack.Session)
	k.MaxAge, k.SameSite = 15*60, http.SameSiteStrictMode
	out.cookies = append(out.cookies, k)
	return out, nil
}

// isGuid wants the text form of a UUID, with enough of it drawn: not all zeros, say.
func isGuid(text string) bool {
	_, err := uuid.Parse(text)
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return err == nil && len(text) == 36 && len(seen) > 5
}

// GetQRCodeStatus says how a sign-in by a code stands: OobPending while nobody has confirmed it, then LoginSuccess with cookies, or NewPackage
// with what policies want besides, to be answered with AdvanceAuthentication; Failure once it was refused or is over. Nobody is told anything who
// has not begun it: the cookie of the start, or its SessionId, goes along. It changes nothing. Contract: mfa.yaml n 77.
func (a Authentication) GetQRCodeStatus(ctx context.Context, c *op.Call, in CodeRequest) (Answer, error) {
	id := in.SessionID
	if id == "" {
		id = in.talk
	}
	r, err := a.Logins.PollCode(ctx, c, id, strings.ToLower(strings.TrimSpace(in.Guid)))
	if errors.Is(err, login.ErrFailed) {
		return result(c, r), op.Refused(login.ErrFailed)
	}
	if err != nil {
		return Answer{}, err
	}
	return result(c, r), nil
}

// CodeSubmission is a code that was read.
type CodeSubmission struct {
	// SessionID is that of the address in the code, required.
	SessionID string `json:"sessionId"`
	// Device is the Id of the caller's authenticator that read it, required.
	Device string `json:"Device"`
	// Number is what is shown beside the code, as the person entered it, required.
	Number string `json:"Number"`
	// Signature is as that of /Authenticator/AnswerCode, with approve; required.
	Signature string `json:"Signature"`

	auth string
}

// See keeps the session token of the caller.
func (s *CodeSubmission) See(r *http.Request) { s.auth = identity.Codec{}.Credentials(r).Token }

// Check wants all of it.
func (s *CodeSubmission) Check() error {
	for _, one := range [][2]string{{"sessionId", s.SessionID}, {"Device", s.Device}, {"Number", s.Number}, {"Signature", s.Signature}} {
		if strings.TrimSpace(one[1]) == "" {
			return fault.Missing(one[0])
		}
	}
	return nil
}

func (a Authentication) ensureScan(ctx context.Context, c *op.Call, _ CodeSubmission) (op.None, error) {
	return op.None{}, a.Logins.Ensure(ctx, c.Tenant.ID)
}

// SubmitQRCode approves the sign-in that shows a QR code, from a session of the person's and with the signature of one of their authenticators,
// and gives what a sign-in of the caller's own session would. What is shown to be approved is what /Authenticator/ReadCode gives, and its
// refusal is /Authenticator/AnswerCode's, which takes no session. Opened in a browser the address leads to the authenticator. Contract:
// authentication.yaml n 9.
func (a Authentication) SubmitQRCode(ctx context.Context, c *op.Call, in CodeSubmission, _ op.None) (Answer, error) {
	done, err := a.Scans.Answer(ctx, c, scan.Reply{
		Device: in.Device, Code: in.SessionID, Approve: true, Number: in.Number, Signature: in.Signature,
	}, c.User())
	if err != nil && !errors.Is(err, login.ErrUnfit) {
		return Answer{}, err
	}
	done.Tell(c.Event, true)
	switch {
	case err != nil:
		return Answer{}, op.Refused(login.ErrUnfit)
	case done.Wrong:
		return Answer{}, op.Refused(authenticator.ErrNumber)
	}
	own, err := a.Logins.Already(ctx, c, in.auth, false)
	if err != nil {
		return Answer{}, err
	}
	return success(c, own), nil
}
