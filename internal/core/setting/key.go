package setting

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"limen/internal/fold"
)

// Key describes a known setting.
type Key struct {
	Name    string
	Kind    string // text, bool, int, choice, secret
	Default string // as text
	Min     int64  // of an int
	Max     int64
	Unit    string   // of an int that is a time: seconds, minutes, hours, days
	Choices []string // of a choice
	Secret  bool
	Meaning string

	// set reads a text into the values and gives the form of it that is stored.
	set func(v *Values, text string) (string, error)
}

// Keys lists the known settings, grouped as they belong together.
func Keys() []Key { return append([]Key(nil), keys...) }

var byKey = func() map[string]*Key {
	m := map[string]*Key{}
	for i := range keys {
		m[fold.Key(keys[i].Name)] = &keys[i]
	}
	return m
}()

var units = map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}

func boolean(name string, def bool, meaning string, at func(*Values) *bool) Key {
	k := Key{Name: name, Kind: "bool", Default: strconv.FormatBool(def), Meaning: meaning}
	k.set = func(v *Values, text string) (string, error) {
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true", "1", "yes", "on":
			*at(v) = true
		case "false", "0", "no", "off":
			*at(v) = false
		default:
			return "", errors.New("must be true or false")
		}
		return strconv.FormatBool(*at(v)), nil
	}
	return k
}

func integer(name string, def, low, high int64, meaning string, at func(*Values) *int) Key {
	k := Key{Name: name, Kind: "int", Default: strconv.FormatInt(def, 10), Min: low, Max: high, Meaning: meaning}
	k.set = func(v *Values, text string) (string, error) {
		n, err := k.number(text)
		*at(v) = int(n)
		return strconv.FormatInt(n, 10), err
	}
	return k
}

func (k Key) number(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || n < k.Min || n > k.Max {
		return 0, fmt.Errorf("must be a whole number from %d to %d", k.Min, k.Max)
	}
	return n, nil
}

// duration is an int whose name ends in its unit.
func duration(name, unit string, def, low, high int64, meaning string, at func(*Values) *time.Duration) Key {
	k := Key{Name: name, Kind: "int", Default: strconv.FormatInt(def, 10), Min: low, Max: high, Unit: unit, Meaning: meaning}
	k.set = func(v *Values, text string) (string, error) {
		n, err := k.number(text)
		*at(v) = time.Duration(n) * units[unit]
		return strconv.FormatInt(n, 10), err
	}
	return k
}

func text(name, def string, most int, meaning string, at func(*Values) *string, checks ...func(string) error) Key {
	k := Key{Name: name, Kind: "text", Default: def, Max: int64(most), Meaning: meaning}
	k.set = func(v *Values, text string) (string, error) {
		text = strings.TrimSpace(text)
		if len(text) > most {
			return "", fmt.Errorf("may have %d bytes", most)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
			return "", errors.New("has characters that are not text")
		}
		for _, check := range checks {
			if text == "" {
				break
			}
			if err := check(text); err != nil {
				return "", err
			}
		}
		*at(v) = text
		return text, nil
	}
	return k
}

// secret is a text that is stored sealed; set gets the plain text from administrators and the sealed one from the store.
func secret(name, meaning string, at func(*Values) *Sealed) Key {
	return Key{Name: name, Kind: "secret", Secret: true, Meaning: meaning, set: func(v *Values, text string) (string, error) {
		if len(text) > 4096 || strings.ContainsFunc(text, unicode.IsControl) {
			return "", errors.New("may have 4096 bytes and no control characters")
		}
		*at(v) = Sealed(text)
		return text, nil
	}}
}

func oneLine(s string) error {
	if strings.ContainsFunc(s, unicode.IsControl) {
		return errors.New("must be one line")
	}
	return nil
}

func isMail(s string) error {
	if a, err := mail.ParseAddress(s); err != nil || a.Name != "" || a.Address != s {
		return errors.New("must be a mail address")
	}
	return nil
}

// isMailList accepts addresses with commas between, at most ten.
func isMailList(s string) error {
	all := strings.Split(s, ",")
	if len(all) > 10 {
		return errors.New("may have ten addresses")
	}
	for _, one := range all {
		if isMail(strings.TrimSpace(one)) != nil {
			return errors.New("must be mail addresses with commas between")
		}
	}
	return nil
}

// isHost accepts names and addresses without a port; a name outside ASCII is converted when it is used.
func isHost(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-_.:[]", r)
	}) {
		return errors.New("must be a host name")
	}
	return nil
}

func isURL(s string) error {
	if !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") {
		return errors.New("must be a URL with http or https")
	}
	return oneLine(s)
}

// isSecure is an absolute https address that a browser can be led to.
func isSecure(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("must be an absolute https address")
	}
	return oneLine(s)
}

// isLink is a web or mail address that people can follow.
func isLink(s string) error {
	if strings.HasPrefix(s, "mailto:") {
		return oneLine(s)
	}
	return isURL(s)
}

// isMethods is a list of methods of EAP, with commas between, or none.
func isMethods(s string) error {
	if strings.EqualFold(s, "none") {
		return nil
	}
	for one := range strings.SplitSeq(s, ",") {
		switch strings.ToUpper(strings.TrimSpace(one)) {
		case "TLS", "TTLS", "PEAP":
		default:
			return errors.New("must be none, or some of TLS, TTLS and PEAP with commas between")
		}
	}
	return nil
}

func isForm(form func(string) bool, want string) func(string) error {
	return func(s string) error {
		if !form(s) {
			return errors.New("must be " + want)
		}
		return nil
	}
}
