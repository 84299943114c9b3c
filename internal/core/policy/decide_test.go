package policy_test

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/network"
	"limen/internal/core/password"
	"limen/internal/core/policy"
	"limen/internal/core/throttle"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

func TestTheFirstSetThatAppliesWinsKeyByKey(t *testing.T) {
	each(t, func(w *world) {
		const digit = "/Core/Security/CDS/PasswordPolicy/RequireDigit"
		w.save("Everybody", everybody, values{least: 20, digit: false})
		w.save("Staff", w.staffs(), values{least: "24"})
		w.save("Off", policy.Link{Type: policy.Inactive, Params: []string{w.staff}}, values{least: 40})
		w.save("Devices", policy.Link{Type: policy.Collection, Params: []string{"x"}}, values{least: 41})
		r := w.rsop(w.anna.ID)
		n, _ := r.Int(least)
		d, given := r.Bool(digit)
		from, _ := r.Get(strings.ToUpper(least))
		if n != 24 || d || !given || from.Block != "/Policy/Staff" || from.Role != w.staff || from.Link != policy.Role {
			t.Fatal(n, d, from)
		}
		for _, id := range []string{w.admin.ID, ""} {
			if n, _ := w.rsop(id).Int(least); n != 20 {
				t.Error(id, n)
			}
		}
		pw := r.Password(password.Default)
		if pw.MinLength != 24 || pw.Digit || !pw.MixedCase || pw.MaxLength != 64 {
			t.Errorf("%+v", pw)
		}
		w.save("Lock", everybody, values{"/Core/Security/CDS/LockoutPolicy/Threshold": 4, "/Core/Security/CDS/LockoutPolicy/Duration": "5"})
		if l := w.rsop("").Limits(throttle.Limits{Lock: 10, Window: time.Hour}); l.Lock != 4 || l.LockFor != 5*time.Minute || l.Window != time.Hour {
			t.Errorf("%+v", l)
		}
	})
}

func yes(b bool) *bool { return &b }

