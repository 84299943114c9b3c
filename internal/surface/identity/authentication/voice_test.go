package authentication_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/wire/twilio"
)

const voiceToken = "token-of-the-account"

// voice is a tenant whose people are called, by a service that this test plays.
type voice struct {
	t     *testing.T
	site  *apptest.Site
	who   apptest.Person
	calls int
}

func called(t *testing.T, s *apptest.Server) *voice { return calledAt(t, s.Tenant(t)) }

func calledAt(t *testing.T, site *apptest.Site) *voice {
	v := &voice{t: t, site: site, who: site.Person(t, "anna")}
	for _, x := range [][2]string{
		{"Twilio.AccountSid", "AC0123456789abcdef0123456789abcdef"}, {"Twilio.AuthToken", voiceToken}, {"Twilio.FromNumber", "+12065550100"},
		{"Twilio.UseForVoice", "true"}, {"Twilio.Enabled", "true"}, {"Authentication.Challenges", "UP;PF"}, {"Lockout.Factor.Free", "20"},
	} {
		site.Set(t, x[0], x[1])
	}
	site.Settle(t, v.who.ID, "", "")
	mobile := "+12065550199"
	site.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
		_, err := site.App.People.Change(ctx, c, v.who.ID, user.Change{Mobile: &mobile})
		return err
	})
	return v
}

// signIn begins a sign-in and has the person called; it gives the conversation, its mechanism, and the address that the service asks.
func (v *voice) signIn() (session, mechanism, address string) {
	v.t.Helper()
	var begun struct{ Result challenge }
	v.post("/Security/StartAuthentication", map[string]any{"User": v.who.Name, "Version": "1.0"}, &begun)
	b := begun.Result
	if got := v.act(b.SessionID, b.mechanism("UP"), "Answer", apptest.Password); got != "StartNextChallenge" {
		v.t.Fatal(got)
	}
	m := b.mechanism("PF")
	if m == "" {
		v.t.Fatalf("no call is offered: %+v", b)
	}
	if got := v.act(b.SessionID, m, "StartOOB", ""); got != "OobPending" {
		v.t.Fatal(got)
	}
	v.calls++
	return b.SessionID, m, v.rung(v.calls)
}

// rung waits for the nth call.
func (v *voice) rung(n int) string {
	v.t.Helper()
	for range 200 {
		var all []string
		for _, m := range v.site.App.Tray.To("+12065550199") {
			if m.Tenant == v.site.ID && m.Channel == "call" {
				all = append(all, m.Text)
			}
		}
		if len(all) >= n {
			return all[len(all)-n] // the last one stands first
		}
		time.Sleep(25 * time.Millisecond)
	}
	v.t.Fatal("nobody is called")
	return ""
}

var action = regexp.MustCompile(`action="([^"]+)"`)

// keys brings keys to an address, as the service does, and gives what it is told.
func (v *voice) keys(address, digits string) (script, next string) {
	v.t.Helper()
	form := url.Values{"CallSid": {"CA0123456789abcdef0123456789abcdef"}, "AccountSid": {"AC0123456789abcdef0123456789abcdef"}, "CallStatus": {"in-progress"}}
	if digits != "" {
		form.Set("Digits", digits)
	}
	code, script := v.bring(address, form.Encode(), twilio.Sign(voiceToken, address, form))
	if code != http.StatusOK || !strings.Contains(script, "<Response>") {
		v.t.Fatal(code, script)
	}
	if m := action.FindStringSubmatch(script); m != nil {
		next = strings.ReplaceAll(m[1], "&amp;", "&")
	}
	return script, next
}

func (v *voice) bring(address, body, signature string) (int, string) {
	v.t.Helper()
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" {
		v.t.Fatal(address, err)
	}
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.site.URL+u.EscapedPath()+"?"+u.RawQuery, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Host = u.Host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	if signature != "" {
		r.Header.Set(twilio.SignatureHeader, signature)
	}
	return v.do(r)
}

