package rpc

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// shape has one field of everything that parameters are made of (users.yaml, tenant.yaml, redrock.yaml, roles.yaml).
type shape struct {
	ID       string `also:"Uuid,username"`
	Name     string
	Flag     bool
	N        int
	Small    int8
	U        uint16
	F        float64
	When     time.Time
	Stamp    Time
	Users    []string
	Features []string `rpc:"commas"`
	Action   []string `rpc:"one"`
	Args     paging
	Columns  map[string]string
	Values   map[string]any
	Filter   json.RawMessage
	Any      any
	List     []paging
	P        *int
	Opt      opt[bool]
	OptDate  opt[time.Time]
	OptText  opt[string]
	OptAny   opt[any]
	Level    level
	Own      own
	Hidden   string `json:"-"`
	embedded
}

type embedded struct{ Inner string }

type paging struct {
	PageNumber, PageSize, Limit int
	SortBy                      string
	Ascending                   bool
	Caching                     int
	FilterBy                    []string
	Deeper                      *paging
}

type level int

func (l *level) UnmarshalText(b []byte) error {
	if string(b) != "high" {
		return errDate
	}
	*l = 2
	return nil
}

// own reads its JSON itself; 2 does not please it.
type own string

func (o *own) UnmarshalJSON(b []byte) error {
	if strings.Contains(string(b), "2") {
		return errDate
	}
	*o = own(b)
	return nil
}

func ptr[T any](v T) *T { return &v }

