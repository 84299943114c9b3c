package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"unicode"

	"limen/internal/call"
)

const (
	maxValue = 2000     // bytes of one text within fields and changes
	maxJSON  = 32 << 10 // bytes of fields, and of changes
	maxDeep  = 8        // levels of nesting
	masked   = Mask
)

// Mask stands in an event in place of a secret.
const Mask = "********"

// Masks says whether what is stored under the key of fields or changes is taken for a secret. Those who keep values under
// names of other people's choice put Mask there themselves.
func Masks(key string) bool { return secretive(key) }

func asAny(m map[string]any) any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

func changes(m map[string]call.Change) any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// encode gives the canonical JSON of an event's values: keys sorted, no white space, no HTML escapes; secrets masked or
// refused, texts cut. What is too large as a whole becomes {"truncated":true}.
func (l *Log) encode(kind string, v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", ErrValue.Because(fmt.Errorf("%s: %w", kind, err))
	}
	if len(raw) == 2 {
		return "{}", nil
	}
	var plain any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&plain); err != nil {
		return "", ErrValue.Because(fmt.Errorf("%s: %w", kind, err))
	}
	w := washer{}
	plain = w.wash("", plain, 0)
	if w.found != "" {
		if l.Strict {
			return "", ErrSecret.Because(fmt.Errorf("%s holds a value under %q", kind, w.found))
		}
		l.log().Error("an event held a secret, which was masked", slog.String("type", kind), slog.String("key", w.found))
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain); err != nil {
		return "", ErrValue.Because(fmt.Errorf("%s: %w", kind, err))
	}
	if out.Len() > maxJSON {
		return `{"truncated":true}`, nil
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

// washer cleans decoded JSON and remembers a key under which it found a secret.
type washer struct{ found string }

// wash cleans a value; secret is the key above it that looks like a secret's, if one does.
func (w *washer) wash(secret string, v any, depth int) any {
	if depth > maxDeep {
		return "..."
	}
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, value := range v {
			under := secret
			if under == "" && secretive(k) {
				under = k
			}
			out[clean(k, 200)] = w.wash(under, value, depth+1)
		}
		return out
	case []any:
		for i := range v {
			v[i] = w.wash(secret, v[i], depth+1)
		}
		return v
	case string:
		if secret != "" && v != "" && v != masked {
			w.found = secret
			return masked
		}
		return clean(v, maxValue)
	case json.Number:
		if secret != "" && countless(secret) {
			w.found = secret
			return masked
		}
	}
	return v
}

var secretWords = map[string]bool{"password": true, "passwords": true, "passwd": true, "pwd": true, "passcode": true, "passphrase": true,
	"answer": true, "answers": true, "token": true, "tokens": true, "code": true, "codes": true, "secret": true, "secrets": true,
	"otp": true, "pin": true, "credential": true, "credentials": true, "cookie": true, "seed": true}

// plainWords end a key that speaks about a secret without holding it, or of a code that is none.
var plainWords = map[string]bool{"id": true, "uuid": true, "type": true, "kind": true, "name": true, "length": true, "count": true,
	"policy": true, "profile": true, "lifetime": true, "expires": true, "expiry": true, "changed": true, "date": true, "age": true,
	"question": true, "scope": true, "scopes": true, "state": true, "status": true, "reason": true, "format": true, "method": true}

var plainCodes = map[string]bool{"error": true, "status": true, "country": true, "reason": true, "result": true, "language": true,
	"fault": true, "response": true, "area": true, "zip": true, "postal": true}

// secretive says whether a key looks like that of a secret: one of its words is, and its last word does not say otherwise.
func secretive(key string) bool {
	ws := words(key)
	for i, w := range ws {
		if !secretWords[w] || plainWords[ws[len(ws)-1]] {
			continue
		}
		if w == "code" || w == "codes" {
			if i > 0 && plainCodes[ws[i-1]] {
				continue
			}
		}
		return true
	}
	return false
}

// countless says whether a number under the key is the secret itself, as with codes; elsewhere it is a length or an age.
func countless(key string) bool {
	ws := words(key)
	switch ws[len(ws)-1] {
	case "code", "codes", "otp", "pin", "passcode", "answer", "password", "token", "secret":
		return true
	}
	return false
}

// words splits a key such as NewPassword, new_password or OTPCode into its words in lower case.
func words(key string) []string {
	rs := []rune(key)
	var out []string
	start := 0
	cut := func(end int) {
		if end > start {
			out = append(out, strings.ToLower(string(rs[start:end])))
		}
		start = end
	}
	for i, r := range rs {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i)
			start = i + 1
		case unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(rs[i-1]) || i+1 < len(rs) && unicode.IsLower(rs[i+1])):
			cut(i)
		}
	}
	cut(len(rs))
	if len(out) == 0 {
		return []string{""}
	}
	return out
}