func TestConditions(t *testing.T) {
	each(t, func(w *world) {
		w.p.Zone = func(context.Context, *call.Call) (*time.Location, error) { return time.FixedZone("X", 2*3600), nil }
		w.p.Ranges = func(_ context.Context, _ *call.Call, id string) (network.Set, bool, error) {
			corporate, err := network.Parse("10.0.0.0/8")
			return corporate, id == "", err
		}
		at := policy.Situation{ // a Sunday; in the people's zone already Monday
			IP: netip.MustParseAddr("10.1.2.3"), Time: time.Date(2026, 11, 22, 22, 30, 0, 0, time.UTC), Known: yes(true),
			OS: "Windows", Browser: "Firefox", Country: "DE", Risk: "Medium",
		}
		for _, x := range []struct {
			cond         policy.Condition
			here, nobody bool // in this situation; when nothing is known
		}{
			{policy.Condition{Prop: "IpAddress", Op: "OpInCorpIpRange"}, true, false},
			{policy.Condition{Prop: "IpAddress", Op: "OpNotInCorpIpRange"}, false, false},
			{policy.Condition{Prop: "IpAddress", Op: "OpInsideIpRange", Val: "gone"}, false, false},
			{policy.Condition{Prop: "IpAddress", Op: "OpInsideIpRange", Val: "10.1.0.0/16, ::1"}, true, false},
			{policy.Condition{Prop: "IpAddress", Op: "OpInsideIpRange", Val: "10.1.2.4"}, false, false},
			{policy.Condition{Prop: "IdentityCookie", Op: "OpExists"}, true, false},
			{policy.Condition{Prop: "IdentityCookie", Op: "OpNotExists"}, false, false},
			{policy.Condition{Prop: "DayOfWeek", Op: "OpIsDayOfWeek", Val: "U,0"}, true, false},
			{policy.Condition{Prop: "DayOfWeek", Op: "OpIsDayOfWeek", Val: "L,0"}, false, false},
			{policy.Condition{Prop: "DayOfWeek", Op: "OpIsDayOfWeek", Val: "L,1,2"}, true, false},
			{policy.Condition{Prop: "Date", Op: "OpLessThan", Val: "L,11/23/2026"}, false, false},
			{policy.Condition{Prop: "Date", Op: "OpLessThan", Val: "U,11/23/2026"}, true, false},
			{policy.Condition{Prop: "Date", Op: "OpGreaterThan", Val: "L,11/22/2026"}, true, false},
			{policy.Condition{Prop: "DateRange", Op: "OpBetween", Val: "L,11/23/2026,11/23/2026"}, true, false},
			{policy.Condition{Prop: "DateRange", Op: "OpBetween", Val: "L,12/01/2026,12/31/2026"}, false, false},
			{policy.Condition{Prop: "Time", Op: "OpBetween", Val: "U,08:00,22:30"}, true, false},
			{policy.Condition{Prop: "Time", Op: "OpBetween", Val: "L,08:00,22:30"}, false, false},
			{policy.Condition{Prop: "Time", Op: "OpBetween", Val: "L,22:00,06:00"}, true, false},
			{policy.Condition{Prop: "DeviceOs", Op: "OpEqual", Val: "windows"}, true, false},
			{policy.Condition{Prop: "DeviceOs", Op: "OpNotEqual", Val: "Mac"}, true, false},
			{policy.Condition{Prop: "Browser", Op: "OpNotEqual", Val: "Firefox"}, false, false},
			{policy.Condition{Prop: "CountryCode", Op: "OpEqual", Val: "DE"}, true, false},
			{policy.Condition{Prop: "Zso", Op: "OpIs"}, false, false},
			{policy.Condition{Prop: "Zso", Op: "OpIsNot"}, true, true},
			{policy.Condition{Prop: "RiskLevel", Op: "OpEqual", Val: "medium"}, true, false},
			{policy.Condition{Prop: "RiskLevel", Op: "OpEqual", Val: "High, Medium"}, true, false},
			{policy.Condition{Prop: "RiskLevel", Op: "OpEqual", Val: "Unknown"}, false, false},
			{policy.Condition{Prop: "RiskLevel", Op: "OpNotEqual", Val: "High"}, true, false},
			{policy.Condition{Prop: "RiskLevel", Op: "OpNotEqual", Val: "Medium"}, false, false},
			{policy.Condition{Prop: "RiskLevel", Op: "OpGreaterThan", Val: "Low"}, true, false},
			{policy.Condition{Prop: "RiskLevel", Op: "OpGreaterThan", Val: "Medium"}, false, false},
			{policy.Condition{Prop: "RiskLevel", Op: "OpLessThan", Val: "High"}, true, false},
			{policy.Condition{Prop: "RiskLevel", Op: "OpHeader", Val: "High"}, false, false},
			{policy.Condition{Prop: "ManagedDevice", Op: "OpEqual", Val: "High"}, false, false},
			{policy.Condition{Prop: "Browser", Op: "OpHeader", Val: "x"}, false, false},
		} {
			w.save("Rules", everybody, values{enabled: true, otherwise: w.weak, rulesKey: rule(policy.Never, x.cond)})
			for situation, want := range map[*policy.Situation]bool{&at: x.here, {}: x.nobody} {
				var e policy.Explained
				w.read(func(ctx context.Context, c *call.Call) (err error) {
					e, err = w.p.Explain(ctx, c, w.anna.ID, *situation)
					return err
				})
				if got := e.Verdict == policy.Refused; got != want || len(e.Tried) != 1 || e.Tried[0].Results[0].Why == "" || e.Able == want {
					t.Errorf("%+v at %+v: %+v", x.cond, *situation, e)
				}
			}
		}
	})
}

func TestSystemsAndBrowsers(t *testing.T) {
	for agent, want := range map[string]string{
		"": "/", "curl/8": "/Other",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0": "Windows/MicrosoftEdge",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605 Version/17.0 Mobile/15E148 Safari/604.1":        "iOS/Safari",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Mobile Safari/537.36":              "Android/Chrome",
		"Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0":                                                "Linux/Firefox",
		"Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko":                                                         "Windows/IE",
	} {
		if got := policy.System(agent) + "/" + policy.Browser(agent); got != want {
			t.Errorf("%s: %s, want %s", agent, got, want)
		}
	}
}

