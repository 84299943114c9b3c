package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strings"

	"github.com/google/uuid"
)

// link is a row of event_seal: a link of a tenant's chain, over events that were sealed together. Each event has a place in
// the chain, counted from 1; those of a link are First, First+1 and so on to Seq.
type link struct {
	Seq    int64  `db:"seq"`    // place of its last event
	First  int64  `db:"first"`  // place of its first event
	At     int64  `db:"at"`     // when it was sealed, ms UTC
	Low    int64  `db:"low"`    // ms UTC that the first event's id begins with
	Chain  []byte `db:"chain"`  // 32 bytes, see sum
	Events []byte `db:"events"` // 16 bytes for each event, its id, a UUID (RFC 9562 section 4)
	Hashes []byte `db:"hashes"` // 33 bytes for each event: Row.Hash as it was; zeros: there was no such event, or its hash was none
}

const (
	idSize   = 16
	hashSize = 1 + sha256.Size
	linkSpan = 10_000 // ms from Low within which the ids of a link lie, so that links are found by the ids they may hold
)

// sum is the chain value that the link should have: SHA-256 over "limen link 2", the value of the link before (32 bytes, zeros
// for the first), tenant, First, Seq, At, Low, Events and Hashes, encoded as in Row.Sum, bytes as text is.
func (k *link) sum(previous []byte, tenant string) []byte {
	b := make([]byte, 0, 256+len(k.Events)+len(k.Hashes))
	b = append(b, "limen link 2"...)
	b = append(b, previous...)
	b = appendText(b, tenant)
	for _, n := range []int64{k.First, k.Seq, k.At, k.Low} {
		b = appendNumber(b, n)
	}
	b = appendBytes(b, k.Events)
	b = appendBytes(b, k.Hashes)
	h := sha256.Sum256(b)
	return h[:]
}

// add puts an event behind those that the link has.
func (k *link) add(id uuid.UUID, hash []byte) {
	if len(k.Events) == 0 {
		k.Low = moment(id)
	}
	var h [hashSize]byte
	if len(hash) == hashSize {
		copy(h[:], hash)
	}
	k.Events = append(k.Events, id[:]...)
	k.Hashes = append(k.Hashes, h[:]...)
}

// holds says whether a link with this first event may have the other one, too.
func (k *link) holds(id uuid.UUID) bool {
	ms := moment(id)
	return ms >= k.Low && ms-k.Low <= linkSpan
}

// shaped says whether the link is one that add makes.
func (k *link) shaped() bool {
	n := int64(k.size())
	if n == 0 || k.Seq-k.First+1 != n || int64(len(k.Events)) != n*idSize || int64(len(k.Hashes)) != n*hashSize || k.Low != moment(k.id(0)) {
		return false
	}
	for i := range k.size() {
		if !k.holds(k.id(i)) {
			return false
		}
	}
	return true
}

// size is the number of events.
func (k *link) size() int { return min(len(k.Events)/idSize, len(k.Hashes)/hashSize) }

func (k *link) id(i int) uuid.UUID { return uuid.UUID(k.Events[i*idSize : (i+1)*idSize]) }

// hash of the event when it was sealed; nil when there was none.
func (k *link) hash(i int) []byte {
	h := k.Hashes[i*hashSize : (i+1)*hashSize]
	if bytes.Equal(h, make([]byte, hashSize)) {
		return nil
	}
	return h
}

// moment is what a UUID of version 7 begins with: ms UTC.
func moment(id uuid.UUID) int64 { return int64(binary.BigEndian.Uint64(id[:]) >> 16) } //nolint:gosec // 48 bits

// identity reads the id of an event in the only form that is taken: a UUID in lower case, with hyphens.
func identity(id string) (u uuid.UUID, ok bool) {
	u, err := uuid.Parse(id)
	return u, err == nil && len(id) == 36 && strings.ToLower(id) == id
}
