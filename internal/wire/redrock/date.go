package redrock

import (
	"strconv"
	"strings"
	"time"
)

// layouts are the forms in which scripts write moments, always UTC unless an offset is written.
var layouts = [...]string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04Z07:00", "2006-01-02 15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02",
}

// maxMoment is the farthest date that clients' JavaScript can hold, in milliseconds either way.
const maxMoment = 8_640_000_000_000_000

// moment reads a date in ISO form or as /Date(ms)/ into milliseconds since 1970 UTC.
func moment(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "/Date(") && strings.HasSuffix(s, ")/") {
		ms, err := strconv.ParseInt(s[len("/Date("):len(s)-len(")/")], 10, 64)
		return ms, err == nil && ms >= -maxMoment && ms <= maxMoment
	}
	for _, l := range layouts {
		if t, err := time.Parse(l, s); err == nil {
			return t.UnixMilli(), true
		}
	}
	return 0, false
}

// maxDays bounds DateFunc's distance, so that no sum leaves the years that dates can have.
const maxDays = 400 * 366

// dateFunc computes DateFunc('now'), DateFunc('now', days) and DateFunc('2016-08-26 11:00'[, days]).
func (c *compiler) dateFunc(e *Call) (frag, error) {
	if len(e.Args) < 1 || len(e.Args) > 2 {
		return frag{}, errAt(e.At, CodeFunction, "DateFunc takes 'now' or a date, and a number of days if wanted")
	}
	base, err := c.constant(e.Args[0], "DateFunc")
	if err != nil {
		return frag{}, err
	}
	ms, ok := c.moment(base)
	if !ok {
		return frag{}, errAt(e.Args[0].at(), CodeFunction, "DateFunc takes 'now' or a date such as '2016-08-26 11:00'")
	}
	if len(e.Args) == 2 {
		lit, err := c.constant(e.Args[1], "DateFunc")
		if err != nil {
			return frag{}, err
		}
		days, ok := lit.number()
		if !ok || days < -maxDays || days > maxDays {
			return frag{}, errAt(e.Args[1].at(), CodeFunction, "the second argument of DateFunc is a number of days, such as -30")
		}
		ms += int64(days * float64(24*time.Hour/time.Millisecond))
	}
	return c.literal(literal{typ: Time, i: ms}), nil
}

// moment is the time that a literal text or date stands for.
func (c *compiler) moment(l literal) (int64, bool) {
	switch l.typ {
	case Time:
		return l.i, true
	case Text:
		if same(strings.TrimSpace(l.s), "now") {
			return c.opt.Now.UnixMilli(), true
		}
		return moment(l.s)
	}
	return 0, false
}

// clock computes datetime('now'), date('now') and time('now') with SQLite's modifiers; the result is a text, as SQLite's.
func (c *compiler) clock(e *Call, layout string) (frag, error) {
	at := c.opt.Now.UTC()
	for i, a := range e.Args {
		lit, err := c.constant(a, e.Name)
		if err != nil {
			return frag{}, err
		}
		ok := false
		if i == 0 {
			var ms int64
			if ms, ok = c.moment(lit); ok {
				at = time.UnixMilli(ms).UTC()
			}
		} else if lit.typ == Text {
			at, ok = modify(at, lit.s)
		}
		if !ok || at.Year() < 0 || at.Year() > 9999 {
			return frag{}, errAt(a.at(), CodeFunction, "%s takes 'now' or a date, then modifiers such as '-7 days' or 'start of day'", e.Name)
		}
	}
	return c.literal(literal{typ: Text, s: at.Format(layout)}), nil
}

// modify applies one of SQLite's date modifiers.
func modify(t time.Time, m string) (time.Time, bool) {
	f := strings.Fields(strings.ToLower(m))
	switch strings.Join(f, " ") {
	case "utc":
		return t, true
	case "start of day":
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC), true
	case "start of month":
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC), true
	case "start of year":
		return time.Date(t.Year(), 1, 1, 0, 0, 0, 0, time.UTC), true
	}
	if len(f) != 2 {
		return t, false
	}
	n, err := strconv.Atoi(strings.TrimPrefix(f[0], "+"))
	if err != nil || n < -1e9 || n > 1e9 {
		return t, false
	}
	switch strings.TrimSuffix(f[1], "s") {
	case "second":
		return t.Add(time.Duration(n) * time.Second), true
	case "minute":
		return t.Add(time.Duration(n) * time.Minute), n > -1e8 && n < 1e8
	case "hour":
		return t.Add(time.Duration(n) * time.Hour), n > -2e6 && n < 2e6
	case "day":
		return t.AddDate(0, 0, n), n > -1e6 && n < 1e6
	case "month":
		return t.AddDate(0, n, 0), n > -1e5 && n < 1e5
	case "year":
		return t.AddDate(n, 0, 0), n > -1e4 && n < 1e4
	}
	return t, false
}
