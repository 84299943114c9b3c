package attribute

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestValues(t *testing.T) {
	num := func(s string) json.Number { return json.Number(s) }
	const none, bad = "(none)", "(bad)"
	for _, c := range []struct {
		t    Type
		v    any
		want string
	}{
		{Text, "Sales", "Sales"}, {Text, "", ""}, {Text, "  x ", "  x "}, {Text, nil, none}, {Text, num("1e3"), "1e3"}, {Text, true, "true"},
		{Text, strings.Repeat("x", MaxText), strings.Repeat("x", MaxText)}, {Text, strings.Repeat("x", MaxText+1), bad},
		{Text, "a\x00b", bad}, {Text, "\xff", bad}, {Text, []any{"x"}, bad}, {Text, map[string]any{}, bad},

		{Int, "42", "42"}, {Int, num("42"), "42"}, {Int, " -7 ", "-7"}, {Int, "1e+06", "1000000"}, {Int, num("1.5e1"), "15"}, {Int, "10.0", "10"},
		{Int, "9223372036854775807", "9223372036854775807"}, {Int, "9223372036854775808", bad}, {Int, "1e+18", "1000000000000000000"},
		{Int, "1e19", bad}, {Int, "1.5", bad}, {Int, "x", bad}, {Int, "0x10", bad}, {Int, "1_000", bad}, {Int, "1/1", bad}, {Int, "e5", bad},
		{Int, "1e999999999", bad}, {Int, "1e-999999999", bad}, {Int, "Inf", bad}, {Int, true, bad}, {Int, "", none}, {Int, " ", none}, {Int, nil, none},
		{Int, strings.Repeat("1", 65), bad}, {Int, []any{}, bad},

		{Double, "1.50", "1.5"}, {Double, num("1e21"), "1e+21"}, {Double, "-0", "0"}, {Double, "1e400", bad}, {Double, "NaN", bad}, {Double, "inf", bad},
		{Double, "0x1p4", bad}, {Double, "1,5", bad}, {Double, "", none}, {Double, false, bad},

		{Bool, true, "true"}, {Bool, "True", "true"}, {Bool, "FALSE", "false"}, {Bool, num("1"), "true"}, {Bool, "0", "false"}, {Bool, "maybe", bad},
		{Bool, "", none}, {Bool, nil, none}, {Bool, num("2"), bad},

		{DateTime, "/Date(1597323830750)/", "1597323830750"}, {DateTime, "2020-08-13T13:03:50.750Z", "1597323830750"}, {DateTime, "2020-08-13", "1597276800000"},
		{DateTime, num("1597323830750"), "1597323830750"}, {DateTime, num("1.59732383075e+12"), "1597323830750"}, {DateTime, "8/13/2020", "1597276800000"},
		{DateTime, "/Date(-62135596800000)/", none}, {DateTime, "tomorrow", bad}, {DateTime, "", none}, {DateTime, true, bad}, {DateTime, num("1e20"), bad},
	} {
		stored, ok, why := c.t.parse(c.v)
		got := stored
		switch {
		case why != "":
			got = bad
		case !ok:
			got = none
		}
		if got != c.want {
			t.Errorf("%s of %#.60v: %.60q, want %.60q", c.t, c.v, got, c.want)
		}
	}
}

func TestStoredValuesAreRead(t *testing.T) {
	for _, c := range []struct {
		t      Type
		stored string
		want   any
	}{
		{Text, "1", "1"}, {Int, "-7", int64(-7)}, {Double, "1e+21", 1e21}, {Bool, "true", true}, {Bool, "false", false},
		{DateTime, "1597323830750", time.Date(2020, 8, 13, 13, 3, 50, 750e6, time.UTC)},
	} {
		if got := c.t.read(c.stored); got != c.want {
			t.Errorf("%s %s: %v, want %v", c.t, c.stored, got, c.want)
		}
	}
}

// FuzzValue wants what was taken to be taken again as it was stored, and as a client prints what it read of the answer.
func FuzzValue(f *testing.F) {
	for _, s := range []string{"", "Sales", "42", "1e+06", "-0", "1.5", "1e400", "true", "T", "/Date(1597323830750)/", "2020-08-13", "0001-01-01", "+5", "5e-324"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, typ := range [...]Type{Text, Int, Double, Bool, DateTime} {
			stored, ok, why := typ.parse(s)
			if !ok {
				if stored != "" {
					t.Fatalf("%s %q: no value, and %q", typ, s, stored)
				}
				continue
			}
			if again, ok, why2 := typ.parse(stored); !ok || again != stored || why+why2 != "" {
				t.Fatalf("%s %q: stored %q, then %q %v %q", typ, s, stored, again, ok, why2)
			}
			printed := fmt.Sprint(typ.read(stored))
			switch v := typ.read(stored).(type) {
			case int64:
				if v > 1<<53 || v < -1<<53 {
					continue // more than a client's float64 holds
				}
				printed = fmt.Sprint(float64(v))
			case time.Time:
				printed = fmt.Sprintf("/Date(%d)/", v.UnixMilli())
			}
			if again, ok, why := typ.parse(printed); !ok || again != stored {
				t.Fatalf("%s %q: stored %q, sent back as %q, then %q %v %q", typ, s, stored, printed, again, ok, why)
			}
		}
	})
}
