package script

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync"
	"time"
)

// queue shares the children among tenants. Tenants that wait are served in turn, and none ever has all the children: another
// one's first batch finds one free. Beyond that a tenant has a share of time, which comes back within a minute; bulk work may
// use half of it.
type queue struct {
	now   func() time.Time
	slots int
	share time.Duration

	mu      sync.Mutex
	busy    int
	running map[string]int
	waiting []string // tenants in the order of their turns; each once
	line    map[string][]chan struct{}
	spent   map[account]spending
}

// account is what is spent from: a tenant's whole share, or the half of it that bulk work may use. What bulk work takes counts
// in both.
type account struct {
	tenant string
	bulk   bool
}

// spending is what was used of an account, as of a moment.
type spending struct {
	used time.Duration
	at   time.Time
}

// accounts are those that work of a tenant is paid from.
func accounts(tenant string, bulk bool) []account {
	if bulk {
		return []account{{tenant, false}, {tenant, true}}
	}
	return []account{{tenant, false}}
}

// over is how long a tenant has to wait until it may use more; 0: not at all.
func (q *queue) over(tenant string, bulk bool) (wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, a := range accounts(tenant, bulk) {
		used, share := q.used(a), q.allowed(a)
		if used < share {
			continue
		}
		// What is used above the share must have come back, and a second more, so that nobody returns for a moment each time.
		back := float64(used-share+time.Second) / float64(share) * float64(time.Minute)
		wait = max(wait, time.Duration(math.Ceil(back/float64(time.Second)))*time.Second)
	}
	return wait
}

func (q *queue) allowed(a account) time.Duration {
	if a.bulk {
		return q.share / 2
	}
	return q.share
}

// used is what counts as used now: it comes back evenly in a minute.
func (q *queue) used(a account) time.Duration {
	s := q.spent[a]
	back := time.Duration(float64(q.now().Sub(s.at)) / float64(time.Minute) * float64(q.allowed(a)))
	return max(0, s.used-back)
}

// spend notes what a tenant has used.
func (q *queue) spend(tenant string, bulk bool, d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for a := range q.spent {
		if q.used(a) == 0 {
			delete(q.spent, a)
		}
	}
	for _, a := range accounts(tenant, bulk) {
		q.spent[a] = spending{q.used(a) + d, q.now()}
	}
}

// enter waits for a turn; leave gives it to the next.
func (q *queue) enter(ctx context.Context, tenant string) error {
	q.mu.Lock()
	turn := make(chan struct{})
	if len(q.line[tenant]) == 0 {
		q.waiting = append(q.waiting, tenant)
	}
	q.line[tenant] = append(q.line[tenant], turn)
	q.next()
	q.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.line[tenant], turn); i >= 0 {
		q.drop(tenant, i)
	} else { // the turn came at the same moment
		q.give(tenant)
	}
	return context.Cause(ctx)
}

func (q *queue) leave(tenant string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.give(tenant)
}

func (q *queue) take(tenant string) {
	q.busy++
	q.running[tenant]++
}

func (q *queue) give(tenant string) {
	q.busy--
	if q.running[tenant]--; q.running[tenant] == 0 {
		delete(q.running, tenant)
	}
	q.next()
}

// next lets in whoever's turn it is: of the tenants with the fewest children the one that waits longest.
func (q *queue) next() {
	for q.busy < q.slots && len(q.waiting) > 0 {
		tenant := slices.MinFunc(q.waiting, func(a, b string) int { return cmp.Compare(q.running[a], q.running[b]) })
		if q.slots > 1 && q.busy == q.slots-1 && q.running[tenant] == q.busy {
			return // the last child is kept for another tenant
		}
		turn := q.line[tenant][0]
		q.drop(tenant, 0)
		if len(q.line[tenant]) > 0 { // behind the others
			q.waiting = append(slices.DeleteFunc(q.waiting, func(t string) bool { return t == tenant }), tenant)
		}
		q.take(tenant)
		close(turn)
	}
}

// drop removes somebody who waits.
func (q *queue) drop(tenant string, i int) {
	q.line[tenant] = slices.Delete(q.line[tenant], i, i+1)
	if len(q.line[tenant]) > 0 {
		return
	}
	delete(q.line, tenant)
	q.waiting = slices.DeleteFunc(q.waiting, func(t string) bool { return t == tenant })
}
