// Package factor is what a mechanism of sign-in is: the password, a code by mail, an authenticator app. Mechanisms are
// plug-ins behind one interface; factortest has the suite that each of them passes. The conversation that asks them is
// core/login's.
package factor

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"limen/internal/call"
	"limen/internal/fault"
	"limen/internal/wire/mschap"
)

// Names of mechanisms on the wire (authentication.yaml, StartAuthentication).
const (
	Password = "UP"
	Email    = "EMAIL"
	SMS      = "SMS"
	Phone    = "PF"
	OATH     = "OATH"
	Question = "SQ"
	Radius   = "RADIUS" // a passcode that a server elsewhere knows
	// Keys of WebAuthn, by what the authenticator is (policies.yaml n 168, mechanism_codes).
	SecurityKey = "U2F"
	OnDevice    = "U2FONDEVICE"
	Passkey     = "PASSKEY"
	// OTP asks a device of the person's, or takes a code of it (policies.yaml n 168).
	OTP = "OTP"
	// QR has a device of the person's read a code that the sign-in shows.
	QR = "QR"
	// Duo leads the person to Duo, which says whether it is they.
	Duo = "DUO"
	// Recovery takes a code of a person's that stands in for a factor that is lost. The name is this program's own: the contract has none.
	Recovery = "RECOVERY"
	// Network takes an exchange of MS-CHAP by a password that a person has for networks alone, at RADIUS clients in place of theirs. No profile names
	// it. The name is this program's own.
	Network = "NETWORK"
	Reset   = "RESET" // a new password; asked by the conversation itself
	// Consent is that the person agrees to terms; asked by the conversation itself. It proves nothing. The name is this program's own.
	Consent = "CONSENT"
)

// How a mechanism is answered.
const (
	Text         = "Text"         // by typing
	StartTextOOB = "StartTextOob" // after StartOOB, by typing or elsewhere
	StartOOB     = "StartOob"     // after StartOOB, elsewhere
)

// Faults of mechanisms.
var (
	ErrNotEnrolled = fault.New(fault.Invalid, "factor.not_enrolled", "The mechanism is not set up for this user.")
	ErrNoStart     = fault.New(fault.Invalid, "factor.no_start", "The mechanism is answered by typing and is not started.")
	ErrSends       = fault.New(fault.Limited, "factor.sends", "The code was sent too often.")
)

// Person is whose factors answer.
type Person struct {
	ID      string // UUID; empty: nobody. A mechanism works for nobody as it does for anybody, and never finds them right.
	Name    string // login name
	Display string
	Mail    string
	Mobile  string
	Culture string // language of messages, BCP 47
	Org     string // organization that they belong to, in whose words they are written to; empty: none
}

// Prompt is how a mechanism is shown in a package; what it has no use for is empty.
type Prompt struct {
	AnswerType string `json:"a"` // Text, StartTextOob or StartOob
	Chosen     string `json:"c"` // the sentence that asks for the answer
	Select     string `json:"s"` // label in a menu of mechanisms
	UI         string `json:"u,omitempty"`
	MaskedMail string `json:"mm,omitempty"` // "***@domain"
	Domain     string `json:"d,omitempty"`
	Digits     string `json:"n,omitempty"` // last four of a telephone number
	Question   string `json:"q,omitempty"` // the first question
	Parts      []Part `json:"p,omitempty"`
	Hint       string `json:"h,omitempty"` // text of the password policy
	Type       string `json:"t,omitempty"` // kind of the keys
	Keys       []Key  `json:"k,omitempty"` // of which one is to sign
}

// Key names a key of WebAuthn.
type Key struct {
	ID         string   `json:"i"` // credential id, in base64url
	Transports []string `json:"t,omitempty"`
}

// Part is one of several questions that are answered together.
type Part struct {
	ID       string `json:"i"` // u_ and a UUID
	Question string `json:"q"`
}

// Challenge is a mechanism in a conversation: what was shown, and what it keeps between calls. It is stored sealed.
type Challenge struct {
	ID      string `json:"id"` // opaque, unguessable
	Name    string `json:"n"`
	Prompt  Prompt `json:"p"`
	Code    string `json:"c,omitempty"` // keyed hash of the code that was sent, or what a key is to sign for
	Origin  string `json:"o,omitempty"` // of the page on which a key is to sign
	Sent    int64  `json:"s,omitempty"` // ms since 1970 UTC
	Expires int64  `json:"e,omitempty"` // of the code
	Sends   int    `json:"x,omitempty"`
	Tries   int    `json:"t,omitempty"` // wrong answers
	Passed  bool   `json:"ok,omitempty"`
	// Recovery says that the answer helps to replace a forgotten password, rather than to sign in.
	Recovery bool `json:"r,omitempty"`
	// Number is what the person has to enter where they approve; empty: nobody was asked.
	Number string `json:"nu,omitempty"`
	// Terms are what the person is asked to agree to, of Consent.
	Terms *Terms `json:"tm,omitempty"`
	// Away is where the person was led, of a Leader that was started.
	Away *Away `json:"aw,omitempty"`
	// From says who starts the mechanism, while it is started, where somebody may be asked.
	From From `json:"-"`
}

