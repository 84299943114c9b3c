package intake_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
)

func TestImport(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.by(h.admin, nil)
		h.write(admin, audit.RoleCreate, func(ctx context.Context) error {
			for _, name := range []string{"Sales", "Support"} {
				if _, err := h.app.Roles.Create(ctx, admin, role.New{Name: name}); err != nil {
					return err
				}
			}
			_, err := h.app.People.Create(ctx, admin, user.New{Name: "known@acme", Mail: "k@example.com", Display: "Untouched"})
			return err
		})
		const content = "Login Name;Display Name;EMAIL ADDRESS;Office Number;Home Number;Mobile Number;Description;Roles;Password;Require Password Change;Expiration Date;Password Never Expires\n" +
			"joe@acme;\"Smith, Joe\";joe@example.com;+1 555 0100;+1 555 0101;+1 555 0102;\"two\nlines\";\"Sales, Support\";Purple-Staple-7-Wagon;no;2027-12-31T23:59Z;yes\n" +
			"Known@Acme;;other@example.com;;;;;;;;;\n" +
			"jörg@acme;Jörg;j@example.com;;;;;Sales;Orange-Staple-7-Wagon;;;\n" +
			"eve@acme;Eve;eve@example.com;;;;;;;yes;;yes\n"
		id := h.submit(admin, content, intake.Wish{Mail: "boss@example.com", ByMail: true, BySMS: true})
		stop := h.run(h.app)
		done := h.ended(id, job.Done)
		stop()
		want := "3 of 4 users created, 1 existed already, 0 could not be created.\nLine 4 (Known@Acme): exists already, and is left unchanged.\n" +
			"Line 5 (jörg@acme): has no mobile number for the invitation.\nLine 6 (eve@acme): has no mobile number for the invitation."
		if done.Result != want || done.Done != 4 || done.Total != 4 {
			t.Errorf("%+v\n%s", done, done.Result)
		}
		joe, eve := h.find("joe@acme"), h.find("eve@acme")
		if joe.Display != "Smith, Joe" || joe.Description != "two\nlines" || joe.Mobile != "+1 555 0102" || joe.ForceChange || !joe.NeverExpires || !joe.Everybody ||
			joe.Expires != time.Date(2027, 12, 31, 23, 59, 0, 0, time.UTC).UnixMilli() || joe.Status() != user.Invited {
			t.Errorf("%+v", joe)
		}
		if eve.ForceChange || eve.NeverExpires || !h.find("JÖRG@acme").ForceChange || h.find("known@acme").Display != "Untouched" {
			t.Error("defaults")
		}
		c := h.app.Shell(h.tenant)
		if err := c.Snapshot(t.Context(), func() error {
			cur, err := h.app.Passwords.Find(t.Context(), c, joe.ID)
			if err != nil {
				return err
			}
			if v, err := h.app.Passwords.Verify(t.Context(), cur, "Purple-Staple-7-Wagon"); err != nil || !v.OK {
				t.Error(v, err)
			}
			m, err := h.app.Roles.Of(t.Context(), c, joe.ID)
			if len(m.Roles) != 3 {
				t.Error(m.Roles)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if n := h.count("SELECT count(*) FROM import_file"); n != 0 {
			t.Error("the file is still there")
		}
		// Invitations: three mails, one text message; and the report.
		if mails, sms := h.count("SELECT count(*) FROM outbox WHERE topic = 'mail'"), h.count("SELECT count(*) FROM outbox WHERE topic = 'sms'"); mails != 4 || sms != 1 {
			t.Error(mails, sms)
		}
		if made, all, roles := h.events(audit.UserCreate), h.events(audit.UserImport), h.events(audit.RoleMembers); made != 3+1 || all != 1 || roles != 2 {
			t.Error(made, all, roles)
		}
		// The mail says what the job's result does.
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { _ = h.app.Outbox.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		for begin := time.Now(); len(h.app.Tray.To("boss@example.com")) == 0; time.Sleep(5 * time.Millisecond) {
			if time.Since(begin) > 30*time.Second {
				t.Fatal("no report")
			}
		}
		m := h.app.Tray.To("boss@example.com")[0]
		if m.Subject != "Import of users at Limen: 3 of 4 created" || !strings.Contains(m.Text, "Line 4 (Known@Acme): exists already") || !strings.Contains(m.Text, "people.csv") {
			t.Errorf("%+v", m)
		}
	})
}

// Everything that is wrong is said at once, by line and column.
func TestProblems(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.by(h.admin, nil)
		const content = "login name,Display Name,mail,Mobile Number,Roles,Password,Expiration Date,Password Never Expires,OrgPath,Preferred Culture\n" +
			"a@acme,A,a@example.com,+1 555 0100,,,,,,\n" +
			"A@ACME,,nobody,,,,,,,\n" +
			"b@elsewhere,,b@example.com,12x,Nobodies,short,tomorrow,perhaps,/Nowhere,\n" +
			",,,,,,,,,xx-yy-zz-1\n" +
			"c@acme,c,c@example.com,,,Password1,,,,\n"
		_, err := h.app.Intake.Check(t.Context(), admin, intake.Source{Name: `C:\lists\people.csv`, Content: []byte(content)})
		f, err2 := h.app.Intake.Check(t.Context(), admin, intake.Source{Name: `C:\lists\people.csv`, Content: []byte(content)})
		if !errors.Is(err, intake.ErrRows) || err2 == nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range f.Bad {
			got = append(got, p.String())
		}
		want := []string{
			"Line 3, column Email Address: must be a mail address.",
			"Line 3, column Login Name: is the same as in line 2.",
			"Line 4, column Mobile Number: must be a telephone number.",
			"Line 4, column Expiration Date: must be a time in UTC, as 2027-12-31T23:59Z.",
			"Line 4, column Password Never Expires: must be yes or no.",
			"Line 4, column Login Name: has a login suffix that is not one of this tenant's.",
			"Line 4, column Organization: is not an organization that you administer.",
			"Line 4, column Roles: has a role that does not exist: Nobodies.",
			"Line 4, column Password: must have at least 12 characters.",
			"Line 5, column Login Name: is empty.",
			"Line 5, column Email Address: is empty.",
			"Line 5, column Preferred Culture: must be a language tag, as en-US.",
			"Line 6, column Password: is too common",
		}
		if len(got) != len(want) {
			t.Fatalf("%d problems:\n%s", len(got), strings.Join(got, "\n"))
		}
		for n := range want[:len(want)-1] {
			if got[n] != want[n] {
				t.Errorf("got  %s\nwant %s", got[n], want[n])
			}
		}
		for content, want := range map[string]error{
			"Login Name,Electronic Mail\n":                intake.ErrColumn,
			"Login Name,Email Address,Pasword\n":          intake.ErrColumn,
			"Login Name,Mail,Email Address\na@acme,x,y\n": intake.ErrColumn,
			"Login Name,Email Address\n":                  intake.ErrEmpty,
			"Login Name,Email Address\n\"a":               intake.ErrFile,
		} {
			if _, err := h.app.Intake.Check(t.Context(), admin, intake.Source{Name: `C:\lists\people.csv`, Content: []byte(content)}); !errors.Is(err, want) {
				t.Errorf("%q: %v", content, err)
			}
		}
	})
}

