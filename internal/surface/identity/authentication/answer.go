package authentication

import (
	"context"
	"net/http"

	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/login"
	"limen/internal/core/token"
	"limen/internal/op"
	"limen/internal/wire/qrcode"
)

// Answer is what StartAuthentication and AdvanceAuthentication give: one of several shapes, told apart by Summary. What
// belongs to another shape is absent, not null: clients take presence as meaning.
type Answer struct {
	*Package // NewPackage
	*Success // LoginSuccess
	// ClientMessage is text for the person.
	ClientMessage string `json:"ClientMessage,omitempty"`
	// PodFqdn is the host to ask: in LoginSuccess from now on, alone in an answer instead of this one. No scheme.
	PodFqdn string `json:"PodFqdn,omitempty"`
	// Summary is NewPackage, StartNextChallenge, OobPending, LoginSuccess, NoncommitalSuccess, Failure, CannotSatisfyChallenges or
	// Undefined.
	Summary string `json:"Summary,omitempty"`
	// PublicKey goes with OobPending where a key of WebAuthn was started: what navigator.credentials.get takes as publicKey, in the form
	// that PublicKeyCredential.parseRequestOptionsFromJSON reads. The answer is the text of the result's toJSON.
	PublicKey *passkey.Assertion `json:"PublicKey,omitempty"`
	// GeneratedAuthValue goes with OobPending where an authenticator was asked, and with the package of StartQRCodeAuthentication: the number that
	// the person has to enter on the authenticator. Absent where none was asked, because it is not the mechanism's way, or because too many requests were left unanswered: the code is what is left then.
	GeneratedAuthValue string `json:"GeneratedAuthValue,omitempty"`
	// ThirdPartyMfaRequest goes with OobPending where DUO was started: the address of Duo's prompt for a browser. What the browser brings back goes to
	// SubmitDuo, or is the Answer.
	ThirdPartyMfaRequest string `json:"ThirdPartyMfaRequest,omitempty"`
	// ChallengeID is what StartChallenge takes, where a challenge is due.
	ChallengeID string `json:"ChallengeId,omitempty"`

	cookies []*http.Cookie
	sign    token.Unsigned // of Success.Token
}

// Cookies are those that the answer sets.
func (a Answer) Cookies() []*http.Cookie { return a.cookies }

// Finish signs the platform token of a complete sign-in.
func (a Answer) Finish(ctx context.Context, _ *op.Call) (any, error) {
	if a.sign == nil {
		return a, nil
	}
	var err error
	a.Token, err = a.sign(ctx)
	return a, err
}

// Package is what a client is asked to answer.
type Package struct {
	ClientHints ClientHints `json:"ClientHints"`
	Version     string      `json:"Version"`
	// SessionID proves the conversation: url-safe base64, 44 characters ending in 1.
	SessionID string `json:"SessionId"`
	// EventDescription is a notice for the person, or null.
	EventDescription *string `json:"EventDescription"`
	// RetryWaitingTime is for how many seconds answers are refused.
	RetryWaitingTime int `json:"RetryWaitingTime"`
	// SecurityImageName is the image that the person chose, where the cookie CCSID shows a browser in which they have signed in
	// before, in a package of StartAuthentication; else null.
	SecurityImageName *string `json:"SecurityImageName"`
	// AllowLoginMfaCache is always false.
	AllowLoginMfaCache bool `json:"AllowLoginMfaCache"`
	// Challenges are answered in order, one mechanism of each.
	Challenges []Challenge `json:"Challenges"`
	TenantID   string      `json:"TenantId"`
}

// ClientHints are what a client may offer.
type ClientHints struct {
	PersistDefault                bool `json:"PersistDefault"`
	AllowPersist                  bool `json:"AllowPersist"`
	AllowForgotPassword           bool `json:"AllowForgotPassword"`
	EndpointAuthenticationEnabled bool `json:"EndpointAuthenticationEnabled"`
}

// Challenge is a choice of mechanisms.
type Challenge struct {
	Mechanisms []Mechanism `json:"Mechanisms"`
}

// Mechanism is one way to answer a challenge. What a mechanism has no use for is absent.
type Mechanism struct {
	AnswerType           string     `json:"AnswerType"` // Text, StartTextOob or StartOob
	Name                 string     `json:"Name"`
	PromptMechChosen     string     `json:"PromptMechChosen"`
	PromptSelectMech     string     `json:"PromptSelectMech"`
	MechanismID          string     `json:"MechanismId"`
	Enrolled             bool       `json:"Enrolled"`
	UIPrompt             string     `json:"UiPrompt,omitempty"`
	MaskedEmailAddress   string     `json:"MaskedEmailAddress,omitempty"`
	PartialAddress       string     `json:"PartialAddress,omitempty"`
	EmailType            string     `json:"EmailType,omitempty"`
	PartialDeviceAddress string     `json:"PartialDeviceAddress,omitempty"`
	PartialPhoneNumber   string     `json:"PartialPhoneNumber,omitempty"` // of a call
	Question             string     `json:"Question,omitempty"`
	MultipartMechanism   *Multipart `json:"MultipartMechanism,omitempty"`
	ComplexityHint       string     `json:"PasswordComplexityHint,omitempty"`
	Type                 string     `json:"Type,omitempty"` // of U2F: SECURITYKEY, ONDEVICE or PASSKEY
	// Image is the code of QR, as a PNG image in a data URI. It can be read once the mechanism has been started.
	Image string `json:"Image,omitempty"`
}

