package e2e

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pquerna/otp/totp"

	"limen/internal/dbx"
	"limen/internal/schema"
	"limen/test/rig"
)

// What older versions wrote stays right. testdata/older has a directory for each schema that was released, named after its
// last file: the master key, and all rows of a small world as lines of JSON. "go test ./test/e2e -run OlderVersions -record"
// writes the one of the present schema, once, before the next version adds files to it; it is never written again.

var record = flag.Bool("record", false, "write the rows of the present schema's world to testdata/older, unless they are there")

const (
	older        = "testdata/older"
	olderAdmin   = "Keeper-of-the-keys-1"
	totpSecretAt = "totp.txt"
)

func TestRowsOfOlderVersions(t *testing.T) {
	t.Parallel()
	if *record {
		recordWorld(t)
	}
	dirs, err := filepath.Glob(older + "/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no worlds of older versions", err)
	}
	for _, d := range dirs {
		t.Run(filepath.Base(d), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, engine string) { worldStands(t, engine, d) })
		})
	}
}

// worldStands starts the program on what an older version has left, and looks at all of it.
func worldStands(t *testing.T, engine, from string) {
	s := prepare(t, engine, rig.Options{})
	copyFile(t, filepath.Join(from, "master.key"), filepath.Join(s.Data, "master.key"))
	restoreRows(t, s, from)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Admin, s.Password = "admin@limen", olderAdmin
	a := admin(t, s)
	var people struct{ FullCount int }
	must(t, a, "/CDirectoryService/GetUsers", nil, &people)
	if people.FullCount != 5 {
		t.Errorf("%d people, want 5", people.FullCount)
	}
	type row struct{ Row map[string]any }
	var members struct{ Results []row }
	must(t, a, "/Roles/GetRoleMembers", object{"Name": "Desk"}, &members)
	if len(members.Results) != 3 { // a person, a role, and who is in that

		t.Errorf("the role's members are %v", members.Results)
	}
	var query struct{ Results []row }
	must(t, a, "/Redrock/Query", object{"Script": "SELECT Username, OrgPath FROM User WHERE OrgPath = '/Sales/East'"}, &query)
	if len(query.Results) != 1 || query.Results[0].Row["Username"] != "anna@limen" {
		t.Errorf("in /Sales/East are %v", query.Results)
	}
	var rsop json.RawMessage
	must(t, a, "/Policy/GetRsop", object{"userid": "anna@limen"}, &rsop)
	if !bytes.Contains(rsop, []byte("PasswordPolicy/MinLength")) {
		t.Errorf("the policy is gone: %s", rsop)
	}
	olderAnna(t, s, from)
	olderClients(t, s, a, from)
	if d := command(t, s, append([]string{"audit", "verify"}, s.Flags()...)...); d.Code != 0 {
		t.Errorf("the audit chain does not verify: %+v", d)
	}
}

