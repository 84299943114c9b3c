package apptest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"limen/internal/surface/identity"
)

var update = flag.Bool("update", false, "write the answers and events of golden exchanges anew")

// Exchanges runs every golden exchange below dir on every engine. A file holds one operation's exchanges in order:
//
//	what the operation is about, in words
//	-- creates a user | admin --
//	POST /CDirectoryService/CreateUser
//
//	{"Name":"anna@{{suffix}}","Mail":"anna@example.com"}
//	-- answer --
//	200
//	{"success":true,"Result":"{{anna=uuid}}", ...}
//	-- events --
//	Cloud.Core.UserCreate success User
//
// The section's name says what the exchange shows and who asks: admin, plain (a person without rights), other (an
// administrator of another tenant), nobody, or "holder <right>". {{name=form}} matches and keeps a value, {{name}} is
// that value, {{form}} matches without keeping; the forms are in the variable forms. Requests know {{suffix}},
// {{tenant}}, {{admin}} and {{plain}} (UUIDs), {{adminName}} and {{plainName}}, and what with adds: it is called before
// a file's exchanges, and may start what they talk to.
func Exchanges(t *testing.T, dir string, with ...func(t *testing.T, s *Site, name string) map[string]string) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no exchanges in ", dir, err)
	}
	Each(t, func(t *testing.T, s *Server) {
		for _, f := range files {
			name := strings.TrimSuffix(filepath.Base(f), ".txtar")
			t.Run(name, func(t *testing.T) {
				x := exchange{t: t, s: s.Tenant(t), file: f, vars: map[string]string{}}
				for _, w := range with {
					maps.Copy(x.vars, w(t, x.s, name))
				}
				x.run()
			})
		}
	})
}

type exchange struct {
	t    *testing.T
	s    *Site
	file string
	vars map[string]string
}

func (x *exchange) run() {
	a, err := txtar.ParseFile(x.file)
	if err != nil {
		x.t.Fatal(err)
	}
	maps.Copy(x.vars, map[string]string{
		"suffix": x.s.Suffix, "tenant": x.s.ID, "admin": x.s.Admin.ID, "plain": x.s.Plain.ID,
		"adminName": x.s.Admin.Name, "plainName": x.s.Plain.Name, "host": x.s.Host,
	})
	var out []txtar.File
	for i := 0; i < len(a.Files); i++ {
		ask := a.Files[i]
		what, who, ok := strings.Cut(ask.Name, "|")
		if !ok {
			x.t.Fatalf("section %q: want \"what it shows | who asks\"", ask.Name)
		}
		out = append(out, ask)
		x.s.TokenOf(x.t, strings.TrimSpace(who)) // whose sign-in is none of the exchange's events
		x.s.DropEvents()
		answer := x.ask(strings.TrimSpace(who), string(ask.Data))
		events := x.s.Events(x.t)
		var wantAnswer, wantEvents string
		if i+1 < len(a.Files) && a.Files[i+1].Name == "answer" {
			i++
			wantAnswer = string(a.Files[i].Data)
		}
		if i+1 < len(a.Files) && a.Files[i+1].Name == "events" {
			i++
			wantEvents = string(a.Files[i].Data)
		}
		if *update {
			wantAnswer = x.learn(wantAnswer, answer)
			wantEvents = x.learn(wantEvents, events)
		}
		out = append(out, txtar.File{Name: "answer", Data: []byte(wantAnswer)})
		if wantEvents != "" {
			out = append(out, txtar.File{Name: "events", Data: []byte(wantEvents)})
		}
		x.match(what+"answer", wantAnswer, answer)
		x.match(what+"events", wantEvents, events)
	}
	if *update {
		a.Files = out
		if err := os.WriteFile(x.file, txtar.Format(a), 0o644); err != nil {
			x.t.Fatal(err)
		}
	}
}

