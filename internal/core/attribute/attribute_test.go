package attribute_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
)

// world is a tenant of its own in a store that tests share. People are just ids here.
type world struct {
	t      testing.TB
	db     *dbx.DB
	tenant string
	event  *call.Event // of the last write
	attribute.Attributes
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) { f(t, build(t, db)) })
}

func build(t testing.TB, db *dbx.DB) *world { return &world{t: t, db: db, tenant: uuid.NewString()} }

func (w *world) call(tx *dbx.Tx) *call.Call {
	return &call.Call{Tenant: call.Tenant{ID: w.tenant}, Now: time.Now(), Rand: rand.Reader, Tx: tx, Event: &call.Event{}}
}

func (w *world) replace(columns ...attribute.Column) error {
	return w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		c := w.call(tx)
		w.event = c.Event
		return w.Replace(w.t.Context(), c, columns)
	})
}

func (w *world) set(id string, own bool, values map[string]any) error {
	return w.db.Write(w.t.Context(), func(tx *dbx.Tx) error {
		c := w.call(tx)
		w.event = c.Event
		return w.Set(w.t.Context(), c, id, values, own)
	})
}

func (w *world) must(want, got error) {
	w.t.Helper()
	if want == nil && got != nil || want != nil && !errors.Is(got, want) {
		w.t.Fatalf("got %v, want %v", got, want)
	}
}

func (w *world) schema() (out []attribute.Column) {
	w.t.Helper()
	w.must(nil, w.db.Read(w.t.Context(), func(tx *dbx.Tx) (err error) {
		out, err = w.Schema(w.t.Context(), w.call(tx))
		return err
	}))
	return out
}

func (w *world) get(id string) map[string]any {
	w.t.Helper()
	out := map[string]any{}
	w.must(nil, w.db.Read(w.t.Context(), func(tx *dbx.Tx) error {
		values, err := w.Get(w.t.Context(), w.call(tx), id)
		for _, v := range values {
			if v.Value != nil {
				out[v.Name] = v.Value
			}
		}
		return err
	}))
	return out
}

func (w *world) has(id string, want map[string]any) {
	w.t.Helper()
	if d := cmp.Diff(want, w.get(id)); d != "" {
		w.t.Fatal(d)
	}
}

func (w *world) rows() (n int64) {
	w.t.Helper()
	w.must(nil, w.db.Read(w.t.Context(), func(tx *dbx.Tx) (err error) { n, err = countValues.One(w.t.Context(), tx, w.tenant); return err }))
	return n
}

var countValues = dbx.Q[int64]("attributetest.count", `SELECT count(*) FROM user_attribute WHERE tenant = ?`)

type values = map[string]any

func col(name string, t attribute.Type) attribute.Column {
	return attribute.Column{Name: name, Type: t}
}

func TestReplace(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		dept := attribute.Column{Name: "Dept_name", Type: "text", Title: " Department ", Description: "Where", Editable: true}
		w.must(nil, w.replace(dept, col("Cost_1", attribute.Int)))
		dept.Type, dept.Title = attribute.Text, "Department"
		if d := cmp.Diff([]attribute.Column{col("Cost_1", attribute.Int), dept}, w.schema()); d != "" {
			t.Fatal(d)
		}
		w.must(nil, w.replace(dept, col("Cost_1", attribute.Int)))
		if w.event.Changes != nil || w.event.Kind != "Schema" {
			t.Errorf("nothing changed, but %+v", w.event)
		}
		w.must(nil, w.set("u1", false, values{"dept_NAME": "Sales", "cost_1": "7"}))
		w.has("u1", values{"Dept_name": "Sales", "Cost_1": int64(7)})

		// Texts, and the spelling of the name, may change; values stay.
		w.must(nil, w.replace(col("DEPT_NAME", attribute.Text), col("Cost_1", attribute.Int)))
		w.has("u1", values{"DEPT_NAME": "Sales", "Cost_1": int64(7)})
		// The type may not.
		w.must(attribute.ErrFixed, w.replace(col("Dept_name", attribute.Int), col("Cost_1", attribute.Int)))
		// What is left out goes with its values, and does not come back with them.
		w.must(nil, w.replace(col("DEPT_NAME", attribute.Text)))
		if w.event.Fields["ValuesDeleted"] != int64(1) {
			t.Errorf("%+v", w.event)
		}
		w.must(nil, w.replace(col("DEPT_NAME", attribute.Text), col("Cost_1", attribute.Bool)))
		w.has("u1", values{"DEPT_NAME": "Sales"})
		w.must(nil, w.replace())
		if n := w.rows(); n != 0 || len(w.schema()) != 0 {
			t.Errorf("%d values are left", n)
		}
	})
}

