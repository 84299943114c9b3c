package profile_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/profile"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

type world struct {
	*testing.T
	*profile.Profiles
	id    string
	event *call.Event
}

func each(t *testing.T, f func(w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) { f(build(t, db)) })
}

func build(t *testing.T, db *dbx.DB) *world {
	changes := &change.Log{DB: db}
	if err := changes.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, Profiles: &profile.Profiles{DB: db, Changes: changes}, id: "PRF" + call.NewID(time.Now(), rand.Reader)[24:]}
	w.Start()
	return w
}

func (w *world) call() *call.Call {
	return &call.Call{Tenant: call.Tenant{ID: w.id}, Now: time.Now(), Rand: rand.Reader, Event: &call.Event{}}
}

func (w *world) try(f func(ctx context.Context, c *call.Call) error) error {
	return w.DB.Write(w.Context(), func(tx *dbx.Tx) error {
		c := w.call()
		c.Tx, w.event = tx, c.Event
		return f(w.Context(), c)
	})
}

func (w *world) save(p profile.Profile) (out profile.Profile, err error) {
	err = w.try(func(ctx context.Context, c *call.Call) (err error) { out, err = w.Save(ctx, c, p); return err })
	return out, err
}

func (w *world) saved(p profile.Profile) profile.Profile {
	w.Helper()
	out, err := w.save(p)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *world) delete(id string) error {
	return w.try(func(ctx context.Context, c *call.Call) error { return w.Delete(ctx, c, id) })
}

func (w *world) names() (out []string) {
	w.Helper()
	all, err := w.List(w.Context(), w.call())
	if err != nil {
		w.Fatal(err)
	}
	for _, p := range all {
		out = append(out, p.Name)
	}
	return out
}

func rounds(texts ...string) [][]string {
	out := make([][]string, len(texts))
	for i, t := range texts {
		out[i] = strings.Split(t, ",")
	}
	return out
}

func TestSave(t *testing.T) {
	each(t, func(w *world) {
		made := w.saved(profile.Profile{Name: " Staff ", Challenges: rounds("up, Oath", "email,EMAIL", ""), Minutes: 30, Single: []string{"passkey"}, Questions: 2})
		want := profile.Profile{
			ID: made.ID, Name: "Staff", Challenges: rounds("UP,OATH", "EMAIL"), Minutes: 30, Single: []string{"PASSKEY"}, Questions: 2,
			Created: made.Created, Changed: made.Changed, Revision: 1,
		}
		if !reflect.DeepEqual(made, want) || !profile.Is(made.ID) || made.Created == 0 {
			w.Fatalf("%+v", made)
		}
		if e := w.event; e.Target != made.ID || e.Kind != "AuthProfile" || e.Name != "Staff" || len(e.Changes) != 5 || e.Changes["Name"].Old != nil {
			w.Fatalf("%+v", e)
		}
		got, err := w.Get(w.Context(), w.call(), strings.ToUpper(made.ID))
		if err != nil || !reflect.DeepEqual(got, want) {
			w.Fatalf("%+v %v", got, err)
		}
		// A change replaces the record.
		changed := w.saved(profile.Profile{ID: made.ID, Name: "STAFF", Challenges: rounds("UP")})
		if changed.Revision != 2 || changed.Created != made.Created || changed.Minutes != 0 || len(changed.Single) != 0 || changed.Questions != 0 {
			w.Fatalf("%+v", changed)
		}
		if e := w.event; len(e.Changes) != 5 || e.Changes["DurationInMinutes"] != (call.Change{Old: 30, New: 0}) {
			w.Fatalf("%+v", e)
		}
		if got, err := w.Get(w.Context(), w.call(), made.ID); err != nil || !reflect.DeepEqual(got, changed) {
			w.Fatalf("read %+v, %v", got, err)
		}
		w.saved(changed)
		if len(w.event.Changes) != 0 {
			w.Fatal("nothing changed", w.event.Changes)
		}
		w.saved(profile.Profile{Name: "Guests", Challenges: rounds("UP")})
		if _, err := w.save(profile.Profile{Name: "staff", Challenges: rounds("UP")}); !errors.Is(err, profile.ErrNameTaken) {
			w.Fatal(err)
		}
		if _, err := w.save(profile.Profile{ID: made.ID, Name: "guests", Challenges: rounds("UP")}); !errors.Is(err, profile.ErrNameTaken) {
			w.Fatal(err)
		}
		if got := w.names(); !slices.Equal(got, []string{"Guests", "STAFF"}) {
			w.Fatal(got)
		}
	})
}

