package directories_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/directory"
	"limen/internal/core/org"
	"limen/internal/core/right"
	"limen/internal/core/setting"
	"limen/internal/core/user"
)

// table is what is read of a kind of principals.
type table struct {
	Count, FullCount int
	Results          []struct {
		Row struct {
			SystemName, Name string
			Description      *string
		}
	}
}

func (t *table) names(suffix string) string {
	var out []string
	for _, r := range t.Results {
		out = append(out, strings.TrimSuffix(r.Row.SystemName, "@"+suffix)+r.Row.Name)
	}
	return strings.Join(out, " ")
}

type answer struct {
	Success            bool `json:"success"`
	Message, MessageID string
	Result             struct {
		User, Group *table
		Roles       *table `json:"roles"`
	}
}

func query(t *testing.T, s *apptest.Site, token string, members map[string]any) (a answer) {
	t.Helper()
	members["directoryServices"] = []string{directory.Cloud}
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, s.URL+"/UserMgmt/DirectoryServiceQuery", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil || !a.Success {
		t.Fatal(err, string(b))
	}
	return a
}

type args map[string]any

func TestPeople(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		bee := s.Person(t, "bee")
		for _, name := range []string{"beekeeper", "a.bee", "st_x", "stax"} {
			s.Person(t, name)
		}
		s.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			display, mail := "Queen of the Hive", "Queen@Example.com"
			_, err := s.App.People.Change(ctx, c, bee.ID, user.Change{Display: &display, Mail: &mail})
			return err
		})
		token := s.TokenOf(t, "admin")
		for _, x := range []struct {
			query string
			args  args
			want  string
			full  int
		}{
			{`{"SystemName":{"_like":"BEE"}}`, nil, "a.bee bee beekeeper", 3},
			{`{"_or":[{"SystemName":{"_like":"bee@` + s.Suffix + `"}},{"DisplayName":{"_like":"bee@` + s.Suffix + `"}}]}`, nil, "bee a.bee", 2}, // exactly, then the rest
			{`{"_or":[{"SystemName":{"_like":"bee@` + s.Suffix + `"}}]}`, args{"Limit": 1}, "bee", 2},
			{`{"SystemName":{"_like":"bee@` + s.Suffix + `"}}`, args{"PageSize": 1, "PageNumber": 2}, "a.bee", 2},
			{`{"SystemName":{"_like":"bee@` + s.Suffix + `"}}`, args{"PageSize": 1, "PageNumber": 3}, "", 2},
			{`{"SystemName":{"_like":"bee"}}`, args{"PageSize": 2, "PageNumber": 2}, "beekeeper", 3},
			{`{"SystemName":{"_like":"bee"}}`, args{"PageSize": 100_000, "PageNumber": 1 << 40}, "", 3},
			{`{"SystemName":{"_like":"bee"}}`, args{"Direction": "DESC"}, "beekeeper bee a.bee", 3},
			{`{"SystemName":{"_like":"bee"}}`, args{"SortBy": "displayname"}, "a.bee beekeeper bee", 3},
			{`{"DisplayName":"queen of the hive"}`, nil, "bee", 1},
			{`{"Email":{"_eq":"queen@example.COM"}}`, nil, "bee", 1},
			{`{"InternalName":"` + strings.ToUpper(bee.ID) + `"}`, nil, "bee", 1},
			{`{"_ID":{"_like":"` + bee.ID[9:] + `"}}`, nil, "bee", 1},
			{`{"SystemName":{"_like":"bee"},"DisplayName":{"_like":"hive"}}`, nil, "bee", 1},
			{`{"SystemName":{"_like":"T_"}}`, nil, "st_x", 1},
			{`{"SystemName":{"_like":"%"}}`, nil, "", 0},
			{`{"SystemName":{"_like":"bee"},"ObjectType":"group"}`, nil, "", 0},
			{`{"SystemName":{"_like":"bee"},"ObjectType":{"_like":"use"}}`, nil, "a.bee bee beekeeper", 3},
			{`{"_or":[{"givenName":{"_like":"bee"}},{"sn":"bee"}]}`, nil, "", 0},
			{`{"_or":[]}`, nil, "", 0},
			{`[{"SystemName":"bee@` + s.Suffix + `"},{"SystemName":"beekeeper@` + s.Suffix + `"}]`, nil, "bee beekeeper", 2},
		} {
			got := query(t, s, token, map[string]any{"user": x.query, "Args": x.args}).Result
			if got.Roles != nil || got.Group != nil || got.User.names(s.Suffix) != x.want || got.User.FullCount != x.full {
				t.Errorf("%s %v: %q of %d, want %q of %d", x.query, x.args, got.User.names(s.Suffix), got.User.FullCount, x.want, x.full)
			}
		}
		for _, all := range []string{`{}`, `{"_and":[]}`, `{"sn":{"_like":""}}`} {
			if got := query(t, s, token, map[string]any{"user": all}).Result.User; got.FullCount < 5 || got.Count != got.FullCount {
				t.Errorf("%s: %d of %d", all, got.Count, got.FullCount)
			}
		}
	})
}

