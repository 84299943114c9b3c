package passkey

import (
	"encoding/base64"
	"slices"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/google/uuid"

	"limen/internal/core/factor"
)

// Creation is what a browser is told for registering an authenticator: PublicKeyCredentialCreationOptionsJSON of Web
// Authentication level 3. Binary values are in base64url.
type Creation struct {
	// Challenge is what is to be signed for; it is good once, for five minutes.
	Challenge string `json:"challenge"`
	// RP is whose key it will be.
	RP Party `json:"rp"`
	// User is whose it will be.
	User Account `json:"user"`
	// PubKeyCredParams are the algorithms that are understood, the best first.
	PubKeyCredParams []Algorithm `json:"pubKeyCredParams"`
	// Timeout is for how long the browser waits, in milliseconds.
	Timeout int64 `json:"timeout"`
	// ExcludeCredentials are the keys that the person has: an authenticator that holds one of them says so.
	ExcludeCredentials []Descriptor `json:"excludeCredentials"`
	// AuthenticatorSelection is what the authenticator must be like.
	AuthenticatorSelection Selection `json:"authenticatorSelection"`
	// Attestation is none: no proof of the authenticator's maker is asked for.
	Attestation string `json:"attestation"`
	// Extensions are asked for besides.
	Extensions Extensions `json:"extensions"`
}

// Party is who asks for a key.
type Party struct {
	// ID is the host name for whose pages the key will sign.
	ID string `json:"id"`
	// Name is shown to the person.
	Name string `json:"name"`
}

// Account is whose the key will be.
type Account struct {
	// ID is the user handle, by which a passkey finds the account.
	ID string `json:"id"`
	// Name is the login name.
	Name string `json:"name"`
	// DisplayName is the person's name.
	DisplayName string `json:"displayName"`
}

// Algorithm is one of COSE.
type Algorithm struct {
	// Type is public-key.
	Type string `json:"type"`
	// Alg is its number: -8 is EdDSA, -7 ES256, -257 RS256.
	Alg int64 `json:"alg"`
}

// Descriptor names a key.
type Descriptor struct {
	// Type is public-key.
	Type string `json:"type"`
	// ID is its handle.
	ID string `json:"id"`
	// Transports are the ways to the authenticator: usb, nfc, ble, hybrid, internal.
	Transports []string `json:"transports,omitempty"`
}

// Selection is what an authenticator must be like.
type Selection struct {
	// AuthenticatorAttachment is cross-platform for a thing of its own, platform for what is built in; absent: either.
	AuthenticatorAttachment string `json:"authenticatorAttachment,omitempty"`
	// ResidentKey says whether the key must find the account by itself: required, preferred or discouraged.
	ResidentKey string `json:"residentKey"`
	// RequireResidentKey is the same to older browsers.
	RequireResidentKey bool `json:"requireResidentKey"`
	// UserVerification says whether the authenticator verifies the person: required or preferred.
	UserVerification string `json:"userVerification"`
}

// Extensions are asked for besides.
type Extensions struct {
	// CredProps has the browser say whether the key finds the account by itself.
	CredProps bool `json:"credProps"`
}

// Assertion is what a browser is told for a signature: PublicKeyCredentialRequestOptionsJSON of Web Authentication level 3.
type Assertion struct {
	// Challenge is what is to be signed for; it is good once, for five minutes.
	Challenge string `json:"challenge"`
	// Timeout is for how long the browser waits, in milliseconds.
	Timeout int64 `json:"timeout"`
	// RPID is the host name for whose pages the key signs.
	RPID string `json:"rpId"`
	// AllowCredentials are the keys of which one is to sign.
	AllowCredentials []Descriptor `json:"allowCredentials"`
	// UserVerification says whether the authenticator verifies the person: required or preferred.
	UserVerification string `json:"userVerification"`
}

const (
	publicKey = "public-key"
	maxPublic = 8 << 10 // bytes of a key
)

var algorithms = []Algorithm{{publicKey, -8}, {publicKey, -7}, {publicKey, -257}}

// selections by kind.
var selections = map[string]Selection{
	SecurityKey: {AuthenticatorAttachment: "cross-platform", ResidentKey: "discouraged", UserVerification: "preferred"},
	OnDevice:    {AuthenticatorAttachment: "platform", ResidentKey: "preferred", UserVerification: "required"},
	Passkey:     {ResidentKey: "required", RequireResidentKey: true, UserVerification: "required"},
}

