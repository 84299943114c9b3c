package safe_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/core/safe"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

func anyAccount(safe.Account) error { return nil }

// seal seals outside of transactions, as operations do.
func (w *world) seal(id, plain string) *safe.Secret {
	w.t.Helper()
	s, err := w.safes.Seal(context.Background(), w.call(nil), id, plain)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) keep(want error, in string, d safe.Details, secret string) (a safe.Account) {
	w.t.Helper()
	sealed := w.seal("", secret)
	w.write(want, func(ctx context.Context, c *call.Call) (err error) {
		a, err = w.safes.AddAccount(ctx, c, in, d, sealed)
		return err
	})
	return a
}

func (w *world) alter(want error, a safe.Account, secret *safe.Secret, edit func(*safe.Details)) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error {
		_, err := w.safes.ChangeAccount(ctx, c, a.Ref, anyAccount, secret, func(a safe.Account) (safe.Details, error) {
			edit(&a.Details)
			return a.Details, nil
		})
		return err
	})
}

func (w *world) reveal(want error, a safe.Account) (plain string) {
	w.t.Helper()
	w.write(want, func(ctx context.Context, c *call.Call) error {
		b, err := w.safes.Reveal(ctx, c, a.Ref)
		plain = string(b)
		return err
	})
	return plain
}

// Each thing that is done with an account takes its right, and no other one does.
func TestEachRightIsAskedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.as(w.manager("all", "", time.Time{}))
		all := w.caller
		w.create(nil, "", safe.Settings{Name: "Tenant", Owner: w.user("owner", "")})
		things := map[string]safe.Rights{
			"reads": safe.ListAccounts, "adds": safe.AddAccounts, "reveals": safe.ListAccounts | safe.RetrieveAccounts, "renames": safe.ListAccounts | safe.RenameAccounts,
			"moves": safe.ListAccounts | safe.MoveAccountsAndFolders, "describes": safe.ListAccounts | safe.UpdateAccountProperties,
			"reseals": safe.ListAccounts | safe.UpdateAccountContent, "deletes": safe.ListAccounts | safe.DeleteAccounts,
		}
		for bit := safe.Rights(1); bit <= safe.Full; bit <<= 1 {
			name := bit.String()
			who := w.user(strings.ToLower(name), "")
			w.caller = all
			has := bit | safe.ListAccounts
			if bit == safe.AddAccounts || bit == safe.ManageSafe {
				has = bit
			}
			// The person is not among those whom anybody administers here but by the whole tenant.
			w.add(nil, "Tenant", role.User, who, safe.Given{Rights: has})
			a := w.keep(nil, "Tenant", safe.Details{Name: "root " + name, Type: "password"}, "Correct-Horse")
			w.as(who)
			tried := map[string]func(ctx context.Context, c *call.Call) error{
				"reads": func(ctx context.Context, c *call.Call) error { _, err := w.safes.Account(ctx, c, a.Ref); return err },
				"reveals": func(ctx context.Context, c *call.Call) error {
					b, err := w.safes.Reveal(ctx, c, a.Ref)
					if string(b) != map[bool]string{true: "Correct-Horse"}[err == nil] {
						t.Errorf("%q, %v", b, err)
					}
					return err
				},
			}
			seals := map[string]*safe.Secret{"adds": w.seal("", "x"), "reseals": w.seal(a.ID, "y")}
			tried["adds"] = func(ctx context.Context, c *call.Call) error {
				_, err := w.safes.AddAccount(ctx, c, "Tenant", safe.Details{Name: "new " + name, Type: "key"}, seals["adds"])
				return err
			}
			for what, edit := range map[string]func(d *safe.Details){
				"renames": func(d *safe.Details) { d.Name += "!" }, "moves": func(d *safe.Details) { d.Folder = "Other" },
				"describes": func(d *safe.Details) { d.Written = `[{"key":"a","value":"b"}]` }, "reseals": func(*safe.Details) {},
			} {
				tried[what] = func(ctx context.Context, c *call.Call) error {
					_, err := w.safes.ChangeAccount(ctx, c, a.Ref, anyAccount, seals[what], func(a safe.Account) (safe.Details, error) {
						edit(&a.Details)
						return a.Details, nil
					})
					return err
				}
			}
			tried["deletes"] = func(ctx context.Context, c *call.Call) error { return w.safes.DeleteAccount(ctx, c, a.Ref, anyAccount) }
			for what, takes := range things {
				undo := errors.New("undone")
				var err error
				w.write(undo, func(ctx context.Context, c *call.Call) error {
					err = tried[what](ctx, c)
					return undo
				})
				switch refused := errors.Is(err, safe.ErrDenied) || errors.Is(err, safe.ErrNoAccount); {
				case err != nil && !refused:
					t.Fatalf("who holds %s %s: %v", has, what, err)
				case refused == has.Has(takes):
					t.Errorf("who holds %s %s: %v", has, what, err)
				}
			}
		}
	})
}

