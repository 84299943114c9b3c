package user

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/text/language"

	"limen/internal/core/tenant"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Lengths of a user's texts, in bytes.
const (
	maxLocal       = 128
	maxDisplay     = 256
	maxMail        = 254
	maxPhone       = 64
	maxDescription = 4000
	maxCulture     = 35
)

// maxExpires is the latest end of an account: the last moment that all dialects can write.
var maxExpires = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// SplitName cuts a login name at its last @; ok says whether both parts are there.
func SplitName(name string) (local, suffix string, ok bool) {
	i := strings.LastIndexByte(name, '@')
	if i <= 0 || i == len(name)-1 {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}

// CheckName says whether name has the form of a login name: letters, digits and + - _ . of any script before the @
// (users.yaml n 79). Whether the suffix is the tenant's is another question. field names the input for the fault.
func CheckName(field, name string) error {
	if strings.TrimSpace(name) == "" {
		return fault.Blank(field)
	}
	local, suffix, ok := SplitName(name)
	switch {
	case !ok:
		return fault.Bad(field, "must have a login suffix, as in anna@acme")
	case len(local) > maxLocal || !utf8.ValidString(name):
		return fault.Bad(field, "may have %d bytes before the @", maxLocal)
	case strings.ContainsFunc(local, func(r rune) bool { return !tenant.NameRune(r) }):
		return fault.Bad(field, "may have letters, digits and + - _ . before the @")
	}
	return tenant.CheckSuffixOf(field, suffix)
}

// CheckMail says whether s is a single mail address, without a display name.
func CheckMail(field, s string) error {
	if len(s) > maxMail {
		return fault.Bad(field, "may have %d bytes", maxMail)
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Name != "" || a.Address != s || hasControl(s) {
		return fault.Bad(field, "must be a mail address")
	}
	return nil
}

// checkPhone accepts what people write as a telephone number; Phone makes the international form of it.
func checkPhone(field, s string) error {
	digits := 0
	for _, r := range s {
		switch {
		case '0' <= r && r <= '9':
			digits++
		case strings.ContainsRune(" +-()./#*,;xXetET", r):
		default:
			return fault.Bad(field, "must be a telephone number")
		}
	}
	if len(s) > maxPhone || digits < 3 {
		return fault.Bad(field, "must be a telephone number")
	}
	return nil
}

// Phone gives the E.164 form of a stored telephone number; ok is false when it is none. region is the two-letter
// country whose numbers may lack their country code.
func Phone(number, region string) (e164 string, ok bool) {
	n, err := phonenumbers.Parse(number, strings.ToUpper(region))
	if err != nil || !phonenumbers.IsPossibleNumber(n) {
		return "", false
	}
	return phonenumbers.Format(n, phonenumbers.E164), true
}

func checkText(field, s string, most int, lines bool) error {
	if len(s) > most {
		return fault.Bad(field, "may have %d bytes", most)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && !(lines && (r == '\n' || r == '\r' || r == '\t'))
	}) {
		return fault.Bad(field, "has characters that are not text")
	}
	return nil
}

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

func checkCulture(field, s string) error {
	if _, err := language.Parse(s); err != nil || len(s) > maxCulture {
		return fault.Bad(field, "must be a language tag, as en-US")
	}
	return nil
}

// check validates every field that differs from old and fills the keys.
func (u *User) check(old *User) error {
	u.Name, u.Mail, u.Display = strings.TrimSpace(u.Name), strings.TrimSpace(u.Mail), strings.TrimSpace(u.Display)
	u.Mobile, u.Home, u.Office, u.Culture = strings.TrimSpace(u.Mobile), strings.TrimSpace(u.Home), strings.TrimSpace(u.Office), strings.TrimSpace(u.Culture)
	if u.Name != old.Name || u.Name == "" {
		if err := CheckName("Name", u.Name); err != nil {
			return err
		}
	}
	if u.Mail != old.Mail && u.Mail != "" {
		if err := CheckMail("Mail", u.Mail); err != nil {
			return err
		}
	}
	for _, f := range [...]struct{ field, now, was string }{
		{"MobileNumber", u.Mobile, old.Mobile}, {"HomeNumber", u.Home, old.Home}, {"OfficeNumber", u.Office, old.Office},
	} {
		if f.now != f.was && f.now != "" {
			if err := checkPhone(f.field, f.now); err != nil {
				return err
			}
		}
	}
	if u.Culture != old.Culture && u.Culture != "" {
		if err := checkCulture("PreferredCulture", u.Culture); err != nil {
			return err
		}
	}
	if u.Expires < 0 || u.Expires > maxExpires.UnixMilli() {
		return fault.Bad("AccountExp", "must be a date until the year 9999")
	}
	if err := checkText("DisplayName", u.Display, maxDisplay, false); err != nil {
		return err
	}
	if err := checkText("Description", u.Description, maxDescription, true); err != nil {
		return err
	}
	u.keys()
	return nil
}

// keys fills what names are compared by.
func (u *User) keys() {
	u.NameKey, u.DisplayKey, u.MailKey = fold.Key(u.Name), fold.Key(u.Display), fold.Key(u.Mail)
	_, suffix, _ := SplitName(u.Name)
	u.SuffixKey = fold.Key(suffix)
}
