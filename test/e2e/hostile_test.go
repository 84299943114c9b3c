package e2e

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"limen/test/rig"
)

// hostile is a request that means no good, and what it gets.
type hostile struct {
	name   string
	method string // POST when empty
	path   string
	header http.Header
	body   string
	as     string // admin, nobody; stale, garbage: a bearer token of that kind
	status int
	says   string // in the answer
}

// h makes a header.
func h(pairs ...string) http.Header {
	out := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		out.Add(pairs[i], pairs[i+1])
	}
	return out
}

const user = "/CDirectoryService/CreateUser"

// valid is a body that would make somebody; what stands around it must keep it from doing so.
const valid = `{"Name":"mallory@limen","Mail":"mallory@example.com"}`

var jsonType = h("Content-Type", "application/json")

var requests = []hostile{
	// Size and depth.
	{name: "body of 4 MB", path: user, body: `{"Name":"` + strings.Repeat("x", 4<<20) + `"}`, as: "admin", status: 413},
	{name: "name of 100 kB", path: user, body: `{"Mail":"m@example.com","Name":"` + strings.Repeat("x", 100<<10) + `@limen"}`, as: "admin", status: 200, says: "Name"},
	{name: "100,000 brackets", path: user, body: strings.Repeat("[", 100_000), as: "admin", status: 200, says: "object"},
	{name: "100,000 objects in each other", path: user, body: strings.Repeat(`{"a":`, 100_000), as: "admin", status: 413},
	{name: "deep value of an unknown key", path: user, body: `{"x":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`, as: "admin", status: 413},
	{name: "50,000 keys", path: user, body: manyKeys(50_000), as: "admin", status: 413},
	{name: "50,000 query parameters", path: user + "?" + strings.Repeat("a=1&", 12_000), as: "admin", status: 413},
	{name: "path of 20,000 segments", path: strings.Repeat("/a", 20_000), as: "admin", status: 404},
	{name: "query nobody can read", path: user + "?Name=%zz&Mail=m@example.com", as: "admin", status: 200},
	{name: "number beyond every type", path: "/Redrock/Query", body: `{"Script":"select 1","Args":{"PageSize":1e999}}`, as: "admin", status: 200, says: "PageSize"},
	{name: "number with a million digits", path: "/Redrock/Query", body: `{"Script":"select ID from User","Args":{"PageSize":` + strings.Repeat("9", 900_000) + `}}`, as: "admin", status: 200, says: "PageSize"},
	{name: "script of 1 MB", path: "/Redrock/Query", body: `{"Script":"select ` + strings.Repeat("(", 900_000) + `"}`, as: "admin", status: 200},
	{name: "script that writes", path: "/Redrock/Query", body: `{"Script":"delete from users"}`, as: "admin", status: 200},
	{name: "two statements", path: "/Redrock/Query", body: `{"Script":"select ID from User; drop table users"}`, as: "admin", status: 200},
	{name: "tables that are not Redrock's", path: "/Redrock/Query", body: `{"Script":"select * from session"}`, as: "admin", status: 200},
	{name: "the engine's own tables", path: "/Redrock/Query", body: `{"Script":"select * from sqlite_master union select * from pg_catalog.pg_tables"}`, as: "admin", status: 200},

	// Wrong types and broken texts.
	{name: "array for an object", path: user, body: `[1,2,3]`, as: "admin", status: 200},
	{name: "object for a text", path: user, body: `{"Name":{"$ne":""},"Mail":"m@example.com"}`, as: "admin", status: 200, says: "Name"},
	{name: "array for a text", path: user, body: `{"Name":["a@limen"],"Mail":"m@example.com"}`, as: "admin", status: 200, says: "Name"},
	{name: "text for a boolean", path: user, body: `{"Name":"m@limen","Mail":"m@example.com","InEverybodyRole":"perhaps"}`, as: "admin", status: 200, says: "InEverybodyRole"},
	{name: "NUL in a name", path: user, body: `{"Name":"mal\u0000lory@limen","Mail":"m@example.com"}`, as: "admin", status: 200, says: "Name"},
	{name: "NUL in an id", path: "/CDirectoryService/GetUser", body: `{"ID":"\u0000"}`, as: "admin", status: 200},
	{name: "NUL in a description", path: user, body: `{"Name":"m@limen","Mail":"m@example.com","Description":"a\u0000b"}`, as: "admin", status: 200, says: "Description"},
	{name: "bytes that are no UTF-8", path: user, body: "{\"Name\":\"m\xff\xfe@limen\",\"Mail\":\"m@example.com\"}", as: "admin", status: 200},
	{name: "half a surrogate", path: user, body: `{"Name":"m\ud800@limen","Mail":"m@example.com"}`, as: "admin", status: 200},
	{name: "line breaks in a mail address", path: user, body: `{"Name":"m@limen","Mail":"m@example.com\r\nBcc: all@example.com"}`, as: "admin", status: 200, says: "Mail"},
	{name: "the same key twice", path: user, body: `{"Name":"m@limen","name":"n@limen","Mail":"m@example.com"}`, as: "admin", status: 200, says: "ame"},
	{name: "query and body at odds", path: user + "?Name=n@limen", body: `{"Name":"m@limen","Mail":"m@example.com"}`, as: "admin", status: 200, says: "Name"},
	{name: "half a body", path: user, body: `{"Name":"m@limen","Mail":"m@exam`, as: "admin", status: 200},
	{name: "XML", path: user, header: h("Content-Type", "application/xml"), body: `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`, as: "admin", status: 200},
	{name: "broken multipart", path: "/CDirectoryService/SetUserPicture?ID=admin@limen", header: h("Content-Type", "multipart/form-data; boundary=x"), body: "--x\r\nContent-Dis", as: "admin", status: 200},
	{name: "multipart without a boundary", path: "/CDirectoryService/SetUserPicture?ID=admin@limen", header: h("Content-Type", "multipart/form-data"), body: "x", as: "admin", status: 200},
	{name: "a picture that is none", path: "/CDirectoryService/SetUserPicture?ID=admin@limen", header: h("Content-Type", "multipart/form-data; boundary=x"),
		body: "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../../x.png\"\r\n\r\n\x89PNG\r\n\x1a\n<script>\r\n--x--\r\n", as: "admin", status: 200},

	// Injection.
	{name: "SQL in an id", path: "/CDirectoryService/DeleteUser", body: `{"ID":"x' OR '1'='1"}`, as: "admin", status: 200, says: "not found"},
	{name: "SQL in a script's text", path: "/Redrock/Query", body: `{"Script":"select ID from User where Username='x'' or 1=1 --'"}`, as: "admin", status: 200},

	// Who is asking.
	{name: "nobody", path: user, body: valid, as: "nobody", status: 401, says: "error_message"},
	{name: "token that ended", path: user, body: valid, as: "stale", status: 401},
	{name: "garbage for a token", path: user, body: valid, as: "garbage", status: 401},
	{name: "JWT without a signature", path: user, body: valid, header: h("Authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."), status: 401},
	{name: "another scheme", path: user, body: valid, header: h("Authorization", "Basic YWRtaW46YWRtaW4="), status: 401},
	{name: "cookie of garbage", path: user, body: valid, header: h("Cookie", ".ASPXAUTH=\"%00'; a=b; =; ;;; \xff"), status: 401},
	{name: "4,000 cookies", path: user, body: valid, header: h("Cookie", strings.Repeat("a=b; ", 4000)), status: 401},
	{name: "token of 40 kB", path: user, body: valid, header: h("Authorization", "Bearer "+strings.Repeat("A", 40<<10)), status: 401},
	{name: "someone else's tenant beside the session", path: "/Security/StartAuthentication", body: `{"User":"admin@limen","Version":"1.0","TenantId":"NOSUCH1"}`, as: "nobody", status: 200},
	{name: "forwarded by nobody we trust", path: user, body: valid, header: h("X-Forwarded-For", "127.0.0.1", "X-Forwarded-Host", "localhost", "X-Real-Ip", "127.0.0.1"), status: 401},

	// Method and path.
	{name: "TRACE", method: "TRACE", path: user, as: "admin", status: 405},
	{name: "a method nobody knows", method: "BREW", path: user, as: "admin", status: 405},
	{name: "GET of what writes", method: "GET", path: user + "?Name=mallory@limen&Mail=m@example.com", as: "admin", status: 405},
	{name: "method override", method: "GET", path: user + "?Name=mallory@limen&Mail=m@example.com&_method=POST", header: h("X-Http-Method-Override", "POST"), as: "admin", status: 405},
	{name: "no such operation", path: "/CDirectoryService/CreateUzer", body: valid, as: "admin", status: 404},
	{name: "up the tree", path: "/CDirectoryService/../../etc/passwd", as: "admin", status: 404},
	{name: "up the tree, encoded", path: "/%2e%2e/%2e%2e/etc/passwd", as: "admin", status: 404},
	{name: "NUL in the path", path: "/CDirectoryService/CreateUser%00", body: valid, as: "admin", status: 404},
	{name: "the tray without --dev", method: "GET", path: "/dev/outbox.json", as: "admin", status: 404},
	{name: "a link that nobody sent", method: "GET", path: "/Security/AnswerOOBChallenge?answer=%3Cscript%3Ealert(1)%3C/script%3E", header: h("Accept", "text/html"), as: "nobody", status: 0},
	{name: "open redirect", path: "/Security/Logout?redirectUrl=https://evil.example/", as: "nobody", status: 0},
}

