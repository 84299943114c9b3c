package dbx

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// writer owns the one SQLite connection that writes. Callers hand in functions (members) and wait; one goroutine runs
// all that wait in one transaction, commits once and then answers them.
//
// A member that fails before it has changed a row leaves nothing to undo. When one fails later, the whole transaction is
// rolled back and its members run again, each in a savepoint, so that the next failure undoes itself alone; savepoints
// are kept up for a while after that. A savepoint for everyone always would have SQLite copy every page that each member
// touches, a sixth of what a write costs.
//
// Interrupting a statement, a full disk or an I/O error makes SQLite roll back the whole transaction, and the next
// statement would commit by itself. So after a failed statement the writer looks whether it is still inside its
// transaction; when it is not, every member of the group runs again in a transaction of its own.
type writer struct {
	c       *liteConn
	budget  time.Duration
	patient time.Duration
	most    int
	log     *slog.Logger

	in     chan *member
	quit   chan struct{}
	exited chan struct{}
	once   sync.Once

	// Used by the writer's goroutine alone.
	alone   []*member     // to be run again, each in its own transaction
	again   []*member     // to be run again, each in a savepoint
	careful int           // how many more members run in a savepoint
	before  int64         // rows that this connection had changed when current began
	saved   bool          // current runs in a savepoint
	held    *member       // taken from the queue, not yet begun
	current *member       // being run
	ran     []*member     // ran in the open transaction, waiting for its commit
	began   time.Time     // of the open transaction
	takes   time.Duration // a commit of late
	fixed   time.Duration // in place of what linger makes of takes, for tests
	tx      *Tx           // of current
	stopped bool
}

// wary is how many members run in savepoints after one failed with changes made.
const wary = 1000

// How long members are added to a transaction: the first one waits for the last. The longer a commit takes, the more of
// them should share it; but while it lasts those who wait for it ask for nothing new, so that a group of everybody leaves
// the writer idle after it.
const (
	shortest = 1500 * time.Microsecond
	longest  = 20 * time.Millisecond
	share    = 4 // times what a commit takes of late
)

// member is one caller's function.
type member struct {
	f     func(*Tx) error
	state atomic.Uint32 // waiting, then started or left
	done  chan struct{}

	// The answer, valid after done.
	err      error
	again    bool // trying again may help
	after    []func()
	panicked *Panic
	exit     bool // f ended its goroutine
}

const (
	waiting uint32 = iota
	started
	left
)

// Panic is what Write panics with when the function it ran panicked on the writer's goroutine.
type Panic struct {
	Value any
	Stack []byte // of the function
}

// Error gives the value and the stack, so that whoever recovers and logs the panic sees where it began.
func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Unwrap gives the value when it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

func newWriter(c *liteConn, o Options) *writer {
	w := &writer{c: c, budget: o.Budget, patient: o.Patience, most: o.Group, log: o.Log, in: make(chan *member, o.Group),
		quit: make(chan struct{}), exited: make(chan struct{})}
	go w.loop()
	return w
}

// submit waits for admission and then for the answer. Once f has started, the answer is certain to come.
func (w *writer) submit(ctx context.Context, f func(*Tx) error) (again bool, err error) {
	if ctx.Err() != nil {
		return false, gone(ctx)
	}
	m := &member{f: f, done: make(chan struct{})}
	t := time.NewTimer(w.patient)
	defer t.Stop()
	select {
	case <-w.quit:
		return false, ErrClosed
	default:
	}
	select {
	case w.in <- m:
	case <-ctx.Done():
		return false, gone(ctx)
	case <-t.C:
		return false, ErrBusy.Because(errors.New("the writer's queue is full"))
	case <-w.quit:
		return false, ErrClosed
	}
	var why error
	select {
	case <-m.done:
		return m.answer()
	case <-ctx.Done():
		why = gone(ctx)
	case <-t.C:
		why = ErrBusy.Because(errors.New("the writer was busy with others; is Write called within Write?"))
	case <-w.exited:
		why = ErrClosed
	}
	if m.state.CompareAndSwap(waiting, left) {
		return false, why
	}
	<-m.done
	return m.answer()
}

