package tokenfile

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/job"
	"limen/internal/dbx"
	"limen/internal/fault"
)

type fileRow struct {
	ID     string `db:"id"`
	Name   string `db:"name"`
	Tokens int64  `db:"tokens"`
	Own    bool   `db:"own"`
	Body   string `db:"body"`
	Job    string `db:"job"`
	Tally  string `db:"tally"`
}

type claimRow struct {
	Name   string `db:"name"`
	Tokens int64  `db:"tokens"`
	Own    bool   `db:"own"`
}

var (
	putFile = dbx.E("tokenfile.put", `INSERT INTO token_file (tenant, id, by_user, name, tokens, own, body, job, tally, created, expires)
		VALUES (?, ?, ?, ?, ?, ?, ?, '', '', ?, ?)`)
	// Whoever uploads again and again keeps the newest.
	trimFiles = dbx.E("tokenfile.trim", `DELETE FROM token_file WHERE tenant = ? AND by_user = ? AND job = '' AND id IN
		(SELECT id FROM token_file WHERE tenant = ? AND by_user = ? AND job = '' ORDER BY id DESC LIMIT 1000 OFFSET ?)`)
	claimFile = dbx.W[claimRow]("tokenfile.claim", `UPDATE token_file SET job = ?, expires = ?
		WHERE tenant = ? AND id = ? AND by_user = ? AND job = '' AND expires > ? RETURNING name, tokens, own`)
	fileName   = dbx.Q[string]("tokenfile.name", `SELECT name FROM token_file WHERE tenant = ? AND id = ? AND by_user = ? AND job = ''`)
	findFile   = dbx.Q[fileRow]("tokenfile.file", `SELECT id, name, tokens, own, body, job, tally FROM token_file WHERE tenant = ? AND id = ?`)
	noteTally  = dbx.E("tokenfile.tally", `UPDATE token_file SET tally = ? WHERE tenant = ? AND id = ?`)
	dropOfJob  = dbx.E("tokenfile.drop", `DELETE FROM token_file WHERE tenant = ? AND job = ? AND job <> ''`)
	sweepFiles = dbx.S("tokenfile.sweep", "token_file", "tenant, id", "expires < ?")
)

// Sealed is a checked file, ready to be kept.
type Sealed struct {
	ID     string
	name   string
	tokens int
	own    bool
	body   string
}

const extension = ".csv"

// Token is what the uploader submits the file by: its name in the store.
func (s Sealed) Token() string { return s.ID + extension }

// Prepare makes of a file without problems what is kept; outside transactions.
func (f *Files) Prepare(ctx context.Context, c *call.Call, file Checked) (Sealed, error) {
	s := Sealed{ID: c.NewID(), name: file.Name, tokens: len(file.Tokens), own: file.Own}
	content, err := json.Marshal(file.Tokens)
	if err != nil {
		return s, fault.ErrInternal.Because(err)
	}
	s.body, err = f.Seal(ctx, c.Tenant.ID, content, aad(s.ID))
	return s, err
}

func aad(id string) string { return "tokens/" + id }

// Keep stores a file for an hour, for its uploader alone.
func (f *Files) Keep(ctx context.Context, c *call.Call, s Sealed) error {
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = s.ID, "File", s.name
		c.Event.Set("Tokens", s.tokens)
	}
	if _, err := trimFiles.Do(ctx, c.Tx, c.Tenant.ID, c.User(), c.Tenant.ID, c.User(), pending); err != nil {
		return err
	}
	_, err := putFile.Do(ctx, c.Tx, c.Tenant.ID, s.ID, c.User(), s.name, s.tokens, s.own, s.body, c.Now.UnixMilli(), c.Now.Add(keepUpload).UnixMilli())
	return err
}

// Started names a job.
type Started struct {
	Job    string // id
	File   string // name
	Tokens int64
	// Own says that one of the tokens is for the caller, who must have proved themselves for that as for any enrolment.
	Own bool
}

// payload is what the job is told.
type payload struct {
	File string `json:"file"`
}

// Submit starts the job for a file that the caller uploaded; a file can be submitted once. mail gets the report; empty: nobody.
// Fault: ErrUnknown.
func (f *Files) Submit(ctx context.Context, c *call.Call, token, mail string) (Started, error) {
	id, ok := strings.CutSuffix(token, extension)
	if !ok || len(id) > 100 {
		return Started{}, ErrUnknown
	}
	name, err := fileName.One(ctx, c.Tx, c.Tenant.ID, id, c.User())
	if err != nil {
		return Started{}, unknown(err)
	}
	jobID, err := f.Jobs.Start(ctx, c, job.Job{Kind: Kind, Unique: id, Payload: payload{id}, Target: name, Mail: mail})
	if err != nil {
		return Started{}, unknown(err)
	}
	row, err := claimFile.One(ctx, c.Tx, jobID, c.Now.Add(keepFile).UnixMilli(), c.Tenant.ID, id, c.User(), c.Now.UnixMilli())
	if err != nil {
		return Started{}, unknown(err)
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = jobID, "Job", Kind
		c.Event.Set("File", row.Name)
		c.Event.Set("Tokens", row.Tokens)
	}
	return Started{jobID, row.Name, row.Tokens, row.Own}, nil
}

// unknown makes one fault of all that says that there is no such file to be submitted.
func unknown(err error) error {
	if errors.Is(err, dbx.ErrNoRow) || errors.Is(err, job.ErrRunning) {
		return ErrUnknown
	}
	return err
}

// Ended forgets the file of a job that has ended, however that ended.
func (f *Files) Ended(ctx context.Context, c *call.Call, info job.Info) error {
	if info.Kind != Kind {
		return nil
	}
	_, err := dropOfJob.Do(ctx, c.Tx, c.Tenant.ID, info.ID)
	return err
}

// Sweep forgets the files of all tenants whose time was over before a time.
func (f *Files) Sweep(ctx context.Context, before time.Time) error {
	return sweepFiles.Run(ctx, f.DB, before.UnixMilli())
}

// tally is what an import has done.
type tally struct {
	Done    int       `json:"done"`    // rows
	Given   int       `json:"given"`   // tokens
	Remarks []Problem `json:"remarks"` // why the others were not, by line
	More    int       `json:"more"`    // remarks left out
}

func tallyOf(s string) (t tally, err error) {
	if err = json.Unmarshal([]byte(cmp.Or(s, "{}")), &t); err != nil {
		err = fault.ErrInternal.Because(err)
	}
	return t, err
}

func (t *tally) fail(line int, why string) {
	if len(t.Remarks) < kept {
		t.Remarks = append(t.Remarks, Problem{Line: line, Why: why})
	} else {
		t.More++
	}
}

// report is the tally in words: what stays as the job's result.
func (t *tally) report(of int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d tokens imported.", t.Given, of)
	if left := of - t.Done; left > 0 {
		fmt.Fprintf(&b, " %d rows were not reached.", left)
	}
	for _, p := range t.Remarks {
		b.WriteString("\n" + p.String())
	}
	if t.More > 0 {
		fmt.Fprintf(&b, "\n%d more remarks.", t.More)
	}
	return b.String()
}
