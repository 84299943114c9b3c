package mschap

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
)

// ErrMalformed is what cannot be read.
var ErrMalformed = errors.New("mschap: malformed message")

const (
	attributeSize = 50 // of MS-CHAP2-Response
	valueSize     = 49 // of a response in EAP
	maxName       = 253
)

// ParseAttribute reads MS-CHAP2-Response (RFC 2548 section 2.3.2). The flags, which mean nothing, are passed over: FreeRADIUS 3.2 has a letter of
// the name there when it passes on what came by EAP.
func ParseAttribute(b []byte) (r Response, err error) {
	if len(b) != attributeSize || !isZero(b[18:26]) {
		return r, ErrMalformed
	}
	r.ID = b[0]
	copy(r.Peer[:], b[2:18])
	copy(r.Response[:], b[26:])
	return r, nil
}

// Attribute writes MS-CHAP2-Response.
func (r Response) Attribute() []byte {
	b := append([]byte{r.ID, 0}, r.Peer[:]...)
	return append(append(b, make([]byte, 8)...), r.Response[:]...)
}

func isZero(b []byte) bool {
	for _, one := range b {
		if one != 0 {
			return false
		}
	}
	return true
}

// Op says what a message in EAP is.
type Op byte

// The messages.
const (
	OpChallenge Op = 1
	OpResponse  Op = 2
	OpSuccess   Op = 3
	OpFailure   Op = 4
)

// Ask writes the message of EAP that asks a peer, by the name of the server.
func Ask(id byte, c Challenge, name string) []byte {
	return message(OpChallenge, id, append(append([]byte{byte(len(c))}, c[:]...), name...))
}

// Passed writes the message of EAP that shows a peer that it was right, and that the server is.
func Passed(id byte, proof string) []byte { return message(OpSuccess, id, []byte(proof+" M=OK")) }

// Failed writes the message of EAP that refuses a peer.
func Failed(id byte, c Challenge) []byte { return message(OpFailure, id, []byte(Refusal(c))) }

// Refusal is what a peer that is refused is told (RFC 2759 section 6): error 691, whatever the reason, and no second try.
func Refusal(c Challenge) string {
	return "E=691 R=0 C=" + strings.ToUpper(hex.EncodeToString(c[:])) + " V=3 M=Authentication failed"
}

func message(op Op, id byte, data []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{byte(op), id}, uint16(4+len(data))), data...) //nolint:gosec // a few hundred at most
}

// Said is a message of a peer in EAP. What is agreed to has neither response nor name.
type Said struct {
	Op       Op
	Response Response
	Name     string
}

// Parse reads a message of a peer in EAP, behind its type.
func Parse(b []byte) (s Said, err error) {
	if len(b) == 0 {
		return s, ErrMalformed
	}
	switch s.Op = Op(b[0]); {
	case len(b) == 1 && (s.Op == OpSuccess || s.Op == OpFailure):
		return s, nil
	case s.Op != OpResponse || len(b) < 5+valueSize || int(binary.BigEndian.Uint16(b[2:])) != len(b) || b[4] != valueSize || len(b) > 5+valueSize+maxName:
		return s, ErrMalformed
	case !isZero(b[21:29]) || b[53] != 0:
		return s, ErrMalformed
	}
	s.Response.ID, s.Name = b[1], string(b[5+valueSize:])
	copy(s.Response.Peer[:], b[5:21])
	copy(s.Response.Response[:], b[29:53])
	return s, nil
}

// Bytes writes a message of a peer in EAP.
func (s Said) Bytes() []byte {
	if s.Op != OpResponse {
		return []byte{byte(s.Op)}
	}
	b := append([]byte{valueSize}, s.Response.Peer[:]...)
	b = append(append(append(b, make([]byte, 8)...), s.Response.Response[:]...), 0)
	return message(s.Op, s.Response.ID, append(b, s.Name...))
}
