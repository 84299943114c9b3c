package proofing_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/proofing"
	"limen/internal/core/right"
	"limen/internal/core/signup"
	"limen/internal/core/user"
	"limen/internal/core/workflow"
	"limen/internal/fault"
	"limen/internal/op"
)

const secret = "Purple-Staple-7-Wagon"

// judging sends everybody for review, but for those whose description says otherwise. It asks no service.
const judging = `function request(user) { return {}; }
function verdict(answer, user) {
    if (user.name.indexOf("deny") === 0) return {decision: "deny", message: "Come in person."};
    if (user.name.indexOf("pass") === 0) { addAttributeInResponse("score_", 7); return {decision: "approve", riskScore: 7, riskLevel: "low"}; }
    if (user.name.indexOf("fail") === 0) throw new Error("no luck");
    return {decision: "review", riskScore: 61.5, riskLevel: "medium", details: {"Address": "known since 2019", "Lines": "a\nb", "Deep": {}}, link: "https://idv.example.com/p/1"};
}`

// desk is a tenant in which strangers register.
type desk struct {
	*apptest.Site
	t *testing.T
}

func opened(t *testing.T, s *apptest.Site) desk {
	t.Helper()
	limit := s.App.Kernel.Limit
	s.App.Kernel.Limit = func(*op.Call, *op.Op) *fault.Error { return nil }
	t.Cleanup(func() { s.App.Kernel.Limit = limit })
	for name, value := range map[string]string{"Signup.Allowed": "true", "Signup.RequireCaptcha": "false", "Authentication.Challenges": "UP"} {
		s.Set(t, name, value)
	}
	return desk{s, t}
}

type answer struct {
	Success   bool            `json:"success"`
	Result    json.RawMessage `json:"Result"`
	Message   string          `json:"Message"`
	MessageID string          `json:"MessageID"`
}

func (d desk) post(token, path string, body any) (out answer) {
	d.t.Helper()
	_, b := d.Call(d.t, token, http.MethodPost, path, body)
	if err := json.Unmarshal(b, &out); err != nil {
		d.t.Fatalf("%s: %s", path, b)
	}
	return out
}

func (d desk) setup(wish map[string]any) {
	d.t.Helper()
	if e := d.post(d.TokenOf(d.t, "admin"), "/IdentityVerification/UpdateIdentityVerificationConfiguration", wish); !e.Success {
		d.t.Fatal(e.Message)
	}
}

// register registers somebody; more are further members.
func (d desk) register(local string, more map[string]any) answer {
	d.t.Helper()
	body := map[string]any{"Name": local + "@" + d.Suffix, "Mail": local + "+" + d.ID + "@example.com", "Password": secret}
	for name, v := range more {
		body[name] = v
	}
	return d.post("", "/User/Signup", body)
}

// must registers somebody who waits then, and gives their id.
func (d desk) must(local string, more map[string]any) string {
	d.t.Helper()
	e := d.register(local, more)
	var in struct{ UserId, SignUpStatus string } //nolint:revive // the contract's spelling
	if err := json.Unmarshal(e.Result, &in); err != nil || !e.Success || in.SignUpStatus != "Pending" {
		d.t.Fatal(local, e.Message, string(e.Result))
	}
	return in.UserId
}

func (d desk) decide(token, id, status string) answer {
	d.t.Helper()
	return d.post(token, "/IdentityVerification/UpdateUserSignUpStatus", map[string]any{"UserId": id, "Status": status, "Reason": "Because."})
}

func (d desk) signsIn(local string) bool {
	d.t.Helper()
	return d.post("", "/Security/Login", map[string]any{"TenantId": d.ID, "User": local + "@" + d.Suffix, "Password": secret}).Success
}

// form sends a form, and gives the status.
func (d desk) form(path string, values url.Values) int {
	d.t.Helper()
	r, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.URL+path, strings.NewReader(values.Encode()))
	if err != nil {
		d.t.Fatal(err)
	}
	r.Host = d.Host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := d.HTTP.Do(r)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

