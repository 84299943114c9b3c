package policy_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/policy"
)

func TestValuesAreCheckedAndKeptAsTheyAre(t *testing.T) {
	each(t, func(w *world) {
		s, err := w.check(values{
			least: "20", enabled: false, "/PAS/Anything": map[string]any{"a": []int{1}}, "/core/authentication/ALLOWIWA": "true",
			"/Core/Authentication/MinPhonePinLength": "4", "/Core/Authentication/AllowZso": nil, "/Core/Policy/Culture": "",
		})
		if err != nil {
			w.Fatal(err)
		}
		for key, want := range map[string]string{
			least: `"20"`, enabled: `false`, "/PAS/Anything": `{"a":[1]}`, "/Core/Authentication/AllowIwa": `"true"`,
			"/Core/Authentication/MinPhonePinLength": `"4"`, "/Core/Policy/Culture": `""`,
		} {
			if string(s[key]) != want {
				t.Errorf("%s: %s, want %s", key, s[key], want)
			}
		}
		if len(s) != 6 {
			t.Errorf("%v", s)
		}
		for _, bad := range []values{
			{least: 3}, {least: "many"}, {least: 12.5}, {enabled: "perhaps"}, {enabled: map[string]any{}},
			{rulesKey: map[string]any{"_Value": "x"}}, {rulesKey: rule("", policy.Condition{Prop: "IdentityCookie", Op: "OpExists"})},
			{rulesKey: rule("-1", policy.Condition{Prop: "Time", Op: "OpBetween", Val: "L,25:00,26:00"})},
			{rulesKey: rule("-1", policy.Condition{Prop: "DayOfWeek", Op: "OpIsDayOfWeek", Val: "L,7"})},
			{least: 30, strings.Replace(least, "Min", "Max", 1): 20}, {least: 20, strings.ToUpper(least): 21},
		} {
			if _, err := w.check(bad); !errors.Is(err, policy.ErrValue) {
				t.Errorf("%v: %v", bad, err)
			}
		}
		if _, err := w.check(values{enabled: true}); !errors.Is(err, policy.ErrNeeds) {
			t.Error(err)
		}
	})
}

func TestStaleChangesAreRefused(t *testing.T) {
	each(t, func(w *world) {
		w.save("Staff", w.staffs(), values{least: 20})
		a, b := w.wish("Staff", w.staffs(), values{least: 21}), w.wish("Staff", everybody, values{least: 22})
		w.must(func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, a); return err })
		w.refused(policy.ErrStale, func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, b); return err })
		if n, _ := w.rsop(w.anna.ID).Int(least); n != 21 {
			t.Error("the first writer's value is", n)
		}
		again := w.wish("Other", everybody, nil)
		again.Path = "/policy/STAFF"
		w.refused(policy.ErrTaken, func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, again); return err })
		for _, bad := range []string{"", "/Policy/", "a/b", `a\b`, "a\x01", strings.Repeat("x", 101)} {
			again.Path = bad
			w.refused(policy.ErrName, func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, again); return err })
		}
		ghost := w.wish("Ghost", everybody, values{enabled: true, otherwise: "00000000-0000-4000-8000-000000000000"})
		w.refused(policy.ErrProfile, func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, ghost); return err })
	})
}

func (w *world) links() (paths []string, stamp int64) {
	w.Helper()
	w.read(func(ctx context.Context, c *call.Call) error {
		blocks, s, err := w.p.Links(ctx, c)
		for _, b := range blocks {
			paths = append(paths, b.Name+" "+string(b.Link.Type))
		}
		stamp = s
		return err
	})
	return paths, stamp
}

