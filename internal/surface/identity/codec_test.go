package identity

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/session"
	"limen/internal/fault"
	"limen/internal/op"
)

func TestCredentials(t *testing.T) {
	cookie := func(h map[string]string, cookies ...string) *http.Request {
		r := httptest.NewRequest("POST", "/x", nil)
		for k, v := range h {
			r.Header.Set(k, v)
		}
		for _, c := range cookies {
			r.Header.Add("Cookie", c)
		}
		return r
	}
	get := httptest.NewRequest("GET", "/x", nil)
	get.Header.Set("Cookie", ".ASPXAUTH=AB")
	get.Header.Set("Sec-Fetch-Site", "none")
	for _, c := range []struct {
		name string
		r    *http.Request
		want op.Credentials
	}{
		{"none", cookie(nil), op.Credentials{}},
		{"bearer", cookie(map[string]string{"Authorization": "Bearer AB"}), op.Credentials{Token: "AB"}},
		{"bearer in lower case", cookie(map[string]string{"Authorization": "bearer AB"}), op.Credentials{Token: "AB"}},
		{"bearer wins", cookie(map[string]string{"Authorization": "Bearer AB"}, ".ASPXAUTH=CD"), op.Credentials{Token: "AB"}},
		{"bare cookie", cookie(nil, ".ASPXAUTH=AB"), op.Credentials{Token: "AB", Cookie: true, Forged: true}},
		{"native", cookie(map[string]string{"X-IDAP-NATIVE-CLIENT": "YES"}, ".ASPXAUTH=AB"), op.Credentials{Token: "AB", Cookie: true}},
		{"older native", cookie(map[string]string{"X-CENTRIFY-NATIVE-CLIENT": "Web"}, ".ASPXAUTH=AB"), op.Credentials{Token: "AB", Cookie: true}},
		{"not native", cookie(map[string]string{"X-IDAP-NATIVE-CLIENT": "false"}, ".ASPXAUTH=AB"), op.Credentials{Token: "AB", Cookie: true, Forged: true}},
		{"anti-forgery value", cookie(map[string]string{"X-Antixss": "zz"}, ".ASPXAUTH=AB; antixss=zz"), op.Credentials{Token: "AB", Cookie: true}},
		{"wrong anti-forgery value", cookie(map[string]string{"X-Antixss": "zy"}, ".ASPXAUTH=AB; antixss=zz"), op.Credentials{Token: "AB", Cookie: true, Forged: true}},
		{"empty anti-forgery value", cookie(map[string]string{"X-Antixss": ""}, ".ASPXAUTH=AB; antixss="), op.Credentials{Token: "AB", Cookie: true, Forged: true}},
		{"same origin", cookie(map[string]string{"Sec-Fetch-Site": "same-origin"}, ".ASPXAUTH=AB"), op.Credentials{Token: "AB", Cookie: true}},
		{"another site", cookie(map[string]string{"Sec-Fetch-Site": "cross-site"}, ".ASPXAUTH=AB"), op.Credentials{Token: "AB", Cookie: true, Forged: true}},
		{"a form without a site", cookie(map[string]string{"Sec-Fetch-Site": "none"}, ".ASPXAUTH=AB"), op.Credentials{Token: "AB", Cookie: true, Forged: true}},
		{"address bar", get, op.Credentials{Token: "AB", Cookie: true}},
	} {
		if got := (Codec{}).Credentials(c.r); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestFaultsKeepStatus200UnlessClientsNeedAnother(t *testing.T) {
	for _, c := range []struct {
		f      *fault.Error
		bound  int
		status int
		part   string
	}{
		{fault.New(fault.NotFound, "user.not_found", "No."), 1, 200, `{"success":false,"Result":null,"Message":"No.","MessageID":"user.not_found","Exception":null,"ErrorID":"id:1","ErrorCode":null,"IsSoftError":false,"InnerExceptions":null}`},
		{fault.New(fault.Exists, "role.name_taken", "Taken."), 1, 200, `"ErrorCode":"1409"`},
		{fault.Missing("Name"), 1, 200, `"Message":"Parameter \"Name\" must be specified."`},
		{fault.Missing("Name"), 0, 200, `"Message":"Unexpected null arguments passed to the server."`},
		{op.ErrSignIn, 0, 401, `"error_message":"You do not have access`},
		{op.ErrDenied, 0, 200, `"You are not authorized to perform this operation. Please contact your IT helpdesk."`},
		{op.ErrLimited.RetryAfter(3), 0, 429, `request.limited`},
		{fault.ErrNoPath, 0, 404, `path.unknown`},
		{fault.ErrTooLarge, 0, 413, `request.too_large`},
		{fault.ErrInternal, 0, 500, `"MessageID":"internal"`},
	} {
		w := httptest.NewRecorder()
		Codec{}.Fault(w, &op.Request{Bound: c.bound}, &op.Call{ID: "id:1"}, c.f, nil)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.part) {
			t.Errorf("%s: %d %s, want %d %s", c.f.Code, w.Code, w.Body, c.status, c.part)
		}
		if c.f.After > 0 && w.Header().Get("Retry-After") != "3" {
			t.Error("no Retry-After")
		}
	}
}

func TestUploads(t *testing.T) {
	type in struct {
		ID   string    `json:"ID"`
		File op.Upload `json:"-" form:"*"`
	}
	var b bytes.Buffer
	mw := multipart.NewWriter(&b)
	_ = mw.WriteField("id", "u1")
	p, _ := mw.CreateFormFile("Whatever", `C:\pictures\me.png`)
	_, _ = p.Write([]byte("PNG"))
	_ = mw.Close()
	r := httptest.NewRequest("POST", "/x", nil)
	r.Header.Set("Content-Type", mw.FormDataContentType())
	var got in
	req := &op.Request{HTTP: r, Body: b.Bytes()}
	if err := (Codec{}).Decode(req, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "u1" || got.File.Name != "me.png" || string(got.File.Body) != "PNG" || req.Bound != 1 {
		t.Errorf("%+v, %d bound", got, req.Bound)
	}
}

func FuzzUploads(f *testing.F) {
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n--x--\r\n"))
	f.Add("multipart/form-data; boundary=x", []byte("--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\nv\r\n--x--\r\n"))
	f.Fuzz(func(_ *testing.T, contentType string, body []byte) {
		var in struct {
			File op.Upload `json:"-" form:"Icon"`
		}
		_, _ = uploads(contentType, body, &in)
	})
}

func TestMethods(t *testing.T) {
	read := &op.Op{Spec: op.Spec{Method: "POST", Effect: op.Read}}
	write := &op.Op{Spec: op.Spec{Method: "POST", Effect: op.Write}}
	if got := (Codec{}).Methods(read); !strings.Contains(strings.Join(got, " "), "GET") {
		t.Error("reads answer GET", got)
	}
	if got := (Codec{}).Methods(write); strings.Contains(strings.Join(got, " "), "GET") {
		t.Error("a link must not change anything", got)
	}
}

// People with a browser are led to the page on which they sign in; programs get 401.
func TestNavigationsAreLedToTheLogin(t *testing.T) {
	for _, x := range []struct {
		method string
		head   map[string]string
		status int
	}{
		{"GET", map[string]string{"Sec-Fetch-Mode": "navigate", "Accept": "text/html,*/*;q=0.8"}, http.StatusFound},
		{"GET", map[string]string{"Sec-Fetch-Mode": "cors", "Accept": "text/html"}, http.StatusUnauthorized},
		{"GET", map[string]string{"Accept": "text/html"}, http.StatusUnauthorized},
		{"GET", map[string]string{"Sec-Fetch-Mode": "navigate", "Accept": "application/json"}, http.StatusUnauthorized},
		{"GET", map[string]string{"Sec-Fetch-Mode": "navigate", "Accept": "text/html", "X-Idap-Native-Client": "1"}, http.StatusUnauthorized},
		{"GET", map[string]string{"Sec-Fetch-Mode": "navigate", "Accept": "text/html", "Authorization": "Bearer x"}, http.StatusUnauthorized},
		{"POST", map[string]string{"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}, http.StatusUnauthorized},
	} {
		r, w := httptest.NewRequest(x.method, "/Area/Read?a=b&c=d", nil), httptest.NewRecorder()
		for name, v := range x.head {
			r.Header.Set(name, v)
		}
		Codec{}.Fault(w, &op.Request{HTTP: r}, &op.Call{}, op.ErrSignIn, nil)
		if w.Code != x.status {
			t.Errorf("%s %v: %d", x.method, x.head, w.Code)
		}
		if to := w.Header().Get("Location"); x.status == http.StatusFound && to != "/login?cloudRedirect=%2FArea%2FRead%3Fa%3Db%26c%3Dd" {
			t.Errorf("it leads to %s", to)
		}
	}
}

// People who opened a link to an operation read a page where it fails, and programs what they always get.
func TestNavigationsAreTold(t *testing.T) {
	k := Codec{Tell: func(w http.ResponseWriter, _ *op.Request, _ *op.Call, f *fault.Error) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte(f.Public))
	}}
	for mode, want := range map[string]int{"navigate": http.StatusTeapot, "cors": http.StatusOK, "": http.StatusOK} {
		r, w := httptest.NewRequest(http.MethodGet, "/UPRest/HandleAppClick", nil), httptest.NewRecorder()
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-Fetch-Mode", mode)
		k.Fault(w, &op.Request{HTTP: r, Bound: 1}, &op.Call{}, fault.ErrInvalid, nil)
		if w.Code != want {
			t.Errorf("%q: %d %s", mode, w.Code, w.Body)
		}
	}
}

// Whoever is refused is told where it stands who gives tokens (RFC 9728 section 5.1), and that the token which they sent is none.
func TestRefusalsTellWhoGivesTokens(t *testing.T) {
	const about = `resource_metadata="https://id.acme.test:8443/.well-known/oauth-protected-resource"`
	for authorization, want := range map[string]string{
		"": "Bearer " + about, "Bearer x": `Bearer error="invalid_token", ` + about, "Basic eDp5": "Bearer " + about,
	} {
		for host, want := range map[string]string{"id.acme.test:8443": want, "": strings.TrimSuffix(strings.TrimSuffix(want, about), ", ")} {
			r, w := httptest.NewRequest(http.MethodPost, "/Area/Read", nil), httptest.NewRecorder()
			r.Header.Set("Authorization", authorization)
			c := &op.Call{}
			c.Tenant.Host = host
			Codec{}.Fault(w, &op.Request{HTTP: r}, c, op.ErrSignIn, nil)
			if got := w.Header().Get("WWW-Authenticate"); got != strings.TrimSpace(want) {
				t.Errorf("%q at %q is answered with %q, want %q", authorization, host, got, want)
			}
		}
	}
}

// Who calls with an access token of a sign-in that is too old is told how a client gets one that will do (RFC 9470 section 3); sessions get
// the envelope as ever.
func TestStaleTokensAreToldHowToGetAnother(t *testing.T) {
	stale := session.ErrStale.Because(session.MaxAge(15 * time.Minute))
	for means, want := range map[call.Means]string{
		call.ByOAuth:   `Bearer error="insufficient_user_authentication", error_description="A more recent authentication is required", max_age="900"`,
		call.BySession: "",
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/CDirectoryService/ChangeUser", nil)
		Codec{}.Fault(w, &op.Request{HTTP: r}, &op.Call{Caller: &call.Caller{Means: means}}, stale, nil)
		if got := w.Header().Get("WWW-Authenticate"); got != want || (w.Code == http.StatusUnauthorized) != (want != "") {
			t.Errorf("%d %q", w.Code, got)
		}
	}
}