// ask sends "METHOD /path", header lines, a blank line and the body.
func (x *exchange) ask(who, text string) string {
	text = x.fill(text)
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, path, ok := strings.Cut(lines[0], " ")
	if !ok {
		x.t.Fatalf("%s: first line is %q, want METHOD /path", x.file, lines[0])
	}
	body = strings.TrimSuffix(body, "\n")
	r, err := http.NewRequest(method, x.s.URL+strings.TrimSpace(path), strings.NewReader(body))
	if err != nil {
		x.t.Fatal(err)
	}
	r.Host = x.s.Host
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, l := range lines[1:] {
		k, v, _ := strings.Cut(l, ":")
		if k == "Content-Type" && strings.HasPrefix(strings.TrimSpace(v), "multipart/") {
			r.Body = io.NopCloser(strings.NewReader(strings.ReplaceAll(body, "\n", "\r\n")))
			r.ContentLength = -1
		}
		r.Header.Set(k, strings.TrimSpace(v))
	}
	if token := x.s.TokenOf(x.t, who); token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := x.s.HTTP.Do(r)
	if err != nil {
		x.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	x.declared(method, r.URL.Path, b)
	out := fmt.Sprintln(res.StatusCode)
	for _, h := range []string{"Location", "Retry-After"} {
		if v := res.Header.Get(h); v != "" {
			out += h + ": " + v + "\n"
		}
	}
	for _, c := range res.Cookies() {
		if c.Name == identity.WroteCookie {
			continue // on every answer that changed what nodes remember
		}
		out += "Set-Cookie: " + cookieShape(c) + "\n"
	}
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		b = readable(b)
	}
	var pretty bytes.Buffer
	if json.Valid(b) && json.Indent(&pretty, b, "", " ") == nil {
		b = pretty.Bytes()
	}
	return out + string(b) + "\n"
}

var (
	alike = regexp.MustCompile(`(?m)^<meta [^>]*>\n`)
	drawn = regexp.MustCompile(`(?s)(<(?:style|svg)\b).*?(</(?:style|svg)>)`)
	does  = regexp.MustCompile(`(?s)(<script>)\(function\(\).*?(</script>)`)
)

// readable leaves out of a page what all pages have alike and readers of an exchange need not see.
func readable(page []byte) []byte {
	return bytes.TrimSpace(does.ReplaceAll(drawn.ReplaceAll(alike.ReplaceAll(page, nil), []byte("$1>...$2")), []byte("$1...$2")))
}

// declared wants every fault that an operation answers to stand in its declaration, or to be one of the kernel's own.
func (x *exchange) declared(method, path string, answer []byte) {
	var e struct {
		Success   *bool
		MessageID string
	}
	if json.Unmarshal(answer, &e) != nil || e.Success == nil || *e.Success || e.MessageID == "" {
		return
	}
	for _, own := range []string{"param.", "request.", "auth.", "path.", "session.", "token."} {
		if strings.HasPrefix(e.MessageID, own) {
			return
		}
	}
	o, ok := x.s.App.Kernel.Find(method, path)
	if !ok {
		return
	}
	for _, f := range o.Faults {
		if f.Code == e.MessageID {
			return
		}
	}
	x.t.Errorf("%s: %s answers %s, which its declaration does not name", filepath.Base(x.file), o.Path, e.MessageID)
}

func cookieShape(c *http.Cookie) string {
	var attrs []string
	for a := range strings.SplitSeq(c.Raw, "; ") {
		if !strings.HasPrefix(a, c.Name+"=") && !strings.HasPrefix(a, "Expires=") {
			attrs = append(attrs, a)
		}
	}
	sort.Strings(attrs)
	value := "(value)"
	if c.Value == "" {
		value = "(empty)"
	}
	return c.Name + " " + value + "; " + strings.Join(attrs, "; ")
}

var (
	placeholder = regexp.MustCompile(`\{\{(\w+)(?:=(\w+))?\}\}`)
	forms       = map[string]string{
		"uuid":    `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`,
		"roleid":  `[0-9a-f]{8}_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{12}`,
		"errorid": `[0-9a-f-]{36}:[0-9a-f]{32}`,
		"date":    `/Date\(\d+\)/`,
		"moment":  `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z`,
		"stamp":   `\d+\.[0-9a-z]+`,
		"int":     `-?\d+`,
		"account": `\d+_\d+`,
		"hex":     `[0-9A-F]{32,}`,
		"short":   `[0-9a-f]{16}`,
		"token":   `[A-Za-z0-9_.\-]{20,}`,
		"base64":  `[A-Za-z0-9+/]{40,}={0,2}`,
		"text":    `[^"\n]+`,
		"any":     `(?s:.*?)`,
	}
)

