package call

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/google/uuid"
)

func TestIDsOfACallSortAsTheyWereMade(t *testing.T) {
	c := &Call{Now: time.UnixMilli(1_800_000_000_123), Rand: rand.Reader}
	last := ""
	for range 4000 {
		id := c.NewID()
		if id <= last {
			t.Fatal(last, id)
		}
		last = id
	}
	u, err := uuid.Parse(last)
	if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 {
		t.Fatal(u, err)
	}
	if sec, ns := u.Time().UnixTime(); sec != 1_800_000_000 || ns != 123_000_000 {
		t.Fatal(sec, ns)
	}
}

func TestChanged(t *testing.T) {
	e := &Event{}
	Changed(e, "Mail", "a", "a")
	Changed(e, "Name", "a", "b")
	if len(e.Changes) != 1 || e.Changes["Name"] != (Change{"a", "b"}) {
		t.Fatal(e.Changes)
	}
}
