package dynamic

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// How the node that has scripts judge works.
const (
	leaseName = "scripts"
	leaseTime = 10 * time.Second // after which another node goes on
	look      = time.Second      // between two looks for what changed on other nodes
	breath    = 50 * time.Millisecond
	turns     = 8    // tenants at once: the children are shared among them
	maxLook   = 1000 // tenants and people of one look
	maxRest   = 5 * time.Minute
)

// rest is a tenant whose scripts are not tried for a while.
type rest struct {
	until time.Time
	fails int
}

var (
	dueTenants = dbx.Q[string]("dynamic.due", `SELECT DISTINCT tenant FROM role_script_person WHERE due <> 0 AND due <= ? LIMIT ?`)
	passing    = dbx.Q[string]("dynamic.passes", `SELECT DISTINCT tenant FROM role_script WHERE wanted <> done AND due <= ? LIMIT ?`)
	duePeople  = dbx.Q[string]("dynamic.duePeople", `SELECT user_id FROM role_script_person WHERE tenant = ? AND due <> 0 AND due <= ? ORDER BY due LIMIT ?`)
	tidy       = dbx.S("dynamic.tidy", "role_script_person", "tenant, user_id", "due = 0 AND changed < ?")
	stopped    = dbx.E("dynamic.stopped", `UPDATE role_script SET error = ?, failed = ?, wanted = wanted + 1, pass = 0, judged = '', due = 0
		WHERE tenant = ? AND error <> ?`)
)

// Run has scripts judge, on one node at a time, until ctx ends. It is woken by what changes here, and looks every second.
func (s *Scripts) Run(ctx context.Context) error {
	return s.Leases.Hold(ctx, leaseName, leaseTime, func(ctx context.Context) error {
		free := make(chan struct{}, turns)
		s.mu.Lock()
		clear(s.part) // another node may have judged since
		s.mu.Unlock()
		for ctx.Err() == nil {
			tenants, err := s.due(ctx)
			if err != nil && ctx.Err() == nil {
				s.log().Warn("the scripts of roles cannot be read", slog.String("error", err.Error()))
			}
			for _, tenant := range tenants {
				free <- struct{}{}
				go func() {
					defer func() { <-free; s.wake() }()
					s.turn(ctx, tenant)
				}()
			}
			s.sleep(ctx)
		}
		for range turns { // nothing may go on when another node has begun
			free <- struct{}{}
		}
		return nil
	})
}

