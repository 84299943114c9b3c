package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
)

const (
	maxValue = 2000     // bytes of one text within fields and changes
	maxJSON  = 32 << 10 // bytes of fields, and of changes
	maxDeep  = 8        // levels of nesting
)

// encode gives the canonical JSON of an event's values: keys sorted, no white space, no HTML escapes; secrets masked or
// refused, texts cut. What is too large as a whole becomes {"truncated":true}.
func encode[V any](l *Log, kind string, values map[string]V) (string, error) {
	if len(values) == 0 {
		return "{}", nil
	}
	w := writer{b: make([]byte, 0, 256)}
	if err := object(&w, "", values, 0); err != nil {
		return "", ErrValue.Because(fmt.Errorf("%s: %w", kind, err))
	}
	if w.found != "" {
		if l.Strict {
			return "", ErrSecret.Because(fmt.Errorf("%s holds a value under %q", kind, w.found))
		}
		l.log().Error("an event held a secret, which was masked", slog.String("type", kind), slog.String("key", w.found))
	}
	if len(w.b) >= maxJSON {
		return `{"truncated":true}`, nil
	}
	return string(w.b), nil
}

// writer writes cleaned JSON and remembers a key under which it found a secret. Events are made within write transactions,
// so that it writes what most of them hold without the detour of reflection.
type writer struct {
	b     []byte
	found string
}

// value writes a value; secret is the key above it that looks like a secret's, if one does.
func (w *writer) value(secret string, v any, depth int) error {
	if depth > maxDeep {
		w.b = append(w.b, `"..."`...)
		return nil
	}
	switch v := v.(type) {
	case nil:
		w.b = append(w.b, "null"...)
	case bool:
		w.b = strconv.AppendBool(w.b, v)
	case int:
		return w.number(secret, strconv.Itoa(v))
	case int64:
		return w.number(secret, strconv.FormatInt(v, 10))
	case json.Number:
		return w.number(secret, v.String())
	case string:
		if !utf8.ValidString(v) {
			return w.other(secret, v, depth)
		}
		return w.text(secret, v)
	case Shown:
		return w.quote(clean(strings.ToValidUTF8(string(v), "\uFFFD"), maxValue))
	case call.Change:
		return w.change(secret, v, depth)
	case map[string]any:
		if v == nil {
			return w.value(secret, nil, depth)
		}
		return object(w, secret, v, depth)
	case []any:
		return list(w, secret, v, depth)
	case []string:
		return list(w, secret, v, depth)
	default:
		return w.other(secret, v, depth)
	}
	return nil
}

// other writes a value of any type: what encoding/json makes of it.
func (w *writer) other(secret string, v any, depth int) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var plain any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&plain); err != nil {
		return err
	}
	return w.value(secret, plain, depth)
}

func object[V any](w *writer, secret string, values map[string]V, depth int) error {
	w.b = append(w.b, '{')
	last, some := "", false
	keys := make([]string, 0, len(values))
	for k := range values {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		under := secret
		if under == "" && secretive(k) {
			under = k
		}
		name := clean(k, 200)
		if some && name == last {
			continue // two keys that differ in what was cut
		}
		if some {
			w.b = append(w.b, ',')
		}
		last, some = name, true
		if err := w.quote(name); err != nil {
			return err
		}
		w.b = append(w.b, ':')
		if err := w.value(under, values[k], depth+1); err != nil {
			return err
		}
	}
	w.b = append(w.b, '}')
	return nil
}

func (w *writer) change(secret string, c call.Change, depth int) error {
	w.b = append(w.b, `{"new":`...)
	if err := w.value(secret, c.New, depth+1); err != nil {
		return err
	}
	w.b = append(w.b, `,"old":`...)
	if err := w.value(secret, c.Old, depth+1); err != nil {
		return err
	}
	w.b = append(w.b, '}')
	return nil
}

func list[V any](w *writer, secret string, values []V, depth int) error {
	if values == nil {
		return w.value(secret, nil, depth)
	}
	w.b = append(w.b, '[')
	for i, v := range values {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		if err := w.value(secret, v, depth+1); err != nil {
			return err
		}
	}
	w.b = append(w.b, ']')
	return nil
}

func (w *writer) number(secret, digits string) error {
	if secret != "" && countless(secret) {
		w.found = secret
		return w.quote(Mask)
	}
	w.b = append(w.b, digits...)
	return nil
}

func (w *writer) text(secret, s string) error {
	if secret != "" && s != "" && s != Mask {
		w.found = secret
		return w.quote(Mask)
	}
	return w.quote(clean(s, maxValue))
}

// quote writes a text as encoding/json does without HTML escapes.
func (w *writer) quote(s string) error {
	for i := range len(s) {
		// U+2028 and U+2029 begin with E2 and are escaped.
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c == 0xE2 {
			var out bytes.Buffer
			e := json.NewEncoder(&out)
			e.SetEscapeHTML(false)
			err := e.Encode(s)
			w.b = append(w.b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
			return err
		}
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, s...)
	w.b = append(w.b, '"')
	return nil
}