func TestLinks(t *testing.T) {
	each(t, func(w *world) {
		w.save("B", w.staffs(), nil)
		w.save("A", everybody, nil) // sent with its own link alone: nothing is lost
		got, _ := w.links()
		if want := []string{"A Global", "B Role", "Default Policy Global"}; !slices.Equal(got, want) {
			t.Fatal(got)
		}
		in := w.wish("New", everybody, nil) // by somebody who does not know of B
		in.Links = append(in.Links, policy.Listed{Path: "A", Link: everybody}, policy.Listed{Path: "Default Policy", Link: everybody})
		w.must(func(ctx context.Context, c *call.Call) error { _, err := w.p.Save(ctx, c, in); return err })
		if got, _ := w.links(); !slices.Equal(got, []string{"New Global", "A Global", "B Role", "Default Policy Global"}) {
			t.Fatal(got)
		}
		w.must(func(ctx context.Context, c *call.Call) error { return w.p.Delete(ctx, c, "New", false) })
		_, before := w.links()
		order := func(want error, stamp int64, links ...policy.Listed) {
			t.Helper()
			w.refused(want, func(ctx context.Context, c *call.Call) error {
				_, err := w.p.Order(ctx, c, links, stamp, false)
				return err
			})
		}
		a, b, d := policy.Listed{Path: "A", Link: everybody}, policy.Listed{Path: "/Policy/B", Link: policy.Link{Type: policy.Inactive, Params: []string{w.staff}}}, policy.Listed{Path: "Default Policy", Link: everybody}
		order(policy.ErrLinks, before, a, b)
		order(policy.ErrLinks, before, a, a, d)
		order(policy.ErrLink, before, a, b, policy.Listed{Path: "C", Link: everybody})
		order(policy.ErrLink, before, a, d, policy.Listed{Path: "B", Link: policy.Link{Type: policy.Role, Params: []string{"nobody"}}})
		order(policy.ErrLink, before, a, d, policy.Listed{Path: "B", Link: policy.Link{Type: policy.Role, Params: []string{}}})
		order(nil, before, b, d, a)
		order(policy.ErrListed, before, a, b, d)
		got, after := w.links()
		if want := []string{"B Inactive", "Default Policy Global", "A Global"}; !slices.Equal(got, want) || after <= before {
			t.Fatal(got, before, after)
		}
		changes := ""
		for _, e := range w.l.Events {
			raw, _ := json.Marshal(e.Changes)
			changes += string(raw)
		}
		if changes != "null" { // the event of the refused change is the last
			t.Error(changes)
		}
		w.refused(policy.ErrBuiltIn, func(ctx context.Context, c *call.Call) error { return w.p.Delete(ctx, c, "default policy", false) })
		w.must(func(ctx context.Context, c *call.Call) error { return w.p.Delete(ctx, c, "/Policy/A", false) })
		w.refused(policy.ErrNotFound, func(ctx context.Context, c *call.Call) error { return w.p.Delete(ctx, c, "/Policy/A", false) })
		if got, _ := w.links(); len(got) != 2 {
			t.Error(got)
		}
	})
}

// TestLinksKeepWhatIsNotGiven sends links without roles, or without a type, as clients do that have read no more.
func TestLinksKeepWhatIsNotGiven(t *testing.T) {
	each(t, func(w *world) {
		w.save("B", w.staffs(), nil)
		for _, c := range []struct {
			about, stands string
			given         policy.Link
			is            string // how it stands then; empty: refused
		}{
			{"another of the list changes", "Role", policy.Link{Type: policy.Role}, "Role"},
			{"no type", "Role", policy.Link{}, "Role"},
			{"disabled", "Role", policy.Link{Type: policy.Inactive}, "Inactive"},
			{"still disabled", "Inactive", policy.Link{Type: policy.Inactive}, "Inactive"},
			{"enabled without saying for whom", "Inactive", policy.Link{Type: policy.Role}, ""},
			{"no roles", "Role", policy.Link{Type: policy.Role, Params: []string{}}, ""},
			{"for everybody", "Role", policy.Link{Type: policy.Global}, "Global none"},
			{"disabled, and no roles", "Role", policy.Link{Type: policy.Inactive, Params: []string{}}, "Inactive none"},
			{"for devices", "Role", policy.Link{Type: policy.Collection}, "Collection none"},
		} {
			order := func(l policy.Link) func(context.Context, *call.Call) error {
				return func(ctx context.Context, c *call.Call) error {
					_, err := w.p.Order(ctx, c, []policy.Listed{{Path: "B", Link: l}, {Path: "Default Policy"}}, policy.AnyStamp, true)
					return err
				}
			}
			w.must(order(policy.Link{Type: policy.LinkType(c.stands), Params: []string{w.staff}}))
			if c.is == "" {
				w.refused(policy.ErrLink, order(c.given))
				continue
			}
			w.must(order(c.given))
			var got policy.Link
			w.read(func(ctx context.Context, c *call.Call) error {
				blocks, _, err := w.p.Links(ctx, c)
				got = blocks[0].Link
				return err
			})
			is, none := strings.CutSuffix(c.is, " none")
			if string(got.Type) != is || none != (len(got.Params) == 0) || !none && !slices.Equal(got.Params, []string{w.staff}) {
				t.Errorf("%s: %v", c.about, got)
			}
		}
	})
}

func TestSecretsAreNeverShown(t *testing.T) {
	each(t, func(w *world) {
		const key = "/Core/PasswordReset/ADAdminPass"
		look := func() (b policy.Block) {
			w.read(func(ctx context.Context, c *call.Call) (err error) {
				b, _, err = w.p.Get(ctx, c, "AD")
				return err
			})
			return b
		}
		w.save("AD", everybody, values{key: map[string]any{"_Type": "Password", "_Value": "hush-hush"}})
		first := look()
		raw, _ := json.Marshal([]any{first.Settings, first.Shown(), w.rsop(w.anna.ID).All(), w.l.Events[0].Changes})
		if strings.Contains(string(raw), "hush") || !strings.Contains(string(first.Shown()[key]), policy.Mask) || strings.Contains(string(first.Shown()[key]), "Sealed\"") {
			t.Fatal(string(raw))
		}
		w.save("AD", everybody, values{key: first.Shown()[key], least: 20}) // as a client writes back what it read
		if string(look().Settings[key]) != string(first.Settings[key]) {
			t.Error("the stored secret was lost")
		}
	})
}
