package oauth_test

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"testing"

	"limen/internal/call"
	"limen/internal/core/oauth"
)

// next says what is next for Anna, who has passed some mechanisms.
func (w *world) next(query, level string, settled, again bool, passed ...string) (oauth.Next, string) {
	var out oauth.Next
	err := w.in(func(ctx context.Context) error {
		r, err := w.s.Request(ctx, w.c, "web", oauth.Presented{Params: params(query), Settled: settled})
		if err != nil {
			return err
		}
		out, err = w.s.Next(ctx, w.c, r, &oauth.SignedIn{Person: w.people[anna], Session: "s1", Level: level, Proved: w.c.Now, Passed: passed}, again)
		return err
	})
	return out, code(err)
}

func TestAssurance(t *testing.T) {
	each(t, func(w *world) {
		essential := "&claims=" + url.QueryEscape(`{"id_token":{"acr":{"essential":true,"values":["High"]}}}`)
		unknown := "&claims=" + url.QueryEscape(`{"id_token":{"acr":{"essential":true,"value":"gold"}}}`)
		for name, x := range map[string]struct {
			more, level string
			settled     bool
			want        oauth.Next
			err         string
		}{
			"nothing wanted":           {"", "Normal", false, oauth.Answer, ""},
			"High wanted":              {"&acr_values=High", "Normal", false, oauth.Raise, ""},
			"and reached":              {"&acr_values=High", "High", false, oauth.Answer, ""},
			"and done without":         {"&acr_values=High", "Normal", true, oauth.Answer, ""},
			"an unknown one wanted":    {"&acr_values=gold", "Normal", false, oauth.Answer, ""},
			"High needed":              {essential, "Normal", false, oauth.Raise, ""},
			"needed, and done without": {essential, "Normal", true, oauth.Answer, "oauth.unmet_authentication_requirements"},
			"needed, nobody asked":     {essential + "&prompt=none", "Normal", false, oauth.Answer, "oauth.unmet_authentication_requirements"},
			"needed and reached":       {essential, "High", false, oauth.Answer, ""},
			"an unknown one needed":    {unknown, "High", false, oauth.Answer, "oauth.unmet_authentication_requirements"},
		} {
			if got, err := w.next(ask+challenge()+x.more, x.level, x.settled, false); got != x.want || err != x.err {
				w.t.Errorf("%s: %q %s", name, got, err)
			}
		}
	})
}

func TestRules(t *testing.T) {
	each(t, func(w *world) {
		w.change(func(a *oauth.App) { a.Ruled = true })
		if _, err := w.next(ask+challenge(), "High", false, false, "UP", "OATH"); err != "oauth.access_denied" {
			w.t.Error("rules that nobody decides:", err)
		}
		d := oauth.Demand{Rounds: [][]string{{"UP"}, {"OATH", "U2F"}}}
		w.s.Rules = func(context.Context, *call.Call, oauth.App, string) (oauth.Demand, error) { return d, nil }
		for name, x := range map[string]struct {
			settled bool
			passed  []string
			want    oauth.Next
			err     string
		}{
			"not enough":       {false, []string{"UP"}, oauth.Raise, ""},
			"of another kind":  {false, []string{"UP", "SMS"}, oauth.Raise, ""},
			"done without":     {true, []string{"UP"}, oauth.Answer, "oauth.unmet_authentication_requirements"},
			"all that it asks": {false, []string{"UP", "OATH"}, oauth.Answer, ""},
		} {
			if got, err := w.next(ask+challenge(), "Normal", x.settled, false, x.passed...); got != x.want || err != x.err {
				w.t.Errorf("%s: %q %s", name, got, err)
			}
		}
		d = oauth.Demand{Refused: true}
		if _, err := w.next(ask+challenge(), "High", false, false, "UP", "OATH"); err != "oauth.access_denied" {
			w.t.Error("refused by a rule:", err)
		}
	})
}

func TestHintedPerson(t *testing.T) {
	each(t, func(w *world) {
		hint := "&id_token_hint=" + w.tokens().ID
		if got, err := w.next(ask+challenge()+hint, "Normal", false, false); got != oauth.Answer || err != "" {
			w.t.Errorf("%q %s", got, err)
		}
		was := w.people[anna]
		other := was
		other.ID = machine
		w.people[anna] = other
		if got, err := w.next(ask+challenge()+hint, "Normal", false, false); got != oauth.SignIn || err != "" {
			w.t.Errorf("somebody else: %q %s", got, err)
		}
		for _, more := range []string{"&prompt=none", ""} {
			if _, err := w.next(ask+challenge()+hint+more, "Normal", false, more == ""); err != "oauth.login_required" {
				w.t.Errorf("somebody else, who cannot be asked: %s", err)
			}
		}
		w.people[anna] = was
		if _, err := w.next(ask+challenge()+"&id_token_hint=x", "Normal", false, false); err != "oauth.invalid_request" {
			w.t.Error("a hint that is none:", err)
		}
	})
}