func TestColumnsAreChecked(t *testing.T) {
	many := make([]attribute.Column, attribute.MaxColumns+1)
	for i := range many {
		many[i] = col(fmt.Sprintf("a_%d", i), attribute.Text)
	}
	each(t, func(t *testing.T, w *world) {
		for name, want := range map[string]error{
			"a_": nil, "A1_b2_C3": nil, strings.Repeat("a", 63) + "_": nil, strings.Repeat("a", 64) + "_": attribute.ErrName,
			"": attribute.ErrName, "plain": attribute.ErrName, "_a": attribute.ErrName, "1_a": attribute.ErrName, "a_b c": attribute.ErrName,
			"a_b-c": attribute.ErrName, "ä_b": attribute.ErrName, "a_ä": attribute.ErrName, "a_\x00": attribute.ErrName, "{_a": attribute.ErrName,
		} {
			w.must(want, w.replace(col(name, attribute.Text)))
		}
		w.must(attribute.ErrType, w.replace(col("a_b", "Blob")))
		w.must(attribute.ErrType, w.replace(col("a_b", "")))
		w.must(attribute.ErrTwice, w.replace(col("a_b", attribute.Text), col("A_B", attribute.Text)))
		w.must(nil, w.replace(many[:attribute.MaxColumns]...))
		w.must(attribute.ErrMany, w.replace(many...))
		if n := len(w.schema()); n != attribute.MaxColumns {
			t.Error(n, "columns")
		}
	})
}

func TestSet(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		mine := attribute.Column{Name: "Nick_name", Type: attribute.Text, Editable: true}
		w.must(nil, w.replace(mine, col("Cost_code", attribute.Int), col("On_site", attribute.Bool), col("Hired_on", attribute.DateTime), col("Rate_h", attribute.Double)))
		w.must(nil, w.set("u1", false, values{
			"Nick_name": "Al", "Cost_code": json.Number("12"), "On_site": "True", "Hired_on": "/Date(1597323830750)/", "Rate_h": "2.5",
		}))
		hired := time.UnixMilli(1597323830750).UTC()
		all := values{"Nick_name": "Al", "Cost_code": int64(12), "On_site": true, "Hired_on": hired, "Rate_h": 2.5}
		w.has("u1", all)
		w.has("u2", values{})
		if d := cmp.Diff(map[string]call.Change{
			"Nick_name": {New: "Al"}, "On_site": {New: true}, "Hired_on": {New: int64(1597323830750)}, "Rate_h": {New: 2.5},
			"Cost_code": {New: "********"}, // the name is that of a secret
		}, w.event.Changes); d != "" {
			t.Error(d)
		}

		// All values sent back as text change nothing, whoever sends them.
		w.must(nil, w.set("u1", true, values{"Nick_name": "Al", "Cost_code": "12", "On_site": "true", "Hired_on": "/Date(1597323830750)/", "Rate_h": "2.5"}))
		if w.event.Changes != nil {
			t.Error(w.event.Changes)
		}
		w.must(nil, w.set("u1", true, values{"Nick_name": "Bo", "Cost_code": "12"}))
		w.must(attribute.ErrReadOnly, w.set("u1", true, values{"Nick_name": "Cy", "Cost_code": "13"}))
		w.must(attribute.ErrReadOnly, w.set("u1", true, values{"On_site": nil}))
		all["Nick_name"] = "Bo"
		w.has("u1", all)

		w.must(attribute.ErrColumn, w.set("u1", false, values{"Nick_name": "x", "No_such": "x"}))
		w.must(attribute.ErrValue, w.set("u1", false, values{"Nick_name": "x", "Rate_h": "much"}))
		w.must(attribute.ErrTwice, w.set("u1", false, values{"Nick_name": "x", "NICK_NAME": "x"}))
		w.has("u1", all)

		// Empty text is a text, and none of the other types.
		w.must(nil, w.set("u1", false, values{"Nick_name": "", "Cost_code": "", "On_site": "", "Hired_on": nil, "Rate_h": " "}))
		w.has("u1", values{"Nick_name": ""})
		if ch := w.event.Changes["On_site"]; ch.Old != true || ch.New != nil {
			t.Errorf("%+v", ch)
		}
		w.must(nil, w.set("u1", false, values{"Nick_name": nil}))
		w.has("u1", values{})
		if n := w.rows(); n != 0 {
			t.Error(n, "rows")
		}
	})
}

func TestAllValuesHaveALimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		columns, full := []attribute.Column{}, values{}
		for i := range 17 {
			columns = append(columns, col(fmt.Sprintf("a_%d", i), attribute.Text))
			full[columns[i].Name] = strings.Repeat("x", attribute.MaxText)
		}
		w.must(nil, w.replace(columns...))
		w.must(attribute.ErrSize, w.set("u1", false, full))
		last := full["a_16"]
		delete(full, "a_16")
		w.must(nil, w.set("u1", false, full))
		w.must(attribute.ErrSize, w.set("u1", false, values{"a_16": "x"}))
		w.must(nil, w.set("u1", false, values{"a_16": last, "a_0": nil}))
	})
}

func TestDrop(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.must(nil, w.replace(col("a_b", attribute.Text)))
		w.must(nil, w.set("u1", false, values{"a_b": "x"}))
		w.must(nil, w.set("u2", false, values{"a_b": "y"}))
		other := build(t, w.db)
		w.must(nil, other.replace(col("a_b", attribute.Text)))
		w.must(nil, other.set("u1", false, values{"a_b": "z"}))
		w.must(nil, w.db.Write(t.Context(), func(tx *dbx.Tx) error { return w.Drop(t.Context(), w.call(tx), "u1") }))
		w.has("u1", values{})
		w.has("u2", values{"a_b": "y"})
		other.has("u1", values{"a_b": "z"})
		w.must(nil, w.replace())
		other.has("u1", values{"a_b": "z"})
	})
}

// TestValuesDoNotOutliveTheirColumn sets values while the column comes and goes, each time with another type.
func TestValuesDoNotOutliveTheirColumn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		defer func() { stop(); wg.Wait() }()
		for i := range 4 {
			wg.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					me := &world{t: t, db: w.db, tenant: w.tenant}
					err := me.set(fmt.Sprint("u", i), false, values{"a_b": fmt.Sprint("text", n)})
					if err != nil && !errors.Is(err, attribute.ErrColumn) && !errors.Is(err, attribute.ErrValue) {
						t.Error(err)
						return
					}
				}
			})
		}
		for range 40 {
			w.must(nil, w.replace(col("a_b", attribute.Text)))
			w.must(nil, w.replace())
			w.must(nil, w.replace(col("a_b", attribute.Int)))
			for i := range 4 {
				w.has(fmt.Sprint("u", i), values{})
			}
			w.must(nil, w.replace())
		}
		stop()
		wg.Wait()
		if n := w.rows(); n != 0 {
			t.Error(n, "values of no column are left")
		}
	})
}

// TestTheLimitHoldsForManyAtOnce has several administrators add columns at once, each with all that are there.
func TestTheLimitHoldsForManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				var mine []attribute.Column
				for n := range 15 {
					mine = append(mine, col(fmt.Sprintf("a%d_%d", i, n), attribute.Text))
				}
				me := &world{t: t, db: w.db, tenant: w.tenant}
				if err := me.replace(mine...); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := len(w.schema()); n != 15 {
			t.Error(n, "columns: two changes were mixed")
		}
	})
}
