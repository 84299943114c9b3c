package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"limen/test/rig"
)

// TestTryScripts tries scripts of an application from the command line, beside a server that runs.
func TestTryScripts(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{})
		c := admin(t, s)
		var made []struct {
			Key string `json:"_RowKey"`
		}
		must(t, c, "/SaasManage/ImportAppFromTemplate", map[string]any{"ID": []string{"Generic OpenID Connect"}}, &made)
		record := map[string]any{"_RowKey": made[0].Key, "Name": "Wiki", "OpenIDConnectScript": `if (LoginUser.Email) setClaim("mail", LoginUser.Email); trace("seen")`}
		must(t, c, "/SaasManage/UpdateApplicationDE", record, nil)
		write := func(text string) string {
			name := filepath.Join(t.TempDir(), "script.js")
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}
		for _, x := range []struct {
			args []string
			code int
			want []string
		}{
			{[]string{"claims", "Wiki", s.Admin}, 0, []string{"It sets no claims", "trace: seen", "saw LoginUser.Email: "}},
			{[]string{"claims", "Wiki", s.Admin, write(`setClaim("for", Request.Scopes)`), "--scopes", "openid email"}, 0, []string{`for = ["openid","email"]`}},
			{[]string{"claims", "Wiki", s.Admin, write(`nothing.at.all()`), "--json"}, 1, []string{`"Error": "`}},
			{[]string{"policy", "Wiki", s.Admin, write(`policy.Locked = true`)}, 0, []string{"lets nobody in"}},
			{[]string{"claims", "Wiki", s.Admin, "/none.js"}, 1, []string{"cannot be read"}},
			{[]string{"claims", "None", s.Admin}, 1, []string{"not found"}},
		} {
			d := command(t, s, append([]string{"try"}, x.args...)...)
			for _, want := range x.want {
				if d.Code != x.code || !strings.Contains(d.Out+d.Err, want) {
					t.Errorf("%s: want %q: %+v", x.args, want, d)
				}
			}
		}
	})
}
