package mail_test

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"limen/internal/fault"
	"limen/internal/platform/egress"
	"limen/internal/platform/mail"
	"limen/internal/platform/mail/mailtest"
)

func settings(s *mailtest.Server) mail.Server {
	return mail.Server{Host: s.Host, Port: s.Port, UseTLS: true, From: "noreply@limen.example", FromName: `Limen "Nord", Zoë`}
}

func hello() mail.Message {
	return mail.Message{
		ID: "row-1", To: "ada@example.org", Subject: "Grüße aus 東京", Text: "Ihr Code: 123456\nzweite Zeile\n",
		HTML: "<p>Ihr Code: <b>123456</b></p>", At: time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC),
		Headers: map[string]string{"X-Limen-Kind": "login_code"},
	}
}

// failure sends and returns what went wrong.
func failure(t *testing.T, s *mail.Sender, srv mail.Server, m mail.Message) (*fault.Error, *mail.Failure) {
	t.Helper()
	err := s.Send(t.Context(), srv, m)
	if err == nil {
		t.Fatal("the message was sent")
	}
	f, _ := errors.AsType[*mail.Failure](err)
	return fault.Of(err), f
}

func TestSend(t *testing.T) {
	for name, conf := range map[string]mailtest.Config{
		"STARTTLS":        {},
		"STARTTLS, PLAIN": {User: "relay", Password: "p w", Mechanisms: []string{"PLAIN"}},
		"STARTTLS, LOGIN": {User: "relay", Password: "p w", Mechanisms: []string{"LOGIN"}},
		"implicit":        {Implicit: true, User: "relay", Password: "p w"},
		"clear":           {Clear: true},
		"clear, loopback": {Clear: true, User: "relay", Password: "p w"},
	} {
		t.Run(name, func(t *testing.T) {
			server := mailtest.Run(t, conf)
			srv := settings(server)
			srv.UseTLS, srv.Implicit, srv.User, srv.Password = !conf.Clear, conf.Implicit, conf.User, conf.Password
			sender := &mail.Sender{Roots: server.Roots, Log: slog.New(slog.DiscardHandler)}
			if err := sender.Send(t.Context(), srv, hello()); err != nil {
				t.Fatal(err)
			}
			got := server.Wait(t, "ada@example.org", 1)
			if got.Secure == conf.Clear || got.Authenticated != (conf.User != "") || got.From != "noreply@limen.example" || got.UTF8 {
				t.Errorf("envelope: %+v", got)
			}
			if got.Subject != "Grüße aus 東京" || got.Text != "Ihr Code: 123456\nzweite Zeile\n" || !strings.Contains(got.HTML, "<b>123456</b>") {
				t.Errorf("content: %q %q %q", got.Subject, got.Text, got.HTML)
			}
			from, err := got.Header.AddressList("From")
			if err != nil || from[0].Name != `Limen "Nord", Zoë` {
				t.Errorf("From: %v %v", from, err)
			}
			if got.Header.Get("Auto-Submitted") != "auto-generated" || got.Header.Get("X-Limen-Kind") != "login_code" ||
				got.Header.Get("Date") != "Sat, 21 Nov 2026 20:00:00 +0000" {
				t.Errorf("fields: %v", got.Header)
			}
		})
	}
}

func TestMessageIDStaysTheSame(t *testing.T) {
	server := mailtest.Start(t)
	sender := &mail.Sender{Roots: server.Roots}
	other := hello()
	other.ID = "row-2"
	for _, m := range []mail.Message{hello(), hello(), other} {
		if err := sender.Send(t.Context(), settings(server), m); err != nil {
			t.Fatal(err)
		}
	}
	got := server.Messages()
	if got[0].ID != got[1].ID || got[0].ID == got[2].ID || !strings.HasSuffix(got[0].ID, "@limen.example") {
		t.Fatal(got[0].ID, got[1].ID, got[2].ID)
	}
	if strings.Contains(string(got[0].Raw), "row-1") {
		t.Error("the outbox's key left the house")
	}
}

func TestReplies(t *testing.T) {
	tests := []struct {
		phase mailtest.Phase
		code  int
		class mail.Class
		want  *fault.Error
		at    string
	}{
		{mailtest.Mail, 451, mail.Temporary, mail.ErrTemporary, "sender"},
		{mailtest.Mail, 550, mail.Permanent, mail.ErrRefused, "sender"},
		{mailtest.Rcpt, 450, mail.Temporary, mail.ErrTemporary, "recipient"},
		{mailtest.Rcpt, 550, mail.Permanent, mail.ErrRefused, "recipient"},
		{mailtest.Data, 452, mail.Temporary, mail.ErrTemporary, "content"},
		{mailtest.Data, 554, mail.Permanent, mail.ErrRefused, "content"},
		{mailtest.Auth, 454, mail.Temporary, mail.ErrTemporary, "connect"},
		{mailtest.Auth, 535, mail.Settings, mail.ErrSettings, "connect"},
	}
	for _, tt := range tests {
		t.Run(string(tt.phase)+" "+tt.want.Code, func(t *testing.T) {
			server := mailtest.Run(t, mailtest.Config{User: "u", Password: "p"})
			server.Fail(tt.phase, 1, tt.code, "greylisted, come back")
			srv := settings(server)
			srv.User, srv.Password = "u", "p"
			sender := &mail.Sender{Roots: server.Roots}
			err, f := failure(t, sender, srv, hello())
			if !errors.Is(err, tt.want) || f.Class != tt.class || f.Code != tt.code || f.Phase != tt.at || f.Retry() != (tt.class == mail.Temporary) {
				t.Fatalf("%v: %+v", err, f)
			}
			if !strings.Contains(err.Public, "greylisted, come back") {
				t.Errorf("the reply is not in %q", err.Public)
			}
			if len(server.Messages()) != 0 {
				t.Error("something arrived")
			}
			if err := sender.Send(t.Context(), srv, hello()); err != nil {
				t.Errorf("second try: %v", err)
			}
		})
	}
}

