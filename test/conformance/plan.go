package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// plan is one of the suite's, and the application that it needs.
type plan struct {
	short, name string
	variant     map[string]string
	flows       string // AllowedAuth of the application
	shared      bool   // by the tenant's issuer, which all applications have
	fapi        string // FAPI of the application
}

// static is a client that the configuration names, and a provider that says in its document what it can.
var static = map[string]string{"server_metadata": "discovery", "client_registration": "static_client"}

var plans = []plan{
	{short: "config", name: "oidcc-config-certification-test-plan", flows: "AuthorizationCode"},
	{short: "basic", name: "oidcc-basic-certification-test-plan", variant: static, flows: "AuthorizationCode"},
	{short: "shared-config", name: "oidcc-config-certification-test-plan", flows: "AuthorizationCode", shared: true},
	{short: "shared-basic", name: "oidcc-basic-certification-test-plan", variant: static, flows: "AuthorizationCode", shared: true},
	{short: "formpost-basic", name: "oidcc-formpost-basic-certification-test-plan", variant: static, flows: "AuthorizationCode"},
	{short: "implicit", name: "oidcc-implicit-certification-test-plan", variant: static, flows: "Implicit"},
	{short: "formpost-implicit", name: "oidcc-formpost-implicit-certification-test-plan", variant: static, flows: "Implicit"},
	{short: "hybrid", name: "oidcc-hybrid-certification-test-plan", variant: static, flows: "AuthorizationCode,Implicit"},
	{short: "formpost-hybrid", name: "oidcc-formpost-hybrid-certification-test-plan", variant: static, flows: "AuthorizationCode,Implicit"},
	{short: "logout", name: "oidcc-rp-initiated-logout-certification-test-plan", variant: logout, flows: "AuthorizationCode"},
	{short: "backchannel", name: "oidcc-backchannel-rp-initiated-logout-certification-test-plan", variant: logout, flows: "AuthorizationCode"},
	{short: "frontchannel", name: "oidcc-frontchannel-rp-initiated-logout-certification-test-plan", variant: logout, flows: "AuthorizationCode"},
	{short: "dynamic", name: "oidcc-dynamic-certification-test-plan", variant: map[string]string{"response_type": "code"}, flows: "AuthorizationCode,Implicit"},
	{short: "fapi", name: security, variant: fapi("private_key_jwt", "dpop"), flows: "AuthorizationCode", fapi: "security"},
	{short: "fapi-bound", name: security, variant: fapi("private_key_jwt", "mtls"), flows: "AuthorizationCode", fapi: "security"},
	{short: "fapi-mtls", name: security, variant: fapi("mtls", "mtls"), flows: "AuthorizationCode", fapi: "security"},
	{short: "fapi-mtls-dpop", name: security, variant: fapi("mtls", "dpop"), flows: "AuthorizationCode", fapi: "security"},
	{short: "signed", name: signing, variant: signed("private_key_jwt", "dpop"), flows: "AuthorizationCode", fapi: "message-signing"},
	{short: "signed-bound", name: signing, variant: signed("private_key_jwt", "mtls"), flows: "AuthorizationCode", fapi: "message-signing"},
	{short: "signed-mtls", name: signing, variant: signed("mtls", "mtls"), flows: "AuthorizationCode", fapi: "message-signing"},
	{short: "signed-mtls-dpop", name: signing, variant: signed("mtls", "dpop"), flows: "AuthorizationCode", fapi: "message-signing"},
	{short: "ciba-poll", name: backchannel, variant: ciba("private_key_jwt", "poll"), flows: "CIBA"},
	{short: "ciba-ping", name: backchannel, variant: ciba("private_key_jwt", "ping"), flows: "CIBA"},
	{short: "ciba-poll-mtls", name: backchannel, variant: ciba("mtls", "poll"), flows: "CIBA"},
	{short: "ciba-ping-mtls", name: backchannel, variant: ciba("mtls", "ping"), flows: "CIBA"},
}

// Plans that are run in several variants.
const (
	security    = "fapi2-security-profile-final-test-plan"
	signing     = "fapi2-message-signing-final-test-plan"
	backchannel = "fapi-ciba-id1-test-plan"
)

// logout is for plans that leave the response type open.
var logout = map[string]string{"client_registration": "static_client", "response_type": "code"}

// fapi is for plans of FAPI 2.0: how clients prove themselves and to what tokens are bound, and what else they leave open.
func fapi(proof, bond string) map[string]string {
	return map[string]string{"fapi_profile": "plain_fapi", "client_auth_type": proof, "sender_constrain": bond, "openid": "openid_connect", "authorization_request_type": "simple"}
}

// signed is the same where requests and answers are signed.
func signed(proof, bond string) map[string]string {
	out := fapi(proof, bond)
	out["fapi_request_method"], out["fapi_response_mode"] = "signed_non_repudiation", "jarm"
	return out
}

