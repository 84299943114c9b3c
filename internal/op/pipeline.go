package op

import (
	"context"
	"errors"
	"io"
	"net/http"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// do is the pipeline after routing: identify, limit, decode, resolve, authorise, prepare, run.
func (k *Kernel) do(ctx context.Context, m *mounted, c *Call, req *Request) (any, error) {
	o := &m.op
	cred := m.codec.Credentials(req.HTTP)
	cred.Op = o
	c.Client.Forged = cred.Forged
	if cred.Wrote != 0 && k.CatchUp != nil {
		if err := k.CatchUp(ctx, cred.Wrote); err != nil {
			return nil, err
		}
	}
	if err := k.identify(ctx, c, o, cred); err != nil {
		return nil, err
	}
	if c.Caller != nil { // before anything is read of the request; Run does it for everybody
		if err := k.admit(ctx, o, c); err != nil {
			return nil, err
		}
	}
	if k.Limit != nil {
		if f := k.Limit(c, o); f != nil {
			return nil, f
		}
	}
	body, err := readBody(req.HTTP, o.MaxBody)
	if err != nil {
		return nil, err
	}
	req.Body = body
	in := o.blank()
	if err := m.codec.Decode(req, in); err != nil {
		return nil, err
	}
	if err := k.place(ctx, c, o, in); err != nil {
		return nil, err
	}
	return k.Run(ctx, o, c, in)
}

// identify sets the caller. An open operation goes on without one when the credentials prove nothing.
func (k *Kernel) identify(ctx context.Context, c *Call, o *Op, cred Credentials) error {
	var err error
	switch {
	case cred.Token == "":
		err = ErrSignIn
	case cred.Forged:
		err = ErrForged
	default:
		err = k.Identify(ctx, c, cred)
	}
	if err == nil && c.Caller != nil && c.Caller.Setup && !o.Setup { // to all else nobody is signed in
		err = ErrSetup
	}
	if err == nil {
		return nil
	}
	c.Caller, c.Tenant = nil, call.Tenant{}
	if o.Allow.open {
		return nil
	}
	return err
}

// place finds the tenant of a caller who is not signed in, and refuses a tenant named beside another's session.
func (k *Kernel) place(ctx context.Context, c *Call, o *Op, in any) error {
	var h Hint
	if i, ok := in.(Hinted); ok {
		h = i.TenantHint()
	}
	if c.Caller == nil {
		return k.Tenant(ctx, c, h)
	}
	if h.Tenant == "" {
		return nil
	}
	named := *c
	named.Tenant = call.Tenant{}
	if err := k.Tenant(ctx, &named, Hint{Tenant: h.Tenant}); err != nil || named.Tenant.ID == c.Tenant.ID {
		return err
	}
	if !o.Allow.open {
		return ErrTenant
	}
	c.Caller, c.Tenant = nil, named.Tenant
	return nil
}

// admit keeps out whoever comes from where the tenant lets nobody in. What is open to the whole world stays so.
func (k *Kernel) admit(ctx context.Context, o *Op, c *Call) error {
	if k.Admit == nil || o.Rate == Unruled {
		return nil
	}
	if err := k.Admit(ctx, c); err != nil {
		return k.failed(ctx, o, c, Read, err) // gathered: it is no more than somebody who knocks
	}
	return nil
}

// Run does what follows decoding. Listeners that are not HTTP, and the command line, enter here.
func (k *Kernel) Run(ctx context.Context, o *Op, c *Call, in any) (any, error) {
	if err := k.admit(ctx, o, c); err != nil {
		return nil, err
	}
	if ch, ok := in.(Checker); ok {
		if err := ch.Check(); err != nil {
			return nil, err
		}
	}
	effect := o.effect(in)
	if effect == Read && o.prepare == nil {
		var out any
		err := c.Snapshot(ctx, func() (err error) {
			if err = k.authorise(ctx, o, c, in); err != nil {
				return err
			}
			out, err = o.run(ctx, c, in, nil)
			return err
		})
		return finished(ctx, c, out, k.failed(ctx, o, c, effect, err))
	}
	if err := k.authorise(ctx, o, c, in); err != nil {
		return nil, k.failed(ctx, o, c, min(effect, Serial), err) // an outside operation has stored no event so far
	}
	out, err := k.effect(ctx, o, c, in, effect)
	return finished(ctx, c, out, k.failed(ctx, o, c, effect, err))
}

// finished does what a result has left to do.
func finished(ctx context.Context, c *Call, out any, err error) (any, error) {
	if f, ok := out.(Finisher); ok && err == nil {
		return f.Finish(ctx, c)
	}
	return out, err
}

// authorise resolves the input's references and decides.
func (k *Kernel) authorise(ctx context.Context, o *Op, c *Call, in any) error {
	if r, ok := in.(Resolver); ok {
		if err := c.Snapshot(ctx, func() error { return r.Resolve(ctx, c) }); err != nil {
			return k.unresolved(o, c, err)
		}
	}
	var t Target
	if i, ok := in.(Targeted); ok {
		t = i.Target()
	}
	c.Grant = o.Allow.Decide(c, t)
	if c.Grant.Nothing() {
		return refusal(c)
	}
	return nil
}

// unresolved hides whether a thing exists from callers who may not act on things they do not own.
func (k *Kernel) unresolved(o *Op, c *Call, err error) error {
	if fault.Of(err).Kind == fault.NotFound && o.Allow.Decide(c, Target{ID: "\x00unknown"}).Nothing() {
		return refusal(c)
	}
	return err
}

func refusal(c *Call) error {
	if c.Caller == nil {
		return ErrSignIn
	}
	return ErrDenied
}

func (k *Kernel) effect(ctx context.Context, o *Op, c *Call, in any, effect Effect) (any, error) {
	var prepared any
	if o.prepare != nil {
		var err error
		if prepared, err = o.prepare(ctx, c, in); err != nil {
			return k.refused(ctx, o, c, nil, err)
		}
	}
	switch effect {
	case Write:
		return k.write(ctx, o, c, in, prepared, k.DB.Write)
	case Serial:
		return k.write(ctx, o, c, in, prepared, k.DB.Serial)
	case Outside:
		return k.outside(ctx, o, c, in, prepared)
	case Read:
		var out any
		err := c.Snapshot(ctx, func() (err error) {
			out, err = o.run(ctx, c, in, prepared)
			return err
		})
		return out, err
	default:
		return o.run(ctx, c, in, prepared)
	}
}

type transact func(context.Context, func(*dbx.Tx) error, ...dbx.Witness) error

// write runs the operation in its transaction with its event. Everything it sets is set anew on each try.
func (k *Kernel) write(ctx context.Context, o *Op, c *Call, in, prepared any, begin transact) (any, error) {
	id, caller := c.NewID(), c.Caller
	var out any
	var refused error
	inside := context.WithoutCancel(ctx) // the caller's patience must not end statements of a shared transaction
	err := begin(ctx, func(tx *dbx.Tx) (err error) {
		refused = nil
		c.Tx, c.Caller, c.Also, c.Wrote = tx, caller, nil, 0
		defer func() { c.Tx = nil }()
		c.Event = &call.Event{ID: id, Type: o.Audit, Outcome: "success"}
		out, err = o.run(inside, c, in, prepared)
		if r, ok := errors.AsType[*Refusal](err); ok {
			refused, err = r, nil
			if c.Event != nil {
				c.Event.Outcome, c.Event.Reason = "refused", r.Fault.Code
				if r.Fault.Soft { // it was done, with a warning
					c.Event.Outcome = "success"
				}
			}
		}
		if err != nil {
			return err
		}
		return k.Record(inside, c)
	}, k.witness(c.Tenant.ID, id))
	if err != nil {
		c.Also = nil // they tell of what was rolled back, and must not go along with the event of the failure
		return nil, err
	}
	return out, refused
}

func (k *Kernel) witness(tenant, event string) dbx.Witness {
	return func(ctx context.Context, tx *dbx.Tx) (bool, error) { return k.Happened(ctx, tx, tenant, event) }
}

// outside notes the intent, lets the operation talk to the network, and notes the outcome.
func (k *Kernel) outside(ctx context.Context, o *Op, c *Call, in, prepared any) (any, error) {
	first, then := c.NewID(), c.NewID()
	if then < first { // the outcome sorts behind its intent, although both are made in the same millisecond
		first, then = then, first
	}
	intent := &call.Event{ID: first, Type: o.Audit, Outcome: "started"}
	if err := k.note(ctx, c, intent); err != nil {
		return nil, err
	}
	c.Event, c.Also = &call.Event{ID: then, Type: o.Audit, Outcome: "success"}, nil
	out, err := o.run(ctx, c, in, prepared)
	end := c.Event
	end.Set("Intent", intent.ID)
	if err != nil {
		end.Outcome, end.Reason = "failed", fault.Of(err).Code
	}
	if nerr := k.note(context.WithoutCancel(ctx), c, end); nerr != nil && err == nil {
		return nil, nerr
	}
	return out, err
}

func (k *Kernel) note(ctx context.Context, c *Call, e *call.Event) error {
	return k.DB.Write(ctx, func(tx *dbx.Tx) error {
		n := *c
		n.Tx, n.Event = tx, e
		return k.Record(context.WithoutCancel(ctx), &n)
	}, k.witness(c.Tenant.ID, e.ID))
}

// refused lets Prepare end an operation with a refusal: there is nothing to commit but the event.
func (k *Kernel) refused(ctx context.Context, o *Op, c *Call, out any, err error) (any, error) {
	if _, ok := errors.AsType[*Refusal](err); !ok || o.Audit == "" {
		return out, err
	}
	e := &call.Event{ID: c.NewID(), Type: o.Audit, Outcome: "refused", Reason: fault.Of(err).Code}
	if nerr := k.note(ctx, c, e); nerr != nil {
		return nil, nerr
	}
	return out, err
}

// failed stores the event of a failure after the rollback, and passes the error on.
func (k *Kernel) failed(ctx context.Context, o *Op, c *Call, effect Effect, err error) error {
	if err == nil || k.Failures == nil {
		return err
	}
	if _, ok := errors.AsType[*Refusal](err); ok || effect == Outside {
		return err // already stored
	}
	k.Failures.Note(ctx, k, o, c, effect, fault.Of(err))
	return err
}

func readBody(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil, nil
	}
	if limit == 0 {
		limit = 1 << 20
	}
	if r.ContentLength > limit {
		return nil, fault.ErrTooLarge
	}
	size := r.ContentLength
	if size < 0 {
		size = 512
	}
	b := make([]byte, 0, size+1)
	for {
		if int64(len(b)) > limit {
			return nil, fault.ErrTooLarge
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return nil, fault.ErrMalformed.Because(err)
		}
	}
}
