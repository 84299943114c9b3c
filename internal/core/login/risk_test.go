package login_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	factorpassword "limen/internal/core/factor/password"
	"limen/internal/core/login"
	"limen/internal/core/login/logintest"
	"limen/internal/core/profile"
	"limen/internal/core/risk"
	"limen/internal/core/session"
	"limen/internal/core/user"
)

// rated is a world in which sign-ins are rated, and from Medium on refused.
func rated(t *testing.T, f func(w talk)) {
	each(t, func(w talk) {
		w.only("UP")
		w.Logins.Risks = &risk.Risks{Settings: w.Settings, Throttle: w.Throttle}
		w.Logins.Profile = func(_ context.Context, _ *call.Call, _ user.User, base login.Profile) (login.Profile, error) {
			if base.Risk == risk.Medium || base.Risk == risk.High {
				base.Challenges = [][]string{{"EMAIL"}, {"UP"}}
			}
			return base, nil
		}
		f(w)
	})
}

// on makes the world's client a device that keeps its cookie.
func (w talk) on(device string) {
	w.Client.Device = ""
	if device != "" {
		w.Client.Device = "device-of-somebody-" + device
	}
}

// settle makes the device one on which somebody has signed in: the first sign-in there gives the cookie.
func (w talk) settle(name string) {
	w.Helper()
	w.on("")
	w.Client.Device = w.expect(w.signIn(name, logintest.Secret), login.Succeeded).Success.Device
}

