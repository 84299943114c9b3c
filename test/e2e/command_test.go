package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "github.com/ncruces/go-sqlite3/driver"

	"limen/test/rig"
)

// cli runs the program with a small environment.
func cli(t *testing.T, env []string, args ...string) rig.Done {
	t.Helper()
	d, err := rig.Command(t.Context(), binary(t), nil, env, args...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestHelp(t *testing.T) {
	t.Parallel()
	d := cli(t, nil, "--help")
	if d.Code != 0 || d.Err != "" {
		t.Fatalf("%+v", d)
	}
	for _, name := range []string{"serve", "migrate", "backup", "restore", "admin reset-password", "admin add-tenant", "audit verify", "check", "version"} {
		if !strings.Contains(d.Out, name) {
			t.Errorf("--help does not name %s:\n%s", name, d.Out)
		}
		if h := cli(t, nil, append(strings.Fields(name), "--help")...); h.Code != 0 || h.Err != "" || !strings.Contains(h.Out, "Usage: limen "+name) {
			t.Errorf("%s --help: %+v", name, h)
		}
	}
	for line := range strings.Lines(d.Out) {
		if len(strings.TrimRight(line, "\n")) > 130 {
			t.Errorf("a line of the help is too long to read: %q", line)
		}
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if d := cli(t, nil, "version"); d.Code != 0 || !regexp.MustCompile(`^limen \S.* go1\.\d+\S* \w+/\w+\n$`).MatchString(d.Out) {
		t.Errorf("%+v", d)
	}
}

func TestCheckExplainsSettings(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "limen.yaml")
	if err := os.WriteFile(file, []byte("data: "+dir+"\nlog-level: warn\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"LIMEN_NODE=north", "LIMEN_ADMIN_USER=root@acme.example", "LIMEN_ADMIN_PASSWORD=never-shown-anywhere", "LIMEN_MAIL_RELAY=smtp://me:never-shown-anywhere@relay.example:25"}
	d := cli(t, env, "check", "--config", file, "--listen", "localhost:9443")
	if d.Code != 0 || d.Err != "" {
		t.Fatalf("%+v", d)
	}
	for _, want := range []string{"9443", "flag --listen", "variable LIMEN_NODE", "limen.yaml:2", "default", "master.key does not exist yet"} {
		if !strings.Contains(d.Out, want) {
			t.Errorf("check does not say %q:\n%s", want, d.Out)
		}
	}
	if strings.Contains(d.Out, "never-shown") {
		t.Error("check shows a secret")
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("check changed the data directory: %v", left)
	}
}

func TestUnknownSettingsAreSuggested(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "limen.yaml")
	if err := os.WriteFile(file, []byte("lisen: localhost:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  []string
		args []string
		want string
	}{
		{nil, []string{"serve", "--lsiten", ":1"}, `"--listen"`},
		{[]string{"LIMEN_LISTN=:1"}, []string{"check", "--data", dir}, "LIMEN_LISTEN"},
		{nil, []string{"check", "--config", file}, "listen"},
		{nil, []string{"sreve"}, "limen --help"},
		{nil, []string{"serve", "--data", dir, "--tls", "sometimes"}, "--tls"},
	} {
		if d := cli(t, c.env, c.args...); d.Code != 2 || !strings.Contains(d.Err, c.want) || d.Out != "" {
			t.Errorf("%s %s: want exit 2 and %q: %+v", c.env, c.args, c.want, d)
		}
	}
}

// db opens a server's store beside the program, as somebody with the file or the database's password could.
func db(t *testing.T, s *rig.Server) *sql.DB {
	t.Helper()
	driver, address := "pgx", s.DB
	if s.DB == "" {
		driver, address = "sqlite3", "file:"+filepath.Join(s.Data, "limen.db")+"?_pragma=busy_timeout(10000)"
	}
	d, err := sql.Open(driver, address)
	if err != nil {
		t.Fatal(err)
	}
	d.SetMaxOpenConns(1)
	t.Cleanup(func() { d.Close() })
	return d
}

// number reads one number with SQL.
func number(t *testing.T, d *sql.DB, query string) (n int64) {
	t.Helper()
	if err := d.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(query, err)
	}
	return n
}

func command(t *testing.T, s *rig.Server, args ...string) rig.Done {
	t.Helper()
	d, err := s.Run(t.Context(), nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := prepare(t, engine, rig.Options{})
		if d := command(t, s, "migrate"); d.Code != 0 || !regexp.MustCompile(`^The schema went from version 0 to [1-9]\d*\.\n$`).MatchString(d.Out) {
			t.Fatalf("%+v", d)
		}
		if d := command(t, s, "migrate"); d.Code != 0 || !regexp.MustCompile(`^The schema is at version [1-9]\d* already\.\n$`).MatchString(d.Out) {
			t.Fatalf("%+v", d)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Admin != "admin@limen" || s.Password == "" {
			t.Errorf("the first start after migrate makes no administrator: %q", s.Printed())
		}
	})
}

// TestFirstAdministratorIsChosen names the first administrator as the help says, whose password is then not printed.
func TestFirstAdministratorIsChosen(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		const mine = "Chosen-by-me-2026!"
		s := start(t, engine, rig.Options{Env: []string{"LIMEN_ADMIN_USER=root@acme.example", "LIMEN_ADMIN_PASSWORD=" + mine}})
		if out := strings.Join(s.Printed(), "\n"); s.Admin != "root@acme.example" || strings.Contains(out, mine) || s.Password != "" {
			t.Errorf("printed %q", out)
		}
		if strings.Contains(s.Log(100), mine) {
			t.Error("the password is in the log")
		}
		if _, err := client(t, s).SignIn(t.Context(), "root@acme.example", mine); err != nil {
			t.Error(err)
		}
	})
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{})
		old := admin(t, s)
		d := command(t, s, "admin", "reset-password", s.Admin)
		m := regexp.MustCompile(`^Password (\S+) \(shown this once`).FindStringSubmatch(d.Out)
		if d.Code != 0 || m == nil {
			t.Fatalf("%+v", d)
		}
		eventually(t, 2*time.Second, "sessions end with the password", func() bool {
			return post(t, old, "/Security/WhoAmI", nil).Status == 401
		})
		if _, err := client(t, s).SignIn(t.Context(), s.Admin, s.Password); err == nil {
			t.Error("the old password still signs in")
		}
		_, next, err := client(t, s).Password(t.Context(), s.Admin, m[1])
		if err != nil || next.Summary != "NewPackage" {
			t.Fatalf("a drawn password must be changed at the next sign-in: %+v %v", next, err)
		}
		reset, err := next.Mechanism(len(next.Challenges)-1, "RESET")
		if err != nil {
			t.Fatal(err)
		}
		if end, err := client(t, s).Act(t.Context(), next.Package, reset, "Answer", "Another-one-77-please"); err != nil || end.Summary != "LoginSuccess" {
			t.Fatalf("%+v %v", end, err)
		}
		given, err := s.Run(t.Context(), strings.NewReader("Given-on-stdin-88!\n"), "admin", "reset-password", "--stdin", s.Admin)
		if err != nil || given.Code != 0 || given.Out != "The password is set.\n" {
			t.Fatalf("%+v %v", given, err)
		}
		if _, err := client(t, s).SignIn(t.Context(), s.Admin, "Given-on-stdin-88!"); err != nil {
			t.Error(err)
		}
		if d := command(t, s, "admin", "reset-password", "nobody@limen"); d.Code != 1 || !strings.Contains(d.Err, "There is no such user.") {
			t.Errorf("%+v", d)
		}
	})
}

