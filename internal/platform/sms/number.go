package sms

import (
	"strings"

	"github.com/nyaruka/phonenumbers"

	"limen/internal/fault"
)

// ErrNumber says that a text is not a telephone number that exists.
var ErrNumber = fault.New(fault.Invalid, "sms.number", "This is not a valid telephone number.")

// maxNumber is the longest text that is read as a number, in bytes.
const maxNumber = 40

// Normalize returns a telephone number in E.164 form, such as "+14155550100". A number without a country code is read as
// one of region, an ISO 3166-1 code such as "DE"; an empty region takes international numbers only. Extensions are
// refused: no text message reaches one.
func Normalize(number, region string) (string, error) {
	number = strings.TrimSpace(number)
	if number == "" || len(number) > maxNumber || len(region) > 3 {
		return "", ErrNumber
	}
	n, err := phonenumbers.Parse(number, strings.ToUpper(region))
	if err != nil {
		return "", ErrNumber.Because(err)
	}
	if !phonenumbers.IsValidNumber(n) || n.GetExtension() != "" {
		return "", ErrNumber
	}
	text := phonenumbers.Format(n, phonenumbers.E164)
	if !e164.MatchString(text) {
		return "", ErrNumber // some countries have numbers longer than E.164's fifteen digits; no text message reaches them
	}
	return text, nil
}

// Last returns the last four digits of a number, which is what people may see of it before they signed in (contract:
// PartialDeviceAddress). A number of fewer than seven digits shows nothing: four would be most of it.
func Last(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if len(digits) < 7 {
		return ""
	}
	return digits[len(digits)-4:]
}

// basic and extended are the GSM 7-bit alphabet and its extension table (3GPP TS 23.038 sections 6.2.1 and 6.2.1.1); a
// character of the latter takes two places.
const (
	basic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	extended = "\f^{}\\[~]|€"
)

// Segments counts the parts a text is sent and charged in: 160 septets or 70 UTF-16 units alone, 153 or 67 in a series
// (3GPP TS 23.040 section 9.2.3.24.1). A single character outside the GSM alphabet makes the whole text UCS-2. No
// character is split between two parts.
func Segments(text string) (count int, ucs2 bool) {
	for _, r := range text {
		ucs2 = ucs2 || !strings.ContainsRune(basic, r) && !strings.ContainsRune(extended, r)
	}
	single, part := 160, 153
	width := func(r rune) int {
		if strings.ContainsRune(extended, r) {
			return 2
		}
		return 1
	}
	if ucs2 {
		single, part = 70, 67
		width = func(r rune) int {
			if r > 0xffff {
				return 2
			}
			return 1
		}
	}
	total, used := 0, 0
	for _, r := range text {
		w := width(r)
		if total += w; used+w > part {
			count, used = count+1, 0
		}
		used += w
	}
	if total <= single {
		return 1, ucs2
	}
	return count + 1, ucs2
}
