package portal_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
	"limen/internal/core/session"
	"limen/internal/dbx"
)

type client struct {
	t     *testing.T
	site  *apptest.Site
	token string
}

type answer struct {
	Success   bool            `json:"success"`
	MessageID string          `json:"MessageID"`
	Result    json.RawMessage `json:"Result"`
}

func (c client) send(path, kind string, body io.Reader) (out answer) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, c.site.URL+path, body)
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
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		c.t.Fatal(path, res.StatusCode, err)
	}
	return out
}

func (c client) post(path, body string) answer {
	c.t.Helper()
	return c.send(path, "application/json", strings.NewReader(body))
}

// text posts, wants success, and gives a result that is a text.
func (c client) text(path, body string) (out string) {
	c.t.Helper()
	a := c.post(path, body)
	if !a.Success || json.Unmarshal(a.Result, &out) != nil {
		c.t.Fatalf("%s: %+v %s", path, a, a.Result)
	}
	return out
}

func as(t *testing.T, site *apptest.Site, userID string) client {
	return client{t, site, site.SignedIn(t, userID)}
}

// names are the names of the applications on the caller's portal.
func (c client) names() string {
	c.t.Helper()
	var data struct{ Apps []struct{ Name string } }
	if a := c.post("/UPRest/GetUPData", "{}"); !a.Success || json.Unmarshal(a.Result, &data) != nil {
		c.t.Fatalf("%+v", a)
	}
	var out []string
	for _, a := range data.Apps {
		out = append(out, a.Name)
	}
	return strings.Join(out, " ")
}

// bookmark makes an application that opens, and gives it.
func bookmark(t *testing.T, site *apptest.Site, name string, given ...acl.Given) (id string) {
	t.Helper()
	site.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := site.App.Apps.Create(ctx, c, "Generic User-Password")
		if err != nil {
			return err
		}
		id = it.ID
		_, err = site.App.Apps.Update(ctx, c, id, app.Change{Members: map[string]any{"Name": name, "Url": "https://" + strings.ToLower(name) + ".example.com"}})
		if err != nil || len(given) == 0 {
			return err
		}
		return site.App.Apps.Permit(ctx, c, id, given...)
	})
	return id
}

const shown = acl.View | app.Execute | app.Automatic

// Applications come and go with roles and windows, and with what administrators hide.
func TestPortalFollowsAccess(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		me, now := as(t, site, site.Plain.ID), time.Now()
		mine := func(mask acl.Mask) acl.Given {
			return acl.Given{Kind: role.User, Principal: site.Plain.ID, Mask: mask}
		}
		later := mine(shown)
		later.Since = now.Add(time.Hour)
		bookmark(t, site, "Later", later)
		bookmark(t, site, "Unseen", mine(app.Execute|app.Automatic))
		bookmark(t, site, "Nobodys")
		bookmark(t, site, "Optional", mine(acl.View|app.Execute))
		everybody := bookmark(t, site, "Everybody", acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: shown})
		hidden := bookmark(t, site, "Hidden", mine(shown))
		bookmark(t, site, "Mine", mine(shown))
		if got := me.names(); got != "Everybody Hidden Mine" {
			t.Error(got)
		}
		site.Do(t, audit.AppChange, func(ctx context.Context, c *call.Call) error {
			_, err := site.App.Apps.Update(ctx, c, hidden, app.Change{Members: map[string]any{"ShowInUP": false}})
			return err
		})
		site.Do(t, audit.AppPermissions, func(ctx context.Context, c *call.Call) error {
			return site.App.Apps.Permit(ctx, c, everybody, acl.Given{Kind: role.Sub, Principal: role.Everybody})
		})
		if got := me.names(); got != "Mine" {
			t.Error(got)
		}
		if got := as(t, site, site.Admin.ID).names(); got != "" {
			t.Error("an administrator who was given nothing has", got)
		}
	})
}

// A session that was stolen does not become all passwords: they are shown only shortly after a proof.
func TestSecretsNeedAProof(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		me := as(t, site, site.Plain.ID)
		item := me.text("/UPRest/AddSecuredItem", `{"Name":"Router","SecuredItemType":"Password","Password":"Quiet-Otter-9"}`)
		own := me.text("/UPRest/AddPersonalApplication", `{"appName":"Shop","Password":"Quiet-Otter-9"}`)
		old := me
		site.Do(t, audit.Login, func(ctx context.Context, k *call.Call) (err error) {
			then := *k
			then.Now = k.Now.Add(-16 * time.Minute)
			old.token, _, err = site.App.Sessions.Create(ctx, &then, session.New{User: site.Plain.ID, Idle: time.Hour})
			return err
		})
		for _, path := range []string{"GetCredsForSecuredItem?sItemKey=" + item, "GetMCFA?appkey=" + own, "GetTotpSeedForApp?appkey=" + own} {
			if a := old.post("/UPRest/"+path, "{}"); a.Success || a.MessageID != session.ErrStale.Code {
				t.Errorf("%s: %+v", path, a)
			}
		}
		if got := old.names(); got != "Shop" {
			t.Error(got)
		}
	})
}

