package passkey

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/dbx"
)

// Mechanism asks for a signature by a key of one kind. The answer is the text of PublicKeyCredential.toJSON.
type Mechanism struct {
	Keys Keys
	Kind string
}

// Mechanisms are those of all kinds.
func Mechanisms(k Keys) []factor.Mechanism {
	return []factor.Mechanism{Mechanism{k, SecurityKey}, Mechanism{k, OnDevice}, Mechanism{k, Passkey}}
}

// asked is what a kind is called, and what is asked for.
var asked = map[string]struct{ name, label, prompt string }{
	SecurityKey: {factor.SecurityKey, "Security key", "Use your security key."},
	OnDevice:    {factor.OnDevice, "This device", "Confirm with the authenticator of your device."},
	Passkey:     {factor.Passkey, "Passkey", "Use your passkey."},
}

// Is says whether a mechanism is one of a key's.
func Is(mechanism string) bool {
	return mechanism == factor.SecurityKey || mechanism == factor.OnDevice || mechanism == factor.Passkey
}

// Name is U2F, U2FONDEVICE or PASSKEY.
func (m Mechanism) Name() string { return asked[m.Kind].name }

// Offer asks people who have a key of the kind for the host that was asked for, unless its counter went back.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	list, err := m.usable(ctx, c, p.ID, here(c).RP)
	if err != nil || len(list) == 0 {
		return factor.Prompt{}, false, err
	}
	a := asked[m.Kind]
	out := factor.Prompt{AnswerType: factor.StartTextOOB, Chosen: a.prompt, Select: a.label, UI: a.prompt, Type: m.Kind}
	for _, k := range list {
		out.Keys = append(out.Keys, factor.Key{ID: k.Handle, Transports: split(k.Transports)})
	}
	return out, true, nil
}

func (m Mechanism) usable(ctx context.Context, c *call.Call, userID, rp string) ([]Key, error) {
	all, err := m.Keys.List(ctx, c, userID)
	return slices.DeleteFunc(all, func(k Key) bool { return k.Kind != m.Kind || k.RP != rp || k.Cloned != 0 }), err
}

// Disguise replaces the handles of somebody's keys by others of the same length.
func (m Mechanism) Disguise(p factor.Prompt, seed []byte) factor.Prompt {
	p.Keys = slices.Clone(p.Keys)
	for i, k := range p.Keys {
		p.Keys[i].ID = invented(seed, i, len(k.ID))
	}
	return p
}

// invented makes a handle of a length that is the same for a seed each time.
func invented(seed []byte, i, length int) string {
	h := hmac.New(sha256.New, seed)
	fmt.Fprintf(h, "key\x00%d", i)
	raw := h.Sum(nil)
	for size := base64.RawURLEncoding.DecodedLen(length); len(raw) < size; {
		h.Write(raw)
		raw = h.Sum(raw)
	}
	return base64.RawURLEncoding.EncodeToString(raw[:base64.RawURLEncoding.DecodedLen(length)])
}

// Start draws what is to be signed for, in place of what was drawn before.
func (m Mechanism) Start(_ context.Context, c *call.Call, _ factor.Person, ch *factor.Challenge, _ string) (err error) {
	if ch.Code, err = draw(c); err != nil {
		return err
	}
	ch.Origin, ch.Sent, ch.Expires = here(c).Origin, c.Now.UnixMilli(), c.Now.Add(wait).UnixMilli()
	return nil
}

// Request is what the browser is told for a challenge that was started; false where it is none of a key's.
func Request(ch factor.Challenge) (Assertion, bool) {
	s, ok := siteOf(ch.Origin)
	if !ok || !Is(ch.Name) || ch.Code == "" {
		return Assertion{}, false
	}
	out := Assertion{
		Challenge: ch.Code, Timeout: wait.Milliseconds(), RPID: s.RP, AllowCredentials: []Descriptor{},
		UserVerification: selections[ch.Prompt.Type].UserVerification,
	}
	for _, k := range ch.Prompt.Keys {
		out.AllowCredentials = append(out.AllowCredentials, Descriptor{publicKey, k.ID, k.Transports})
	}
	return out, true
}

// proof is what an answer shows of a key.
type proof struct {
	key    Key // as it is afterwards
	cloned bool
	drawn  int64 // when the challenge was drawn, where no conversation keeps it; 0: one does
}

