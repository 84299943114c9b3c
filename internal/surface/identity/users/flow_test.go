package users_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/surface/dev"
)

// client is a signed-in caller.
type client struct {
	t     *testing.T
	site  *apptest.Site
	token string
}

func (c client) do(method, path, kind string, body io.Reader) (*http.Response, []byte) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.site.URL+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = c.site.Host
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Authorization", "Bearer "+c.token)
	res, err := c.site.HTTP.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, b
}

type envelope struct {
	Success bool `json:"success"`
	Result  any
	Message string
}

func (c client) post(path, body string) envelope {
	c.t.Helper()
	_, b := c.do("POST", path, "application/json", strings.NewReader(body))
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil {
		c.t.Fatalf("%s: %s", path, b)
	}
	return e
}

// A picture is set and fetched by the path that the answer names; what was hidden behind its pixels is gone.
func TestPicture(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "plain")}
		var raw, body bytes.Buffer
		_ = png.Encode(&raw, image.NewGray(image.Rect(0, 0, 9, 5)))
		raw.WriteString("<script>hidden</script>")
		form := multipart.NewWriter(&body)
		part, _ := form.CreateFormFile("anything", "me.png")
		_, _ = part.Write(raw.Bytes())
		_ = form.Close()
		_, answer := c.do("POST", "/CDirectoryService/SetUserPicture?ID="+site.Plain.ID, form.FormDataContentType(), &body)
		var e envelope
		if err := json.Unmarshal(answer, &e); err != nil || !e.Success || e.Result != "/UserMgmt/GetUserPicture?id="+site.Plain.ID {
			t.Fatalf("%s", answer)
		}
		res, got := c.do("GET", e.Result.(string), "", nil)
		m, err := png.Decode(bytes.NewReader(got))
		if err != nil || m.Bounds().Dx() != 9 || res.Header.Get("Content-Type") != "image/png" || bytes.Contains(got, []byte("hidden")) {
			t.Fatal(res.Status, res.Header, err)
		}
		if c.post("/UserMgmt/GetUserAttributes", "").Result.(map[string]any)["PictureUri"] != e.Result {
			t.Error("the attributes do not name the picture")
		}
		other := s.Tenant(t)
		stranger := client{t, other, other.TokenOf(t, "admin")}
		if res, _ := stranger.do("GET", e.Result.(string), "", nil); res.StatusCode != http.StatusNotFound {
			t.Error("another tenant sees it:", res.Status)
		}
	})
}

// An invitation arrives by mail and by text message, says who it is for, and shows in the user's status.
func TestInvitationArrives(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		c := client{t, site, site.TokenOf(t, "admin")}
		address := "anna@" + site.Suffix
		e := c.post("/CDirectoryService/CreateUser", `{"Name":"`+address+`","Mail":"`+address+`","MobileNumber":"+1206555`+site.ID[3:]+`",
			"SendEmailInvite":true,"SendSmsInvite":"true"}`)
		if !e.Success {
			t.Fatal(e.Message)
		}
		for _, to := range []string{address, "+1206555" + site.ID[3:]} {
			var got []dev.Message
			for end := time.Now().Add(10 * time.Second); len(got) == 0 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				got = s.App.Tray.To(to)
			}
			if len(got) != 1 || got[0].Tenant != site.ID || !strings.Contains(got[0].Text, "http://"+site.Host+":8443/invitation?token=") {
				t.Fatalf("%s: %+v", to, got)
			}
		}
		info := c.post("/UserMgmt/GetUserInfo", `{"ID":"`+address+`"}`).Result.(map[string]any)
		if info["StatusEnum"] != "Invited" {
			t.Error(info)
		}
	})
}

// Whoever is locked, suspended, removed, or given another password is signed out at once, everywhere.
func TestSessionsEnd(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin := client{t, site, site.TokenOf(t, "admin")}
		for _, x := range []struct{ what, path, body string }{
			{"lock", "/CDirectoryService/SetUserState", `{"ID":"$","state":"Locked"}`},
			{"suspend", "/CDirectoryService/ChangeUserState", `{"uuid":"$","state":false}`},
			{"cloud", "/UserMgmt/SetCloudLock", `{"user":"$","lockUser":true}`},
			{"reset", "/UserMgmt/ResetUserPassword", `{"ID":"$","newPassword":"Purple-Staple-7-Wagon"}`},
			{"remove", "/UserMgmt/RemoveUser", `{"ID":"$"}`},
			{"expire", "/CDirectoryService/ChangeUser", `{"ID":"$","AccountExp":"/Date(1)/"}`},
		} {
			p := site.Person(t, x.what)
			c := client{t, site, site.SignedIn(t, p.ID)}
			if !c.post("/UserMgmt/GetUserInfo", "").Success {
				t.Fatal("not signed in")
			}
			if e := admin.post(x.path, strings.ReplaceAll(x.body, "$", p.ID)); !e.Success {
				t.Fatal(x.what, e.Message)
			}
			if res, _ := c.do("POST", "/UserMgmt/GetUserInfo", "application/json", nil); res.StatusCode != http.StatusUnauthorized {
				t.Error(x.what, res.Status)
			}
		}
	})
}

// Rights take effect at the next call, and so does their loss.
func TestRightsTakeEffect(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		admin := client{t, site, site.TokenOf(t, "admin")}
		plain := client{t, site, site.TokenOf(t, "plain")}
		for _, on := range []string{"false", "true", "false"} {
			if e := admin.post("/CDirectoryService/ChangeUser", `{"ID":"`+site.Plain.ID+`","InSysAdminRole":`+on+`}`); !e.Success {
				t.Fatal(e.Message)
			}
			if got := plain.post("/CDirectoryService/GetUsers", "").Success; got != (on == "true") {
				t.Errorf("system administrator %s: %v", on, got)
			}
		}
	})
}
