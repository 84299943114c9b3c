package tokenfile

import (
	"encoding/base32"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"limen/internal/core/factor/oath"
	"limen/internal/fault"
)

const hexKey = "3132333435363738393031323334353637383930" // of RFC 4226, appendix D

const base32Key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

func TestParse(t *testing.T) {
	const file = "User Principal Name,Token Identifier,Secret Key (HEX),Account Name,Issuer,Algorithm,Digits,Type (TOTP/HOTP),Period,Counter\n" +
		"anna@acme,GT-1," + hexKey + ",Anna,Acme,HMAC-SHA-256,8,totp,60,\n" +
		"bob@acme,,31 32 33 34 35 36 37 38 39 30,,,,,HOTP,,7\n"
	got, bad, err := Parse([]byte(file))
	want := []Token{
		{2, "anna@acme", oath.Seed{Name: "Anna", Issuer: "Acme", Secret: base32Key, Algorithm: "SHA256", Digits: 8, Period: 60, Serial: "GT-1"}},
		{3, "bob@acme", oath.Seed{Secret: "GEZDGNBVGY3TQOJQ", Algorithm: "SHA1", Digits: 6, Period: 30, Counted: true, Counter: 7}},
	}
	if d := cmp.Diff(want, got); d != "" || len(bad) > 0 || err != nil {
		t.Fatal(bad, err, d)
	}
	got, bad, err = Parse([]byte("secret key;upn;serial number\n" + hexKey + ";anna@acme;GT-1\n"))
	if err != nil || len(bad) > 0 || got[0].User != "anna@acme" || got[0].Seed.Serial != "GT-1" {
		t.Fatal(got, bad, err)
	}
}

// What is wrong with a file is said by line and column.
func TestMistakes(t *testing.T) {
	const header = "User Principal Name,Token Identifier,Secret Key (HEX),Algorithm,Digits,Type,Period,Counter,Account Name\n"
	for _, c := range []struct{ row, want string }{
		{",GT-1," + hexKey, "Line 2, column User Principal Name: is empty."},
		{"anna,GT-1," + hexKey, "Line 2, column User Principal Name: "},
		{"anna@acme,GT-1,", "Line 2, column Secret Key (HEX): is empty."},
		{"anna@acme,GT-1,GEZDGNBVGY3TQOJQ", "Line 2, column Secret Key (HEX): is not hexadecimal."},
		{"anna@acme,GT-1,313", "Line 2, column Secret Key (HEX): is not hexadecimal."},
		{"anna@acme,GT-1,313233343536373839", "Line 2, column Secret Key (HEX): must have 10 to 128 bytes."},
		{"anna@acme,GT-1," + strings.Repeat("00", 129), "Line 2, column Secret Key (HEX): must have 10 to 128 bytes."},
		{"anna@acme,GT-1," + hexKey + ",MD5", "Line 2, column Algorithm: must be SHA1, SHA256 or SHA512."},
		{"anna@acme,GT-1," + hexKey + ",,5", "Line 2, column Digits: must be a number from 6 to 8."},
		{"anna@acme,GT-1," + hexKey + ",,9", "Line 2, column Digits: must be a number from 6 to 8."},
		{"anna@acme,GT-1," + hexKey + ",,,OCRA", "Line 2, column Type: must be TOTP or HOTP."},
		{"anna@acme,GT-1," + hexKey + ",,,,14", "Line 2, column Period: must be a number from 15 to 300."},
		{"anna@acme,GT-1," + hexKey + ",,,HOTP,,-1", "Line 2, column Counter: must be a number from 0 to 9007199254740992."},
		{"anna@acme,GT-1," + hexKey + ",,,HOTP,,9999999999999999999999", "Line 2, column Counter: must be a number from 0 to 9007199254740992."},
		{"anna@acme," + strings.Repeat("x", 101) + "," + hexKey, "Line 2, column Token Identifier: has more than 100 bytes."},
		{"anna@acme,GT-1," + hexKey + ",,,,,," + strings.Repeat("x", 255), "Line 2, column Account Name: has more than 254 bytes."},
		{"anna@acme,GT-1," + hexKey + ",,,,,,\"a\nb\"", "Line 2, column Account Name: has control characters."},
		{"anna@acme,GT-1," + hexKey + "\nbob@acme,gt-1," + hexKey, "Line 3, column Token Identifier: is the same as in line 2."},
	} {
		_, bad, err := Parse([]byte(header + c.row + "\n"))
		if err != nil || len(bad) != 1 || !strings.HasPrefix(bad[0].String(), c.want) {
			t.Errorf("%q: %v %v, want %s", c.row, bad, err, c.want)
		}
	}
	for file, want := range map[string]string{
		"":                                     "The file is empty.",
		"User Principal Name,Secret Key (HEX)": "The file has no tokens in it.",
		"User Principal Name\nanna@acme":       `The column "Secret Key (HEX)" is missing.`,
		"User Principal Name,Secret Key,Colour\n":     `Column 3, "Colour", is not known.`,
		"User Principal Name,Secret Key,Secret Key\n": `Column 3, "Secret Key", is there twice.`,
		"a,\"b\n": "Line 1",
	} {
		if _, _, err := Parse([]byte(file)); err == nil || !strings.Contains(fault.Of(err).Public, want) {
			t.Errorf("%q: %v, want %s", file, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("User Principal Name,Token Identifier,Secret Key (HEX),Account Name,Issuer,Algorithm,Digits,Type,Period,Counter\nanna@acme,GT-1," + hexKey + ",A,B,SHA1,6,TOTP,30,0\n"))
	f.Add([]byte("upn;secret\nx@y;00\n"))
	f.Add([]byte("UPN,Secret Key\n,\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		tokens, bad, err := Parse(b)
		if err != nil {
			return
		}
		if len(tokens) == 0 || len(tokens) > Limits.Rows {
			t.Fatal(len(tokens))
		}
		wrong := map[int]bool{}
		for _, p := range bad {
			if p.Line < 2 || p.Why == "" || p.Column == "" {
				t.Fatalf("%+v", p)
			}
			wrong[p.Line] = true
		}
		for _, one := range tokens {
			if wrong[one.Line] {
				continue
			}
			raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(one.Seed.Secret)
			if err != nil || len(raw) < minSecret || len(raw) > maxSecret || one.User == "" {
				t.Fatalf("%+v passes for a token", one)
			}
		}
	})
}
