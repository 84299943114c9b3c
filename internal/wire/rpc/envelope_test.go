package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAppendEnvelope(t *testing.T) {
	for want, e := range map[string]Envelope{
		`{"success":true,"Result":null,"Message":null,"MessageID":null,"Exception":null,"ErrorID":null,"ErrorCode":null,"IsSoftError":false,"InnerExceptions":null}`: {Success: true},
		`{"success":false,"Result":{"Summary":"Undefined"},"Message":"a \"b\" <c> & d\n","MessageID":"user.gone","Exception":"","ErrorID":"1:2","ErrorCode":"1409","IsSoftError":true,"InnerExceptions":["x"]}`: {
			Result: map[string]string{"Summary": "Undefined"}, Message: ptr("a \"b\" <c> & d\n"), MessageID: ptr("user.gone"), Exception: ptr(""),
			ErrorID: ptr("1:2"), ErrorCode: ptr("1409"), IsSoftError: true, InnerExceptions: []string{"x"}},
		`{"success":false,"Result":"65911ae4","Message":null,"MessageID":null,"Exception":null,"ErrorID":null,"ErrorCode":null,"IsSoftError":false,"InnerExceptions":null,"error_message":"gone"}`: {
			Result: "65911ae4", ErrorMessage: ptr("gone")},
	} {
		got, err := AppendEnvelope([]byte("x"), e)
		if err != nil || string(got) != "x"+want {
			t.Errorf("%v\n got %s\nwant %s", err, got, want)
		}
		if !json.Valid(got[1:]) {
			t.Errorf("not JSON: %s", got)
		}
	}
	for _, e := range []Envelope{{Result: math.NaN()}, {InnerExceptions: func() {}}, {Result: failing{}}} {
		if got, err := AppendEnvelope([]byte("x"), e); err == nil || string(got) != "x" {
			t.Errorf("%s %v", got, err)
		}
	}
}

type failing struct{}

func (failing) AppendJSON(dst []byte) ([]byte, error) { return nil, errors.New("failing") }

// Every result must read back as encoding/json would have written it.
func TestAppendValue(t *testing.T) {
	for want, v := range map[string]any{
		`null`: nil, `true`: true, `-3`: -3, `9007199254740993`: int64(9007199254740993), `"<&>"`: "<&>", `"p"`: ptr("p"), `1.5`: 1.5,
		`"/Date(5)/"`: at(5), `{"a":"<b>"}`: map[string]string{"a": "<b>"}, `{"A":"/Date(5)/"}`: struct{ A Time }{Time(at(5))}, `{"b":1}`: json.RawMessage(`{"b":1}`),
	} {
		if got, err := appendValue([]byte("x"), v); err != nil || string(got) != "x"+want {
			t.Errorf("%v: %s %v", v, got, err)
		}
	}
	for _, v := range []any{time.Time{}, (*string)(nil), (*Query)(nil), Time{}} {
		if got, err := appendValue(nil, v); err != nil || string(got) != "null" {
			t.Errorf("%T: %s %v", v, got, err)
		}
	}
}

func TestAppendString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
			rapid.StringOf(rapid.RuneFrom([]rune("a<>&\"\\\b\f\n\r\t\x00\x1f\x7f\u2028\u2029\u202a\ufffd😀")))).Draw(t, "s")
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		if err := e.Encode(s); err != nil {
			t.Fatal(err)
		}
		if got := appendString(nil, s); string(got)+"\n" != want.String() {
			t.Fatalf("%s, want %s", got, want.Bytes())
		}
	})
}

func listing() *Query {
	return &Query{
		Columns: []Column{
			{Name: "ID", Title: "Identifier", Description: "Row Identifier (primary key)", TableKey: "Primary", TableName: "User"},
			{Name: "LastLogin", IsHidden: true, Type: TypeDate, Format: "d", Width: 5, ForeignKey: "X"},
		},
		FullCount: 7,
		Results: []Row{
			{Entities: []Entity{{Type: "User", Key: "u1", IsForeignKey: true}}, Row: []any{"u1", at(5)}},
			{Row: []any{Absent, nil}},
		},
		Exceptions: map[string]any{"User": nil},
	}
}

const listed = `{"IsAggregate":false,"Count":2,"Columns":[` +
	`{"Name":"ID","IsHidden":false,"DDName":"ID","Title":"Identifier","DDTitle":"Identifier","Description":"Row Identifier (primary key)","Type":12,"Format":null,"Width":0,"TableKey":"Primary","ForeignKey":null,"TableName":"User"},` +
	`{"Name":"LastLogin","IsHidden":true,"DDName":"LastLogin","Title":"LastLogin","DDTitle":"LastLogin","Description":null,"Type":3,"Format":"d","Width":5,"TableKey":null,"ForeignKey":"X","TableName":null}],` +
	`"FullCount":7,"Results":[{"Entities":[{"Type":"User","Key":"u1","IsForeignKey":true}],"Row":{"ID":"u1","LastLogin":"/Date(5)/"}},{"Entities":[],"Row":{"LastLogin":null}}],` +
	`"ReturnID":"","Exceptions":{"User":null}}`

func TestQuery(t *testing.T) {
	got, err := AppendEnvelope(nil, Envelope{Success: true, Result: listing()})
	if err != nil || !bytes.HasPrefix(got, []byte(`{"success":true,"Result":`+listed+`,"Message"`)) {
		t.Errorf("%v\n got %s\nwant %s", err, got, listed)
	}
	if inside, err := json.Marshal(struct{ Q Query }{*listing()}); err != nil || string(inside) != `{"Q":`+listed+`}` {
		t.Errorf("%v %s", err, inside)
	}
	empty, err := Query{}.AppendJSON(nil)
	if err != nil || string(empty) != `{"IsAggregate":false,"Count":0,"Columns":[],"FullCount":0,"Results":[],"ReturnID":""}` {
		t.Errorf("%v %s", err, empty)
	}
	bad := listing()
	bad.FullCount = 0
	if got, err := bad.AppendJSON(nil); err != nil || !bytes.Contains(got, []byte(`"FullCount":2,`)) {
		t.Errorf("%v %s", err, got)
	}
	bad.Results[1].Row = bad.Results[1].Row[:1]
	if _, err := bad.AppendJSON(nil); err == nil {
		t.Error("a row too short is written")
	}
	bad.Results[1].Row = []any{math.Inf(1), nil}
	if _, err := bad.AppendJSON(nil); err == nil {
		t.Error("infinity is written")
	}
	bad.Results, bad.Exceptions = nil, func() {}
	if _, err := bad.AppendJSON(nil); err == nil {
		t.Error("a function is written")
	}
}

func BenchmarkQuery(b *testing.B) {
	q := listing()
	for range 998 {
		q.Results = append(q.Results, Row{Entities: q.Results[0].Entities, Row: []any{"65911ae4-abba-4063-b237-5a37a33bca6c", "Anna Berg"}})
	}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if buf, err = AppendEnvelope(buf[:0], Envelope{Success: true, Result: q}); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}
