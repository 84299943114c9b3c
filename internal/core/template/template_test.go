package template_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/core/template"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

func TestTemplates(t *testing.T) {
	catalog, err := message.Load()
	if err != nil {
		t.Fatal(err)
	}
	all := &template.Templates{Catalog: catalog}
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		id := "TPL" + call.NewID(time.Now(), rand.Reader)[24:]
		write := func(want error, f func(c *call.Call) error) {
			t.Helper()
			err := db.Write(t.Context(), func(tx *dbx.Tx) error {
				return f(&call.Call{
					Tenant: call.Tenant{ID: id}, Now: time.Now(), Rand: rand.Reader, Tx: tx, Event: &call.Event{},
					Snapshot: func(_ context.Context, f func() error) error { return f() },
				})
			})
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
		}
		create := func(want error, org string, x template.Template) (made template.Template) {
			t.Helper()
			write(want, func(c *call.Call) error {
				done, err := all.Prepare(t.Context(), c, org, "", x)
				if err == nil {
					made, err = all.Create(t.Context(), c, org, x, done)
				}
				return err
			})
			return made
		}
		codes := create(nil, "A", template.Template{Name: "codes", HTML: "<p>{{.Code}}</p>", Plain: "Code {{.Code}}"})
		create(nil, "B", template.Template{Name: "codes", HTML: "<p>{{.Code}}</p>"})
		create(template.ErrTaken, "A", template.Template{Name: "Codes", HTML: "<p>x</p>"})
		create(template.ErrLong, "A", template.Template{Name: "long", HTML: strings.Repeat("x", 48<<10+1)})
		create(template.ErrLong, "A", template.Template{Name: "broken", HTML: "a\xff"})
		create(fault.ErrMissing, "A", template.Template{Name: "none", HTML: " "})
		choose := func(want error, m template.Mail, w template.Words) {
			t.Helper()
			write(want, func(c *call.Call) error {
				done := template.Checked{}
				if err := all.PrepareWords(t.Context(), c, "A", m, w, done); err != nil {
					return err
				}
				return all.Choose(t.Context(), c, "A", m, w, done)
			})
		}
		own := func(org string, k message.Kind, want string) {
			t.Helper()
			write(nil, func(c *call.Call) error {
				o, ok, err := template.Own(t.Context(), c, org, k)
				if got := o.Subject + "|" + o.HTML + "|" + o.Text; ok != (want != "") || ok && got != want {
					t.Errorf("%s %s: %q %v, want %q", org, k, got, ok, want)
				}
				return err
			})
		}
		choose(nil, template.PasswordReset, template.Words{Template: codes.ID, Subject: " Reset "})
		choose(nil, template.Device, template.Words{HTML: "<b>{{.Code}}</b>"})
		choose(message.ErrOverride, template.Device, template.Words{HTML: "<b>none</b>"})
		choose(message.ErrOverride, template.Confirmation, template.Words{Template: codes.ID})
		own("A", message.RecoveryCode, "Reset|<p>{{.Code}}</p>|Code {{.Code}}")
		own("A", message.LoginCode, "|<b>{{.Code}}</b>|")
		own("A", message.VerifyMail, "")
		own("B", message.RecoveryCode, "")
		write(template.ErrUsed, func(c *call.Call) error { return all.Delete(t.Context(), c, "A", codes.ID) })
		write(template.ErrNotFound, func(c *call.Call) error { return all.Delete(t.Context(), c, "B", codes.ID) })
		late := template.Template{Name: "codes", HTML: "<p>{{.Code}}, again</p>"}
		done := template.Checked{}
		write(nil, func(c *call.Call) (err error) {
			done, err = all.Prepare(t.Context(), c, "A", codes.ID, late)
			return err
		})
		choose(nil, template.Device, template.Words{Template: codes.ID}) // of which nobody has read whether the new words fit
		change := func(want error) {
			t.Helper()
			write(want, func(c *call.Call) error { _, err := all.Change(t.Context(), c, "A", codes.ID, late, done); return err })
		}
		change(template.ErrChanged)
		choose(nil, template.Device, template.Words{HTML: "<b>{{.Code}}</b>"})
		change(nil)
		write(template.ErrChanged, func(c *call.Call) error { // and the other way about
			return all.Choose(t.Context(), c, "A", template.PasswordReset, template.Words{Template: codes.ID}, template.Checked{})
		})
		choose(nil, template.PasswordReset, template.Words{})
		own("A", message.RecoveryCode, "")
		write(nil, func(c *call.Call) error { return all.Delete(t.Context(), c, "A", codes.ID) })
		for i := range 50 {
			create(nil, "A", template.Template{Name: fmt.Sprint("t", i), HTML: "<p>x</p>"})
		}
		create(template.ErrMany, "A", template.Template{Name: "one more", HTML: "<p>x</p>"})
		write(nil, func(c *call.Call) error { return template.Gone(t.Context(), c, "A") })
		own("A", message.LoginCode, "")
		write(nil, func(c *call.Call) error {
			left, err := template.List(t.Context(), c, "A")
			others, bad := template.List(t.Context(), c, "B")
			if len(left) != 0 || len(others) != 1 {
				t.Error(left, others)
			}
			return errors.Join(err, bad)
		})
	})
}