// Nobody gives by a file what they may not give otherwise.
func TestGuards(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.by(h.admin, nil)
		var plain, strong, nested role.Role
		h.write(admin, audit.RoleCreate, func(ctx context.Context) (err error) {
			for name, r := range map[string]*role.Role{"Plain": &plain, "Strong": &strong, "Nested": &nested} {
				if *r, err = h.app.Roles.Create(ctx, admin, role.New{Name: name}); err != nil {
					return err
				}
			}
			if err := h.app.Roles.Assign(ctx, admin, strong.ID, role.Given{Path: right.Connectors.Info().Path}); err != nil {
				return err
			}
			return h.app.Roles.Add(ctx, admin, role.System, role.Member{Kind: role.Sub, ID: nested.ID})
		})
		users := right.Held{Tenant: right.Of(right.UserManagement)}
		both := right.Held{Tenant: right.Of(right.UserManagement, right.RoleManagement)}
		org := right.Held{Orgs: map[string]right.Set{"o1": right.Of(right.UserManagement)}}
		for _, c := range []struct {
			held      right.Held
			cell, why string
		}{
			{users, "Plain,no", "Line 2, column Roles: needs the right Role Management."},
			{both, "Plain,no", ""},
			{both, "Strong,no", "Line 2, column Roles: has a role with rights that you do not hold: Strong."},
			{both, "Nested,no", "Line 2, column Roles: has a role with rights that you do not hold: Nested."},
			{both, "sysadmin,no", "Line 2, column Roles: has a role with rights that you do not hold: System Administrator."},
			{both, ",yes", "Line 2, column System Administrator: can be given by system administrators only."},
			{users, "Everybody,no", ""},
			{org, ",no", "Line 2, column Organization: must say which of the organizations that you administer."},
		} {
			f, err := h.app.Intake.Check(t.Context(), h.by(h.admin, &c.held), intake.Source{Name: `C:\lists\people.csv`, Content: []byte("Login Name,Email Address,Roles,InSysAdminRole\nx@acme,x@example.com," + c.cell + "\n")})
			got := ""
			if len(f.Bad) > 0 {
				got = f.Bad[0].String()
			}
			if got != c.why || (err == nil) != (c.why == "") {
				t.Errorf("%+v %s: %s, want %s", c.held, c.cell, got, c.why)
			}
		}

		// Rights count when the job runs: whoever has none by then creates nobody.
		u := h.find("admin@acme")
		id := h.submit(h.by(u, nil), "Login Name,Email Address\nx@acme,x@example.com\n", intake.Wish{})
		h.write(admin, audit.RoleMembers, func(ctx context.Context) error {
			other, err := h.app.People.Create(ctx, admin, user.New{Name: "other@acme", System: true})
			if err != nil {
				return err
			}
			_ = other
			return h.app.Roles.Remove(ctx, admin, role.System, role.Member{Kind: role.User, ID: u.ID})
		})
		h.run(h.app)
		if i := h.ended(id, job.Failed); i.Message != intake.ErrNoRights.Public {
			t.Errorf("%+v", i)
		}
		if n := h.count("SELECT count(*) FROM users WHERE name = 'x@acme'"); n != 0 {
			t.Error("created without rights")
		}
	})
}

