// Package eap reads and writes the Extensible Authentication Protocol (RFC 3748) and what its methods within TLS need: fragments (RFC 5216), the
// tunnel itself, the attributes of EAP-TTLS (RFC 5281), and keys. It trusts nothing that comes in, and bounds all of it.
package eap

import (
	"encoding/binary"
	"errors"
)

// Code says what a packet is.
type Code byte

// The codes.
const (
	Request  Code = 1
	Response Code = 2
	Success  Code = 3
	Failure  Code = 4
)

// Type is what a request asks for, and a response answers: a method, or something about methods.
type Type byte

// The types.
const (
	Identity Type = 1
	Nak      Type = 3
	GTC      Type = 6
	TLS      Type = 13
	TTLS     Type = 21
	PEAP     Type = 25
	MSCHAPv2 Type = 26
	TLV      Type = 33
)

const (
	head      = 4
	maxPacket = 4096 // of what a RADIUS packet can hold
)

// ErrMalformed is what cannot be read.
var ErrMalformed = errors.New("eap: malformed packet")

// Packet is a request or a response, or one that ends the conversation, which has neither type nor data.
type Packet struct {
	Code Code
	ID   byte
	Type Type
	Data []byte
}

// Parse reads a packet. What follows the length that it names is padding (RFC 3748 section 4).
func Parse(b []byte) (Packet, error) {
	if len(b) < head {
		return Packet{}, ErrMalformed
	}
	n := int(binary.BigEndian.Uint16(b[2:4]))
	if n < head || n > len(b) || n > maxPacket {
		return Packet{}, ErrMalformed
	}
	p := Packet{Code: Code(b[0]), ID: b[1]}
	switch p.Code {
	case Request, Response:
		if n == head {
			return Packet{}, ErrMalformed
		}
		p.Type, p.Data = Type(b[head]), b[head+1:n]
	case Success, Failure:
		if n != head {
			return Packet{}, ErrMalformed
		}
	default:
		return Packet{}, ErrMalformed
	}
	return p, nil
}

// Bytes writes a packet.
func (p Packet) Bytes() []byte {
	b := []byte{byte(p.Code), p.ID, 0, 0}
	if p.Code == Request || p.Code == Response {
		b = append(append(b, byte(p.Type)), p.Data...)
	}
	binary.BigEndian.PutUint16(b[2:4], uint16(len(b)))
	return b
}

// Results of a tunnel of PEAP, within it: the Result TLV, which is mandatory (draft-josefsson-pppext-eap-tls-eap-06 section 4.1).
var (
	Passed = []byte{0x80, 3, 0, 2, 0, 1}
	Failed = []byte{0x80, 3, 0, 2, 0, 2}
)
