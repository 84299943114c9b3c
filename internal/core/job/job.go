// Package job runs work that takes longer than a request: imports, exports, bulk changes. A job is a row written by the
// transaction that starts it. A node leases it, reports progress, and saves a cursor in the same transactions as the work, so that
// another node can go on from there, without doing anything twice, when this one dies.
//
// Sweeps are the work that nobody starts: what one node of all does again and again.
package job

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"limen/internal/call"
	"limen/internal/core/lease"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// What jobs refuse.
var (
	ErrRunning  = fault.New(fault.Exists, "job.running", "This job is running already.")
	ErrNotFound = fault.New(fault.NotFound, "job.not_found", "The job does not exist.")
	ErrEnded    = fault.New(fault.Conflict, "job.ended", "The job has ended already.")
	ErrKind     = fault.New(fault.Internal, "job.kind", fault.ErrInternal.Public)
	ErrPayload  = fault.New(fault.TooLarge, "job.payload", "The input of the job is too large.")
	ErrCursor   = fault.New(fault.Internal, "job.cursor", fault.ErrInternal.Public)

	// ErrLost ends the context of a job that another node has taken over, and is the answer to work it still tries.
	ErrLost = fault.New(fault.Conflict, "job.lost", "Another server has taken over this job.")
	// ErrCancelled ends the context of a job that was cancelled.
	ErrCancelled = fault.New(fault.Conflict, "job.cancelled", "The job was cancelled.")
)

// The states of a job.
const (
	Waiting   = "waiting"
	Running   = "running"
	Done      = "done"
	Failed    = "failed"
	Cancelled = "cancelled"
)

const (
	maxText    = 2000     // bytes of a message, and of a unique key, and of the names of a job
	maxResult  = 64 << 10 // bytes
	maxCursor  = 64 << 10 // bytes
	maxPayload = 900 << 10
)

// Job is what to start.
type Job struct {
	Kind    string
	Unique  string    // while a job of this kind with it waits or runs, no second one starts; empty: any number may
	Payload any       // becomes JSON and is sealed; Run.Payload gives it back
	Total   int64     // how much there is to do, when known
	Due     time.Time // not before; zero: at once
	Name    string    // what people call it; empty: as its type
	Target  string    // name of what it is about, such as a role
	Mail    string    // address that its report goes to (Jobs.Ended); empty: none
}

// Handler does a job. nil means done; an error means failed, unless the job was cancelled or this server stops: then the job
// is cancelled, or goes on elsewhere. ctx ends in these cases, and when another node has taken over.
type Handler func(ctx context.Context, r *Run) error

// Jobs holds the jobs. Its exported fields are set in internal/app; Declare and Sweep are called there too, before Run.
type Jobs struct {
	DB     *dbx.DB
	Now    func() time.Time // time.Now when nil
	Log    *slog.Logger     // slog.Default when nil
	Node   string           // name of this node, for people
	Leases *lease.Leases    // elects the node that sweeps

	// Seal protects a payload within the transaction that starts the job, so the tenant's key must exist (crypt.Ring.Ensure).
	Seal func(ctx context.Context, tenant string, plaintext []byte, aad string) (string, error)
	// Open gives back what Seal was given.
	Open func(ctx context.Context, tenant, sealed, aad string) ([]byte, error)
	// Caller gives the caller that a job acts as, from the user who started it. When nil, only the user's id is known.
	Caller func(ctx context.Context, tx *dbx.Tx, tenant, user string) (*call.Caller, error)
	// Record stores the events of a job's transactions. May be nil.
	Record func(ctx context.Context, c *call.Call) error
	// Ended is called in the transaction that ends a job, for example to leave an event on the call. May be nil.
	Ended func(ctx context.Context, c *call.Call, i Info) error

	Lease   time.Duration // after which the job of a silent node is taken over; 30 s when 0
	Workers int           // jobs at once per node; 4 when 0
	Tries   int           // nodes that may die of a job before it has failed; 5 when 0
	Keep    time.Duration // how long jobs stay after their end; 30 days when 0

	types   []Type
	sweeps  []Sweep
	once    sync.Once
	holder  string
	bell    chan struct{}
	mu      sync.Mutex
	running map[string]*Run
}