// A level of authenticators is one of what has been shown, whatever the session's own level: two things that one knows are one factor.
func TestAuthenticatorLevels(t *testing.T) {
	each(t, func(w *world) {
		w.s.Ways = []string{"UP", "OATH", "SQ"}
		if got := w.s.Levels(); !slices.Equal(got, []string{"aal2", "aal1", "High", "Normal"}) {
			w.t.Error("levels", got)
		}
		needed := func(level string) string {
			return "&claims=" + url.QueryEscape(`{"id_token":{"acr":{"essential":true,"value":"`+level+`"}}}`)
		}
		const unmet = "oauth.unmet_authentication_requirements"
		for name, x := range map[string]struct {
			more   string
			passed []string
			want   oauth.Next
			err    string
		}{
			"two wanted":                     {"&acr_values=aal2", []string{"UP"}, oauth.Raise, ""},
			"two known things":               {"&acr_values=aal2", []string{"UP", "SQ"}, oauth.Raise, ""},
			"two factors":                    {"&acr_values=aal2", []string{"UP", "OATH"}, oauth.Answer, ""},
			"one wanted":                     {"&acr_values=aal1", []string{"UP"}, oauth.Answer, ""},
			"a key, of which there are none": {"&acr_values=aal3", []string{"UP"}, oauth.Answer, ""},
			"one that is not, then two":      {"&acr_values=gold+aal2", []string{"UP"}, oauth.Raise, ""},
			"two needed":                     {needed("aal2"), []string{"UP"}, oauth.Raise, ""},
			"two needed, and there":          {needed("aal2"), []string{"UP", "OATH"}, oauth.Answer, ""},
			"a key needed":                   {needed("aal3"), []string{"UP", "OATH"}, oauth.Answer, unmet},
			"no such level needed":           {needed("aal4"), []string{"UP", "OATH"}, oauth.Answer, unmet},
		} {
			if got, err := w.next(ask+challenge()+x.more, "High", false, false, x.passed...); got != x.want || err != x.err {
				w.t.Errorf("%s: %q %s", name, got, err)
			}
		}
		if err := w.in(func(ctx context.Context) error {
			r, err := w.s.Request(ctx, w.c, "web", oauth.Presented{Params: params(ask + challenge() + "&acr_values=aal2")})
			if err != nil {
				return err
			}
			got, err := w.s.Steps(ctx, w.c, r, oauth.SignedIn{Person: w.people[anna], Level: "High", Passed: []string{"UP"}})
			if len(got) != 1 || !slices.Equal(got[0], []string{"OATH"}) {
				w.t.Error("what raises to two factors:", got)
			}
			return err
		}); err != nil {
			w.t.Error(err)
		}
	})
}

// What an authenticator says of itself is not passed on as if it were known: a security key, whose maker nobody has shown, is no aal3.
func TestSecurityKeyIsNoHardwareByItsOwnWord(t *testing.T) {
	each(t, func(w *world) {
		w.s.Ways = []string{"UP", "OATH", "U2F", "U2FONDEVICE", "PASSKEY"}
		if got := w.s.Levels(); !slices.Equal(got, []string{"aal2", "aal1", "High", "Normal"}) {
			w.t.Error("levels", got)
		}
		needed := "&claims=" + url.QueryEscape(`{"id_token":{"acr":{"essential":true,"value":"aal3"}}}`)
		for _, passed := range [][]string{{"UP", "U2F"}, {"UP", "U2F", "PASSKEY"}} {
			if _, err := w.next(ask+challenge()+needed, "High", false, false, passed...); err != "oauth.unmet_authentication_requirements" {
				w.t.Errorf("%v: %q", passed, err)
			}
			if got, err := w.next(ask+challenge()+"&acr_values=aal2", "High", false, false, passed...); got != oauth.Answer || err != "" {
				w.t.Errorf("%v: %q %q", passed, got, err)
			}
		}
	})
}

// Rules are asked again at a refresh, about where and how the person signed in and not about where the client is. What they refuse
// uses nothing up.
func TestRulesAtRefresh(t *testing.T) {
	each(t, func(w *world) {
		person := netip.MustParseAddr("203.0.113.7")
		var d oauth.Demand
		var from netip.Addr
		w.s.Rules = func(_ context.Context, c *call.Call, _ oauth.App, _ string) (oauth.Demand, error) {
			from = c.Client.IP
			return d, nil
		}
		w.change(func(a *oauth.App) { a.Ruled = true })
		w.c.Client.IP, w.c.Client.UserAgent = person, "Browser"
		token := w.tokens().Refresh
		w.c.Client.IP, w.c.Client.UserAgent = netip.MustParseAddr("198.51.100.1"), "Server"
		again := func() error {
			g, err := w.token("web", "", "grant_type=refresh_token&client_id=client-1&refresh_token="+token, "")
			if err == nil {
				token = g.Refresh
			}
			return err
		}
		for _, x := range []struct {
			name   string
			demand oauth.Demand
			want   string
		}{
			{"nothing asked", oauth.Demand{}, ""},
			{"refused", oauth.Demand{Refused: true}, oauth.ErrDenied.Code},
			{"refused for a reason", oauth.Demand{Refused: true, Reason: "Not today."}, oauth.ErrDenied.Code},
			{"a strong session, as theirs was", oauth.Demand{Strong: true}, ""},
			{"a further factor", oauth.Demand{Rounds: [][]string{{"OATH"}}}, oauth.ErrGrant.Code},
			{"refused no more", oauth.Demand{}, ""},
		} {
			from, d = netip.Addr{}, x.demand
			w.c.Event = &call.Event{}
			err := again()
			if code(err) != x.want {
				w.t.Errorf("%s: %v", x.name, err)
			}
			if _, kept := errors.AsType[*oauth.ReplayError](err); kept != (x.want != "") || from != person {
				w.t.Errorf("%s: kept %v, judged from %v", x.name, kept, from)
			}
			if x.want != "" && (w.c.Event.User != anna || w.c.Event.Kind != "Application") {
				w.t.Errorf("%s: %+v", x.name, w.c.Event)
			}
		}
	})
}
