package intake

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/job"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/dbx"
)

// report is the tally in words: what stays as the job's result.
func (t *Tally) report(of int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d users created, %d existed already, %d could not be created.", t.Made, of, t.Known, t.Failed)
	if left := of - t.Done; left > 0 {
		fmt.Fprintf(&b, " %d rows were not reached.", left)
	}
	for _, l := range t.lines(kept) {
		b.WriteString("\n" + l)
	}
	return b.String()
}

// lines are the first most remarks, and how many there are besides.
func (t *Tally) lines(most int) (out []string) {
	for _, p := range t.Remarks[:min(len(t.Remarks), most)] {
		out = append(out, p.String())
	}
	if n := len(t.Remarks) - len(out) + t.More; n > 0 {
		out = append(out, fmt.Sprintf("%d more remarks.", n))
	}
	return out
}

// Ended ends an import in the transaction that ends its job, however that ended: it mails the report, leaves an event, and
// forgets the file.
func (i *Imports) Ended(ctx context.Context, c *call.Call, info job.Info) error {
	if info.Kind != Kind {
		return nil
	}
	row, err := ofJob.One(ctx, c.Tx, c.Tenant.ID, info.ID)
	if errors.Is(err, dbx.ErrNoRow) {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := tallyOf(row.Tally)
	if err != nil {
		return err
	}
	e := c.Record(audit.UserImport)
	e.Target, e.Kind, e.Name, e.Outcome = info.ID, "Job", row.Name, outcomes[info.State]
	for name, n := range map[string]int{"People": int(row.People), "Created": t.Made, "Existed": t.Known, "Failed": t.Failed} {
		e.Set(name, n)
	}
	if row.Mail != "" {
		d := message.Data{
			File: row.Name, Made: strconv.Itoa(t.Made), Total: strconv.FormatInt(row.People, 10), Accounts: t.mailLines(row, info),
		}
		k := message.ImportReport
		if int(row.People) > t.Done {
			k = message.ImportStopped
		}
		culture, err := i.Culture(ctx, c, info.User)
		if err != nil {
			return err
		}
		to := post.Reader{Mail: row.Mail, Culture: culture}
		if err := i.Post.Mail(ctx, c, "import/"+info.ID, to, k, d, c.Now.Add(keepFile)); err != nil {
			return err
		}
	}
	_, err = dropFile.Do(ctx, c.Tx, c.Tenant.ID, row.ID)
	return err
}

var outcomes = map[string]string{job.Done: "success", job.Failed: "failed", job.Cancelled: "refused"}

// mailLines are the remarks in English, as the refusals of files are: they quote the file, and name the rules that it broke.
func (t *Tally) mailLines(row endRow, info job.Info) []string {
	out := t.lines(mailed)
	if left := int(row.People) - t.Done; left > 0 {
		why := info.Message
		if info.State == job.Cancelled {
			why = info.Reason
		}
		out = append([]string{strings.TrimSpace(fmt.Sprintf("%d rows were not reached. %s", left, why))}, out...)
	}
	return out
}
