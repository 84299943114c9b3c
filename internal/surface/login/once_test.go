package login_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/core/upstream"
)

// atOnce sends the same request several times side by side, and says which of the answers are of a sign-in.
func atOnce(t *testing.T, s *apptest.Site, n int, method, path string, cookies []*http.Cookie, signedIn func(res *http.Response, body string) bool) (out []bool) {
	t.Helper()
	out = make([]bool, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
			if err != nil {
				t.Error(err)
				return
			}
			r.Host = s.Host
			for _, k := range cookies {
				r.AddCookie(k)
			}
			res, err := s.HTTP.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode >= http.StatusInternalServerError {
				t.Errorf("%d %s %v", res.StatusCode, body, err)
			}
			out[i] = signedIn(res, string(body))
		})
	}
	all.Wait()
	return out
}

func count(all []bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

// hasSession says whether an answer has the cookie of a session.
func hasSession(res *http.Response, _ string) bool {
	return slices.ContainsFunc(res.Cookies(), func(k *http.Cookie) bool { return k.Name == ".ASPXAUTH" && k.Value != "" })
}

// An answer signs in once, also where it comes several times at the same moment: each found the sign-in waiting, and the provider gives tokens
// for its code each time.
func TestOneAnswerSignsInOnceSideBySide(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		const n = 4
		s := srv.Tenant(t)
		p := provider(t, s, upstream.Google)
		home, b := newBrowser(t, s), newBrowser(t, s)
		home.signedIn(s.Plain.ID, "UP")
		home.connect(p, upstream.Google)
		path, answer := p.Visit(b.toProvider(upstream.Google))
		var met sync.WaitGroup
		met.Add(n)
		p.Redeemed = func() { met.Done(); met.Wait() } // nobody goes on before all have found the sign-in
		got := atOnce(t, s, n, http.MethodGet, path+"?"+answer.Encode(), b.jar.Cookies(b.at("/")), hasSession)
		if count(got) != 1 {
			t.Errorf("signed in %d times", count(got))
		}
	})
}

// What resumes a sign-in that came back does so once.
func TestOnePromiseIsRedeemedOnceSideBySide(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		provider(t, s, upstream.Google)
		promised := url.Values{"ExtIdpAuthChallengeState": {s.Promised(t, s.Plain.ID, upstream.Google)}, "customerId": {s.ID}}
		got := atOnce(t, s, 4, http.MethodPost, "/Security/ResumeFromExtIdpAuth?"+promised.Encode(), nil, func(_ *http.Response, body string) bool {
			return strings.Contains(body, `"Summary":"LoginSuccess"`)
		})
		if count(got) != 1 {
			t.Errorf("signed in %d times", count(got))
		}
	})
}