func (x *exchange) fill(text string) string {
	return placeholder.ReplaceAllStringFunc(text, func(p string) string {
		m := placeholder.FindStringSubmatch(p)
		if v, ok := x.vars[m[1]]; ok {
			return v
		}
		x.t.Fatalf("%s: {{%s}} has no value yet", x.file, m[1])
		return ""
	})
}

// match compares got with the template want and keeps the values it names.
func (x *exchange) match(what, want, got string) {
	x.t.Helper()
	var re strings.Builder
	re.WriteString(`^`)
	var keep []string
	at := 0
	for _, m := range placeholder.FindAllStringSubmatchIndex(want, -1) {
		re.WriteString(regexp.QuoteMeta(want[at:m[0]]))
		at = m[1]
		name, form := want[m[2]:m[3]], ""
		if m[4] >= 0 {
			form = want[m[4]:m[5]]
		}
		switch v, known := x.vars[name]; {
		case form != "":
			keep = append(keep, name)
			fmt.Fprintf(&re, "(%s)", forms[form])
		case known:
			re.WriteString(regexp.QuoteMeta(v))
		case forms[name] != "":
			re.WriteString(forms[name])
		default:
			x.t.Fatalf("%s: {{%s}} is neither a value nor a form", x.file, name)
		}
	}
	re.WriteString(regexp.QuoteMeta(want[at:]) + `$`)
	hit := regexp.MustCompile(re.String()).FindStringSubmatch(got)
	if hit == nil {
		x.t.Errorf("%s: %s (-want +got):\n%s", filepath.Base(x.file), what, cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
		return
	}
	for i, name := range keep {
		x.vars[name] = hit[i+1]
	}
}

var volatile = []struct{ re, form string }{
	{`[0-9a-f-]{36}:[0-9a-f]{32}`, "errorid"},
	{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "uuid"},
	{`[0-9a-f]{8}_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{4}_[0-9a-f]{12}`, "roleid"},
	{`/Date\([1-9]\d+\)/`, "date"},
	{`\b[1-9]\d*_[1-9]\d*\b`, "account"}, // in a safe
	{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z`, "moment"},
	{`\b\d+\.[0-9a-z]{8,13}\b`, "stamp"}, // a group's version
	{`\b[0-9A-F]{32,}\b`, "hex"},
	{`\b[0-9a-f]{16}\b`, "short"},
	{`[A-Za-z0-9+/]{180,}={0,2}`, "base64"},
	{`("(?:id|groupID)": )\d+`, "int"}, // a number of an object
	{`("[lL]ast\w+Date": )[1-9]\d+`, "int"},
	{`\bey[\w-]+\.[\w-]+\.[\w-]+`, "token"}, // a JWT
	{`[\w-]{43,44}`, "token"},
	{`\b6\d{17}\b`, "int"}, // a revision stamp
}

// numbered finds the id of an object that the exchange does not know by name.
var numbered = regexp.MustCompile(`("(?:id|author|\w+Id)": )\d+\b`)

// learn makes the template of an answer: values known by name and values that differ each time become placeholders.
// Where the old template named a value to keep, the new one does too.
func (x *exchange) learn(old, got string) string {
	type known struct{ name, value string }
	var ks []known
	for n, v := range x.vars {
		if len(v) > 3 {
			ks = append(ks, known{n, v})
		}
	}
	sort.Slice(ks, func(i, j int) bool {
		return len(ks[i].value) > len(ks[j].value) || len(ks[i].value) == len(ks[j].value) && ks[i].name < ks[j].name
	})
	for _, k := range ks {
		got = strings.ReplaceAll(got, k.value, "{{"+k.name+"}}")
	}
	for n, v := range x.vars { // numbers by which a dialect names objects
		if strings.HasSuffix(n, "Id") && regexp.MustCompile(`^\d+$`).MatchString(v) {
			got = regexp.MustCompile(`("(?:id|author|roles|\w+Id)": "?|"path": ".*[/,])`+v+`\b`).ReplaceAllString(got, "${1}{{"+n+"}}")
		}
	}
	for _, v := range volatile {
		got = regexp.MustCompile(v.re).ReplaceAllString(got, "${1}{{"+v.form+"}}")
	}
	got = numbered.ReplaceAllString(got, "${1}{{int}}")
	for _, m := range placeholder.FindAllStringSubmatch(old, -1) {
		if m[2] != "" && !strings.Contains(got, m[0]) {
			got = strings.Replace(got, "{{"+m[2]+"}}", m[0], 1)
		}
	}
	return got
}
