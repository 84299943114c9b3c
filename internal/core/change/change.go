// Package change tells every node what its caches must forget. A transaction that changes what others cache writes a row
// beside the change; this node's watchers run right after the commit, those of the other nodes when they poll.
//
// Commit order is not the order of the rows' times, so a poll looks back over an overlap. That holds as long as a
// transaction takes at most five seconds and the clocks of the nodes differ by less than the rest of the overlap.
package change

import (
	"context"
	"hash/fnv"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Reset is handed to every watcher in place of an item when changes may have been missed: everything cached under the
// topic must be forgotten. It comes once at the first poll too.
const Reset = "*"

// ErrItem is a topic or item that no row can hold.
var ErrItem = fault.New(fault.Internal, "change.item", fault.ErrInternal.Public)

const (
	fastest   = 250 * time.Millisecond // between polls on PostgreSQL
	slowest   = time.Second            // between polls on SQLite, whose writers are in this process but for the command line
	glance    = 1500 * time.Millisecond
	overlap   = 10 * time.Second
	patience  = 2 * time.Second // without a poll, after which caches are not to be trusted
	skew      = 3 * time.Second // between clocks, worth a warning
	retention = time.Hour
	tidyEvery = 10 * time.Minute
	most      = 20_000 // rows that one poll takes; beyond them everything is forgotten instead
	maxText   = 500
)

// Log is the log of changes. Its exported fields are set in internal/app; Watch is called there too, before Run.
type Log struct {
	DB  *dbx.DB
	Now func() time.Time // time.Now when nil
	Log *slog.Logger     // slog.Default when nil

	// Heard hears of each change in the transaction that makes it, for what must not be lost. May be nil.
	Heard func(ctx context.Context, c *call.Call, topic, item string) error

	watchers map[string][]func(item string)

	polling sync.Mutex // one poll at a time
	mu      sync.Mutex
	seen    map[string]int64          // id -> time of the row, for what lies within the overlap
	written map[int64]int64           // sequence -> time, of the same rows
	horizon int64                     // ms; everything before it was seen here
	last    atomic.Pointer[time.Time] // start of the last poll that succeeded, with its monotonic reading
	polls   int
}

type row struct {
	At    int64  `db:"at"`
	ID    string `db:"id"`
	Topic string `db:"topic"`
	Item  string `db:"item"`
}

var (
	insert = dbx.E("change.insert", `INSERT INTO change (at, id, topic, item) VALUES (?, ?, ?, ?)`)
	since  = dbx.Q[row]("change.since", `SELECT at, id, topic, item FROM change WHERE at >= ? ORDER BY at, id LIMIT ?`)
	forget = dbx.S("change.forget", "change", "at, id", "at < ?")
)

// Watch has f called with each item that changes under topic, and with Reset. f runs on the goroutine of whoever wrote
// or polled and only forgets; it may be called twice for one change, and from several goroutines.
func (l *Log) Watch(topic string, f func(item string)) {
	if l.watchers == nil {
		l.watchers = map[string][]func(string){}
	}
	l.watchers[topic] = append(l.watchers[topic], f)
}

// Put notes in c.Tx that an item changed. Watchers of this node have run when the caller's Write returns.
func (l *Log) Put(ctx context.Context, c *call.Call, topic, item string) error {
	_, err := l.Mark(ctx, c, topic, item)
	return err
}

// Mark is Put that gives the sequence of the change, for a session to carry as what it last wrote (see Saw).
func (l *Log) Mark(ctx context.Context, c *call.Call, topic, item string) (sequence int64, err error) {
	if topic == "" || item == Reset || len(topic)+len(item) > maxText {
		return 0, ErrItem
	}
	// Not c.Now: a request may have begun long before its transaction, and the overlap is counted from the row's time.
	r := row{At: l.now().UnixMilli(), ID: c.NewID(), Topic: topic, Item: item}
	if err := insert.Later(ctx, c.Tx, r.At, r.ID, r.Topic, r.Item); err != nil {
		return 0, err
	}
	if l.Heard != nil {
		if err := l.Heard(ctx, c, topic, item); err != nil {
			return 0, err
		}
	}
	c.Wrote = max(c.Wrote, r.sequence())
	c.Tx.After(func() {
		l.note(r)
		l.tell(r.Topic, r.Item)
	})
	return r.sequence(), nil
}

// sequence tells changes of one millisecond apart: the time, and twenty bits of the id.
func (r row) sequence() int64 {
	h := fnv.New32a()
	h.Write([]byte(r.ID))
	return r.At<<20 | int64(h.Sum32()&0xfffff)
}

// Saw says whether the change with this sequence, and all before it, are known on this node.
func (l *Log) Saw(sequence int64) bool {
	if sequence == 0 || l.DB.Engine() == dbx.SQLite {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.written[sequence]
	return ok || sequence>>20 < l.horizon
}

// Seen is a sequence below which every change is known on this node.
func (l *Log) Seen() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.horizon << 20
}

// Fresh says whether this node may trust its caches. It may not when it could not poll for two seconds, since it
// would not learn of a revocation. On SQLite the writers are in this process, so it always may.
func (l *Log) Fresh() bool {
	if l.DB.Engine() == dbx.SQLite {
		return true
	}
	t := l.last.Load()
	return t != nil && time.Since(*t) < patience
}

func (l *Log) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

func (l *Log) log() *slog.Logger {
	if l.Log != nil {
		return l.Log
	}
	return slog.Default()
}

// note remembers a change as known here; false when it was already.
func (l *Log) note(r row) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.remember(r)
}

func (l *Log) remember(r row) bool {
	if l.seen == nil {
		l.seen, l.written = map[string]int64{}, map[int64]int64{}
	}
	if _, ok := l.seen[r.ID]; ok {
		return false
	}
	l.seen[r.ID], l.written[r.sequence()] = r.At, r.At
	return true
}

// Forget has everything forgotten that anybody remembers until it changes, on this node.
func (l *Log) Forget() {
	for topic := range l.watchers {
		l.tell(topic, Reset)
	}
}

func (l *Log) tell(topic, item string) {
	for _, f := range l.watchers[topic] {
		f(item)
	}
}