// Multipart is several questions that are answered together.
type Multipart struct {
	PromptSelectMech string `json:"PromptSelectMech"`
	MechanismParts   []Part `json:"MechanismParts"`
}

// Part is one of them.
type Part struct {
	UUID             string `json:"Uuid"` // u_ and a UUID
	QuestionText     string `json:"QuestionText"`
	PromptMechChosen string `json:"PromptMechChosen"`
}

// Success is a complete sign-in.
type Success struct {
	AuthLevel     string `json:"AuthLevel"` // Normal, or High after two factors
	DisplayName   string `json:"DisplayName"`
	Token         string `json:"Token,omitempty"` // platform token, a JWT
	Auth          string `json:"Auth,omitempty"`  // session token, the value of the cookie .ASPXAUTH; absent where no session comes of it
	UserID        string `json:"UserId"`
	EmailAddress  string `json:"EmailAddress"`
	UserDirectory string `json:"UserDirectory"`
	User          string `json:"User"`
	CustomerID    string `json:"CustomerID"`
	SystemID      string `json:"SystemID"`
	SourceDsType  string `json:"SourceDsType"`
	// RefreshToken and TokenLifetime (seconds) come when PlatformTokenResponse was true at the start.
	RefreshToken  string `json:"RefreshToken,omitempty"`
	TokenLifetime int    `json:"TokenLifetime,omitempty"`
}

// directory is the built-in one, in the contract's words.
const directory = "CDS"

func result(c *op.Call, r login.Result) Answer {
	switch {
	case r.Success != nil:
		return success(c, r.Success)
	case r.Package != nil:
		out := packed(c, r.Package)
		out.ClientMessage = r.Message
		return out
	}
	out := Answer{Summary: string(r.Summary), ClientMessage: r.Message, GeneratedAuthValue: r.Number}
	if r.Started != nil {
		if q, ok := passkey.Request(*r.Started); ok {
			out.PublicKey = &q
		}
		if r.Started.Away != nil {
			out.ThirdPartyMfaRequest = r.Started.Away.URL
		}
	}
	return out
}

func packed(c *op.Call, p *login.Package) Answer {
	out := &Package{
		ClientHints: ClientHints{AllowPersist: p.AllowPersist, AllowForgotPassword: p.AllowForgot},
		Version:     "1.0", SessionID: p.Session, RetryWaitingTime: p.Wait, TenantID: c.Tenant.ID,
	}
	if p.Message != "" {
		out.EventDescription = &p.Message
	}
	if p.Image != "" {
		out.SecurityImageName = &p.Image
	}
	for _, alternatives := range p.Challenges {
		var one Challenge
		for _, ch := range alternatives {
			one.Mechanisms = append(one.Mechanisms, shown(c, ch))
		}
		out.Challenges = append(out.Challenges, one)
	}
	return Answer{Package: out, Summary: string(login.NewPackage)}
}

func shown(c *op.Call, ch factor.Challenge) Mechanism {
	p := ch.Prompt
	m := Mechanism{
		AnswerType: p.AnswerType, Name: ch.Name, PromptMechChosen: p.Chosen, PromptSelectMech: p.Select, MechanismID: ch.ID, Enrolled: true,
		UIPrompt: p.UI, MaskedEmailAddress: p.MaskedMail, PartialAddress: p.Domain, PartialDeviceAddress: p.Digits, Question: p.Question,
		ComplexityHint: p.Hint, Type: p.Type,
	}
	if ch.Name == factor.Phone {
		m.PartialDeviceAddress, m.PartialPhoneNumber = "", p.Digits
	}
	if passkey.Is(ch.Name) { // clients know one name for keys of all types
		m.Name = factor.SecurityKey
	}
	if p.Domain != "" {
		m.EmailType = "Primary"
	}
	if ch.Name == factor.QR { // an address is never too long for a code
		m.Image, _ = qrcode.PNG(login.CodeURL(c.Tenant.Host, ch))
	}
	if len(p.Parts) > 0 {
		m.MultipartMechanism = &Multipart{PromptSelectMech: p.Select}
		for _, part := range p.Parts {
			m.MultipartMechanism.MechanismParts = append(m.MultipartMechanism.MechanismParts, Part{part.ID, part.Question, p.Chosen})
		}
	}
	return m
}

func success(c *op.Call, s *login.Success) Answer {
	out := &Success{
		AuthLevel: s.Session.Level, DisplayName: s.Person.Display, Auth: s.Auth, UserID: s.Person.ID, EmailAddress: s.Person.Mail,
		UserDirectory: directory, User: s.Person.Name, CustomerID: c.Tenant.ID, SystemID: c.Tenant.ID, SourceDsType: directory,
	}
	if len([]rune(out.DisplayName)) < 2 { // clients insist on two characters
		out.DisplayName = s.Person.Name
	}
	if s.Platform {
		out.RefreshToken, out.TokenLifetime = s.Refresh, s.Lifetime
	}
	a := Answer{Success: out, sign: s.Token, PodFqdn: c.Tenant.Host, Summary: string(login.Succeeded)}
	if s.Auth != "" { // else nobody is signed in by it: a program has learned something
		a.signIn(c, s)
	}
	return a
}
