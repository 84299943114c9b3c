package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"limen/test/rig"
)

// desk is where the suite asks for decisions of people who are not at the client (CIBA): it signs them in, and has them decide about what
// was asked last.
type desk struct {
	world  *world
	at     string // where it listens
	server *http.Server

	mu     sync.Mutex
	people map[string]account
	seated map[string]seat
}

// seat is somebody who is signed in.
type seat struct {
	client *rig.Client
	since  time.Time
}

// fresh is for how long after their sign-in somebody is let decide; the program lets them for five minutes.
const fresh = 4 * time.Minute

func newDesk(w *world) (*desk, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // at the start
	if err != nil {
		return nil, err
	}
	d := &desk{world: w, at: "http://" + l.Addr().String(), people: map[string]account{}, seated: map[string]seat{}}
	d.server = &http.Server{ReadHeaderTimeout: 30 * time.Second, Handler: d}
	go func() { _ = d.server.Serve(l) }()
	return d, nil
}

func (d *desk) Close() { d.server.Close() }

// address is what the suite calls for decisions of a plan's person, with its own placeholder in it.
func (d *desk) address(plan string, who account) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.people[plan] = who
	return d.at + "/" + plan + "?do={action}"
}

// ServeHTTP decides: the path names the plan, do is allow or deny.
func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := d.decide(r.Context(), r.URL.Path[1:], r.URL.Query().Get("do") == "allow", 1); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// clear refuses all that waits for a plan's person: more than a few requests at a time are not taken.
func (d *desk) clear(ctx context.Context, plan string) error { return d.decide(ctx, plan, false, 0) }

// decide has a plan's person decide about what waits for them: the newest request, or all where least is 0.
func (d *desk) decide(ctx context.Context, plan string, yes bool, least int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	who, err := d.seat(ctx, plan)
	if err != nil {
		return err
	}
	var waiting struct {
		Results []struct{ Row struct{ ID string } }
	}
	if err := who.Call(ctx, "/OAuth2/GetBackchannelRequests", map[string]any{}, &waiting); err != nil {
		return err
	}
	if len(waiting.Results) < least {
		return errors.New("nothing waits for " + plan)
	}
	if least > 0 {
		waiting.Results = waiting.Results[:least]
	}
	for _, w := range waiting.Results {
		if err := who.Call(ctx, "/OAuth2/DecideBackchannelRequest", map[string]any{"ID": w.Row.ID, "Approve": yes}, nil); err != nil {
			return err
		}
	}
	return nil
}

// seat signs a plan's person in, unless they did just now.
func (d *desk) seat(ctx context.Context, plan string) (*rig.Client, error) {
	if s, ok := d.seated[plan]; ok && time.Since(s.since) < fresh {
		return s.client, nil
	}
	who, now, c := d.people[plan], time.Now(), d.world.admin.As("")
	p, next, err := c.Password(ctx, who.name, password)
	if err != nil {
		return nil, err
	}
	if next.Summary == "StartNextChallenge" {
		m, err := p.Mechanism(1, "EMAIL")
		if err != nil {
			return nil, err
		}
		if _, err := c.Act(ctx, p, m, "StartOOB", nil); err != nil {
			return nil, err
		}
		code, err := d.world.code(ctx, who.mail, now)
		if err != nil {
			return nil, err
		}
		if next, err = c.Act(ctx, p, m, "Answer", code); err != nil {
			return nil, err
		}
	}
	if next.Auth == "" {
		return nil, fmt.Errorf("the sign-in of %s ended with %s", who.name, next.Summary)
	}
	d.seated[plan] = seat{client: c.As(next.Auth), since: now}
	return d.seated[plan].client, nil
}
