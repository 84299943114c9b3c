package eap

import "encoding/binary"

// Flags of a fragment (RFC 5216 section 3.1). The low three bits are the version, of EAP-TTLS and PEAP.
const (
	flagLength = 0x80
	flagMore   = 0x40
	flagStart  = 0x20
	bits       = 0x07
)

// MaxMessage is the most that a message of fragments may have together, in bytes: what TLS puts in one flight, a chain of certificates included.
const MaxMessage = 64 << 10

// Start is the data of the request that begins a method within TLS.
func Start(version byte) []byte { return []byte{flagStart | version&bits} }

// Assembler puts fragments together.
type Assembler struct {
	whole []byte
	named int // how long the message is, as its first fragment says; -1: it does not
	begun bool
}

// Add takes the data of a packet. It gives the message once it is whole; until then the peer waits for a packet without data.
func (a *Assembler) Add(data []byte) (message []byte, version byte, whole bool, err error) {
	if len(data) == 0 {
		return nil, 0, false, ErrMalformed
	}
	flags, data := data[0], data[1:]
	if flags&flagStart != 0 { // servers start
		return nil, 0, false, ErrMalformed
	}
	named := -1
	if flags&flagLength != 0 {
		if len(data) < 4 {
			return nil, 0, false, ErrMalformed
		}
		n := binary.BigEndian.Uint32(data)
		if n > MaxMessage {
			return nil, 0, false, ErrMalformed
		}
		named, data = int(n), data[4:]
	}
	if !a.begun {
		a.named, a.begun = named, true
	} else if named >= 0 && named != a.named {
		return nil, 0, false, ErrMalformed
	}
	more := flags&flagMore != 0
	if more && len(data) == 0 { // would never end
		return nil, 0, false, ErrMalformed
	}
	a.whole = append(a.whole, data...)
	if len(a.whole) > MaxMessage || a.named >= 0 && len(a.whole) > a.named {
		return nil, 0, false, ErrMalformed
	}
	if more {
		return nil, flags & bits, false, nil
	}
	if a.named >= 0 && len(a.whole) != a.named {
		return nil, 0, false, ErrMalformed
	}
	message = a.whole
	*a = Assembler{}
	return message, flags & bits, true, nil
}

// Queue is a message on its way to a peer, in fragments.
type Queue struct {
	Version byte
	Size    int // of a fragment's data at most

	rest  []byte
	going bool // one was sent that is not the last
}

// Put has a message sent; an empty one is a packet without data.
func (q *Queue) Put(message []byte) { q.rest, q.going = message, false }

// Waits says whether the peer must ask for the rest of a message, by a packet without data.
func (q *Queue) Waits() bool { return q.going }

// Next gives the data of the next packet.
func (q *Queue) Next() []byte {
	flags := q.Version & bits
	var out []byte
	room := q.Size - 1
	if len(q.rest) > room && !q.going {
		flags |= flagLength
		out = binary.BigEndian.AppendUint32(out, uint32(len(q.rest)))
		room -= 4
	}
	n := min(len(q.rest), room)
	if q.going = n < len(q.rest); q.going {
		flags |= flagMore
	}
	out = append(append([]byte{flags}, out...), q.rest[:n]...)
	q.rest = q.rest[n:]
	return out
}