// Check verifies a signature (section 7.2). For a key that nobody has, another one is tried, so that it takes as long.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, ch factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	s, ok := siteOf(ch.Origin)
	if !ok || ch.Code == "" || a.Text == "" || len(a.Text) > maxAnswer {
		return factor.Verdict{}, nil
	}
	var list []Key
	if err := c.Snapshot(ctx, func() (err error) {
		list, err = m.usable(ctx, c, p.ID, s.RP)
		return err
	}); err != nil {
		return factor.Verdict{}, err
	}
	answer, ok := read(a.Text)
	if !ok {
		return factor.Verdict{}, nil
	}
	handle := base64.RawURLEncoding.EncodeToString(answer.RawID)
	at := slices.IndexFunc(list, func(k Key) bool { return k.Handle == handle })
	key := Key{Handle: handle, User: p.ID, Public: nobodys}
	if at >= 0 {
		key = list[at]
	}
	signed, ok := verified(s, ch.Code, selections[m.Kind].UserVerification, key, answer)
	if !ok || at < 0 {
		return factor.Verdict{}, nil
	}
	key.BackedUp = signed.Flags.BackupState
	if !signed.Authenticator.CloneWarning {
		key.Count = int64(signed.Authenticator.SignCount)
	}
	return factor.Verdict{Right: !signed.Authenticator.CloneWarning, Proof: proof{key: key, cloned: signed.Authenticator.CloneWarning}}, nil
}

// nobodys is a public key in COSE: ES256, and the base point of the curve.
var nobodys, _ = hex.DecodeString("a5010203262001215820" + "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
	"225820" + "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")

// read takes an answer apart; what is wrong with one tells nobody anything.
func read(text string) (*protocol.ParsedCredentialAssertionData, bool) {
	answer, err := protocol.ParseCredentialRequestResponseBytes([]byte(text))
	return answer, err == nil
}

// verified gives what a key's signature shows; false where it is none, or not what was asked for.
func verified(s Site, challenge, verification string, k Key, answer *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, bool) {
	rp, err := party(s)
	if err != nil {
		return nil, false
	}
	one := webauthn.Credential{
		ID: answer.RawID, PublicKey: k.Public, AttestationFormat: k.Format,
		Flags:         webauthn.CredentialFlags{BackupEligible: k.Eligible, BackupState: k.BackedUp, UserVerified: k.Verified},
		Authenticator: webauthn.Authenticator{SignCount: uint32(k.Count)},
	}
	asked := webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: s.RP, UserID: []byte(k.User), AllowedCredentialIDs: [][]byte{answer.RawID},
		UserVerification: protocol.UserVerificationRequirement(verification),
	}
	out, err := rp.ValidateLogin(holder{k.User, []webauthn.Credential{one}}, asked, answer)
	return out, err == nil
}

var (
	signed = dbx.E("passkey.signed", `UPDATE passkey SET sign_count = ?, backed_up = ?, used = ?, version = version + 1
		WHERE tenant = ? AND user_id = ? AND id = ? AND cloned = 0 AND (sign_count < ? OR sign_count = ?) AND used < ?`)
	suspect = dbx.E("passkey.suspect", `UPDATE passkey SET cloned = ?, version = version + 1 WHERE tenant = ? AND user_id = ? AND id = ? AND cloned = 0`)
)

// Commit notes the key's counter, which only goes forward where the authenticator has one. A key whose counter went back is of no
// use afterwards: two hold it.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	pr, ok := v.Proof.(proof)
	if !ok || ch.Passed || ch.Code == "" || c.Now.UnixMilli() >= ch.Expires || pr.key.User != p.ID {
		ch.Tries++
		return false, nil
	}
	if pr.cloned {
		ch.Tries++
		return false, m.cloned(ctx, c, p, pr.key)
	}
	same := int64(-1)
	if pr.key.Count == 0 {
		same = 0
	}
	used, before := c.Now.UnixMilli(), int64(math.MaxInt64)
	if pr.drawn != 0 { // a challenge that nobody keeps is used up by the key's use: none that was drawn before is good any more
		used, before = max(used, pr.drawn), pr.drawn
	}
	n, err := signed.Do(ctx, c.Tx, pr.key.Count, pr.key.BackedUp, used, c.Tenant.ID, p.ID, pr.key.Handle, pr.key.Count, same, before)
	if ch.Passed = err == nil && n == 1; ch.Passed {
		ch.Code = ""
	}
	return ch.Passed, err
}

func (m Mechanism) cloned(ctx context.Context, c *call.Call, p factor.Person, k Key) error {
	n, err := suspect.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, p.ID, k.Handle)
	if err != nil || n == 0 {
		return err
	}
	e := c.Record(audit.FactorChange)
	k.Tell(e, p.ID, p.Name)
	e.Set("Cloned", true)
	return nil
}
