package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"limen/test/rig"
)

// workspace is one life of a workspace, and who takes part in it.
type workspace struct {
	*rig.Server
	admin  *rig.Client // of the tenant, by the RPC API
	anyone *http.Client
	base   string
	scim   string // token of a client that provisions
}

// TestWorkspaceLife walks through the life of a workspace by the API that its people use, and looks at them by the others': an administrator
// invites, the invited register and set up a second factor, roles and rules bind them, and at the end they go.
func TestWorkspaceLife(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{Args: []string{"--dev"}})
		c := client(t, s)
		w := &workspace{Server: s, admin: admin(t, s), anyone: c.HTTP, base: c.Base}
		w.found(t)
		boss := w.enter(t, "boss@example.com", password)
		w.call(t, boss, "POST", "/uauth/settings/password-policy", object{"minLength": 16}, 200)
		role := w.role(t, boss)
		anna := w.invite(t, boss, role)
		token := w.secondFactor(t)
		w.seen(t, token, role)
		w.call(t, boss, "POST", "/uauth/business-profile/mfa/requirements", nil, 200)
		w.call(t, token, "GET", "/uauth/users/listing", nil, 200)
		w.allowlist(t, boss, token)
		token = w.forgot(t, token)
		w.offboard(t, boss, token, anna)
	})
}

// found makes the workspace, its administrator, and a client that provisions.
func (w *workspace) found(t *testing.T) {
	t.Helper()
	must(t, w.admin, "/Org/Create", object{"Name": "Nord"}, nil)
	must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "boss@limen", "Mail": "boss@example.com", "DisplayName": "Berta Boss", "Password": password, "OrgPath": "/Nord"}, nil)
	must(t, w.admin, "/Roles/StoreRole", object{"Name": "Nord administrators", "OrgPath": "/Nord", "Users": []string{"boss@limen"}}, nil)
	must(t, w.admin, "/Roles/AssignSuperRights", []object{
		{"Role": "Nord administrators", "Path": "/lib/rights/dsman.json"}, {"Role": "Nord administrators", "Path": "/lib/rights/roleman.json"},
	}, nil)
	must(t, w.admin, "/CDirectoryService/CreateUser", object{"Name": "hr@limen", "Mail": "hr@example.com", "Password": password, "ServiceUser": true}, nil)
	must(t, w.admin, "/Roles/StoreRole", object{"Name": "Provisioning", "Users": []string{"hr@limen"}}, nil)
	must(t, w.admin, "/Roles/AssignSuperRights", []object{{"Role": "Provisioning", "Path": "/lib/rights/dsman.json"}, {"Role": "Provisioning", "Path": "/lib/rights/roleman.json"}}, nil)
	var made struct{ Token string }
	must(t, w.admin, "/UserMgmt/CreateProvisioningToken", object{"ID": "hr@limen", "Name": "HR system", "Days": 1}, &made)
	w.scim = made.Token
}

// call makes a call that has to be answered by a status.
func (w *workspace) call(t *testing.T, token, method, path string, body any, want int) object {
	t.Helper()
	status, out := w.ask(t, w.anyone, token, method, path, body)
	if status != want {
		t.Fatalf("%s %s: %d %v, and not %d", method, path, status, out, want)
	}
	return out
}

func (w *workspace) ask(t *testing.T, by *http.Client, token, method, path string, body any) (int, object) {
	t.Helper()
	sent := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		sent = string(b)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, w.base+path, strings.NewReader(sent))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := by.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out := object{}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil && res.ContentLength != 0 {
		t.Fatal(path, res.Status, err)
	}
	return res.StatusCode, out
}

// mailed waits for one more mail to an address than there were, and finds in the newest what a pattern says.
func (w *workspace) mailed(t *testing.T, to string, before int, what *regexp.Regexp) (found string) {
	t.Helper()
	eventually(t, 10*time.Second, "a mail to "+to, func() bool {
		if got := tray(t, w.Server, to); len(got) > before {
			found = what.FindString(got[0].Text)
		}
		return found != ""
	})
	return found
}

var (
	sixDigits = regexp.MustCompile(`\b\d{6}\b`)
	longToken = regexp.MustCompile(`[\w-]{43}`)
)

