// Package intake takes many people into the directory from a table: it says of every cell what is wrong with it before
// anything happens, keeps the checked file sealed until it is submitted, and creates the people in a job, some hundred in
// each transaction, of which a restart repeats none.
package intake

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/org"
	"limen/internal/core/password"
	"limen/internal/core/post"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/wire/csvfile"
)

// Kind is the kind of the job.
const Kind = "users.import"

// Limits of a file. Ten thousand people are the contract's (users.yaml n 86).
var Limits = csvfile.Limits{Bytes: 10 << 20, Rows: 10_000, Columns: 40, Cell: 8000}

const (
	keepUpload = time.Hour          // until a file that is not submitted is forgotten
	keepFile   = 3 * 24 * time.Hour // until one whose job never ends is
	pending    = 4                  // files that one person may have waiting besides the newest
	small      = 50                 // people of a batch when passwords are to be hashed: progress shows, and a cancellation waits a second
	large      = 250                // people of a batch otherwise: all other writers of SQLite wait behind its transaction
	showable   = 50                 // problems that a refusal shows
	kept       = 300                // remarks that a report has
	mailed     = 15                 // of them in the mail
	maxRoles   = 50                 // roles of a person
)

// Faults of importing.
var (
	ErrFile     = fault.New(fault.Invalid, "import.file", "The file cannot be read.")
	ErrMany     = fault.New(fault.TooLarge, "import.many", "One import takes 20 files.")
	ErrColumn   = fault.New(fault.Invalid, "import.column", "The header of the file is not right.")
	ErrRows     = fault.New(fault.Invalid, "import.rows", "The file has rows that cannot be imported.")
	ErrEmpty    = fault.New(fault.Invalid, "import.empty", "The file has no users in it.")
	ErrUnknown  = fault.New(fault.NotFound, "import.unknown", "The requested data or its dependent data was not found in the service.")
	ErrGone     = fault.New(fault.NotFound, "import.gone", "The file to be imported is no longer there. Please upload it again.")
	ErrNoRights = fault.New(fault.Denied, "import.rights", "Whoever started the import may not create users any more.")
)

// Imports are the imports of the call's tenant. The fields are set once.
type Imports struct {
	DB        *dbx.DB
	People    *user.Directory
	Roles     *role.Roles
	Orgs      *org.Orgs
	Passwords password.Passwords
	Tenants   *tenant.Index
	Jobs      *job.Jobs
	Post      *post.Post
	// Seal and Open protect files; the tenant's key exists.
	Seal func(ctx context.Context, tenant string, plaintext []byte, aad string) (string, error)
	Open func(ctx context.Context, tenant, sealed, aad string) ([]byte, error)
	// Culture is the language of a person; empty, the tenant's, of nobody.
	Culture func(ctx context.Context, c *call.Call, userID string) (string, error)
	// Bind gives a call its Snapshot.
	Bind func(c *call.Call)
	// Invite sends a person the invitations that are asked for.
	Invite func(ctx context.Context, c *call.Call, u user.User, mail, sms bool) error
}

// extent is over whom the caller manages users.
func extent(c *call.Call) grant.Grant {
	switch {
	case c.Caller == nil:
		return grant.Grant{}
	case c.Caller.Means == call.ByShell || c.Caller.Held.Everywhere(right.UserManagement):
		return grant.All()
	}
	return grant.Orgs(c.Caller.Held.Tree, c.Caller.Held.In(right.UserManagement)...)
}

// system says whether the caller may make system administrators.
func system(c *call.Call) bool {
	return c.Caller != nil && (c.Caller.Means == call.ByShell || c.Caller.Held.System())
}
