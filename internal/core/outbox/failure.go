package outbox

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"limen/internal/fault"
)

var errPayload = errors.New("the delivery did not come from a worker")

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks an error that no further try will mend: the delivery is given up at once.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

type later struct {
	error
	after time.Duration
}

func (l later) Unwrap() error { return l.error }

// RetryAfter marks an error whose cause said when to try again, as with a Retry-After header (RFC 9110 section 10.2.3).
// A fault with After says the same.
func RetryAfter(after time.Duration, err error) error { return later{err, after} }

const (
	longest = time.Hour
	latest  = 24 * time.Hour // what a receiver may ask for
)

// wait is how long to wait after the given try failed.
func (o *Outbox) wait(try int, err error) time.Duration {
	if l, ok := errors.AsType[later](err); ok && l.after > 0 {
		return min(l.after, latest)
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && f.After > 0 {
		return min(time.Duration(f.After)*time.Second, latest)
	}
	d := longest
	if base := cmp.Or(o.Backoff, 5*time.Second); try < 20 {
		d = min(base<<(max(try, 1)-1), longest)
	}
	// A fifth more or less, so that what failed together does not come back together.
	return d - d/5 + rand.N(2*d/5+1)
}

// reason is an error as text that a row can hold.
func reason(err error) string {
	s := strings.ReplaceAll(strings.ToValidUTF8(err.Error(), "?"), "\x00", "?")
	if len(s) > maxError {
		s = strings.ToValidUTF8(s[:maxError], "")
	}
	return s
}