func (d desk) person(id string) (u user.User) {
	d.t.Helper()
	c := d.App.Shell(d.ID)
	if err := c.Snapshot(d.t.Context(), func() (err error) {
		u, err = d.App.People.ByID(d.t.Context(), c, id)
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return u
}

func eachDesk(t *testing.T, f func(d desk)) {
	apptest.Each(t, func(t *testing.T, s *apptest.Server) { f(opened(t, s.Tenant(t))) })
}

var approval = map[string]any{"ApprovalWorkflowEnabled": true}

// TestApproval: who registers waits, approvers are written to once, nobody is let in before, and the person is told what was decided.
func TestApproval(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(approval)
		admin, mail := d.TokenOf(t, "admin"), func(local string) string { return local + "+" + d.ID + "@example.com" }
		gina, hans := d.must("gina", nil), d.must("hans", nil)
		if d.signsIn("gina") || d.signsIn("hans") {
			t.Fatal("somebody who waits signed in")
		}
		if got := d.post(admin, "/JobFlow/GetMyJobs", map[string]any{"type": "approve"}); !strings.Contains(string(got.Result), "Sign-up of gina@") {
			t.Error("the administrator has no job:", string(got.Result))
		}
		for id, status := range map[string]string{gina: "Approved", hans: "Rejected"} {
			if e := d.decide(admin, id, status); !e.Success {
				t.Fatal(e.Message)
			}
		}
		if !d.signsIn("gina") || d.signsIn("hans") {
			t.Error("the wrong one signs in")
		}
		d.Mailed(t, mail("gina"), regexp.MustCompile("was approved"))
		d.Mailed(t, mail("gina"), regexp.MustCompile("token="))
		d.Mailed(t, mail("hans"), regexp.MustCompile("Because."))
		events := d.Events(t)
		for _, want := range []string{audit.SignUpDecide, `"SignUp":{"new":"","old":"Pending"}`, `"SignUp":{"new":"Rejected","old":"Pending"}`} {
			if !strings.Contains(events, want) {
				t.Errorf("no event has %s:\n%s", want, events)
			}
		}
	})
}

// TestWaitingSignsInNowhere: by no dialect, and neither past the password.
func TestWaitingSignsInNowhere(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(approval)
		id := d.must("gina", nil)
		name := "gina@" + d.Suffix
		for path, body := range map[string]any{
			"/uauth/auth/login/user":                 map[string]any{"username": name, "password": secret},
			"/PasswordVault/API/auth/Cyberark/Logon": map[string]any{"username": name, "password": secret},
			"/Security/Login":                        map[string]any{"TenantId": d.ID, "User": name, "Password": secret},
		} {
			if code, b := d.Call(t, "", http.MethodPost, path, body); code == http.StatusOK && !strings.Contains(string(b), `"success":false`) {
				t.Errorf("%s: %d %s", path, code, b)
			}
		}
		for _, form := range []url.Values{
			{"grant_type": {"password"}, "client_id": {"wiki"}, "username": {name}, "password": {secret}},
			{"grant_type": {"client_credentials"}, "client_id": {name}, "client_secret": {secret}},
		} {
			if code := d.form("/oauth2/token/wiki", form); code == http.StatusOK {
				t.Errorf("%s gives a token", form["grant_type"])
			}
		}
		// neither a provisioning client nor the Vault's interface lets them in
		admin := d.TokenOf(t, "admin")
		for _, body := range []map[string]any{
			{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []any{map[string]any{"op": "replace", "path": "active", "value": true}}},
			{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": []any{map[string]any{"op": "replace", "value": map[string]any{"active": true}}}},
		} {
			code, b := d.Call(t, admin, http.MethodPatch, "/scim/v2/Users/"+id, body)
			if u := d.person(id); !u.Disabled || code < 400 {
				t.Errorf("SCIM: %d %s", code, b)
			}
		}
		if _, b := d.Call(t, admin, http.MethodGet, "/scim/v2/Users/"+id, nil); !strings.Contains(string(b), `"active":false`) {
			t.Errorf("SCIM tells %s", b)
		}
		// an administrator does not enable them by accident, by whatever dialect
		for _, change := range []user.Change{{State: &user.State{}}, {State: &user.State{Locked: true}}} {
			var got error
			d.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
				_, got = d.App.People.Change(ctx, c, id, change)
				return nil
			})
			if !errors.Is(got, user.ErrSignup) {
				t.Error(got)
			}
		}
		d.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := d.App.People.Change(ctx, c, id, user.Change{Suspended: new(true)})
			if err == nil {
				_, err = d.App.People.Change(ctx, c, id, user.Change{Suspended: new(false)})
			}
			return err
		})
		if u := d.person(id); !u.Disabled || !u.Barred(time.Now()) {
			t.Error("they are not barred any more")
		}
		// a session that somebody opened for them all the same proves nothing
		if e := d.post(d.SignedIn(t, id), "/UserMgmt/GetUserInfo", nil); e.Success {
			t.Error("a session of theirs works")
		}
	})
}

