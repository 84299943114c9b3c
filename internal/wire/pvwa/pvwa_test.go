package pvwa

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestReadFilter(t *testing.T) {
	names := []string{"userType", "componentUser", "userName"}
	for in, want := range map[string][]Term{
		"":                    nil,
		"userType eq EPVUser": {{"userType", "EPVUser"}},
		"USERTYPE EQ EPVUser and componentuser eq false":    {{"userType", "EPVUser"}, {"componentUser", "false"}},
		`userName eq "Anna and Bert" AND userType eq 'CPM'`: {{"userName", "Anna and Bert"}, {"userType", "CPM"}},
		"userName eq Vault Admins AND userType eq X":        {{"userName", "Vault Admins"}, {"userType", "X"}},
	} {
		if got, err := ReadFilter(in, names...); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v %v", in, got, err)
		}
	}
	for _, in := range []string{"userType", "userType ne X", "other eq X", "userType eq X AND", "userType eq", strings.Repeat("userType eq X AND ", 20) + "userType eq X"} {
		if got, err := ReadFilter(in, names...); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestReadSort(t *testing.T) {
	got, err := ReadSort("LastName desc , username", "username", "lastname", "location")
	if err != nil || !reflect.DeepEqual(got, []Order{{"lastname", true}, {"username", false}}) {
		t.Error(got, err)
	}
	for _, in := range []string{"age", "username up", "username,,lastname", "username,lastname,location,username"} {
		if got, err := ReadSort(in, "username", "lastname", "location"); err == nil {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestRead(t *testing.T) {
	var u NewUser
	body := `{"UserName":"anna","ENABLEUSER":"False","expiryDate":"1893456000","vaultAuthorization":"AddSafes, AuditUsers","other":{"a":[1]},"changePassOnNextLogon":true}`
	if err := Read([]byte(body), &u); err != nil {
		t.Fatal(err)
	}
	if u.Username != "anna" || u.EnableUser == nil || *u.EnableUser || u.ExpiryDate != 1893456000 || len(u.VaultAuthorization) != 2 || !*u.ChangePassOnNextLogon {
		t.Errorf("%+v", u)
	}
	for _, in := range []string{`{"username":"a",}`, `[]`, `{"username":5}`, `{"enableUser":"perhaps"}`, `{"expiryDate":"soon"}`, `{} {}`} {
		err := Read([]byte(in), new(NewUser))
		if _, ok := errors.AsType[*Error](err); !ok {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// Errors name fields as clients send them.
func TestReadNamesFields(t *testing.T) {
	type Inner struct {
		On     *Bool `json:"on"`
		Phones Phones
	}
	type outer struct {
		Inner
		Count Int `json:"count"`
	}
	for in, want := range map[string]string{`{"on":"perhaps"}`: "on", `{"count":"x"}`: "count", `{"phones":{"faxNumber":1}}`: "Phones.faxNumber"} {
		e, ok := errors.AsType[*Error](Read([]byte(in), &outer{}))
		if !ok || e.Field != want {
			t.Errorf("%s: %+v, want %s", in, e, want)
		}
	}
}

func TestDates(t *testing.T) {
	if Millis(NoExpiry) != 0 || Seconds(0) != NoExpiry || Millis(Seconds(1893456000000)) != 1893456000000 {
		t.Error("seconds")
	}
	for in, want := range map[string]string{"12/31/2030": "12/31/2030", "1/2/2030 00:00:00": "01/02/2030"} {
		ms, err := ParseOlderDate("ExpiryDate", in)
		if got := OlderDate(ms); err != nil || got == nil || *got != want {
			t.Error(in, ms, err)
		}
	}
	if _, err := ParseOlderDate("ExpiryDate", "31/12/2030"); err == nil {
		t.Error("day before month")
	}
}

// FuzzRead finds bodies, filters and orders that are not read.
func FuzzRead(f *testing.F) {
	f.Add(`{"username":"anna","enableUser":"true"}`, "userType eq EPVUser AND userName eq 'x'", "username desc", "a=1&B=2")
	f.Fuzz(func(t *testing.T, body, filter, sort, query string) {
		var u NewUser
		_ = Read([]byte(body), &u)
		if terms, err := ReadFilter(filter, "userType", "userName"); err == nil && len(terms) > maxTerms {
			t.Error(terms)
		}
		if orders, err := ReadSort(sort, "username", "source"); err == nil && len(orders) > maxOrders {
			t.Error(orders)
		}
		if q, err := ReadQuery(query); err == nil {
			_, _ = q.Int("a", 0, 0)
			_, _ = q.Bool("b")
		}
		_, _ = ParseOlderDate("x", filter)
	})
}
