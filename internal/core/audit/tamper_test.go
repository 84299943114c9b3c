package audit_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// fill records 20 events, seals them by five links of four and signs the end.
func (b *bench) fill() (ids []string) {
	b.t.Helper()
	age := b.Age
	for n := range 5 {
		b.Age = time.Hour
		part := b.add(4)
		slices.Sort(part) // those of one millisecond are sealed in order of their ids
		ids = append(ids, part...)
		if n == 4 {
			b.Age = age
		}
		b.round()
	}
	if r := b.verify(); !r.Whole() || r.Covered != 20 || r.Checkpoints != 1 || r.Events != 20 {
		b.t.Fatalf("before: %+v", r)
	}
	return ids
}

// unsigned records an event and seals it behind the last checkpoint.
func (b *bench) unsigned() (id string) {
	b.Age = time.Hour
	id = b.add(1)[0]
	b.round()
	return id
}

// swap exchanges two pieces of a blob.
func swap(blob []byte, size, i, j int) {
	x, y := blob[i*size:(i+1)*size], blob[j*size:(j+1)*size]
	for n := range x {
		x[n], y[n] = y[n], x[n]
	}
}

var links = dbx.Q[audit.Link]("audit_test.links", `SELECT seq, first, at, low, chain, events, hashes FROM event_seal
	WHERE tenant = ? ORDER BY seq`)

// blob is a value in SQL.
func (b *bench) blob(v []byte) string {
	if b.db.Engine() == dbx.Postgres {
		return fmt.Sprintf(`'\x%x'`, v)
	}
	return fmt.Sprintf("X'%x'", v)
}

// alter changes an event and computes its hash anew.
func (b *bench) alter(id string) (hash []byte) {
	b.t.Helper()
	if err := b.read(func(c *call.Call) error {
		row, err := b.Get(b.t.Context(), c, grant.All(), id)
		row.IP = "203.0.113.1"
		hash = row.Sum()
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	b.tamper("UPDATE event SET ip = '203.0.113.1', hash = %s WHERE id = '%s'", b.blob(hash), id)
	return hash
}

func (b *bench) links() (all []audit.Link) {
	b.t.Helper()
	if err := b.read(func(c *call.Call) (err error) {
		all, err = links.All(b.t.Context(), c.Tx, tenant)
		return err
	}); err != nil {
		b.t.Fatal(err)
	}
	return all
}

// edit alters a link.
func (b *bench) edit(seq int64, f func(k *audit.Link)) {
	b.t.Helper()
	for _, k := range b.links() {
		if k.Seq == seq {
			f(&k)
			b.tamper("UPDATE event_seal SET chain = %s, events = %s, hashes = %s WHERE seq = %d", b.blob(k.Chain), b.blob(k.Events), b.blob(k.Hashes), seq)
		}
	}
}

// remake alters an event, has f alter the links and computes the hash and the whole chain anew: all that can be done without
// the key.
func (b *bench) remake(id string, f func([]audit.Link) []audit.Link) {
	b.t.Helper()
	hash, all, chain, last := b.alter(id), b.links(), make([]byte, 32), int64(0)
	if f != nil {
		all = f(all)
	}
	b.tamper("DELETE FROM event_seal")
	for _, k := range all {
		raw := uuid.MustParse(id)
		for i := range len(k.Events) / 16 {
			if string(k.Events[i*16:(i+1)*16]) == string(raw[:]) {
				copy(k.Hashes[i*33:], hash)
			}
		}
		k.First = last + 1
		k.Seq = last + int64(len(k.Events)/16)
		chain, last = k.Sum(chain, tenant), k.Seq
		b.tamper("INSERT INTO event_seal (tenant, seq, first, at, low, chain, events, hashes) VALUES ('%s', %d, %d, %d, %d, %s, %s, %s)",
			tenant, k.Seq, k.First, k.At, k.Low, b.blob(chain), b.blob(k.Events), b.blob(k.Hashes))
	}
	b.tamper("UPDATE event_head SET seq = %d, chain = %s", last, b.blob(chain))
}
