package dbx

import (
	"context"
	"errors"
	"fmt"

	"limen/internal/fault"
)

// What the store can answer. Errors of a function handed to Read, Write or Serial come back unchanged; errors of a
// statement are one of these with the engine's own error as cause.
var (
	// ErrNoRow is One's answer when nothing matched.
	ErrNoRow = fault.New(fault.NotFound, "row.none", "Not found.")
	// ErrManyRows is One's answer when more than one row matched.
	ErrManyRows = fault.New(fault.Internal, "row.many", fault.ErrInternal.Public)
	// ErrExists says that a unique constraint refused a row that ON CONFLICT did not expect.
	ErrExists = fault.New(fault.Exists, "row.exists", "It exists already.")
	// ErrReference says that a foreign key refused a change.
	ErrReference = fault.New(fault.Conflict, "row.reference", "Something else refers to it, or what it refers to is gone.")
	// ErrStatement is a statement that the engine refused for any other reason.
	ErrStatement = fault.New(fault.Internal, "store.statement", fault.ErrInternal.Public)
	// ErrReadOnly says that a Read function tried to change something.
	ErrReadOnly = fault.New(fault.Internal, "store.read_only", fault.ErrInternal.Public)
	// ErrMisuse is a transaction used after its end, after a failed statement, or within Each.
	ErrMisuse = fault.New(fault.Internal, "store.misuse", fault.ErrInternal.Public)
	// ErrBudget says that a write function took longer than the store allows (Options.Budget).
	ErrBudget = fault.New(fault.Unavailable, "store.budget", "The change took too long and was not made. Try again.")
	// ErrBusy says that a transaction was not admitted, or found no quiet moment, before its deadline.
	ErrBusy = fault.New(fault.Unavailable, "store.busy", "The store is busy. Try again.")
	// ErrDown says that the store cannot be reached.
	ErrDown = fault.New(fault.Unavailable, "store.down", "The store cannot be reached. Try again.")
	// ErrClosed says that Close was called.
	ErrClosed = fault.New(fault.Unavailable, "store.closed", "The server is stopping.")
	// ErrCommitUnknown says that the answer to COMMIT was lost and no witness could tell whether it happened.
	ErrCommitUnknown = fault.New(fault.Unavailable, "store.commit_unknown",
		"The connection to the store broke at the last moment. Check whether the change was made before trying again.")
)

// class says what an engine's error means for the transaction it happened in.
type class uint8

const (
	final   class = iota // trying again gives the same
	retry                // the engine asks for another try: busy, serialization failure, deadlock
	broken               // the connection is gone
	exists               // unique constraint
	refer                // foreign key
	expired              // the budget or the caller's deadline
)

// wrap turns an engine's error in a statement into a fault.
func wrap(name string, c class, err error) error {
	err = fmt.Errorf("%s: %w", name, err)
	switch c {
	case exists:
		return ErrExists.Because(err)
	case refer:
		return ErrReference.Because(err)
	case retry:
		return ErrBusy.Because(err)
	case broken:
		return ErrDown.Because(err)
	case expired:
		return ErrBudget.Because(err)
	}
	return ErrStatement.Because(err)
}

// misuse is a mistake of the calling code.
func misuse(name, format string, args ...any) error {
	return ErrMisuse.Because(fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
}

// gone is the answer to a caller whose context ended before the work was admitted.
func gone(ctx context.Context) error {
	err := context.Cause(ctx)
	if err == nil {
		err = ctx.Err()
	}
	return ErrBusy.Because(err)
}

// isContext tells errors of an ended context from those of an engine.
func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
