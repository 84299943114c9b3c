package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say how the program is started.
type Options struct {
	Binary string
	Data   string   // its data directory
	DB     string   // URL of a PostgreSQL database; empty: SQLite in Data
	Port   int      // 0: a free one is chosen, and kept over restarts
	Args   []string // more flags
	Env    []string // NAME=VALUE
}

// Server is one start of the program after another on the same data, port and settings.
type Server struct {
	Options
	URL      string // as it prints it
	CA       string // file of its authority
	Admin    string // login name of the first administrator
	Password string // of that administrator; printed on the first start only, and remembered here

	mu   sync.Mutex
	out  []string // lines printed since the last start
	logs *os.File // standard error of all starts
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// New prepares a server; it is not started yet.
func New(o Options) (*Server, error) {
	if o.Port == 0 {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		o.Port = port
	}
	if err := os.MkdirAll(o.Data, 0o700); err != nil {
		return nil, err
	}
	logs, err := os.OpenFile(filepath.Join(o.Data, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &Server{Options: o, logs: logs, CA: filepath.Join(o.Data, "tls", "ca.pem")}, nil
}

// Flags are the settings that commands on the same data need too.
func (s *Server) Flags() []string {
	f := []string{"--data", s.Data}
	if s.DB != "" {
		f = append(f, "--db", s.DB)
	}
	return f
}

// startLimit bounds the wait for a start: a database that has to recover first takes a while.
const startLimit = 60 * time.Second

// Start starts the program and returns when it says that it is ready to be sent requests.
func (s *Server) Start(ctx context.Context) error {
	args := append([]string{"serve", "--listen", "127.0.0.1:" + strconv.Itoa(s.Port)}, s.Flags()...)
	cmd := exec.Command(s.Binary, append(args, s.Args...)...)
	cmd.Env, cmd.Stderr = Environ(s.Env...), s.logs
	// A test that is killed must not leave servers behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.out, s.cmd, s.done, s.err = nil, cmd, make(chan struct{}), nil
	s.mu.Unlock()
	if err := cmd.Start(); err != nil {
		return err
	}
	go s.attend(cmd, pipe, s.done)
	return s.await(ctx)
}

// attend reads what the program prints until it ends.
func (s *Server) attend(cmd *exec.Cmd, pipe io.Reader, done chan struct{}) {
	lines := bufio.NewScanner(pipe)
	for lines.Scan() {
		s.mu.Lock()
		s.out = append(s.out, lines.Text())
		s.learn(lines.Text())
		s.mu.Unlock()
	}
	err := cmd.Wait()
	s.mu.Lock()
	s.err = err
	s.mu.Unlock()
	close(done)
}

var said = regexp.MustCompile(`^(Limen serves|Administrator|Password|CA certificate) (\S+)`)

func (s *Server) learn(line string) {
	m := said.FindStringSubmatch(line)
	if m == nil {
		return
	}
	switch m[1] {
	case "Limen serves":
		s.URL = m[2]
	case "Administrator":
		if s.Admin == "" {
			s.Admin = m[2]
		}
	case "Password":
		s.Password = m[2]
	case "CA certificate":
		s.CA = m[2]
	}
}

// await polls readiness.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		select {
		case <-s.done:
			return fmt.Errorf("the program ended: %w\n%s", s.err, s.Log(20))
		case <-ctx.Done():
			return fmt.Errorf("the program is not ready: %w\n%s", ctx.Err(), s.Log(20))
		case <-time.After(15 * time.Millisecond):
		}
		if s.greeted() && s.ready(ctx) {
			return nil
		}
	}
}

// greeted says whether what the first lines tell was printed: how to sign in comes after the administrator's password and the authority.
func (s *Server) greeted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.out {
		if strings.HasPrefix(line, "Sign in: ") {
			return true
		}
	}
	return false
}

func (s *Server) ready(ctx context.Context) bool {
	c, err := s.Client()
	if err != nil {
		return false
	}
	defer c.HTTP.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Base+"/readyz", nil)
	if err != nil {
		return false
	}
	r, err := c.HTTP.Do(req)
	if err != nil {
		return false
	}
	defer r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// Printed gives the lines printed since the last start.
func (s *Server) Printed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.out...)
}

// Log gives the last lines of the server's log, of all starts.
func (s *Server) Log(lines int) string {
	b, err := os.ReadFile(s.logs.Name())
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// PID is the process's id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Signal sends a signal and waits for the end; the error is how the program ended.
func (s *Server) Signal(sig os.Signal, limit time.Duration) error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.done:
		return s.err
	case <-time.After(limit):
		return fmt.Errorf("the program still runs %s after %v\n%s", limit, sig, s.Log(20))
	}
}

// Stop asks the program to end, as Ctrl-C does, and waits until it has.
func (s *Server) Stop() error { return s.Signal(os.Interrupt, 30*time.Second) }

// Kill ends the program at once, as a power cut would.
func (s *Server) Kill() { _ = s.Signal(syscall.SIGKILL, 30*time.Second) }

// Close ends the program if it runs, and closes its log.
func (s *Server) Close() {
	if s.cmd != nil {
		select {
		case <-s.done:
		default:
			s.Kill()
		}
	}
	s.logs.Close()
}

// Run runs another command of the program on the same data.
func (s *Server) Run(ctx context.Context, in io.Reader, args ...string) (Done, error) {
	return Command(ctx, s.Binary, in, s.Env, append(args, s.Flags()...)...)
}
