package audit

import (
	"strings"
	"unicode"
)

// Mask stands in an event in place of a secret.
const Mask = "********"

// Shown is a text that is kept under whatever key, because its owner knows what the key means and that the text is no secret: as
// with CookieSessionLifespanHours, which is a number of hours that a client sent as a text.
type Shown string

// Masks says whether what is stored under the key of fields or changes is taken for a secret. Those who keep values under
// names of other people's choice put Mask there themselves.
func Masks(key string) bool { return secretive(key) }

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
	if !suspicious(key) {
		return false
	}
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

// suspicious says whether a key may hold one of secretWords; most do not, and need not be taken apart.
func suspicious(key string) bool {
	lower := strings.ToLower(key)
	for _, stem := range []string{"pass", "pwd", "answer", "token", "code", "secret", "otp", "pin", "credential", "cookie", "seed"} {
		if strings.Contains(lower, stem) {
			return true
		}
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
