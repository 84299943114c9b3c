// Package script runs JavaScript that administrators wrote, in child processes that have nothing: no files, no network, no
// environment, little memory and little time. What a script does to its process harms nobody else; a process that dies or takes
// too long is replaced.
package script

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"limen/internal/fault"
)

// Faults of scripts.
var (
	ErrOff    = fault.New(fault.Unavailable, "script.off", "Scripts cannot run on this server: their memory cannot be limited here.")
	ErrSyntax = fault.New(fault.Invalid, "script.syntax", "The script does not compile.")
	ErrTime   = fault.New(fault.Invalid, "script.time", "The script took too long and was stopped.")
	ErrMemory = fault.New(fault.Invalid, "script.memory", "The script used too much memory and was stopped.")
	ErrDied   = fault.New(fault.Invalid, "script.died", "The script ended the process that it ran in.")
	ErrLarge  = fault.New(fault.TooLarge, "script.large", "The script and what it is to look at are too large.")
	// ErrShare says when there is time again.
	ErrShare = fault.New(fault.Limited, "script.share", "The scripts of this tenant have used their time of this minute.")
)

// Pool keeps children. Its exported fields are set in internal/app.
type Pool struct {
	// Command is the program that becomes a child when Verb and the memory in bytes follow; empty: scripts are off.
	Command []string

	Memory   int64         // bytes of a child; 256 MB when 0
	Each     time.Duration // for one person; 250 ms when 0
	Wall     time.Duration // for a batch, the start of a child included; 15 s when 0
	Idle     time.Duration // after which a child that has nothing to do ends; 1 min when 0
	Children int           // at once; 2 when 0
	Share    time.Duration // that a tenant's batches may take in a minute, bulk ones half of it; 30 s when 0

	once  sync.Once
	queue queue
	mu    sync.Mutex
	idle  []*child
}

// child is a running process, used by one caller at a time.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	errs   *tail
	cut    atomic.Bool // it was killed for its time
	expire *time.Timer
}

// restCPU is the time of a processor in ms after which a child is replaced, so that it never comes near what it has in its life.
const restCPU = 20_000

// Run has a child judge a batch. ErrOff, ErrShare and what ctx ended with are no faults of the script; the others are.
func (p *Pool) Run(ctx context.Context, b Batch) ([]Verdict, error) {
	if len(p.Command) == 0 || !supported {
		return nil, ErrOff
	}
	q := p.turns()
	if wait := q.over(b.Tenant, b.Bulk); wait > 0 {
		return nil, ErrShare.RetryAfter(int(wait / time.Second))
	}
	if err := q.enter(ctx, b.Tenant); err != nil {
		return nil, err
	}
	began := time.Now()
	defer func() {
		q.spend(b.Tenant, b.Bulk, time.Since(began))
		q.leave(b.Tenant)
	}()
	b.Each = cmp.Or(p.Each, 250*time.Millisecond).Milliseconds()
	c, a, err := p.ask(ctx, b)
	if err != nil {
		return nil, err
	}
	if a.CPU > restCPU {
		c.end()
	} else {
		p.keep(c)
	}
	if a.Syntax != "" {
		return nil, ErrSyntax.Say("The script does not compile: %s", a.Syntax)
	}
	return a.Verdicts, nil
}

// turns is the queue.
func (p *Pool) turns() *queue {
	p.once.Do(func() {
		p.queue = queue{
			now: time.Now, slots: cmp.Or(p.Children, 2), share: cmp.Or(p.Share, 30*time.Second),
			running: map[string]int{}, line: map[string][]chan struct{}{}, spent: map[account]spending{},
		}
	})
	return &p.queue
}

// ask has a child answer a batch. A child that had died while it was idle is no fault of the script.
func (p *Pool) ask(ctx context.Context, b Batch) (*child, answer, error) {
	for {
		c, err := p.take()
		if err != nil {
			return nil, answer{}, ErrOff.Because(err)
		}
		a, sent, err := c.ask(ctx, b, cmp.Or(p.Wall, 15*time.Second))
		if err == nil {
			err = a.fit(len(b.People))
		}
		if err == nil {
			return c, a, nil
		}
		err = c.bury(ctx, err)
		if sent || c.expire == nil || !errors.Is(err, ErrDied) {
			return nil, answer{}, err
		}
	}
}

// take gives a child that is idle, or a new one.
func (p *Pool) take() (*child, error) {
	p.mu.Lock()
	for len(p.idle) > 0 {
		c := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if c.expire.Stop() {
			p.mu.Unlock()
			return c, nil
		}
	}
	p.mu.Unlock()
	args := append(append([]string{}, p.Command[1:]...), Verb, strconv.FormatInt(cmp.Or(p.Memory, 256<<20), 10))
	//nolint:noctx // a child outlives the call that starts it; ask ends it with its caller
	return start(exec.Command(p.Command[0], args...))
}

func start(cmd *exec.Cmd) (*child, error) {
	c := &child{cmd: cmd, errs: &tail{}}
	// One processor, so that the wall clock bounds what a script can burn; nothing of the server's environment.
	cmd.Env, cmd.Dir, cmd.Stderr = []string{"GOMAXPROCS=1", "GOTRACEBACK=none"}, "/", c.errs
	attach(cmd)
	var err error
	if c.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return c, cmd.Start()
}

// keep has a child wait for more, for a while.
func (p *Pool) keep(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c.expire = time.AfterFunc(cmp.Or(p.Idle, time.Minute), func() {
		p.mu.Lock()
		for i, o := range p.idle {
			if o == c {
				p.idle = append(p.idle[:i], p.idle[i+1:]...)
				break
			}
		}
		p.mu.Unlock()
		c.end()
	})
	p.idle = append(p.idle, c)
}

// Close ends the children that are idle.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		if c.expire.Stop() {
			c.end()
		}
	}
	p.idle = nil
}

// Running is how many children are idle and busy.
func (p *Pool) Running() (idle, busy int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.turns()
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(p.idle), q.busy
}

// ask sends a batch and waits for the answer. A child that takes longer than wall, or whose caller is gone, is killed.
func (c *child) ask(ctx context.Context, b Batch, wall time.Duration) (a answer, sent bool, err error) {
	timer := time.AfterFunc(wall, func() {
		c.cut.Store(true)
		c.kill()
	})
	defer timer.Stop()
	defer context.AfterFunc(ctx, c.kill)()
	if err := write(c.in, b); err != nil {
		return a, false, err
	}
	err = read(c.out, &a)
	return a, true, err
}

func (c *child) kill() { _ = c.cmd.Process.Kill() }

// end lets a child go that is well.
func (c *child) end() {
	_ = c.in.Close()
	go func() { _ = c.cmd.Wait() }()
}

// bury removes a child that did not answer, and says why it did not.
func (c *child) bury(ctx context.Context, err error) error {
	_ = c.in.Close()
	// It may be dying: the pipe closes before the process has said what it died of.
	defer time.AfterFunc(time.Second, c.kill).Stop()
	wait := c.cmd.Wait()
	switch said := c.errs.String(); {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.cut.Load():
		return ErrTime
	case errors.Is(err, errFrame):
		return ErrLarge
	case strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate memory") || strings.Contains(said, "failed to allocate"):
		return ErrMemory
	default:
		return ErrDied.Because(errors.Join(err, wait, errors.New(said)))
	}
}

// tail keeps the beginning of what a child says as it dies.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write takes everything and keeps little.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b.Write(b[:min(len(b), max(0, 2000-t.b.Len()))])
	return len(b), nil
}

// String is what was kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return clip(t.b.String(), 2000)
}
