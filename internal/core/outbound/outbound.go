// Package outbound provisions people and groups of applications to where the applications keep theirs: SCIM services elsewhere. What
// is to be there follows from who may use the application and from what is known of these people; it is not a list of changes, but a
// state that is compared with what the service has acknowledged last, for each person, until the two are the same.
//
// A transaction that changes somebody leaves a mark (Note). One node looks at marks and finds the accounts that they concern (plan);
// every node takes accounts that are due, one at a time each and under a lease, and asks the service for what is missing (work). So
// nothing is lost when a process dies, no account is worked on twice at once, and the order of what happens to a person is kept:
// what is sent is always how they are now.
package outbound

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"limen/internal/call"
	"limen/internal/core/acl"
	"limen/internal/core/app"
	"limen/internal/core/job"
	"limen/internal/core/lease"
	"limen/internal/core/provision"
	"limen/internal/core/role"
	"limen/internal/core/script"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of outbound provisioning.
var (
	ErrNotFound = fault.New(fault.NotFound, "outbound.not_found", "The application is not provisioned anywhere.")
	ErrBase     = fault.New(fault.Invalid, "outbound.base", "The address of the service must be an absolute https address without user, query and fragment.")
	ErrSecret   = fault.New(fault.Invalid, "outbound.secret", "The secret must be given anew where the address that it is sent to changes.")
	ErrReach    = fault.New(fault.Denied, "outbound.reach", "The application is provisioned for people whom you do not administer.")
	ErrPeople   = fault.New(fault.Denied, "outbound.people", "Provisioning is set up by who administers people: those of the tenant, or of organizations.")
	ErrStale    = fault.New(fault.Conflict, "outbound.stale", "The target was changed meanwhile. Please try again.")
	ErrAccount  = fault.New(fault.NotFound, "outbound.account", "The person or group has no account there, and none is on its way.")
	ErrScript   = fault.New(fault.Invalid, "outbound.script", "The mapping script does not compile.")
	ErrRole     = fault.New(fault.NotFound, "outbound.role", "A role that is to be a group there was not found.")
)

// Bounds.
const (
	MaxScript = 64 << 10
	MaxGroups = 50
	maxText   = 1000
)

// Purpose is that of sealed secrets.
const Purpose = "outbound"

// Request is what a service is asked.
type Request struct {
	Method string
	URL    string
	Header http.Header
	Body   []byte
}

// Answer is what it said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Outbound provisions. Its exported fields are set in internal/app.
type Outbound struct {
	DB     *dbx.DB
	Log    *slog.Logger // slog.Default when nil
	Node   string
	Leases *lease.Leases
	Now    func() time.Time // time.Now when nil

	Apps      *app.Apps
	Lists     *acl.Lists
	People    *user.Directory
	Roles     *role.Roles
	Directory *provision.Directory // makes the resources that mappings begin with
	Scripts   *script.Scripts
	Jobs      *job.Jobs

	// Send asks an address that a customer has named.
	Send func(ctx context.Context, r Request) (Answer, error)
	// Seal seals a secret, and Open opens it.
	Seal func(ctx context.Context, c *call.Call, bound string, plain []byte) (string, error)
	Open func(ctx context.Context, tenant, bound, sealed string) ([]byte, error)
	// Call is a call of nobody's within a tenant, outside of transactions.
	Call func(tenant string) *call.Call
	// Caller is who a run acts as, from the user who started it.
	Caller func(ctx context.Context, tx *dbx.Tx, tenant, user string) (*call.Caller, error)
	// Write runs f in a transaction of the tenant that stores the events of its call.
	Write func(ctx context.Context, tenant string, f func(ctx context.Context, c *call.Call) error) error

	Lease   time.Duration // of an account; 1 minute when 0
	Backoff time.Duration // before the second try, doubled each time up to an hour; 5 s when 0
	Workers int           // accounts of one target at once on a node; 4 when 0

	once   sync.Once
	holder string
	marks  chan struct{}
	due    chan struct{}
	some   atomic.Bool // there are targets
	mu     sync.Mutex
	busy   map[[2]string]bool
	tokens map[[3]string]token
}

// Kinds of accounts.
const (
	KindUser  = "User"
	KindGroup = "Group"
)

// States of an account.
const (
	Waiting      = "waiting"      // something is to be sent, or was not acknowledged
	Acknowledged = "acknowledged" // the service has said that it is as it should be
	Failed       = "failed"       // the service will not have it; it is not tried again before something changes
	Conflict     = "conflict"     // the service has an account that could be this person's, and may not be taken over
)

// What is there.
const (
	Active   = "active"
	Disabled = "disabled"
	Removed  = "removed"
)

func (o *Outbound) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

func (o *Outbound) log() *slog.Logger {
	if o.Log != nil {
		return o.Log
	}
	return slog.Default()
}
