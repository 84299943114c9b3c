// Package tokenfile takes hardware tokens from the files that their makers deliver: it says of every cell what is wrong with it
// before anything happens, keeps the checked file sealed until it is submitted, and gives the tokens to their people in a job,
// some dozens in each transaction, of which a restart repeats none.
package tokenfile

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor/oath"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/right"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/wire/csvfile"
)

// Kind is the kind of the job.
const Kind = "tokens.import"

// Limits of a file.
var Limits = csvfile.Limits{Bytes: 4 << 20, Rows: 10_000, Columns: 40, Cell: 1000}

const (
	keepUpload = time.Hour          // until a file that is not submitted is forgotten
	keepFile   = 3 * 24 * time.Hour // until one whose job never ends is
	pending    = 4                  // files that one person may have waiting besides the newest
	batch      = 50                 // tokens of a transaction: all other writers of SQLite wait behind it
	kept       = 300                // remarks that a report has
)

// Faults of files.
var (
	ErrFile     = fault.New(fault.Invalid, "tokens.file", "The file cannot be read.")
	ErrColumn   = fault.New(fault.Invalid, "tokens.column", "The header of the file is not right.")
	ErrEmpty    = fault.New(fault.Invalid, "tokens.empty", "The file has no tokens in it.")
	ErrUnknown  = fault.New(fault.NotFound, "tokens.unknown", "The requested data or its dependent data was not found in the service.")
	ErrGone     = fault.New(fault.NotFound, "tokens.gone", "The file to be imported is no longer there. Please upload it again.")
	ErrNoRights = fault.New(fault.Denied, "tokens.rights", "Whoever started the import may not give anybody tokens any more.")
)

// Files are the files of the call's tenant. The fields are set once.
type Files struct {
	DB       *dbx.DB
	People   *user.Directory
	Profiles oath.Profiles
	Tenants  *tenant.Index
	Jobs     *job.Jobs
	// Seal and Open protect files; the tenant's key exists.
	Seal func(ctx context.Context, tenant string, plaintext []byte, aad string) (string, error)
	Open func(ctx context.Context, tenant, sealed, aad string) ([]byte, error)
	// Guard keeps callers from changing the factors of people who are above them.
	Guard func(ctx context.Context, c *call.Call, userID string) error
	// Issuer is who issues tokens whose row does not say.
	Issuer func(ctx context.Context, c *call.Call) (string, error)
}

// extent is over whom the caller manages users.
func extent(c *call.Call) grant.Grant {
	switch {
	case c.Caller == nil:
		return grant.Grant{}
	case c.Caller.Held.Everywhere(right.UserManagement):
		return grant.All()
	}
	return grant.Orgs(c.Caller.Held.Tree, c.Caller.Held.In(right.UserManagement)...)
}
