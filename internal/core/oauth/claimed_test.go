package oauth

import (
	"encoding/base64"
	"strings"
	"testing"
)

// FuzzClaimed reads what nobody has verified: whatever it is, it is text of a token's own, and nothing else is read as a token.
func FuzzClaimed(f *testing.F) {
	signed := func(body string) string { return "e30." + base64.RawURLEncoding.EncodeToString([]byte(body)) + ".c2ln" }
	for _, seed := range []string{
		"", "..", "a.b", "opaque", signed(`{"app_id":"wiki"}`), signed(`{"app_id":7}`), signed(`{"app_id":"wiki"`), signed(`null`), signed(`[{"app_id":"x"}]`),
		signed(`{"APP_ID":"x"}`), signed(`{"app_id":"\u0000\ud800"}`), signed(`{"app_id":"` + strings.Repeat("x", 20<<10) + `"}`), "e30.e30=.x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		app := claimed(token)
		if app == "" {
			return
		}
		if strings.Count(token, ".") != 2 || len(token) > 16<<10 || len(app) > len(token) {
			t.Errorf("%q is read as %q", token, app)
		}
		if again := claimed(token); again != app {
			t.Errorf("%q, and then %q", app, again)
		}
	})
}