// Who asks for a sign-in gets what policy sets say, and is refused without being told.
func TestSignIn(t *testing.T) {
	each(t, func(w *world) {
		w.l.Set("Authentication.Challenges", "UP")
		w.save("Staff", w.staffs(), values{enabled: true, otherwise: w.strong, "/Core/Authentication/CookieSessionLifespanHours": 3})
		if got := w.profile(w.anna.ID); len(got.Challenges) != 2 || got.ID != w.strong || !got.RequireSecond || got.Life != 3*time.Hour || got.Refused != "" {
			t.Fatalf("%+v", got)
		}
		if got := w.profile(w.admin.ID); got.ID != "" || got.Life == 3*time.Hour {
			t.Fatalf("%+v", got)
		}
		if w.signsIn("anna") {
			t.Error("without the authenticator that the profile asks for")
		}
		w.save("Staff", w.staffs(), values{enabled: true, otherwise: w.strong, "/Core/Authentication/NoMfaMechLogin": "true"})
		if !w.signsIn("anna") {
			t.Error("who owns none of the factors is let in by NoMfaMechLogin")
		}
		w.save("Staff", w.staffs(), values{enabled: true, otherwise: policy.Never})
		if w.signsIn("anna") || !w.signsIn("root") {
			t.Error("the default profile is: not allowed")
		}
		w.save("Staff", w.staffs(), values{
			enabled: true, otherwise: policy.Never, rulesKey: rule(w.weak, policy.Condition{Prop: "IpAddress", Op: "OpInsideIpRange", Val: "192.0.2.0/24"}),
		})
		if !w.signsIn("anna") {
			t.Error("the rule lets in from this network")
		}
		w.l.Client.IP = netip.MustParseAddr("198.51.100.1")
		if w.signsIn("anna") {
			t.Error("the rule does not let in from that network")
		}
		w.save("Staff", w.staffs(), values{enabled: true, otherwise: policy.Always, "PasswordResetEnabled": false})
		if got := w.profile(w.anna.ID); len(got.Challenges) != 1 || len(got.Challenges[0]) != 1 || got.Challenges[0][0] != "UP" || len(got.Recovery) != 0 {
			t.Errorf("nothing is asked, which is the password all the same: %+v", got)
		}
	})
}

func (w *world) profile(id string) (p login.Profile) {
	w.Helper()
	w.read(func(ctx context.Context, c *call.Call) error {
		u, err := w.l.People.ByID(ctx, c, id)
		if err != nil {
			return err
		}
		p, err = w.p.Login(ctx, c, u, login.Profile{Challenges: [][]string{{"UP"}}, Recovery: [][]string{{"EMAIL"}}, Life: 12 * time.Hour})
		return err
	})
	return p
}

// signsIn says whether the password lets somebody in.
func (w *world) signsIn(local string) bool {
	w.Helper()
	ctx, c := w.Context(), w.l.Call()
	d, err := w.l.Logins.PrepareDirect(ctx, c, w.l.Name(local), logintest.Secret)
	if err != nil {
		w.Fatal(err)
	}
	var got login.Result
	err = w.l.Try(func(ctx context.Context, c *call.Call) (err error) {
		got, err = w.l.Logins.Direct(ctx, c, d)
		return err
	})
	if err != nil && got.Success != nil {
		w.Fatal(err)
	}
	return got.Success != nil
}

func TestSimulate(t *testing.T) {
	each(t, func(w *world) {
		in := w.wish("Staff", w.staffs(), values{enabled: true, otherwise: w.strong})
		w.read(func(ctx context.Context, c *call.Call) error {
			got, err := w.p.Simulate(ctx, c, in, []string{w.admin.ID, w.anna.ID, "gone"}, policy.Situation{})
			if err != nil {
				return err
			}
			if len(got) != 1 || got[0].Person != w.anna.ID || !got[0].Before.Able || got[0].After.Able || len(got[0].Settings) != 2 {
				t.Errorf("%+v", got)
			}
			return nil
		})
		if len(w.rsop(w.anna.ID).All()) != 0 {
			t.Error("it was saved")
		}
	})
}

// What one transaction wrote and gave up is not remembered.
func TestWhatIsRolledBackIsForgotten(t *testing.T) {
	each(t, func(w *world) {
		in := w.wish("Staff", w.staffs(), values{least: 30})
		w.refused(dbx.ErrNoRow, func(ctx context.Context, c *call.Call) error {
			if _, err := w.p.Save(ctx, c, in); err != nil {
				return err
			}
			r, err := w.p.For(ctx, c, w.anna.ID)
			if n, _ := r.Int(least); err != nil || n != 30 {
				t.Error("the transaction does not see what it wrote", n, err)
			}
			return dbx.ErrNoRow
		})
		if _, ok := w.rsop(w.anna.ID).Int(least); ok {
			t.Error("it is remembered")
		}
	})
}

// BenchmarkFor is what a resultant set costs while nothing changes.
func BenchmarkFor(b *testing.B) {
	db := dbxtest.Fresh(b, dbx.SQLite)
	l := logintest.New(b, db)
	p := &policy.Policies{DB: l.DB, Roles: l.Roles, Changes: l.Changes, Ring: l.Logins.Ring, Profiles: l.Profiles}
	p.Start()
	anna := l.Add("anna")
	l.Write(func(ctx context.Context, c *call.Call) error { return p.Make(ctx, c) })
	c := l.Call()
	err := c.Snapshot(b.Context(), func() error {
		for b.Loop() {
			if _, err := p.For(b.Context(), c, anna.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
