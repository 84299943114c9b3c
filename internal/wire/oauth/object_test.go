package oauth

import (
	"testing"
)

func FuzzObjectParams(f *testing.F) {
	for _, s := range []string{
		`{"client_id":"c","max_age":300,"claims":{"userinfo":{"name":null}},"resource":["https://a","https://b"],"scope":"openid"}`,
		`{"request":"x"}`, `{"a":null,"b":[1],"c":{"d":[]}}`, `[]`, `{"resource":[1]}`, `{"exp":1e99,"state":"\u0000"}`, `{"state":"a","state":"b"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := objectParams(b)
		if err != nil {
			return
		}
		for name, values := range p {
			if name == "request" || name == "request_uri" || len(values) == 0 || len(values) > 1 && !many[name] {
				t.Errorf("%q became %q", b, values)
			}
			for _, v := range values {
				if v == "" || len(v) > maxJWT {
					t.Errorf("%q has %d bytes", name, len(v))
				}
			}
		}
	})
}