// olderAnna signs in with what she has had: a password and an authenticator, whose secret only the old master key opens; and
// looks after the organization that she administers.
func olderAnna(t *testing.T, s *rig.Server, from string) {
	t.Helper()
	secret, err := os.ReadFile(filepath.Join(from, totpSecretAt))
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, s)
	p, next, err := c.Password(t.Context(), "anna@limen", password)
	if err != nil || next.Summary != "StartNextChallenge" {
		t.Fatalf("%+v %v", next, err)
	}
	m, err := p.Mechanism(1, "OATH")
	if err != nil {
		t.Fatal(err)
	}
	// The next code: the present one enrolled the authenticator where the rows have only just been written.
	now, err := totp.GenerateCode(strings.TrimSpace(string(secret)), time.Now().Add(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.Act(t.Context(), p, m, "Answer", now)
	if err != nil || in.Summary != "LoginSuccess" {
		t.Fatalf("%+v %v", in, err)
	}
	anna := c.As(in.Auth)
	var id string
	must(t, anna, "/CDirectoryService/CreateUser", object{"Name": "new@limen", "Mail": "new@example.com", "Password": password}, &id)
	if a := post(t, anna, "/CDirectoryService/GetUser", object{"ID": "admin@limen"}); a.Success {
		t.Error("she sees somebody outside of her organization")
	}
}

// recordWorld plays the world on the present version and writes its rows.
func recordWorld(t *testing.T) {
	latest, err := schema.Latest()
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(older, fmt.Sprintf("%04d", latest))
	if _, err := os.Stat(to); err == nil {
		t.Fatal(to, " is there, and rows that were written stay as they are")
	}
	s := start(t, "SQLite", rig.Options{Args: []string{"--dev"}, Env: []string{"LIMEN_ADMIN_USER=admin", "LIMEN_ADMIN_PASSWORD=" + olderAdmin}})
	s.Password = olderAdmin
	a := admin(t, s)
	var org struct{ ID string }
	must(t, a, "/Org/Create", object{"Name": "Sales", "Description": "Those who sell"}, &org)
	must(t, a, "/Org/Create", object{"Name": "East", "Parent": "/Sales"}, nil)
	for name, more := range map[string]object{
		"anna": {"OrgPath": "/Sales/East", "MobileNumber": "+15105555555"}, "ben": {"OrgPath": "/Sales"}, "carl": {"State": "Locked"}, "dora": {"SendEmailInvite": true},
	} {
		o := object{"Name": name + "@limen", "Mail": name + "@example.com", "DisplayName": strings.ToUpper(name), "Password": password}
		for k, v := range more {
			o[k] = v
		}
		must(t, a, "/CDirectoryService/CreateUser", o, nil)
	}
	must(t, a, "/Org/UpdateAdministrators", object{"OrgId": org.ID, "Grant": []object{{"Id": "anna@limen", "Type": "User"}}}, nil)
	must(t, a, "/Roles/StoreRole", object{"Name": "Desk", "Description": "Helps people"}, nil)
	must(t, a, "/Roles/StoreRole", object{"Name": "Desk at night"}, nil)
	must(t, a, "/SaasManage/AddUsersAndGroupsToRole", object{"Name": "Desk", "Users": []string{"ben@limen"}, "Roles": []string{"Desk at night"}}, nil)
	must(t, a, "/SaasManage/AddUsersAndGroupsToRole", object{"Name": "Desk at night", "Users": []string{"carl@limen"}, "Until": "2140-01-31T18:00:00Z", "Reason": "Stands in"}, nil)
	must(t, a, "/Roles/AssignSuperRights", []object{{"Role": "Desk", "Path": "/lib/rights/mfaunlock.json"}}, nil)
	must(t, a, "/Roles/StoreRole", object{"Name": "Example", "RoleType": "Script"}, nil)
	must(t, a, "/Roles/SetDynamicRoleScript", object{"ID": "Example", "Script": `return /^dora/.test(User.Mail)`}, nil)
	must(t, a, "/Policy/SavePolicyBlock3", object{
		"policy": object{"Path": "/Policy/Passwords", "Newpolicy": true, "Settings": object{"/Core/Security/CDS/PasswordPolicy/MinLength": 12}},
		"plinks": []object{{"PolicySet": "/Policy/Passwords", "LinkType": "Global", "Params": []string{}}},
	}, nil)
	secret := olderAuthenticator(t, s)
	eventually(t, 30*time.Second, "the script has judged everybody", func() bool {
		var m struct{ Results []any }
		must(t, a, "/Roles/GetRoleMembers", object{"Name": "Example"}, &m)
		return len(m.Results) == 1
	})
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	recordClients(t, a, to)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(s.Data, "master.key"), filepath.Join(to, "master.key"))
	if err := os.WriteFile(filepath.Join(to, totpSecretAt), []byte(secret+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dumpRows(t, db(t, s), filepath.Join(to, "rows.jsonl"))
}

// olderAuthenticator signs Anna in with a mailed code, and gives her an authenticator.
func olderAuthenticator(t *testing.T, s *rig.Server) string {
	t.Helper()
	me := signInAsAnna(t, s)
	var offer struct{ UrlQr, ProfileUuid string }
	must(t, me, "/Mobile/GetUserThirdPartyOtp", object{"DeviceId": nil}, &offer)
	secret := secretOf(t, offer.UrlQr)
	first, err := totp.GenerateCode(secret, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	must(t, me, "/Mobile/ValidateAndSetUserThirdPartyOtp", object{"otpCode": first, "uuid": offer.ProfileUuid}, nil)
	return secret
}

// line is one row. Bytes are under "bytes", in base64, since JSON has none.
type line struct {
	Table string         `json:"table"`
	Row   map[string]any `json:"row"`
	Bytes map[string]any `json:"bytes,omitempty"`
}

// dumpRows writes every row of an embedded store, table by table in the order they were made: rows refer to tables before.
func dumpRows(t *testing.T, d *sql.DB, file string) {
	t.Helper()
	var tables []string
	for _, r := range all(t, d, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'schema_%' ORDER BY rowid") {
		tables = append(tables, fmt.Sprint(r["name"]))
	}
	var out bytes.Buffer
	for _, table := range tables {
		for _, r := range all(t, d, `SELECT * FROM "`+table+`"`) {
			l := line{Table: table, Row: r}
			for k, v := range r {
				if b, ok := v.([]byte); ok {
					if l.Bytes == nil {
						l.Bytes = map[string]any{}
					}
					l.Bytes[k] = base64.StdEncoding.EncodeToString(b)
					delete(r, k)
				}
			}
			text, err := json.Marshal(l)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(text, '\n'))
		}
	}
	if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// all reads rows of whatever shape.
func all(t *testing.T, d *sql.DB, query string) (out []map[string]any) {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(query, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, at := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			at[i] = &values[i]
		}
		if err := rows.Scan(at...); err != nil {
			t.Fatal(err)
		}
		r := map[string]any{}
		for i, n := range names {
			r[n] = values[i]
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// restoreRows makes the tables of an older version and fills them.
func restoreRows(t *testing.T, s *rig.Server, from string) {
	t.Helper()
	address := s.DB
	if address == "" {
		address = "sqlite://" + filepath.Join(s.Data, "limen.db")
	}
	store, err := dbx.Open(t.Context(), address, dbx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if _, to, err := (schema.Set{Files: upTo(t, filepath.Base(from))}).Apply(t.Context(), store); err != nil || fmt.Sprintf("%04d", to) != filepath.Base(from) {
		t.Fatal(to, err)
	}
	f, err := os.Open(filepath.Join(from, "rows.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	emptied := map[string]bool{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var l line
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		if err := d.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if !emptied[l.Table] { // the files themselves write some rows
			emptied[l.Table] = true
			if _, err := store.SQL().ExecContext(t.Context(), `DELETE FROM "`+l.Table+`"`); err != nil {
				t.Fatal(err)
			}
		}
		insertRow(t, store, l)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if s.DB != "" && emptied["object_number"] { // PostgreSQL counts on from what it gave itself; rows with their numbers move nothing
		const onward = `SELECT setval(pg_get_serial_sequence('object_number', 'number'), max(number)) FROM object_number`
		if _, err := store.SQL().ExecContext(t.Context(), onward); err != nil {
			t.Fatal(err)
		}
	}
}

func insertRow(t *testing.T, store *dbx.DB, l line) {
	t.Helper()
	var names, marks []string
	var values []any
	for k, v := range l.Row {
		if n, ok := v.(json.Number); ok {
			if i, err := n.Int64(); err == nil {
				v = i
			} else if f, err := n.Float64(); err == nil {
				v = f
			}
		}
		names, values = append(names, `"`+k+`"`), append(values, v)
	}
	for k, v := range l.Bytes {
		b, err := base64.StdEncoding.DecodeString(fmt.Sprint(v))
		if err != nil {
			t.Fatal(err)
		}
		names, values = append(names, `"`+k+`"`), append(values, b)
	}
	for i := range names {
		mark := "?"
		if store.Engine() == dbx.Postgres {
			mark = fmt.Sprintf("$%d", i+1)
		}
		marks = append(marks, mark)
	}
	text := `INSERT INTO "` + l.Table + `" (` + strings.Join(names, ", ") + ") VALUES (" + strings.Join(marks, ", ") + ")"
	if _, err := store.SQL().ExecContext(t.Context(), text, values...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// upTo is the schema as it was when its last file was the one with the number.
func upTo(t *testing.T, number string) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := filepath.Glob("../../internal/schema/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range slices.Sorted(slices.Values(names)) {
		if base := path.Base(n); base[:4] <= number {
			text, err := os.ReadFile(n)
			if err != nil {
				t.Fatal(err)
			}
			out[base] = &fstest.MapFile{Data: text}
		}
	}
	return out
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