// answer gives the caller what happened on the writer's goroutine.
func (m *member) answer() (bool, error) {
	if m.panicked != nil {
		panic(m.panicked)
	}
	if m.exit {
		runtime.Goexit()
	}
	for _, f := range m.after {
		f()
	}
	return m.again, m.err
}

func (m *member) finish(err error) {
	m.err = err
	if err != nil {
		m.after = nil
	}
	close(m.done)
}

// loop runs until close. A member that ends its goroutine (t.Fatal in a test does) ends the loop's; the work goes on in
// a new one, which finds the state as it was.
func (w *writer) loop() {
	defer func() {
		if !w.stopped {
			go w.loop()
		}
	}()
	for {
		if w.current != nil {
			m := w.current
			m.exit = true
			w.settle(m, errors.New("the function ended its goroutine"))
			w.members()
			w.commit()
			continue
		}
		if !w.begin() {
			w.stopped = true
			close(w.exited)
			return
		}
		w.members()
		w.commit()
	}
}

// begin opens a transaction for the next member; false when the store is closed and nothing waits.
func (w *writer) begin() bool {
	for try := 0; ; try++ {
		if !w.hold() {
			return false
		}
		err := w.c.command("BEGIN IMMEDIATE")
		if err == nil {
			w.began = time.Now()
			return true
		}
		if c := classifyLite(err); c != retry {
			w.refuse(wrap("BEGIN", c, err))
			continue
		}
		// Another process has the write lock. The members still wait: their callers leave when their time is up.
		time.Sleep(time.Duration(1+rand.IntN(10)) * time.Millisecond)
	}
}

// hold makes sure that a member waits to be run.
func (w *writer) hold() bool {
	for {
		if len(w.alone) > 0 || len(w.again) > 0 {
			return true
		}
		if w.held != nil {
			if w.held.state.Load() == waiting {
				return true
			}
			w.held = nil
		}
		select {
		case w.held = <-w.in:
			continue
		default:
		}
		select {
		case w.held = <-w.in:
		case <-w.quit:
			select {
			case w.held = <-w.in:
			default:
				return false
			}
		}
	}
}

// refuse answers the next member with an error.
func (w *writer) refuse(err error) {
	for _, again := range []*[]*member{&w.alone, &w.again} {
		if len(*again) > 0 {
			m := (*again)[0]
			*again = (*again)[1:]
			m.finish(err)
			return
		}
	}
	m := w.held
	w.held = nil
	if m.state.CompareAndSwap(waiting, started) {
		m.finish(err)
	}
}

// pick gives the next member of the open transaction, nil when it is to be committed.
func (w *writer) pick() *member {
	if len(w.alone) > 0 {
		if len(w.ran) > 0 {
			return nil
		}
		m := w.alone[0]
		w.alone = w.alone[1:]
		return m
	}
	if len(w.again) > 0 {
		m := w.again[0]
		w.again = w.again[1:]
		return m
	}
	for {
		m := w.held
		w.held = nil
		if m == nil {
			if len(w.ran) >= w.most || len(w.ran) > 0 && time.Since(w.began) > w.linger() {
				return nil
			}
			select {
			case m = <-w.in:
			default:
				return nil
			}
		}
		if m.state.CompareAndSwap(waiting, started) {
			return m
		}
	}
}

// linger is how long members are added to the open transaction.
func (w *writer) linger() time.Duration {
	if w.fixed > 0 {
		return w.fixed
	}
	return min(max(shortest, share*w.takes), longest)
}

// members runs members until the transaction is full, nobody waits or it was lost.
func (w *writer) members() {
	for w.c.inside() {
		m := w.pick()
		if m == nil {
			return
		}
		w.settle(m, w.call(m))
		if len(w.alone) > 0 {
			return
		}
	}
}

// errLost says that SQLite rolled back the whole transaction under a member.
var errLost = errors.New("the transaction was rolled back by the engine")