// enter signs somebody in by the password and a mailed code, and gives the token.
func (w *workspace) enter(t *testing.T, mail, secret string) string {
	t.Helper()
	before := len(tray(t, w.Server, mail))
	first := w.call(t, "", "POST", "/uauth/auth/login/user", object{"username": mail, "password": secret}, 200)
	second := w.call(t, first["token"].(string), "POST", "/uauth/auth/login/user/mfa/verification?mfaType=EMAIL", object{"verificationCode": w.mailed(t, mail, before, sixDigits)}, 200)
	if second["consumer"].(object)["businessProfileId"] == nil {
		t.Fatalf("%s is in no workspace: %v", mail, second)
	}
	return second["token"].(string)
}

// role makes a role that looks at people.
func (w *workspace) role(t *testing.T, boss string) float64 {
	t.Helper()
	group := w.call(t, boss, "POST", "/uauth/roles/role-group", object{"name": "Teams"}, 200)
	made := w.call(t, boss, "POST", "/uauth/roles/role", object{
		"name": "Lookers", "groupId": group["id"], "permissions": []object{{"name": "settings_users", "read": true}},
	}, 200)
	return made["id"].(float64)
}

const annas = "Walk-the-long-way-round-7"

// invite invites Anna, who registers with a password that satisfies the workspace.
func (w *workspace) invite(t *testing.T, boss string, role float64) (id string) {
	t.Helper()
	w.call(t, boss, "POST", "/uauth/users/invitations/invite", object{"email": "anna@example.com", "roleIds": []float64{role}}, 200)
	token := w.mailed(t, "anna@example.com", 0, longToken)
	if got := w.call(t, "", "GET", "/uauth/user/register/invitation/"+token, nil, 200); got["email"] != "anna@example.com" || got["businessProfileName"] != "Nord" {
		t.Error(got)
	}
	who := object{"email": "anna@example.com", "password": "Walk-long-7", "firstName": "Anna", "lastName": "Blum", "invitationToken": token}
	w.call(t, "", "POST", "/uauth/user/register", who, 400)
	who["password"] = annas
	made := w.call(t, "", "POST", "/uauth/user/register", who, 200)
	w.call(t, "", "POST", "/uauth/user/register", who, 400)
	return fmt.Sprint(int64(made["id"].(float64)))
}

// secondFactor has Anna set up an authenticator, and sign in with it.
func (w *workspace) secondFactor(t *testing.T) (token string) {
	t.Helper()
	first := w.enter(t, "anna@example.com", annas)
	secret := w.call(t, first, "POST", "/uauth/users/mfa/initialization", nil, 200)["secret"].(string)
	w.call(t, first, "POST", "/uauth/users/mfa/confirmation", object{"verificationCode": digits(t, secret, 0)}, 200)
	return w.strong(t, secret)
}

func digits(t *testing.T, secret string, ahead time.Duration) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, time.Now().Add(ahead))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// strong signs Anna in by the code of her authenticator that comes next.
func (w *workspace) strong(t *testing.T, secret string) string {
	t.Helper()
	first := w.call(t, "", "POST", "/uauth/auth/login/user", object{"username": "anna@example.com", "password": annas}, 200)
	second := w.call(t, first["token"].(string), "POST", "/uauth/auth/login/user/mfa/verification?mfaType=TOTP_AUTHENTICATOR",
		object{"verificationCode": digits(t, secret, 30*time.Second)}, 200)
	return second["token"].(string)
}

// person is Anna as a client that provisions sees her; nil: not at all.
func (w *workspace) person(t *testing.T) object {
	t.Helper()
	_, out := w.ask(t, w.anyone, w.scim, "GET", "/scim/v2/Users?filter=emails.value%20eq%20%22anna@example.com%22", nil)
	all, _ := out["Resources"].([]any)
	if len(all) == 0 {
		return nil
	}
	return all[0].(object)
}

// seen wants Anna to be the same person by every API.
func (w *workspace) seen(t *testing.T, token string, role float64) {
	t.Helper()
	mine := w.call(t, token, "GET", "/uauth/users/my-account", nil, 200)
	if mine["firstName"] != "Anna" || !strings.Contains(fmt.Sprint(mine["mfaMethods"]), "TOTP_AUTHENTICATOR") {
		t.Error(mine)
	}
	p := w.person(t)
	if p == nil || p["active"] != true || p["name"].(object)["familyName"] != "Blum" {
		t.Fatal("SCIM:", p)
	}
	if groups := fmt.Sprint(p["groups"]); !strings.Contains(groups, "Lookers") {
		t.Error("SCIM:", groups)
	}
	var u struct{ Name, DisplayName, State string }
	must(t, w.admin, "/CDirectoryService/GetUser", object{"ID": p["id"]}, &u)
	if u.DisplayName != "Anna Blum" || u.State != "None" || u.Name != "anna@limen" {
		t.Errorf("RPC: %+v", u)
	}
	w.call(t, token, "POST", "/uauth/users/invitations/invite", object{"email": "otto@example.com", "roleIds": []float64{role}}, 403)
}

