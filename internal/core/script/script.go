// Package script is the scripts of applications: OpenIDConnectScript, which says what tokens tell besides the standard claims, and
// PolicyScript, which says who may use the application and how (apps.yaml n 196); and the mapping scripts of where their people are
// provisioned to. What a script sees is gathered here in a read
// snapshot; it runs in a process of its own (platform/script), never while a transaction is open.
//
// A script that fails decides nothing, and whoever asked must refuse: a token without the claims that an administrator wanted, or an
// application whose rules nobody could read, would be a mistake that nobody sees. Administrators find the failure among the events.
package script

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/dynamic"
	"limen/internal/core/policy"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// ErrFailed says that a script could not be run, or failed. What it says is for administrators.
var ErrFailed = fault.New(fault.Invalid, "script.failed", "A script of the application failed.")

// Kind is what a script is for, by the name of the member of the application's record that it stands in.
type Kind string

// The kinds.
const (
	Claims Kind = "OpenIDConnectScript"
	Policy Kind = "PolicyScript"
	// Mapping is of where people are provisioned to, which is no member of the record.
	Mapping Kind = "MappingScript"
)

// Ask is a script, and the situation in which it is asked.
type Ask struct {
	Kind   Kind
	Text   string
	App    string            // UUID of the application
	Name   string            // its name
	Facts  map[string]string // what else scripts see of it, by the names of its record
	Person string            // UUID; empty: a client in its own name
	Client string            // the client's id
	Scopes []string
	Strong bool      // of Policy: the person signed in with more than one factor, or has shown a further one since
	Proved time.Time // of Policy: when they last showed what they sign in with
	Trace  bool      // what the script says with trace() is wanted
	// Resource is of Mapping: what would be told without a script, by the names of attributes.
	Resource map[string]any
}

// Batch is a script as the child process gets it.
type Batch struct {
	Tenant string
	Kind   Kind
	Text   string
	Person dynamic.Person
	Roles  []role.Role               // those that the person is in
	See    map[string]map[string]any // objects and their members, beside the person
	Now    time.Time
	Trace  bool
	// Compile says that nobody is judged: it is asked whether the script compiles.
	Compile bool
}

// Verdict is what a script said.
type Verdict struct {
	Claims map[string]json.RawMessage
	Mapped map[string]json.RawMessage // values by paths; null: nothing is to be there
	Locked bool
	Reason string // why, for the person; may be empty
	Level  int    // 2: strong authentication is wanted, 1: it is not, 0: the script says nothing of it
	Error  string // why it failed; empty when it did not
	Trace  []string
	Read   []string       // what it read
	Saw    map[string]any // the same with what was found there; where Ask.Trace is set
}

// Scripts runs the scripts of applications. The exported fields are set in internal/app.
type Scripts struct {
	People   *user.Directory
	Roles    *role.Roles
	Persons  *dynamic.Scripts
	Policies *policy.Policies
	// Judge runs a script in a child. A fault of kind Invalid or TooLarge is the script's.
	Judge func(ctx context.Context, b Batch) (Verdict, error)
	// Write runs f in a transaction of the tenant that stores the events of its call.
	Write func(ctx context.Context, tenant string, f func(ctx context.Context, c *call.Call) error) error

	once  sync.Once
	known *otter.Cache[[sha256.Size]byte, Verdict]
	mu    sync.Mutex
	told  map[string]time.Time
}

// Bounds of what is remembered.
const (
	maxKnown  = 1000 // answers, of 8 KB at most
	keepKnown = 10 * time.Minute
	tellEvery = time.Minute // of failures of one script
	maxTold   = 10_000
)

// Ask runs a script. It must be called outside of transactions. An answer is taken from memory where the script and all that it can see
// are the same: it has no other input, unless it asked for the time or for a random number. A failure is ErrFailed, and leaves an event.
func (s *Scripts) Ask(ctx context.Context, c *call.Call, in Ask) (Verdict, error) {
	v, err := s.Try(ctx, c, in)
	if err == nil && v.Error != "" {
		err = ErrFailed.Say("%s", v.Error)
	}
	if f := fault.Of(err); err != nil && ctx.Err() == nil && f.Kind != fault.Internal {
		return Verdict{}, errors.Join(ErrFailed.Say("%s", f.Public), s.tell(ctx, c, in, f.Public))
	}
	return v, err
}

