package rpc

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// The three texts that clients know are the original's, positions included; the others are ours.
func TestErrors(t *testing.T) {
	tests := []struct {
		in    Request
		kind  ErrKind
		field string
		text  string
	}{
		{body(`<html>`), Malformed, "", "Unexpected character encountered while parsing value: <. Path '', line 0, position 0."},
		{body(" <html>"), Malformed, "", "Unexpected character encountered while parsing value: <. Path '', line 1, position 1."},
		{body(`ID=x`), Malformed, "", "Unexpected character encountered while parsing value: I. Path '', line 0, position 0."},
		{body(`{"ID":@x}`), Malformed, "ID", "Unexpected character encountered while parsing value: @. Path 'ID', line 1, position 6."},
		{body("{\n  \"args\": {\r\n \"PageSize\": ten}}"), Malformed, "Args.PageSize", "Unexpected character encountered while parsing value: t. Path 'args.PageSize', line 3, position 13."},
		{body(`{"users":["a",x]}`), Malformed, "Users[0]", "Unexpected character encountered while parsing value: x. Path 'users[0]', line 1, position 14."},
		{body(`{"users":[x]}`), Malformed, "Users", "Unexpected character encountered while parsing value: x. Path 'users', line 1, position 10."},
		{body(`{"List":[{},{"SortBy":é}]}`), Malformed, "List[1].SortBy", "Unexpected character encountered while parsing value: é. Path 'List[1].SortBy', line 1, position 22."},
		{body(`{"😀 a":["😀",{"b":#}]}`), Malformed, "😀 a[1].b", "Unexpected character encountered while parsing value: #. Path '['😀 a'][1].b', line 1, position 19."},
		{body(`{"it's":#}`), Malformed, "it's", `Unexpected character encountered while parsing value: #. Path '['it\'s']', line 1, position 8.`},
		{body(`{"N":01}`), Malformed, "N", "Unexpected character encountered while parsing value: 1. Path 'N', line 1, position 6."},
		{body(`{"N":1.}`), Malformed, "N", "Unexpected character encountered while parsing value: }. Path 'N', line 1, position 7."},
		{body(`{"N":1e}`), Malformed, "N", "Unexpected character encountered while parsing value: }. Path 'N', line 1, position 7."},
		{body(`{"Flag":truefalse}`), Malformed, "Flag", "Unexpected character encountered while parsing value: t. Path 'Flag', line 1, position 8."},
		{body(`{"Flag":TRUE}`), Malformed, "Flag", "Unexpected character encountered while parsing value: T. Path 'Flag', line 1, position 8."},
		{body(`[,]`), Type, "", "The request must be an object, not a list."},
		{body(`{"ID":"C:\container"}`), Malformed, "ID", `Bad JSON escape sequence: \c. Path 'ID', line 1, position 11.`},
		{body(`{"ID":"\😀"}`), Malformed, "ID", `Bad JSON escape sequence: \😀. Path 'ID', line 1, position 10.`},
		{body(`{"ID":"\u12G4"}`), Malformed, "ID", `Four hexadecimal digits must follow \u. Path 'ID', line 1, position 9.`},
		{body(`{"ID":"abc`), Malformed, "ID", `Unterminated string. Expected delimiter: ". Path 'ID', line 1, position 10.`},
		{body(`{"ID":"abc\`), Malformed, "ID", `Unterminated string. Expected delimiter: ". Path 'ID', line 1, position 11.`},
		{body(`{'ID':'abc\n`), Malformed, "ID", `Unterminated string. Expected delimiter: '. Path 'ID', line 1, position 12.`},
		{body(`{"ID":"a` + "\r\n" + `b`), Malformed, "ID", `Unterminated string. Expected delimiter: ". Path 'ID', line 2, position 1.`},
		{body(`{"ID":"a"`), Malformed, "ID", "The JSON text ends before it is complete. Path 'ID', line 1, position 9."},
		{body(`{"ID":`), Malformed, "ID", "The JSON text ends before it is complete. Path 'ID', line 1, position 6."},
		{body(`{`), Malformed, "", "The JSON text ends before it is complete. Path '', line 1, position 1."},
		{body(`{"ID":1 /* x`), Malformed, "ID", "The JSON text ends before it is complete. Path 'ID', line 1, position 12."},
		{body(`{"ID":"a" "N":1}`), Malformed, "ID", "A comma or the end was expected after a value, not: \". Path 'ID', line 1, position 10."},
		{body(`{"ID" "a"}`), Malformed, "ID", "A colon was expected after a property name, not: \". Path 'ID', line 1, position 6."},
		{body(`{,}`), Malformed, "", "A property name cannot start with: ,. Path '', line 1, position 1."},
		{body(`{} {}`), Malformed, "", "Nothing may follow the value, but there is: {. Path '', line 1, position 3."},
		{body("{\"ID\":\"\xff\"}"), Malformed, "", "The body is not valid UTF-8."},
		{query("ID=%zz"), Malformed, "ID", "A percent sign must be followed by two hexadecimal digits in the query."},
		{query("ID=%ff"), Malformed, "ID", "Parameter ID is not valid UTF-8."},
		{query("Args={PageSize:!}"), Malformed, "Args.PageSize", "Unexpected character encountered while parsing value: !. Path 'Args.PageSize', line 1, position 10."},

		{body(`{"ID":"a\u0000b"}`), Malformed, "ID", "Parameter ID may not hold the character U+0000."},
		{body("{\"ID\":'\x00'}"), Malformed, "ID", "Parameter ID may not hold the character U+0000."},
		{query("id=a%00b"), Malformed, "ID", "Parameter ID may not hold the character U+0000."},
		{Request{ContentType: form, Body: []byte("uuid=%00")}, Malformed, "ID", "Parameter ID may not hold the character U+0000."},
		{Request{Path: map[string]string{"id": "\x00"}}, Malformed, "ID", "Parameter ID may not hold the character U+0000."},
		{Request{Form: url.Values{"name": {"a\x00.csv"}}}, Malformed, "Name", "Parameter Name may not hold the character U+0000."},
		{body(`{"users":["a","\u0000"]}`), Malformed, "Users[1]", "Parameter Users[1] may not hold the character U+0000."},
		{query(`Args={SortBy:'\u0000'}`), Malformed, "Args.SortBy", "Parameter Args.SortBy may not hold the character U+0000."},
		{body(`{"Features":"a,\u0000"}`), Malformed, "Features", "Parameter Features may not hold the character U+0000."},
		{body(`{"Any":{"a":["\u0000"]}}`), Malformed, "Any.a[0]", "Parameter Any.a[0] may not hold the character U+0000."},
		{body(`{"Filter":{"a":"\u0000"}}`), Malformed, "Filter.a", "Parameter Filter.a may not hold the character U+0000."},
		{body(`{"Columns":{"\u0000":"a"}}`), Malformed, "Columns", "A property name may not hold the character U+0000. Path 'Columns', line 1, position 20."},

		{body(`{"args":{"pagesize":"ten"}}`), Type, "Args.PageSize", "Parameter Args.PageSize must be a whole number."},
		{body(`{"N":1.5}`), Type, "N", "Parameter N must be a whole number."},
		{body(`{"N":true}`), Type, "N", "Parameter N must be a whole number."},
		{body(`{"N":"0x10"}`), Type, "N", "Parameter N must be a whole number."},
		{body(`{"N":1e99}`), Type, "N", "Parameter N must be a whole number."},
		{body(`{"N":99999999999999999999}`), Type, "N", "Parameter N is out of range."},
		{body(`{"Small":128}`), Type, "Small", "Parameter Small is out of range."},
		{body(`{"U":-1}`), Type, "U", "Parameter U must be a whole number."},
		{body(`{"F":"NaN"}`), Type, "F", "Parameter F must be a number."},
		{body(`{"F":1e999}`), Type, "F", "Parameter F is out of range."},
		{body(`{"Flag":"maybe"}`), Type, "Flag", "Parameter Flag must be true or false."},
		{body(`{"Flag":2}`), Type, "Flag", "Parameter Flag must be true or false."},
		{body(`{"ID":{}}`), Type, "ID", "Parameter ID must be text."},
		{body(`{"When":"soon"}`), Type, "When", "Parameter When must be a date."},
		{body(`{"Opt":[]}`), Type, "Opt", "Parameter Opt must be true or false."},
		{body(`{"Users":"a,b"}`), Type, "Users", "Parameter Users must be a list."},
		{body(`{"Users":["a",["b"]]}`), Type, "Users[1]", "Parameter Users[1] must be text."},
		{body(`{"Columns":{"a":{}}}`), Type, "Columns.a", "Parameter Columns.a must be text."},
		{body(`{"Args":"x"}`), Type, "Args", "Parameter Args must be an object."},
		{body(`{"Level":"low"}`), Type, "Level", "Parameter Level is not valid."},
		{body(`{"Own":{"a":2}}`), Type, "Own", "Parameter Own is not valid."},
		{body(`{"Own":[}`), Malformed, "Own", "Unexpected character encountered while parsing value: }. Path 'Own', line 1, position 8."},
		{body(`{"Features":[0],"Action":{}}`), Type, "Action", "Parameter Action must be text."},
		{body(`{"Users":[1,2,3}`), Malformed, "Users[2]", "A comma or the end was expected after a value, not: }. Path 'Users[2]', line 1, position 15."},
		{body(`{"Columns":{"a":"b`), Malformed, "Columns.a", `Unterminated string. Expected delimiter: ". Path 'Columns.a', line 1, position 18.`},
		{body(`{"Any":{"a":["\q"]}}`), Malformed, "Any.a", `Bad JSON escape sequence: \q. Path 'Any.a', line 1, position 16.`},
		{body(`{"Junk":{"a":["\q"]}}`), Malformed, "Junk.a", `Bad JSON escape sequence: \q. Path 'Junk.a', line 1, position 17.`},
		{body(`{"Filter":{"a":["\q"]}}`), Malformed, "Filter.a", `Bad JSON escape sequence: \q. Path 'Filter.a', line 1, position 19.`},
		{body(`{"When":true}`), Type, "When", "Parameter When must be a date."},
		{body(`"x"`), Type, "", "The request must be an object."},
		{body(`["x"]`), Type, "", "The request must be an object, not a list."},

		{Request{Query: "ID=x", Body: []byte(`{"id":"y"}`)}, Twice, "ID", "Parameter ID is given twice, in the query and in the body, with different values."},
		{Request{Query: "ID=x", Path: map[string]string{"id": "y"}}, Twice, "ID", "Parameter ID is given twice, in the path and in the query, with different values."},
		{body(`{"ID":"x","id":"x"}`), Twice, "ID", `Parameter ID is given twice, as "ID" and as "id".`},
		{body(`{"ID":"x","ID":"y"}`), Twice, "ID", "Parameter ID is given twice, with different values."},
		{body(`{"ID":"x","Uuid":"y"}`), Twice, "ID", "Parameter ID is given twice, with different values."},
		{body(`{"ID":null,"ID":"y"}`), Twice, "ID", "Parameter ID is given twice, with different values."},
		{body(`{"args":{"limit":1,"Limit":1}}`), Twice, "Args.Limit", `Parameter Args.Limit is given twice, as "limit" and as "Limit".`},
		{query("id=x&ID=x"), Twice, "ID", `Parameter ID is given twice, as "id" and as "ID".`},
		{body(`{"Values":{"a":1,"a":2}}`), Twice, "Values.a", "Parameter Values.a is given twice, with different values."},
		{body(`{"Columns":{"a":1,"a":2}}`), Twice, "Columns.a", "Parameter Columns.a is given twice, with different values."},
		{body(`{"Filter":{"a":1,"a":2}}`), Twice, "Filter.a", "Parameter Filter.a is given twice, with different values."},
		{Request{Query: "Users=a&Users=b", Body: []byte(`{"Users":["a"]}`)}, Twice, "Users", "Parameter Users is given twice, in the query and in the body, with different values."},

		{body(strings.Repeat("[", 33) + strings.Repeat("]", 33)), Type, "", "The request must be an object, not a list."},
		{body(`{"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + "}"), TooDeep, "x[0]" + strings.Repeat("[0]", 30), "The request is nested deeper than 32 levels."},
		{body(`{"any":` + strings.Repeat("{a:", 40)), TooDeep, "Any" + strings.Repeat(".a", 31), "The request is nested deeper than 32 levels."},
		{body(`{"Filter":` + strings.Repeat("[", 1000)), TooDeep, "Filter" + strings.Repeat("[0]", 31), "The request is nested deeper than 32 levels."},
		{Request{Body: []byte(`{"x":[1,2,3]}`), MaxKeys: 3}, TooMany, "", "The request has more than 3 values."},
		{Request{Query: "a&b&c&d", MaxKeys: 3}, TooMany, "", "The request has more than 3 values."},
		{Request{Query: "Features=a,b,c", MaxKeys: 3}, TooMany, "", "The request has more than 3 values."},
		{body(`{"x":[` + strings.Repeat("1,", 10_000) + `]}`), TooMany, "", "The request has more than 10000 values."},
	}
	for _, tt := range tests {
		name := string(tt.in.Body) + "?" + tt.in.Query
		t.Run(name[:min(len(name), 50)], func(t *testing.T) {
			var into shape
			n, err := Bind(tt.in, &into)
			e, ok := errors.AsType[*Error](err)
			if !ok || n != 0 {
				t.Fatalf("matched %d, error %v, bound %+v", n, err, into)
			}
			if e.Kind != tt.kind || e.Field != tt.field || e.Text != tt.text {
				t.Errorf("got  %d %q %q\nwant %d %q %q", e.Kind, e.Field, e.Text, tt.kind, tt.field, tt.text)
			}
		})
	}
}

// A list and its one element cannot both be given.
func TestListGivenBothWays(t *testing.T) {
	for _, r := range []Request{
		{Query: `grants=[{Role:'r'}]`, Body: []byte(`{"Role":"x"}`)},
		{Query: `grants=[{Role:'r'}]`, Body: []byte(`{"Grants":[{"Role":"x"}]}`)},
		{Query: `grants=[{Role:'r'}]`, Body: []byte(`[{"Role":"x"}]`)},
	} {
		_, err := Bind(r, new(grants))
		if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Twice || e.Field != "Grants" {
			t.Errorf("%s: %v", r.Body, err)
		}
	}
	_, err := Bind(body(`[{},{"Role":[]}]`), new(grants))
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Type || e.Field != "Grants[1].Role" {
		t.Error(err)
	}
	_, err = Bind(Request{Query: "suffixes=a", Body: []byte(`"b"`)}, new(suffixes))
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != Twice || e.Field != "Suffixes" {
		t.Error(err)
	}
}

func TestErrorOffset(t *testing.T) {
	var into shape
	_, err := Bind(body("{\"ID\":\"é😀\",\"N\":?}"), &into)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Offset != 19 || !strings.HasSuffix(e.Text, "line 1, position 16.") {
		t.Errorf("%+v", e)
	}
}

// Mistakes in a struct are found when the program starts.
func TestCheck(t *testing.T) {
	for name, into := range map[string]any{
		"no pointer": shape{},
		"no struct":  new(int),
		"case twins": new(struct{ State, STATE string }),
		"alias taken": new(struct {
			A string
			B string `also:"a"`
		}),
		"channel":     new(struct{ C chan int }),
		"bytes":       new(struct{ B []byte }),
		"map of ints": new(struct{ M map[int]int }),
		"methods":     new(struct{ E error }),
		"tag on text": new(struct {
			S string `rpc:"commas"`
		}),
		"unknown option": new(struct {
			S []string `rpc:"comma"`
		}),
		"two bare arrays": new(struct {
			A, B []string `rpc:"array"`
		}),
		"embedded pointer": new(struct{ *grant }),
		"name without text": new(struct {
			S string `also:","`
		}),
	} {
		if Check(into) == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := Bind(body(`{"a":1}`), into); err == nil && name != "no struct" {
			t.Errorf("%s: bound", name)
		}
	}
	if err := Check(new(shape)); err != nil {
		t.Error(err)
	}
}
