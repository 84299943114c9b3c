// Package mschap is MS-CHAP version 2 (RFC 2759): what it computes, the keys that come of it (RFC 3079), and how it is written in attributes
// of RADIUS (RFC 2548 section 2.3) and in EAP (draft-kamath-pppext-eap-mschapv2). Version 1 is not here.
//
// MD4 and DES are the protocol's and protect nothing today: whoever sees an exchange outside of TLS finds the hash with 2^56 trials.
package mschap

import (
	"crypto/des" //nolint:gosec // RFC 2759 section 8.5
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 2759 section 8.2
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/md4" //nolint:gosec,staticcheck // RFC 2759 section 8.3
)

// Hash is what a password is known by: whoever has it can do all that the password can.
type Hash [md4.Size]byte

// HashOf hashes a password (RFC 2759 section 8.3).
func HashOf(password string) Hash {
	var b []byte
	for _, u := range utf16.Encode([]rune(password)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return digest(b)
}

func digest(b []byte) (out Hash) {
	h := md4.New() //nolint:gosec // RFC 2759 section 8.3
	h.Write(b)
	copy(out[:], h.Sum(nil))
	return out
}

// Challenge is what one side asks the other to prove itself with.
type Challenge [16]byte

// NewChallenge draws one.
func NewChallenge() (c Challenge) {
	rand.Read(c[:]) //nolint:errcheck // it never fails
	return c
}

// Response is what a peer says to a challenge.
type Response struct {
	ID       byte
	Peer     Challenge // by which the server is asked
	Response [24]byte
}

// Exchange is a challenge with the response to it.
type Exchange struct {
	Asked Challenge
	Response
	Name string // of the peer, as it was said; a Windows domain before it does not count (RFC 2759 section 8.2)
}

// Right says whether a response is that of a hash. Who gives the challenge back as their own is refused: what is said by this side must not serve
// them as an answer.
func (e Exchange) Right(h Hash) bool {
	want := e.respond(h)
	right := hmac.Equal(want[:], e.Response.Response[:])
	return right && !hmac.Equal(e.Asked[:], e.Peer[:])
}

// Respond answers a challenge as a peer does.
func Respond(asked, peer Challenge, id byte, name, password string) Exchange {
	e := Exchange{Asked: asked, Response: Response{ID: id, Peer: peer}, Name: name}
	e.Response.Response = e.respond(HashOf(password))
	return e
}

// respond is ChallengeResponse (RFC 2759 section 8.5).
func (e Exchange) respond(h Hash) (out [24]byte) {
	var key [21]byte
	copy(key[:], h[:])
	plain := e.short()
	for i := range 3 {
		k := binary.BigEndian.Uint64(append([]byte{0}, key[7*i:7*i+7]...))
		var wide [8]byte
		for j := range wide { // seven bits of each byte count; DES does not look at the last one
			wide[j] = byte(k>>(49-7*j)) << 1
		}
		block, _ := des.NewCipher(wide[:]) //nolint:errcheck,gosec // it fails for keys of another length alone
		block.Encrypt(out[8*i:], plain[:])
	}
	return out
}

// short is ChallengeHash (RFC 2759 section 8.2).
func (e Exchange) short() (out [8]byte) {
	name := e.Name
	if _, after, ok := strings.Cut(name, `\`); ok {
		name = after
	}
	copy(out[:], sum(e.Peer[:], e.Asked[:], []byte(name)))
	return out
}

func sum(parts ...[]byte) []byte {
	h := sha1.New() //nolint:gosec // RFC 2759 section 8.2
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// Proof is what shows the peer that the server has the hash as well (RFC 2759 section 8.7).
func (e Exchange) Proof(h Hash) string {
	twice, short := digest(h[:]), e.short()
	first := sum(twice[:], e.Response.Response[:], []byte("Magic server to client signing constant"))
	return "S=" + strings.ToUpper(hex.EncodeToString(sum(first, short[:], []byte("Pad to make it do more than one iteration"))))
}

// Keys are those that an exchange gives (RFC 3079 section 3.3): the one for what the client of RADIUS receives of the peer, and the one for what
// it sends to it.
func (e Exchange) Keys(h Hash) (receive, send []byte) {
	twice := digest(h[:])
	master := sum(twice[:], e.Response.Response[:], []byte("This is the MPPE Master Key"))[:16]
	var zeros [40]byte
	other := [40]byte{}
	for i := range other {
		other[i] = 0xf2
	}
	key := func(label string) []byte { return sum(master, zeros[:], []byte(label), other[:])[:16] }
	return key("On the client side, this is the send key; on the server side, it is the receive key."),
		key("On the client side, this is the receive key; on the server side, it is the send key.")
}
