package dialects

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"limen/internal/app/apptest"
	"limen/internal/core/number"
)

// workspace tells of the people of the organization, as a workspace has them.
func (w *world) workspace() map[string]facts {
	w.t.Helper()
	if w.entered == "" {
		status, b := w.ask(http.MethodPost, "/uauth/auth/login/user", object{
			"username": w.site.Admin.Name, "password": apptest.Password, "businessProfileGuid": w.sales.ID,
		}, "Authorization", "")
		var in struct{ Token string }
		if status != http.StatusOK || json.Unmarshal(b, &in) != nil || in.Token == "" {
			w.t.Fatalf("%d %s", status, b)
		}
		w.entered = in.Token
	}
	status, b := w.ask(http.MethodGet, "/uauth/users/listing?limit=100", nil, "Authorization", "Bearer "+w.entered)
	var list struct {
		Data []struct {
			ID                                int64
			Email, Phone, FirstName, LastName string
		}
	}
	if status != http.StatusOK || json.Unmarshal(b, &list) != nil {
		w.t.Fatalf("%d %s", status, b)
	}
	out := map[string]facts{}
	c := w.site.App.Shell(w.site.ID)
	if err := c.Snapshot(context.Background(), func() error {
		for _, u := range list.Data {
			id, err := number.Find(context.Background(), c, number.User, u.ID)
			if err != nil {
				return fmt.Errorf("%d: %w", u.ID, err)
			}
			out[id] = facts{mail: u.Email, mobile: u.Phone, called: u.FirstName + "|" + u.LastName}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}