// TestDecidingTwiceAtOnce: of many decisions at once one counts, wherever they are made.
func TestDecidingTwiceAtOnce(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(approval)
		id, admin := d.must("gina", nil), d.TokenOf(t, "admin")
		var all sync.WaitGroup
		var mu sync.Mutex
		counted := map[string]int{}
		for i := range 8 {
			status := []string{"Approved", "Rejected"}[i%2]
			all.Go(func() {
				if e := d.decide(admin, id, status); e.Success {
					mu.Lock()
					counted[status]++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if counted["Approved"]+counted["Rejected"] != 1 {
			t.Error(counted)
		}
		if in := d.signsIn("gina"); in != (counted["Approved"] == 1) {
			t.Error(in, counted)
		}
	})
}

// TestDecidingForWhoIsGone: who was deleted cannot be let in, and what was found about them is gone with them.
func TestDecidingForWhoIsGone(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(approval)
		id := d.must("gina", nil)
		var j workflow.Job
		d.Do(t, audit.UserDelete, func(ctx context.Context, c *call.Call) (err error) {
			if j, err = d.App.Flows.SignUpOf(ctx, c, id); err != nil {
				return err
			}
			if err := d.App.People.Delete(ctx, c, id); err != nil {
				return err
			}
			_, found, err := d.App.Proofings.Of(ctx, c, id)
			if found {
				t.Error("what was found is kept")
			}
			return err
		})
		admin := d.TokenOf(t, "admin")
		if e := d.decide(admin, id, "Approved"); e.MessageID != "user.not_found" {
			t.Error(e)
		}
		if e := d.post(admin, "/JobFlow/Event", map[string]any{"jobid": j.ID, "event": "approve", "args": map[string]any{}}); e.MessageID != "workflow.not_found" {
			t.Error(e)
		}
		d.must("gina", nil) // the name and the address are free again
	})
}

// TestApprovingOneself: who may approve others lets themselves in under no other name, and who waits has no part in the request.
func TestApprovingOneself(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(approval)
		own := "own+" + d.ID + "@example.com"
		d.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := d.App.People.Change(ctx, c, d.Admin.ID, user.Change{Mail: &own})
			return err
		})
		id, admin := d.must("gina", map[string]any{"Mail": strings.ToUpper(own)}), d.TokenOf(t, "admin")
		if e := d.decide(admin, id, "Approved"); e.MessageID != "workflow.same_person" {
			t.Error(e)
		}
		var err error
		d.Do(t, audit.WorkflowAnswer, func(ctx context.Context, c *call.Call) error {
			c.Caller = &call.Caller{User: id}
			_, err = d.App.Flows.Decide(ctx, c, id, workflow.Answer{Event: "approve", Over: true})
			return nil
		})
		if !errors.Is(err, workflow.ErrOwn) {
			t.Error(err)
		}
		if d.signsIn("gina") {
			t.Error("in")
		}
		if e := d.decide(admin, id, "Rejected"); !e.Success {
			t.Error("they cannot even reject it:", e)
		}
	})
}

