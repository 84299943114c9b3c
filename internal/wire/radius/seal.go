package radius

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the protocol's; RFC 3579 puts a HMAC around what it cannot protect
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// ErrTooLong is a packet that would be longer than one may be.
var ErrTooLong = errors.New("radius: packet too long")

// Signed says whether a packet has a Message-Authenticator (RFC 3579 section 3.2), and whether it is that of the secret. An answer is
// verified with the authenticator of its request.
func (p Packet) Signed(secret []byte, request *[16]byte) (has, ok bool) {
	at := -1
	for i := head; i+2 <= len(p.raw); i += int(p.raw[i+1]) {
		if Type(p.raw[i]) != MessageAuthenticator {
			continue
		}
		if at >= 0 || p.raw[i+1] != 18 {
			return true, false
		}
		at = i + 2
	}
	if at < 0 || len(secret) == 0 {
		return at >= 0, false
	}
	b := append([]byte(nil), p.raw...)
	got := p.raw[at : at+16]
	clear(b[at : at+16])
	if request != nil {
		copy(b[4:head], request[:])
	}
	return true, hmac.Equal(got, mac(secret, b))
}

func mac(secret, b []byte) []byte {
	h := hmac.New(md5.New, secret)
	h.Write(b)
	return h.Sum(nil)
}

// Counted says whether the authenticator of an Accounting-Request is that of the secret (RFC 2866 section 3).
func (p Packet) Counted(secret []byte) bool {
	var none [16]byte
	return len(secret) > 0 && hmac.Equal(p.Authenticator[:], sum(p.raw, none, secret))
}

// Answers says whether a packet answers a request (RFC 2865 section 3).
func (p Packet) Answers(id byte, request [16]byte, secret []byte) bool {
	return len(secret) > 0 && p.ID == id && hmac.Equal(p.Authenticator[:], sum(p.raw, request, secret))
}

// sum is the authenticator of a packet but of requests for access.
func sum(raw []byte, request [16]byte, secret []byte) []byte {
	h := md5.New() //nolint:gosec // RFC 2865 section 3
	h.Write(raw[:4])
	h.Write(request[:])
	h.Write(raw[head:])
	h.Write(secret)
	return h.Sum(nil)
}

// Reply makes the answer to a request, with the request's Proxy-State. All but those about accounting begin with a Message-Authenticator.
func (p Packet) Reply(code Code, secret []byte, attributes ...Attribute) ([]byte, error) {
	signed := code != AccountingResponse
	var all []Attribute
	if signed {
		all = append(all, Attribute{MessageAuthenticator, make([]byte, 16)})
	}
	all = append(all, attributes...)
	for _, a := range p.Attributes {
		if a.Type == ProxyState {
			all = append(all, a)
		}
	}
	b, err := write(code, p.ID, p.Authenticator, all)
	if err != nil {
		return nil, err
	}
	if signed {
		copy(b[head+2:head+18], mac(secret, b))
	}
	copy(b[4:head], sum(b, p.Authenticator, secret))
	return b, nil
}

// Request makes a request for access, or for the state of a server, which begins with a Message-Authenticator.
func Request(code Code, id byte, authenticator [16]byte, secret []byte, attributes ...Attribute) ([]byte, error) {
	all := append([]Attribute{{MessageAuthenticator, make([]byte, 16)}}, attributes...)
	b, err := write(code, id, authenticator, all)
	if err != nil {
		return nil, err
	}
	copy(b[head+2:head+18], mac(secret, b))
	return b, nil
}

// Accounting makes a request about accounting (RFC 2866 section 3).
func Accounting(id byte, secret []byte, attributes ...Attribute) ([]byte, error) {
	b, err := write(AccountingRequest, id, [16]byte{}, attributes)
	if err != nil {
		return nil, err
	}
	copy(b[4:head], sum(b, [16]byte{}, secret))
	return b, nil
}

// Disconnect makes a request that somebody's use ends, which begins with a Message-Authenticator, and gives its authenticator (RFC 5176 section 3).
func Disconnect(id byte, secret []byte, attributes ...Attribute) (b []byte, authenticator [16]byte, err error) {
	all := append([]Attribute{{MessageAuthenticator, make([]byte, 16)}}, attributes...)
	if b, err = write(DisconnectRequest, id, [16]byte{}, all); err != nil {
		return nil, authenticator, err
	}
	copy(b[head+2:head+18], mac(secret, b))
	copy(b[4:head], sum(b, [16]byte{}, secret))
	return b, [16]byte(b[4:head]), nil
}

// Time makes Event-Timestamp, in seconds since 1970.
func Time(seconds int64) Attribute {
	return Attribute{EventTimestamp, binary.BigEndian.AppendUint32(nil, uint32(seconds))} //nolint:gosec // RFC 2869 section 5.3: until 2106
}

func write(code Code, id byte, authenticator [16]byte, attributes []Attribute) ([]byte, error) {
	b := make([]byte, head, 256)
	b[0], b[1] = byte(code), id
	copy(b[4:head], authenticator[:])
	for _, a := range attributes {
		if len(a.Value) > maxValue {
			return nil, ErrTooLong
		}
		b = append(append(b, byte(a.Type), byte(len(a.Value)+2)), a.Value...)
	}
	if len(b) > MaxPacket {
		return nil, ErrTooLong
	}
	binary.BigEndian.PutUint16(b[2:4], uint16(len(b)))
	return b, nil
}

// Password reads the password of a request (RFC 2865 section 5.2); false where there is none that can be read.
func (p Packet) Password(secret []byte) (string, bool) {
	hidden := p.Get(UserPassword)
	if len(hidden) == 0 || len(hidden) > maxPassword || len(hidden)%16 != 0 || len(secret) == 0 {
		return "", false
	}
	plain := make([]byte, len(hidden))
	before := p.Authenticator[:]
	for i := 0; i < len(hidden); i += 16 {
		subtle.XORBytes(plain[i:], hidden[i:i+16], pad(secret, before))
		before = hidden[i : i+16]
	}
	n := len(plain)
	for n > 0 && plain[n-1] == 0 {
		n--
	}
	return string(plain[:n]), true
}

// Hide makes the attribute of a password; ErrTooLong for one of more than 128 bytes.
func Hide(password string, secret []byte, authenticator [16]byte) (Attribute, error) {
	if len(password) > maxPassword {
		return Attribute{}, ErrTooLong
	}
	out := make([]byte, max(16, (len(password)+15)/16*16))
	copy(out, password)
	before := authenticator[:]
	for i := 0; i < len(out); i += 16 {
		subtle.XORBytes(out[i:], out[i:i+16], pad(secret, before))
		before = out[i : i+16]
	}
	return Attribute{UserPassword, out}, nil
}

func pad(secret, before []byte) []byte {
	h := md5.New() //nolint:gosec // RFC 2865 section 5.2
	h.Write(secret)
	h.Write(before)
	return h.Sum(nil)
}
