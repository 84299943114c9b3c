package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/test/rig"
)

// TestReadme runs the commands of the README's first walk as they are printed there, with a shell and curl: only the
// address, the files and what the reader is to fill in are replaced.
func TestReadme(t *testing.T) {
	t.Parallel()
	s := start(t, "SQLite", rig.Options{Args: []string{"--dev"}})
	w := &reader{server: s, fill: map[string]string{
		"https://localhost:8443": s.URL, "data/tls/ca.pem": s.CA, `"password":"..."`: `"password":"` + s.Password + `"`,
	}}
	blocks := walkOf(t)
	if len(blocks) != 4 {
		t.Fatalf("the walk has %d blocks of commands, the test knows 4", len(blocks))
	}
	w.before = blocks[0]
	for _, block := range blocks {
		for _, command := range block {
			w.do(t, command)
		}
	}
	if w.done < 9 {
		t.Errorf("only %d commands were run", w.done)
	}
	var u struct{ State string }
	must(t, admin(t, s), "/CDirectoryService/GetUser", object{"ID": "anna@limen"}, &u)
	if u.State != "Locked" {
		t.Errorf("Anna is %s", u.State)
	}
}

// walkOf gives the walk's blocks of commands; the one that shows output is left out.
func walkOf(t *testing.T) (blocks [][]string) {
	t.Helper()
	root, err := rig.Root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, walk, _ := strings.Cut(string(text), "## A first sign-in\n")
	walk, _, _ = strings.Cut(walk, "\n## ")
	for i, part := range strings.Split(walk, "```") {
		if i%2 == 0 || strings.HasPrefix(strings.TrimSpace(part), "Limen serves") {
			continue
		}
		var commands []string
		for line := range strings.Lines(strings.ReplaceAll(strings.TrimSpace(part), "\\\n", " ")) {
			commands = append(commands, strings.TrimSpace(line))
		}
		blocks = append(blocks, commands)
	}
	return blocks
}

// reader is somebody who follows the walk.
type reader struct {
	server *rig.Server
	fill   map[string]string
	before []string // commands that later ones need: a function and a variable of the shell
	done   int
	mails  int
}

func (w *reader) filled(text string) string {
	for old, value := range w.fill {
		text = strings.ReplaceAll(text, old, value)
	}
	return text
}

// do runs one command and takes from its answer what the next ones need.
func (w *reader) do(t *testing.T, command string) {
	t.Helper()
	if strings.HasPrefix(command, "echo") {
		return
	}
	script := w.filled(strings.Join(w.before, "\n") + "\n" + command)
	if strings.HasPrefix(command, "start=") {
		script += "\necho \"$start\""
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-ec", script)
	cmd.Env = rig.Environ()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	w.done++
	answers := strings.Split(strings.TrimSpace(string(out)), "\n")
	answer := answers[len(answers)-1] // those of the commands before come first
	if strings.HasPrefix(command, "TOKEN=") || strings.HasPrefix(command, "api()") {
		return
	}
	at := strings.LastIndex(answer, `{"success":true`)
	if at < 0 {
		t.Fatalf("%s\n%s", command, answer)
	}
	w.learn(t, command, answer[at:])
}

var inAnswer = map[string]*regexp.Regexp{
	"session": regexp.MustCompile(`"SessionId":"([^"]+)"`),
	"UP":      regexp.MustCompile(`"Name":"UP",[^}]*"MechanismId":"([^"]+)"`),
	"EMAIL":   regexp.MustCompile(`"Name":"EMAIL",[^}]*"MechanismId":"([^"]+)"`),
}

func (w *reader) learn(t *testing.T, command, answer string) {
	t.Helper()
	var e rig.Envelope
	if err := json.Unmarshal([]byte(answer), &e); err != nil {
		t.Fatalf("%s: %v", answer, err)
	}
	find := func(what string) string {
		m := inAnswer[what].FindStringSubmatch(answer)
		if m == nil {
			t.Fatalf("no %s in %s", what, answer)
		}
		return m[1]
	}
	switch {
	case strings.Contains(command, "CreateUser"):
		w.fill["<her ID>"] = strings.Trim(string(e.Result), `"`)
		eventually(t, 5*time.Second, "the invitation is on the page", func() bool { return len(tray(t, w.server, "anna@example.com")) == 1 })
		w.mails = 1
	case strings.HasPrefix(command, "start="):
		w.fill[`"SessionId":"..."`], w.fill["<UP>"], w.fill["<EMAIL>"] = `"SessionId":"`+find("session")+`"`, find("UP"), find("EMAIL")
	case strings.Contains(command, "StartOOB"):
		eventually(t, 5*time.Second, "the code is on the page", func() bool { return len(tray(t, w.server, "anna@example.com")) > w.mails })
		w.fill["<code>"] = code.FindString(tray(t, w.server, "anna@example.com")[0].Text)
	case strings.Contains(command, "<code>") && !strings.Contains(answer, `"LoginSuccess"`):
		t.Errorf("%s\n%s", command, answer)
	case strings.Contains(command, "Redrock") && !strings.Contains(answer, "anna@limen"):
		t.Errorf("%s\n%s", command, answer)
	}
}