// TestForgedVerdict: what is posted is what the script sees, and nothing else.
func TestForgedVerdict(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(map[string]any{"IdentityProofingEnabled": true, "Provider": "Ours", "Script": judging, "ApprovalWorkflowEnabled": true})
		d.Do(t, audit.AttributesSchema, func(ctx context.Context, c *call.Call) error {
			return attribute.Attributes{}.Replace(ctx, c, []attribute.Column{{Name: "score_", Type: attribute.Int}, {Name: "note_", Type: attribute.Text, Editable: true}})
		})
		id := d.must("gina", map[string]any{
			"decision": "approve", "Decision": "approve", "said": map[string]any{"decision": "approve"},
			"Signup": "", "SignUpStatus": "Approved", "State": "None", "note_": `"}, decision: "approve", x: {"`, "DisplayName": `approve"}); ({decision:"approve`,
		})
		if d.signsIn("gina") || d.person(id).Signup != user.SignupPending {
			t.Error("a stranger judged themselves")
		}
		if e := d.register("denys", nil); e.MessageID != "proofing.denied" || e.Message != "Come in person." {
			t.Error(e)
		}
		e := d.register("passepartout", nil)
		if !e.Success || !strings.Contains(string(e.Result), `"score_":7`) || !d.signsIn("passepartout") {
			t.Error(e.Message, string(e.Result))
		}
	})
}

// TestFailing: where the script fails nobody is let in, whatever is configured.
func TestFailing(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(map[string]any{"IdentityProofingEnabled": true, "Provider": "Ours", "Script": judging})
		for _, local := range []string{"failing", "gina", "passing"} { // nobody reviews, and there is no such attribute as passing wants
			if e := d.register(local, nil); e.MessageID != "proofing.denied" || d.signsIn(local) {
				t.Error(local, e)
			}
		}
		if events := d.Events(t); !strings.Contains(events, audit.ProofingFail) || !strings.Contains(events, "no luck") {
			t.Error(events)
		}
		d.setup(map[string]any{"ApprovalWorkflowEnabled": true, "FailureAction": "Approval"})
		if d.must("failing", nil); d.signsIn("failing") {
			t.Error("in")
		}
	})
}

// TestRefusedTriesAgain: neither under the name nor with the address, and how often is counted.
func TestRefusedTriesAgain(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(approval)
		mail := map[string]any{"Mail": "gina+" + d.ID + "@example.com"}
		id := d.must("gina", mail)
		if e := d.register("regina", mail); e.MessageID != "signup.full" {
			t.Error("somebody waits twice:", e)
		}
		if e := d.decide(d.TokenOf(t, "admin"), id, "Rejected"); !e.Success {
			t.Fatal(e)
		}
		for _, local := range []string{"gina", "regina"} {
			if e := d.register(local, mail); e.Success {
				t.Error(local, "is back")
			}
		}
		if e := d.post("", "/Security/ForgotUsername", mail); strings.Contains(string(e.Result), "gina@") {
			t.Error(e)
		}
	})
}

// TestFloodedApprovers: many who register are one mail to each approver.
func TestFloodedApprovers(t *testing.T) {
	eachDesk(t, func(d desk) {
		boss := "boss+" + d.ID + "@example.com"
		d.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := d.App.People.Change(ctx, c, d.Admin.ID, user.Change{Mail: &boss})
			return err
		})
		d.setup(approval)
		before := time.Now()
		for _, local := range []string{"anna", "bert", "cora", "dora"} {
			d.must(local, nil)
		}
		d.Mailed(t, boss, regexp.MustCompile("anna"))
		d.decide(d.TokenOf(t, "admin"), "dora@"+d.Suffix, "Approved")
		d.Mailed(t, "dora+"+d.ID+"@example.com", regexp.MustCompile("was approved")) // whatever is behind the others has been delivered
		n := 0
		for _, m := range d.App.Tray.To(boss) {
			if strings.Contains(m.Text, "registered at") {
				n++
			}
		}
		if hours := int(time.Since(before)/time.Hour) + 2; n < 1 || n > hours { // one, and one more where an hour has begun meanwhile
			t.Error(n, "mails to one approver")
		}
	})
}

