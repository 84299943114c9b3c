package sms_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/fault"
	"limen/internal/platform/sms"
)

const (
	sid     = "AC0123456789abcdef0123456789abcdef"
	key     = "SK0123456789abcdef0123456789abcdef"
	service = "MG0123456789abcdef0123456789abcdef"
	token   = "the auth token"
)

// gateway answers as Twilio documents for POST /2010-04-01/Accounts/{Sid}/Messages.json: 201 with the Message resource,
// or the error object of code, message, more_info and status. It checks what Twilio checks, in Twilio's order.
type gateway struct {
	*httptest.Server
	forms []url.Values // accepted
	next  http.HandlerFunc
}

func start(t *testing.T) *gateway {
	g := &gateway{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Messages.json", g.create)
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Calls.json", g.ring)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, 404, 20404, "The requested resource "+r.URL.Path+" was not found")
	})
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func refuse(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"code": code, "message": message, "more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), "status": status,
	})
}

func (g *gateway) create(w http.ResponseWriter, r *http.Request) {
	if g.next != nil {
		g.next(w, r)
		return
	}
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
	number := regexp.MustCompile(`^\+[1-9]\d{6,14}$`)
	switch {
	case f.Get("To") == "":
		refuse(w, 400, 21604, "A 'To' phone number is required.")
	case f.Get("From") == "" && f.Get("MessagingServiceSid") == "":
		refuse(w, 400, 21603, "A 'From' phone number is required.")
	case f.Get("Body") == "":
		refuse(w, 400, 21602, "Message body is required.")
	case !number.MatchString(f.Get("To")) || strings.HasPrefix(f.Get("To"), "+1500555"):
		refuse(w, 400, 21211, "The 'To' number "+f.Get("To")+" is not a valid phone number.")
	default:
		g.forms = append(g.forms, f)
		created(w, f)
	}
}

func created(w http.ResponseWriter, f url.Values) {
	id := "SM" + strings.Repeat("0", 31) + "1"
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	status, segments := "queued", "1"
	if f.Get("MessagingServiceSid") != "" {
		status, segments = "accepted", "0"
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"account_sid": sid, "api_version": "2010-04-01", "body": f.Get("Body"),
		"date_created": "Sat, 21 Nov 2026 20:57:44 +0000", "date_sent": nil, "date_updated": "Sat, 21 Nov 2026 20:57:44 +0000",
		"direction": "outbound-api", "error_code": nil, "error_message": nil, "from": null(f.Get("From")),
		"messaging_service_sid": null(f.Get("MessagingServiceSid")), "num_media": "0", "num_segments": segments,
		"price": nil, "price_unit": nil, "sid": id, "status": status,
		"subresource_uris": map[string]string{"media": "/2010-04-01/Accounts/" + sid + "/Messages/" + id + "/Media.json"},
		"to":               f.Get("To"), "uri": "/2010-04-01/Accounts/" + sid + "/Messages/" + id + ".json",
	})
}

func account() sms.Account { return sms.Account{SID: sid, Token: token, From: "+14155550100"} }

func code() sms.Message {
	return sms.Message{To: "+4915112345678", Body: "Your code is 123456", Lasts: 10 * time.Minute}
}

func TestSend(t *testing.T) {
	g := start(t)
	tw := &sms.Twilio{Base: g.URL + "/"}
	r, err := tw.Send(t.Context(), account(), code())
	if err != nil {
		t.Fatal(err)
	}
	if r.SID != "SM"+strings.Repeat("0", 31)+"1" || r.Status != "queued" || r.Segments != 1 {
		t.Errorf("%+v", r)
	}
	want := url.Values{"To": {"+4915112345678"}, "From": {"+14155550100"}, "Body": {"Your code is 123456"}, "ValidityPeriod": {"600"}}
	if g.forms[0].Encode() != want.Encode() {
		t.Errorf("form: %v", g.forms[0])
	}
	byService := sms.Account{SID: sid, Key: key, Token: token, Service: service}
	long := sms.Message{To: "+4915112345678", Body: "コード 123456", Lasts: 100 * time.Hour}
	if r, err = tw.Send(t.Context(), byService, long); err != nil || r.Status != "accepted" || r.Segments != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	want = url.Values{"To": {"+4915112345678"}, "MessagingServiceSid": {service}, "Body": {"コード 123456"}, "ValidityPeriod": {"36000"}}
	if g.forms[1].Encode() != want.Encode() {
		t.Errorf("form: %v", g.forms[1])
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		name         string
		status, code int
		retryAfter   string
		class        sms.Class
		want         *fault.Error
		after        int
	}{
		{"invalid To", 400, 21211, "", sms.Permanent, sms.ErrRefused, 0},
		{"unsubscribed", 400, 21610, "", sms.Permanent, sms.ErrRefused, 0},
		{"not mobile", 400, 21614, "", sms.Permanent, sms.ErrRefused, 0},
		{"a code nobody knows yet", 400, 29999, "", sms.Permanent, sms.ErrRefused, 0},
		{"wrong token", 401, 20003, "", sms.Settings, sms.ErrSettings, 0},
		{"region not enabled", 400, 21408, "", sms.Settings, sms.ErrSettings, 0},
		{"sender is not theirs", 400, 21660, "", sms.Settings, sms.ErrSettings, 0},
		{"no such account", 404, 20404, "", sms.Settings, sms.ErrSettings, 0},
		{"too many requests", 429, 20429, "17", sms.Temporary, sms.ErrTemporary, 17},
		{"until a date", 503, 20500, "Sat, 21 Nov 2026 21:00:00 GMT", sms.Temporary, sms.ErrTemporary, 60},
		{"absurd wait", 429, 20429, "999999999", sms.Temporary, sms.ErrTemporary, 86400},
		{"queue full", 400, 21611, "", sms.Temporary, sms.ErrTemporary, 0},
		{"broken", 500, 20500, "", sms.Temporary, sms.ErrTemporary, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := start(t)
			g.next = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", "Sat, 21 Nov 2026 20:59:00 GMT")
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				refuse(w, tt.status, tt.code, "Twilio's\nown words")
			}
			_, err := (&sms.Twilio{Base: g.URL}).Send(t.Context(), account(), code())
			f, ok := errors.AsType[*sms.Failure](err)
			if !ok || !errors.Is(err, tt.want) || f.Class != tt.class || f.Code != tt.code || f.Status != tt.status ||
				f.Retry() != (tt.class == sms.Temporary) {
				t.Fatalf("%v: %+v", err, f)
			}
			e := fault.Of(err)
			if e.After != tt.after || f.After != time.Duration(tt.after)*time.Second {
				t.Errorf("after %d, %s", e.After, f.After)
			}
			if want := fmt.Sprintf("error %d, Twilio's own words", tt.code); !strings.HasSuffix(e.Public, want) {
				t.Errorf("public: %q", e.Public)
			}
			if strings.Contains(err.Error()+e.Public, token) {
				t.Error("the token is in the error")
			}
		})
	}
}

