package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"limen/test/rig"
)

// code finds the digits in a message's text.
var code = regexp.MustCompile(`\b(\d{6,10})\b`)

// TestFirstDay is the way of a new operator, step by step, as the README tells it.
func TestFirstDay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{Args: []string{"--dev"}})
		signInAsPrinted(t, s)
		a := admin(t, s)
		anna := inviteAnna(t, s, a)
		session := signInAsAnna(t, s)
		must(t, session, "/Security/WhoAmI", nil, nil)

		must(t, a, "/CDirectoryService/SetUserState", object{"ID": anna, "state": "Locked"}, nil)
		eventually(t, time.Second, "a locked user's session is dead", func() bool { return post(t, session, "/Security/WhoAmI", nil).Status == 401 })
		if _, _, err := client(t, s).Password(t.Context(), "anna@limen", password); err == nil {
			t.Error("a locked user's password is right")
		}

		if err := s.Stop(); err != nil {
			t.Fatalf("Ctrl-C does not end the program in order: %v", err)
		}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if out := strings.Join(s.Printed(), "\n"); strings.Contains(out, s.Password) || strings.Contains(out, "Password") {
			t.Errorf("the password is printed again: %s", out)
		}
		remembered(t, s, a, anna)
	})
}

// signInAsPrinted runs the line that the program prints, with a real curl and a shell.
func signInAsPrinted(t *testing.T, s *rig.Server) {
	t.Helper()
	var line string
	eventually(t, 2*time.Second, "the program prints how to sign in", func() bool {
		for _, l := range s.Printed() {
			if rest, ok := strings.CutPrefix(l, "Sign in: "); ok {
				line = rest
			}
		}
		return line != ""
	})
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("no curl to run the printed line with")
	}
	cmd := exec.Command("sh", "-c", line+" --silent --show-error")
	cmd.Env = rig.Environ()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	var e rig.Envelope
	var ok rig.Success
	if err := json.Unmarshal(out, &e); err != nil || !e.Success {
		t.Fatalf("%s: %s", line, out)
	}
	if err := json.Unmarshal(e.Result, &ok); err != nil || ok.Summary != "LoginSuccess" || ok.User != s.Admin {
		t.Errorf("%s: %s", line, out)
	}
}

// inviteAnna makes a user with an invitation by mail, which lands on the tray.
func inviteAnna(t *testing.T, s *rig.Server, a *rig.Client) (id string) {
	t.Helper()
	must(t, a, "/CDirectoryService/CreateUser", object{
		"Name": "anna@limen", "Mail": "anna@example.com", "DisplayName": "Anna", "Password": password, "SendEmailInvite": true,
	}, &id)
	eventually(t, 5*time.Second, "the invitation is on the tray", func() bool {
		got := tray(t, s, "anna@example.com")
		return len(got) == 1 && strings.Contains(got[0].Text, "anna@limen") && strings.Contains(got[0].Text, "https://")
	})
	page, err := client(t, s).Do(t.Context(), "GET", "/dev/outbox", nil, nil)
	if err != nil || page.Status != 200 || !bytes.Contains(page.Body, []byte("anna@example.com")) {
		t.Errorf("the page of the tray: %v %+v", err, page)
	}
	return id
}

// signInAsAnna signs in with the password and the mailed code.
func signInAsAnna(t *testing.T, s *rig.Server) *rig.Client {
	t.Helper()
	c := client(t, s)
	p, next, err := c.Password(t.Context(), "anna@limen", password)
	if err != nil || next.Summary != "StartNextChallenge" {
		t.Fatalf("%+v %v", next, err)
	}
	mail, err := p.Mechanism(1, "EMAIL")
	if err != nil {
		t.Fatal(err)
	}
	before := len(tray(t, s, "anna@example.com"))
	if started, err := c.Act(t.Context(), p, mail, "StartOOB", nil); err != nil || started.Summary != "OobPending" {
		t.Fatalf("%+v %v", started, err)
	}
	var digits string
	eventually(t, 5*time.Second, "the code is on the tray", func() bool {
		got := tray(t, s, "anna@example.com")
		if len(got) <= before {
			return false
		}
		digits = code.FindString(got[0].Text)
		return digits != ""
	})
	end, err := c.Act(t.Context(), p, mail, "Answer", digits)
	if err != nil || end.Summary != "LoginSuccess" || end.AuthLevel != "High" || end.User != "anna@limen" {
		t.Fatalf("%+v %v", end, err)
	}
	return c.As(end.Auth)
}

// remembered wants everything to be there after a stop and a start: users, state, sessions and keys.
func remembered(t *testing.T, s *rig.Server, a *rig.Client, anna string) {
	t.Helper()
	if got := post(t, a, "/Security/WhoAmI", nil); !got.Success {
		t.Errorf("the administrator's session is gone: %s", got.Body)
	}
	again := admin(t, s)
	var u struct{ State, DisplayName string }
	must(t, again, "/CDirectoryService/GetUser", object{"ID": anna}, &u)
	if u.State != "Locked" || u.DisplayName != "Anna" {
		t.Errorf("%+v", u)
	}
	must(t, again, "/CDirectoryService/SetUserState", object{"ID": anna, "state": "None"}, nil)
	signInAsAnna(t, s)
}

// TestStopFinishesWhatRuns stops the program in the middle of a request: it is answered, later ones are not taken.
func TestStopFinishesWhatRuns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		s := start(t, engine, rig.Options{})
		a := admin(t, s)
		answered := make(chan error, 8)
		for range cap(answered) {
			// Eight hashes of passwords take a while on two cores.
			go func() {
				answered <- a.Call(t.Context(), "/CDirectoryService/CreateUser", object{
					"Name": rig.Name() + "@limen", "Mail": "x@example.com", "Password": password,
				}, nil)
			}()
		}
		time.Sleep(30 * time.Millisecond)
		if err := s.Signal(syscall.SIGTERM, 30*time.Second); err != nil {
			t.Fatalf("SIGTERM: %v", err)
		}
		done := int64(0)
		for range cap(answered) {
			if err := <-answered; err == nil {
				done++
			} else if !strings.Contains(err.Error(), "refused") && !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") {
				t.Error(err)
			}
		}
		if n := number(t, db(t, s), `SELECT count(*) FROM users`) - 1; n != done {
			t.Errorf("%d users are there, %d were acknowledged", n, done)
		}
	})
}

// TestTwoNodes serves one database with two nodes: what one does the other knows within a second.
func TestTwoNodes(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, engine string) {
		if engine == "SQLite" {
			t.Skip("several nodes share a PostgreSQL database; the embedded one is for one")
		}
		one := start(t, engine, rig.Options{Args: []string{"--node", "one"}})
		two, err := rig.New(rig.Options{Binary: binary(t), Data: t.TempDir(), DB: one.DB, Args: []string{"--node", "two", "--master-key-file", one.Data + "/master.key"}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(two.Close)
		if err := two.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if two.Password != "" {
			t.Error("the second node made a tenant of its own")
		}
		a := admin(t, one)
		there := client(t, two).As(a.Token)
		must(t, there, "/Security/WhoAmI", nil, nil)
		id := newUser(t, a, "anna")
		must(t, there, "/CDirectoryService/GetUser", object{"ID": id}, nil)
		must(t, a, "/Security/Logout", nil, nil)
		// The promise is a second; another one is for a machine that is busy with other tests.
		eventually(t, 2*time.Second, "a session that ended on one node is dead on the other", func() bool {
			return post(t, there, "/Security/WhoAmI", nil).Status == 401
		})
	})
}