// What the store has of a secret is no use to whoever reads the store, nor to another person or for another item.
func TestSecretsAreSealed(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		me := as(t, site, site.Plain.ID)
		a := me.text("/UPRest/AddSecuredItem", `{"Name":"A","SecuredItemType":"Password","Username":"root","Password":"Quiet-Otter-9","Notes":"cellar"}`)
		b := me.text("/UPRest/AddSecuredItem", `{"Name":"B","SecuredItemType":"Password","Password":"Loud-Otter-10"}`)
		sealed := stored(t, s.App.DB, site.ID, a)
		for _, word := range []string{"root", "Quiet", "cellar"} {
			if strings.Contains(sealed, word) {
				t.Errorf("the store has %s in the clear", word)
			}
		}
		swapped := stored(t, s.App.DB, site.ID, b)
		site.Do(t, audit.Shell, func(ctx context.Context, c *call.Call) error {
			_, err := site.App.Portal.Open(ctx, c, swapped, site.Plain.ID+"/"+a)
			if err == nil {
				t.Error("what belongs to one item opens as another's")
			}
			_, err = site.App.Portal.Open(ctx, c, swapped, site.Admin.ID+"/"+b)
			if err == nil {
				t.Error("what belongs to one person opens as another's")
			}
			_, err = site.App.Portal.Open(ctx, c, swapped, site.Plain.ID+"/"+b)
			return err
		})
	})
}

var secretOf = dbx.Q[string]("portaltest.secret", `SELECT secret FROM portal_entry WHERE tenant = ? AND target = ?`)

func stored(t *testing.T, db *dbx.DB, tenant, target string) (out string) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *dbx.Tx) (err error) {
		out, err = secretOf.One(t.Context(), tx, tenant, target)
		return err
	})
	if err != nil || out == "" {
		t.Fatal(out, err)
	}
	return out
}

type left struct {
	Items   int64 `db:"items"`
	Entries int64 `db:"entries"`
	Tags    int64 `db:"tags"`
	Tagged  int64 `db:"tagged"`
	Imports int64 `db:"imports"`
	Icons   int64 `db:"icons"`
}

var leftOf = dbx.Q[left]("portaltest.left", `SELECT (SELECT count(*) FROM portal_item WHERE tenant = ?) AS items, (SELECT count(*) FROM portal_entry WHERE tenant = ?) AS entries,
	(SELECT count(*) FROM portal_tag WHERE tenant = ?) AS tags, (SELECT count(*) FROM portal_tagged WHERE tenant = ?) AS tagged,
	(SELECT count(*) FROM portal_import WHERE tenant = ?) AS imports, (SELECT count(*) FROM portal_icon WHERE tenant = ?) AS icons`)

// What somebody keeps goes with the application, and with the person.
func TestNothingIsLeftBehind(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		me := as(t, site, site.Plain.ID)
		id := bookmark(t, site, "Mail", acl.Given{Kind: role.User, Principal: site.Plain.ID, Mask: shown})
		for path, body := range map[string]string{
			"UpsertTagsForApp":      `{"appkey":"` + id + `","tagnames":["Work"]}`,
			"SetUserCredsForApp":    `{"appkey":"` + id + `","Username":"anna","Password":"Quiet-Otter-9"}`,
			"ImportUserCredentials": `{"credFileName":"a.csv","credentialsData":[{"name":"Shop","url":"shop.example.com","password":"x"}]}`,
		} {
			if a := me.post("/UPRest/"+path, body); !a.Success {
				t.Fatalf("%s: %+v", path, a)
			}
		}
		key := me.text("/UPRest/AddPersonalApplication", `{"appName":"Bank"}`)
		me.icon("/UPRest/UploadPersonalAppIcon", "appkey", key)
		want := func(what string, want left) {
			t.Helper()
			var got left
			err := s.App.DB.Read(t.Context(), func(tx *dbx.Tx) (err error) {
				got, err = leftOf.One(t.Context(), tx, site.ID, site.ID, site.ID, site.ID, site.ID, site.ID)
				return err
			})
			if err != nil || got != want {
				t.Errorf("%s: got %+v, want %+v, %v", what, got, want, err)
			}
		}
		want("all", left{2, 2, 1, 1, 1, 1})
		site.Do(t, audit.AppDelete, func(ctx context.Context, c *call.Call) error {
			_, err := site.App.Apps.Delete(ctx, c, id)
			return err
		})
		want("the application is gone", left{2, 1, 1, 0, 1, 1})
		site.Do(t, audit.UserDelete, func(ctx context.Context, c *call.Call) error {
			return site.App.People.Delete(ctx, c, site.Plain.ID)
		})
		want("the person is gone", left{})
	})
}

