package op

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Request is what a codec reads.
type Request struct {
	HTTP *http.Request
	Body []byte
	Path map[string]string // values of the pattern's segments
	Op   *Op
	// Bound is how many parameters Decode recognised; some dialects answer differently when it is none.
	Bound int
}

// Credentials are what a request shows to prove its caller, as its dialect carries them.
type Credentials struct {
	Token  string // session token, JWT or API token; empty when the request shows none
	Cookie bool   // it came as a cookie
	Forged bool   // it came as a cookie, and nothing shows that the client sent it on purpose
	Wrote  int64  // sequence of the last change that the client wrote, as it was told; 0: none
	Op     *Op    // what is asked for; the kernel sets it: some credentials are good for some operations only
	Proof  *Proof // beside a token that was sent by the scheme DPoP, and not as a bearer
}

// Proof is what a request shows of the key that its token is bound to (RFC 9449).
type Proof struct {
	Headers []string // values of the header DPoP
	Method  string   // of the request
	Path    string   // of the request, escaped
}

// Codec is how a dialect reads requests and writes results and faults.
type Codec interface {
	// Methods lists the HTTP methods under which the dialect's clients reach o.
	Methods(o *Op) []string
	// Credentials finds what proves the caller.
	Credentials(r *http.Request) Credentials
	// Decode fills in, a pointer to the operation's input.
	Decode(r *Request, in any) error
	// Result writes what an operation answered.
	Result(w http.ResponseWriter, r *Request, c *Call, out any)
	// Fault writes a failure; out is the result that a refusal carries, else nil.
	Fault(w http.ResponseWriter, r *Request, c *Call, f *fault.Error, out any)
}

// Kernel runs operations. Its fields are set once, before the first request.
type Kernel struct {
	DB  *dbx.DB
	Log *slog.Logger

	// Identify sets the call's tenant and caller from credentials; a fault when they prove nothing.
	Identify func(ctx context.Context, c *Call, cred Credentials) error
	// CatchUp learns of changes up to a sequence, so that clients read what they wrote on whatever node they reach; nil
	// where there is one node.
	CatchUp func(ctx context.Context, sequence int64) error
	// Tenant sets the call's tenant for callers who are not signed in.
	Tenant func(ctx context.Context, c *Call, h Hint) error
	// Client describes where a request comes from, trusting only configured proxies.
	Client func(r *http.Request) call.Client
	// Admit refuses whoever may not reach the call's tenant from where they are, before anything else is done for them. Nil:
	// everybody may.
	Admit func(ctx context.Context, c *Call) error
	// Limit refuses what exceeds the caller's, the network's or the operation's budget.
	Limit func(c *Call, o *Op) *fault.Error
	// Record stores the call's events in its transaction.
	Record func(ctx context.Context, c *Call) error
	// Happened tells whether an event is stored: the witness of a COMMIT whose answer was lost.
	Happened func(ctx context.Context, tx *dbx.Tx, tenant, event string) (bool, error)
	// Failures stores the events of what was refused or failed.
	Failures *Failures
	// Meter gives the function that counts calls of an operation; nil: nothing is counted.
	Meter func(o *Op) func(f *fault.Error, took time.Duration)
	// Trace opens a span; nil: nothing is traced.
	Trace func(ctx context.Context, o *Op, id string) (context.Context, func(f *fault.Error))

	Now      func() time.Time // time.Now when nil
	Rand     io.Reader        // crypto/rand when nil
	Deadline time.Duration    // of a request; 30 s when 0
	Fallback Codec            // answers unknown paths

	router  router
	mounted []*mounted
}

type mounted struct {
	op    Op
	codec Codec
	meter func(*fault.Error, time.Duration)
}

// Mount puts operations of one dialect below each of the prefixes ("" is the root). It panics when a declaration is
// incomplete or a path is taken.
func (k *Kernel) Mount(codec Codec, prefixes []string, ops ...Op) {
	for _, o := range ops {
		o.check()
		m := &mounted{op: o, codec: codec, meter: func(*fault.Error, time.Duration) {}}
		if k.Meter != nil {
			m.meter = k.Meter(&m.op)
		}
		k.mounted = append(k.mounted, m)
		for _, prefix := range prefixes {
			for _, path := range append([]string{o.Path}, o.Paths...) {
				for _, method := range codec.Methods(&m.op) {
					k.router.add(method, prefix+path, m)
				}
			}
		}
	}
}

// Ops lists the mounted operations in the order of mounting.
func (k *Kernel) Ops() []Op {
	out := make([]Op, len(k.mounted))
	for i, m := range k.mounted {
		out[i] = m.op
	}
	return out
}

// Find gives the operation that a method and path name.
func (k *Kernel) Find(method, path string) (Op, bool) {
	at, _ := k.router.find(path)
	if at == nil || at.by[method] == nil {
		return Op{}, false
	}
	return at.by[method].op, true
}