func TestAccounts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		all := w.manager("all", "", time.Time{})
		owner, stranger := w.user("owner", ""), w.user("stranger", "")
		w.as(all)
		w.create(nil, "", safe.Settings{Name: "Tenant", Owner: owner, Retention: 2})
		a := w.keep(nil, "tenant", safe.Details{Name: " root ", Type: "password"}, "Correct-Horse-1")
		if b, err := json.Marshal(w.event); err != nil || strings.Contains(string(b), "Horse") || !strings.Contains(string(b), "root") {
			t.Errorf("%s %v", b, err)
		}
		w.keep(safe.ErrAccountTwin, "Tenant", safe.Details{Name: "ROOT", Type: "key"}, "x")
		w.keep(safe.ErrType, "Tenant", safe.Details{Name: "x", Type: "token"}, "x")
		w.keep(safe.ErrAccountName, "Tenant", safe.Details{Name: " ", Type: "key"}, "x")
		w.keep(safe.ErrText, "Tenant", safe.Details{Name: "x", Type: "key", Folder: "a\nb"}, "x")
		w.keep(safe.ErrNotFound, "nothing", safe.Details{Name: "x", Type: "key"}, "x")
		if _, err := w.safes.Seal(t.Context(), w.call(nil), "", strings.Repeat("x", 32<<10+1)); !errors.Is(err, safe.ErrSecret) {
			t.Error(err)
		}
		for _, ps := range [][]safe.Property{{{Key: "", Value: "x"}}, {{Key: "a"}, {Key: "A"}}, {{Key: "a", Value: strings.Repeat("x", 1001)}}, make([]safe.Property, 101)} {
			if err := new(safe.Details).SetProperties(ps); !errors.Is(err, safe.ErrProperties) {
				t.Errorf("%d properties: %v", len(ps), err)
			}
		}
		w.reveal(safe.ErrDenied, a) // who administers it
		w.as(stranger)
		w.reveal(safe.ErrNoAccount, a)
		w.as(owner)
		if got := w.reveal(nil, a); got != "Correct-Horse-1" || w.event.Target != a.ID {
			t.Errorf("%q %+v", got, w.event)
		}
		b := w.keep(nil, "Tenant", safe.Details{Name: "other", Type: "password"}, "Correct-Horse-2")
		if a.Ref == b.Ref || strings.Split(a.Ref, "_")[0] != strings.Split(b.Ref, "_")[0] {
			t.Errorf("%s and %s", a.Ref, b.Ref)
		}
		w.alter(safe.ErrAccountTwin, b, nil, func(d *safe.Details) { d.Name = "Root" })
		w.alter(safe.ErrNoAccount, b, w.seal(a.ID, "x"), func(*safe.Details) {}) // sealed for another account
		w.alter(nil, b, w.seal(b.ID, "Correct-Horse-3"), func(d *safe.Details) { d.Folder = "" })
		if got := w.reveal(nil, b); got != "Correct-Horse-3" {
			t.Errorf("%q", got)
		}
		w.copied(a, b)
		if got := w.reveal(crypt.ErrUnopenable, b); got != "" {
			t.Errorf("a secret opens as that of another account: %q", got)
		}
		w.write(safe.ErrHolds, func(ctx context.Context, c *call.Call) error { return w.safes.Delete(ctx, c, "Tenant", anySafe) })
		for _, x := range []safe.Account{a, b} {
			w.write(nil, func(ctx context.Context, c *call.Call) error { return w.safes.DeleteAccount(ctx, c, x.Ref, anyAccount) })
		}
		w.reveal(safe.ErrNoAccount, a)
		w.now = w.now.Add(47 * time.Hour)
		w.write(safe.ErrRetained, func(ctx context.Context, c *call.Call) error { return w.safes.Delete(ctx, c, "Tenant", anySafe) })
		w.now = w.now.Add(2 * time.Hour)
		w.write(nil, func(ctx context.Context, c *call.Call) error { return w.safes.Delete(ctx, c, "Tenant", anySafe) })
	})
}