// seen are level and names of reasons of the last sign-in, as its event has them.
func (w talk) seen() string {
	e := w.Events[0]
	var names []string
	for why := range strings.SplitSeq(fmt.Sprint(e.Fields["RiskReasons"]), "; ") {
		name, _, _ := strings.Cut(why, ":")
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Sprint(e.Fields["RiskLevel"], " ", strings.Join(names, ","))
}

func (w talk) rating(name, want string) {
	w.Helper()
	w.expect(w.signIn(name, logintest.Secret), login.Succeeded)
	if got := w.seen(); got != want {
		w.Fatalf("%s, want %s", got, want)
	}
}

func (w talk) first(name string) string {
	w.Helper()
	p := w.start(name)
	return p.Challenges[0][0].Name
}

// guess answers wrongly what is asked first.
func (w talk) guess(name string) {
	w.Helper()
	p := w.start(name)
	w.do(p.Session, answer(p.Challenges[0][0], "wrong"))
}

// Whoever clears the cookies is on a new device, and on a known one again after signing in.
func TestWhoClearsCookiesIsOnANewDevice(t *testing.T) {
	rated(t, func(w talk) {
		anna := w.Add("anna")
		w.settle(anna.Name)
		w.rating(anna.Name, "Normal <nil>")
		w.on("")
		w.rating(anna.Name, "Low NewDevice")
		if e := w.Events[0]; e.Fields["RiskScore"] != 20 || e.Fields[login.BasisField].(map[string]any)["Risk"] != "Low" {
			t.Fatalf("%+v", e.Fields)
		}
		w.on("planted")
		w.rating(anna.Name, "Low NewDevice")
		w.Set("Risk.NewDevice", "0")
		w.rating(anna.Name, "Normal <nil>")
	})
}

// What strangers do elsewhere says nothing of a device on which the person has signed in: nothing else is asked there, and they get in.
func TestStrangersFailuresDoNotRaiseTheRiskOfAKnownDevice(t *testing.T) {
	rated(t, func(w talk) {
		anna := w.Add("anna")
		w.settle(anna.Name)
		own := w.Client
		for i := range 40 {
			w.Client = call.Client{IP: netip.MustParseAddr(fmt.Sprintf("203.0.113.%d", i)), UserAgent: "stranger"}
			w.guess(anna.Name)
			w.Client.IP = own.IP // in the person's own network, too
			w.guess(w.Name(fmt.Sprintf("n%d", i)))
		}
		if got := w.first(anna.Name); got != "EMAIL" {
			t.Fatal("a stranger is asked for", got)
		}
		w.Client = own
		if got := w.first(anna.Name); got != "UP" {
			t.Fatal("the person is asked for", got)
		}
		w.rating(anna.Name, "Normal <nil>")
		w.Set("Risk.Failures", "2")
		w.guess(anna.Name) // on the device itself they count
		w.guess(anna.Name)
		w.rating(anna.Name, "Low AccountFailures")
	})
}

// Names that exist are not told from others by what a rating changes: failures count by the name as typed, and are forgotten alike.
func TestRiskTellsNoNames(t *testing.T) {
	rated(t, func(w talk) {
		anna := w.Add("anna")
		w.on("stranger")
		w.Set("Risk.Failures", "3")
		for i, name := range []string{anna.Name, w.Name("nobody")} {
			w.Client.IP = netip.MustParseAddr(fmt.Sprintf("192.0.2.%d", 100+i))
			got := ""
			for range 6 {
				got += w.first(name) + " "
				w.Now = w.Now.Add(time.Minute)
				w.guess(name)
			}
			if got != "UP UP UP EMAIL EMAIL EMAIL " {
				t.Error(name, got)
			}
		}
	})
}

// One address that tries many names is found, whichever it tries next.
func TestFailuresOfANetwork(t *testing.T) {
	rated(t, func(w talk) {
		anna := w.Add("anna")
		for i := range 20 {
			w.guess(w.Name(fmt.Sprintf("n%d", i)))
		}
		if got := w.first(anna.Name); got != "EMAIL" {
			t.Fatal(got)
		}
		w.Client.IP = netip.MustParseAddr("198.51.100.1")
		w.rating(anna.Name, "Low NewDevice")
	})
}

var places = map[string]risk.Place{"192.0.2.10": {Latitude: 52.5, Longitude: 13.4}, "198.51.100.1": {Latitude: 40.7, Longitude: -74, Radius: 50}, "198.51.100.2": {Latitude: 52.4, Longitude: 13.1}}

func TestImpossibleTravel(t *testing.T) {
	rated(t, func(w talk) {
		w.only("UP")
		w.Logins.Profile = nil
		var broken error
		w.Logins.Risks.Place = func(ip netip.Addr) (risk.Place, bool, error) {
			at, known := places[ip.String()]
			return at, known, broken
		}
		anna := w.Add("anna")
		w.settle(anna.Name)
		from := func(ip string, after time.Duration, want string) {
			t.Helper()
			w.Client.IP = netip.MustParseAddr(ip)
			w.Now = w.Now.Add(after)
			w.rating(anna.Name, want)
		}
		from("198.51.100.2", time.Minute, "Normal <nil>") // 20 km away
		from("198.51.100.1", time.Hour, "Medium ImpossibleTravel")
		if why := w.Events[0].Fields["RiskReasons"].(string); !strings.Contains(why, "1h0m0s ago, 63") {
			t.Error(why)
		}
		from("198.51.100.1", time.Minute, "Normal <nil>")
		from("192.0.2.10", 9*time.Hour, "Normal <nil>")
		from("10.1.2.3", time.Minute, "Normal <nil>") // nobody knows where that is
		from("198.51.100.1", time.Minute, "Normal <nil>")
		broken = risk.ErrMissing
		from("192.0.2.10", time.Minute, "Unknown <nil>")
		if e := w.Events[0]; e.Fields["RiskMissing"] != "ImpossibleTravel" {
			t.Errorf("%+v", e.Fields)
		}
		w.Set("Risk.MediumFrom", "200") // what is missing cannot lift the level
		w.Set("Risk.LowFrom", "100")
		from("198.51.100.1", time.Minute, "Normal <nil>")
	})
}

// A right password that has leaked lifts the risk at once, and policies are asked anew: what they want then is asked for besides, and where they let
// nobody in the right password is refused as a wrong one is.
func TestALeakedPasswordAsksForMoreAtOnce(t *testing.T) {
	rated(t, func(w talk) {
		anna := w.Add("anna")
		strong := w.Use(profile.Profile{Name: "Strong"}, "UP,OATH", "EMAIL,UP")
		w.Set("Authentication.Profile", "")
		refuse := false
		w.Logins.Profile = func(_ context.Context, _ *call.Call, _ user.User, base login.Profile) (login.Profile, error) {
			if base.Risk != risk.Normal && base.Risk != risk.Low {
				if base = base.With(strong); refuse {
					base.Refused = "the risk"
				}
			}
			return base, nil
		}
		found, broken := true, error(nil)
		w.leaks(func(plain string) (bool, error) { return found && plain == logintest.Secret, broken })
		p := w.start(anna.Name)
		got := w.expect(w.do(p.Session, answer(w.pick(&p, 0, "UP"), logintest.Secret)), login.NewPackage)
		mail := w.pick(got.Package, 0, "EMAIL")
		if len(got.Package.Challenges) != 1 || len(got.Package.Challenges[0]) != 1 {
			t.Fatalf("%+v", got.Package)
		}
		w.do(p.Session, start(mail))
		got = w.expect(w.do(p.Session, answer(mail, w.Sent[len(w.Sent)-1].Code)), login.Succeeded)
		if w.seen() != "Medium LeakedPassword,NewDevice" || got.Success.Session.Level != session.High {
			t.Error(w.seen(), got.Success.Session.Level)
		}
		w.expect(w.signIn(anna.Name, "wrong"), login.Failed)
		if strings.Contains(w.seen(), "LeakedPassword") {
			t.Error("a wrong password was looked up")
		}
		if _, err := w.direct(anna.Name); !errors.Is(err, login.ErrFailed) {
			t.Error("a password alone lets in:", err)
		}
		refuse = true
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Failed)
		if e := w.Events[0]; e.Fields["FailReason"] != "the risk" {
			t.Errorf("%+v", e.Fields)
		}
		refuse, found = false, false
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
		broken = errors.New("gone")
		w.expect(w.signIn(anna.Name, logintest.Secret), login.NewPackage) // Unknown
		w.Set("Risk.LeakedPassword", "0")
		w.expect(w.signIn(anna.Name, logintest.Secret), login.Succeeded)
	})
}

// leaks has passwords looked up.
func (w talk) leaks(has func(string) (bool, error)) {
	for i, m := range w.Logins.Mechanisms {
		if m.Name() == factor.Password {
			w.Logins.Mechanisms[i] = factorpassword.Mechanism{Passwords: w.Passwords, Leaked: has}
		}
	}
}

func (w talk) direct(name string) (out login.Result, err error) {
	w.Helper()
	d, err := w.Logins.PrepareDirect(w.Context(), w.Call(), name, logintest.Secret)
	if err != nil {
		w.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) error { out, err = w.Logins.Direct(ctx, c, d); return nil })
	return out, err
}

func TestNetworksOfIllRepute(t *testing.T) {
	rated(t, func(w talk) {
		anna := w.Add("anna")
		var broken error
		w.Logins.Risks.Listed = func(ip netip.Addr) (string, error) {
			if ip.String() == "198.51.100.1" {
				return "drop.txt", nil
			}
			return "", broken
		}
		w.settle(anna.Name)
		w.Client.IP = netip.MustParseAddr("198.51.100.1")
		w.rating(anna.Name, "Low BadNetwork")
		w.Client.IP = netip.MustParseAddr("192.0.2.10")
		w.rating(anna.Name, "Normal <nil>")
		broken = risk.ErrMissing
		w.rating(anna.Name, "Unknown <nil>")
	})
}
