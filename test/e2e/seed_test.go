package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/test/rig"
)

// The documentation's own samples: "Create and manage Cloud Directory users", from its first call to its last.

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// plain is what an operation without a result answers, to the byte.
const plain = `{"success":true,"Result":null,"Message":null,"MessageID":null,"Exception":null,"ErrorID":null,"ErrorCode":null,"IsSoftError":false,"InnerExceptions":null}`

// doccraft is a server whose tenant has the samples' login suffix and takes the samples' weak password.
func doccraft(t *testing.T, engine string) *rig.Server {
	t.Helper()
	s := start(t, engine, rig.Options{Args: []string{"--dev"}})
	a := admin(t, s)
	must(t, a, "/Core/StoreAlias", object{"alias": "doccraft"}, nil)
	must(t, a, "/TenantConfig/SetAdvancedConfig", []object{
		{"ID": "Signup.Allowed", "Value": "true"}, {"ID": "Password.MinLength", "Value": "8"}, {"ID": "Password.MinScore", "Value": "0"},
		{"ID": "Password.CheckWeakPassword", "Value": "false"},
	}, nil)
	return s
}

func TestDocumentedUserManagement(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := doccraft(t, engine)
		a := admin(t, s)
		signup(t, a)
		id := create(t, a)
		invited(t, s, a, id)
		if got := string(post(t, a, "/CDirectoryService/ChangeUser", object{"ID": id, "MobileNumber": "5105555555"}).Body); got != plain {
			t.Errorf("ChangeUser: %s", got)
		}
		var u map[string]any
		must(t, a, "/CDirectoryService/GetUser", object{"ID": id}, &u)
		for field, want := range map[string]any{
			"Name": "test3@doccraft", "Mail": "mike11@somemail.com", "MobileNumber": "5105555555", "InEverybodyRole": true, "State": "None", "Uuid": id,
		} {
			if u[field] != want {
				t.Errorf("GetUser: %s is %v, want %v", field, u[field], want)
			}
		}
		states(t, a, id)
		remove(t, a, id)
	})
}

// signup is the sample of /CDirectoryService/Signup, with a bearer token in place of a CAPTCHA.
func signup(t *testing.T, a *rig.Client) {
	t.Helper()
	body := object{"Name": "test-signup@doccraft", "DisplayName": "Test User", "Mail": "mike11@somemail.com", "Password": "abcD1234", "MobileNumber": "+1-987-654-3210"}
	answer := post(t, a, "/CDirectoryService/Signup", body)
	var made struct{ UserID string }
	if err := answer.Into(&made); err != nil || !uuid.MatchString(made.UserID) {
		t.Fatalf("Signup: %v %s", err, answer.Body)
	}
	want := strings.Replace(plain, `"Result":null`, `"Result":{"UserId":"`+made.UserID+`"}`, 1)
	if string(answer.Body) != want {
		t.Errorf("Signup answers\n%s\nnot\n%s", answer.Body, want)
	}
	again := post(t, a, "/CDirectoryService/Signup", body)
	if again.Success || again.Status != 200 || again.Message != "User name test-signup@doccraft is already in use." {
		t.Errorf("Signup twice: %s", again.Body)
	}
}

// create is the sample of /CDirectoryService/CreateUser.
func create(t *testing.T, a *rig.Client) string {
	t.Helper()
	body := object{
		"Name": "test3@doccraft", "Mail": "mike11@somemail.com", "Password": "abcD1234", "InEverybodyRole": true, "InSysAdminRole": false,
		"ForcePasswordChangeNext": true, "SendEmailInvite": true, "SendSmsInvite": true, "MobileNumber": "987-654-3210",
	}
	answer := post(t, a, "/CDirectoryService/CreateUser", body)
	var id string
	if err := answer.Into(&id); err != nil || !uuid.MatchString(id) {
		t.Fatalf("CreateUser: %v %s", err, answer.Body)
	}
	if want := strings.Replace(plain, `"Result":null`, `"Result":"`+id+`"`, 1); string(answer.Body) != want {
		t.Errorf("CreateUser answers\n%s\nnot\n%s", answer.Body, want)
	}
	if again := post(t, a, "/CDirectoryService/CreateUser", body); again.Success || again.Status != 200 || string(again.Result) != "null" || again.ErrorID == "" {
		t.Errorf("CreateUser twice: %s", again.Body)
	}
	return id
}

