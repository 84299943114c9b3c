package outbound_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/outbound"
	"limen/internal/core/user"
	"limen/internal/wire/scim"
)

// run starts a run and waits for what it found, as action, name and detail.
func (w *world) run(mode string, repair ...string) (id string, found []string) {
	w.t.Helper()
	w.Do(w.t, audit.ProvisionRun, func(ctx context.Context, c *call.Call) (err error) {
		id, err = w.App.Outbound.Start(ctx, c, grant.All(), w.app, mode, repair)
		return err
	})
	state := ""
	w.eventually("the run", func() bool {
		w.read(func(ctx context.Context, c *call.Call) error {
			i, err := w.App.Jobs.Get(ctx, c, grant.All(), id)
			state = i.State + " " + i.Message
			return err
		})
		return !strings.HasPrefix(state, job.Waiting) && !strings.HasPrefix(state, job.Running)
	})
	if !strings.HasPrefix(state, job.Done) {
		w.t.Fatal(state)
	}
	w.read(func(ctx context.Context, c *call.Call) error {
		fs, counts, err := w.App.Outbound.Found(ctx, c, grant.All(), w.app, id, "", "", 100)
		n := 0
		for _, c := range counts {
			n += int(c)
		}
		if n != len(fs) {
			w.t.Errorf("%d findings, and counts %v", len(fs), counts)
		}
		for _, f := range fs {
			found = append(found, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Action, strings.TrimSuffix(f.Name, "@"+w.Suffix), f.Detail)))
		}
		return err
	})
	slices.Sort(found)
	return id, found
}

// A dry run says what would be done about everybody, and does nothing.
func TestDryRun(t *testing.T) {
	each(t, outbound.Settings{}, func(w *world) {
		base := "https://" + strings.ReplaceAll(w.Suffix, ".", "-") + ".example/v2"
		ann, bob := w.person("ann", true), w.person("bob", true)
		w.settled(ann, outbound.Acknowledged, outbound.Active)
		w.settled(bob, outbound.Acknowledged, outbound.Active)
		set := func(on bool, s outbound.Settings) {
			w.Do(w.t, audit.ProvisionTarget, func(ctx context.Context, c *call.Call) error {
				wish := outbound.Wish{Target: outbound.Target{Base: base, Auth: outbound.Bearer, Enabled: on, Settings: s}}
				if err := wish.Check(); err != nil {
					return err
				}
				_, err := w.App.Outbound.Set(ctx, c, grant.All(), w.app, wish)
				return err
			})
		}
		set(false, outbound.Settings{Adopt: true})
		w.service.Lock()
		w.service.Have["Users"]["x"] = scim.Object{"id": "x", "userName": w.name("eve")}
		w.service.Have["Users"]["y"] = scim.Object{"id": "y", "userName": w.name("fay"), "externalId": "z"}
		w.service.Unlock()
		text := "Ann of Wiki"
		w.change(ann, user.Change{Display: &text})
		w.change(bob, user.Change{State: &user.State{Disabled: true}})
		for _, name := range []string{"dan", "eve", "fay"} {
			w.person(name, true)
		}
		before := len(w.service.Have["Users"])
		w.service.Told()
		_, found := w.run(outbound.DryRun)
		want := []string{
			"adopt eve", "change ann replace displayName",
			"conflict fay The service has an account with this userName, which belongs to another source: its externalId is not this person's.",
			"create dan", "disable bob replace active",
		}
		if !slices.Equal(found, want) {
			w.t.Errorf("found %q", found)
		}
		if told := w.service.Told(); len(told) > 0 || len(w.service.Have["Users"]) != before {
			w.t.Error("it told", told)
		}
		set(true, outbound.Settings{Adopt: true})
		w.eventually("what was foreseen", func() bool {
			return w.service.User(w.t, w.name("dan")) != nil && w.service.User(w.t, w.name("bob"))["active"] == false && w.service.User(w.t, w.name("ann"))["displayName"] == text
		})
	})
}

// A comparison finds what is otherwise at the service, and puts right what it is told to.
func TestCompare(t *testing.T) {
	each(t, outbound.Settings{}, func(w *world) {
		ids := map[string]string{}
		for _, name := range []string{"ann", "bob", "dan", "eve"} {
			ids[name] = w.person(name, true)
		}
		remote := map[string]string{}
		for name, id := range ids {
			remote[name] = w.settled(id, outbound.Acknowledged, outbound.Active).Remote
		}
		fay := w.person("fay", false)
		w.change(ids["eve"], user.Change{State: &user.State{Disabled: true}})
		w.settled(ids["eve"], outbound.Acknowledged, outbound.Disabled)
		w.service.Lock()
		have := w.service.Have["Users"]
		altered := maps.Clone(have[remote["ann"]])
		altered["displayName"], altered["nickName"] = "Somebody", "Annie"
		have[remote["ann"]] = altered
		revived := maps.Clone(have[remote["eve"]])
		revived["active"] = true
		have[remote["eve"]] = revived
		delete(have, remote["bob"])
		have["s"] = scim.Object{"id": "s", "userName": "old-fay", "externalId": fay, "active": true}
		have["n"] = scim.Object{"id": "n", "userName": "nobody"}
		w.service.Unlock()
		w.service.Told()
		run, found := w.run(outbound.Compare)
		want := []string{"differs ann displayName", "differs eve active", "foreign nobody", "missing bob", "stray fay"}
		if !slices.Equal(found, want) {
			w.t.Errorf("found %q", found)
		}
		if told := w.service.Told(); len(told) > 0 {
			w.t.Error("it told", told)
		}
		w.Do(w.t, audit.ProvisionRepair, func(ctx context.Context, c *call.Call) error {
			n, err := w.App.Outbound.Repair(ctx, c, grant.All(), w.app, run, []string{outbound.Differs})
			if n != 2 {
				w.t.Errorf("%d are repaired", n)
			}
			return err
		})
		w.eventually("the repair", func() bool {
			ann := w.service.User(w.t, w.name("ann"))
			return ann["displayName"] == "ANN" && ann["nickName"] == "Annie" && w.service.User(w.t, w.name("eve"))["active"] == false
		})
		w.run(outbound.Compare, outbound.Missing, outbound.Stray)
		w.eventually("the rest", func() bool {
			return w.service.User(w.t, w.name("bob")) != nil && w.service.User(w.t, "old-fay")["active"] == false
		})
		w.settled(ids["bob"], outbound.Acknowledged, outbound.Active)
		w.settled(fay, outbound.Acknowledged, outbound.Disabled)
		if _, found = w.run(outbound.Compare); !slices.Equal(found, []string{"foreign nobody"}) {
			w.t.Errorf("left: %q", found)
		}
	})
}