func TestOddAnswers(t *testing.T) {
	var elsewhere int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	tests := map[string]struct {
		next  http.HandlerFunc
		class sms.Class
	}{
		"HTML error page":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502); _, _ = w.Write([]byte("<html>")) }, sms.Temporary},
		"success that is not": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>Welcome")) }, sms.Temporary},
		"redirect":            {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, 307) }, sms.Settings},
		"slow": {func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(time.Second):
			}
		}, sms.Temporary},
		"failed at once": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(201)
			_, _ = w.Write([]byte(`{"sid":"SM1","status":"failed","error_code":30006,"error_message":"Landline"}`))
		}, sms.Permanent},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(400)
			for range 100 {
				_, _ = w.Write([]byte(strings.Repeat(" ", 10000)))
			}
		}, sms.Permanent},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			g := start(t)
			g.next = tt.next
			_, err := (&sms.Twilio{Base: g.URL, Timeout: 300 * time.Millisecond}).Send(t.Context(), account(), code())
			if f, ok := errors.AsType[*sms.Failure](err); !ok || f.Class != tt.class {
				t.Fatalf("%v", err)
			}
		})
	}
	if elsewhere != 0 {
		t.Error("the credentials went elsewhere")
	}
}

func TestRefusedInput(t *testing.T) {
	g := start(t)
	accounts := map[string]func(*sms.Account){
		"SID":     func(a *sms.Account) { a.SID = "AC1" },
		"path":    func(a *sms.Account) { a.SID = "../../Accounts/" + sid },
		"token":   func(a *sms.Account) { a.Token = "" },
		"key":     func(a *sms.Account) { a.Key = "x" },
		"sender":  func(a *sms.Account) { a.From = "" },
		"number":  func(a *sms.Account) { a.From = "0151 / 123456789" },
		"service": func(a *sms.Account) { a.Service = "AC0123456789abcdef0123456789abcdef" },
	}
	for name, change := range accounts {
		a := account()
		change(&a)
		if _, err := (&sms.Twilio{Base: g.URL}).Send(t.Context(), a, code()); !errors.Is(err, sms.ErrAccount) || fault.Of(err).Field == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, m := range map[string]sms.Message{
		"no number": {Body: "x"}, "national": {To: "015112345678", Body: "x"}, "no text": {To: "+4915112345678"},
		"five segments": {To: "+4915112345678", Body: strings.Repeat("x", 4*153+1)},
		"not UTF-8":     {To: "+4915112345678", Body: "\xff"},
	} {
		if _, err := (&sms.Twilio{Base: g.URL}).Send(t.Context(), account(), m); !errors.Is(err, sms.ErrMessage) || fault.Of(err).Field == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, base := range []string{"http://api.example.org", "ftp://x", "://", "https://user:pw@api.example.org", "/2010"} {
		if _, err := (&sms.Twilio{Base: base}).Send(t.Context(), account(), code()); !errors.Is(err, sms.ErrAccount) {
			t.Errorf("%s: %v", base, err)
		}
	}
	if len(g.forms) != 0 {
		t.Error("something was sent")
	}
}

func TestNobodyThere(t *testing.T) {
	g := start(t)
	g.Close()
	_, err := (&sms.Twilio{Base: g.URL}).Send(t.Context(), account(), code())
	if f, ok := errors.AsType[*sms.Failure](err); !ok || !f.Retry() || !errors.Is(err, sms.ErrTemporary) {
		t.Fatal(err)
	}
}