// Away is where a person was led to prove elsewhere who they are.
type Away struct {
	URL    string `json:"u"`  // that the browser opens
	State  string `json:"s"`  // comes back with the browser
	Nonce  string `json:"n"`  // comes back in what is proven
	User   string `json:"n1"` // name of the person there
	Return string `json:"r"`  // address to which the browser comes back
}

// Leader is a mechanism that leads people elsewhere. Lead says where, outside transactions, before Start. Nobody is led who has shown nothing yet.
type Leader interface {
	Lead(ctx context.Context, c *call.Call, p Person, ch Challenge) (*Away, error)
}

// Terms name what somebody is asked to agree to.
type Terms struct {
	Version  string `json:"v"`
	Language string `json:"l"` // BCP 47 tag
	URL      string `json:"u,omitempty"`
}

// From is a conversation that starts a mechanism.
type From struct {
	Talk []byte // hash of its id, by which who answers elsewhere finds it
	App  string // name of what the person signs in to; empty: this server itself
	Name string // login name of who signs in, where another one's factors answer
}

// Answer is what somebody says: a text, a text for each of several questions, or what a machine made of a secret.
type Answer struct {
	Text     string
	Parts    map[string]string // by Part.ID
	Exchange mschap.Exchange   // of Network
	// Repeated says that a device sends Text again and again, as one does that keeps somebody's password for a RADIUS client.
	Repeated bool
}

// Verdict is what Check found out, for Commit. Right does not let anybody in by itself: Commit may still refuse, since
// between the two the code may have been used.
type Verdict struct {
	Right bool
	Proof any // the mechanism's own
	// Again asks for something else before it is known whether the person is right: it is the sentence to ask with. Token is what the
	// mechanism finds in Challenge.Code when that is answered.
	Again, Token string
	// Leaked says whether the password that was typed, and is right, is known to have leaked; nil: nobody looked.
	Leaked *Leak
}

// Leak is what a list of leaked passwords says of one. Unread says that it could not be searched.
type Leak struct{ Found, Unread bool }

// Mechanism proves somebody. Offer and Check read through c.Snapshot or run in c.Tx, as the caller has it; Start and
// Commit run in a transaction that may write. Keys of the tenant must have been made before (crypt.Ring.Ensure with
// Purposes).
type Mechanism interface {
	// Name is the mechanism's name on the wire.
	Name() string
	// Offer describes how p would be asked; false when p has not enrolled it. c.Tx is open.
	Offer(ctx context.Context, c *call.Call, p Person) (Prompt, bool, error)
	// Disguise turns a prompt that was made for somebody into one that tells nothing about them and is the same for the
	// same seed: for names that do not exist.
	Disguise(prompt Prompt, seed []byte) Prompt
	// Start sends what there is to send. link, when not empty, is an address that answers the challenge by a click.
	// ErrNoStart when it is answered by typing alone; ErrSends when it was started too often.
	Start(ctx context.Context, c *call.Call, p Person, ch *Challenge, link string) error
	// Check looks at an answer; slow work happens here, outside transactions. It takes as long for nobody.
	Check(ctx context.Context, c *call.Call, p Person, ch Challenge, a Answer) (Verdict, error)
	// Commit takes the verdict in the transaction that counts it, and says whether the answer is accepted: not a second
	// time, not after its time, not after too many wrong ones.
	Commit(ctx context.Context, c *call.Call, p Person, ch *Challenge, v Verdict) (bool, error)
}

// Purposes are the purposes under which mechanisms seal and authenticate (crypt.Ring).
var Purposes = []string{PurposeCode, PurposeOATH, PurposeRecovery, PurposeNetwork}

// The purposes.
const (
	PurposeCode = "code"
	PurposeOATH = "oath"
	// PurposeRecovery is that of the hashes of recovery codes.
	PurposeRecovery = "recovery"
	// PurposeNetwork is that of the hashes of network passwords.
	PurposeNetwork = "network"
)

// DigitsOf draws four digits from a seed, for the prompts of nobody's telephone.
func DigitsOf(seed []byte) string {
	sum := sha256.Sum256(append([]byte("digits\x00"), seed...))
	n := binary.BigEndian.Uint32(sum[:4]) % 10000
	return string([]byte{'0' + byte(n/1000), '0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)})
}

// UUIDOf makes the text form of a UUID of a seed, for ids of what does not exist.
func UUIDOf(seed []byte) string {
	sum := sha256.Sum256(append([]byte("uuid\x00"), seed...))
	sum[6], sum[8] = sum[6]&0x0f|0x70, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// Last gives the last four digits of a telephone number; false when it has fewer.
func Last(number string) (string, bool) {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, number)
	if len(digits) < 4 {
		return "", false
	}
	return digits[len(digits)-4:], true
}