func TestAddTenant(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{Args: []string{"--host", "localhost", "--host", "one.test"}})
		d := command(t, s, "admin", "add-tenant", "AAA0001", "--suffix", "beta.example", "--tenant-host", "beta.test")
		m := regexp.MustCompile(`(?s)^Tenant AAA0001\nAdministrator (\S+)\nPassword (\S+) \(shown this once\)\n$`).FindStringSubmatch(d.Out)
		if d.Code != 0 || m == nil {
			t.Fatalf("%+v", d)
		}
		eventually(t, 2*time.Second, "a running server sends the new tenant's people to their host", func() bool {
			p, err := client(t, s).On("one.test").Begin(t.Context(), m[1])
			return err == nil && p.PodFqdn == fmt.Sprint("beta.test:", s.Port) && len(p.Challenges) == 0
		})
		if _, err := client(t, s).SignIn(t.Context(), m[1], m[2]); err != nil {
			t.Errorf("at localhost, which is no tenant's name, the login suffix decides: %v", err)
		}
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
		s.Args = append(s.Args, "--host", "beta.test") // the certificate needs to know the name
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(s.Printed(), "Administrator "+s.Admin) {
			t.Errorf("a later start names another tenant's administrator than the first one's: %q", s.Printed())
		}
		beta, err := client(t, s).On("beta.test").SignIn(t.Context(), m[1], m[2])
		if err != nil {
			t.Fatal(err)
		}
		var who struct{ TenantID, User string }
		must(t, beta, "/Security/WhoAmI", nil, &who)
		if who.TenantID != "AAA0001" || who.User != m[1] {
			t.Errorf("%+v", who)
		}
		first := admin(t, s)
		for name, c := range map[string]*rig.Client{"one tenant's session at the other's host": first.On("beta.test"), "the other's at the one's": beta.On("one.test")} {
			if a := post(t, c, "/Security/WhoAmI", nil); a.Status != 401 {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
		}
		for _, args := range [][]string{{"AAA0001", "--suffix", "other.example"}, {"GMA0001", "--suffix", "beta.example"}, {"GMA0001", "--suffix", "limen"}} {
			if d := command(t, s, append([]string{"admin", "add-tenant"}, args...)...); d.Code != 1 || d.Err == "" {
				t.Errorf("%s twice: %+v", args, d)
			}
		}
		if n := number(t, db(t, s), `SELECT count(*) FROM tenant`); n != 2 {
			t.Errorf("%d tenants", n)
		}
	})
}

