package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Row is an event as it is stored. Times are ms UTC.
type Row struct {
	Tenant    string `db:"tenant"`
	ID        string `db:"id"`
	At        int64  `db:"at"`
	Type      string `db:"type"`    // one of the constants of this package
	Outcome   string `db:"outcome"` // success, refused, denied, failed, started
	Reason    string `db:"reason"`  // fault code of what is not a success
	Actor     string `db:"actor"`   // UUID of the caller; empty: nobody known
	ActorName string `db:"actor_name"`
	User      string `db:"user_id"` // UUID of the person the event is about
	Login     string `db:"login"`   // their login name, or the name tried
	Target    string `db:"target"`
	Kind      string `db:"kind"`
	Name      string `db:"name"`
	Message   string `db:"message"`
	IP        string `db:"ip"`
	Country   string `db:"country"`
	Agent     string `db:"agent"`
	OS        string `db:"os"`
	Mobile    bool   `db:"mobile"`
	Session   string `db:"session"`
	Request   string `db:"request"`
	Node      string `db:"node"`
	Count     int64  `db:"count"`
	Fields    string `db:"fields"`  // JSON object
	Changes   string `db:"changes"` // JSON object of {old, new}
	Hash      []byte `db:"hash"`
}

// format is the version of the encoding that Sum hashes, and the first byte of a hash.
const format = 1

// Sum is the hash that the row should have: one byte 1, and SHA-256 over
//
//	"limen event 1", then each column in the order of Row without hash:
//	text as its length in bytes (8 bytes, big endian) and its UTF-8 bytes,
//	numbers as 8 bytes, big endian, two's complement; booleans as the numbers 0 and 1.
//
// fields and changes are hashed as the text they are stored as.
func (r *Row) Sum() []byte {
	b := make([]byte, 0, 1024+len(r.Message)+len(r.Fields)+len(r.Changes))
	b = append(b, "limen event 1"...)
	b = appendText(b, r.Tenant, r.ID)
	b = appendNumber(b, r.At)
	b = appendText(b, r.Type, r.Outcome, r.Reason, r.Actor, r.ActorName, r.User, r.Login, r.Target, r.Kind, r.Name, r.Message, r.IP,
		r.Country, r.Agent, r.OS)
	mobile := int64(0)
	if r.Mobile {
		mobile = 1
	}
	b = appendNumber(b, mobile)
	b = appendText(b, r.Session, r.Request, r.Node)
	b = appendNumber(b, r.Count)
	b = appendText(b, r.Fields, r.Changes)
	h := sha256.Sum256(b)
	return append([]byte{format}, h[:]...)
}

// statement is what is signed: "limen checkpoint 1" or "limen anchor 1", then tenant, seq, chain value and time, encoded as in
// Row.Sum.
func statement(what, tenant string, seq int64, chain []byte, at int64) []byte {
	b := []byte("limen " + what + " 1")
	b = appendText(b, tenant)
	b = appendNumber(b, seq)
	b = appendBytes(b, chain)
	return appendNumber(b, at)
}

func appendText(b []byte, all ...string) []byte {
	for _, s := range all {
		b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

func appendBytes(b, v []byte) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(len(v))), v...)
}

func appendNumber(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(n)) //nolint:gosec // two's complement
}

// clean makes text that both engines store as it is, at most most bytes long.
func clean(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}
