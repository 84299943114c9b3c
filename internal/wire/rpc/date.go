package rpc

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Date writes t as the dialect does: "/Date(ms)/", milliseconds since 1970 in UTC. The zero time gives
// "/Date(-62135596800000)/", which clients take as unset (users.yaml, head, DATES).
func Date(t time.Time) string { return string(appendDate(nil, t)) }

func appendDate(dst []byte, t time.Time) []byte {
	dst = append(dst, "/Date("...)
	dst = strconv.AppendInt(dst, t.UnixMilli(), 10)
	return append(dst, ")/"...)
}

// Time is a time in a result: it marshals to "/Date(ms)/", and to null when zero.
type Time time.Time

// IsZero makes the option omitzero work.
func (t Time) IsZero() bool { return time.Time(t).IsZero() }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return t.AppendJSON(nil) }

// AppendJSON implements Appender.
func (t Time) AppendJSON(dst []byte) ([]byte, error) {
	if t.IsZero() {
		return append(dst, "null"...), nil
	}
	return append(appendDate(append(dst, '"'), time.Time(t)), '"'), nil
}

// UnmarshalJSON reads what MarshalJSON writes, and any other form of ParseDate.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	var s string
	if json.Unmarshal(b, &s) != nil {
		s = string(b)
	}
	at, err := ParseDate(s)
	if err == nil {
		*t = Time(at)
	}
	return err
}

// Dates outside of the years 1 to 9999 have no form in the dialect.
const (
	minMillis = -62135596800000
	maxMillis = 253402300799999
)

var errDate = &Error{Kind: Type, Text: "This is no date."}

// ParseDate reads a date in any form that clients send: /Date(ms)/, /Date(ms+0200)/ (the zone does not change the
// instant), ISO 8601 as date or date and time, with a zone or in UTC, the American M/d/yyyy with or without h:mm:ss tt,
// or milliseconds since 1970 as a number. The answer is in UTC and lies in the years 1 to 9999; its precision is that of the text.
func ParseDate(s string) (time.Time, error) {
	var t time.Time
	var err error
	switch {
	case len(s) > 64 || s == "":
		return t, errDate
	case strings.HasPrefix(s, "/Date(") && strings.HasSuffix(s, ")/"):
		return parseMillis(unzoned(s[len("/Date(") : len(s)-len(")/")]))
	case strings.Trim(s[1:], "0123456789") == "" && (s[0] == '-' || '0' <= s[0] && s[0] <= '9') && s != "-":
		return parseMillis(s)
	case strings.Contains(s, "/"):
		t, err = firstLayout(strings.ToUpper(s), american[:])
	default:
		t, err = firstLayout(strings.ToUpper(s), iso[:])
	}
	if ms := t.UnixMilli(); err != nil || ms < minMillis || ms > maxMillis {
		return time.Time{}, errDate
	}
	return t.UTC(), nil
}

// unzoned cuts the zone off the inside of /Date(ms+hhmm)/.
func unzoned(s string) string {
	n := len(s)
	if n > 5 && (s[n-5] == '+' || s[n-5] == '-') && strings.Trim(s[n-4:], "0123456789") == "" {
		return s[:n-5]
	}
	return s
}

func parseMillis(s string) (time.Time, error) {
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms < minMillis || ms > maxMillis || s[0] == '+' {
		return time.Time{}, errDate
	}
	return time.UnixMilli(ms).UTC(), nil
}

// time.Parse takes a fraction after the seconds of any layout.
var (
	iso = [...]string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02",
		"2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z0700", "2006-01-02T15:04:05Z07", "2006-01-02 15:04:05Z07:00",
		"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05 Z07:00",
	}
	american = [...]string{
		"1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "1/2/2006 15:04:05", "1/2/2006 15:04", "1/2/2006",
	}
)

func firstLayout(s string, layouts []string) (t time.Time, err error) {
	for _, l := range layouts {
		if t, err = time.Parse(l, s); err == nil {
			return t, nil
		}
	}
	return t, errDate
}