// call runs a member, in a savepoint when the writer is careful.
func (w *writer) call(m *member) (err error) {
	w.before, w.saved = w.c.changed(), false
	if w.careful > 0 {
		w.careful--
		if err := w.c.command("SAVEPOINT member"); err != nil {
			w.current, w.tx = m, &Tx{conn: w.c, class: classifyLite(err)}
			return wrap("SAVEPOINT", classifyLite(err), err)
		}
		w.saved = true
	}
	limit := newLimit(w.budget)
	w.tx = &Tx{ctx: limit, conn: w.c, write: true}
	m.err, m.again, m.after, m.panicked = nil, false, nil, nil
	w.current = m
	w.c.under(limit)
	defer func() {
		limit.stop()
		w.c.under(context.Background())
		w.tx.done = true
		if v := recover(); v != nil {
			m.panicked = &Panic{Value: v, Stack: debug.Stack()}
			err = errors.New("panic")
		}
	}()
	if err = m.f(w.tx); err == nil {
		err = w.tx.failed
	}
	if err == nil && limit.Err() != nil {
		err = ErrBudget
	}
	return err
}

// settle keeps or undoes what a member did.
func (w *writer) settle(m *member, err error) {
	tx := w.tx
	w.current, w.tx = nil, nil
	m.after = tx.after
	tx.done = true
	w.c.under(context.Background())
	if w.c.inside() {
		if w.keep(m, tx, err) {
			return
		}
		_ = w.c.run("ROLLBACK") // whether it is still inside is asked of the engine
		if err != nil && !w.saved && !w.c.inside() {
			w.again, w.ran, w.careful = append(w.ran, w.again...), nil, wary
			m.again = tx.failed != nil && tx.class == retry
			m.finish(err)
			return
		}
	}
	// The whole transaction is gone. Whose fault it was does not matter to the others: they run again, alone. This
	// member does too, unless it was alone already, or has used up its time or its chance.
	again := w.ran
	w.ran = nil
	if err == nil {
		err = ErrStatement.Because(errLost)
	}
	if len(again) > 0 && m.panicked == nil && !m.exit && !errors.Is(err, ErrBudget) {
		again = append(again, m)
	} else {
		m.finish(err)
	}
	w.alone = append(w.alone, again...)
	if len(again) > 0 {
		w.log.Warn("the store rolled back a group of writes; they run again one by one", "members", len(again), "cause", err)
	}
}

// commit ends the open transaction and answers its members.
func (w *writer) commit() {
	ran := w.ran
	w.ran = nil
	if !w.c.inside() {
		w.alone = append(w.alone, ran...)
		return
	}
	if len(ran) == 0 {
		_ = w.c.command("ROLLBACK")
		return
	}
	start := time.Now()
	err := w.c.command("COMMIT")
	w.takes += (time.Since(start) - w.takes) / 8
	for try := 0; err != nil && classifyLite(err) == retry && try < 100 && w.c.inside(); try++ {
		time.Sleep(time.Millisecond)
		err = w.c.command("COMMIT")
	}
	if err != nil {
		_ = w.c.run("ROLLBACK") // whether it is still inside is asked of the engine
		w.undone(ran, err)
		return
	}
	for _, m := range ran {
		m.finish(nil)
	}
}

// keep settles a member within the open transaction; false when that must be rolled back.
func (w *writer) keep(m *member, tx *Tx, err error) bool {
	switch {
	case err == nil && (!w.saved || w.c.command("RELEASE member") == nil):
		w.ran = append(w.ran, m)
		return true
	case err != nil && w.saved && w.c.command("ROLLBACK TO member") == nil && w.c.command("RELEASE member") == nil,
		err != nil && !w.saved && w.before >= 0 && w.c.changed() == w.before:
		m.again = tx.failed != nil && tx.class == retry
		m.finish(err)
		return true
	}
	return false
}

// undone deals with a COMMIT that failed, for example on a deferred foreign key: one member's mistake is not the others'.
func (w *writer) undone(ran []*member, err error) {
	if len(ran) > 1 {
		w.alone = append(w.alone, ran...)
		return
	}
	c := classifyLite(err)
	ran[0].again = c == retry
	ran[0].finish(wrap("COMMIT", c, err))
}

func (w *writer) close() error {
	w.once.Do(func() { close(w.quit) })
	<-w.exited
	return w.c.close()
}
