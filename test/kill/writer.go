package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"limen/test/rig"
)

// value is what a client knows of a user's field: the last acknowledged text, and the one whose answer never came.
type value struct {
	known   string
	pending *string
}

func (v *value) may(got string) bool { return got == v.known || v.pending != nil && got == *v.pending }

// person is a user as the client that made it remembers.
type person struct {
	name, id string // id is empty while it is not known whether the user was made
	secret   bool   // was made with a password
	text     value  // Description
	state    value
	changes  int // acknowledged ChangeUser calls
	unsure   int // ChangeUser calls whose answer never came
}

// writer is one client: it writes one thing after another and remembers what was acknowledged. Users are its own, so
// nobody else changes what it expects.
type writer struct {
	number int
	client *rig.Client
	rand   *rand.Rand
	people []*person
	maybe  []*person // made by calls whose answer never came
	count  int

	acknowledged, limited, lost int
	odd                         []string // answers that no retry may give
	statuses                    map[int]int
}

// load runs the writers until stop is closed or all of them have lost their server.
type load struct {
	writers []*writer
	stop    chan struct{}
	wg      sync.WaitGroup
}

func start(ctx context.Context, writers []*writer, patient bool) *load {
	l := &load{writers: writers, stop: make(chan struct{})}
	for _, w := range writers {
		l.wg.Add(1)
		go func() {
			defer l.wg.Done()
			for ctx.Err() == nil {
				select {
				case <-l.stop:
					return
				default:
				}
				if !w.step(ctx) && !patient {
					return
				}
			}
		}()
	}
	return l
}

func (l *load) end() {
	close(l.stop)
	l.wg.Wait()
}

// step writes one thing; false when the answer was none.
func (w *writer) step(ctx context.Context) bool {
	time.Sleep(time.Duration(w.rand.IntN(8)) * time.Millisecond)
	w.count++
	if len(w.people) < 5 || w.rand.IntN(3) == 0 {
		return w.create(ctx)
	}
	p := w.people[w.rand.IntN(len(w.people))]
	if p.text.pending != nil || p.state.pending != nil {
		return true // what became of it is looked up after the blow
	}
	if w.rand.IntN(3) == 0 {
		return w.setState(ctx, p)
	}
	return w.change(ctx, p)
}

func (w *writer) create(ctx context.Context) bool {
	p := &person{name: fmt.Sprintf("w%d-%d-%d@limen", w.number, w.count, w.rand.Uint32()), state: value{known: "None"}}
	body := map[string]any{"Name": p.name, "Mail": "w@example.com", "DisplayName": p.name}
	if p.secret = w.rand.IntN(20) == 0; p.secret {
		body["Password"] = "Correct-Horse-7-Battery"
	}
	w.maybe = append(w.maybe, p)
	answered, done := w.call(ctx, "/CDirectoryService/CreateUser", body, &p.id)
	if answered {
		w.maybe = w.maybe[:len(w.maybe)-1]
	}
	if done {
		w.people = append(w.people, p)
	}
	return answered
}

func (w *writer) change(ctx context.Context, p *person) bool {
	text := fmt.Sprintf("%d/%d", w.number, w.count)
	p.text.pending = &text
	answered, done := w.call(ctx, "/CDirectoryService/ChangeUser", map[string]any{"ID": p.id, "Description": text}, nil)
	switch {
	case done:
		p.text, p.changes = value{known: text}, p.changes+1
	case answered:
		p.text.pending = nil
	default:
		p.unsure++
	}
	return answered
}

func (w *writer) setState(ctx context.Context, p *person) bool {
	state := []string{"None", "Locked", "Disabled", "Expired", "Locked,Expired"}[w.rand.IntN(5)]
	p.state.pending = &state
	answered, done := w.call(ctx, "/CDirectoryService/SetUserState", map[string]any{"ID": p.id, "state": state}, nil)
	switch {
	case done:
		p.state = value{known: state}
	case answered:
		p.state.pending = nil
	}
	return answered
}

// call makes one call. answered says that the server said what became of it: done, or not done. Whatever else comes
// back (nothing, or that the server could not finish) leaves that open.
func (w *writer) call(ctx context.Context, path string, body map[string]any, out any) (answered, done bool) {
	a, err := w.client.Post(ctx, path, body)
	if err != nil {
		w.lost++
		return false, false
	}
	w.statuses[a.Status]++
	switch {
	case a.Success:
		w.acknowledged++
		if out != nil {
			if err := a.Into(out); err != nil {
				w.odd = append(w.odd, err.Error())
			}
		}
		return true, true
	case a.Status == 429:
		w.limited++
		time.Sleep(50 * time.Millisecond)
		return true, false
	case a.Status == 503:
		w.lost++
		return false, false
	}
	// Nothing that these calls ask for can be refused: "name taken" about one's own success, a session that is gone, or
	// an internal error are mistakes of the server.
	w.odd = append(w.odd, fmt.Sprintf("%s %v: status %d: %s", path, body, a.Status, a.Body))
	return false, false
}
