package authentication_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/login/logintest"
	"limen/internal/core/session"
	"limen/internal/core/tenant"
	"limen/internal/core/token"
	"limen/internal/dbx/dbxtest"
	"limen/internal/op"
	"limen/internal/surface/identity"
	"limen/internal/surface/identity/authentication"
)

var shapes = flag.Bool("shapes", false, "write the golden answers anew")

// site is a tenant behind HTTP, and a client with a cookie jar.
type site struct {
	*testing.T
	*logintest.World
	kernel *op.Kernel
	ops    authentication.Authentication
	host   string
	jar    map[string]*http.Cookie
	header http.Header
}

// each runs f on stores of their own: those that tests share belong to the whole program here, with its master key.
func each(t *testing.T, f func(s *site)) {
	for _, e := range dbxtest.Engines {
		t.Run(e.String(), func(t *testing.T) { f(serve(t, logintest.New(t, dbxtest.Fresh(t, e)))) })
	}
}

func serve(t *testing.T, w *logintest.World) *site {
	s := &site{T: t, World: w, host: strings.ToLower(w.Tenant.Host), jar: map[string]*http.Cookie{}, header: http.Header{}}
	s.ops = authentication.Authentication{Logins: w.Logins, Sessions: w.Sessions, Tokens: w.Tokens, People: w.People, Roles: w.Roles, Tenants: w.Index}
	log := &audit.Log{DB: w.DB, Strict: true}
	s.kernel = &op.Kernel{
		DB: w.DB, Log: slog.New(slog.DiscardHandler), Fallback: identity.Codec{}, Failures: &op.Failures{},
		Identify: s.identify, Client: s.client, Record: log.Record, Happened: log.Happened, Now: w.Clock,
		Tenant: func(ctx context.Context, c *call.Call, h op.Hint) error {
			found, err := w.Index.Find(ctx, tenant.Hint{Tenant: h.Tenant, Login: h.Login}, c.Client.Host)
			if err != nil {
				return op.ErrNoTenant
			}
			c.Tenant = found
			return nil
		},
	}
	s.kernel.Mount(identity.Codec{}, identity.Prefixes, s.ops.Ops()...)
	s.kernel.Mount(authentication.Plain{}, []string{""}, authentication.Discovery{Tenants: w.Index}.Ops()...)
	return s
}

// identify takes session tokens and platform tokens, as the program does.
func (s *site) identify(ctx context.Context, c *call.Call, cred op.Credentials) error {
	var who call.Caller
	var id string
	var err error
	if token.Looks(cred.Token) {
		claims, verr := s.Tokens.Verify(ctx, cred.Token, c.Now)
		if verr != nil {
			return verr
		}
		who, id, err = s.Sessions.IdentifyID(ctx, c, claims.Tenant, claims.Session)
		who.Means = call.ByPlatform
	} else {
		who, id, err = s.Sessions.Identify(ctx, c, cred.Token)
	}
	if err != nil {
		return err
	}
	c.Tenant, err = s.Index.ByID(ctx, id)
	c.Caller = &who
	return err
}

func (s *site) client(r *http.Request) call.Client {
	out := call.Client{IP: netip.MustParseAddr("192.0.2.10"), Host: r.Host, UserAgent: r.UserAgent(), Secure: r.TLS != nil}
	if c, err := r.Cookie(identity.DeviceCookie); err == nil {
		out.Device = c.Value
	}
	return out
}

// send sends a request with the jar's cookies and keeps those it is given.
func (s *site) send(method, path, body string) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequest(method, "https://"+s.host+path, strings.NewReader(body))
	r.Header = s.header.Clone()
	r.Header.Set("User-Agent", "test")
	for _, c := range s.jar {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	w := httptest.NewRecorder()
	s.kernel.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if s.jar[c.Name] = c; c.MaxAge < 0 {
			delete(s.jar, c.Name)
		}
	}
	return w
}

// answer is an envelope, decoded.
type answer struct {
	Success bool            `json:"success"`
	Result  json.RawMessage `json:"Result"`
	Message *string         `json:"Message"`
	status  int
	raw     string
}

func (s *site) post(path string, in any) answer {
	s.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		s.Fatal(err)
	}
	return s.read(s.send(http.MethodPost, path, string(body)))
}

func (s *site) read(w *httptest.ResponseRecorder) answer {
	s.Helper()
	a := answer{status: w.Code, raw: w.Body.String()}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
		s.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	return a
}