var swap = dbx.E("safe_test.swap", `UPDATE safe_account SET sealed = (SELECT o.sealed FROM safe_account o WHERE o.tenant = safe_account.tenant AND o.id = ?) WHERE tenant = ? AND id = ?`)

// copied puts the sealed secret of an account in the place of another's, as somebody with the store alone could.
func (w *world) copied(from, to safe.Account) {
	w.t.Helper()
	w.write(nil, func(ctx context.Context, c *call.Call) error {
		_, err := swap.Do(ctx, c.Tx, from.ID, w.id, to.ID)
		return err
	})
}

// Lists of accounts, and of who may do what with them, tell what single reads tell to the same caller.
func TestAccountsEqualSingleReads(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		north, south := w.org("North"), w.org("South")
		all, here := w.manager("all", "", time.Time{}), w.manager("here", north, time.Time{})
		lister, viewer, both := w.user("lister", ""), w.user("viewer", ""), w.user("both", "")
		w.as(all)
		var as []safe.Account
		for i, in := range []string{"", north, south} {
			name := fmt.Sprint("safe", i)
			w.create(nil, in, safe.Settings{Name: name})
			for j := range 2 {
				as = append(as, w.keep(nil, name, safe.Details{Name: fmt.Sprint("account", j), Type: "key"}, "x"))
			}
			w.add(nil, name, role.User, lister, safe.Given{Rights: safe.ListAccounts})
		}
		w.add(nil, "safe1", role.User, viewer, safe.Given{Rights: safe.ViewSafeMembers})
		w.add(nil, "safe2", role.User, both, safe.Given{Rights: safe.ViewSafeMembers | safe.ListAccounts})
		for who, want := range map[string][2]int{all: {6, 14}, here: {2, 4}, lister: {6, 0}, viewer: {0, 0}, both: {2, 6}} {
			w.as(who)
			w.read(func(ctx context.Context, c *call.Call) error {
				single := 0
				for _, a := range as {
					if _, err := w.safes.Account(ctx, c, a.Ref); err == nil {
						single++
					}
				}
				n, err := w.safes.CountAccounts(ctx, c, c.Grant, dbx.Clause{})
				rows, bad := w.safes.Accounts(ctx, c, c.Grant, safe.Pick{Order: []dbx.Order{{Column: "name_key"}, {Column: "id"}}, Limit: 100})
				m, worse := w.safes.CountUses(ctx, c, c.Grant, dbx.Clause{})
				us, worst := w.safes.Uses(ctx, c, c.Grant, safe.Pick{Order: []dbx.Order{{Column: "ref"}, {Column: "kind"}, {Column: "principal"}}, Offset: 1, Limit: 100})
				if single != want[0] || int(n) != want[0] || len(rows) != want[0] || int(m) != want[1] || len(us) != max(want[1]-1, 0) {
					t.Errorf("%s: reads %d, lists %d of %d, and %d of %d permissions; want %v", who, single, len(rows), n, len(us), m, want)
				}
				return errors.Join(err, bad, worse, worst)
			})
		}
	})
}
