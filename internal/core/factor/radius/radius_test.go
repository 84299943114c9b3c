package radius_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	mechanism "limen/internal/core/factor/radius"
	"limen/internal/core/radius"
	"limen/internal/platform/egress"
	"limen/internal/platform/udp"
	wire "limen/internal/wire/radius"
)

const secret = "a secret of sixteen"

// elsewhere is a RADIUS server that knows passcodes of people.
type elsewhere struct {
	host, port string
	asked      atomic.Int64
	// spoil changes an answer on its way; nil: nobody does.
	spoil func(b []byte) []byte
	last  atomic.Value // User-Name of the last request
}

var codes = map[string]string{"alice@acme.test": "135790", "bob@acme.test": "246802", "carl@acme.test": "111111"}

func serve(t *testing.T) *elsewhere {
	t.Helper()
	e := &elsewhere{}
	at := make(chan net.Addr, 1)
	s := &udp.Server{Addr: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), Started: func(a net.Addr) { at <- a }, Handle: func(_ context.Context, _ netip.AddrPort, b []byte) []byte {
		out := e.answer(t, b)
		if e.spoil != nil {
			out = e.spoil(out)
		}
		return out
	}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	e.host, e.port, _ = net.SplitHostPort((<-at).String())
	return e
}

// answer lets in by a passcode, and carl by a second one.
func (e *elsewhere) answer(t *testing.T, b []byte) []byte {
	p, err := wire.Parse(b)
	if _, ok := p.Signed([]byte(secret), nil); err != nil || !ok {
		t.Error("a request is not signed", err)
		return nil
	}
	e.asked.Add(1)
	name, typed := p.Text(wire.UserName), ""
	e.last.Store(name)
	typed, _ = p.Password([]byte(secret))
	code, more := wire.AccessReject, []wire.Attribute(nil)
	switch {
	case p.Has(wire.State) && string(p.Get(wire.State)) == "\xffsecond" && typed == "222222":
		code = wire.AccessAccept
	case p.Has(wire.State):
	case strings.HasPrefix(name, "carl") && typed == codes["carl@acme.test"]:
		code, more = wire.AccessChallenge, []wire.Attribute{{Type: wire.State, Value: []byte("\xffsecond")}, {Type: wire.ReplyMessage, Value: []byte("Wait for the next\ncode.")}}
	case codes[name] != "" && codes[name] == typed:
		code = wire.AccessAccept
	}
	out, err := p.Reply(code, []byte(secret), more...)
	if err != nil {
		t.Error(err)
	}
	return out
}

// setup is a tenant's, whose policies let everybody but dora answer so.
func setup(w *factortest.World, permit string) mechanism.Mechanism {
	guard := egress.Guard{}
	if permit != "" {
		guard.Permit = []netip.Prefix{netip.MustParsePrefix(permit)}
	}
	s := &radius.Setup{DB: w.DB, Ring: w.Ring, Changes: &change.Log{DB: w.DB}, Ask: (&udp.Client{Guard: guard}).Ask}
	return mechanism.Mechanism{Setup: s, Allowed: func(_ context.Context, _ *call.Call, id string) (bool, error) { return id != "dora", nil }}
}

// add adds a server.
func add(w *factortest.World, m mechanism.Mechanism, name, host, port, names string, caller *call.Caller) {
	w.T.Helper()
	n, _ := strconv.ParseInt(port, 10, 64)
	wait := int64(1)
	r, err := m.Setup.PrepareServer(w.T.Context(), w.Call(), radius.ServerWish{Name: name, Host: host, Port: &n, Names: &names, Wait: &wait, Secret: secret})
	if err != nil {
		w.T.Fatal(err)
	}
	w.Write(func(ctx context.Context, c *call.Call) error {
		c.Caller = caller
		_, err := m.Setup.SaveServer(ctx, c, r)
		return err
	})
}

func person(id string) factor.Person {
	return factor.Person{ID: id, Name: id + "@acme.test", Mail: id + "@mail.test"}
}

func TestSuite(t *testing.T) {
	factortest.Run(t, func(t *testing.T, w *factortest.World) factortest.Bench {
		e, m := serve(t), setup(w, "127.0.0.0/8")
		add(w, m, "Tokens", e.host, e.port, "Name", nil)
		return factortest.Bench{
			Mechanism: m, Enrolled: person("alice"), Other: person("bob"), Stranger: person("dora"),
			Right: func(factor.Challenge) factor.Answer { return factor.Answer{Text: codes["alice@acme.test"]} },
			Wrong: factor.Answer{Text: "000000"}, Reusable: true,
		}
	})
}

