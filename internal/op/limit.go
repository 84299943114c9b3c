package op

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"limen/internal/fault"
)

// Budget is how many calls a second are sustained, and how many may come at once.
type Budget struct {
	PerSecond float64
	Burst     int
}

// Limiter bounds calls on this node: per caller when signed in, else per network. Counters that must hold across nodes
// and restarts, such as those of wrong passwords, are the domain's.
type Limiter struct {
	Budgets map[Rate]Budget

	seen *otter.Cache[limitKey, *rate.Limiter]
	now  func() time.Time
}

type limitKey struct {
	rate Rate
	who  string
}

// DefaultBudgets let a script work at full speed, and let a stranger try few secrets.
var DefaultBudgets = map[Rate]Budget{
	Normal: {PerSecond: 500, Burst: 2000},
	Guess:  {PerSecond: 20, Burst: 100},
	Costly: {PerSecond: 10, Burst: 100},
}

// NewLimiter makes a limiter that remembers at most 100,000 callers and networks, each for ten minutes.
func NewLimiter(budgets map[Rate]Budget, now func() time.Time) *Limiter {
	return &Limiter{Budgets: budgets, now: now, seen: otter.Must(&otter.Options[limitKey, *rate.Limiter]{
		MaximumSize:      100_000,
		ExpiryCalculator: otter.ExpiryAccessing[limitKey, *rate.Limiter](10 * time.Minute),
	})}
}

// Check takes one call from the budget of its source, or says when to come back.
func (l *Limiter) Check(c *Call, o *Op) *fault.Error {
	b, ok := l.Budgets[o.Rate]
	if !ok {
		return nil
	}
	who := network(c)
	if c.Caller != nil {
		who = c.Caller.User
	}
	key := limitKey{o.Rate, who}
	lim, ok := l.seen.GetIfPresent(key)
	if !ok {
		lim, _ = l.seen.SetIfAbsent(key, rate.NewLimiter(rate.Limit(b.PerSecond), b.Burst))
	}
	now := l.now()
	if lim.AllowN(now, 1) {
		return nil
	}
	r := lim.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	r.CancelAt(now)
	return ErrLimited.RetryAfter(int(math.Ceil(wait.Seconds())))
}
