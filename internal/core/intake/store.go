package intake

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/job"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

type fileRow struct {
	ID     string `db:"id"`
	Name   string `db:"name"`
	People int64  `db:"people"`
	Body   string `db:"body"`
	Job    string `db:"job"`
	Tally  string `db:"tally"`
}

type endRow struct {
	ID     string `db:"id"`
	Name   string `db:"name"`
	People int64  `db:"people"`
	Mail   string `db:"mail"`
	Tally  string `db:"tally"`
}

type claimRow struct {
	Name   string `db:"name"`
	People int64  `db:"people"`
}

var (
	putFile = dbx.E("intake.put", `INSERT INTO import_file (tenant, id, by_user, name, people, body, job, mail, tally, created, expires)
		VALUES (?, ?, ?, ?, ?, ?, '', '', '', ?, ?)`)
	// Whoever uploads again and again keeps the newest.
	trimFiles = dbx.E("intake.trim", `DELETE FROM import_file WHERE tenant = ? AND by_user = ? AND job = '' AND id IN
		(SELECT id FROM import_file WHERE tenant = ? AND by_user = ? AND job = '' ORDER BY id DESC LIMIT 1000 OFFSET ?)`)
	claimFile = dbx.W[claimRow]("intake.claim", `UPDATE import_file SET job = ?, mail = ?, expires = ?
		WHERE tenant = ? AND id = ? AND by_user = ? AND job = '' AND expires > ? RETURNING name, people`)
	fileName   = dbx.Q[string]("intake.name", `SELECT name FROM import_file WHERE tenant = ? AND id = ? AND by_user = ? AND job = ''`)
	findFile   = dbx.Q[fileRow]("intake.file", `SELECT id, name, people, body, job, tally FROM import_file WHERE tenant = ? AND id = ?`)
	ofJob      = dbx.Q[endRow]("intake.of_job", `SELECT id, name, people, mail, tally FROM import_file WHERE tenant = ? AND job = ? AND job <> ''`)
	noteTally  = dbx.E("intake.tally", `UPDATE import_file SET tally = ? WHERE tenant = ? AND id = ?`)
	dropFile   = dbx.E("intake.drop", `DELETE FROM import_file WHERE tenant = ? AND id = ?`)
	sweepFiles = dbx.S("intake.sweep", "import_file", "tenant, id", "expires < ?")
)

// Sealed is a checked file, ready to be kept.
type Sealed struct {
	ID     string // by which it is submitted
	name   string
	people int
	body   string
}

const (
	maxName   = 200
	extension = ".csv"
)

// Prepare makes of checked files what is kept; outside transactions.
func (i *Imports) Prepare(ctx context.Context, c *call.Call, f File) (Sealed, error) {
	s := Sealed{ID: c.NewID(), name: f.name, people: len(f.People)}
	content, err := pack(f.parts)
	if err == nil {
		s.body, err = i.Seal(ctx, c.Tenant.ID, content, aad(s.ID))
	}
	return s, err
}

func aad(id string) string { return "import/" + id }

// Token is what the uploader submits the file by: its name in the store.
func (s Sealed) Token() string { return s.ID + extension }

// Keep stores a file for an hour, for its uploader alone.
func (i *Imports) Keep(ctx context.Context, c *call.Call, s Sealed) error {
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = s.ID, "File", s.name
		c.Event.Set("People", s.people)
	}
	if _, err := trimFiles.Do(ctx, c.Tx, c.Tenant.ID, c.User(), c.Tenant.ID, c.User(), pending); err != nil {
		return err
	}
	_, err := putFile.Do(ctx, c.Tx, c.Tenant.ID, s.ID, c.User(), s.name, s.people, s.body, c.Now.UnixMilli(), c.Now.Add(keepUpload).UnixMilli())
	return err
}

// Wish is how a kept file is to be imported.
type Wish struct {
	Mail   string // where the report goes; empty: nowhere
	ByMail bool   // people get an invitation by mail
	BySMS  bool   // and by text message
}

// Started names a job.
type Started struct {
	Job    string // id
	File   string // name
	People int64
}

// payload is what the job is told.
type payload struct {
	File  string `json:"file"`
	Mail  bool   `json:"mail"`
	SMS   bool   `json:"sms"`
	Shell bool   `json:"shell"` // started at the server's own command line
}

// Submit starts the job for a file that the caller uploaded; a file can be submitted once. Faults: ErrUnknown, and that of a
// mail address.
func (i *Imports) Submit(ctx context.Context, c *call.Call, token string, w Wish) (Started, error) {
	if w.Mail != "" {
		if err := user.CheckMail("AdminEmail", w.Mail); err != nil {
			return Started{}, err
		}
	}
	id, ok := strings.CutSuffix(token, extension)
	if !ok || len(id) > 100 {
		return Started{}, ErrUnknown
	}
	name, err := fileName.One(ctx, c.Tx, c.Tenant.ID, id, c.User())
	if errors.Is(err, dbx.ErrNoRow) {
		return Started{}, ErrUnknown
	}
	if err != nil {
		return Started{}, err
	}
	p := payload{File: id, Mail: w.ByMail, SMS: w.BySMS, Shell: c.Caller != nil && c.Caller.Means == call.ByShell}
	jobID, err := i.Jobs.Start(ctx, c, job.Job{Kind: Kind, Unique: id, Payload: p, Target: name})
	if errors.Is(err, job.ErrRunning) {
		return Started{}, ErrUnknown
	}
	if err != nil {
		return Started{}, err
	}
	row, err := claimFile.One(ctx, c.Tx, jobID, w.Mail, c.Now.Add(keepFile).UnixMilli(), c.Tenant.ID, id, c.User(), c.Now.UnixMilli())
	if errors.Is(err, dbx.ErrNoRow) {
		return Started{}, ErrUnknown
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = jobID, "Job", Kind
		c.Event.Set("File", row.Name)
		c.Event.Set("People", row.People)
	}
	return Started{jobID, row.Name, row.People}, err
}

// Sweep forgets the files of all tenants whose time was over before a time.
func (i *Imports) Sweep(ctx context.Context, before time.Time) error {
	return sweepFiles.Run(ctx, i.DB, before.UnixMilli())
}

// Tally is what an import has done.
type Tally struct {
	Done    int       `json:"done"`    // rows
	Made    int       `json:"made"`    // people created
	Known   int       `json:"known"`   // who existed already
	Failed  int       `json:"failed"`  // who could not be created
	Remarks []Problem `json:"remarks"` // why, by line
	More    int       `json:"more"`    // remarks left out
}

func tallyOf(s string) (t Tally, err error) {
	if err = json.Unmarshal([]byte(cmp.Or(s, "{}")), &t); err != nil {
		err = fault.ErrInternal.Because(err)
	}
	return t, err
}

func (t *Tally) remark(p Problem) {
	if len(t.Remarks) < kept {
		t.Remarks = append(t.Remarks, p)
	} else {
		t.More++
	}
}
