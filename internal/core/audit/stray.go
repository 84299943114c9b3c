package audit

import (
	"context"

	"github.com/google/uuid"

	"limen/internal/dbx"
)

// strayPage is how many events are looked at together for such as were never sealed.
const strayPage = 5000

var (
	idsFrom  = dbx.Q[string]("audit.ids", `SELECT id FROM event WHERE tenant = ? AND id >= ? ORDER BY id LIMIT ?`)
	idsIn    = dbx.Q[[]byte]("audit.sealed_between", `SELECT events FROM event_seal WHERE tenant = ? AND low >= ? AND low <= ?`)
	idsQueue = dbx.Q[string]("audit.queued_between", `SELECT event FROM event_queue WHERE tenant = ? AND event >= ? AND event <= ?`)
)

// strays finds events that were neither sealed nor wait for it. It goes through them in order of their ids, a window at a time,
// and reads the links whose ids can lie in the window: those that begin in it, or linkSpan before.
func (v *verifier) strays(ctx context.Context) error {
	for from, more := "", true; more; {
		var w window
		err := v.l.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
			w = window{known: map[uuid.UUID]bool{}}
			if w.ids, err = idsFrom.All(ctx, tx, v.tenant, from, strayPage); err != nil || len(w.ids) == 0 {
				return err
			}
			return w.look(ctx, tx, v.tenant)
		})
		if err != nil {
			return err
		}
		for _, id := range w.ids {
			u, ok := identity(id) // what has no UUID is never sealed
			if (!ok || !w.known[u]) && (id != from || from == "") {
				v.found(Problem{Kind: Stray, Event: id, Detail: "the event was never sealed and does not wait for it"})
			}
		}
		if more = len(w.ids) == strayPage; more {
			from = w.ids[len(w.ids)-1] // which the next window sees again: what follows a text is not the same on all engines
		}
	}
	return nil
}

// window is some events in order of their ids.
type window struct {
	ids   []string
	known map[uuid.UUID]bool // whether each was sealed or waits for it
}

// look finds out which are known. It keeps nothing of others that links name, of which there may be any number.
func (w *window) look(ctx context.Context, tx *dbx.Tx, tenant string) error {
	var low, high int64
	for _, id := range w.ids {
		if u, ok := identity(id); ok {
			if high = moment(u); len(w.known) == 0 {
				low = high
			}
			w.known[u] = false
		}
	}
	if err := idsIn.Each(ctx, tx, func(events []byte) error {
		for ; len(events) >= idSize; events = events[idSize:] {
			w.mark(uuid.UUID(events[:idSize]))
		}
		return nil
	}, tenant, low-linkSpan, high); err != nil {
		return err
	}
	return idsQueue.Each(ctx, tx, func(id string) error {
		if u, ok := identity(id); ok {
			w.mark(u)
		}
		return nil
	}, tenant, w.ids[0], w.ids[len(w.ids)-1])
}

func (w *window) mark(id uuid.UUID) {
	if _, ok := w.known[id]; ok {
		w.known[id] = true
	}
}