// due are the tenants that have something to judge, are not being served, and do not rest; they count as being served from now.
func (s *Scripts) due(ctx context.Context) ([]string, error) {
	var out []string
	err := s.DB.Read(ctx, func(tx *dbx.Tx) error {
		now := time.Now().UnixMilli()
		people, err := dueTenants.All(ctx, tx, now, maxLook)
		if err != nil {
			return err
		}
		passes, err := passing.All(ctx, tx, now, maxLook)
		out = append(people, slices.DeleteFunc(passes, s.paused)...)
		return err
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy == nil {
		s.busy, s.rest = map[string]bool{}, map[string]rest{}
	}
	out = slices.Compact(slices.Sorted(slices.Values(slices.AppendSeq(out, maps.Keys(s.anew)))))
	out = slices.DeleteFunc(out, func(tenant string) bool { return s.busy[tenant] || time.Now().Before(s.rest[tenant].until) })
	for _, tenant := range out {
		s.busy[tenant] = true
	}
	return out, err
}

// Turn does a piece of a tenant's work: a batch of people who changed, and a batch of a pass. more tells whether there was any.
// All of a tenant's is done one after the other, so that what one script learns to read is known when it is asked what a change
// matters to. A pass that has used its time has nobody else wait.
func (s *Scripts) Turn(ctx context.Context, tenant string) (more bool, err error) {
	if err := s.reconsidered(ctx, tenant); err != nil {
		return false, err
	}
	caught, err := s.catch(ctx, tenant)
	if err != nil || s.paused(tenant) {
		return caught, err
	}
	more, err = s.further(ctx, tenant)
	if errors.Is(err, ErrShare) {
		s.pauses(tenant, err)
		err = nil
	}
	return more || caught, err
}

// Reconsider says that a tenant's settings changed, among them whether people may choose to be in roles that carry rights.
func (s *Scripts) Reconsider(tenant string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.anew == nil {
		s.anew = map[string]bool{}
	}
	s.anew[tenant] = true
	s.wake()
}

func (s *Scripts) reconsidered(ctx context.Context, tenant string) error {
	s.mu.Lock()
	is := s.anew[tenant]
	delete(s.anew, tenant)
	s.mu.Unlock()
	if !is {
		return nil
	}
	return s.Write(ctx, tenant, s.Rated)
}

// turn is a Turn, and what follows when it fails.
func (s *Scripts) turn(ctx context.Context, tenant string) {
	_, err := s.Turn(ctx, tenant)
	if off := (outage{}); errors.As(err, &off) && ctx.Err() == nil {
		err = errors.Join(err, s.stopped(ctx, tenant, off.why.Public))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, tenant)
	if err == nil {
		delete(s.rest, tenant)
		if len(s.part[tenant]) == 0 {
			delete(s.part, tenant)
		}
		return
	}
	if ctx.Err() == nil {
		s.rest[tenant] = s.rest[tenant].after(err)
		s.log().Warn("scripts of roles wait", slog.String("tenant", tenant), slog.String("error", err.Error()),
			slog.Time("until", s.rest[tenant].until))
	}
}

// outage is that scripts cannot run.
type outage struct{ why *fault.Error }

// Error is the fault's.
func (o outage) Error() string { return o.why.Error() }

// Unwrap gives the fault.
func (o outage) Unwrap() error { return o.why }

// after is how long a tenant rests for an error: as long as that says, or twice as long as the last time.
func (r rest) after(err error) rest {
	if f := fault.Of(err); f.After > 0 {
		return rest{until: time.Now().Add(time.Duration(f.After) * time.Second)}
	}
	r.fails = min(r.fails+1, 10)
	r.until = time.Now().Add(min(maxRest, time.Second<<r.fails))
	return r
}

// stopped notes that scripts cannot run here, and tells administrators of the first of the tenant's. Each judges everybody when
// they can again.
func (s *Scripts) stopped(ctx context.Context, tenant, why string) error {
	return s.Write(ctx, tenant, func(ctx context.Context, c *call.Call) error {
		scripts, err := ofTenant.All(ctx, c.Tx, tenant)
		if err != nil || len(scripts) == 0 {
			return err
		}
		known := slices.ContainsFunc(scripts, func(is Script) bool { return is.Error == why })
		if _, err := stopped.Do(ctx, c.Tx, why, c.Now.UnixMilli(), tenant, why); err != nil || known {
			return err
		}
		return s.tell(ctx, c, scripts[0].Role, why)
	})
}

// catch judges a batch of those of a tenant of whom something changed.
func (s *Scripts) catch(ctx context.Context, tenant string) (some bool, err error) {
	var users []string
	err = s.DB.Read(ctx, func(tx *dbx.Tx) (err error) {
		users, err = duePeople.All(ctx, tx, tenant, time.Now().UnixMilli(), batch)
		return err
	})
	some = len(users) > 0
	for _, what := range []string{everybody, later} {
		if err == nil && slices.Contains(users, what) {
			err = s.anybody(ctx, tenant, what)
		}
	}
	users = slices.DeleteFunc(users, func(id string) bool { return id == everybody || id == later })
	if err != nil || len(users) == 0 {
		return some, err
	}
	return some, s.now(ctx, tenant, users...)
}

// anybody has the scripts that read what changed of nobody in particular judge everybody.
func (s *Scripts) anybody(ctx context.Context, tenant, id string) error {
	return s.Write(ctx, tenant, func(ctx context.Context, c *call.Call) error {
		m, err := markOf.One(ctx, c.Tx, tenant, id)
		if err != nil {
			return err
		}
		scripts, read, err := s.scripts(ctx, c)
		if err != nil {
			return err
		}
		scripts = slices.DeleteFunc(scripts, func(is Script) bool { return !read[is.Role].matters(m.What) })
		if err := s.want(ctx, c, scripts...); err != nil {
			return err
		}
		_, err = settle.Do(ctx, c.Tx, 0, "", c.Now.UnixMilli(), tenant, id, m.Token)
		return err
	})
}

// Tidy forgets changes that were judged long ago.
func (s *Scripts) Tidy(ctx context.Context) error {
	return tidy.Run(ctx, s.DB, time.Now().Add(-24*time.Hour).UnixMilli())
}

// sleep waits for something to do. Changes that come in quick succession are looked at together.
func (s *Scripts) sleep(ctx context.Context) {
	t := time.NewTimer(look)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return
	case <-t.C:
	case <-s.ring():
		t.Reset(breath)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
	}
}

func (s *Scripts) wake() {
	select {
	case s.ring() <- struct{}{}:
	default:
	}
}

func (s *Scripts) ring() chan struct{} {
	s.once.Do(func() { s.bell = make(chan struct{}, 1) })
	return s.bell
}

func (s *Scripts) log() *slog.Logger {
	if s.Log != nil {
		return s.Log
	}
	return slog.Default()
}
