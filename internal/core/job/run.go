package job

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Run is a job while it runs. Its methods may be used from several goroutines of the handler, but for Do and SaveCursor.
type Run struct {
	ID     string
	Tenant string
	Kind   string
	User   string // UUID of who started it; empty: nobody
	Try    int    // from 1; more when nodes died

	j       *Jobs
	payload json.RawMessage
	cursor  string
	end     context.CancelCauseFunc

	cancelled atomic.Bool
	mu        sync.Mutex
	done      int64
	total     int64
	message   string
	result    string
	dirty     bool
}

var (
	beat = dbx.W[bool]("job.beat", `UPDATE job SET held = ?, due = ?, done = ?, total = ?, message = ?
		WHERE tenant = ? AND id = ? AND state = 'running' AND holder = ? AND tries = ? RETURNING cancel`)
	cursorOf   = dbx.Q[string]("job.cursor_of", `SELECT cursor FROM job WHERE tenant = ? AND id = ? AND holder = ? AND tries = ?`)
	saveCursor = dbx.E("job.save_cursor", `UPDATE job SET cursor = ?
		WHERE tenant = ? AND id = ? AND state = 'running' AND holder = ? AND tries = ?`)
)

// Payload decodes what the job was started with.
func (r *Run) Payload(into any) error { return json.Unmarshal(r.payload, into) }

// Cursor is what SaveCursor saved last, also on a node that died; empty at the beginning.
func (r *Run) Cursor() string { return r.cursor }

// SaveCursor notes, in the transaction that does a piece of the work, where the next piece begins. It fails with ErrLost, and with it
// the transaction must, when another node has taken over: so no piece is done twice. Do is the simple way; SaveCursor is for
// transactions that are not the job's own.
func (r *Run) SaveCursor(ctx context.Context, tx *dbx.Tx, cursor string) error {
	if len(cursor) > maxCursor {
		return ErrCursor
	}
	n, err := saveCursor.Do(ctx, tx, cursor, r.Tenant, r.ID, r.j.self(), r.Try)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrLost
	}
	tx.After(func() { r.cursor = cursor })
	return nil
}

// Do does a piece of the work in a transaction of its own, saves the cursor and stores the events in it. f may run more than
// once, as every function of a transaction; a piece takes well under the five seconds that a transaction may take.
func (r *Run) Do(ctx context.Context, cursor string, f func(ctx context.Context, c *call.Call) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var witness []dbx.Witness
	if cursor != r.cursor { // then the row tells whether a COMMIT whose answer was lost happened
		witness = append(witness, func(ctx context.Context, tx *dbx.Tx) (bool, error) {
			stored, err := cursorOf.One(ctx, tx, r.Tenant, r.ID, r.j.self(), r.Try)
			if errors.Is(err, dbx.ErrNoRow) {
				return false, nil
			}
			return stored == cursor, err
		})
	}
	err := r.j.DB.Write(ctx, func(tx *dbx.Tx) error {
		c, err := r.j.call(ctx, tx, r)
		if err != nil {
			return err
		}
		if err := f(ctx, c); err != nil {
			return err
		}
		if r.j.Record != nil {
			if err := r.j.Record(ctx, c); err != nil {
				return err
			}
		}
		return r.SaveCursor(ctx, tx, cursor)
	}, witness...)
	if err == nil {
		r.cursor = cursor
	}
	return err
}

// call is the call that a job's code runs in.
func (j *Jobs) call(ctx context.Context, tx *dbx.Tx, r *Run) (*call.Call, error) {
	c := &call.Call{ID: "job/" + r.ID, Tenant: call.Tenant{ID: r.Tenant}, Now: j.now(), Rand: rand.Reader, Tx: tx}
	switch {
	case r.User == "":
	case j.Caller == nil:
		c.Caller = &call.Caller{User: r.User}
	default:
		var err error
		if c.Caller, err = j.Caller(ctx, tx, r.Tenant, r.User); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Progress reports how far the job is; total 0 leaves it as it was. It is written about once a second.
func (r *Run) Progress(done, total int64, message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done, r.message, r.dirty = done, clean(message, maxText), true
	if total > 0 {
		r.total = total
	}
}

// Progressed is how far the job was reported to be, also by a node that died.
func (r *Run) Progressed() (done, total int64, message string) {
	done, total, message, _ = r.progress()
	return done, total, message
}

// Result sets the text that stays when the job has ended, for example what could not be imported and why.
func (r *Run) Result(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result = clean(text, maxResult)
}

// Cancelled says whether somebody asked the job to end. Its context has ended then, too.
func (r *Run) Cancelled() bool { return r.cancelled.Load() }

func (r *Run) cancel() {
	r.cancelled.Store(true)
	r.end(ErrCancelled)
}

// keep sends heartbeats with the progress until ctx ends. It ends the job's context when the lease is lost.
func (r *Run) keep(ctx context.Context, until time.Time) {
	lease := cmp.Or(r.j.Lease, 30*time.Second)
	t := time.NewTicker(min(time.Second, lease/4))
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		start := time.Now()
		if !start.Before(until) {
			r.end(ErrLost)
			return
		}
		r.mu.Lock()
		dirty := r.dirty
		r.mu.Unlock()
		if !dirty && start.Sub(last) < lease/4 {
			continue
		}
		limited, stop := context.WithDeadline(ctx, until)
		asked, err := r.beat(limited)
		stop()
		switch f := fault.Of(err); {
		case err == nil:
			last, until = start, start.Add(lease-lease/5)
			if asked {
				r.cancel()
			}
		case f.Code == ErrLost.Code:
			r.end(ErrLost)
			return
		}
	}
}

// beat renews the lease, writes the progress and says whether somebody asked the job to end.
func (r *Run) beat(ctx context.Context) (asked bool, err error) {
	r.mu.Lock()
	done, total, message := r.done, r.total, r.message
	r.dirty = false
	r.mu.Unlock()
	err = r.j.DB.Write(ctx, func(tx *dbx.Tx) error {
		held := r.j.now().Add(cmp.Or(r.j.Lease, 30*time.Second)).UnixMilli()
		all, err := beat.All(ctx, tx, held, held, done, total, message, r.Tenant, r.ID, r.j.self(), r.Try)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return ErrLost
		}
		asked = all[0]
		return nil
	})
	return asked, err
}

// progress is how far the job is.
func (r *Run) progress() (done, total int64, message, result string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done, r.total, r.message, r.result
}

// clean makes text that both engines store as it is.
func clean(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}