func at(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

const form = "application/x-www-form-urlencoded"

func TestLeniency(t *testing.T) {
	tests := []struct {
		why  string // what a client does, and where the contract says so
		in   Request
		n    int
		want shape
	}{
		{"empty body, no Content-Type (authentication.yaml, first entry: idsec UPRest/GetUPData)", Request{}, 0, shape{}},
		{"white space", body(" \r\n\t"), 0, shape{}},
		{"'' as the body (users.yaml, head)", body(`''`), 0, shape{}},
		{"quotes around nothing", body(`""`), 0, shape{}},
		{"null", body(`null`), 0, shape{}},
		{"None from Python", body(`None`), 0, shape{}},
		{"undefined from JavaScript", body(`undefined`), 0, shape{}},
		{"a byte order mark (.NET's StreamWriter)", body("\uFEFF{\"ID\":\"x\"}"), 1, shape{ID: "x"}},
		{"only a byte order mark", body("\uFEFF"), 0, shape{}},
		{"?ID= (users.yaml, head: GetUserInfo)", query("ID=x"), 1, shape{ID: "x"}},
		{"{id}", body(`{"id":"x"}`), 1, shape{ID: "x"}},
		{"{username} (users.yaml, head: GetUserInfo)", body(`{"userName":"x"}`), 1, shape{ID: "x"}},
		{"query and body agree", Request{Query: "ID=x", Body: []byte(`{"id":"x"}`)}, 1, shape{ID: "x"}},
		{"query and body agree in meaning", Request{Query: "n=5", Body: []byte(`{"N":"5.0"}`)}, 1, shape{N: 5}},
		{"query names it, body says null", Request{Query: "ID=x", Body: []byte(`{"ID":null}`)}, 1, shape{ID: "x"}},
		{"some from the query, some from the body (users.yaml n 84)", Request{Query: "ID=x&Flag=true", Body: []byte(`{"Name":"y"}`)}, 3, shape{ID: "x", Flag: true, Name: "y"}},
		{"path values", Request{Path: map[string]string{"id": "x"}}, 1, shape{ID: "x"}},
		{"text fields of a multipart form (users.yaml n 86)", Request{Form: url.Values{"name": {"a.csv"}, "FLAG": {"True"}}, ContentType: "multipart/form-data; boundary=x", Body: []byte("--x")}, 2, shape{Name: "a.csv", Flag: true}},
		{"exact duplicates", body(`{"ID":"x","ID":"x"}`), 1, shape{ID: "x"}},
		{"two names of one parameter (users.yaml n 94: Uuid)", body(`{"ID":"x","uuid":"x"}`), 1, shape{ID: "x"}},
		{"unknown members (users.yaml n 92: the portal posts LoginName, fileName)", body(`{"LoginName":{"a":[1,{"b":'c\n'}],"a":2},"ID":"x","ZZ":-0.5e+1}`), 1, shape{ID: "x"}},
		{"JSON under a form's type (users.yaml, head)", Request{ContentType: form + "; charset=utf-8", Body: []byte(` {"ID":"x&y=z"}`)}, 1, shape{ID: "x&y=z"}},
		{"JSON under text/plain", Request{ContentType: "text/plain", Body: []byte(`{"ID":"x"}`)}, 1, shape{ID: "x"}},
		{"'' under a form's type", Request{ContentType: form, Body: []byte(`''`)}, 0, shape{}},
		{"a form", Request{ContentType: form, Body: []byte("id=a%40b&Name=c+d&flag=1\r\n")}, 3, shape{ID: "a@b", Name: "c d", Flag: true}},
		{"single quotes (users.yaml, head)", body(`{'ID':'it\'s "x"'}`), 1, shape{ID: `it's "x"`}},
		{"bare names (deprecated.yaml: {user:'..', password:'..'})", body(`{ID : 'x', $a_1:2, Name:"y"}`), 2, shape{ID: "x", Name: "y"}},
		{"trailing commas", body(`{"Users":["a","b",],"ID":"x",}`), 2, shape{ID: "x", Users: []string{"a", "b"}}},
		{"comments", body("/* a */{// b\n\"ID\"/**/:\"x\"//c\r\n}//d"), 1, shape{ID: "x"}},
		{"True and False from Python", body(`{"Flag":True,"Name":False}`), 2, shape{Flag: true, Name: "False"}},
		{"None as a value", body(`{"ID":None}`), 1, shape{}},
		{"undefined as a value is absent", body(`{"ID":undefined,"OptText":undefined,"Values":{"a":undefined,"b":1}}`), 1, shape{Values: map[string]any{"b": json.Number("1")}}},
		{"'true' (users.yaml, head: the Go SDK)", body(`{"Flag":"true"}`), 1, shape{Flag: true}},
		{"'True' (users.yaml n 88)", body(`{"Flag":"True"}`), 1, shape{Flag: true}},
		{"'YES' (authentication.yaml, first entry)", body(`{"Flag":"YES"}`), 1, shape{Flag: true}},
		{"1 as a boolean", body(`{"Flag":1}`), 1, shape{Flag: true}},
		{"'false'", body(`{"Flag":"false"}`), 1, shape{}},
		{"blank text is no boolean and no number", body(`{"Flag":"","N":" ","Args":"null","When":"undefined","Opt":""}`), 5, shape{Opt: opt[bool]{State: "null"}}},
		{"numbers as text (users.yaml, head, ARGS)", body(`{"args":{"PageNumber":"1","pagesize":"10000","Limit":10.0,"Caching":"-1","Ascending":"False","SortBy":""}}`), 1,
			shape{Args: paging{PageNumber: 1, PageSize: 10000, Limit: 10, Caching: -1}}},
		{"numbers with an exponent", body(`{"N":1e3,"Small":-12.80e1,"U":65535,"F":"2.5"}`), 4, shape{N: 1000, Small: -128, U: 65535, F: 2.5}},
		{"integers beyond 2^53", body(`{"N":9007199254740993,"Any":9007199254740993,"Filter":9007199254740993}`), 3,
			shape{N: 9007199254740993, Any: json.Number("9007199254740993"), Filter: json.RawMessage("9007199254740993")}},
		{"text from numbers and booleans, as written", body(`{"ID":1.50,"Name":true}`), 2, shape{ID: "1.50", Name: "true"}},
		{"/Date(ms)/ (users.yaml, head, DATES)", body(`{"When":"\/Date(1597323830750)\/","Stamp":"/Date(1597323830750)/"}`), 2, shape{When: at(1597323830750), Stamp: Time(at(1597323830750))}},
		{"the unset date", body(`{"When":"/Date(-62135596800000)/"}`), 1, shape{}},
		{"milliseconds as a number", body(`{"When":1597323830750}`), 1, shape{When: at(1597323830750)}},
		{"an ISO date", query("when=2020-08-13"), 1, shape{When: time.Date(2020, 8, 13, 0, 0, 0, 0, time.UTC)}},
		{"a list with commas where the tag says so (deprecated.yaml: Features)", body(`{"Features":"AgentAuth, AAPM,,DMC"}`), 1, shape{Features: []string{"AgentAuth", "AAPM", "DMC"}}},
		{"the same as an array", body(`{"Features":["a,b"]}`), 1, shape{Features: []string{"a,b"}}},
		{"a list of one", body(`{"Action":"a,b"}`), 1, shape{Action: []string{"a,b"}}},
		{"a repeated parameter is a list", query("users=a&users=b,c"), 1, shape{Users: []string{"a", "b,c"}}},
		{"JSON in the query", query(`Users=%5B%22a%22%5D&Args={PageSize:'5'}`), 2, shape{Users: []string{"a"}, Args: paging{PageSize: 5}}},
		{"numbers in a list of text", body(`{"Users":[1,"2",null]}`), 1, shape{Users: []string{"1", "2", ""}}},
		{"nested structs and lists of them", body(`{"List":[{"pageSize":1,"deeper":{"LIMIT":2}},{}]}`), 1, shape{List: []paging{{PageSize: 1, Deeper: &paging{Limit: 2}}, {}}}},
		{"maps keep the case of their keys (ExtData: columns)", body(`{"Columns":{"a_B":"x","a_b":1},"Values":{"A":[true,null,{"b":'c'}]}}`), 2,
			shape{Columns: map[string]string{"a_B": "x", "a_b": "1"}, Values: map[string]any{"A": []any{true, nil, map[string]any{"b": "c"}}}}},
		{"raw values are plain JSON (directories.yaml: a Python dict as filter)", body(`{"Filter":{'Name': {'_eq': 'x"'}, "n":1.50, t:True, l:[1,None,undefined,], u:undefined, 'n':1.50}}`), 1,
			shape{Filter: json.RawMessage(`{"Name":{"_eq":"x\""},"n":1.50,"t":true,"l":[1,null,null]}`)}},
		{"null for plain fields", body(`{"ID":null,"N":null,"Flag":null,"When":null,"Args":null,"Users":null,"Columns":null,"Any":null,"P":null,"Level":null}`), 10, shape{}},
		{"null for optional fields", body(`{"Opt":null,"OptDate":null,"OptText":null,"OptAny":null}`), 4,
			shape{Opt: opt[bool]{State: "null"}, OptDate: opt[time.Time]{State: "null"}, OptText: opt[string]{State: "null"}, OptAny: opt[any]{State: "null"}}},
		{"values for optional fields", body(`{"Opt":"false","OptDate":"8/13/2020","OptText":"","OptAny":{"a":1}}`), 4,
			shape{Opt: opt[bool]{State: "value"}, OptDate: opt[time.Time]{"value", time.Date(2020, 8, 13, 0, 0, 0, 0, time.UTC)},
				OptText: opt[string]{State: "value"}, OptAny: opt[any]{"value", map[string]any{"a": json.Number("1")}}}},
		{"pointers and types that read text", body(`{"P":"3","Level":"high","inner":"x"}`), 3, shape{P: ptr(3), Level: 2, embedded: embedded{"x"}}},
		{"types that read JSON get plain JSON", body(`{"Own":{'a':[1,],}}`), 1, shape{Own: `{"a":[1]}`}},
		{"and scalars as well", body(`{"Own":True}`), 1, shape{Own: `true`}},
		{"fields that are no parameters", body(`{"Hidden":"x","-":"y"}`), 0, shape{}},
		{"escapes and surrogates", body(`{"ID":"\u00e4\ud83d\ude00\b\f\n\r\t\/\\\"","Name":"\ud83d\u0041\ude00"}`), 2, shape{ID: "ä😀\b\f\n\r\t/\\\"", Name: "\uFFFDA\uFFFD"}},
		{"escaped names", body(`{"\u0049D":"x"}`), 1, shape{ID: "x"}},
		{"control characters inside of text", body("{\"ID\":\"a\tb\nc\x01\"}"), 1, shape{ID: "a\tb\nc\x01"}},
		{"Latin-1 that the header names (older PowerShell)", Request{ContentType: "application/json; charset=ISO-8859-1", Body: []byte("{\"ID\":\"J\xfcrgen\"}")}, 1, shape{ID: "Jürgen"}},
		{"UTF-16 with a mark", Request{Body: []byte("\xff\xfe{\x00}\x00")}, 0, shape{}},
	}
	for _, tt := range tests {
		t.Run(tt.why, func(t *testing.T) {
			var got shape
			n, err := Bind(tt.in, &got)
			if err != nil {
				t.Fatal(err)
			}
			if n != tt.n || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("matched %d, want %d\n got %+v\nwant %+v", n, tt.n, got, tt.want)
			}
		})
	}
}