func manyKeys(n int) string {
	var b strings.Builder
	b.WriteString(`{"Name":"mallory@limen","Mail":"m@example.com"`)
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":1`, i)
	}
	return b.String() + "}"
}

// TestHostileRequests sends each of them and wants its answer; none is a 500, and none writes a thing.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{})
		a := admin(t, s)
		stale := admin(t, s)
		must(t, stale, "/Security/Logout", nil, nil)
		store := db(t, s)
		before := contents(t, store)
		tokens := map[string]string{"admin": a.Token, "stale": stale.Token, "garbage": "\\x00'\"%s{{7*7}}"}
		for _, r := range requests {
			c := a.As(tokens[r.as])
			method, header := r.method, r.header
			if method == "" {
				method = http.MethodPost
			}
			if header.Get("Content-Type") == "" && r.body != "" {
				header = header.Clone()
				if header == nil {
					header = http.Header{}
				}
				header.Set("Content-Type", jsonType.Get("Content-Type"))
			}
			got, err := c.Do(t.Context(), method, r.path, header, []byte(r.body))
			if err != nil {
				if r.status != 413 || !broken(err) { // the server may hang up on a body that it will not read
					t.Errorf("%s: %v", r.name, err)
				}
				continue
			}
			judge(t, r, got)
			if after := contents(t, store); after != before {
				t.Fatalf("%s wrote: %s, before %s", r.name, after, before)
			}
		}
		if n := number(t, store, `SELECT count(*) FROM users`); n != 1 {
			t.Errorf("%d users", n)
		}
		if strings.Contains(s.Log(10_000), "panic") {
			t.Errorf("something panicked:\n%s", s.Log(50))
		}
	})
}