// invited wants both invitations that the sample asks for.
func invited(t *testing.T, s *rig.Server, a *rig.Client, id string) {
	t.Helper()
	eventually(t, 10*time.Second, "the invitations are sent by mail and by text message", func() bool {
		return len(tray(t, s, "mike11@somemail.com")) > 0 && len(tray(t, s, "987-654-3210")) > 0
	})
	var u struct{ ForcePasswordChangeNext string }
	must(t, a, "/CDirectoryService/GetUser", object{"ID": id}, &u)
	if u.ForcePasswordChangeNext != "True" {
		t.Errorf("ForcePasswordChangeNext is %q", u.ForcePasswordChangeNext)
	}
}

// message is what the tray of --dev shows.
type message struct{ Channel, To, Subject, Text, HTML string }

// tray gives the messages to an address, newest first.
func tray(t *testing.T, s *rig.Server, to string) (out []message) {
	t.Helper()
	a, err := client(t, s).Do(t.Context(), "GET", "/dev/outbox.json", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []message
	if err := json.Unmarshal(a.Body, &all); err != nil {
		t.Fatalf("%v: %s", err, a.Body)
	}
	return slices.DeleteFunc(all, func(m message) bool { return m.To != to })
}

// states are the samples of /CDirectoryService/SetUserState.
func states(t *testing.T, a *rig.Client, id string) {
	t.Helper()
	for _, state := range []string{"Locked", "None", "Disabled", "Expired", "Locked,Expired", "None"} {
		if got := string(post(t, a, "/CDirectoryService/SetUserState", object{"ID": id, "state": state}).Body); got != plain {
			t.Errorf("SetUserState %s: %s", state, got)
		}
		var u struct{ State string }
		must(t, a, "/CDirectoryService/GetUser", object{"ID": id}, &u)
		if u.State != state {
			t.Errorf("the state is %q after SetUserState %q", u.State, state)
		}
	}
	if bad := post(t, a, "/cdirectoryservice/setuserstate/", object{"ID": id, "state": "Gone"}); bad.Success || bad.Status != 200 {
		t.Errorf("SetUserState Gone: %s", bad.Body)
	}
}

// remove is the sample of /CDirectoryService/DeleteUser.
func remove(t *testing.T, a *rig.Client, id string) {
	t.Helper()
	if got := string(post(t, a, "/CDirectoryService/DeleteUser", object{"ID": id}).Body); got != plain {
		t.Errorf("DeleteUser: %s", got)
	}
	for _, path := range []string{"/CDirectoryService/DeleteUser", "/CDirectoryService/GetUser"} {
		if gone := post(t, a, path, object{"ID": id}); gone.Success || gone.Message != "The requested data or its dependent data was not found in the service." {
			t.Errorf("%s of who is gone: %s", path, gone.Body)
		}
	}
	must(t, a, "/CDirectoryService/DeleteUser", object{"ID": "test-signup@doccraft"}, nil)
}

// TestDocumentedSamplesAsPrinted sends the samples that are no JSON as they are printed: unquoted mail addresses, colons
// and commas left out. They are refused, and change nothing.
func TestDocumentedSamplesAsPrinted(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := doccraft(t, engine)
		a := admin(t, s)
		for path, body := range map[string]string{
			"/CDirectoryService/Signup":       "{\n\"Name\": \"test3@doccraft\",\n\"Mail\": mike11@somemail.com,\n\"Password\": \"abcD1234\"\n}",
			"/CDirectoryService/CreateUser":   "{\n\"Name\": \"test3@doccraft\",\n\"Mail\": mike11@somemail.com,\n\"Password\": \"abcD1234\"\n}",
			"/CDirectoryService/ChangeUser":   "{\n\"ID\": \"admin@limen\",\n\"MobileNumber\" \"5105555555\"\n}",
			"/CDirectoryService/SetUserState": "{\n\"ID\": \"admin@limen\"\n\"state\": \"Locked\"\n}",
		} {
			got, err := a.Do(t.Context(), "POST", path, nil, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if got.Success || got.Status != 200 || got.Shape() != nil || got.Message == "" {
				t.Errorf("%s: %d %s", path, got.Status, got.Body)
			}
		}
		if n := number(t, db(t, s), `SELECT count(*) FROM users`); n != 1 {
			t.Errorf("%d users", n)
		}
	})
}