// Try is Ask that tells nobody of failures: of a script's own it says so in the verdict.
func (s *Scripts) Try(ctx context.Context, c *call.Call, in Ask) (Verdict, error) {
	b, err := s.batch(ctx, c, in)
	if err != nil {
		return Verdict{}, err
	}
	key, err := b.key()
	if err != nil {
		return Verdict{}, err
	}
	if !in.Trace {
		if v, ok := s.memory().GetIfPresent(key); ok {
			return v, nil
		}
	}
	v, err := s.Judge(ctx, b)
	if f := fault.Of(err); err != nil && (f.Kind == fault.Invalid || f.Kind == fault.TooLarge) {
		v, err = Verdict{Error: f.Public}, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	if in.Trace {
		v.Saw = b.saw(v.Read)
	} else if v.Error == "" && !slices.Contains(v.Read, readClock) {
		s.memory().Set(key, v)
	}
	return v, nil
}

// What a script may have read besides members and properties, as platform/script notes it.
const (
	readRoles = "(roles)"
	readClock = "(clock)"
)

// Compile says why a script does not compile; empty: it does. It must be called outside of transactions.
func (s *Scripts) Compile(ctx context.Context, c *call.Call, kind Kind, text string) (why string, err error) {
	_, err = s.Judge(ctx, Batch{Tenant: c.Tenant.ID, Kind: kind, Text: text, Compile: true})
	if f := fault.Of(err); err != nil && (f.Kind == fault.Invalid || f.Kind == fault.TooLarge) {
		return f.Public, nil
	}
	return "", err
}

func (s *Scripts) memory() *otter.Cache[[sha256.Size]byte, Verdict] {
	s.once.Do(func() {
		s.known = otter.Must(&otter.Options[[sha256.Size]byte, Verdict]{
			MaximumSize: maxKnown, ExpiryCalculator: otter.ExpiryAccessing[[sha256.Size]byte, Verdict](keepKnown),
		})
	})
	return s.known
}

// key is of everything that a script sees, but for the time.
func (b Batch) key() ([sha256.Size]byte, error) {
	b.Now = time.Time{}
	raw, err := json.Marshal(b)
	return sha256.Sum256(raw), err
}

// saw is what was found under the names that a script read.
func (b Batch) saw(read []string) map[string]any {
	out := map[string]any{}
	for _, name := range read {
		object, member, _ := strings.Cut(name, ".")
		switch v, ok := b.See[object][member]; {
		case ok:
			out[name] = v
		case name == readRoles:
			out[name] = names(b.Roles)
		case name == readClock:
			out[name] = b.Now.UTC()
		default:
			out[name] = b.Person.Properties[name]
		}
	}
	return out
}

// tell leaves the event of a failure, one a minute for each script.
func (s *Scripts) tell(ctx context.Context, c *call.Call, in Ask, why string) error {
	id := c.Tenant.ID + "/" + in.App + "/" + string(in.Kind)
	s.mu.Lock()
	if last, ok := s.told[id]; ok && c.Now.Sub(last) < tellEvery {
		s.mu.Unlock()
		return nil
	}
	if s.told == nil || len(s.told) >= maxTold {
		s.told = map[string]time.Time{}
	}
	s.told[id] = c.Now
	s.mu.Unlock()
	return s.Write(ctx, c.Tenant.ID, func(_ context.Context, c *call.Call) error {
		e := c.Record(audit.AppScriptFail)
		e.Outcome, e.Kind, e.Target, e.Name, e.User = "failed", "Application", in.App, in.Name, in.Person
		e.Set("Script", string(in.Kind))
		e.Set("Exception", why)
		return nil
	})
}