func body(s string) Request { return Request{Body: []byte(s), ContentType: "application/json"} }

func query(s string) Request { return Request{Query: s} }

type grants struct {
	Items []grant  `json:"Grants" rpc:"array,one"`
	Roles []string `json:"roleIds"`
}

type grant struct{ Role, Path string }

type suffixes struct {
	Suffixes []string `rpc:"array,one"`
}

// roles.yaml n 153 and tenant.yaml (DeleteAliases): a bare array, an object that holds it, or one element.
func TestBareArray(t *testing.T) {
	one := []grant{{"r", "/p"}}
	for in, want := range map[string][]grant{
		`[{"Role":"r","Path":"/p"}]`:             one,
		`[{'role':'r',path:'/p'},{}]`:            {{"r", "/p"}, {}},
		`{"grants":[{"Role":"r","Path":"/p"}]}`:  one,
		`{"Role":"r","Path":"/p","x":{}}`:        one,
		`{"Grants":{"Role":"r","Path":"/p"}}`:    one,
		`[]`:                                     {},
		`{"x":1}`:                                nil,
		`{"x":1,"x":[{"Role":"r"}],"y":"Role",}`: nil,
	} {
		var got grants
		n, err := Bind(body(in), &got)
		if err != nil || !reflect.DeepEqual(got.Items, want) || (n == 1) != (want != nil) {
			t.Errorf("%s: %d %v %+v", in, n, err, got)
		}
	}
	for _, in := range []Request{body(`["a","b"]`), body(`{"suffixes":["a","b"]}`), query("Suffixes=a&Suffixes=b"), query(`suffixes=["a","b"]`)} {
		var got suffixes
		if n, err := Bind(in, &got); n != 1 || err != nil || !reflect.DeepEqual(got.Suffixes, []string{"a", "b"}) {
			t.Errorf("%+v: %v %v", in, got, err)
		}
	}
	var got suffixes
	if n, err := Bind(body(`"a"`), &got); n != 1 || err != nil || !reflect.DeepEqual(got.Suffixes, []string{"a"}) {
		t.Errorf("%v %v", got, err)
	}
}