// TestDocumentedQuery is the sample of /Redrock/Query.
func TestDocumentedQuery(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := doccraft(t, engine)
		a := admin(t, s)
		ids := map[string]string{"admin@limen": ""}
		for _, name := range []string{"auser1", "Zuser", "test2", "buser"} {
			var id string
			must(t, a, "/CDirectoryService/CreateUser", object{"Name": name + "@doccraft", "Mail": name + "@qa.example", "Password": "abcD1234"}, &id)
			ids[name+"@doccraft"] = id
		}
		answer := post(t, a, "/Redrock/query", object{"Script": "Select Username, ID from User ORDER BY Username COLLATE NOCASE"})
		if err := answer.Shape(); err != nil {
			t.Error(err)
		}
		var q struct {
			IsAggregate      bool
			Count, FullCount int
			ReturnID         string
			Columns          []map[string]any
			Results          []struct {
				Entities []struct {
					Type, Key    string
					IsForeignKey bool
				}
				Row struct{ ID, Username string }
			}
		}
		if err := answer.Into(&q); err != nil {
			t.Fatal(err)
		}
		if q.IsAggregate || q.Count != 5 || q.FullCount != 5 || q.ReturnID != "" || len(q.Results) != 5 {
			t.Errorf("%s", answer.Result)
		}
		want := []string{"admin@limen", "auser1@doccraft", "buser@doccraft", "test2@doccraft", "Zuser@doccraft"}
		for i, r := range q.Results {
			id := ids[r.Row.Username]
			if r.Row.Username != want[i] || id != "" && r.Row.ID != id {
				t.Errorf("row %d is %+v, want %s", i, r.Row, want[i])
			}
			if len(r.Entities) != 1 || r.Entities[0].Type != "User" || r.Entities[0].Key != r.Row.ID || r.Entities[0].IsForeignKey {
				t.Errorf("row %d: %+v", i, r.Entities)
			}
		}
		columns := map[string]map[string]any{}
		for _, c := range q.Columns {
			columns[fmt.Sprint(c["Name"])] = c
		}
		for name, want := range map[string]map[string]any{
			"ID": {
				"Name": "ID", "IsHidden": false, "DDName": "ID", "Title": "ID", "DDTitle": "ID", "Description": "Row Identifier (primary key)",
				"Type": 12.0, "Format": nil, "Width": 0.0, "TableKey": "Primary", "ForeignKey": nil,
			},
			"Username": {
				"Name": "Username", "IsHidden": false, "DDName": "Username", "Title": "Username", "DDTitle": "Username", "Description": "User name.",
				"Type": 12.0, "Format": nil, "Width": 0.0, "TableKey": "Alternate", "ForeignKey": nil,
			},
		} {
			for key, value := range want {
				if got, there := columns[name][key]; !there || got != value {
					t.Errorf("column %s: %s is %v, want %v", name, key, got, value)
				}
			}
		}
	})
}
