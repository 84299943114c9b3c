package authentication_test

import (
	"crypto/tls"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/authority"
	"limen/internal/core/upstream"
	made "limen/internal/wire/certificate/certificatetest"
)

func TestMain(m *testing.M) { apptest.Main(m) }

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata", prepare, certified, ringing) }

// prepare gives the exchanges the administrator's password, and the first label of the tenant's host.
// For those of identity providers there is a double of Google at {{provider}}; {{promised}} resumes the sign-in of plain, and {{state}} is that
// of one that has begun.
func prepare(t *testing.T, s *apptest.Site, name string) map[string]string {
	label, _, _ := strings.Cut(s.Host, ".")
	out := map[string]string{"password": apptest.Password, "label": label}
	switch name {
	case "ForgotUsername", "StartForgotUsername", "AdvanceForgotUsername":
		s.Set(t, "ForgotUsername.Allowed", "true")
		out["mail"] = s.Plain.Mail
	case "StartQRCodeAuthentication":
		s.Set(t, "Authentication.QRCode", "true")
	case "GetQRCodeStatus", "SubmitQRCode":
		maps.Copy(out, s.CodeExchange(t))
		d := s.Carry(t, s.Plain.ID)
		out["plainDevice"], out["plainYes"] = d.ID, s.AnswerCode(t, d, out["code"], true, out["number"])["Signature"].(string)
	case "SubmitDuo":
		d := withDuo(t, s)
		one, back := d.led()
		two, other := d.led()
		other.Set("duo_code", "abcdefghijklmnopqrstuvwxyz0")
		out["waiting"], out["wrong"], out["duo"] = one.session, two.session, one.ids["DUO"]
		out["response"], out["bad"] = url.QueryEscape(back.Encode()), url.QueryEscape(other.Encode())
	case "StartSocialAuthentication", "ResumeFromExtIdpAuth":
		p := s.Provider(t, upstream.Google)
		at, _ := s.AtProvider(t, upstream.Begin{Provider: upstream.Google})
		_, answer := p.Visit(at)
		out["provider"], out["state"], out["promised"] = p.URL, answer.Get("state"), s.Promised(t, s.Plain.ID, upstream.Google)
	}
	return out
}

// certified has the sign-ins by certificates go over TLS, where an authority is trusted that publishes whom it has revoked.
func certified(t *testing.T, s *apptest.Site, name string) map[string]string {
	if !slices.Contains([]string{"Sso", "Whoami"}, name) {
		return nil
	}
	root := made.Root(t, "Root")
	var list []byte
	lists := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(list) }))
	t.Cleanup(lists.Close)
	plain := made.Called(s.Plain.Name)
	of := map[string]tls.Certificate{"good": root.Issue(t, plain), "revoked": root.Issue(t, plain), "stranger": made.Root(t, "Root").Issue(t, plain)}
	list = root.List(t, nil, of["revoked"])
	s.Trust(t, "Root", authority.Principal, lists.URL, root.Cert)
	s.ByCertificate(t, of)
	return nil
}