func try(w *factortest.World, m mechanism.Mechanism, p factor.Person, ch factor.Challenge, text string) (factor.Verdict, error) {
	return m.Check(w.T.Context(), w.Call(), p, ch, factor.Answer{Text: text})
}

// A server may ask for something else, by its own sentence, and is given back its state.
func TestChallenge(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		e, m := serve(t), setup(w, "127.0.0.0/8")
		add(w, m, "Tokens", e.host, e.port, "Name", nil)
		v, err := try(w, m, person("carl"), factor.Challenge{}, codes["carl@acme.test"])
		if err != nil || v.Right || v.Again != "Wait for the next code." {
			t.Fatal(v, err)
		}
		for text, right := range map[string]bool{"333333": false, "222222": true} {
			if got, err := try(w, m, person("carl"), factor.Challenge{Code: v.Token}, text); err != nil || got.Right != right || got.Again != "" {
				t.Error(text, got, err)
			}
		}
	})
}

// What somebody on the way makes of an answer counts for nothing, and neither does silence.
func TestNoAnswer(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		e, m := serve(t), setup(w, "127.0.0.0/8")
		add(w, m, "Tokens", e.host, e.port, "Name", nil)
		for name, spoil := range map[string]func([]byte) []byte{
			"an acceptance of a refusal": func(b []byte) []byte { b[0] = byte(wire.AccessAccept); return b },
			"without Message-Authenticator": func(b []byte) []byte {
				return append(append(append([]byte{}, b[:2]...), 0, byte(len(b)-18)), append(append([]byte{}, b[4:20]...), b[38:]...)...)
			},
			"silence": func([]byte) []byte { return nil },
		} {
			e.spoil = spoil
			if v, err := try(w, m, person("alice"), factor.Challenge{}, "000000"); v.Right || !errors.Is(err, radius.ErrUnanswered) {
				t.Error(name, v, err)
			}
		}
	})
}

// Where a server does not answer, the next one by name is asked; one in a network that is not permitted is not asked at all.
func TestServers(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		dumb, e, m := serve(t), serve(t), setup(w, "127.0.0.0/8")
		dumb.spoil = func([]byte) []byte { return nil }
		add(w, m, "A", dumb.host, dumb.port, "Name", nil)
		add(w, m, "B", e.host, e.port, "Name", nil)
		if v, err := try(w, m, person("alice"), factor.Challenge{}, codes["alice@acme.test"]); err != nil || !v.Right || dumb.asked.Load() == 0 {
			t.Error(v, err)
		}
		closed := setup(w, "")
		before := e.asked.Load()
		if v, err := try(w, closed, person("alice"), factor.Challenge{}, codes["alice@acme.test"]); !errors.Is(err, radius.ErrUnanswered) || v.Right || e.asked.Load() != before {
			t.Error(v, err)
		}
	})
}

// A server knows people by what it says; whom it does not know is not offered it.
func TestNames(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		for names, want := range map[string]string{"Name": "alice@acme.test", "UserPrincipalName": "alice@acme.test", "sAMAccountName": "alice", "Mail": "alice@mail.test"} {
			e, m := serve(t), setup(w, "127.0.0.0/8")
			w.Tenant = fmt.Sprintf("RAD%04d", e.asked.Load()) + names
			if err := w.Ring.Ensure(t.Context(), w.Tenant, factor.Purposes...); err != nil {
				t.Fatal(err)
			}
			add(w, m, "Tokens", e.host, e.port, names, nil)
			if _, err := try(w, m, person("alice"), factor.Challenge{}, "x"); err != nil || e.last.Load() != want {
				t.Error(names, e.last.Load(), err)
			}
			c := w.Call()
			bare := factor.Person{ID: "bare", Name: "bare@acme.test"}
			if err := c.Snapshot(t.Context(), func() error {
				_, ok, err := m.Offer(t.Context(), c, bare)
				if ok == (names == "Mail") {
					t.Error(names, "offered:", ok)
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		}
	})
}

// A server that nobody saved who is a system administrator is not asked about people with administrative rights.
func TestAdministrators(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		e, m := serve(t), setup(w, "127.0.0.0/8")
		m.Setup.Plain = func(_ context.Context, _ *call.Call, id string) (bool, error) { return id != "alice", nil }
		add(w, m, "Tokens", e.host, e.port, "Name", &call.Caller{User: "manager"})
		if v, err := try(w, m, person("alice"), factor.Challenge{}, codes["alice@acme.test"]); err != nil || v.Right || e.asked.Load() != 0 {
			t.Error(v, err)
		}
		if v, err := try(w, m, person("bob"), factor.Challenge{}, codes["bob@acme.test"]); err != nil || !v.Right {
			t.Error(v, err)
		}
	})
}
