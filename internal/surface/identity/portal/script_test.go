package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/audit"
	"limen/internal/core/role"
)

func TestMain(m *testing.M) { apptest.Main(m) }

// TestPolicyScriptOfPages: a script decides who opens a page from the portal, and one that fails opens it to nobody.
func TestPolicyScriptOfPages(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		var it app.App
		s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) (err error) {
			if it, err = s.App.Apps.Create(ctx, c, "Generic Bookmark"); err != nil {
				return err
			}
			return s.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
		})
		for script, want := range map[string]string{
			`if (application.Get('Url') != 'https://page.example.com/') policy.Locked = true`: "https://page.example.com/",
			`policy.Locked = true; policy.Reason = 'Closed for ' + User.DisplayName`:          "app.rules",
			`policy.RequiredLevel = 2; policy.Locked = context.authLevel != 2`:                "https://page.example.com/",
			`policy.Loked = true`: "oauth.server_error",
			`for (;;);`:           "oauth.server_error",
			`@Empty`:              "https://page.example.com/",
		} {
			s.Do(t, audit.AppChange, func(ctx context.Context, c *call.Call) error {
				_, err := s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{"Url": "https://page.example.com/", "PolicyScript": script}})
				return err
			})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/UPRest/HandleAppClick?appkey="+it.ID, strings.NewReader(""))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = s.Host
			r.Header.Set("Authorization", "Bearer "+s.TokenOf(t, "plain"))
			out, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = out.Body.Close()
			got := out.Header.Get("Location")
			if got == "" {
				got = as(t, s, s.Plain.ID).post("/UPRest/HandleAppClick?appkey="+it.ID, "").MessageID
			}
			if got != want {
				t.Errorf("%s: %s, want %s", script, got, want)
			}
		}
	})
}

// TestImportedFolders: folders become tags, and one that is no name for a tag costs nothing.
func TestImportedFolders(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		plain := as(t, s, s.Plain.ID)
		plain.post("/UPRest/ImportUserCredentials", `{"credFileName":"p.csv","credentialsData":[
			{"name":"Shop","url":"https://shop.example.com","folder":"Home"},{"name":"Bank","url":"https://bank.example.com","folder":"home"},
			{"name":"Nowhere","url":"https://nowhere.example.com","folder":"`+strings.Repeat("x", 500)+`"},{"name":"Plain","url":"https://plain.example.com"}]}`)
		var data struct {
			Apps []struct {
				Name string
				Tags []string
			}
			Tags []string
		}
		if err := json.Unmarshal(plain.post("/UPRest/GetUPData", `{}`).Result, &data); err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, it := range data.Apps {
			got += it.Name + strings.Join(it.Tags, ",") + " "
		}
		if got != "Bankhome Nowhere Plain Shophome " && got != "BankHome Nowhere Plain ShopHome " {
			t.Error(got, data.Tags)
		}
	})
}
