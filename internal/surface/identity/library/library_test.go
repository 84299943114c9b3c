package library_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/surface/identity/library"
	"limen/web/login"
)

func TestMain(m *testing.M) { apptest.Main(m) }

func TestExchanges(t *testing.T) { apptest.Exchanges(t, "testdata") }

// get asks for a path as it stands: clients do not normalise it.
func get(t *testing.T, s *apptest.Site, at string, headers map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+at, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	out, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }()
	body, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatal(err)
	}
	return out, string(body)
}

// The files of the widget are served at every spelling that clients use, kept as they should be, and read by nobody's scripts but those that the tenant named.
func TestFiles(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		s.Set(t, "Customer.AllowCors", `["https://app.example.com"]`)
		const script, style = "/vfslow/lib/uibuild/standalonelogin/login.js", "/vfslow/lib/uibuild/standalonelogin/css/login.css"
		for at, kind := range map[string]string{
			script: "text/javascript", style: "text/css", "/vfslow/lib/ui/../uibuild/standalonelogin/login.js": "text/javascript",
			"/VfsLow/Lib/uibuild/StandAloneLogin/Login.js?_ver=123": "text/javascript", "/vfslow/lib/uibuild/standalonelogin/zh-Hans.json": "application/json",
			"/api/idadmin/vfslow/lib/uibuild/standalonelogin/de.json": "application/json", "/vfslow//lib/./uibuild/standalonelogin/login.js": "text/javascript",
		} {
			out, body := get(t, s, at, nil)
			if out.StatusCode != http.StatusOK || !strings.HasPrefix(out.Header.Get("Content-Type"), kind+"; charset=utf-8") || body == "" ||
				out.Header.Get("Cache-Control") != "public, max-age=3600" || out.Header.Get("X-Content-Type-Options") != "nosniff" || out.Header.Get("Vary") != "Origin" {
				t.Errorf("%s: %d %v", at, out.StatusCode, out.Header)
			}
			again, body := get(t, s, at, map[string]string{"If-None-Match": out.Header.Get("Etag")})
			if again.StatusCode != http.StatusNotModified || body != "" {
				t.Errorf("%s is sent again: %d", at, again.StatusCode)
			}
		}
		for _, at := range []string{
			"/vfslow", "/vfslow/", "/vfslow/lib", "/vfslow/lib/uibuild/standalonelogin", "/vfslow/lib/uibuild/standalonelogin/none.js", "/vfslow/lib/../../lib/uibuild/standalonelogin/login.js",
			"/vfslow/../lib/uibuild/standalonelogin/login.js", "/vfslow/..%2flib/uibuild/standalonelogin/login.js",
			`/vfslow/lib\uibuild\standalonelogin\login.js`, "/vfslow/lib/../../../../etc/passwd", "/vfslow/uibuild/standalonelogin/login.js",
		} {
			if out, body := get(t, s, at, nil); out.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %d %s", at, out.StatusCode, body)
			}
		}
		for origin, want := range map[string]string{"https://app.example.com": "https://app.example.com", "https://evil-app.example.com": "", "http://app.example.com": "", "null": ""} {
			out, _ := get(t, s, script, map[string]string{"Origin": origin})
			if got := out.Header.Get("Access-Control-Allow-Origin"); got != want || out.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("the script is shared with %q, which asked as %q", got, origin)
			}
		}
		_, text := get(t, s, script, nil)
		version := regexp.MustCompile(`"tag":"de","version":"([\w-]+)"`).FindStringSubmatch(text)
		if version == nil {
			t.Fatal("the script names no German sentences")
		}
		out, _ := get(t, s, "/vfslow/lib/uibuild/standalonelogin/de.json?_ver="+version[1], nil)
		if out.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" {
			t.Error("a file of its version is kept for", out.Header.Get("Cache-Control"))
		}
	})
}

// A policy that allows neither inline script nor text as script lets the widget run.
func TestScriptKeepsToStrictPolicies(t *testing.T) {
	pages, err := login.Load()
	if err != nil {
		t.Fatal(err)
	}
	files, err := pages.Widget("/vfslow")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Path, ".js") {
			continue
		}
		for _, bad := range []string{"innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "new Function", "style=", `"style"`, "BUILT"} {
			if strings.Contains(string(f.Body), bad) {
				t.Errorf("%s has %s", f.Path, bad)
			}
		}
		if len(f.Body) > 48<<10 {
			t.Errorf("%s has %d bytes", f.Path, len(f.Body))
		}
	}
}

// Nothing but the library's own files is found, and none by a path that leads out of it on the way.
func FuzzFind(f *testing.F) {
	shelf := library.NewShelf([]login.File{{Path: "/lib/a/b.js", Type: "text/javascript", Body: []byte("b"), Version: "1"}, {Path: "/lib/c.css", Type: "text/css", Body: []byte("c"), Version: "2"}})
	for _, s := range []string{"lib/a/b.js", "LIB/x/../A//b.js", "../lib/a/b.js", "lib/../../lib/a/b.js", "/lib/a/b.js", "lib/a/b.js\x00", `lib\a\b.js`, "..", ""} {
		f.Add(s, "1")
	}
	f.Fuzz(func(t *testing.T, at, version string) {
		doc, ok := shelf.Find(at, version)
		if !ok {
			return
		}
		clean := strings.ToLower(path.Clean(strings.TrimLeft(at, "/")))
		if clean != "lib/a/b.js" && clean != "lib/c.css" || strings.HasPrefix(clean, "..") {
			t.Fatalf("%q is found", at)
		}
		w := httptest.NewRecorder()
		doc.Write(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if body := w.Body.String(); (body == "b") != (clean == "lib/a/b.js") {
			t.Fatalf("%q is answered with %q", at, body)
		}
	})
}

// The description of the operations is fetched as command lines do, by an empty POST without authentication, has of each operation what they look
// for, and names none that is not there.
func TestDescription(t *testing.T) {
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Tenant(t)
		status, body := s.Call(t, "", http.MethodPost, "/vfslow/lib/api/swagger.json", nil)
		var doc struct {
			Swagger string
			Paths   map[string]map[string]struct {
				Tags       []string
				Summary    string
				Parameters []struct {
					In     string
					Schema struct{ Properties map[string]any }
				}
			}
		}
		if err := json.Unmarshal(body, &doc); err != nil || status != http.StatusOK || doc.Swagger != "2.0" {
			t.Fatal(status, err)
		}
		for at, methods := range doc.Paths {
			post, ok := methods["post"]
			if !ok || len(methods) != 1 || len(post.Tags) == 0 || post.Tags[0] == "" || post.Summary == "" || post.Parameters == nil {
				t.Errorf("%s: %+v", at, methods)
			}
			if _, ok := server.App.Kernel.Find(http.MethodPost, at); !ok {
				t.Errorf("%s is not mounted", at)
			}
		}
		start := doc.Paths["/Security/StartAuthentication"]["post"]
		if len(start.Parameters) != 1 || start.Parameters[0].In != "body" || start.Parameters[0].Schema.Properties["User"] == nil {
			t.Errorf("%+v", start)
		}
	})
}