// A call lets the client that waits go on, once whoever was called has pressed the key.
func TestCall(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		v := called(t, s)
		session, m, address := v.signIn()
		script, next := v.keys(address, "")
		if !strings.Contains(script, "press 1") || !strings.Contains(next, "/Security/VoiceResponse?") {
			t.Fatal(script)
		}
		if got := v.act(session, m, "Poll", ""); got != "OobPending" {
			t.Fatal(got)
		}
		if script, _ := v.keys(next, "1"); !strings.Contains(script, "Thank you") {
			t.Fatal(script)
		}
		if got := v.act(session, m, "Poll", ""); got != "LoginSuccess" {
			t.Fatal(got)
		}
		if script, next := v.keys(address, "1"); next != "" || !strings.Contains(script, "This call is over") {
			t.Error("a call is answered twice", script)
		}
		session, m, address = v.signIn()
		if script, _ := v.keys(address, "9"); !strings.Contains(script, "over") {
			t.Error(script)
		}
		if got := v.act(session, m, "Poll", ""); got == "OobPending" || got == "LoginSuccess" {
			t.Error("a call was refused, and the sign-in goes on:", got)
		}
	})
}

// Whoever has a PIN is let in by nothing else; the third wrong one ends the sign-in.
func TestCallWithPIN(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		v := called(t, s)
		v.pin("739164")
		session, m, address := v.signIn()
		script, next := v.keys(address, "")
		if !strings.Contains(script, "PIN") || !strings.Contains(next, "/Security/VoicePinResponse?") {
			t.Fatal(script)
		}
		if script, _ := v.keys(address, "1"); strings.Contains(script, "Thank you") { // by the way of those without a PIN
			t.Fatal("a key stands in for the PIN")
		}
		_, next = v.keys(address, "")
		if script, _ := v.keys(next, "739164"); !strings.Contains(script, "Thank you") {
			t.Fatal(script)
		}
		if got := v.act(session, m, "Poll", ""); got != "LoginSuccess" {
			t.Fatal(got)
		}
		session, m, next = v.signIn()
		for i := range 3 {
			if next == "" {
				t.Fatal("the call ended after", i)
			}
			_, next = v.keys(next, "111111")
		}
		if next != "" {
			t.Error("a fourth PIN is asked for")
		}
		if got := v.act(session, m, "Poll", ""); got == "OobPending" || got == "LoginSuccess" {
			t.Error(got)
		}
	})
}

// PINs that are tried in one sign-in after the other fall under the limit of the account.
func TestCallPINIsNotGuessedAcrossSignIns(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		v := called(t, s)
		v.pin("739164")
		v.site.Set(t, "Lockout.Factor.Threshold", "5")
		looked := 0
		for range 4 {
			_, _, next := v.signIn()
			for range 2 {
				if script, again := v.keys(next, "111111"); strings.Contains(script, "not right") {
					looked++
					next = again
				}
			}
		}
		if looked > 5 {
			t.Errorf("%d PINs were looked at", looked)
		}
		session, m, next := v.signIn()
		v.keys(next, "739164")
		if got := v.act(session, m, "Poll", ""); got == "LoginSuccess" {
			t.Error("the right PIN passes a locked account")
		}
	})
}

// What is not signed with the tenant's token, or says something else than was signed, is nothing that the service said.
func TestUnsignedCallbacks(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		v := called(t, s)
		session, m, address := v.signIn()
		form := url.Values{"Digits": {"1"}, "CallSid": {"CA1"}}
		good := twilio.Sign(voiceToken, address, form)
		for name, x := range map[string][2]string{
			"no signature":     {form.Encode(), ""},
			"another token":    {form.Encode(), twilio.Sign("another", address, form)},
			"another body":     {form.Encode() + "&x=1", good},
			"the first one's":  {form.Encode(), twilio.Sign(voiceToken, address, url.Values{"CallSid": {"CA1"}})},
			"another address":  {form.Encode(), twilio.Sign(voiceToken, address+"0", form)},
			"keys in the form": {"Digits=1&Digits=2", good},
		} {
			if _, script := v.bring(address, x[0], x[1]); strings.Contains(script, "<Response>") {
				t.Error(name, script)
			}
			if got := v.act(session, m, "Poll", ""); got != "OobPending" {
				t.Fatal(name, got)
			}
		}
		other := s.Tenant(t) // whose account is another one
		if _, script := v.bring(strings.Replace(address, v.site.Host, other.Host, 1), form.Encode(), good); strings.Contains(script, "<Response>") {
			t.Error("another tenant", script)
		}
		// A link of a call approves nothing by itself.
		u, _ := url.Parse(address)
		id, _, _ := strings.Cut(u.Query().Get("id"), ".")
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, v.site.URL+"/Security/AnswerOOBChallenge", strings.NewReader("answer="+url.QueryEscape(id)))
		r.Host = v.site.Host
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if code, _ := v.do(r); code != http.StatusNotFound {
			t.Error("a call is answered as a mail is:", code)
		}
		if got := v.act(session, m, "Answer", u.Query().Get("id")+"/1"); got == "LoginSuccess" {
			t.Error("a call is answered by typing")
		}
	})
}