func broken(err error) bool {
	return errors.Is(err, io.EOF) || strings.Contains(err.Error(), "broken pipe") || strings.Contains(err.Error(), "reset") || strings.Contains(err.Error(), "closed")
}

func judge(t *testing.T, r hostile, got *rig.Answer) {
	t.Helper()
	short := got.Body[:min(len(got.Body), 400)]
	if got.Status >= 500 {
		t.Errorf("%s: %d %s", r.name, got.Status, short)
		return
	}
	if r.status != 0 && got.Status != r.status {
		t.Errorf("%s: status %d, want %d: %s", r.name, got.Status, r.status, short)
	}
	if r.says != "" && !bytes.Contains(got.Body, []byte(r.says)) {
		t.Errorf("%s: the answer does not say %q: %s", r.name, r.says, short)
	}
	isJSON := strings.HasPrefix(got.Header.Get("Content-Type"), "application/json")
	if isJSON && got.Success && !strings.Contains(r.name, "redirect") {
		if !strings.Contains(r.name, "script's text") { // a text with SQL in it is a text
			t.Errorf("%s: it succeeded: %s", r.name, short)
		}
	}
	if isJSON && got.Shape() != nil {
		t.Errorf("%s: %v: %s", r.name, got.Shape(), short)
	}
	if isJSON && !got.Success && got.ErrorID == "" {
		t.Errorf("%s: no request id: %s", r.name, short)
	}
	if bytes.Contains(got.Body, []byte("<script>alert")) {
		t.Errorf("%s: script comes back as markup: %s", r.name, short)
	}
	if to := got.Header.Get("Location"); strings.Contains(to, "evil.example") {
		t.Errorf("%s: sends people to %s", r.name, to)
	}
	for _, leak := range []string{"goroutine ", "SQLSTATE", "sqlite3:", "/internal/", "panic"} {
		if bytes.Contains(got.Body, []byte(leak)) {
			t.Errorf("%s: the answer tells about the inside: %s", r.name, short)
		}
	}
}

// contents counts what hostile requests must not change. Events are no part of it: refusals are recorded.
func contents(t *testing.T, d *sql.DB) string {
	t.Helper()
	var out []string
	for _, table := range []string{"users", "tenant", "role", "role_member", "role_right", "setting", "session", "suffix", "host", "user_password", "oath_profile", "question"} {
		out = append(out, table+"="+strconv.FormatInt(number(t, d, `SELECT count(*) FROM `+table), 10))
	}
	return strings.Join(out, " ")
}

