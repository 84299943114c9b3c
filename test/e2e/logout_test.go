package e2e

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"limen/test/rig"
)

// listener is an application's own server, which wants to hear who leaves.
type listener struct {
	*httptest.Server
	heard chan string // logout tokens
	roots string      // file of the authority that the program is to trust
}

func listen(t *testing.T) *listener {
	t.Helper()
	l := &listener{heard: make(chan string, 10), roots: filepath.Join(t.TempDir(), "roots.pem")}
	l.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.heard <- r.PostFormValue("logout_token")
		w.Header().Set("Cache-Control", "no-store")
	}))
	t.Cleanup(l.Close)
	if err := os.WriteFile(l.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: l.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestBackChannelLogout has an application hear, over TLS, of a person who is signed out everywhere, and of the same person when they
// lose the application; what it was told is read by a foreign library, and what it answered by an administrator.
func TestBackChannelLogout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		l := listen(t)
		w := &site{Server: start(t, engine, rig.Options{Env: []string{"LIMEN_ALLOW_NETWORK=127.0.0.0/8", "SSL_CERT_FILE=" + l.roots}})}
		w.anyone, w.admin = client(t, w.Server), admin(t, w.Server)
		r := w.relyingParty(t, object{"backchannel_logout_uri": l.URL + "/left", "backchannel_logout_session_required": true})
		login := w.person(t, "wilma", object{"ServiceUser": true})
		var me struct{ UserUuid string }
		_, s, err := w.anyone.Password(t.Context(), login, password)
		if err != nil {
			t.Fatal(err)
		}
		must(t, w.anyone.As(s.Auth), "/Security/WhoAmI", nil, &me)
		user := me.UserUuid
		permit := func(rights string) {
			t.Helper()
			must(t, w.admin, "/SaasManage/SetApplicationPermissions", object{
				"ID": r.id(t, w), "Grants": []object{{"PType": "User", "PrincipalId": user, "Rights": rights}},
			}, nil)
		}
		permit("View,Execute")

		for reason, leave := range map[string]func(){
			"everywhere":  func() { must(t, w.admin, "/UserMgmt/SignOutEverywhere", object{"id": user}, nil) },
			"access lost": func() { permit("None") },
		} {
			token := r.signIn(t, w, login)
			if !r.active(t, w, token.AccessToken) {
				t.Fatalf("%s: the token is not good", reason)
			}
			leave()
			if r.active(t, w, token.AccessToken) {
				t.Errorf("%s: the token outlives it", reason)
			}
			select {
			case told := <-l.heard:
				r.told(t, told, user)
			case <-time.After(30 * time.Second):
				t.Fatalf("%s: nobody was told", reason)
			}
			eventually(t, 10*time.Second, "the receipt for "+reason, func() bool { return w.receipt(t, user, reason) == "acknowledged" })
			permit("View,Execute")
		}
	})
}

// told checks a logout token as its receiver must (OpenID Connect Back-Channel Logout section 2.6).
func (r relying) told(t *testing.T, token, userID string) {
	t.Helper()
	out, err := r.provider.Verifier(&oidc.Config{ClientID: r.config.ClientID}).Verify(r.ctx, token)
	if err != nil {
		t.Fatal(err)
	}
	var more struct {
		Events map[string]any
		SID    string
		Nonce  *string
	}
	if err := out.Claims(&more); err != nil || out.Subject != userID || more.SID == "" || more.Nonce != nil || more.Events["http://schemas.openid.net/event/backchannel-logout"] == nil {
		t.Errorf("%v %+v %+v", err, out, more)
	}
}

// signIn gets tokens in a session of its own.
func (r relying) signIn(t *testing.T, w *site, login string) *oauth2.Token {
	t.Helper()
	_, s, err := w.anyone.Password(t.Context(), login, password)
	if err != nil {
		t.Fatal(err)
	}
	verifier := oauth2.GenerateVerifier()
	u, err := url.Parse(r.config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier), oauth2.SetAuthURLParam("Auth", s.Auth)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.anyone.Do(t.Context(), http.MethodGet, u.RequestURI(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(a.Header.Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("%v %+v", err, a)
	}
	out, err := r.config.Exchange(r.ctx, back.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// receipt is the state of the newest receipt with a reason.
func (w *site) receipt(t *testing.T, user, reason string) string {
	t.Helper()
	var out struct {
		Results []struct {
			Row struct{ Reason, State string }
		}
	}
	must(t, w.admin, "/UserMgmt/GetLogoutReceipts", object{"ID": user}, &out)
	for _, r := range out.Results {
		if r.Row.Reason == reason {
			return r.Row.State
		}
	}
	return ""
}