// from is a client whose calls come from another address of this machine.
func (w *workspace) from(t *testing.T, address string) *http.Client {
	t.Helper()
	tr := w.anyone.Transport.(*http.Transport).Clone()
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 0))}
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return d.DialContext(ctx, network, "127.0.0.1:"+strconv.Itoa(w.Port))
	}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

// allowlist lets people in from one address, and from no other one.
func (w *workspace) allowlist(t *testing.T, boss, anna string) {
	t.Helper()
	const path, list = "/uauth/settings/user-bp-ip-policy", "/uauth/users/listing"
	elsewhere := w.from(t, "127.0.0.2")
	if status, _ := w.ask(t, elsewhere, anna, "GET", list, nil); status != 200 {
		t.Fatal("before the list:", status)
	}
	w.call(t, boss, "POST", path, object{"enabled": true, "addresses": []string{"192.0.2.1"}, "allowSyneriseSubnets": false}, 400)
	w.call(t, boss, "POST", path, object{"enabled": true, "addresses": []string{"127.0.0.1"}, "allowSyneriseSubnets": false}, 200)
	if status, _ := w.ask(t, elsewhere, anna, "GET", list, nil); status == 200 {
		t.Error("an address that is not on the list lets in")
	}
	w.call(t, anna, "GET", list, nil, 200)
}

// forgot replaces Anna's password by a mailed code.
func (w *workspace) forgot(t *testing.T, token string) string {
	t.Helper()
	before := len(tray(t, w.Server, "anna@example.com"))
	w.call(t, "", "POST", "/uauth/password-reset/request", object{"email": "nobody@example.com"}, 200)
	w.call(t, "", "POST", "/uauth/password-reset/request", object{"email": "anna@example.com"}, 200)
	code := w.mailed(t, "anna@example.com", before, longToken)
	again := object{"token": code, "password": annas}
	w.call(t, "", "POST", "/uauth/password-reset/confirmation", again, 400)
	again["password"] = "Another-long-way-round-8"
	w.call(t, "", "POST", "/uauth/password-reset/confirmation", again, 200)
	eventually(t, 3*time.Second, "the sessions of before have ended", func() bool {
		status, _ := w.ask(t, w.anyone, token, "GET", "/uauth/users/listing", nil)
		return status == 401
	})
	before = len(tray(t, w.Server, "anna@example.com"))
	first := w.call(t, "", "POST", "/uauth/auth/login/user", object{"username": "anna@example.com", "password": again["password"]}, 200)
	step := first["token"].(string)
	w.call(t, step, "POST", "/uauth/auth/login/user/mfa/verification?mfaType=EMAIL", object{}, 200)
	second := w.call(t, step, "POST", "/uauth/auth/login/user/mfa/verification?mfaType=EMAIL",
		object{"verificationCode": w.mailed(t, "anna@example.com", before, sixDigits)}, 200)
	return second["token"].(string)
}

// offboard takes the workspace from Anna, gives it back, and removes her for good.
func (w *workspace) offboard(t *testing.T, boss, anna, id string) {
	t.Helper()
	ids := object{"ids": []json.Number{json.Number(id)}}
	w.call(t, anna, "GET", "/uauth/users/listing", nil, 200)
	w.call(t, boss, "POST", "/uauth/users/deactivate", ids, 200)
	eventually(t, 3*time.Second, "who was deactivated is out", func() bool {
		status, _ := w.ask(t, w.anyone, anna, "GET", "/uauth/users/listing", nil)
		return status == 403
	})
	if groups := fmt.Sprint(w.person(t)["groups"]); strings.Contains(groups, "Lookers") {
		t.Error("who was deactivated keeps the role:", groups)
	}
	w.call(t, boss, "POST", "/uauth/users/activate", ids, 200)
	w.call(t, anna, "GET", "/uauth/users/listing", nil, 200)
	w.call(t, boss, "DELETE", "/uauth/users/"+id, nil, 403) // a guest by the mail domain, which nobody has proved
	must(t, w.admin, "/UserMgmt/RemoveUser", object{"ID": w.person(t)["id"]}, nil)
	if p := w.person(t); p != nil {
		t.Error("SCIM still has her:", p)
	}
	w.call(t, boss, "GET", "/uauth/users/"+id, nil, 404)
	w.call(t, anna, "GET", "/uauth/users/my-account", nil, 401)
}
