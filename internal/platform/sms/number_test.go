package sms_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"limen/internal/platform/sms"
)

func TestNormalize(t *testing.T) {
	tests := []struct{ number, region, want string }{
		{"+49 151 12345678", "", "+4915112345678"},
		{"0151/12345678", "de", "+4915112345678"},
		{"(415) 555-0132", "US", "+14155550132"},
		{"0049 151 12345678", "DE", "+4915112345678"},
		{"  +33 6 12 34 56 78 ", "US", "+33612345678"},
		{"０９０－１２３４－５６７８", "JP", "+819012345678"},
		{"0151 12345678", "", ""},
		{"+49 1", "", ""},
		{"+999 123456789", "", ""},
		{"+1 415 555 0132 ext. 5", "", ""},
		{"call me", "US", ""},
		{"1800 FLVVVVVVVO", "DE", ""}, // sixteen digits
		{"+683 4002", "", "+6834002"},
		{"", "US", ""},
		{strings.Repeat("1", 500), "US", ""},
	}
	for _, tt := range tests {
		got, err := sms.Normalize(tt.number, tt.region)
		if got != tt.want || (err == nil) != (tt.want != "") || err != nil && !errors.Is(err, sms.ErrNumber) {
			t.Errorf("%q in %q: %q, %v; want %q", tt.number, tt.region, got, err, tt.want)
		}
	}
}

func TestLast(t *testing.T) {
	for number, want := range map[string]string{"+4915112345678": "5678", "(415) 555-0132": "0132", "123456": "", "": ""} {
		if got := sms.Last(number); got != want {
			t.Errorf("%q: %q", number, got)
		}
	}
}

func TestSegments(t *testing.T) {
	tests := []struct {
		text  string
		count int
		ucs2  bool
	}{
		{"", 1, false},
		{strings.Repeat("x", 160), 1, false},
		{strings.Repeat("x", 161), 2, false},
		{strings.Repeat("x", 306), 2, false},
		{strings.Repeat("x", 307), 3, false},
		{strings.Repeat("€", 80), 1, false},
		{strings.Repeat("€", 81), 2, false},
		{strings.Repeat("x", 152) + "€" + strings.Repeat("x", 152), 3, false}, // no escape is split from its character
		{strings.Repeat("é", 160), 1, false},
		{strings.Repeat("ê", 70), 1, true},
		{strings.Repeat("ê", 71), 2, true},
		{strings.Repeat("字", 134), 2, true},
		{strings.Repeat("字", 135), 3, true},
		{strings.Repeat("😀", 35), 1, true},
		{strings.Repeat("😀", 36), 2, true},
		{strings.Repeat("😀", 67), 3, true}, // 33 in a part: no surrogates apart
	}
	for _, tt := range tests {
		if n, u := sms.Segments(tt.text); n != tt.count || u != tt.ucs2 {
			t.Errorf("%.8s x %d: %d, %v", tt.text, len([]rune(tt.text)), n, u)
		}
	}
}

// FuzzNormalize holds that what comes out is E.164 and comes out the same again.
func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"+49 151 12345678", "0151 12345678", "tel:+1-415-555-0132;ext=4", "+", "1800FLOWERS", "＋４９"} {
		f.Add(s, "DE")
	}
	e164 := regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	f.Fuzz(func(t *testing.T, s, region string) {
		n, err := sms.Normalize(s, region)
		if err != nil {
			return
		}
		if !e164.MatchString(n) {
			t.Fatalf("%q in %q became %q", s, region, n)
		}
		if again, err := sms.Normalize(n, ""); err != nil || again != n {
			t.Fatalf("%q became %q, then %q, %v", s, n, again, err)
		}
	})
}
