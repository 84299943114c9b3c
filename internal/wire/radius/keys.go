package radius

import (
	"crypto/subtle"
	"encoding/binary"
	"io"
)

// Microsoft's attributes about keys (RFC 2548 section 2.4).
const (
	typeSendKey = 16
	typeRecvKey = 17
	maxKey      = 64
)

// Vendor is the type of an attribute of Microsoft's (RFC 2548).
type Vendor byte

// Those of MS-CHAP.
const (
	MSCHAPResponse  Vendor = 1
	MSCHAPError     Vendor = 2
	MPPEPolicy      Vendor = 7
	MPPETypes       Vendor = 8
	MSCHAPChallenge Vendor = 11
	MSCHAP2Response Vendor = 25
	MSCHAP2Success  Vendor = 26
)

// Microsoft is their number as a vendor.
const Microsoft uint32 = 311

// Vendor gives the first attribute of Microsoft's of a type; nil where there is none. Attributes may hold several of them.
func (p Packet) Vendor(t Vendor) []byte {
	for _, a := range p.Attributes {
		if a.Type != VendorSpecific || len(a.Value) < 4 || binary.BigEndian.Uint32(a.Value) != Microsoft {
			continue
		}
		for rest := a.Value[4:]; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
			if Vendor(rest[0]) == t {
				return rest[2:rest[1]]
			}
		}
	}
	return nil
}

// Of makes an attribute of Microsoft's, of 247 bytes at most.
func (t Vendor) Of(value []byte) Attribute {
	b := binary.BigEndian.AppendUint32(nil, Microsoft)
	return Attribute{VendorSpecific, append(append(b, byte(t), byte(2+len(value))), value...)}
}

// Keys makes the attributes that tell a client the keys of a conversation (RFC 2548 sections 2.4.2 and 2.4.3): the one for what it receives of
// the peer, and the one for what it sends to it. They are hidden as the secret and the request say.
func (p Packet) Keys(secret, receive, send []byte, random io.Reader) ([]Attribute, error) {
	if len(receive) > maxKey || len(send) > maxKey {
		return nil, ErrTooLong
	}
	var salt [2]byte
	if _, err := io.ReadFull(random, salt[:]); err != nil {
		return nil, err
	}
	salt[0] |= 0x80 // as the standard wants it
	one := p.hideKey(typeRecvKey, secret, receive, salt)
	salt[1]++ // no two of a packet are the same
	return []Attribute{one, p.hideKey(typeSendKey, secret, send, salt)}, nil
}

func (p Packet) hideKey(kind byte, secret, key []byte, salt [2]byte) Attribute {
	hidden := make([]byte, (1+len(key)+15)/16*16)
	hidden[0] = byte(len(key))
	copy(hidden[1:], key)
	before := append(p.Authenticator[:], salt[:]...)
	for i := 0; i < len(hidden); i += 16 {
		subtle.XORBytes(hidden[i:i+16], hidden[i:i+16], pad(secret, before))
		before = hidden[i : i+16]
	}
	b := binary.BigEndian.AppendUint32(nil, Microsoft)
	b = append(b, kind, byte(4+len(hidden)), salt[0], salt[1])
	return Attribute{VendorSpecific, append(b, hidden...)}
}

// Keys reads what Keys of the request made; false where it is not there. An answer is read with the authenticator of its request.
func Keys(answer Packet, secret []byte, request [16]byte) (receive, send []byte, ok bool) {
	for _, a := range answer.Attributes {
		v := a.Value
		if a.Type != VendorSpecific || len(v) < 8 || binary.BigEndian.Uint32(v) != Microsoft || int(v[5]) != len(v)-4 || len(v)%16 != 8 || len(v) < 24 {
			continue
		}
		plain := make([]byte, len(v)-8)
		before := append(request[:], v[6:8]...)
		for i := 0; i < len(plain); i += 16 {
			subtle.XORBytes(plain[i:], v[8+i:24+i], pad(secret, before))
			before = v[8+i : 24+i]
		}
		if int(plain[0]) >= len(plain) {
			return nil, nil, false
		}
		switch key := plain[1 : 1+plain[0]]; v[4] {
		case typeRecvKey:
			receive = key
		case typeSendKey:
			send = key
		}
	}
	return receive, send, receive != nil && send != nil
}