// icon uploads a large picture, and gives what is shown of it.
func (c client) icon(path, field, key string) image.Image {
	c.t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField(field, key)
	part, err := w.CreateFormFile("anything", "icon.png")
	if err != nil {
		c.t.Fatal(err)
	}
	img := image.NewNRGBA(image.Rect(0, 0, 300, 150))
	for x := range 300 {
		for y := range 150 {
			img.Set(x, y, color.NRGBA{R: 200, G: 10, B: 10, A: 255})
		}
	}
	if err := png.Encode(part, img); err != nil || w.Close() != nil {
		c.t.Fatal(err)
	}
	a := c.send(path, w.FormDataContentType(), &b)
	var uri string
	if !a.Success || json.Unmarshal(a.Result, &uri) != nil {
		c.t.Fatalf("%s: %+v", path, a)
	}
	return picture(c.t, uri)
}

func picture(t *testing.T, uri string) image.Image {
	t.Helper()
	body, ok := strings.CutPrefix(uri, "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(body)
	if err != nil || !ok {
		t.Fatal(uri, err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Icons are scaled down and shown with what they belong to, and nobody sets those of others.
func TestIcons(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		me := as(t, site, site.Plain.ID)
		item := me.text("/UPRest/AddSecuredItem", `{"Name":"Router","SecuredItemType":"Password"}`)
		img := me.icon("/UPRest/UploadSecuredItemIcon", "sItemkey", item)
		if r, _, _, _ := img.At(60, 30).RGBA(); img.Bounds() != image.Rect(0, 0, 128, 64) || r>>8 != 200 {
			t.Error(img.Bounds(), r>>8)
		}
		var data struct{ SecuredItems []struct{ Icon string } }
		if a := me.post("/UPRest/GetSecuredItemsData", "{}"); json.Unmarshal(a.Result, &data) != nil || len(data.SecuredItems) != 1 {
			t.Fatalf("%+v", a)
		}
		if picture(t, data.SecuredItems[0].Icon).Bounds() != img.Bounds() {
			t.Error("another picture is shown")
		}
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.WriteField("sItemkey", item)
		part, _ := w.CreateFormFile("Icon", "a.png")
		if err := png.Encode(part, img); err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		if a := as(t, site, site.Admin.ID).send("/UPRest/UploadSecuredItemIcon", w.FormDataContentType(), &b); a.MessageID != "portal.not_found" {
			t.Errorf("%+v", a)
		}
	})
}

// Two changes of one secret at the same moment do not undo each other: one of them is told, or both are there.
func TestChangesMeet(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		me := as(t, site, site.Plain.ID)
		item := me.text("/UPRest/AddSecuredItem", `{"Name":"Router","SecuredItemType":"Password"}`)
		bodies := []string{`{"Username":"root"}`, `{"Password":"Quiet-Otter-9"}`}
		done := make([]answer, 2)
		wait := make(chan struct{})
		for i, body := range bodies {
			go func() {
				done[i] = me.post("/UPRest/UpdateCredsForSecuredItem?sItemkey="+item, body)
				wait <- struct{}{}
			}()
		}
		<-wait
		<-wait
		var got struct{ U, P string }
		if a := me.post("/UPRest/GetCredsForSecuredItem?sItemKey="+item, "{}"); json.Unmarshal(a.Result, &got) != nil {
			t.Fatalf("%+v", a)
		}
		if done[0].Success != (got.U == "root") || done[1].Success != (got.P == "Quiet-Otter-9") {
			t.Errorf("answers %+v, kept %+v", done, got)
		}
	})
}

// An import is there as a whole or not at all: one that is too much leaves nothing.
func TestImportsAreWhole(t *testing.T) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		site := s.Tenant(t)
		me := as(t, site, site.Plain.ID)
		var rows []string
		for i := range 700 {
			rows = append(rows, fmt.Sprintf(`{"idx":%d,"name":"Page %d","url":"https://p%d.example.com","username":"anna","password":"Quiet-Otter-%d","isValid":true}`, i, i, i, i))
		}
		body := `{"credFileName":"all.csv","credentialsData":[` + strings.Join(rows, ",") + `]}`
		for range 2 {
			if a := me.post("/UPRest/ImportUserCredentials", body); !a.Success {
				t.Fatalf("%+v", a)
			}
		}
		if a := me.post("/UPRest/ImportUserCredentials", body); a.MessageID != "portal.too_many" {
			t.Errorf("%+v", a)
		}
		if got := strings.Count(me.names(), "Page"); got != 1400 {
			t.Errorf("%d applications, want 1400", got)
		}
		var files []struct{ SuccessRecords int }
		if a := me.post("/UPRest/GetRecentImportedAccountsFile?fileCount=9", ""); json.Unmarshal(a.Result, &files) != nil || len(files) != 2 {
			t.Errorf("%+v", files)
		}
	})
}
