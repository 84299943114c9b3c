package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/config"
	"limen/internal/core/audit"
	"limen/internal/core/grant"
	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/core/tenant"
	"limen/internal/fault"
)

// UserImport is a file of users to be imported from the command line.
type UserImport struct {
	Tenant string
	File   string // "-": from In
	DryRun bool   // check only
	Report string // mail address; empty: the report is printed only
	ByMail bool   // invite the new users by mail
	BySMS  bool   // and by text message
}

// Faults of the command.
var (
	ErrImportFile = fault.New(fault.NotFound, "import.open", "The file cannot be read.")
	ErrImportEnd  = fault.New(fault.Conflict, "import.ended", "The import has not come to its end.")
)

// importUsers is "limen import users". The job runs here, or on a server that uses the same database, whichever takes it first.
func (c *Commands) importUsers(ctx context.Context, s config.Settings, in UserImport) error {
	content, err := c.content(in.File)
	if err != nil {
		return err
	}
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	id, err := a.tenantOf(ctx, tenant.Hint{Tenant: in.Tenant})
	if err != nil {
		return err
	}
	by := a.Shell(id)
	f, err := a.Intake.Check(ctx, by, intake.Source{Name: filepath.Base(in.File), Content: content})
	if c.list(f.Bad, f.Remarks); err != nil {
		if len(f.Bad) > 0 {
			err = fault.Of(err).Say("The file has %d problems. Nothing was imported.", len(f.Bad))
		}
		return err
	}
	fmt.Fprintf(c.Out, "%s: %d users, %s, %d of them exist already.\n", in.File, len(f.People), cmp.Or(f.Table.Encoding, "XLSX"), len(f.Remarks))
	if in.DryRun {
		_, err = fmt.Fprintln(c.Out, "This was a dry run: nothing was imported.")
		return err
	}
	job, err := a.startImport(ctx, by, f, in)
	if err != nil {
		return err
	}
	return c.follow(ctx, a, id, job)
}

// content reads the file, no more of it than can be imported.
func (c *Commands) content(name string) ([]byte, error) {
	from := c.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, ErrImportFile.Because(err)
		}
		defer f.Close()
		from = f
	}
	b, err := io.ReadAll(io.LimitReader(from, int64(intake.Limits.Bytes)+1))
	if err != nil {
		return nil, ErrImportFile.Because(err)
	}
	return b, nil
}

// list prints everything that is wrong, and what is worth a remark as far as people read.
func (c *Commands) list(bad, remarks []intake.Problem) {
	const most = 20
	for _, p := range bad {
		fmt.Fprintln(c.Out, p)
	}
	if len(bad) > 0 {
		return
	}
	for _, p := range remarks[:min(len(remarks), most)] {
		fmt.Fprintln(c.Out, p)
	}
	if n := len(remarks) - most; n > 0 {
		fmt.Fprintf(c.Out, "and %d more\n", n)
	}
}

func (a *App) startImport(ctx context.Context, by *call.Call, f intake.File, in UserImport) (id string, err error) {
	kept, err := a.Intake.Prepare(ctx, by, f)
	if err != nil {
		return "", err
	}
	err = a.Write(ctx, by, audit.JobStart, func(ctx context.Context) error {
		if err := a.Intake.Keep(ctx, by, kept); err != nil {
			return err
		}
		s, err := a.Intake.Submit(ctx, by, kept.Token(), intake.Wish{Mail: in.Report, ByMail: in.ByMail, BySMS: in.BySMS})
		id = s.Job
		return err
	})
	return id, err
}

// follow works on the import and shows how far it is. An interrupt cancels it; what was created stays.
func (c *Commands) follow(ctx context.Context, a *App, tenantID, id string) error {
	worker := a.importer()
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); _ = worker.Run(working) }() // Run gives no error
	defer func() { stop(); <-done }()
	bar := bar{out: c.Out, live: isTerminal(c.Out), begin: time.Now()}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	interrupted := ctx.Done()
	for {
		i, err := a.jobInfo(working, worker, tenantID, id)
		if err != nil {
			return err
		}
		switch bar.show(i); i.State {
		case job.Waiting, job.Running:
		case job.Done:
			_, err := fmt.Fprintln(c.Out, i.Result)
			return err
		default:
			fmt.Fprintln(c.Out, i.Result)
			return ErrImportEnd.Say("The import ended early: %s. %s", i.State, i.Message)
		}
		select {
		case <-interrupted:
			interrupted = nil
			by := a.Shell(tenantID)
			err := a.Write(working, by, audit.JobCancel, func(ctx context.Context) error { return worker.Cancel(ctx, by, grant.All(), id, "interrupted") })
			if err != nil && !errors.Is(err, job.ErrEnded) {
				return err
			}
		case <-tick.C:
		}
	}
}

// importer runs imports and no other jobs.
func (a *App) importer() *job.Jobs {
	j := &job.Jobs{
		DB: a.DB, Log: a.Log, Node: a.Settings.Node, Leases: a.Leases, Seal: a.Jobs.Seal, Open: a.Jobs.Open, Caller: a.Jobs.Caller,
		Record: a.Jobs.Record, Ended: a.Jobs.Ended, Workers: 1,
	}
	j.Handle(intake.Kind, a.Intake.Work)
	return j
}

func (a *App) jobInfo(ctx context.Context, j *job.Jobs, tenantID, id string) (out job.Info, err error) {
	c := a.Shell(tenantID)
	err = c.Snapshot(ctx, func() (err error) { out, err = j.Get(ctx, c, grant.All(), id); return err })
	return out, err
}

// bar shows progress: on a terminal as a bar that is drawn over, elsewhere as a line each tenth.
type bar struct {
	out   io.Writer
	live  bool
	begin time.Time
	last  int64 // tenths shown
}

const barWidth = 40

func (b *bar) show(i job.Info) {
	total := max(i.Total, 1)
	ended := i.State != job.Waiting && i.State != job.Running
	if !b.live {
		if tenth := i.Done * 10 / total; tenth > b.last || ended {
			b.last = tenth
			fmt.Fprintf(b.out, "%d of %d (%d %%)\n", i.Done, i.Total, i.Done*100/total)
		}
		return
	}
	full := int(i.Done * barWidth / total)
	left := ""
	if took := time.Since(b.begin); i.Done > 0 && !ended {
		left = " " + (took * time.Duration(total-i.Done) / time.Duration(i.Done)).Round(time.Second).String() + " left"
	}
	fmt.Fprintf(b.out, "\r\x1b[K[%s%s] %d of %d (%d %%)%s", strings.Repeat("#", full), strings.Repeat(".", barWidth-full), i.Done, i.Total, i.Done*100/total, left)
	if ended {
		fmt.Fprintln(b.out)
	}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
