package identity

import (
	"errors"
	"net/http/httptest"
	"testing"

	"limen/internal/op"
)

// What another site has a browser send changes nothing, whoever is or is not signed in: a form of theirs must not sign
// people in to an account of theirs.
func TestForeignRequestsChangeNothing(t *testing.T) {
	write, read := &op.Op{Spec: op.Spec{Effect: op.Write}}, &op.Op{Spec: op.Spec{Effect: op.Read}}
	either := &op.Op{Spec: op.Spec{Effect: op.Read, Effects: []op.Effect{op.Write}}}
	for name, c := range map[string]struct {
		op      *op.Op
		method  string
		headers map[string]string
		refused bool
	}{
		"a form":                 {write, "POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, true},
		"a script":               {write, "POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, true},
		"an image":               {write, "GET", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, true},
		"what may write":         {either, "POST", map[string]string{"Sec-Fetch-Site": "cross-site"}, true},
		"a link":                 {write, "GET", map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, false},
		"what only reads":        {read, "POST", map[string]string{"Sec-Fetch-Site": "cross-site"}, false},
		"the own pages":          {write, "POST", map[string]string{"Sec-Fetch-Site": "same-origin"}, false},
		"no browser":             {write, "POST", nil, false},
		"a program that says so": {write, "POST", map[string]string{"Sec-Fetch-Site": "cross-site", "X-IDAP-NATIVE-CLIENT": "true"}, false},
		"a bearer token":         {write, "POST", map[string]string{"Sec-Fetch-Site": "cross-site", "Authorization": "Bearer AB"}, false},
	} {
		r := httptest.NewRequest(c.method, "/x", nil)
		for k, v := range c.headers {
			r.Header.Set(k, v)
		}
		err := Codec{}.Decode(&op.Request{HTTP: r, Op: c.op}, &struct{}{})
		if errors.Is(err, op.ErrForged) != c.refused {
			t.Errorf("%s: %v", name, err)
		}
	}
}
