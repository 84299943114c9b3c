package repo

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	_ "limen/internal/app" // every package that declares statements
	"limen/internal/dbx"
)

// sweeps are the statements that rightly go across tenants, each with its reason.
var sweeps = map[string]string{
	"key.seals":                 "the key ring holds every tenant's keys",
	"key.someSeals":             "one master key wraps the keys of all tenants",
	"key.equipped":              "which tenants lack keys is asked at the start",
	"key.signers":               "the same",
	"audit.unqueue":             "the sealer works through all tenants; event ids are unique in the installation",
	"audit.unsigned":            "the sealer looks for chains whose end lacks a checkpoint",
	"invite.sweep":              "retention",
	"workflow.overdue":          "one node ends the requests of all tenants that nobody has answered",
	"workflow.old":              "retention",
	"exemption.sweep":           "retention",
	"address.sweep":             "retention",
	"radius.sweep_open":         "retention",
	"captcha.sweep":             "retention",
	"reset.sweep":               "retention",
	"regain.due":                "one node takes the steps of all tenants",
	"regain.starts":             "the same",
	"regain.sweep":              "retention",
	"regain.sweep_proposals":    "retention",
	"regain.sweep_moved":        "retention",
	"upstream.sweep":            "retention",
	"signup.sweep":              "retention",
	"passcode.sweep":            "retention",
	"intake.sweep":              "retention",
	"tokenfile.sweep":           "retention",
	"job.kinds":                 "workers serve all tenants",
	"job.claim":                 "workers serve all tenants",
	"job.tidy":                  "retention",
	"outbound.marked":           "one node plans for all tenants",
	"outbound.passes":           "the same",
	"outbound.want_all":         "everybody is looked at again once a day",
	"outbound.old_removed":      "retention",
	"outbound.old_findings":     "retention",
	"outbound.ready":            "workers serve all tenants",
	"outbound.enabled":          "the same",
	"outbox.claim":              "workers serve all tenants",
	"outbox.next":               "workers serve all tenants",
	"outbox.tidy_done":          "retention",
	"session.sweep":             "retention",
	"provision.sweepTokens":     "retention",
	"vault.sweep_sessions":      "retention",
	"sshkey.sweep":              "retention",
	"safe.sweep_members":        "retention",
	"login.sweep":               "retention",
	"login.sweep_links":         "retention",
	"login.sweep_challenge":     "retention",
	"passkey.sweep":             "retention",
	"authenticator.sweep":       "retention",
	"throttle.sweep":            "retention",
	"domain.due":                "proofs of all tenants are looked for again",
	"domain.old":                "retention",
	"dynamic.due":               "workers serve all tenants",
	"dynamic.passes":            "workers serve all tenants",
	"dynamic.byClock":           "scripts that read the time, of all tenants",
	"dynamic.tidy":              "retention",
	"device.sweep":              "retention",
	"token.sweep":               "retention",
	"workspace.sweepDevice":     "retention",
	"role.sweep_members":        "retention",
	"role.sweep_rights":         "retention",
	"acl.sweep":                 "retention",
	"oauth.sweep_authorization": "retention",
	"oauth.sweep_code":          "retention",
	"oauth.sweep_refresh":       "retention",
	"oauth.sweep_access":        "retention",
	"oauth.sweep_spent":         "retention",
	"oauth.sweep_initial":       "retention",
	"oauth.sweep_request":       "retention",
	"oauth.sweep_pending":       "retention",
	"oauth.sweep_logout":        "retention",
	"oauth.leavers":             "clients are told of whoever left, in all tenants",
	"oauth.review_all":          "after changes were missed, everybody is looked at again",
	"oauth.review_due":          "who is to be looked at, in all tenants",
	"role.tallied":              "counts are compared with what is there, once a day",
	"role.there":                "the same",
	"org.due_stays":             "whose time in an organization begins or ends, in all tenants",
	"org.sweep_rights":          "retention",
	"org.sweep_admins":          "retention",
	"radius.listening":          "the address and the secret of a packet say whose client sent it",
	"session.by_hash":           "a token says by itself which tenant's it is",
	"tenant.allSuffixes":        "the index that finds the tenant",
	"tenant.allHosts":           "the index that finds the tenant",
	"tenant.anySuffix":          "a suffix is unique in the installation",
}

var (
	created  = regexp.MustCompile(`(?is)CREATE TABLE (\w+) \((.*?)\n\)[^;\n]*;`)
	written  = regexp.MustCompile(`(?i)\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(\w+)`)
	readFrom = regexp.MustCompile(`(?i)\b(?:FROM|JOIN)\s+(\w+)`)
	tenanted = regexp.MustCompile(`(?i)\btenant\s*=\s*(\?|\w+\.tenant)`)
)

// tables maps each table to whether it has a tenant column.
func tables(t *testing.T) map[string]bool {
	files, err := filepath.Glob(filepath.Join(root(t), "internal/schema/*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatal("no schema", err)
	}
	out := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range created.FindAllStringSubmatch(string(b), -1) {
			out[m[1]] = regexp.MustCompile(`(?m)^\s+tenant\s`).MatchString(m[2])
		}
	}
	return out
}

// TestEachTableHasOneOwner finds tables that two packages write.
func TestEachTableHasOneOwner(t *testing.T) {
	known, owner := tables(t), map[string]string{}
	for _, s := range dbx.Statements() {
		for _, m := range written.FindAllStringSubmatch(s.Text, -1) {
			table := strings.ToLower(m[1])
			if _, ok := known[table]; !ok || strings.HasSuffix(s.Package, "_test") {
				continue
			}
			if owner[table] == "" {
				owner[table] = s.Package
			}
			if owner[table] != s.Package {
				t.Errorf("%s: %s writes table %s, which %s owns", s.Name, s.Package, table, owner[table])
			}
		}
	}
	if len(owner) < 10 {
		t.Errorf("only %d tables are written at all; is something not imported?", len(owner))
	}
}

// TestStatementsNameTheirTenant finds statements that touch a tenant's table without saying whose rows are meant.
func TestStatementsNameTheirTenant(t *testing.T) {
	known, used := tables(t), map[string]bool{}
	for _, s := range dbx.Statements() {
		if _, ok := sweeps[s.Name]; ok {
			used[s.Name] = true
			continue
		}
		text := strings.ToLower(s.Text)
		if strings.HasPrefix(strings.TrimSpace(text), "insert") && !strings.Contains(text, "select") {
			continue // an INSERT gives the tenant as a value; the column is NOT NULL
		}
		for _, m := range append(readFrom.FindAllStringSubmatch(text, -1), written.FindAllStringSubmatch(text, -1)...) {
			if known[m[1]] && !tenanted.MatchString(text) {
				t.Errorf("%s touches %s without \"tenant = ?\":\n%s", s.Name, m[1], s.Text)
				break
			}
		}
	}
	for name := range sweeps {
		if !used[name] {
			t.Errorf("the list of sweeps names %s, which does not exist", name)
		}
	}
}