func TestSettingsFailures(t *testing.T) {
	clearServer := mailtest.Run(t, mailtest.Config{Clear: true})
	secret := mailtest.Run(t, mailtest.Config{User: "u", Password: "p"})
	open := mailtest.Start(t)
	stranger := mailtest.Run(t, mailtest.Config{Stranger: true})
	trusts := &mail.Sender{Roots: open.Roots}
	with := func(srv mail.Server, change func(*mail.Server)) mail.Server { change(&srv); return srv }
	tests := []struct {
		name   string
		sender *mail.Sender
		srv    mail.Server
		says   string
	}{
		{"no STARTTLS is never clear text", &mail.Sender{}, settings(clearServer), "STARTTLS"},
		{"unknown authority", &mail.Sender{}, settings(open), "certificate"},
		{"name not in certificate", &mail.Sender{Roots: stranger.Roots}, settings(stranger), "127.0.0.1"},
		{"wrong password", &mail.Sender{Roots: secret.Roots}, with(settings(secret), func(s *mail.Server) { s.User, s.Password = "u", "x" }), "535"},
		{"no AUTH offered", trusts, with(settings(open), func(s *mail.Server) { s.User, s.Password = "u", "x" }), "AUTH"},
		{"TLS against clear text", trusts, with(settings(open), func(s *mail.Server) { s.Implicit = true }), "TLS"},
		{"guard", &mail.Sender{Roots: open.Roots, Allow: egress.Guard{}.Allow}, settings(open), "does not connect"},
		{"guard after the look-up", &mail.Sender{Roots: open.Roots, Allow: egress.Guard{}.Allow},
			with(settings(open), func(s *mail.Server) { s.Host = "localhost" }), "does not connect"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err, f := failure(t, tt.sender, tt.srv, hello())
			if !errors.Is(err, mail.ErrSettings) || f.Class != mail.Settings || f.Retry() || !strings.Contains(f.Reply, tt.says) {
				t.Fatalf("%v: %+v", err, f)
			}
		})
	}
	for _, s := range []*mailtest.Server{clearServer, secret, open, stranger} {
		if len(s.Messages()) != 0 {
			t.Error("something arrived")
		}
	}
}

func TestPasswordNeverInTheClear(t *testing.T) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	var outer string
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			outer = n.IP.String()
		}
	}
	if outer == "" {
		t.Skip("this machine has no address but loopback")
	}
	ln, err := net.Listen("tcp", outer+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	srv := mail.Server{Host: outer, Port: ln.Addr().(*net.TCPAddr).Port, User: "u", Password: "p", From: "a@example.org"}
	if err, f := failure(t, &mail.Sender{}, srv, hello()); f == nil || f.Class != mail.Settings || !strings.Contains(f.Reply, "without TLS") {
		t.Fatal(err)
	}
}

func TestInsecureNames(t *testing.T) {
	server := mailtest.Start(t)
	sender := &mail.Sender{InsecureNames: []string{"127.0.0.1"}, Roots: x509.NewCertPool()}
	if err := sender.Send(t.Context(), settings(server), hello()); err != nil {
		t.Fatal(err)
	}
}

func TestNetworkFailuresAreTemporary(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	srv := mail.Server{Host: "127.0.0.1", Port: silent.Addr().(*net.TCPAddr).Port, UseTLS: true, From: "a@example.org"}
	begin := time.Now()
	if err, f := failure(t, &mail.Sender{Timeout: 200 * time.Millisecond}, srv, hello()); f == nil || !f.Retry() {
		t.Fatal(err)
	}
	if time.Since(begin) > 5*time.Second {
		t.Error("the time-out did not hold")
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if err := (&mail.Sender{}).Send(ctx, srv, hello()); !errors.Is(err, mail.ErrTemporary) {
		t.Fatal(err)
	}
	_ = silent.Close()
	if err, f := failure(t, &mail.Sender{}, srv, hello()); f == nil || !f.Retry() {
		t.Fatal(err)
	}
}

func TestTalkativeServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = c.Close() }()
		for {
			if _, err := c.Write([]byte("220-" + strings.Repeat("x", 4000) + "\r\n")); err != nil {
				return
			}
		}
	}()
	srv := mail.Server{Host: "127.0.0.1", Port: ln.Addr().(*net.TCPAddr).Port, From: "a@example.org"}
	if err, f := failure(t, &mail.Sender{}, srv, hello()); f == nil || f.Class != mail.Settings || len(f.Reply) > 1000 {
		t.Fatal(err)
	}
}