// A file belongs to its uploader, for an hour, and is imported once.
func TestUploads(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		const content = "Login Name,Email Address,Password\nx@acme,x@example.com,Purple-Staple-7-Wagon\n"
		c := h.by(h.admin, nil)
		keep := func() string {
			f, err := h.app.Intake.Check(t.Context(), c, intake.Source{Name: `C:\lists\people.csv`, Content: []byte(content)})
			if err != nil {
				t.Fatal(err)
			}
			s, err := h.app.Intake.Prepare(t.Context(), c, f)
			if err != nil {
				t.Fatal(err)
			}
			h.write(c, audit.UserImportFile, func(ctx context.Context) error { return h.app.Intake.Keep(ctx, c, s) })
			return s.Token()
		}
		submit := func(c *call.Call, token string) error {
			return h.app.Write(t.Context(), c, audit.JobStart, func(ctx context.Context) error {
				_, err := h.app.Intake.Submit(ctx, c, token, intake.Wish{})
				return err
			})
		}
		token := keep()
		if n := h.count("SELECT count(*) FROM import_file WHERE body LIKE '%Purple%' OR name <> 'people.csv'"); n != 0 {
			t.Error("the file can be read")
		}
		other := h.by(user.User{ID: "11111111-1111-7111-8111-111111111111", Name: "other@acme"}, nil)
		if err := submit(other, token); !errors.Is(err, intake.ErrUnknown) {
			t.Error("somebody else's:", err)
		}
		if err := submit(c, token[:len(token)-4]); !errors.Is(err, intake.ErrUnknown) {
			t.Error(err)
		}
		if err := submit(c, token); err != nil {
			t.Error(err)
		}
		if err := submit(c, token); !errors.Is(err, intake.ErrUnknown) {
			t.Error("twice:", err)
		}
		late := keep()
		later := h.by(h.admin, nil)
		later.Now = later.Now.Add(2 * time.Hour)
		if err := submit(later, late); !errors.Is(err, intake.ErrUnknown) {
			t.Error("after its time:", err)
		}
		for range 8 {
			keep()
		}
		if n := h.count("SELECT count(*) FROM import_file WHERE job = ''"); n != 5 {
			t.Error(n, "files wait")
		}
		if err := h.app.Intake.Sweep(t.Context(), time.Now().Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n := h.count("SELECT count(*) FROM import_file"); n != 1 { // the one that was submitted
			t.Error(n, "files left")
		}
	})
}
