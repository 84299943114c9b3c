package redrock

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseScript(t *testing.T) {
	for script, want := range map[string]Script{
		"@@All Users":                                                      {Kind: Report, Name: "All Users"},
		" @@Web Applications PLV8 ; ":                                      {Kind: Report, Name: "Web Applications PLV8"},
		"@/lib/get_superrights.js(excludeRight:'')":                        {Kind: Library, Name: "/lib/get_superrights.js", Args: map[string]string{"excludeRight": ""}},
		"@/lib/server/get_activity_for_server.js(id:'a''b', \"x\": 1)":     {},
		"@/lib/server/get_activity_for_server.js( id : 'a''b' , n:-1.5 );": {Kind: Library, Name: "/lib/server/get_activity_for_server.js", Args: map[string]string{"id": "a'b", "n": "-1.5"}},
		`@/lib/x.js(a:"it\"s \\ it")`:                                      {Kind: Library, Name: "/lib/x.js", Args: map[string]string{"a": `it"s \ it`}},
		"@/lib/x.js()":                                                     {Kind: Library, Name: "/lib/x.js", Args: map[string]string{}},
		"@/lib/../etc/passwd.js()":                                         {},
		"@/lib//x.js()":                                                    {},
		"@/etc/x.js()":                                                     {},
		"@/lib/x.js":                                                       {},
		"@/lib/x.js() SELECT 1":                                            {},
		"@/lib/x.js(a:'1',a:'2')":                                          {},
		"@/lib/x.js(a:'1)":                                                 {},
		"@/lib/ü.js()":                                                     {},
		"@@":                                                               {},
		"@@a\x00b":                                                         {},
		"@@" + strings.Repeat("a", 300):                                    {},
	} {
		got, err := ParseScript(script, Limits{})
		var e *Error
		switch {
		case err != nil && !errors.As(err, &e):
			t.Errorf("%q: the error is a %T", script, err)
		case err != nil && want.Name != "":
			t.Errorf("%q: %v", script, err)
		case err == nil && !reflect.DeepEqual(got, want):
			t.Errorf("%q: %+v, want %+v", script, got, want)
		}
	}
	if s, err := ParseScript("select 1", Limits{}); err != nil || s.Kind != Query || s.Select == nil {
		t.Error(s, err)
	}
}
