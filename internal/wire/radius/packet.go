// Package radius reads and writes packets of RADIUS (RFC 2865, 2866, 3579, 5997) as they are on the wire. It trusts nothing: what a packet
// says counts once Signed or Counted has shown who made it.
package radius

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"
)

// Code says what a packet is.
type Code byte

// The codes.
const (
	AccessRequest      Code = 1
	AccessAccept       Code = 2
	AccessReject       Code = 3
	AccountingRequest  Code = 4
	AccountingResponse Code = 5
	AccessChallenge    Code = 11
	StatusServer       Code = 12
	DisconnectRequest  Code = 40
	DisconnectACK      Code = 41
	DisconnectNAK      Code = 42
)

// Type is the type of an attribute.
type Type byte

// The types.
const (
	UserName             Type = 1
	UserPassword         Type = 2
	ChapPassword         Type = 3
	NASIPAddress         Type = 4
	FramedMTU            Type = 12
	ReplyMessage         Type = 18
	State                Type = 24
	VendorSpecific       Type = 26
	SessionTimeout       Type = 27
	CallingStation       Type = 31
	NASIdentifier        Type = 32
	ProxyState           Type = 33
	AcctStatusType       Type = 40
	AcctInputOctets      Type = 42
	AcctOutputOctets     Type = 43
	AcctSessionID        Type = 44
	AcctSessionTime      Type = 46
	AcctTerminateCause   Type = 49
	EventTimestamp       Type = 55
	EAPMessage           Type = 79
	MessageAuthenticator Type = 80
	ErrorCause           Type = 101
)

// Bounds of a packet (RFC 2865 section 3) and of what is read of one.
const (
	head          = 20
	MaxPacket     = 4096
	maxValue      = 253
	maxAttributes = 200
	maxPassword   = 128
)

// ErrMalformed is a packet that cannot be read.
var ErrMalformed = errors.New("radius: malformed packet")

// Attribute is one attribute of a packet.
type Attribute struct {
	Type  Type
	Value []byte
}

// Packet is one that was read. Its values share the bytes that it was read from.
type Packet struct {
	Code          Code
	ID            byte
	Authenticator [16]byte
	Attributes    []Attribute
	raw           []byte // as long as it says it is
}

// Parse reads a datagram. What follows the length that it names is padding (RFC 2865 section 3).
func Parse(b []byte) (Packet, error) {
	if len(b) < head {
		return Packet{}, ErrMalformed
	}
	n := int(binary.BigEndian.Uint16(b[2:4]))
	if n < head || n > MaxPacket || n > len(b) {
		return Packet{}, ErrMalformed
	}
	p := Packet{Code: Code(b[0]), ID: b[1], Authenticator: [16]byte(b[4:head]), raw: b[:n]}
	for rest := p.raw[head:]; len(rest) > 0; {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) || len(p.Attributes) == maxAttributes {
			return Packet{}, ErrMalformed
		}
		p.Attributes = append(p.Attributes, Attribute{Type(rest[0]), rest[2:rest[1]]})
		rest = rest[rest[1]:]
	}
	return p, nil
}

// Get gives the first attribute of a type; nil where there is none.
func (p Packet) Get(t Type) []byte {
	for _, a := range p.Attributes {
		if a.Type == t {
			return a.Value
		}
	}
	return nil
}

// Has says whether there is an attribute of a type.
func (p Packet) Has(t Type) bool {
	for _, a := range p.Attributes {
		if a.Type == t {
			return true
		}
	}
	return false
}

// Text gives the first attribute of a type as a text; empty where there is none, or it is no text.
func (p Packet) Text(t Type) string {
	v := p.Get(t)
	if !utf8.Valid(v) || bytes.ContainsFunc(v, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return ""
	}
	return string(v)
}

// Joined gives the texts of all attributes of a type, one behind the other.
func (p Packet) Joined(t Type) string {
	var b strings.Builder
	for _, a := range p.Attributes {
		if a.Type == t {
			b.Write(a.Value)
		}
	}
	return b.String()
}

// Bytes gives the values of all attributes of a type, one behind the other; false where there is none.
func (p Packet) Bytes(t Type) (all []byte, has bool) {
	for _, a := range p.Attributes {
		if a.Type == t {
			all, has = append(all, a.Value...), true
		}
	}
	return all, has
}

// Split makes attributes of bytes, as many as they need.
func Split(t Type, b []byte) (out []Attribute) {
	for len(b) > maxValue {
		out, b = append(out, Attribute{t, b[:maxValue]}), b[maxValue:]
	}
	return append(out, Attribute{t, b})
}

// Number gives the first attribute of a type as a number; false where there is none.
func (p Packet) Number(t Type) (uint32, bool) {
	v := p.Get(t)
	if len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// Texts makes attributes of a text, as many as it needs. What is longer than most bytes is cut.
func Texts(t Type, text string, most int) (out []Attribute) {
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	for len(text) > 0 {
		n := min(len(text), maxValue)
		for n < len(text) && n > 1 && !utf8.RuneStart(text[n]) { // no letter is divided
			n--
		}
		out = append(out, Attribute{t, []byte(text[:n])})
		text = text[n:]
	}
	return out
}
