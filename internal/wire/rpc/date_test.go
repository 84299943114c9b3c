package rpc

import (
	"encoding/json"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDate(t *testing.T) {
	for want, in := range map[string]time.Time{
		"/Date(1597323830750)/":    at(1597323830750),
		"/Date(-62135596800000)/":  {},
		"/Date(0)/":                time.Unix(0, 999_999).In(time.FixedZone("", 7200)),
		"/Date(-1)/":               at(-1),
		"/Date(253402300799999)/":  time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		"/Date(-62135596800000) /": at(0),
	} {
		if got := Date(in); (got == want) == (in == at(0)) {
			t.Errorf("%v: %s, want %s", in, got, want)
		}
	}
	if got, err := ParseDate("/Date(-62135596800000)/"); err != nil || !got.IsZero() {
		t.Error("unset is not zero", got, err)
	}
}

func TestParseDate(t *testing.T) {
	day := time.Date(2020, 8, 3, 0, 0, 0, 0, time.UTC)
	noon := time.Date(2020, 8, 3, 14, 5, 6, 0, time.UTC)
	for in, want := range map[string]time.Time{
		"/Date(1597323830750)/":          at(1597323830750),
		"/Date(1597323830750+0200)/":     at(1597323830750),
		"/Date(-1-0930)/":                at(-1),
		"1597323830750":                  at(1597323830750),
		"-5":                             at(-5),
		"2020-08-03":                     day,
		"2020-08-03T14:05:06Z":           noon,
		"2020-08-03t14:05:06z":           noon,
		"2020-08-03T14:05:06":            noon,
		"2020-08-03 14:05:06":            noon,
		"2020-08-03T16:05:06+02:00":      noon,
		"2020-08-03T16:05:06+0200":       noon,
		"2020-08-03T16:05:06+02":         noon,
		"2020-08-03 16:05:06 +02:00":     noon,
		"2020-08-03T14:05:06.1234567Z":   noon.Add(123456700),
		"2020-08-03T14:05:06.5":          noon.Add(500 * time.Millisecond),
		"2020-08-03T14:05Z":              noon.Add(-6 * time.Second), // users.yaml n 86
		"8/3/2020 2:05:06 PM":            noon,
		"08/03/2020 02:05:06 pm":         noon,
		"8/3/2020 14:05:06":              noon,
		"8/3/2020":                       day,
		"0001-01-01T00:00:00":            {},
		"1/1/0001 12:00:00 AM":           {},
		"9999-12-31T23:59:59.9999999":    time.Date(9999, 12, 31, 23, 59, 59, 999_999_900, time.UTC),
		"2020-08-03T00:00:00.0000000Z":   day,
		"2020-08-02T23:00:00-01:00":      day,
		"2020-08-03T14:05:06.0000+00:00": noon,
	} {
		if got, err := ParseDate(in); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: %v %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "-", "/", "/Date()/", "/Date(+5)/", "/Date(x)/", "/Date(1)", "Date(1)", "/Date(5+02)/", "2020-13-01", "2020-02-30", "13/1/2020",
		"8/3/20", "soon", "1.5", "99999999999999999999", "253402300800000", "-62135596800001", "0000-01-01", "10000-01-01",
		"0001-01-01T00:00:00+01:00", "2020-08-03T25:00:00", "2020-08-03T14:05:06X", "2020-08-03T14:05:06Z ", "8/3/2020 2:05:06 XM",
	} {
		if got, err := ParseDate(in); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestDateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		when := at(rapid.Int64Range(minMillis, maxMillis).Draw(t, "ms"))
		if got, err := ParseDate(Date(when)); err != nil || !got.Equal(when) {
			t.Fatalf("%v %v", got, err)
		}
		if got, err := ParseDate(when.Format(time.RFC3339Nano)); err != nil || !got.Equal(when) {
			t.Fatalf("%v %v", got, err)
		}
		second := when.Truncate(time.Second)
		if got, err := ParseDate(second.Format("1/2/2006 3:04:05 PM")); err != nil || !got.Equal(second) {
			t.Fatalf("%v %v", got, err)
		}
	})
}

func TestTimeJSON(t *testing.T) {
	type result struct{ A, B Time }
	b, err := json.Marshal(result{A: Time(at(1597323830750))})
	if err != nil || string(b) != `{"A":"/Date(1597323830750)/","B":null}` {
		t.Fatal(string(b), err)
	}
	var r result
	if err := json.Unmarshal(b, &r); err != nil || !time.Time(r.A).Equal(at(1597323830750)) || !r.B.IsZero() {
		t.Error(r, err)
	}
	if json.Unmarshal([]byte(`{"A":"x"}`), &r) == nil || json.Unmarshal([]byte(`{"A":5}`), &r) != nil || !time.Time(r.A).Equal(at(5)) {
		t.Error(r)
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"/Date(1597323830750+0200)/", "8/3/2020 2:05:06 PM", "2020-08-03T14:05:06.5+02:00", "-5", "/Date(-62135596800000)/", "0001-01-01T00:00:00-01:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		when, err := ParseDate(s)
		if err != nil {
			return
		}
		if ms := when.UnixMilli(); ms < minMillis || ms > maxMillis || when.Location() != time.UTC {
			t.Fatalf("%q gives %v", s, when)
		}
		again, err := ParseDate(Date(when))
		if err != nil || !again.Equal(when.Truncate(time.Millisecond)) && again.UnixMilli() != when.UnixMilli() {
			t.Fatalf("%q gives %v, written again %v, %v", s, when, again, err)
		}
	})
}
