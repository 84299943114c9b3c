package login

import (
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"limen/internal/fault"
	"limen/internal/op"
)

func decode(t *testing.T, body, media string) (First, error) {
	t.Helper()
	r := httptest.NewRequest("POST", "/invitation", strings.NewReader(body))
	r.Header.Set("Content-Type", media)
	var in First
	err := Codec{}.Decode(&op.Request{HTTP: r, Body: []byte(body)}, &in)
	return in, err
}

func TestFormsAreRead(t *testing.T) {
	in, err := decode(t, "token=a&password=%20x%2By+z%C3%A9%20&again=&username=u", formType+"; charset=UTF-8")
	if want := (First{Token: "a", Password: " x+y z\u00e9 "}); err != nil || in != want {
		t.Errorf("%+v %v", in, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "token=a&password=b&again=c", "token=a&token=b", "token=%zz", "token=%ff", "token=a;b", "=", "&&&", "token", "%74oken=a", "password=\x00",
		strings.Repeat("a=b&", 5000),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		in, err := decode(t, body, formType)
		if err != nil {
			if k := fault.Of(err).Kind; k != fault.Invalid && k != fault.TooLarge {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if !utf8.ValidString(in.Token+in.Password+in.Again) || len(in.Token)+len(in.Password)+len(in.Again) > len(body) {
			t.Fatalf("%q gives %+v", body, in)
		}
	})
}