func TestRefused(t *testing.T) {
	each(t, func(w *world) {
		ok := profile.Profile{Name: "P", Challenges: rounds("UP")}
		for name, q := range map[string]struct {
			change func(*profile.Profile)
			want   *fault.Error
		}{
			"no name":            {func(p *profile.Profile) { p.Name = " " }, fault.ErrBlank},
			"long name":          {func(p *profile.Profile) { p.Name = strings.Repeat("x", 201) }, fault.ErrInvalid},
			"no round":           {func(p *profile.Profile) { p.Challenges = nil }, profile.ErrRounds},
			"empty rounds":       {func(p *profile.Profile) { p.Challenges = rounds("", "") }, profile.ErrRounds},
			"empty first round":  {func(p *profile.Profile) { p.Challenges = rounds("", "UP") }, profile.ErrRounds},
			"three rounds":       {func(p *profile.Profile) { p.Challenges = rounds("UP", "SMS", "EMAIL") }, profile.ErrRounds},
			"unknown mechanism":  {func(p *profile.Profile) { p.Challenges = rounds("UP,XX") }, profile.ErrMechanism},
			"no mechanism":       {func(p *profile.Profile) { p.Challenges = rounds("UP,,SMS") }, profile.ErrMechanism},
			"RESET is not asked": {func(p *profile.Profile) { p.Challenges = rounds("RESET") }, profile.ErrMechanism},
			"password alone":     {func(p *profile.Profile) { p.Single = []string{"UP"} }, profile.ErrMechanism},
			"no questions":       {func(p *profile.Profile) { p.Challenges = rounds("UP", "SMS,SQ") }, profile.ErrQuestions},
			"many questions":     {func(p *profile.Profile) { p.Questions = 11 }, fault.ErrInvalid},
			"negative minutes":   {func(p *profile.Profile) { p.Minutes = -1 }, fault.ErrInvalid},
			"too long":           {func(p *profile.Profile) { p.Minutes = profile.MaxMinutes + 1 }, fault.ErrInvalid},
			"unknown id":         {func(p *profile.Profile) { p.ID = profile.Reset }, profile.ErrNotFound},
			"no id":              {func(p *profile.Profile) { p.ID = "x' OR 1=1" }, profile.ErrNotFound},
		} {
			p := ok
			q.change(&p)
			if _, err := w.save(p); !errors.Is(err, q.want) {
				w.Errorf("%s: %v", name, err)
			}
		}
		if got := w.names(); len(got) != 0 {
			w.Fatal(got)
		}
	})
}

func TestDelete(t *testing.T) {
	each(t, func(w *world) {
		one := w.saved(profile.Profile{Name: "One", Challenges: rounds("UP")})
		var by []string
		w.Holders = func(_ context.Context, c *call.Call, id string) ([]string, error) {
			if !c.Tx.Writable() || id != one.ID {
				w.Error("asked about", id)
			}
			return by, nil
		}
		for i := range 7 {
			by = append(by, fmt.Sprint("set ", i))
		}
		err := w.delete(one.ID)
		if !errors.Is(err, profile.ErrInUse) || fault.Of(err).Public != "The authentication profile One is used by set 0, set 1, set 2, set 3, set 4, ...." {
			w.Fatal(err)
		}
		by = nil
		if err := w.delete(strings.ToUpper(one.ID)); err != nil {
			w.Fatal(err)
		}
		if e := w.event; e.Target != one.ID || e.Name != "One" || e.Changes["Name"] != (call.Change{Old: "One"}) {
			w.Fatalf("%+v", e)
		}
		if _, err := w.Get(w.Context(), w.call(), one.ID); !errors.Is(err, profile.ErrNotFound) {
			w.Fatal(err)
		}
		if err := w.delete(one.ID); !errors.Is(err, profile.ErrNotFound) {
			w.Fatal(err)
		}
	})
}

