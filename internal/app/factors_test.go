package app_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/oath"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/question"
	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/platform/udp"
	packet "limen/internal/wire/radius"
)

// prover is somebody who has a password and one mechanism besides.
type prover struct {
	*testing.T
	s      *apptest.Site
	who    apptest.Person
	mobile string

	typed   func() string                    // what they type; nil: nothing
	sign    func(q passkey.Assertion) string // what their key signs; nil: they have none
	confirm func(shown prompt)               // done on another device; nil: nothing is
	visit   func(at string) url.Values       // done at an address to which they are led, and what they come back with; nil: they are led nowhere
}

// prompt is what a place shows for a mechanism.
type prompt struct{ id, number string }

// mechanism is a row of the table.
type mechanism struct {
	name  string // as profiles call it
	how   string
	asked string // the challenge besides the password; empty: name
	give  func(h *prover)
}

var mechanisms = []mechanism{
	{name: factor.OATH, how: "code of an app or a hardware token", give: (*prover).app},
	{name: factor.OTP, how: "code of the authenticator", give: func(h *prover) { h.typed = h.code(h.s.Carry(h, h.who.ID).Secret) }},
	{name: factor.OTP, how: "approval on the authenticator", give: (*prover).approves},
	{name: factor.QR, how: "QR code read with the authenticator", give: (*prover).reads},
	{name: factor.Passkey, how: "passkey", give: func(h *prover) { h.sign = h.s.Key(h, h.who.ID, passkey.Passkey).Sign }},
	{name: factor.OnDevice, how: "authenticator of a device", give: func(h *prover) { h.sign = h.s.Key(h, h.who.ID, passkey.OnDevice).Sign }},
	{name: factor.SecurityKey, how: "security key", give: func(h *prover) { h.sign = h.s.Key(h, h.who.ID, passkey.SecurityKey).Sign }},
	{name: factor.Email, how: "code by mail", give: func(h *prover) { h.typed = func() string { return h.s.Mailed(h, h.who.Mail, sixDigits) } }},
	{name: factor.SMS, how: "code by text message", give: (*prover).texted},
	{name: factor.Phone, how: "phone call, answered with a key", give: func(h *prover) {
		h.telephone()
		h.confirm = func(prompt) { h.s.Press(h, h.mobile) }
	}},
	{name: factor.Question, how: "security question", give: (*prover).answers},
	{name: factor.Radius, how: "passcode that another RADIUS server knows", give: (*prover).token},
	{name: factor.Duo, how: "Duo", give: (*prover).duo},
	{name: factor.Recovery, how: "recovery code", asked: factor.OATH + "," + factor.Recovery, give: (*prover).codes},
}

// place is where people are asked: a column of the table.
type place struct {
	name string
	// signs says whether the person was let in; false: the place has refused them.
	signs func(h *prover, m mechanism) bool
}

var places = []place{{"REST API", byRPC}, {"pages", byPages}, {"PVWA logon", byVault}, {"RADIUS", byRadius}}

var updateFactors = flag.Bool("update-factors", false, "write the table of docs/factors.md")

// Every mechanism besides the password lets in at every place that docs/factors.md says, and nowhere else.
func TestFactorsEverywhere(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		rows := []string{"| mechanism | " + strings.Join(names(), " | ") + " |", "| --- |" + strings.Repeat(" --- |", len(places))}
		for _, m := range mechanisms {
			row := "| `" + m.name + "` " + m.how + " |"
			for _, p := range places {
				ok := false
				t.Run(m.name+" "+m.how+" "+p.name, func(t *testing.T) { ok = p.signs(holding(t, srv, m), m) })
				row += map[bool]string{true: " yes |", false: " no |"}[ok]
			}
			rows = append(rows, row)
		}
		if !t.Failed() {
			compare(t, strings.Join(rows, "\n")+"\n")
		}
	})
}

func names() (out []string) {
	for _, p := range places {
		out = append(out, p.name)
	}
	return out
}