func TestRoles(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		token := s.TokenOf(t, "admin")
		for q, want := range map[string]string{
			`{"Name":{"_like":{"value":"EVERY","ignoreCase":true}}}`: "Everybody",
			`{"_ID":"everybody"}`:         "Everybody",
			`{"_ID":{"_like":"verybod"}}`: "Everybody",
			`{"_or":[{"_ID":{"_eq":"sysadmin"}},{"Name":{"_eq":"sysadmin"}}]}`:              "System Administrator",
			`{"_or":[{"_ID":{"_like":"Every"}},{"Name":{"_like":"system adminIstrator"}}]}`: "System Administrator Everybody", // exactly, then the rest
			`{"DisplayName":"Everybody"}`:                                                   "",
		} {
			if got := query(t, s, token, map[string]any{"roles": q}).Result.Roles.names(""); got != want {
				t.Errorf("%s: %q, want %q", q, got, want)
			}
		}
	})
}

// Who manages people of an organization finds those, and themselves.
func TestDelegated(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		manager, inside := s.Person(t, "manager"), s.Person(t, "inside")
		s.Person(t, "outside")
		s.Do(t, audit.OrgCreate, func(ctx context.Context, c *call.Call) error {
			of, err := s.App.Orgs.Create(ctx, c, org.New{Name: "Sales"})
			if err != nil {
				return err
			}
			held := org.Held{Principal: org.Principal{Kind: "User", ID: manager.ID}, Rights: []right.Right{right.UserManagement}}
			if err := s.App.Orgs.Permit(ctx, c, of.ID, []org.Held{held}, nil); err != nil {
				return err
			}
			_, err = s.App.People.Change(ctx, c, inside.ID, user.Change{Org: &of.ID})
			return err
		})
		token := s.SignedIn(t, manager.ID)
		got := query(t, s, token, map[string]any{"user": "{}", "roles": "{}"}).Result
		if got.User.names(s.Suffix) != "inside manager" || got.User.FullCount != 2 || got.Roles.names("") != "Everybody" {
			t.Errorf("%+v %+v", got.User, got.Roles)
		}
		s.Do(t, audit.SettingChange, func(ctx context.Context, c *call.Call) error {
			ready, err := s.App.Values.Prepare(ctx, c, setting.Set("Directory.OpenSearch", "true"))
			if err != nil {
				return err
			}
			return s.App.Values.Write(ctx, c, ready)
		})
		all := query(t, s, token, map[string]any{"user": "{}"}).Result.User
		var full []string
		for _, r := range all.Results {
			if r.Row.Description != nil {
				full = append(full, strings.TrimSuffix(r.Row.SystemName, "@"+s.Suffix))
			}
		}
		if !slices.Equal(full, []string{"inside", "manager"}) || !strings.Contains(all.names(s.Suffix), "outside") {
			t.Errorf("in full %v, of %s", full, all.names(s.Suffix))
		}
	})
}
