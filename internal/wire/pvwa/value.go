// Package pvwa is the protocol of the Vault's Users API: how its messages look, and how its lists are filtered and sorted.
// Everything here is a pure function of its arguments.
package pvwa

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Error is what is wrong with a message; Field is where, if that is known.
type Error struct {
	Field  string
	Number bool // a number was wanted
	Text   string
}

// Error is the text.
func (e *Error) Error() string { return e.Text }

// Bool is true or false, or text that says so.
type Bool bool

// UnmarshalJSON reads it.
func (b *Bool) UnmarshalJSON(raw []byte) error {
	is, err := ParseBool("", strings.Trim(string(raw), `"`))
	if err != nil {
		return &json.UnmarshalTypeError{Value: string(raw), Type: reflect.TypeFor[Bool]()}
	}
	if string(raw) != "null" {
		*b = Bool(is)
	}
	return nil
}

// ParseBool reads true and false, whatever the case; the empty text is false, and so is null.
func ParseBool(field, s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "yes", "1":
		return true, nil
	case "", "false", "no", "0", "null":
		return false, nil
	}
	return false, &Error{Field: field, Text: "must be true or false"}
}

// Int is a whole number, or text that is one.
type Int int64

// UnmarshalJSON reads it.
func (n *Int) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		return nil
	}
	is, err := ParseInt("", strings.Trim(string(raw), `"`))
	if err != nil {
		return &json.UnmarshalTypeError{Value: string(raw), Type: reflect.TypeFor[Int]()}
	}
	*n = Int(is)
	return nil
}

// ParseInt reads a whole number.
func ParseInt(field, s string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0, &Error{Field: field, Number: true, Text: "must be a whole number"}
	}
	return n, nil
}

// Words is a list of texts; one text with commas is taken for one.
type Words []string

// UnmarshalJSON reads it.
func (w *Words) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		var s string
		if err := json.Unmarshal(raw, &s); err != nil {
			return err
		}
		*w = Words{}
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				*w = append(*w, part)
			}
		}
		return nil
	}
	return json.Unmarshal(raw, (*[]string)(w))
}

// Read reads a body: one JSON object, names whatever their case, those that nobody knows left out. No body is an empty object.
func Read(body []byte, into any) error {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(body) == 0 {
		return nil
	}
	err := json.Unmarshal(body, into)
	if err == nil {
		return nil
	}
	if typed, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && typed.Field != "" {
		field := sent(reflect.TypeOf(into), typed.Field)
		switch typed.Type {
		case reflect.TypeFor[Int]():
			return &Error{Field: field, Number: true, Text: "must be a whole number"}
		case reflect.TypeFor[Bool]():
			return &Error{Field: field, Text: "must be true or false"}
		}
		return &Error{Field: field, Text: "cannot be " + typed.Value}
	}
	return &Error{Text: "The body is not a JSON object that this call takes."}
}

// sent is the path of a field as clients know it: without the names of structures that others are made of.
func sent(of reflect.Type, path string) string {
	at, rest, more := strings.Cut(path, ".")
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || !more {
		return path
	}
	if f, ok := of.FieldByName(at); ok && f.Anonymous {
		return sent(f.Type, rest)
	}
	return path
}

// Query are the parameters of an address, whatever the case of their names. Of several with one name the first counts.
type Query map[string]string

// ReadQuery reads them.
func ReadQuery(raw string) (Query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &Error{Text: "The parameters of the address cannot be read."}
	}
	out := Query{}
	for name, v := range values {
		out[strings.ToLower(name)] = v[0]
	}
	return out, nil
}

// Text is a parameter; empty when it was not sent.
func (q Query) Text(name string) string { return strings.TrimSpace(q[strings.ToLower(name)]) }

// Bool is a parameter that is true or false; false when it was not sent.
func (q Query) Bool(name string) (bool, error) { return ParseBool(name, q.Text(name)) }

// Int is a parameter that is a whole number, at least low; def when it was not sent.
func (q Query) Int(name string, def, low int64) (int64, error) {
	s := q.Text(name)
	if s == "" {
		return def, nil
	}
	n, err := ParseInt(name, s)
	if err == nil && n < low {
		err = &Error{Field: name, Text: "must be " + strconv.FormatInt(low, 10) + " or more"}
	}
	return n, err
}

// NoExpiry stands for an account without an end.
const NoExpiry = -62135578800

// Seconds writes a moment as seconds since 1970; ms are milliseconds, 0: never.
func Seconds(ms int64) int64 {
	if ms == 0 {
		return NoExpiry
	}
	return ms / 1000
}

// Millis is the other way. Clients send what they were answered, and 0, for never.
func Millis(seconds int64) int64 {
	if seconds <= 0 {
		return 0
	}
	return seconds * 1000
}

const older = "01/02/2006"

// OlderDate writes a day as the calls of the first generation do; empty: never.
func OlderDate(ms int64) *string {
	if ms == 0 {
		return nil
	}
	s := time.UnixMilli(ms).UTC().Format(older)
	return &s
}

// ParseOlderDate reads a day, month first, with the time of day behind it or without; empty: never. An account ends when its day begins.
func ParseOlderDate(field, s string) (int64, error) {
	s, _, _ = strings.Cut(strings.TrimSpace(s), " ")
	if s == "" {
		return 0, nil
	}
	at, err := time.Parse("1/2/2006", s)
	if err != nil || at.Year() < 1970 {
		return 0, &Error{Field: field, Text: "must be a date as 12/31/2030"}
	}
	return at.UnixMilli(), nil
}
