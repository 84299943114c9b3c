package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"limen/bench/load"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/dbx"
)

// rawBatch is how many people's rows one raw transaction writes: those of a batch of the import.
const rawBatch = 250

// imports is a bulk import from the check of the file to the end of its job: without passwords beside the raw rate of the rows
// that it writes, as many to a transaction; with passwords beside their bare hashes on every processor.
func imports(ctx context.Context, b *bench, w *world) ([]row, error) {
	s, err := addSite(ctx, w.app)
	if err != nil {
		return nil, err
	}
	blank, err := w.blank(ctx)
	if err != nil {
		return nil, err
	}
	defer blank.Close()
	raw, err := sample(ctx, w, blank)
	if err != nil {
		return nil, err
	}
	n := b.people
	l, o, err := b.versus(w, raw.bulk(ctx), w.files(ctx, s, n, ""))
	if err != nil {
		return nil, err
	}
	plain := rate(fmt.Sprintf("import of %d, no passwords", n), fmt.Sprintf("raw, %d rows, %d in a batch", len(raw.rows), rawBatch), l, o)
	plain.ratio = 0.5
	bare := func(d time.Duration) (load.Sample, error) {
		return load.Calls(runtime.GOMAXPROCS(0), d, func(int) error {
			argon2.IDKey([]byte(adminPassword), make([]byte, 16), 1, 46*1024, 1, 32)
			return nil
		})
	}
	long := *b
	long.slice *= 3
	if l, o, err = long.versus(w, bare, w.files(ctx, s, max(n/50, 2), "Purple-Staple-7-Wagon")); err != nil {
		return []row{plain}, err
	}
	secret := rate(fmt.Sprintf("import of %d with passwords", max(n/50, 2)), "bare argon2id", l, o)
	secret.ratio = 1 / 1.3
	return []row{plain, secret}, nil
}

// files makes a turn of imports of n people each, one after the other.
func (w *world) files(ctx context.Context, s *site, n int, secret string) turn {
	return func(d time.Duration) (load.Sample, error) {
		out, err := load.Calls(1, d, func(int) error { return w.oneFile(ctx, s, n, secret) })
		out.Calls *= int64(n)
		return out, err
	}
}

func (w *world) oneFile(ctx context.Context, s *site, n int, secret string) error {
	var file strings.Builder
	file.WriteString("Login Name,Display Name,Email Address,Mobile Number,Password,Require Password Change\n")
	for range n {
		local := fmt.Sprintf("imp%09d", serial.Add(1))
		fmt.Fprintf(&file, "%s@%s,Somebody New,%s@example.com,+15550000000,%s,no\n", local, s.suffix, local, secret)
	}
	content := []byte(file.String())
	c, do := w.app.Shell(s.id), w.app.Intake
	f, err := do.Check(ctx, c, intake.Source{Name: "bench.csv", Content: content})
	if err != nil {
		return err
	}
	kept, err := do.Prepare(ctx, c, f)
	if err != nil {
		return err
	}
	var started intake.Started
	err = w.app.Write(ctx, c, audit.JobStart, func(ctx context.Context) (err error) {
		if err := do.Keep(ctx, c, kept); err != nil {
			return err
		}
		started, err = do.Submit(ctx, c, kept.Token(), intake.Wish{})
		return err
	})
	if err != nil {
		return err
	}
	return w.ended(ctx, s, started.Job, n)
}

// ended waits for the end of a job that is to make n people.
func (w *world) ended(ctx context.Context, s *site, id string, n int) error {
	c := w.app.Shell(s.id)
	for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		var i job.Info
		if err := c.Snapshot(ctx, func() (err error) { i, err = w.app.Jobs.Get(ctx, c, grant.All(), id); return err }); err != nil {
			return err
		}
		switch {
		case i.State == job.Done && strings.HasPrefix(i.Result, fmt.Sprintf("%d of %d users created", n, n)):
			return nil
		case i.State != job.Waiting && i.State != job.Running:
			return errors.New("import: " + i.State + " " + i.Message + " " + i.Result)
		}
	}
	return ctx.Err()
}

// bulk makes a turn of one caller who writes the sampled rows of many people in each transaction, waiting for no answer but that
// to COMMIT.
func (r *raw) bulk(ctx context.Context) turn {
	return func(d time.Duration) (load.Sample, error) {
		out, err := load.Calls(1, d, func(int) error {
			values := make([][][]any, rawBatch)
			for k := range values {
				values[k] = r.fresh()
			}
			return r.db.Write(ctx, func(tx *dbx.Tx) error {
				for _, all := range values {
					for i := range r.rows {
						if err := r.rows[i].insert.Later(ctx, tx, all[i]...); err != nil {
							return err
						}
					}
				}
				return nil
			})
		})
		out.Calls *= rawBatch
		return out, err
	}
}
