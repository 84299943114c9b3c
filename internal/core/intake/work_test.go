package intake_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/core/password"
)

// many is a file of n people.
func many(n int, secret string) string {
	var b strings.Builder
	b.WriteString("Login Name,Email Address,Password\n")
	for i := range n {
		fmt.Fprintf(&b, "p%05d@acme,p%d@example.com,%s\n", i, i, secret)
	}
	return b.String()
}

// whole wants every one of n people once, with one event each.
func (h *house) whole(n int) {
	h.t.Helper()
	people, events := h.count("SELECT count(*) FROM users WHERE name LIKE 'p_____@acme'"), h.events(audit.UserCreate)
	if people != n || events != n+1 { // and the administrator
		h.t.Errorf("%d people, %d events, want %d", people, events, n)
	}
}

// A server that stops gives the job back; the next one goes on behind the last batch.
func TestStopAndGoOn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.submit(h.by(h.admin, nil), many(700, ""), intake.Wish{})
		first := h.node()
		ctx, cancel := context.WithCancel(context.Background())
		record, batches := first.Jobs.Record, 0
		first.Jobs.Record = func(ctx context.Context, c *call.Call) error {
			if batches++; batches == 2 {
				cancel() // PostgreSQL gives this batch up, SQLite ends it
			}
			return record(ctx, c)
		}
		_ = first.Jobs.Run(ctx)
		if i := h.job(id); i.State != job.Waiting || i.Done >= 700 {
			t.Fatalf("%+v", i)
		}
		if n := h.count("SELECT count(*) FROM users WHERE name LIKE 'p_____@acme'"); n != 250 && n != 500 {
			t.Fatal(n)
		}
		h.run(h.node())
		if i := h.ended(id, job.Done); !strings.HasPrefix(i.Result, "700 of 700 users created, 0 existed already, 0 could not") {
			t.Errorf("%+v", i)
		}
		h.whole(700)
	})
}

// A server that hangs in the middle of a batch loses the job to another, and writes nothing when it wakes up.
func TestTakeover(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.submit(h.by(h.admin, nil), many(120, "Purple-Staple-7-Wagon"), intake.Wish{})
		hanging := h.node()
		bind, hashes := hanging.Intake.Bind, atomic.Int32{}
		stuck, wake := make(chan bool), make(chan bool)
		var once sync.Once
		hanging.Intake.Bind = func(c *call.Call) {
			if hashes.Add(1) > 60 { // in the second batch
				once.Do(func() { close(stuck) })
				<-wake
			}
			bind(c)
		}
		stop := h.run(hanging)
		<-stuck
		if _, err := h.db.SQL().Exec("UPDATE job SET due = 1"); err != nil { // its lease runs out
			t.Fatal(err)
		}
		h.run(h.node())
		h.ended(id, job.Done)
		close(wake)
		stop()
		h.whole(120)
		if i := h.job(id); i.State != job.Done || !strings.HasPrefix(i.Result, "120 of 120 users created") {
			t.Errorf("%+v", i)
		}
		if n := h.count("SELECT count(*) FROM user_password"); n != 121 {
			t.Error(n, "passwords")
		}
		if n := h.events(audit.UserImport); n != 1 {
			t.Error(n, "ends")
		}
	})
}

// Cancelling leaves what was made, and the report says how far it came.
func TestCancel(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		c := h.by(h.admin, nil)
		id := h.submit(c, many(120, "Purple-Staple-7-Wagon"), intake.Wish{Mail: "boss@example.com"})
		bind, hashes := h.app.Intake.Bind, atomic.Int32{}
		h.app.Intake.Bind = func(c *call.Call) {
			if hashes.Add(1) == 60 {
				cc := h.app.Shell(h.tenant)
				if err := h.app.Write(context.Background(), cc, audit.JobCancel, func(ctx context.Context) error {
					return h.app.Jobs.Cancel(ctx, cc, grant.All(), id, "enough")
				}); err != nil {
					t.Error(err)
				}
			}
			bind(c)
		}
		h.run(h.app)
		i := h.ended(id, job.Cancelled)
		if !strings.HasPrefix(i.Result, "50 of 120 users created, 0 existed already, 0 could not be created. 70 rows were not reached.") {
			t.Errorf("%+v", i)
		}
		h.whole(50)
		if h.count("SELECT count(*) FROM import_file") != 0 || h.count("SELECT count(*) FROM outbox WHERE topic = 'mail'") != 1 {
			t.Error("the file is still there, or no report was sent")
		}
	})
}

// A stricter policy than that of the check refuses a person, not the import.
func TestChangedMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.submit(h.by(h.admin, nil), many(2, "Purple-Staple-7-Wagon")+"q@acme,q@example.com,Purple-Staple-7-Wagon-Longer\n", intake.Wish{})
		h.app.Intake.Passwords.Policy = func(context.Context, *call.Call, string) (password.Policy, error) {
			p := password.Default
			p.MinLength = 25
			return p, nil
		}
		h.run(h.app)
		i := h.ended(id, job.Done)
		want := "1 of 3 users created, 0 existed already, 2 could not be created.\nLine 2 (p00000@acme): The password must have at least 25 characters.\n"
		if !strings.HasPrefix(i.Result, want) {
			t.Errorf("%+v", i)
		}
	})
}
