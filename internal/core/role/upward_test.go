package role_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/dbx"
)

// What is read for one person alone is what all the roles of the tenant say.
func TestPartIsWhatTheWholeSays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var ids []string
		w.write(nil, func(ctx context.Context, c *call.Call) error {
			for i := range 320 {
				r, err := w.roles.Create(ctx, c, role.New{Name: fmt.Sprintf("r%03d", i)})
				if err != nil {
					return err
				}
				ids = append(ids, r.ID)
			}
			return nil
		})
		a, b := w.user("a"), w.user("b")
		end := w.now.Add(time.Hour)
		for i := range 9 {
			w.add(nil, ids[i], sub(ids[i+1]))
		}
		w.add(nil, ids[20], role.Member{Kind: role.Sub, ID: ids[9], Until: end}, role.Member{Kind: role.Sub, ID: ids[5]})
		w.add(nil, ids[21], role.Member{Kind: role.Sub, ID: ids[20], Since: end})
		w.add(nil, ids[9], person(a))
		w.add(nil, ids[300], person(a), person(b))
		for i, path := range []string{userman, roleman} {
			w.assign(nil, ids[3*i], role.Given{Path: path, Until: end.Add(time.Duration(i) * time.Hour)})
			w.assign(nil, ids[21], role.Given{Path: path})
		}
		for _, at := range []time.Time{w.now, end} {
			w.now = at
			for _, who := range []string{a, b} {
				fresh := &role.Roles{Changes: w.roles.Changes, DB: w.db} // nothing is in its memory
				var part role.Membership
				var carries []role.Carried
				err := w.db.Read(t.Context(), func(tx *dbx.Tx) (err error) {
					if part, err = fresh.Of(t.Context(), w.call(tx), who); err != nil {
						return err
					}
					carries, err = w.roles.Carries(t.Context(), w.call(tx), who)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				whole := w.of(who)
				if !reflect.DeepEqual(part, whole) {
					t.Errorf("%+v, of all %+v", part, whole)
				}
				for i, r := range carries {
					if len(carries) != len(whole.Roles) || r.ID != whole.Roles[i] || len(r.Paths) > 0 && r.Paths[0] == "" {
						t.Errorf("carries %+v, not %v", carries, whole.Roles)
					}
				}
				for deadline := time.Now().Add(20 * time.Second); fresh.Kept(w.id) == 0; time.Sleep(time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatal("the others are not read in the background")
					}
				}
			}
		}
	})
}
