package scim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
)

// client asks as somebody.
type client struct {
	t *testing.T
	s *apptest.Site
	// who is as exchanges name them; admin when empty.
	who string
}

func (c client) ask(method, path string, body any) (int, map[string]any) {
	c.t.Helper()
	var in io.Reader
	if text, ok := body.(string); ok {
		in = strings.NewReader(text)
	} else if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			c.t.Fatal(err)
		}
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, c.s.URL+path, in)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Host = c.s.Host
	who := c.who
	if who == "" {
		who = "admin"
	}
	r.Header.Set("Authorization", "Bearer "+c.s.TokenOf(c.t, who))
	res, err := c.s.HTTP.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	out := map[string]any{}
	if b, err := io.ReadAll(res.Body); err != nil || len(b) > 0 && json.Unmarshal(b, &out) != nil {
		c.t.Fatal(err, string(b))
	}
	return res.StatusCode, out
}

// must asks and wants a status.
func (c client) must(status int, method, path string, body any) map[string]any {
	c.t.Helper()
	got, out := c.ask(method, path, body)
	if got != status {
		c.t.Fatalf("%s %s: %d %v", method, path, got, out)
	}
	return out
}

// names lists what a query gives, without the site's suffix.
func (c client) names(query string) []string {
	c.t.Helper()
	var out []string
	for _, r := range c.must(http.StatusOK, http.MethodGet, "/scim/Users?attributes=userName&"+query, nil)["Resources"].([]any) {
		if name, _, _ := strings.Cut(r.(map[string]any)["userName"].(string), "@"); name != "plain" {
			out = append(out, name)
		}
	}
	return out
}

// peopled makes six users who differ in what can be filtered.
func peopled(t *testing.T, s *apptest.Site) client {
	c := client{t: t, s: s}
	c.must(http.StatusOK, http.MethodPost, "/ExtData/UpdateSchema", `{"Table":"users","Columns":{"cost_code":{"Type":"Text"},"level_no":{"Type":"Int"}}}`)
	for _, u := range []string{
		`{"userName":"p1@S","name":{"familyName":"Berg","givenName":"Ada"},"title":"Engineer","emails":[{"value":"one@a.example","type":"home"},{"value":"uno@b.example","type":"work"}]}`,
		`{"userName":"p2@S","name":{"familyName":"Aho"},"displayName":"Zed","externalId":"e2","active":false,"urn:scim:schemas:extension:custom:2.0":{"cost_code":"C7","level_no":3}}`,
		`{"userName":"p3@S","displayName":"Mid","emails":[{"value":"three@a.example","type":"other","primary":true}],"entitlements":[{"value":"vpn"}]}`,
		`{"userName":"p4@S","name":{"familyName":"Cruz"},"userType":"Contractor","locale":"de-DE","timezone":"Europe/Berlin","nickName":"Four"}`,
		`{"userName":"p5@S","title":"engineer","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Sales","employeeNumber":"0042"},"ims":[{"value":"im5","type":"xmpp"}]}`,
		`{"userName":"p6@S","emails":[{"value":"six@b.example","type":"work"}],"roles":[{"value":"tester","display":"T"}]}`,
	} {
		c.must(http.StatusCreated, http.MethodPost, "/scim/Users", strings.ReplaceAll(u, "@S\"", "@"+s.Suffix+"\""))
	}
	return c
}