// TestDelegated: who administers an organization decides about its people, and about no others.
func TestDelegated(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(approval)
		nord := d.Org(t, "Nord", "")
		role := d.RoleIn(t, "Nord admins", nord, right.UserManagement)
		boss := d.Person(t, "boss")
		d.Settle(t, boss.ID, nord, role)
		token, gina, hans := d.SignedIn(t, boss.ID), d.must("gina", nil), d.must("hans", nil)
		d.Do(t, audit.UserChange, func(ctx context.Context, c *call.Call) error {
			_, err := d.App.People.Change(ctx, c, gina, user.Change{Org: &nord, OrgSettled: true})
			return err
		})
		if e := d.decide(token, hans, "Approved"); e.MessageID != "user.not_found" {
			t.Error(e)
		}
		if e := d.post(token, "/IdentityVerification/GetIdentityProofingInfo", map[string]any{"userId": hans}); e.MessageID != "user.not_found" {
			t.Error(e)
		}
		if e := d.decide(token, gina, "Approved"); !e.Success || !d.signsIn("gina") {
			t.Error(e)
		}
	})
}

// TestOnePath: who registers by mail first, as pages and the Synerise dialect do, is looked at and approved alike; and a code is used up by who is
// refused.
func TestOnePath(t *testing.T) {
	eachDesk(t, func(d desk) {
		d.setup(map[string]any{"IdentityProofingEnabled": true, "Provider": "Ours", "Script": judging, "ApprovalWorkflowEnabled": true})
		confirm := func(local string) (made signup.Confirmed, again, err error) {
			mail := local + "@" + strings.ToLower(d.ID) + ".example"
			ready, err := d.App.Signups.Prepare(t.Context(), d.App.Shell(d.ID), signup.Wish{Mail: mail, Plain: secret, Given: "Gina"})
			if err != nil {
				t.Fatal(err)
			}
			browser := ""
			d.Do(t, audit.UserRegister, func(ctx context.Context, c *call.Call) (err error) {
				browser, err = d.App.Signups.Register(ctx, c, ready)
				return err
			})
			code := d.Mailed(t, mail, regexp.MustCompile(`[\w-]{43}`))
			for _, to := range []*error{&err, &again} {
				f, wrong := d.App.Signups.Foresee(t.Context(), d.App.Shell(d.ID), code, browser)
				if wrong != nil {
					t.Fatal(wrong)
				}
				d.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
					var got signup.Confirmed
					if got, *to = d.App.Signups.Confirm(ctx, c, code, browser, f); *to == nil {
						made = got
					}
					return nil
				})
			}
			return made, again, err
		}
		if _, again, err := confirm("deny"); !errors.Is(err, proofing.ErrDenied) || !errors.Is(again, signup.ErrCode) {
			t.Error(err, again)
		}
		made, again, err := confirm("gina")
		if err != nil || !made.Waits || !errors.Is(again, signup.ErrCode) || d.person(made.Person.ID).Signup != user.SignupPending {
			t.Fatal(made.Waits, err, again)
		}
		if e := d.decide(d.TokenOf(t, "admin"), made.Person.ID, "Approved"); !e.Success {
			t.Error(e)
		}
		if e := d.post("", "/Security/Login", map[string]any{"TenantId": d.ID, "User": made.Person.Name, "Password": secret}); !e.Success {
			t.Error("they are approved, and cannot sign in:", e)
		}
	})
}