// What the service said once has no effect when it is said again.
func TestReplayedCallbacks(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		v := called(t, s)
		v.pin("739164")
		session, m, first := v.signIn()
		_, second := v.keys(first, "111111")
		for range 5 {
			if script, next := v.keys(first, "111111"); next != second || strings.Contains(script, "not right") {
				t.Fatal("a repeated wrong PIN counts again", script)
			}
		}
		if got := v.act(session, m, "Poll", ""); got != "OobPending" {
			t.Fatal(got)
		}
		v.keys(second, "739164")
		if got := v.act(session, m, "Poll", ""); got != "LoginSuccess" {
			t.Fatal(got)
		}
		session, m, _ = v.signIn()
		if script, _ := v.keys(second, "739164"); !strings.Contains(script, "over") {
			t.Error(script)
		}
		if got := v.act(session, m, "Poll", ""); got != "OobPending" {
			t.Error("the PIN of an earlier call answers the next one:", got)
		}
	})
}

func (v *voice) pin(pin string) {
	v.t.Helper()
	hash, err := v.site.App.PINs.Hash(v.t.Context(), pin)
	if err != nil {
		v.t.Fatal(err)
	}
	v.site.Do(v.t, audit.FactorChange, func(ctx context.Context, c *call.Call) error { return v.site.App.PINs.Set(ctx, c, v.who.ID, hash) })
}

type challenge struct {
	SessionID  string `json:"SessionId"`
	Challenges []struct {
		Mechanisms []struct{ Name, MechanismID, AnswerType, PartialPhoneNumber string }
	}
	Summary string
}

func (c challenge) mechanism(name string) string {
	for _, one := range c.Challenges {
		for _, m := range one.Mechanisms {
			if m.Name == name {
				return m.MechanismID
			}
		}
	}
	return ""
}

// act does something with a mechanism, and gives the summary; empty after a failure.
func (v *voice) act(session, mechanism, action, answer string) string {
	v.t.Helper()
	var out struct{ Result *challenge }
	in := map[string]any{"SessionId": session, "MechanismId": mechanism, "Action": action}
	if answer != "" {
		in["Answer"] = answer
	}
	v.post("/Security/AdvanceAuthentication", in, &out)
	if out.Result == nil {
		return ""
	}
	return out.Result.Summary
}

func (v *voice) post(path string, in, out any) {
	v.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		v.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.site.URL+path, bytes.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	r.Host = v.site.Host
	r.Header.Set("Content-Type", "application/json")
	if _, text := v.do(r); json.Unmarshal([]byte(text), out) != nil {
		v.t.Fatal(text)
	}
}

func (v *voice) do(r *http.Request) (int, string) {
	v.t.Helper()
	res, err := v.site.HTTP.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// ringing has somebody called, for exchanges: {{address}} is what the service asks, and {{begins}} and {{pressed}} sign its requests.
func ringing(t *testing.T, s *apptest.Site, name string) map[string]string {
	if name != "VoiceResponse" && name != "VoicePinResponse" {
		return nil
	}
	v := calledAt(t, s)
	keys := "1"
	if name == "VoicePinResponse" {
		keys = "739164"
		v.pin(keys)
	}
	_, _, address := v.signIn()
	address = strings.Replace(address, "/Security/VoiceResponse", "/Security/"+name, 1)
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	unknown := "https://" + u.Host + "/Security/" + name + "?id=unknown.1&round=0"
	return map[string]string{
		"address": u.EscapedPath() + "?" + u.RawQuery, "begins": twilio.Sign(voiceToken, address, url.Values{"CallSid": {"CA1"}}),
		"pressed": twilio.Sign(voiceToken, address, url.Values{"CallSid": {"CA1"}, "Digits": {keys}}),
		"wrong":   twilio.Sign(voiceToken, address, url.Values{"CallSid": {"CA1"}, "Digits": {"5"}}),
		"unknown": twilio.Sign(voiceToken, unknown, url.Values{"CallSid": {"CA1"}}), "at": u.Host, "keys": keys,
	}
}
