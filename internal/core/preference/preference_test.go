package preference_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"limen/internal/call"
	"limen/internal/core/preference"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// each runs f on every engine, with a way to do something in a transaction of a tenant of its own.
func each(t *testing.T, f func(t *testing.T, do func(want error, what func(ctx context.Context, c *call.Call) error))) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		tenant := uuid.NewString()
		f(t, func(want error, what func(ctx context.Context, c *call.Call) error) {
			t.Helper()
			err := db.Write(t.Context(), func(tx *dbx.Tx) error {
				return what(t.Context(), &call.Call{Tenant: call.Tenant{ID: tenant}, Tx: tx, Now: time.Now(), Rand: rand.Reader, Event: &call.Event{}})
			})
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		})
	})
}

type values = map[string]any

func TestMerge(t *testing.T) {
	many := values{}
	for i := range preference.MaxEntries + 1 {
		many[fmt.Sprint("n", i)] = true
	}
	large := values{}
	for i := range 9 {
		large[fmt.Sprint("n", i)] = strings.Repeat("x", preference.MaxValue-10)
	}
	for _, x := range []struct {
		name string
		set  []values // the last of which may fail
		want values
		err  error
	}{
		{"adds to what is there", []values{{"a": "1"}, {"b": true}}, values{"a": "1", "b": true}, nil},
		{"replaces, whatever the case", []values{{"Mine": "1"}, {"MINE": "2"}}, values{"MINE": "2"}, nil},
		{"nil removes", []values{{"a": "1", "b": "2"}, {"A": nil}}, values{"b": "2"}, nil},
		{"digits survive", []values{{"a": json.Number("12345678901234567890")}}, values{"a": json.Number("12345678901234567890")}, nil},
		{"known names keep their spelling", []values{{"timezone": "UTC"}}, values{"TimeZone": "UTC"}, nil},
		{"known values have their kind", []values{{"HideIntro": true}, {"HideIntro": "yes"}}, values{"HideIntro": true}, preference.ErrValue},
		{"languages are tags", []values{{"PreferredCulture": "not a tag"}}, values{}, preference.ErrValue},
		{"a bad one keeps the others out", []values{{"a": "1", "b\x00": "2"}}, values{}, preference.ErrName},
		{"blank names", []values{{" ": "2"}}, values{}, preference.ErrName},
		{"long names", []values{{strings.Repeat("x", preference.MaxName+1): "2"}}, values{}, preference.ErrName},
		{"long values", []values{{"a": strings.Repeat("x", preference.MaxValue)}}, values{}, preference.ErrSize},
		{"too many at once", []values{many}, values{}, preference.ErrSize},
		{"too many together", []values{{"a": "1"}, without(many, "n0")}, values{"a": "1"}, preference.ErrSize},
		{"too much together", []values{large}, values{}, preference.ErrSize},
	} {
		t.Run(x.name, func(t *testing.T) {
			each(t, func(t *testing.T, do func(error, func(context.Context, *call.Call) error)) {
				var p preference.Preferences
				for i, set := range x.set {
					want := x.err
					if i < len(x.set)-1 {
						want = nil
					}
					do(want, func(ctx context.Context, c *call.Call) error { return p.Merge(ctx, c, "anna", set) })
				}
				do(nil, func(ctx context.Context, c *call.Call) error {
					got, err := p.Get(ctx, c, "anna")
					if diff := cmp.Diff(x.want, got); diff != "" {
						t.Error(diff)
					}
					return err
				})
			})
		})
	}
}

func without(of values, name string) values {
	out := values{}
	for k, v := range of {
		if k != name {
			out[k] = v
		}
	}
	return out
}

// What one person keeps is nothing of another's, and goes with them.
func TestDrop(t *testing.T) {
	each(t, func(t *testing.T, do func(error, func(context.Context, *call.Call) error)) {
		var p preference.Preferences
		do(nil, func(ctx context.Context, c *call.Call) error {
			return errors.Join(p.Merge(ctx, c, "anna", values{"a": "1"}), p.Merge(ctx, c, "ben", values{"a": "2"}), p.Drop(ctx, c, "anna"))
		})
		do(nil, func(ctx context.Context, c *call.Call) error {
			anna, err := p.Get(ctx, c, "anna")
			ben, err2 := p.Get(ctx, c, "ben")
			if len(anna) != 0 || ben["a"] != "2" {
				t.Error(anna, ben)
			}
			return errors.Join(err, err2)
		})
	})
}