// TestFilters wants of each filter, on both engines, who meets it among six users.
func TestFilters(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		c := peopled(t, srv.Tenant(t))
		id := func(name string) string {
			r := c.must(http.StatusOK, http.MethodGet, "/scim/Users?attributes=id&filter="+url.QueryEscape(`userName eq "`+name+"@"+c.s.Suffix+`"`), nil)
			return r["Resources"].([]any)[0].(map[string]any)["id"].(string)
		}
		boss := id("p1")
		c.must(http.StatusOK, http.MethodPatch, "/scim/Users/"+id("p4"), `{"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager","value":"`+boss+`"}]}`)
		group := c.must(http.StatusCreated, http.MethodPost, "/scim/Groups", `{"displayName":"Few","members":["`+boss+`","`+id("p6")+`"]}`)["id"].(string)
		for filter, want := range map[string]string{
			`userName sw "P"`: "123456", `userName eq "p3@S"`: "3", `userName ne "p3@S" and userName sw "p"`: "12456", `userName ew "@S" and userName co "P5"`: "5",
			`userName gt "p4" and userName sw "p"`: "456", `displayName eq "zed"`: "2", `displayName sw "Mid "`: "", `displayName co " " and userName sw "p"`: "1", `displayName co "a b"`: "1", `displayName ew " berg"`: "1", `displayName sw "ada "`: "1", `displayName pr and userName sw "p" and not (title pr)`: "234",
			`name.familyName eq "berg"`: "1", `name.familyName pr`: "124", `not (name.familyName pr) and userName sw "p"`: "356", `name.familyName ge "b"`: "14",
			`name.givenName sw "a"`: "1", `name.familyName ne "Berg" and userName sw "p"`: "23456", `title eq "ENGINEER"`: "15", `title ew "neer"`: "15", `nickName co "ou"`: "4",
			`active eq false`: "2", `active ne true`: "2", `active eq true and userName sw "p"`: "13456", `active eq False`: "2",
			`emails.value eq "ONE@a.example"`: "1", `emails.value ew "a.example"`: "13", `emails[type eq "home"]`: "1", `emails[type eq "work" and value co "b.example"]`: "16",
			`emails[primary eq true and type eq "home"]`: "", `emails[primary eq true and type eq "work"]`: "16", `emails[type eq "other"].value eq "three@a.example"`: "3",
			`emails pr and userName sw "p"`: "136", `emails.type eq "other"`: "3", `emails.value ne "six@b.example" and userName sw "p"`: "12345",
			`emails[not (type eq "work") and value pr]`: "13", `emails co "example" and not (emails[type eq "work"])`: "3",
			`externalId eq "e2"`: "2", `externalId pr`: "2", `id eq "` + boss + `"`: "1", `id ne "` + boss + `" and userName sw "p1"`: "",
			`userType eq "contractor" or entitlements eq "vpn"`: "34", `locale sw "de" and timezone eq "europe/berlin"`: "4", `ims.value eq "im5"`: "5", `roles[value eq "tester"]`: "6",
			`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "sales"`: "5", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq 0042`: "5",
			`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "` + boss + `"`: "4", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager pr`: "4",
			`urn:scim:schemas:extension:custom:2.0:cost_code eq "C7"`: "2", `urn:scim:schemas:extension:custom:2.0:cost_code sw "C"`: "2", `urn:scim:schemas:extension:custom:2.0:level_no eq 3`: "2",
			`urn:scim:schemas:extension:custom:2.0:level_no ne 3 and userName sw "p"`: "13456", `urn:scim:schemas:extension:custom:2.0:cost_code pr`: "2",
			`groups.value eq "` + group + `"`: "16", `groups[value eq "Everybody"] and userName sw "p"`: "123456", `meta.created gt "2020-01-01T00:00:00Z" and userName sw "p"`: "123456",
			`meta.lastModified lt "2020-01-01T00:00:00Z"`: "", `(userName eq "p1@S" or userName eq "p2@S") and (active eq true)`: "1", `title eq null and userName sw "p"`: "2346",
		} {
			got := c.names("filter=" + url.QueryEscape(strings.ReplaceAll(filter, "@S\"", "@"+c.s.Suffix+"\"")))
			if strings.ReplaceAll(strings.Join(got, ""), "p", "") != want {
				t.Errorf("%s finds %v, and not %q", filter, got, want)
			}
		}
		for _, filter := range []string{
			`phoneNumbers.value eq "1"`, `addresses.locality eq "Bonn"`, `groups.display eq "x"`, `password eq "x"`, `photos pr`, `emails.display eq "x"`, `meta.location eq "x"`,
			`urn:scim:schemas:extension:custom:2.0:cost_code co "C"`, `urn:scim:schemas:extension:custom:2.0:other eq "C"`, `x509Certificates pr`, `schemas eq "x"`, `members.value eq "x"`,
		} {
			if got, body := c.ask(http.MethodGet, "/scim/Users?filter="+url.QueryEscape(filter), nil); got != http.StatusBadRequest || body["scimType"] != "invalidFilter" {
				t.Errorf("%s: %d %v", filter, got, body)
			}
		}
	})
}

// TestWalk goes through all users by index and by cursor, in every order: each must be met once, and both ways alike.
func TestWalk(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		c := peopled(t, srv.Tenant(t))
		for _, by := range []string{
			"", "userName", "displayName", "id", "meta.created", "meta.lastModified", "active", "emails", "name.familyName", "name.givenName", "userType", "title",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", "meta.location",
		} {
			for _, order := range []string{"ascending", "descending"} {
				for _, filter := range []string{"", `userName sw "p"`} {
					query := "sortBy=" + by + "&sortOrder=" + order + "&filter=" + url.QueryEscape(filter)
					all := c.names(query)
					sorted := slices.Clone(all)
					slices.Sort(sorted)
					if len(all) < 6 || len(slices.Compact(sorted)) != len(all) {
						t.Fatal(query, all)
					}
					if by == "name.familyName" && filter != "" {
						named, missing := all[:3], all[3:]
						if order == "descending" {
							missing, named = all[:3], all[3:]
						}
						missing = slices.Sorted(slices.Values(missing)) // nothing says in which order those are
						if got := strings.Join(slices.Concat(named, missing), " "); got != map[string]string{"ascending": "p2 p1 p4 p3 p5 p6", "descending": "p4 p1 p2 p3 p5 p6"}[order] {
							t.Error(query, got)
						}
					}
					var byIndex []string
					for i := 1; len(byIndex) < len(all); i += 2 {
						page := c.names(fmt.Sprintf("%s&startIndex=%d&count=2", query, i))
						if i > 20 {
							break
						}
						byIndex = append(byIndex, page...)
					}
					if byCursor := c.cursors(query); !slices.Equal(all, byIndex) || !slices.Equal(all, byCursor) {
						t.Error(query, all, byIndex, byCursor)
					}
				}
			}
		}
	})
}

func (c client) cursors(query string) (out []string) {
	c.t.Helper()
	for cursor, n := "", 0; n < 20; n++ {
		page := c.must(http.StatusOK, http.MethodGet, "/scim/Users?attributes=userName&count=2&cursor="+cursor+"&"+query, nil)
		for _, r := range page["Resources"].([]any) {
			if name, _, _ := strings.Cut(r.(map[string]any)["userName"].(string), "@"); name != "plain" {
				out = append(out, name)
			}
		}
		next, more := page["nextCursor"].(string)
		if !more {
			return out
		}
		cursor = next
	}
	c.t.Fatal(query, "never ends")
	return nil
}
