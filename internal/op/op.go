// Package op is the operation kernel: an operation is declared once, as data, and from that declaration it is routed,
// decoded, resolved, authorised, run in its transaction, audited, encoded, counted and documented.
package op

import (
	"context"
	"net/http"
	"reflect"
	"runtime"
	"strings"

	"limen/internal/call"
	"limen/internal/fault"
)

// Call is what an operation gets besides its input.
type Call = call.Call

// None is the result of operations that answer nothing.
type None struct{}

// Effect says what an operation does to the store.
type Effect uint8

// The effects.
const (
	Cached  Effect = iota + 1 // no transaction: answers from memory
	Read                      // one read snapshot
	Write                     // one write transaction, perhaps run again; leaves an event
	Serial                    // as Write, serializable: an invariant across rows is declared
	Outside                   // talks to a network, no transaction; an intent event before, an outcome event after
)

var effectNames = [...]string{"", "cached", "read", "write", "serial write", "outside"}

// String names the effect in documents.
func (e Effect) String() string { return effectNames[e] }

func (e Effect) writes() bool { return e == Write || e == Serial }

// Spec declares an operation.
type Spec struct {
	Method  string   // POST when empty
	Methods []string // further methods that clients use for the same thing
	Path    string   // "/Area/Operation", or a pattern with {name} segments
	Paths   []string // further spellings of the path, such as the older twin
	Allow   Rule
	Effect  Effect
	// Effects are those besides Effect that the input may choose by its method Effect() Effect, for operations
	// that do several things.
	Effects []Effect
	Audit   string         // event type; required for Write, Serial and Outside
	Faults  []*fault.Error // what it may answer besides the kernel's own faults
	Invar   string         // Serial: the invariant across rows, in words
	Rate    Rate           // how much of the caller's budget a call takes
	MaxBody int64          // bytes of the request body; 0 is 1 MiB
	Setup   bool           // it sets up what people sign in with, and serves sessions too that can do nothing else
}

// Rate is a class of cost for rate limits.
type Rate uint8

// The rates.
const (
	Normal  Rate = iota // ordinary work
	Guess               // proves a secret, so that strangers may try it: few per minute and source
	Costly              // sends messages, makes reports or jobs
	Unruled             // never limited: health, keys, discovery
)

// Op is a declared operation of any types.
type Op struct {
	Spec
	Name    string // of the function that runs it; its doc comment documents the operation
	Func    string // import path and receiver of that function, the key of its doc comment
	In, Out reflect.Type

	blank   func() any
	prepare func(context.Context, *Call, any) (any, error)
	run     func(ctx context.Context, c *Call, in, prepared any) (any, error)
}

// Checker is an input that can tell which of its fields is wrong before anything else happens.
type Checker interface{ Check() error }

// Resolver is an input whose references become objects before anyone decides. It runs in a read snapshot.
type Resolver interface {
	Resolve(context.Context, *Call) error
}

// Targeted is an input that is about one object, known after Resolve.
type Targeted interface{ Target() Target }

// Target is the object a call is about.
type Target struct {
	ID  string // of a person: their UUID
	Org string // organization it belongs to; empty when in none
}

// Hinted is an input of an anonymous operation that may name the tenant.
type Hinted interface{ TenantHint() Hint }

// Hint names a tenant in the ways sign-in clients do.
type Hint struct {
	Tenant string // id, subdomain, host or whole URL
	Login  string // login name, whose suffix belongs to a tenant
}

// Chooser is an input that picks among the declared effects.
type Chooser interface{ Effect() Effect }

// New declares an operation whose work happens in its transaction.
func New[In, Out any](s Spec, run func(context.Context, *Call, In) (Out, error)) Op {
	o := declare[In, Out](s, run)
	o.run = func(ctx context.Context, c *Call, in, _ any) (any, error) { return run(ctx, c, *in.(*In)) }
	return o
}

// Prepared declares an operation with slow work, such as hashing, that happens before the transaction. prepare may
// read through c.Snapshot and returns what run needs, with the versions it relied on; run checks those.
func Prepared[In, P, Out any](s Spec, prepare func(context.Context, *Call, In) (P, error),
	run func(context.Context, *Call, In, P) (Out, error),
) Op {
	o := declare[In, Out](s, run)
	o.prepare = func(ctx context.Context, c *Call, in any) (any, error) { return prepare(ctx, c, *in.(*In)) }
	o.run = func(ctx context.Context, c *Call, in, p any) (any, error) { return run(ctx, c, *in.(*In), p.(P)) }
	return o
}

func declare[In, Out any](s Spec, run any) Op {
	if s.Method == "" {
		s.Method = http.MethodPost
	}
	full := strings.TrimSuffix(runtime.FuncForPC(reflect.ValueOf(run).Pointer()).Name(), "-fm")
	return Op{
		Spec: s, Name: full[strings.LastIndexByte(full, '.')+1:], Func: full,
		In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](),
		blank: func() any { return new(In) },
	}
}

// check panics when the declaration lacks what the pipeline relies on: a program that mounts it must not start.
func (o Op) check() {
	must := func(ok bool, what string) {
		if !ok {
			panic("op: " + o.Method + " " + o.Path + ": " + what)
		}
	}
	must(strings.HasPrefix(o.Path, "/"), "a path starts with a slash")
	must(o.Allow.decide != nil, "Allow is required")
	must(o.Effect >= Cached && o.Effect <= Outside, "Effect is required")
	must(o.Audit != "" || !o.audited(), "Audit is required for what changes anything")
	must(o.Effect != Serial || o.Invar != "", "Serial needs its invariant in words")
	_, chooses := o.blank().(Chooser)
	must(chooses == (len(o.Effects) > 0), "Effects and the input's method Effect go together")
	_, resolves := o.blank().(Resolver)
	must(o.Effect != Cached || !resolves, "an operation that answers from memory resolves nothing")
	_, targeted := o.blank().(Targeted)
	must(targeted || !o.Allow.targeted, "the rule needs an input with a Target")
}

func (o Op) audited() bool {
	for _, e := range append([]Effect{o.Effect}, o.Effects...) {
		if e >= Write {
			return true
		}
	}
	return false
}

func (o Op) effect(in any) Effect {
	c, ok := in.(Chooser)
	if !ok {
		return o.Effect
	}
	e := c.Effect()
	for _, d := range append([]Effect{o.Effect}, o.Effects...) {
		if d == e {
			return e
		}
	}
	panic("op: " + o.Path + " chose an effect it does not declare: " + e.String())
}