func creation(p factor.Person, want Registration, challenge string, have []Key) Creation {
	display := p.Display
	if display == "" {
		display = p.Name
	}
	out := Creation{
		Challenge: challenge, RP: Party{want.Site.RP, want.Company}, User: Account{base64.RawURLEncoding.EncodeToString([]byte(p.ID)), p.Name, display},
		PubKeyCredParams: algorithms, Timeout: wait.Milliseconds(), ExcludeCredentials: []Descriptor{}, AuthenticatorSelection: selections[want.Kind],
		Attestation: "none", Extensions: Extensions{CredProps: true},
	}
	for _, k := range have {
		if k.RP == want.Site.RP {
			out.ExcludeCredentials = append(out.ExcludeCredentials, Descriptor{publicKey, k.Handle, split(k.Transports)})
		}
	}
	return out
}

func split(commas string) []string {
	return strings.FieldsFunc(commas, func(r rune) bool { return r == ',' })
}

// holder is somebody as the library knows them.
type holder struct {
	id   string
	keys []webauthn.Credential
}

func (h holder) WebAuthnID() []byte                         { return []byte(h.id) }
func (h holder) WebAuthnName() string                       { return h.id }
func (h holder) WebAuthnDisplayName() string                { return h.id }
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

// party is the tenant as the library knows it at a site. Extensions that nobody asked for are left alone: password managers
// answer some of their own.
func party(s Site) (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{
		RPID: s.RP, RPDisplayName: s.RP, RPOrigins: []string{s.Origin}, ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
}

// created reads and verifies what an authenticator answered to a registration (section 7.1). Faults: ErrAnswer, ErrUnfit.
func created(userID string, row pendingRow, raw string) (Key, error) {
	if len(raw) > maxAnswer {
		return Key{}, ErrAnswer
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes([]byte(raw))
	if err != nil {
		return Key{}, ErrAnswer.Because(err)
	}
	rp, err := party(Site{row.RP, row.Origin})
	if err != nil {
		return Key{}, err
	}
	begun := webauthn.SessionData{
		Challenge: row.Challenge, RelyingPartyID: row.RP, UserID: []byte(userID),
		UserVerification: protocol.UserVerificationRequirement(selections[row.Kind].UserVerification),
	}
	for _, a := range algorithms {
		begun.CredParams = append(begun.CredParams, protocol.CredentialParameter{Type: publicKey, Algorithm: webauthncose.COSEAlgorithmIdentifier(a.Alg)})
	}
	made, err := rp.CreateCredential(holder{id: userID}, begun, answer)
	if err != nil || len(made.ID) == 0 || len(made.PublicKey) > maxPublic {
		return Key{}, ErrAnswer.Because(err)
	}
	return keyOf(userID, row, made), fits(row.Kind, made)
}

// fits says why an authenticator is not of a kind. What it says of itself is believed: no proof is asked for.
func fits(kind string, made *webauthn.Credential) error {
	at, rk := made.Authenticator.Attachment, made.Extensions.RK
	switch {
	case kind == SecurityKey && made.Flags.BackupEligible:
		return ErrUnfit.Say("The authenticator may copy its key to other devices, which no security key does. Register it as a passkey: type PASSKEY.")
	case kind == SecurityKey && at == protocol.Platform:
		return ErrUnfit.Say("The authenticator is built into the device. Register it with the type ONDEVICE.")
	case kind == OnDevice && at == protocol.CrossPlatform:
		return ErrUnfit.Say("The authenticator is not built into the device. Register it with the type SECURITYKEY or PASSKEY.")
	case kind == Passkey && rk != nil && !*rk:
		return ErrUnfit.Say("The authenticator made a key that does not find the account by itself, which a passkey must.")
	}
	return nil
}

func keyOf(userID string, row pendingRow, made *webauthn.Credential) Key {
	model, _ := uuid.FromBytes(made.Authenticator.AAGUID)
	var ways []string
	for _, t := range made.Transport {
		if way := string(t); slices.Contains([]string{"usb", "nfc", "ble", "hybrid", "internal", "smart-card"}, way) && !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return Key{
		Handle: base64.RawURLEncoding.EncodeToString(made.ID), User: userID, Name: row.Name, Kind: row.Kind, RP: row.RP, Public: made.PublicKey,
		Model: model.String(), Format: made.AttestationFormat, Transports: strings.Join(ways, ","), Attachment: string(made.Authenticator.Attachment),
		Count: int64(made.Authenticator.SignCount), Verified: made.Flags.UserVerified, Eligible: made.Flags.BackupEligible, BackedUp: made.Flags.BackupState,
	}
}
