package sms_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"limen/internal/fault"
	"limen/internal/platform/sms"
)

// ring answers as Twilio documents for POST /2010-04-01/Accounts/{Sid}/Calls.json, and checks what Twilio checks: who calls, who is
// called, and that exactly one of Url, Twiml and ApplicationSid says what to do.
func (g *gateway) ring(w http.ResponseWriter, r *http.Request) {
	user, password, ok := r.BasicAuth()
	if !ok || user != sid && user != key || password != token || r.PathValue("sid") != sid {
		refuse(w, 401, 20003, "Authenticate")
		return
	}
	if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || r.ParseForm() != nil {
		refuse(w, 400, 20001, "Bad request")
		return
	}
	f := r.PostForm
	known := map[string]bool{"To": true, "From": true, "Url": true, "Method": true, "Twiml": true, "Timeout": true}
	says := 0
	for name := range f {
		if !known[name] {
			refuse(w, 400, 20001, "Unknown parameter "+name)
			return
		}
		if name == "Url" || name == "Twiml" {
			says++
		}
	}
	u, err := url.Parse(f.Get("Url"))
	switch {
	case f.Get("To") == "":
		refuse(w, 400, 21201, "No 'To' number is specified")
	case f.Get("From") == "":
		refuse(w, 400, 21213, "'From' phone number is required")
	case f.Get("From") != "+14155550100":
		refuse(w, 400, 21210, "'From' phone number not verified")
	case strings.HasPrefix(f.Get("To"), "+1500555"):
		refuse(w, 400, 21217, "Phone number does not appear to be valid")
	case says != 1 || f.Get("Url") != "" && (err != nil || u.Host == ""):
		refuse(w, 400, 21205, "Url is not a valid URL")
	default:
		g.forms = append(g.forms, f)
		id := "CA" + strings.Repeat("0", 31) + "1"
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{
			"sid": id, "account_sid": sid, "to": f.Get("To"), "from": f.Get("From"), "status": "queued", "direction": "outbound-api",
			"api_version": "2010-04-01", "answered_by": nil, "duration": nil, "price": nil, "price_unit": "USD",
			"uri": "/2010-04-01/Accounts/" + sid + "/Calls/" + id + ".json",
		})
	}
}

func TestCall(t *testing.T) {
	g := start(t)
	tw := &sms.Twilio{Base: g.URL}
	r, err := tw.Call(t.Context(), account(), sms.Call{To: "+4915112345678", URL: "https://id.acme.test/x?id=1"})
	if err != nil || r.SID != "CA"+strings.Repeat("0", 31)+"1" || r.Status != "queued" {
		t.Fatalf("%+v %v", r, err)
	}
	want := url.Values{"To": {"+4915112345678"}, "From": {"+14155550100"}, "Url": {"https://id.acme.test/x?id=1"}, "Method": {"POST"}, "Timeout": {"45"}}
	if g.forms[0].Encode() != want.Encode() {
		t.Errorf("form: %v", g.forms[0])
	}
	if _, err := tw.Call(t.Context(), account(), sms.Call{To: "+4915112345678", Script: "<Response/>"}); err != nil || g.forms[1].Get("Twiml") != "<Response/>" {
		t.Error(g.forms, err)
	}
	for name, x := range map[string]struct {
		change func(*sms.Account)
		call   sms.Call
		want   *fault.Error
	}{
		"nobody":          {func(*sms.Account) {}, sms.Call{URL: "https://x.test/"}, sms.ErrMessage},
		"national":        {func(*sms.Account) {}, sms.Call{To: "0151", URL: "https://x.test/"}, sms.ErrMessage},
		"plain HTTP":      {func(*sms.Account) {}, sms.Call{To: "+4915112345678", URL: "http://x.test/"}, sms.ErrMessage},
		"nothing to say":  {func(*sms.Account) {}, sms.Call{To: "+4915112345678"}, sms.ErrMessage},
		"too much to say": {func(*sms.Account) {}, sms.Call{To: "+4915112345678", Script: strings.Repeat("x", 4001)}, sms.ErrMessage},
		"a service":       {func(a *sms.Account) { a.From, a.Service = "", service }, sms.Call{To: "+4915112345678", URL: "https://x.test/"}, sms.ErrAccount},
		"a short code":    {func(a *sms.Account) { a.From = "12345" }, sms.Call{To: "+4915112345678", URL: "https://x.test/"}, sms.ErrAccount},
		"another number":  {func(a *sms.Account) { a.From = "+14155550199" }, sms.Call{To: "+4915112345678", URL: "https://x.test/"}, sms.ErrSettings},
		"another token":   {func(a *sms.Account) { a.Token = "x" }, sms.Call{To: "+4915112345678", URL: "https://x.test/"}, sms.ErrSettings},
		"no such number":  {func(*sms.Account) {}, sms.Call{To: "+15005550001", URL: "https://x.test/"}, sms.ErrRefused},
	} {
		a := account()
		x.change(&a)
		if _, err := tw.Call(t.Context(), a, x.call); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(g.forms) != 2 {
		t.Error("more calls were made")
	}
}
