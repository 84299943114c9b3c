package authentication_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/factor/duo"
	"limen/internal/core/factor/duo/duotest"
)

// atDuo is a sign-in of the administrator by the password and Duo.
type atDuo struct {
	t       *testing.T
	s       *apptest.Site
	srv     *duotest.Server
	session string
	ids     map[string]string // of mechanisms, by their names
}

type duoStep struct {
	Success   bool
	MessageID string
	Result    struct {
		SessionID, Summary, ThirdPartyMfaRequest, Auth string
		Challenges                                     []struct {
			Mechanisms []struct{ MechanismID, Name, AnswerType string }
		}
	}
}

func (d *atDuo) post(path string, in map[string]any) (out duoStep) {
	d.t.Helper()
	_, raw := d.s.Call(d.t, "", http.MethodPost, path, in)
	if err := json.Unmarshal(raw, &out); err != nil {
		d.t.Fatal(string(raw), err)
	}
	return out
}

func (d *atDuo) advance(name, do, answer string) duoStep {
	d.t.Helper()
	return d.post("/Security/AdvanceAuthentication", map[string]any{"SessionId": d.session, "MechanismId": d.ids[name], "Action": do, "Answer": answer})
}

func (d *atDuo) submit(text string) duoStep {
	d.t.Helper()
	return d.post("/Security/SubmitDuo", map[string]any{"SessionId": d.session, "signedResponse": text})
}

// begin opens a sign-in.
func (d atDuo) begin() *atDuo {
	d.t.Helper()
	d.ids = map[string]string{}
	out := d.post("/Security/StartAuthentication", map[string]any{"User": d.s.Admin.Name, "Version": "1.0"})
	d.session = out.Result.SessionID
	for _, round := range out.Result.Challenges {
		for _, m := range round.Mechanisms {
			d.ids[m.Name] = m.MechanismID
		}
	}
	return &d
}

// led opens one, shows the password, and gives what a browser brings back from Duo.
func (d atDuo) led() (*atDuo, url.Values) {
	d.t.Helper()
	out := d.begin()
	out.advance("UP", "Answer", apptest.Password)
	at := out.advance("DUO", "StartOOB", "")
	if at.Result.Summary != "OobPending" || at.Result.ThirdPartyMfaRequest == "" {
		d.t.Fatalf("%+v", at)
	}
	return out, d.srv.Visit(d.t, at.Result.ThirdPartyMfaRequest)
}

func withDuo(t *testing.T, s *apptest.Site) atDuo {
	t.Helper()
	s.Set(t, "Authentication.Challenges", "UP;DUO")
	return atDuo{t: t, s: s, srv: s.Duo(t)}
}

func eachDuo(t *testing.T, f func(d atDuo)) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) { f(withDuo(t, s.Tenant(t))) })
}

// A program's sign-in waits for Duo by polls, until what the browser brought back was handed in; it may be the answer itself as well.
func TestDuoFinishesSignIn(t *testing.T) {
	eachDuo(t, func(d atDuo) {
		one, back := d.led()
		if out := one.advance("DUO", "Poll", ""); out.Result.Summary != "OobPending" {
			d.t.Errorf("%+v", out)
		}
		if out := one.submit(back.Encode()); !out.Success {
			d.t.Fatalf("%+v %v", out, d.srv.Refused)
		}
		if out := one.advance("DUO", "Poll", ""); out.Result.Summary != "LoginSuccess" || out.Result.Auth == "" {
			d.t.Errorf("%+v", out)
		}
		two, back := d.led()
		if out := two.advance("DUO", "Answer", "https://"+d.s.Host+"/login/duo?"+back.Encode()); out.Result.Summary != "LoginSuccess" {
			d.t.Errorf("%+v", out)
		}
	})
}

// What is of another sign-in, was used, or is an answer to another mechanism, ends the sign-in and lets nobody in.
func TestDuoOfOthers(t *testing.T) {
	eachDuo(t, func(d atDuo) {
		refused := func(what string, x *atDuo, text string) {
			d.t.Helper()
			if out := x.submit(text); out.Success || out.MessageID != "login.failed" {
				d.t.Errorf("%s: %+v", what, out)
			}
		}
		one, back := d.led()
		two, _ := d.led()
		refused("the answer of another sign-in", two, back.Encode())
		if out := one.submit(back.Encode()); !out.Success {
			d.t.Fatalf("%+v", out)
		}
		refused("the same once more", one, back.Encode())
		three, back := d.led()
		back.Set("duo_code", "abcdefghijklmnopqrstuvwxyz0")
		refused("a code that Duo did not give", three, back.Encode())
		four, back := d.led()
		if out := four.submit("nothing of Duo's"); out.Success {
			d.t.Errorf("%+v", out)
		}
		if out := four.submit(back.Encode()); !out.Success { // what names no mechanism of the sign-in is about none
			d.t.Errorf("%+v", out)
		}
		five := d.begin()
		refused("the password by this way", five, url.Values{"duo_code": {apptest.Password}, "state": {five.ids["UP"] + ".abcdefghijklmnopqrstuvwxyz"}}.Encode())
	})
}

// Nobody is led to Duo who has not shown the password: whoever comes there in a name that is new to Duo enrols a device for it.
func TestDuoComesSecond(t *testing.T) {
	eachDuo(t, func(d atDuo) {
		x := d.begin()
		if out := x.advance("DUO", "StartOOB", ""); out.Result.Summary != "Failure" || out.Result.ThirdPartyMfaRequest != "" {
			d.t.Errorf("%+v", out)
		}
		_, raw := d.s.Call(d.t, d.s.TokenOf(d.t, "admin"), http.MethodPost, "/Core/SetTenantConfig", map[string]any{"key": "Authentication.Challenges", "value": "DUO;UP"})
		if !strings.Contains(string(raw), "may take DUO behind the first challenge only") {
			d.t.Error(string(raw))
		}
		_, raw = d.s.Call(d.t, d.s.TokenOf(d.t, "admin"), http.MethodPost, "/AuthProfile/SaveProfile", map[string]any{
			"settings": map[string]any{"Name": "Duo first", "Challenges": []string{"DUO,UP", "OATH"}, "DurationInMinutes": 0},
		})
		var made struct{ Result struct{ Uuid string } }
		if err := json.Unmarshal(raw, &made); err != nil || made.Result.Uuid == "" {
			d.t.Fatal(string(raw), err)
		}
		d.s.Set(d.t, "Authentication.Profile", made.Result.Uuid)
		if x := d.begin(); x.ids["DUO"] != "" || x.ids["UP"] == "" {
			d.t.Errorf("%+v", x.ids)
		}
	})
}

// Where Duo does not answer nobody is let in, the person may try again, and no wrong answer is counted.
func TestDuoUnreachable(t *testing.T) {
	eachDuo(t, func(d atDuo) {
		x := d.begin()
		x.advance("UP", "Answer", apptest.Password)
		d.srv.Down = true
		if out := x.advance("DUO", "StartOOB", ""); out.Success || out.MessageID != duo.ErrUnreachable.Code {
			d.t.Errorf("%+v", out)
		}
		d.srv.Down = false
		at := x.advance("DUO", "StartOOB", "")
		back := d.srv.Visit(d.t, at.Result.ThirdPartyMfaRequest)
		d.srv.Down = true
		if out := x.submit(back.Encode()); out.Success || out.MessageID != duo.ErrUnreachable.Code {
			d.t.Errorf("%+v", out)
		}
		d.srv.Down = false
		if out := x.submit(back.Encode()); !out.Success {
			d.t.Errorf("%+v", out)
		}
	})
}