func TestAddressesOutsideASCII(t *testing.T) {
	plain, modern := mailtest.Start(t), mailtest.Run(t, mailtest.Config{UTF8: true})
	m := hello()
	m.To = "ada@Bücher.example"
	for _, s := range []*mailtest.Server{plain, modern} {
		if err := (&mail.Sender{Roots: s.Roots}).Send(t.Context(), settings(s), m); err != nil {
			t.Fatal(err)
		}
		if got := s.Wait(t, "ada@xn--bcher-kva.example", 1); got.UTF8 {
			t.Error("SMTPUTF8 was asked for without need")
		}
	}
	m.To = "zoë@bücher.example"
	if err, f := failure(t, &mail.Sender{Roots: plain.Roots}, settings(plain), m); f == nil || f.Class != mail.Permanent {
		t.Fatal(err)
	}
	if err := (&mail.Sender{Roots: modern.Roots}).Send(t.Context(), settings(modern), m); err != nil {
		t.Fatal(err)
	}
	if got := modern.Wait(t, "zoë@xn--bcher-kva.example", 1); !got.UTF8 {
		t.Error("SMTPUTF8 was not asked for")
	}
}

func TestRefusedInput(t *testing.T) {
	server := mailtest.Start(t)
	sender := &mail.Sender{Roots: server.Roots}
	messages := map[string]func(*mail.Message){
		"subject with a new field": func(m *mail.Message) { m.Subject = "hi\r\nBcc: eve@example.org" },
		"subject with LF":          func(m *mail.Message) { m.Subject = "hi\nthere" },
		"no subject":               func(m *mail.Message) { m.Subject = "" },
		"recipient with a command": func(m *mail.Message) { m.To = "ada@example.org>\r\nRCPT TO:<eve@example.org" },
		"two recipients":           func(m *mail.Message) { m.To = "ada@example.org, eve@example.org" },
		"recipient with a name":    func(m *mail.Message) { m.To = "Ada <ada@example.org>" },
		"no recipient":             func(m *mail.Message) { m.To = "" },
		"no key":                   func(m *mail.Message) { m.ID = "" },
		"no text":                  func(m *mail.Message) { m.Text = "" },
		"text too long":            func(m *mail.Message) { m.Text = strings.Repeat("x", mail.MaxBody+1) },
		"own field":                func(m *mail.Message) { m.Headers = map[string]string{"bcc": "eve@example.org"} },
		"content field":            func(m *mail.Message) { m.Headers = map[string]string{"Content-Type": "text/html"} },
		"field value with CRLF":    func(m *mail.Message) { m.Headers = map[string]string{"X-A": "b\r\nBcc: eve@example.org"} },
		"field name with CRLF":     func(m *mail.Message) { m.Headers = map[string]string{"X-A: b\r\nBcc": "eve@example.org"} },
	}
	for name, change := range messages {
		t.Run(name, func(t *testing.T) {
			m := hello()
			change(&m)
			if err, _ := failure(t, sender, settings(server), m); !errors.Is(err, mail.ErrMessage) || err.Field == "" {
				t.Fatal(err)
			}
		})
	}
	servers := map[string]func(*mail.Server){
		"no host":             func(s *mail.Server) { s.Host = "" },
		"host with a path":    func(s *mail.Server) { s.Host = "mail.example.org/x" },
		"host with CRLF":      func(s *mail.Server) { s.Host = "mail\r\n.example.org" },
		"no port":             func(s *mail.Server) { s.Port = 0 },
		"sender":              func(s *mail.Server) { s.From = "nobody" },
		"sender's name, CRLF": func(s *mail.Server) { s.FromName = "x\r\nBcc: eve@example.org" },
		"user with CRLF":      func(s *mail.Server) { s.User = "x\r\n" },
	}
	for name, change := range servers {
		t.Run(name, func(t *testing.T) {
			srv := settings(server)
			change(&srv)
			if err, _ := failure(t, sender, srv, hello()); !errors.Is(err, mail.ErrServer) || err.Field == "" {
				t.Fatal(err)
			}
		})
	}
	if len(server.Commands()) != 0 {
		t.Error("the server was spoken to:", server.Commands())
	}
}

// FuzzAddress holds that an accepted address is safe inside an SMTP command and stays accepted.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"a@b.example", "zoë@bücher.example", `"a b"@c.d`, "a@[127.0.0.1]", "a@b>\r\nX", "a@b@c", "@", "a+b@c.d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := mail.Address(s)
		if err != nil {
			return
		}
		if strings.ContainsAny(a, "\r\n\x00<> \t\"(),;") || strings.Count(a, "@") != 1 || len(a) > 254 {
			t.Fatalf("%q became %q", s, a)
		}
		if again, err := mail.Address(a); err != nil || again != a {
			t.Fatalf("%q became %q, then %q, %v", s, a, again, err)
		}
	})
}