// ServeHTTP runs the operation that the request names.
func (k *Kernel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at, values := k.router.find(r.URL.Path)
	if at == nil {
		k.unknown(w, r, fault.ErrNoPath)
		return
	}
	m := at.by[r.Method]
	if m == nil && r.Method == http.MethodHead {
		m = at.by[http.MethodGet]
	}
	if m == nil && k.preflight(w, r, at, values) {
		return
	}
	if m == nil {
		w.Header().Set("Allow", at.allowed())
		k.unknown(w, r, fault.ErrMethod)
		return
	}
	k.serve(w, r, m, values)
}

func (k *Kernel) unknown(w http.ResponseWriter, r *http.Request, f *fault.Error) {
	c := k.NewCall(r)
	if k.Fallback == nil {
		http.Error(w, f.Public, http.StatusNotFound)
		return
	}
	k.Fallback.Fault(w, &Request{HTTP: r}, c, f, nil)
}

func (k *Kernel) serve(w http.ResponseWriter, r *http.Request, m *mounted, values map[string]string) {
	c := k.NewCall(r)
	req := &Request{HTTP: r, Path: values, Op: &m.op}
	limit := newDeadline(r.Context(), k.deadline())
	defer limit.end()
	ctx, done := context.Context(limit), func(*fault.Error) {}
	if k.Trace != nil {
		ctx, done = k.Trace(ctx, &m.op, c.ID)
	}
	out, err := k.guarded(ctx, m, c, req)
	f := asFault(ctx, err)
	share(ctx, m, w, req, c)
	if f == nil {
		if raw, ok := out.(Raw); ok {
			raw.Write(w, r)
		} else {
			if cs, ok := out.(WithCookies); ok {
				setCookies(w, cs.Cookies())
			}
			m.codec.Result(w, req, c, out)
		}
	} else {
		if _, refused := errors.AsType[*Refusal](err); !refused {
			out = nil
		} else if cs, ok := out.(WithCookies); ok {
			setCookies(w, cs.Cookies())
		}
		m.codec.Fault(w, req, c, f, out)
	}
	took := time.Since(c.Now)
	m.meter(f, took)
	done(f)
	k.logged(ctx, m, c, f, took)
}

// guarded turns a panic into a fault: a bug in one operation is that request's failure only.
func (k *Kernel) guarded(ctx context.Context, m *mounted, c *Call, req *Request) (out any, err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		k.Log.LogAttrs(ctx, slog.LevelError, "panic", slog.String("id", c.ID), slog.String("op", m.op.Path),
			slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
		out, err = nil, fault.ErrInternal
	}()
	return k.do(ctx, m, c, req)
}

func asFault(ctx context.Context, err error) *fault.Error {
	switch f := fault.Of(err); {
	case f == nil:
		return nil
	case f.Kind == fault.Internal && ctx.Err() != nil:
		return ErrTimeLimit.Because(err)
	default:
		return f
	}
}

func (k *Kernel) logged(ctx context.Context, m *mounted, c *Call, f *fault.Error, took time.Duration) {
	level := slog.LevelInfo
	if f != nil && f.Kind == fault.Internal {
		level = slog.LevelError
	} else if f == nil && !k.Log.Enabled(ctx, slog.LevelDebug) && m.op.Effect <= Read {
		return // ordinary reads are counted, not logged
	}
	attrs := []slog.Attr{
		slog.String("id", c.ID), slog.String("op", m.op.Path), slog.String("tenant", c.Tenant.ID),
		slog.String("user", c.User()), slog.String("ip", c.Client.IP.String()), slog.Duration("took", took),
	}
	if f != nil {
		attrs = append(attrs, slog.String("fault", f.Error()))
	}
	k.Log.LogAttrs(ctx, level, "request", attrs...)
}

// NewCall makes the call of an HTTP request, before anyone is identified.
func (k *Kernel) NewCall(r *http.Request) *Call {
	c := &Call{Now: k.now(), Rand: k.rand()}
	c.ID = c.NewRequestID()
	if k.Client != nil {
		c.Client = k.Client(r)
	}
	k.Bind(c)
	return c
}

// Bind gives a call its read snapshots. Listeners that are not HTTP build calls by hand and bind them.
func (k *Kernel) Bind(c *Call) {
	c.Snapshot = func(ctx context.Context, f func() error) error {
		if c.Tx != nil {
			return f()
		}
		return k.DB.Read(ctx, func(tx *dbx.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			return f()
		})
	}
}

func (k *Kernel) now() time.Time {
	if k.Now == nil {
		return time.Now()
	}
	return k.Now()
}

func (k *Kernel) rand() io.Reader {
	if k.Rand == nil {
		return rand.Reader
	}
	return k.Rand
}

func (k *Kernel) deadline() time.Duration {
	if k.Deadline == 0 {
		return 30 * time.Second
	}
	return k.Deadline
}