// compare wants the table of the document to be this one.
func compare(t *testing.T, table string) {
	t.Helper()
	const begin, end = "<!-- table -->\n", "<!-- end -->\n"
	path := filepath.Join("..", "..", "docs", "factors.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, _ := bytes.Cut(text, []byte(begin))
	have, after, ok := bytes.Cut(rest, []byte(end))
	switch {
	case !ok:
		t.Fatal("docs/factors.md has no place for the table")
	case *updateFactors:
		if err := os.WriteFile(path, slices.Concat(before, []byte(begin+table+end), after), 0o600); err != nil {
			t.Fatal(err)
		}
	case string(have) != table:
		t.Errorf("docs/factors.md (go test ./internal/app -run FactorsEverywhere -update-factors writes it) should have\n%s", table)
	}
}

// holding makes somebody with a mechanism, in a tenant that asks for it besides the password.
func holding(t *testing.T, srv *apptest.Server, m mechanism) *prover {
	t.Helper()
	h := &prover{T: t, s: srv.Tenant(t), mobile: "+12065550188"}
	h.s.Telephones(t)
	h.who = h.s.Plain
	fresh, err := h.s.App.Passwords.Prepare(t.Context(), h.s.App.Shell(h.s.ID), password.Change{User: h.who.ID, Plain: apptest.Password, Any: true})
	if err != nil {
		t.Fatal(err)
	}
	h.enrol(func(ctx context.Context, c *call.Call) error {
		return h.s.App.Passwords.Put(ctx, c, h.who.ID, fresh, false)
	})
	asked := m.asked
	if asked == "" {
		asked = m.name
	}
	h.s.Set(t, "Authentication.Challenges", "UP;"+asked)
	if err := h.s.App.Logins.Ensure(t.Context(), h.s.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.s.App.Ring.Ensure(t.Context(), h.s.ID, factor.Purposes...); err != nil {
		t.Fatal(err)
	}
	m.give(h)
	return h
}

var sixDigits = regexp.MustCompile(`\b\d{6,8}\b`)

const appSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// enrol does what an enrolment does.
func (h *prover) enrol(f func(ctx context.Context, c *call.Call) error) {
	h.Helper()
	h.s.Do(h, audit.FactorEnroll, f)
}

func (h *prover) code(secret string) func() string {
	return func() string {
		h.Helper()
		text, err := oath.Code(secret, "SHA1", 6, time.Now().Unix()/30)
		if err != nil {
			h.Fatal(err)
		}
		return text
	}
}

func (h *prover) app() {
	h.enrol(func(ctx context.Context, c *call.Call) error {
		_, err := h.s.App.OATH.Set(ctx, c, h.who.ID, oath.Seed{Name: "app", Secret: appSecret})
		return err
	})
	h.typed = h.code(appSecret)
}

func (h *prover) telephone() {
	h.enrol(func(ctx context.Context, c *call.Call) error {
		_, err := h.s.App.People.Change(ctx, c, h.who.ID, user.Change{Mobile: &h.mobile})
		return err
	})
}

func (h *prover) texted() {
	h.telephone()
	h.typed = func() string { return h.s.Mailed(h, h.mobile, sixDigits) }
}

func (h *prover) answers() {
	n, err := h.s.App.Questions.Prepare(h.Context(), h.s.App.Shell(h.s.ID), question.Change{Added: []question.Added{{Text: "First pet?", Answer: "Rex"}}})
	if err != nil {
		h.Fatal(err)
	}
	h.enrol(func(ctx context.Context, c *call.Call) error { return h.s.App.Questions.Update(ctx, c, h.who.ID, n) })
	h.typed = func() string { return "Rex" }
}

func (h *prover) codes() {
	h.app()
	var made []string
	h.enrol(func(ctx context.Context, c *call.Call) error {
		n, err := h.s.App.Logins.Codes.Draw(ctx, c, h.who.ID)
		made = n.Codes
		return errors.Join(err, h.s.App.Logins.Codes.Put(ctx, c, h.who.ID, n))
	})
	h.typed = func() string { return made[0] }
}

// approves confirms a request by the number that the other screen shows.
func (h *prover) approves() {
	d := h.s.Carry(h, h.who.ID)
	h.confirm = func(shown prompt) {
		h.Helper()
		at := time.Now().UnixMilli()
		var waiting []struct {
			ID, Nonce, Account, Application, Place, Agent string
			Asked                                         int64
		}
		h.post("/Authenticator/GetWaiting", map[string]any{"Device": d.ID, "Time": at, "Signature": d.Sign(authenticator.WaitingMessage(h.s.ID, d.ID, at))}, &waiting)
		if len(waiting) != 1 {
			h.Fatal(waiting)
		}
		w := waiting[0]
		a := authenticator.Ask{ID: w.ID, Nonce: w.Nonce, Login: w.Account, App: w.Application, Place: w.Place, Agent: w.Agent, Created: w.Asked}
		h.post("/Authenticator/Answer", map[string]any{
			"Device": d.ID, "Id": w.ID, "Approve": true, "Number": shown.number, "Signature": d.Sign(authenticator.AnswerMessage(h.s.ID, d.ID, a, true, shown.number)),
		}, nil)
	}
}

// token has another RADIUS server know a passcode of theirs.
func (h *prover) token() {
	const secret, passcode = "a secret of sixteen bytes", "135790"
	h.permit(map[string]any{"/Core/Authentication/AllowExternalRadius": true})
	h.admin("/Core/SetRadiusServer", map[string]any{
		"Name": "Tokens", "Host": "127.0.0.1", "Port": knowing(h.T, secret, passcode), "Secret": secret, "UserIdentifierAttribute": "UserPrincipalName",
	})
	h.typed = func() string { return passcode }
}

// knowing is a RADIUS server that lets in by a passcode, and gives its port.
func knowing(t *testing.T, secret, passcode string) int {
	t.Helper()
	at := make(chan net.Addr, 1)
	s := &udp.Server{Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), Started: func(a net.Addr) { at <- a }, Handle: func(_ context.Context, _ netip.AddrPort, b []byte) []byte {
		p, err := packet.Parse(b)
		if err != nil {
			return nil
		}
		code := packet.AccessReject
		if typed, _ := p.Password([]byte(secret)); typed == passcode {
			code = packet.AccessAccept
		}
		out, _ := p.Reply(code, []byte(secret))
		return out
	}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })
	return (<-at).(*net.UDPAddr).Port
}

// duo has an application of the tenant's at Duo, which asks them.
func (h *prover) duo() {
	srv := h.s.Duo(h.T)
	h.visit = func(at string) url.Values { return srv.Visit(h, at) }
}

// reads reads the code that the other screen shows.
func (h *prover) reads() {
	d := h.s.Carry(h, h.who.ID)
	h.confirm = func(shown prompt) {
		h.Helper()
		h.post("/Authenticator/AnswerCode", h.s.AnswerCode(h, d, shown.id, true, shown.number), nil)
	}
}