// TestAuditVerify finds the row that somebody with access to the store has altered.
func TestAuditVerify(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{})
		a := admin(t, s)
		newUser(t, a, "first")
		store := db(t, s)
		eventually(t, 10*time.Second, "events are sealed", func() bool {
			d := command(t, s, "audit", "verify")
			if d.Code != 0 {
				t.Fatalf("%+v", d)
			}
			return strings.Contains(d.Out, " 0 events not sealed yet")
		})
		s.Kill()
		var id string
		if err := store.QueryRowContext(t.Context(), `SELECT id FROM event WHERE type = 'Cloud.Core.UserCreate' ORDER BY id DESC LIMIT 1`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		alter(t, store, `UPDATE event SET name = 'somebody else' WHERE id = '`+id+`'`)
		d := command(t, s, "audit", "verify")
		if d.Code != 1 || !strings.Contains(d.Out, id) || !strings.Contains(d.Err, "not as it was written") {
			t.Errorf("an altered row is not named (%s): %+v", id, d)
		}
		alter(t, store, `DELETE FROM event WHERE id = '`+id+`'`)
		if d := command(t, s, "audit", "verify"); d.Code != 1 || !strings.Contains(d.Out, id) && !strings.Contains(d.Out, "missing") {
			t.Errorf("a removed row is not found (%s): %+v", id, d)
		}
	})
}

func alter(t *testing.T, d *sql.DB, text string) {
	t.Helper()
	r, err := d.ExecContext(context.Background(), text)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		t.Fatal(n, err)
	}
}