// What is remembered is never older than what this node has committed, and never what was rolled back.
func TestRemembered(t *testing.T) {
	each(t, func(w *world) {
		one := w.saved(profile.Profile{Name: "One", Challenges: rounds("UP")})
		for i := range 5 {
			one.Minutes = i
			w.saved(one)
			if got, err := w.Get(w.Context(), w.call(), one.ID); err != nil || got.Minutes != i {
				w.Fatal(got, err)
			}
		}
		gone := errors.New("rolled back")
		err := w.try(func(ctx context.Context, c *call.Call) error {
			one.Minutes = 99
			if _, err := w.Save(ctx, c, one); err != nil {
				return err
			}
			if got, err := w.Hold(ctx, c, one.ID); err != nil || got.Minutes != 99 {
				w.Error("a transaction must hold what it wrote", got, err)
			}
			return gone
		})
		if !errors.Is(err, gone) {
			w.Fatal(err)
		}
		if got, err := w.Get(w.Context(), w.call(), one.ID); err != nil || got.Minutes != 4 {
			w.Fatal(got, err)
		}
		other := build(w.T, w.DB)
		if _, err := other.Get(w.Context(), other.call(), one.ID); !errors.Is(err, profile.ErrNotFound) {
			w.Fatal("another tenant's", err)
		}
	})
}

func TestBuiltIn(t *testing.T) {
	each(t, func(w *world) {
		if err := w.try(func(ctx context.Context, c *call.Call) error { return w.BuiltIn(ctx, c) }); err != nil {
			w.Fatal(err)
		}
		want := map[string]string{
			profile.NewDevice: "Default New Device Login Profile UP;OTP,SMS,EMAIL,OATH", profile.Other: "Default Other Login Profile UP",
			profile.Reset: "Default Password Reset Profile OTP,SMS,EMAIL,OATH",
		}
		for id, want := range want {
			p, err := w.Get(w.Context(), w.call(), id)
			if got := p.Name + " " + strings.Join(p.Rounds(), ";"); err != nil || got != want || p.Minutes != 720 {
				w.Error(got, p, err)
			}
		}
	})
}

func TestAssure(t *testing.T) {
	for text, want := range map[string]profile.Score{
		"UP":                   {1, 10, []int{1}},
		"UP;SQ":                {1, 10, []int{1, 1}},
		"UP;OATH":              {2, 20, []int{1, 1}},
		"UP;OATH,SQ":           {1, 10, []int{1, 1}},
		"UP;SMS,U2F":           {2, 20, []int{1, 1}},
		"UP;U2F":               {3, 30, []int{1, 1}},
		"UP,SQ;U2F":            {3, 30, []int{1, 1}},
		"EMAIL;U2F":            {1, 20, []int{1, 1}},
		"PASSKEY":              {2, 25, []int{2}},
		"UP;PASSKEY":           {2, 35, []int{1, 2}},
		"UP;RADIUS":            {1, 10, []int{1, 1}},
		"UP;UP":                {1, 10, []int{1, 1}},
		"UP,EMAIL;UP,EMAIL":    {2, 20, []int{1, 1}},
		"UP;UP,EMAIL":          {2, 20, []int{1, 1}},
		"UP,OATH;EMAIL,SMS,SQ": {1, 10, []int{1, 1}},
	} {
		parsed, err := profile.Parse(strings.Split(text, ";"))
		if err != nil {
			t.Fatal(text, err)
		}
		if got := profile.Assure(parsed); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
	}
	for _, code := range profile.Mechanisms() {
		if got := profile.Assure(rounds(code)); got.Level < 1 || got.Level > 2 {
			t.Error(code, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"UP\nOTP,SMS", "UP\n", "", "\nUP", "up , sq", ",", "UP\nSMS\nEMAIL", "É"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := profile.Parse(strings.Split(text, "\n"))
		if err != nil {
			return
		}
		again, err := profile.Parse(profile.Profile{Challenges: parsed}.Rounds())
		if err != nil || !reflect.DeepEqual(parsed, again) {
			t.Fatal(parsed, again, err)
		}
		if s := profile.Assure(parsed); s.Level < 1 || s.Level > 3 || s.Points < 10 || s.Points > 40 {
			t.Fatal(parsed, s)
		}
	})
}