// ciba is for plans of FAPI-CIBA: how clients prove themselves, and how they hear of decisions.
func ciba(proof, mode string) map[string]string {
	return map[string]string{"fapi_ciba_profile": "plain_fapi", "client_auth_type": proof, "ciba_mode": mode, "client_registration": "static_client"}
}

// bound is whether tokens are bound to certificates; those of FAPI-CIBA always are.
func (p plan) bound() bool {
	return p.variant["sender_constrain"] == "mtls" || p.variant["ciba_mode"] != ""
}

// certified is whether clients have certificates.
func (p plan) certified() bool { return p.bound() || p.variant["client_auth_type"] == "mtls" }

// title is the plan's name, and what tells it from others of that name.
func (p plan) title() string {
	var out []string
	for _, key := range []string{"client_auth_type", "sender_constrain", "ciba_mode"} {
		if v := p.variant[key]; v != "" {
			out = append(out, v)
		}
	}
	if p.shared {
		out = append(out, "the tenant's issuer")
	}
	if len(out) == 0 {
		return p.name
	}
	return p.name + " (" + strings.Join(out, ", ") + ")"
}

// runner runs plans.
type runner struct {
	suite  suite
	world  *world
	desk   *desk
	tests  []string
	trace  bool   // prints what the browser opens
	logs   string // directory for the suite's logs; empty: they are not kept
	atOnce int    // plans
}

// cast are a plan's people: who uses the application, and somebody else, who has agreed to nothing.
type cast struct{ user, other account }

// people makes a plan's people. Who is asked while they are elsewhere must be no service user; the others are, so that their password
// alone signs them in.
func (w *world) people(ctx context.Context, p plan) (out cast, err error) {
	if out.user, err = w.account(ctx, p.short, "Connie Stone", p.variant["ciba_mode"] == ""); err != nil {
		return out, err
	}
	out.other, err = w.account(ctx, p.short+"-other", "Rolf Hill", true)
	return out, err
}

// plan makes an application and runs the tests.
func (r runner) plan(ctx context.Context, p plan) (outcome, error) {
	out := outcome{plan: p}
	alias := "limen-" + p.short
	base := frontURL + "/test/a/" + alias
	who, err := r.world.people(ctx, p)
	if err != nil {
		return out, err
	}
	first, second, err := r.clients(ctx, p, base, who.user, who.other)
	if err != nil {
		return out, err
	}
	resource := r.world.server.URL
	if p.bound() {
		resource = r.world.certURL
	}
	service := "/" + p.short
	if p.shared {
		service = ""
	}
	config := map[string]any{
		"alias": alias, "description": "Limen", "server": map[string]any{
			"discoveryUrl": r.world.server.URL + service + "/.well-known/openid-configuration", "login_hint": who.user.name,
		},
		"client": first.config, "client2": second.config, "client_secret_post": first.config,
		"resource": map[string]any{"resourceUrl": resource + "/OAuth2/UserInfo" + service},
	}
	if first.mtls != nil {
		config["mtls"], config["mtls2"] = first.mtls, second.mtls
	}
	if p.variant["ciba_mode"] != "" {
		config["automated_ciba_approval_url"] = r.desk.address(p.short, who.user)
		for _, c := range []client{first, second} {
			c.config["hint_type"], c.config["hint_value"], c.config["acr_value"] = "login_hint", who.user.name, "High"
		}
	}
	planID, modules, err := r.suite.plan(ctx, p.name, p.variant, config)
	if err != nil {
		return out, err
	}
	for _, m := range modules {
		if len(r.tests) > 0 && !slices.Contains(r.tests, m.Name) {
			continue
		}
		t, err := r.test(ctx, p, planID, who, m)
		if err != nil {
			return out, err
		}
		fmt.Printf("%-18s %-12s %-11s %s %v\n", p.short, t.state.Status, t.state.Result, m.Name, t.findings)
		out.tests = append(out.tests, t)
	}
	return out, nil
}

// result is what came of a test, and what it found.
type result struct {
	module
	state    state
	findings []string
}

// limit is how long a test may take: some wait until what they got has expired.
const limit = 5 * time.Minute