// TestHostileBytes sends what no HTTP client sends.
func TestHostileBytes(t *testing.T) {
	t.Parallel()
	s := start(t, "SQLite", rig.Options{})
	host := strings.TrimPrefix(s.URL, "https://")
	post := "POST " + user + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Type: application/json\r\n"
	for name, c := range map[string]struct{ send, want string }{
		"no host":                   {"GET /healthz HTTP/1.1\r\n\r\n", " 400 "},
		"another tenant's host":     {"POST /Security/StartAuthentication HTTP/1.1\r\nHost: elsewhere.example\r\nContent-Length: 33\r\n\r\n" + `{"User":"x@nowhere","Version":"1.0"}`[:33], " 200 "},
		"two hosts":                 {"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", " 400 "},
		"two lengths":               {post + "Content-Length: 2\r\nContent-Length: 30\r\n\r\n{}", " 400 "},
		"negative length":           {post + "Content-Length: -1\r\n\r\n{}", " 400 "},
		"space before the colon":    {post + "Content-Length : 2\r\n\r\n{}", " 400 "},
		"bad chunk":                 {post + "Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n", " 40"},
		"unknown coding":            {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", " 501 "},
		"NUL in a header":           {post + "X-A: a\x00b\r\nContent-Length: 2\r\n\r\n{}", " 400 "},
		"control bytes in a cookie": {post + "Cookie: .ASPXAUTH=\x01\x7f\x1b[2J\r\nContent-Length: 2\r\n\r\n{}", " 400 "},
		"header of 200 kB":          {post + "X-A: " + strings.Repeat("a", 200<<10) + "\r\n\r\n", " 431 "},
		"10,000 headers":            {post + strings.Repeat("X-A: aaaaaaaaaa\r\n", 10_000) + "\r\n", " 431 "},
		"HTTP/0.9":                  {"GET /healthz\r\n\r\n", " 400 "},
		"absolute address":          {"GET https://elsewhere.example/healthz HTTP/1.1\r\nHost: " + host + "\r\n\r\n", " 200 "},
		"CONNECT":                   {"CONNECT elsewhere.example:443 HTTP/1.1\r\nHost: elsewhere.example:443\r\n\r\n", " 40"},
		"binary":                    {"\x00\x01\x02\x03\x04\x05\r\n\r\n", " 400 "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			line := raw(t, s, c.send)
			if !strings.Contains(line, c.want) || strings.Contains(line, " 500 ") {
				t.Errorf("%q, want %q", line, c.want)
			}
		})
	}
	t.Run("HTTP without TLS", func(t *testing.T) {
		t.Parallel()
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.Port))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: %s\r\n\r\n", host)
		if line, _ := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, " 400 ") {
			t.Errorf("%q", line)
		}
	})
	t.Run("old TLS", func(t *testing.T) {
		t.Parallel()
		c, err := tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.Port), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		if err == nil {
			c.Close()
			t.Error("TLS 1.1 is taken")
		}
	})
	t.Run("slow headers", func(t *testing.T) {
		t.Parallel()
		slowHeaders(t, s)
	})
}

// raw sends bytes over TLS and gives the first line that comes back.
func raw(t *testing.T, s *rig.Server, send string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.Port), &tls.Config{InsecureSkipVerify: true}) // who answers is not what this is about
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(15 * time.Second))
	go io.WriteString(conn, send) // the server may answer and hang up before it has read everything
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil && line == "" {
		return err.Error()
	}
	return line
}

// slowHeaders holds connections open with a byte now and then: others are served meanwhile, and the patience ends.
func slowHeaders(t *testing.T, s *rig.Server) {
	var held []net.Conn
	for range 50 {
		conn, err := tls.Dial("tcp", "127.0.0.1:"+strconv.Itoa(s.Port), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "POST / HTTP/1.1\r\nX-Slow: ")
		held = append(held, conn)
	}
	c := client(t, s)
	began := time.Now()
	if got, err := c.Do(t.Context(), "GET", "/healthz", nil, nil); err != nil || got.Status != 200 || time.Since(began) > 2*time.Second {
		t.Errorf("%v %v after %v", err, got, time.Since(began))
	}
	ended := make(chan bool)
	for _, conn := range held {
		go func() {
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			_, err := io.ReadAll(conn)
			n, slow := errors.AsType[net.Error](err)
			ended <- !slow || !n.Timeout()
		}()
	}
	for range held {
		if !<-ended {
			t.Fatal("a connection that sends its header for 20 seconds is still open")
		}
	}
}