// TestBackup takes a backup of a server at work, and serves it elsewhere.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := start(t, "SQLite", rig.Options{})
	a := admin(t, s)
	before := newUser(t, a, "before")
	file := filepath.Join(t.TempDir(), "backup")
	stop := make(chan struct{})
	busy := make(chan int)
	go func() { // writes go on while the backup is taken
		n := 0
		for ; ; n++ {
			select {
			case <-stop:
				busy <- n
				return
			default:
				_ = a.Call(context.WithoutCancel(t.Context()), "/CDirectoryService/ChangeUser", object{"ID": before, "Description": strings.Repeat("x", n%100)}, nil)
			}
		}
	}()
	d := command(t, s, "backup", file)
	close(stop)
	if n := <-busy; n == 0 {
		t.Error("nothing was written while the backup was taken")
	}
	if d.Code != 0 || !strings.HasPrefix(d.Out, "Wrote "+file) || !strings.Contains(d.Out, "master.key") {
		t.Fatalf("%+v", d)
	}
	if d := command(t, s, "backup", file); d.Code == 0 {
		t.Errorf("a backup was written over: %+v", d)
	}
	after := newUser(t, a, "after")

	o := prepare(t, "SQLite", rig.Options{})
	if d := command(t, o, "restore", file+"-that-is-not-there"); d.Code != 1 {
		t.Errorf("%+v", d)
	}
	if d := command(t, o, "restore", file); d.Code != 0 || !strings.HasPrefix(d.Out, "Restored ") {
		t.Fatalf("%+v", d)
	}
	if d := command(t, o, "restore", file); d.Code != 1 || !strings.Contains(d.Err, "--force") {
		t.Errorf("a database was replaced without --force: %+v", d)
	}
	if d := command(t, o, "restore", "--force", file); d.Code != 0 {
		t.Errorf("%+v", d)
	}
	if err := o.Start(t.Context()); err == nil {
		t.Error("the backup is served without its master key")
		o.Kill()
	}
	key, err := os.ReadFile(filepath.Join(s.Data, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(o.Data, "master.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.Admin, o.Password = s.Admin, s.Password
	restored := admin(t, o)
	must(t, restored, "/CDirectoryService/GetUser", object{"ID": before}, nil)
	if a := post(t, restored, "/CDirectoryService/GetUser", object{"ID": after}); a.Success {
		t.Error("the backup knows what came after it")
	}
	if d := command(t, o, "audit", "verify"); d.Code != 0 {
		t.Errorf("%+v", d)
	}
}

// TestBackupIsForTheEmbeddedDatabase says what to use instead.
func TestBackupIsForTheEmbeddedDatabase(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		if engine == "SQLite" {
			t.Skip("TestBackup takes this backup; here it is what the other engine answers")
		}
		s := prepare(t, engine, rig.Options{})
		if d := command(t, s, "backup", filepath.Join(t.TempDir(), "b")); d.Code != 1 || !strings.Contains(d.Err, "pg_dump") {
			t.Errorf("%+v", d)
		}
	})
}

// newUser makes somebody and gives the id.
func newUser(t *testing.T, a *rig.Client, name string) (id string) {
	t.Helper()
	must(t, a, "/CDirectoryService/CreateUser", object{
		"Name": name + "@limen", "Mail": name + "@example.com", "DisplayName": strings.ToUpper(name[:1]) + name[1:], "Password": password,
	}, &id)
	return id
}

// password is everybody's.
const password = "Correct-Horse-7-Battery"

// Commands on a database that nobody has started tell what to do.
func TestCommandsOnAnEmptyStore(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		want string
		args []string
	}{
		{"limen serve makes the first tenant", []string{"explain", "right", "anna@limen", "mfaunlock"}},
		{"no such file or directory", []string{"backup", filepath.Join(data, "none", "copy.db")}},
	} {
		d, err := rig.Command(t.Context(), binary(t), nil, nil, append(x.args, "--data", data)...)
		if err != nil || d.Code != 1 || !strings.Contains(d.Err, x.want) {
			t.Errorf("%v: %+v %v", x.args, d, err)
		}
	}
}
