package factor

import (
	"context"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/crypt"
)

// Codes makes and checks the codes that are sent to people. A code is kept as a keyed hash, is good for one person, one
// mechanism and one conversation, for a while, and for a few wrong answers.
type Codes struct {
	Ring *crypt.Ring
	// Limits gives the tenant's numbers; the defaults when nil. It runs in a transaction.
	Limits func(ctx context.Context, c *call.Call) (CodeLimits, error)
}

// CodeLimits are numbers of a tenant; the zero value of a field takes its default.
type CodeLimits struct {
	Length int           // digits; 6
	Life   time.Duration // 10 min
	Tries  int           // wrong answers after which the code is of no use; 5
	Sends  int           // how often one conversation may send; 5
}

// Sending is a code on its way to a person.
type Sending struct {
	Code     string
	Link     string        // https, does what the code does; may be empty
	Life     time.Duration // how long the code is good for
	Recovery bool          // the code is for choosing a new password: the message must not call it a sign-in's
}

// Again is how soon after a code was sent another one is not made: a client that repeats its request means the same.
const Again = 5 * time.Second

// LimitsOf gives the tenant's numbers.
func (k Codes) LimitsOf(ctx context.Context, c *call.Call) (l CodeLimits, err error) {
	if k.Limits != nil {
		if l, err = k.Limits(ctx, c); err != nil {
			return l, err
		}
	}
	for _, f := range []struct {
		at  *int
		def int
	}{{&l.Length, 6}, {&l.Tries, 5}, {&l.Sends, 5}} {
		if *f.at <= 0 {
			*f.at = f.def
		}
	}
	if l.Life <= 0 {
		l.Life = 10 * time.Minute
	}
	return l, nil
}

// Draw makes a code for a challenge, in place of an earlier one; empty when one was sent just now and still counts.
func (k Codes) Draw(ctx context.Context, c *call.Call, p Person, ch *Challenge) (code string, life time.Duration, err error) {
	l, err := k.LimitsOf(ctx, c)
	if err != nil {
		return "", 0, err
	}
	now := c.Now.UnixMilli()
	if ch.Sent != 0 && now-ch.Sent < Again.Milliseconds() {
		return "", l.Life, nil
	}
	if ch.Sends >= l.Sends {
		return "", 0, ErrSends
	}
	code = crypt.NewCode(c.Rand, l.Length)
	mac, err := k.Ring.MAC(ctx, c.Tenant.ID, PurposeCode, message(p, ch, code))
	if err != nil {
		return "", 0, err
	}
	ch.Code, ch.Sent, ch.Expires, ch.Tries = mac, now, now+l.Life.Milliseconds(), 0
	ch.Sends++
	return code, l.Life, nil
}

// Fits says whether an answer is the code, in time that does not depend on it.
func (k Codes) Fits(ctx context.Context, c *call.Call, p Person, ch Challenge, answer string) (bool, error) {
	answer = strings.Map(func(r rune) rune { // people copy codes with spaces and dashes
		if r == ' ' || r == '-' || r == '\t' {
			return -1
		}
		return r
	}, answer)
	if len(answer) > 64 {
		return false, nil
	}
	ok, err := k.Ring.CheckMAC(ctx, c.Tenant.ID, PurposeCode, message(p, &ch, answer), ch.Code)
	return ok && p.ID != "" && ch.Code != "", err
}

// Accept takes the code out of use, or counts a wrong answer.
func (k Codes) Accept(ctx context.Context, c *call.Call, ch *Challenge, right bool) (bool, error) {
	l, err := k.LimitsOf(ctx, c)
	if err != nil {
		return false, err
	}
	spent := ch.Code == "" || ch.Passed || c.Now.UnixMilli() >= ch.Expires || ch.Tries >= l.Tries
	if !right || spent {
		ch.Tries++
		return false, nil
	}
	ch.Code, ch.Passed = "", true
	return true, nil
}

func message(p Person, ch *Challenge, code string) []byte {
	return []byte(strings.Join([]string{p.ID, ch.Name, ch.ID, code}, "\x00"))
}