var (
	insert = dbx.E("job.insert", `INSERT INTO job (id, tenant, kind, dedup, state, done, total, message, payload, cursor, result, cancel,
		by_user, created, due, started, ended, tries, holder, held, name, target, by_name, mail)
		VALUES (?, ?, ?, ?, 'waiting', 0, ?, '', ?, '', '', ?, ?, ?, ?, 0, 0, 0, '', 0, ?, ?, ?, ?)
		ON CONFLICT (tenant, kind, dedup) WHERE state IN ('waiting', 'running') DO NOTHING`)
	living = dbx.Q[string]("job.living", `SELECT id FROM job WHERE tenant = ? AND kind = ? AND dedup = ? AND state IN ('waiting', 'running')`)
	cancel = dbx.W[string]("job.cancel", `UPDATE job SET cancel = ?, asked = ?, reason = ?, state = CASE WHEN state = 'waiting' THEN 'cancelled' ELSE state END,
		ended = CASE WHEN state = 'waiting' THEN ? ELSE ended END, payload = CASE WHEN state = 'waiting' THEN '' ELSE payload END
		WHERE tenant = ? AND id = ? AND state IN ('waiting', 'running') RETURNING state`)
)

// Start starts a job in c.Tx and gives its id. While one with the same unique key lives, it gives that one's id and
// ErrRunning.
func (j *Jobs) Start(ctx context.Context, c *call.Call, job Job) (id string, err error) {
	if job.Kind == "" || len(job.Kind)+len(job.Unique) > maxText || len(job.Name)+len(job.Target) > maxText {
		return "", ErrKind
	}
	plain, err := json.Marshal(job.Payload)
	if err != nil {
		return "", fault.ErrInternal.Because(err)
	}
	if len(plain) > maxPayload {
		return "", ErrPayload
	}
	id = c.NewID()
	unique := cmp.Or(job.Unique, id)
	sealed, err := j.Seal(ctx, c.Tenant.ID, plain, aad(id))
	if err != nil {
		return "", err
	}
	byName := ""
	if c.Caller != nil {
		byName = c.Caller.Name
	}
	now := j.now()
	due := now
	if job.Due.After(now) {
		due = job.Due
	}
	// A living job that ends between the two statements leaves room for this one.
	for range 3 {
		n, err := insert.Do(ctx, c.Tx, id, c.Tenant.ID, job.Kind, unique, job.Total, sealed, false, c.User(), now.UnixMilli(), due.UnixMilli(),
			job.Name, job.Target, byName, job.Mail)
		if err != nil {
			return "", err
		}
		if n == 1 {
			c.Tx.After(j.wake)
			return id, nil
		}
		other, err := living.One(ctx, c.Tx, c.Tenant.ID, job.Kind, unique)
		if !errors.Is(err, dbx.ErrNoRow) {
			if err == nil {
				err = ErrRunning
			}
			return other, err
		}
	}
	return "", ErrRunning
}

// aad ties a sealed payload to its row.
func aad(id string) string { return "job/" + id }

func (j *Jobs) wake() {
	select {
	case j.ring() <- struct{}{}:
	default:
	}
}

func (j *Jobs) ring() chan struct{} {
	j.prepare()
	return j.bell
}

// self names this process, so that a lease of an earlier one under the same node name is not taken for its own.
func (j *Jobs) self() string {
	j.prepare()
	return j.holder
}

func (j *Jobs) prepare() {
	j.once.Do(func() { j.holder, j.bell = j.Node+"/"+rand.Text(), make(chan struct{}, 1) })
}

func (j *Jobs) now() time.Time {
	if j.Now != nil {
		return j.Now()
	}
	return time.Now()
}

func (j *Jobs) log() *slog.Logger {
	if j.Log != nil {
		return j.Log
	}
	return slog.Default()
}