// Fields of absent parameters keep what the operation put there.
func TestBindKeepsPresets(t *testing.T) {
	got := shape{Flag: true, N: 7, Name: "n"}
	if _, err := Bind(body(`{"Name":null,"N":8}`), &got); err != nil || !got.Flag || got.N != 8 || got.Name != "n" {
		t.Errorf("%+v %v", got, err)
	}
}

// A body must not change under a bound value, and a small value must not keep a large body alive.
func TestBindCopies(t *testing.T) {
	for _, size := range []int{10, copyAbove} {
		raw := []byte(`{"ID":"abc","Name":"def","x":"` + strings.Repeat("y", size) + `"}`)
		var got shape
		if _, err := Bind(Request{Body: raw}, &got); err != nil {
			t.Fatal(err)
		}
		clear(raw)
		if got.ID != "abc" || got.Name != "def" {
			t.Error(got.ID, got.Name)
		}
		apart := uintptr(unsafe.Pointer(unsafe.StringData(got.Name))) - uintptr(unsafe.Pointer(unsafe.StringData(got.ID)))
		if shared := apart == uintptr(len(`abc","Name":"`)); shared != (size < copyAbove) {
			t.Errorf("body of %d bytes: values share its memory: %v", size, shared)
		}
	}
}

type lists struct {
	Users opt[[]string] `rpc:"commas"`
	Grant opt[[]grant]  `rpc:"array,one"`
	Many  *[]string
	Raw   json.RawMessage
}

// Lists may be optional, and everything that holds for lists holds for those.
func TestOptionalLists(t *testing.T) {
	ab := []string{"a", "b"}
	for in, want := range map[*Request]lists{
		{Query: "users=a,b"}:                      {Users: opt[[]string]{"value", ab}},
		{Query: "users=a&users=b"}:                {Users: opt[[]string]{"value", ab}},
		{Query: "users="}:                         {Users: opt[[]string]{State: "null"}},
		{Query: "many=a&many=b&raw={'a':[1,]}"}:   {Many: &ab, Raw: json.RawMessage(`{"a":[1]}`)},
		{Body: []byte(`{"users":["a","b"]}`)}:     {Users: opt[[]string]{"value", ab}},
		{Body: []byte(`{"role":"r","path":"p"}`)}: {Grant: opt[[]grant]{"value", []grant{{"r", "p"}}}},
		{Body: []byte(`[{"role":"r"}]`)}:          {Grant: opt[[]grant]{"value", []grant{{"r", ""}}}},
	} {
		var got lists
		if _, err := Bind(*in, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s: %v\n got %+v\nwant %+v", in.Query, in.Body, err, got, want)
		}
	}
}

func TestCanonical(t *testing.T) {
	got, err := Canonical(" {'Name': {'_eq': 'x'}, b:[True,],} ")
	if err != nil || string(got) != `{"Name":{"_eq":"x"},"b":[true]}` {
		t.Errorf("%s %v", got, err)
	}
	for _, s := range []string{"", " ", "{", "{} {}", "x", "'\xff'", `{"a":1,"a":2}`} {
		if got, err := Canonical(s); err == nil {
			t.Errorf("%q: %s", s, got)
		}
	}
}
