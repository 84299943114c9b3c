package synerise

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"testing"
)

type opt struct {
	given bool
	value string
}

func (o *opt) Ptr() any                     { o.given = true; return &o.value }
func (o *opt) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, o.Ptr()) }

type paged struct {
	Page  int  `json:"page"`
	Limit int  `json:"limit"`
	Name  opt  `json:"name"`
	On    bool `json:"on"`
}

type sample struct {
	paged
	UserID int64   `json:"userId"`
	IDs    []int64 `json:"ids"`
	Type   string  `json:"mfaType" in:"query"`
	Email  string  `json:"email"`
	Roles  []int64 `json:"roleIds"`
	hidden string
}

func TestDecodeTakesEachFieldFromItsPlace(t *testing.T) {
	query := url.Values{"page": {"3"}, "on": {"TRUE"}, "name": {"anna"}, "mfaType": {"EMAIL"}, "userId": {"9"}}
	path := map[string]string{"userId": "7", "ids": "3,1,3"}
	body := []byte(`{"userId":8,"ids":[5],"mfaType":"TOTP","email":"a@b","roleIds":[1,2],"page":4,"else":{"x":[]},"hidden":"h"}`)
	var got sample
	if err := Decode(&got, Source{Path: path, Query: query, Body: body}); err != nil {
		t.Fatal(err)
	}
	want := sample{paged: paged{Page: 4}, UserID: 7, IDs: []int64{3, 1}, Type: "EMAIL", Email: "a@b", Roles: []int64{1, 2}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("with a body %+v, want %+v", got, want)
	}
	got = sample{}
	if err := Decode(&got, Source{Path: path, Query: query, Body: body, Plain: true}); err != nil {
		t.Fatal(err)
	}
	want = sample{paged: paged{Page: 3, On: true, Name: opt{true, "anna"}}, UserID: 7, IDs: []int64{3, 1}, Type: "EMAIL"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("without one %+v, want %+v", got, want)
	}
	got = sample{}
	if err := Decode(&got, Source{Body: []byte(`{"mfaType":"TOTP"}`)}); err != nil || got.Type != "" {
		t.Errorf("what belongs into the query is taken from the body: %+v %v", got, err)
	}
}

func TestDecodeNamesWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		from  Source
		field string
	}{
		{Source{Body: []byte(`{"email":3}`)}, "email"},
		{Source{Body: []byte(`{"roleIds":["x"]}`)}, "roleIds"},
		{Source{Body: []byte(`{"on":"yes"}`)}, "on"},
		{Source{Body: []byte(`[1]`)}, ""},
		{Source{Body: []byte(`{"email":"a"} x`)}, ""},
		{Source{Body: []byte("{\"email\":\"\xff\"}")}, ""},
		{Source{Plain: true, Query: url.Values{"page": {"x"}}}, "page"},
		{Source{Plain: true, Query: url.Values{"on": {"perhaps"}}}, "on"},
		{Source{Path: map[string]string{"userId": "99999999999999999999"}}, "userId"},
		{Source{Path: map[string]string{"ids": "1,,2"}}, "ids"},
		{Source{Path: map[string]string{"ids": "-1"}}, "ids"},
	} {
		wrong, ok := errors.AsType[*Error](Decode(&sample{}, c.from))
		if !ok || wrong.Field != c.field {
			t.Errorf("%s %v %v: %v, want field %q", c.from.Body, c.from.Query, c.from.Path, wrong, c.field)
		}
	}
}

func TestReadBoundsPages(t *testing.T) {
	q, err := Read(0, 0, "name:desc", " an ", "CREATED", "NAME")
	if want := (Query{1, 20, "NAME", true, "an"}); err != nil || q != want {
		t.Errorf("got %+v %v, want %+v", q, err, want)
	}
	if m := (Query{Page: 2, Limit: 20}).Meta(41); m != (Meta{2, 20, 41, 3}) {
		t.Errorf("meta is %+v", m)
	}
	for _, c := range []struct {
		page, limit int
		sort, field string
	}{{-1, 0, "", "page"}, {MaxPage + 1, 0, "", "page"}, {0, 101, "", "limit"}, {0, -1, "", "limit"}, {0, 0, "x:ASC", "sortBy"}, {0, 0, "NAME:UP", "sortBy"}} {
		wrong, ok := errors.AsType[*Error](second(Read(c.page, c.limit, c.sort, "", "NAME")))
		if !ok || wrong.Field != c.field {
			t.Errorf("%+v: %v", c, wrong)
		}
	}
}

func second(_ Query, err error) error { return err }

func TestRejectedKeepsSecrets(t *testing.T) {
	from := Source{Body: []byte(`{"email":"x","newPassword":"geheim","invitationToken":"t","limit":3,"roleIds":[1]}`), Query: url.Values{"page": {"x"}}}
	for field, want := range map[string]any{"email": "x", "newPassword": nil, "invitationToken": nil, "limit": 3.0, "roleIds": nil, "page": "x", "none": nil} {
		if got := Rejected(field, from); got != want {
			t.Errorf("%s: %v, want %v", field, got, want)
		}
	}
}

func TestMomentsGoThereAndBack(t *testing.T) {
	if s := Moment(1700000000123); *s != "2023-11-14T22:13:20.123Z" || Moment(0) != nil {
		t.Error(*s)
	}
	for _, text := range []string{"2023-11-14T22:13:20.123Z", "2023-11-14T23:13:20.123+01:00", "2023-11-14T23:13:20.123+0100"} {
		if at, ok := ParseMoment(text); !ok || at.UnixMilli() != 1700000000123 {
			t.Error(text, at, ok)
		}
	}
	for _, text := range []string{"", "x", "2023-11-14", "1960-01-01T00:00:00Z", "2023-11-14T22:13:20"} {
		if _, ok := ParseMoment(text); ok {
			t.Error(text, "is read as a time")
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("1,2", "page=2&on=true", `{"email":"a@b","roleIds":[1]}`, false)
	f.Add("x", "page=x", `[`, true)
	f.Fuzz(func(t *testing.T, path, query, body string, plain bool) {
		values, _ := url.ParseQuery(query)
		from := Source{Path: map[string]string{"ids": path, "userId": path}, Query: values, Body: []byte(body), Plain: plain}
		var in sample
		err := Decode(&in, from)
		if wrong, ok := errors.AsType[*Error](err); err != nil && (!ok || wrong.Why == "") {
			t.Errorf("an error of another kind: %v", err)
		}
		if err == nil && (len(in.IDs) > MaxIDs || in.hidden != "") {
			t.Errorf("too much is read: %+v", in)
		}
		for _, name := range []string{"email", "ids", "page", "password"} {
			if text, ok := Rejected(name, from).(string); ok && len(text) > maxRejected {
				t.Errorf("%s is sent back with %d bytes", name, len(text))
			}
		}
		at, _ := ParseMoment(body)
		_ = Moment(at.UnixMilli())
	})
}
