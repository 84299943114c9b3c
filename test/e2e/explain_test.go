package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"limen/test/rig"
)

// TestExplainAndSimulate asks the command line why, and what a change would do, beside a server that runs.
func TestExplainAndSimulate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{})
		admin(t, s) // who signs in by this, and has no second factor
		file := filepath.Join(t.TempDir(), "mfa.json")
		const proposal = `{"policy":{"Path":"/Policy/Two factors","Settings":{"AuthenticationEnabled":true,
			"/Core/Authentication/AuthenticationRulesDefaultProfileId":"c3a4b6c1-6f0e-4d4b-9d1b-0c5e0a6f2d01"}},
			"plinks":[{"PolicySet":"/Policy/Two factors","LinkType":"Role","Params":["Everybody"]}]}`
		if err := os.WriteFile(file, []byte(proposal), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			args []string
			want []string
		}{
			{[]string{"explain", "right", s.Admin, "User Management"}, []string{"holds User Management everywhere", "role System Administrator: Member"}},
			{[]string{"explain", "sign-in", s.Admin, "--ip", "192.0.2.7", "--device", "known"}, []string{"signs in with UP."}},
			{[]string{"explain", "setting", s.Admin, "/Core/Security/CDS/PasswordPolicy/MinLength"}, []string{"the tenant's settings or the default hold", "value 12"}},
			{[]string{"explain", "operation", s.Admin, "/Policy/SavePolicyBlock3"}, []string{"may call /Policy/SavePolicyBlock3", "* system administrator: Met."}},
			{[]string{"simulate", "policy", file}, []string{"1 would be refused that are not now", s.Admin, "refused: no second factor is enrolled"}},
			{[]string{"simulate", "role", "Everybody", "--add-right", "Report Management"}, []string{"0 would go otherwise", "1 affected"}},
		} {
			d := command(t, s, x.args...)
			for _, want := range x.want {
				if d.Code != 0 || !strings.Contains(d.Out, want) {
					t.Errorf("%s: want %q: %+v", x.args, want, d)
				}
			}
		}
		var forecast struct{ Replayed, LockedOut int }
		if d := command(t, s, "simulate", "policy", "--json", file); json.Unmarshal([]byte(d.Out), &forecast) != nil || forecast.LockedOut != 1 || forecast.Replayed != 1 {
			t.Errorf("%+v", d)
		}
		if d := command(t, s, "explain", "request", "00000000-0000-7000-8000-000000000000"); d.Code != 1 || !strings.Contains(d.Err, "does not exist") {
			t.Errorf("%+v", d)
		}
	})
}