// test runs a test to its end.
func (r runner) test(ctx context.Context, p plan, planID string, of cast, m module) (out result, err error) {
	out.module = m
	if p.variant["ciba_mode"] != "" {
		if err := r.desk.clear(ctx, p.short); err != nil {
			return out, err
		}
	}
	id, err := r.suite.begin(ctx, planID, m)
	if err != nil {
		return out, err
	}
	user := of.user
	rejects := strings.Contains(m.Name, "user-rejects")
	if rejects {
		user = of.other
	}
	who, err := newPerson(user, r.world, frontURL)
	if err != nil {
		return out, err
	}
	who.trace, who.refuses, who.stays = r.trace, rejects, strings.HasSuffix(m.Name, "no-id-token-hint")
	if err := r.attend(ctx, id, who, &out); err != nil {
		return out, err
	}
	lines, err := r.suite.log(ctx, id)
	for _, e := range lines {
		if e.Result == "FAILURE" || e.Result == "WARNING" {
			out.findings = append(out.findings, fmt.Sprintf("%s: %s: %s", strings.ToLower(e.Result), e.Source, e.Message))
		}
	}
	if err == nil && r.logs != "" {
		err = r.keep(ctx, id, p.short+" "+m.Name)
	}
	return out, err
}

// keep keeps the suite's log of a test.
func (r runner) keep(ctx context.Context, id, name string) error {
	var text json.RawMessage
	if err := r.suite.call(ctx, http.MethodGet, "/api/log/"+id, nil, nil, &text); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.logs, name+" "+id+".json"), text, 0o600)
}

// attend does what a test waits for, until it ends or takes too long.
func (r runner) attend(ctx context.Context, id string, who *person, out *result) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	started := false
	for {
		var err error
		if out.state, err = r.suite.state(ctx, id); err == nil {
			switch out.state.Status {
			case "FINISHED", "INTERRUPTED":
				return nil
			case "CONFIGURED":
				if !started {
					started, err = true, r.start(ctx, id, out.Name)
				}
			case "WAITING":
				err = r.browse(ctx, id, who, out)
			}
		}
		if ctx.Err() != nil {
			out.findings = append(out.findings, "the test did not end")
			return r.suite.call(context.WithoutCancel(ctx), http.MethodDelete, "/api/runner/"+id, nil, nil, nil)
		}
		if err != nil {
			return err
		}
		time.Sleep(300 * time.Millisecond)
	}
}

// start starts a test that waits until it is told to: one of them until the keys are replaced that tokens are signed with.
func (r runner) start(ctx context.Context, id, name string) error {
	if name == "oidcc-server-rotate-keys" {
		if err := r.world.admin.Call(ctx, "/OAuth2/RotateKeys", map[string]any{}, nil); err != nil {
			return err
		}
	}
	return r.suite.call(ctx, http.MethodPost, "/api/runner/"+id, nil, nil, nil)
}

// How long after its last page a test is given the picture that it waits for: until then it may want to have more opened. One that people have
// come back to may yet read what they brought: tests that would take a picture of an error do not want one then.
const (
	settle     = 2 * time.Second
	settleBack = 20 * time.Second
)

// browse opens what a test wants opened, and shows it what it wants to see.
func (r runner) browse(ctx context.Context, id string, who *person, out *result) error {
	due, err := r.suite.due(ctx, id)
	if err != nil {
		return nil //nolint:nilerr // the test has just ended
	}
	if len(due) == 0 {
		return r.show(ctx, id, who, out)
	}
	if err := r.suite.visited(ctx, id, due[0]); err != nil {
		return err
	}
	method := http.MethodGet
	if strings.Contains(out.Name, "ensure-post-request") {
		method = http.MethodPost
	}
	if strings.Contains(out.Name, "reused-request-uri-prior") && who.done.IsZero() { // somebody comes, and does not sign in yet
		_, err := who.ask(ctx, method, due[0], nil, nil)
		who.done = time.Now()
		return err
	}
	if err := who.open(ctx, method, due[0]); err != nil {
		out.findings = append(out.findings, "the browser: "+err.Error())
	}
	who.done = time.Now()
	return nil
}

// show gives a test that waits for nothing else a picture of the last page that was shown.
func (r runner) show(ctx context.Context, id string, who *person, out *result) error {
	wait := settle
	if who.back {
		wait = settleBack
	}
	if time.Since(who.done) < wait || len(who.shown.text) == 0 {
		return nil
	}
	who.done = time.Now()
	lines, err := r.suite.log(ctx, id)
	if err != nil {
		return err
	}
	for _, e := range lines {
		if e.Upload == "" {
			continue
		}
		shot, err := picture(ctx, who.shown)
		if err != nil {
			return err
		}
		out.findings = append(out.findings, fmt.Sprintf("shown was %s with status %d", who.shown.at.Path, who.shown.status))
		return r.suite.show(ctx, id, e.Upload, shot)
	}
	return nil
}

// picture is how a page looks, as a data URL.
func picture(ctx context.Context, p page) (string, error) {
	dir, err := os.MkdirTemp("", "limen-page")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	file, shot := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.png")
	if err := os.WriteFile(file, p.text, 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--window-size=500,400", "--screenshot="+shot, "file://"+file)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("chromium: %w\n%s", err, text)
	}
	raw, err := os.ReadFile(shot)
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(raw), err
}