// into decodes the result.
func (a answer) into(s *site, v any) {
	s.Helper()
	if err := json.Unmarshal(a.Result, v); err != nil {
		s.Fatal(a.raw, err)
	}
}

// got is the union of what tests read from a result.
type got struct {
	Summary, SessionId, Auth, Token, RefreshToken, UserId, User, UserUuid, PodFqdn, AuthLevel, ClientMessage string
	TokenLifetime, RetryWaitingTime                                                                          int
	Challenges                                                                                               []struct{ Mechanisms []mechanism }
}

type mechanism struct {
	Name, MechanismId, AnswerType string
	MultipartMechanism            struct{ MechanismParts []struct{ Uuid string } }
}

func (a answer) got(s *site) (g got) { s.Helper(); a.into(s, &g); return g }

func (g got) pick(s *site, at int, name string) mechanism {
	s.Helper()
	if at < len(g.Challenges) {
		for _, m := range g.Challenges[at].Mechanisms {
			if m.Name == name {
				return m
			}
		}
	}
	s.Fatalf("no %s in challenge %d of %+v", name, at, g)
	return mechanism{}
}

type m map[string]any

func (s *site) start(name string, more ...m) got {
	s.Helper()
	in := m{"User": name, "Version": "1.0", "TenantId": s.Tenant.ID}
	for _, x := range more {
		for k, v := range x {
			in[k] = v
		}
	}
	return s.post("/Security/StartAuthentication", in).got(s)
}

func (s *site) advance(session, mechanism, action string, text any) answer {
	s.Helper()
	return s.post("/Security/AdvanceAuthentication", m{"TenantId": s.Tenant.ID, "SessionId": session, "MechanismId": mechanism, "Action": action, "Answer": text})
}

// signIn signs in with the password alone.
func (s *site) signIn(name string, more ...m) got {
	s.Helper()
	p := s.start(name, more...)
	g := s.advance(p.SessionId, p.pick(s, 0, "UP").MechanismId, "Answer", logintest.Secret).got(s)
	if g.Summary != "LoginSuccess" {
		s.Fatalf("%+v", g)
	}
	return g
}

var forms = []struct {
	re *regexp.Regexp
	as string
}{
	{regexp.MustCompile(`"[0-9a-f-]{36}:[0-9a-f]{32}"`), `"{errorid}"`},
	{regexp.MustCompile(`"ey[\w-]+\.[\w-]+\.[\w-]+"`), `"{jwt}"`},
	{regexp.MustCompile(`"[0-9A-F]{64}"`), `"{64 hex digits}"`},
	{regexp.MustCompile(`"[\w-]{43}1"`), `"{44 characters ending in 1}"`},
	{regexp.MustCompile(`"[\w-]{43}"`), `"{43 characters}"`},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`), `{uuid}`},
}

// golden compares an answer's exact JSON with a file; engines share it.
func (s *site) golden(name string, a answer) {
	s.Helper()
	text := a.raw
	for _, f := range forms {
		text = f.re.ReplaceAllString(text, f.as)
	}
	for from, to := range map[string]string{s.Tenant.ID: "{tenant}", strings.ToLower(s.Tenant.ID): "{tenant}"} {
		text = strings.ReplaceAll(text, from, to)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", " "); err != nil {
		s.Fatal(text, err)
	}
	have := fmt.Sprintf("%d\n%s\n", a.status, b.String())
	path := filepath.Join("testdata", name+".golden")
	if *shapes {
		if err := os.WriteFile(path, []byte(have), 0o644); err != nil {
			s.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		s.Fatal(err)
	}
	if diff := cmp.Diff(string(want), have); diff != "" {
		s.Errorf("%s (-golden +answer):\n%s", name, diff)
	}
}

func (s *site) only(challenges string) { s.Helper(); s.Set("Authentication.Challenges", challenges) }

func (s *site) alive(auth string) bool {
	c := s.Call()
	_, _, err := s.Sessions.Identify(s.Context(), c, auth)
	return err == nil
}

func (s *site) list(id string) (out []session.Session) {
	s.Helper()
	s.Write(func(ctx context.Context, c *call.Call) (err error) {
		out, err = s.Sessions.List(ctx, c, id)
		return err
	})
	return out
}

func answerOf(s *site, sent logintest.Sent) string {
	s.Helper()
	u, err := url.Parse(sent.Link)
	if err != nil {
		s.Fatal(err)
	}
	return u.Query().Get("answer")
}
