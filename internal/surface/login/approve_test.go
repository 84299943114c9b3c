package login_test

import (
	"context"
	"net/http"
	"net/url"
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
)

const tillSecret = "correct-horse-battery"

// till is an application that has people asked who stand before it.
func till(t *testing.T, s *apptest.Site) (client string) {
	t.Helper()
	s.Do(t, audit.AppCreate, func(ctx context.Context, c *call.Call) error {
		it, err := s.App.Apps.Create(ctx, c, "Generic OpenID Connect")
		if err != nil {
			return err
		}
		out, err := s.App.Apps.Update(ctx, c, it.ID, app.Change{Members: map[string]any{
			"ServiceName": "till", "Name": "Till", "OAuthProfile": map[string]any{"AllowedAuth": "CIBA", "ClientSecret": tillSecret},
		}})
		if err != nil {
			return err
		}
		client = out.Profile.ClientID
		return s.App.Apps.Permit(ctx, c, it.ID, acl.Given{Kind: role.Sub, Principal: role.Everybody, Mask: acl.View | app.Execute})
	})
	return client
}

// asked has the till ask somebody, and gives the handle by which it learns what they decide.
func (b *browser) asked(client, who, message string) string {
	b.t.Helper()
	out := asks(b.t, b.s, "/OAuth2/BackchannelAuthorize/till", url.Values{
		"client_id": {client}, "client_secret": {tillSecret}, "scope": {"openid email"}, "login_hint": {who}, "binding_message": {message},
	})
	id, _ := out["auth_req_id"].(string)
	if id == "" {
		b.t.Fatalf("%v", out)
	}
	return id
}

func (b *browser) learned(client, id string) map[string]any {
	b.t.Helper()
	return asks(b.t, b.s, "/OAuth2/Token/till", url.Values{
		"client_id": {client}, "client_secret": {tillSecret}, "grant_type": {"urn:openid:params:grant-type:ciba"}, "auth_req_id": {id},
	})
}

// Somebody who is asked sees who asks for what, from where and with which message, and answers; nobody answers for them.
func TestApprovals(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		client := till(t, s)
		b := newBrowser(t, s)
		first, second := b.asked(client, s.Plain.Name, "W-4711"), b.asked(client, s.Plain.Name, "<b>W</b>-4712")
		if to := b.do("GET", "/approvals", nil); target(t, to, "/login").Get("cloudRedirect") != "/approvals" {
			t.Fatal("who is not signed in is led to", to)
		}
		b.signedIn(s.Admin.ID, "UP")
		b.do("GET", "/approvals", nil)
		b.sees(200, "Nothing waits for you")
		b.signedIn(s.Plain.ID, "UP")
		b.do("GET", "/approvals", nil)
		b.sees(200, "Till asks for your approval", "W-4711", "&lt;b&gt;W&lt;/b&gt;-4712", "127.0.0.1", "5 min", "see your mail address", s.Plain.Name)
		latest := b.field("id")

		stranger := newBrowser(t, s)
		stranger.signedIn(s.Admin.ID, "UP")
		stranger.do("POST", "/approvals", url.Values{"id": {latest}, "do": {"agree"}})
		stranger.sees(404, "Nothing waits for you")

		b.do("POST", "/approvals", url.Values{"id": {latest}, "do": {"refuse"}})
		b.sees(200, "Refused", "Other requests that wait")
		b.do("POST", "/approvals", url.Values{"id": {latest}, "do": {"agree"}})
		b.sees(404, "W-4711")
		b.do("POST", "/approvals", url.Values{"id": {b.field("id")}, "do": {"agree"}})
		b.sees(200, "Approved", "Till goes on in your name")
		if got := b.learned(client, second); got["error"] != "access_denied" {
			t.Errorf("what was refused gives %v", got)
		}
		if got := b.learned(client, first); got["access_token"] == nil {
			t.Errorf("what was approved gives %v", got)
		}
	})
}

// A session in which nobody showed for a while who they are approves nothing: the page leads through a proof and back.
func TestApprovalWantsAFreshProof(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		client := till(t, s)
		b := newBrowser(t, s)
		id := b.asked(client, s.Admin.Name, "W-1")
		s.Do(t, audit.Login, func(ctx context.Context, c *call.Call) error {
			then := *c
			then.Now = c.Now.Add(-6 * time.Minute)
			token, _, err := s.App.Sessions.Create(ctx, &then, session.New{User: s.Admin.ID, Factors: []string{"UP"}, Idle: time.Hour})
			b.jar.SetCookies(b.at("/"), []*http.Cookie{{Name: ".ASPXAUTH", Value: token, Path: "/"}})
			return err
		})
		b.do("GET", "/approvals", nil)
		to := b.do("POST", "/approvals", url.Values{"id": {b.field("id")}, "do": {"agree"}})
		if target(t, to, "/login/more").Get("cloudRedirect") != "/approvals" {
			t.Fatal("led to", to)
		}
		b.do("GET", to, nil)
		b.sees(200, "One more proof is needed", "Till asks you")
		to = b.do("POST", "/login/more", url.Values{"cloudRedirect": {"/approvals"}, "challenge": {b.field("challenge")}})
		b.do("GET", to, nil)
		b.do("POST", "/login/answer", url.Values{"cloudRedirect": {"/approvals"}, "mechanism": {b.field("mechanism")}, "answer": {"wrong"}})
		b.sees(403, "Enter your password")
		b.do("POST", "/login/answer", url.Values{"cloudRedirect": {"/approvals"}, "mechanism": {b.field("mechanism")}, "answer": {apptest.Password}})
		b.sees(200, "0;url=/approvals")
		if got := b.learned(client, id); got["error"] != "authorization_pending" {
			t.Fatalf("nobody has decided: %v", got)
		}
		b.do("GET", "/approvals", nil)
		b.do("POST", "/approvals", url.Values{"id": {b.field("id")}, "do": {"agree"}})
		b.sees(200, "Approved")
		if !strings.Contains(b.body, "Till goes on") {
			t.Error(b.body)
		}
	})
}
