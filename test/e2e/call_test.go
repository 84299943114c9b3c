package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// call takes a call, of which the service asks an address what to do.
func (w *twilio) call(out http.ResponseWriter, r *http.Request) {
	user, token, _ := r.BasicAuth()
	switch {
	case user != w.SID || token != w.Token || r.PathValue("sid") != w.SID:
		w.answer(out, http.StatusUnauthorized, map[string]any{"code": 20003, "message": "Authenticate", "status": 401})
		return
	case r.ParseForm() != nil || r.PostForm.Get("To") == "" || r.PostForm.Get("From") != "+12065550100" || r.PostForm.Get("Method") != http.MethodPost:
		w.answer(out, http.StatusBadRequest, map[string]any{"code": 21201, "message": "No 'To' number is specified", "status": 400})
		return
	}
	w.answer(out, http.StatusCreated, map[string]any{
		"sid": "CA" + strings.Repeat("0", 32), "account_sid": w.SID, "status": "queued", "to": r.PostForm.Get("To"), "from": r.PostForm.Get("From"),
		"direction": "outbound-api",
	})
	w.rang <- r.PostForm
}

// signed is the signature of a request by the rules that Twilio publishes, made here once more.
func signed(token, address string, form url.Values) string {
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	text := address
	for _, name := range names {
		text += name + form.Get(name)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

var next = regexp.MustCompile(`action="([^"]+)"`)

// A program outside sees the call at the gateway, brings the PIN, and the client that waits is in.
func TestPhoneCall(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		w := newSite(t, engine)
		must(t, w.admin, "/TenantConfig/SetTwilioConfig", object{"UseForVoice": true}, nil)
		must(t, w.admin, "/Core/SetTenantConfig", object{"key": "Authentication.Challenges", "value": "UP;PF"}, nil)
		login := w.person(t, "petra", object{"MobileNumber": "+14155550142"})
		must(t, w.admin, "/UserMgmt/SetPhonePin", object{"ID": login, "phonepin": "739164"}, nil)
		begun := w.proved(t, login)
		if m, err := begun.Mechanism(1, "PF"); err != nil || m.AnswerType != "StartOob" || m.PartialDeviceAddress != "" {
			t.Fatalf("%+v %v", m, err)
		}
		w.act(t, begun, 1, "PF", "StartOOB", nil, "OobPending")
		var call url.Values
		select {
		case call = <-w.twilio.rang:
		case <-time.After(20 * time.Second):
			t.Fatal("nobody is called")
		}
		if call.Get("To") != "+14155550142" {
			t.Fatal(call)
		}
		bring := func(address string, form url.Values) string {
			t.Helper()
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			service := *w.anyone
			a, err := service.Do(t.Context(), "POST", u.RequestURI(), map[string][]string{
				"Content-Type": {"application/x-www-form-urlencoded"}, "X-Twilio-Signature": {signed(w.twilio.Token, address, form)},
			}, []byte(form.Encode()))
			if err != nil || a.Status != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/xml") {
				t.Fatalf("%v %+v", err, a)
			}
			return string(a.Body)
		}
		script := bring(call.Get("Url"), url.Values{"CallSid": {"CA1"}, "CallStatus": {"in-progress"}})
		to := next.FindStringSubmatch(script)
		if to == nil || !strings.Contains(script, "PIN") {
			t.Fatal(script)
		}
		w.act(t, begun, 1, "PF", "Poll", "", "OobPending")
		if script = bring(strings.ReplaceAll(to[1], "&amp;", "&"), url.Values{"CallSid": {"CA1"}, "Digits": {"739164"}}); !strings.Contains(script, "Thank you") {
			t.Fatal(script)
		}
		w.entered(t, w.act(t, begun, 1, "PF", "Poll", "", "LoginSuccess"), login, "High")
	})
}
