package attribute

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"limen/internal/wire/rpc"
)

// parse makes the stored text of a value that a client gave: text, a json.Number, a boolean, or nil. Clients read values
// and send them back as text, whatever their type (users.yaml n 117), so text is read as the type wants it; where text is
// not wanted itself, blank text is none. ok is false for no value. why completes "must be ..." when the value does not fit.
func (t Type) parse(v any) (stored string, ok bool, why string) {
	var s string
	switch v := v.(type) {
	case nil:
		return "", false, ""
	case string:
		s = v
	case json.Number:
		s = v.String()
	case bool:
		s = strconv.FormatBool(v)
	default:
		return "", false, "a single value"
	}
	if t == Text {
		if len(s) > MaxText || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return "", false, "text of " + strconv.Itoa(MaxText) + " bytes at most"
		}
		return s, true, ""
	}
	if s = strings.TrimSpace(s); s == "" {
		return "", false, ""
	}
	if len(s) > 64 {
		return "", false, t.wants()
	}
	if stored, ok = t.canonical(s); !ok {
		return "", false, t.wants()
	}
	return stored, stored != "", ""
}

// wants completes "must be ...".
func (t Type) wants() string {
	switch t {
	case Int:
		return "a whole number of 64 bits"
	case Double:
		return "a number"
	case Bool:
		return "true or false"
	case DateTime:
		return "a date"
	}
	return "text"
}

// canonical is the one way in which equal values are stored; empty text with ok for a date that means none.
func (t Type) canonical(s string) (stored string, ok bool) {
	switch t {
	case Int:
		n, ok := whole(s)
		return strconv.FormatInt(n, 10), ok
	case Double:
		if strings.Trim(s, "0123456789+-.eE") != "" {
			return "", false // ParseFloat also reads hexadecimal, infinities, and what is no number
		}
		f, err := strconv.ParseFloat(s, 64)
		return strconv.FormatFloat(f+0, 'g', -1, 64), err == nil && !math.IsInf(f, 0)
	case Bool:
		b, err := strconv.ParseBool(strings.ToLower(s))
		return strconv.FormatBool(b), err == nil
	case DateTime:
		if n, ok := whole(s); ok {
			s = strconv.FormatInt(n, 10)
		}
		at, err := rpc.ParseDate(s)
		if at.IsZero() && err == nil {
			return "", true // the dialect's "unset" (users.yaml, head, DATES)
		}
		return strconv.FormatInt(at.UnixMilli(), 10), err == nil
	}
	return "", false
}

// whole reads a whole number, also as 1e+06: a client prints numbers so that it read as JSON.
func whole(s string) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	mantissa, exponent, e := strings.Cut(strings.ToLower(s), "e")
	if n, err := strconv.Atoi(exponent); e && (err != nil || n < -64 || n > 64) || strings.Trim(mantissa, "0123456789+-.") != "" {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

// read gives a stored value as what it is: string, int64, float64, bool, or time.Time in UTC.
func (t Type) read(stored string) any {
	switch t {
	case Int:
		n, _ := strconv.ParseInt(stored, 10, 64) // it was written by canonical
		return n
	case Double:
		f, _ := strconv.ParseFloat(stored, 64)
		return f
	case Bool:
		return stored == "true"
	case DateTime:
		ms, _ := strconv.ParseInt(stored, 10, 64)
		return time.UnixMilli(ms).UTC()
	}
	return stored
}
