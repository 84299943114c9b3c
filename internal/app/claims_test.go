package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/core/user"
)

// What a provisioning client tells of a person is what tokens tell, and what searches find: the parts of their name, picture and zone. It
// is so at once when it changes.
func TestProvisionedClaims(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		b := &branches{t: t, site: srv.Tenant(t)}
		s := b.site
		token := s.TokenOf(t, "admin")
		scim := func(method, path, body string) (out struct{ ID string }) {
			t.Helper()
			r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/scim/v2"+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = s.Host
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/scim+json")
			res, err := s.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode >= 300 {
				t.Fatal(path, res.StatusCode, err)
			}
			return out
		}
		told := func(id string) (out oauth.Claims) {
			t.Helper()
			c := s.App.Shell(s.ID)
			p, err := s.App.OAuth.Person(t.Context(), c, id)
			if err != nil {
				t.Fatal(err)
			}
			p.Claims.Updated = 0
			return p.Claims
		}
		found := func(query string) string {
			t.Helper()
			a := b.ask(token, "/UserMgmt/DirectoryServiceQuery", map[string]any{"directoryServices": []string{"09B9A9B0-6CE8-465F-AB03-65766D33B05E"}, "user": query})
			var out struct{ User json.RawMessage }
			if err := json.Unmarshal(a.Result, &out); err != nil {
				t.Fatal(string(a.Result), err)
			}
			return strings.Join(b.ids(answered{Result: out.User}, "InternalName"), " ")
		}
		id := scim(http.MethodPost, "/Users", `{"userName":"ada@`+s.Suffix+`","displayName":"Countess","name":{"givenName":"Ada","middleName":"King","familyName":"Lovelace"},"nickName":"Bird",
			"profileUrl":"https://example.com/ada","timezone":"Europe/London","locale":"en-GB","photos":[{"value":"https://example.com/2.png"},{"value":"https://example.com/1.png","primary":true}]}`).ID
		want := oauth.Claims{
			Name: "Countess", GivenName: "Ada", FamilyName: "Lovelace", MiddleName: "King", Nick: "Bird", PreferredUsername: "ada@" + s.Suffix,
			Profile: "https://example.com/ada", Picture: "https://example.com/1.png", Zone: "Europe/London", Locale: "en-GB",
		}
		if got := told(id); got != want {
			t.Errorf("%+v", got)
		}
		for query, want := range map[string]string{
			`{"givenName":{"_eq":"ADA"}}`: id, `{"sn":{"_like":"love"}}`: id, `{"givenName":"Countess"}`: "", `{"_or":[{"sn":"nobody"},{"givenName":{"_like":"da"}}]}`: id,
		} {
			if got := found(query); got != want {
				t.Errorf("%s finds %q", query, got)
			}
		}
		scim(http.MethodPatch, "/Users/"+id, `{"Operations":[{"op":"replace","path":"name.familyName","value":"Byron"},{"op":"remove","path":"photos"}]}`)
		if want.FamilyName, want.Picture = "Byron", ""; told(id) != want {
			t.Errorf("after a change: %+v", told(id))
		}
		if found(`{"sn":"lovelace"}`) != "" || found(`{"sn":"byron"}`) != id {
			t.Error("found by the name that they had")
		}
		var plain user.User
		s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) (err error) {
			plain, err = s.App.People.Create(ctx, c, user.New{Name: "bo@" + s.Suffix, Display: "Bo van Dyk"})
			return err
		})
		if got := told(plain.ID); got.GivenName != "Bo van" || got.FamilyName != "Dyk" {
			t.Errorf("without parts on record: %+v", got)
		}
	})
}
