package scim

import (
	"context"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"limen/internal/core/provision"
	"limen/internal/fault"
	"limen/internal/op"
	wire "limen/internal/wire/scim"
)

// Faults of operations in bulk requests.
var (
	errPath     = fault.New(fault.Invalid, provision.Prefix+wire.InvalidPath, "The path names nothing that can be changed.")
	errDepends  = fault.New(fault.Conflict, "scim.depends", "What it refers to was not made.")
	errCircular = fault.New(fault.Conflict, "scim.circular", "Operations refer to each other in a circle.")
)

func (s SCIM) bulk() []op.Op {
	sp := at(http.MethodPost, "/Bulk")
	sp.Allow, sp.Effect, sp.Rate, sp.MaxBody = op.Authenticated, op.Cached, op.Costly, maxBody
	sp.Faults = []*fault.Error{provision.ErrSyntax, provision.ErrPath, provision.ErrMany}
	return []op.Op{op.New(sp, s.Bulk)}
}

// BulkRequest is several operations.
type BulkRequest struct {
	// FailOnErrors is after how many failures nothing more is done; 0 or absent: all is done.
	FailOnErrors int `json:"failOnErrors"`
	// Operations have a method, a path, a bulkId, a version and data each; at most 500.
	Operations []wire.Object `json:"Operations"`
	read       wire.Bulk
}

func (b *BulkRequest) take(r *op.Request) (err error) {
	b.read, err = wire.ReadBulk(r.Body, maxBulk)
	return err
}

// Bulk does several operations, each in a transaction of its own, with its own event and under the rule of the operation that
// it is. Those that refer to others by bulkId wait for these, whatever their order. scim.yaml, POST /scim/Bulk.
func (s SCIM) Bulk(ctx context.Context, c *op.Call, in BulkRequest) (wire.BulkDone, error) {
	b := bulk{s: s, ops: slices.Concat(s.users(), s.groups(), s.containers(), s.permissions(), s.accounts()), c: c, in: in.read, made: map[string]string{}, results: make([]*wire.BulkResult, len(in.read.Ops))}
	for b.round(ctx) {
	}
	out := wire.BulkDone{Schemas: []string{wire.BulkDoneURN}, Ops: []wire.BulkResult{}}
	for _, r := range b.results {
		if r != nil {
			out.Ops = append(out.Ops, *r)
		}
	}
	return out, nil
}

// bulk is a bulk request under way.
type bulk struct {
	s       SCIM
	ops     []op.Op
	c       *op.Call
	in      wire.Bulk
	made    map[string]string // ids by bulkId; empty: it failed
	results []*wire.BulkResult
	failed  int
}

// round does what can be done, and says whether there may be more.
func (b *bulk) round(ctx context.Context) bool {
	progress, left := false, false
	for i, o := range b.in.Ops {
		if b.results[i] != nil {
			continue
		}
		if b.in.FailOn > 0 && b.failed >= b.in.FailOn {
			return false
		}
		wait, err := b.waits(o)
		if wait {
			left = true
			continue
		}
		progress = true
		b.do(ctx, i, o, err)
	}
	if !left || progress {
		return left
	}
	for i, o := range b.in.Ops { // a circle
		if b.results[i] == nil {
			b.do(ctx, i, o, errCircular)
		}
	}
	return false
}

// waits says whether an operation refers to what is yet to be made, or why it never can be done.
func (b *bulk) waits(o wire.BulkOp) (wait bool, err error) {
	for _, id := range o.Needs() {
		made, done := b.made[id]
		switch {
		case done && made == "":
			return false, errDepends
		case !done && !slices.ContainsFunc(b.in.Ops, func(o wire.BulkOp) bool { return o.BulkID == id && o.Method == http.MethodPost }):
			return false, provision.ErrValue.Say("no operation has the bulkId %.100q", id)
		case !done:
			wait = true
		}
	}
	return wait, nil
}

// do does one operation; err says that it cannot be done.
func (b *bulk) do(ctx context.Context, i int, o wire.BulkOp, err error) {
	var out any
	o = o.With(b.made)
	if err == nil {
		out, err = b.run(ctx, o)
	}
	r := &wire.BulkResult{Method: o.Method, BulkID: o.BulkID}
	if o.Method != http.MethodPost {
		r.Location = provision.Base(b.c) + o.Path
	}
	b.results[i] = r
	if err != nil {
		b.failed++
		status, body := failure(fault.Of(err))
		r.Status, r.Response = strconv.Itoa(status), body
		if o.BulkID != "" && o.Method == http.MethodPost {
			b.made[o.BulkID] = ""
		}
		return
	}
	r.Status = strconv.Itoa(http.StatusNoContent)
	if a, ok := out.(Answer); ok {
		r.Status, r.Version, r.Location = strconv.Itoa(http.StatusOK), a.from.Version, a.from.Location
		if a.made {
			r.Status = strconv.Itoa(http.StatusCreated)
			b.made[o.BulkID], _ = a.Resource["id"].(string)
		}
	}
}

// run finds the operation and lets the kernel run it, as if it had come alone.
func (b *bulk) run(ctx context.Context, o wire.BulkOp) (any, error) {
	body, err := o.Body()
	if err != nil {
		return nil, err
	}
	found, id := b.find(o)
	if found == nil {
		return nil, errPath
	}
	r := &op.Request{HTTP: &http.Request{Method: o.Method, URL: &url.URL{}, Header: http.Header{}}, Body: body, Path: map[string]string{"id": id}, Op: found}
	if o.Version != "" {
		r.HTTP.Header.Set("If-Match", o.Version)
	}
	in := reflect.New(found.In).Interface()
	if err := (Codec{}).Decode(r, in); err != nil {
		return nil, err
	}
	return b.s.Run(ctx, found, b.c, in)
}

func (b *bulk) find(o wire.BulkOp) (found *op.Op, id string) {
	path := strings.TrimPrefix(strings.TrimPrefix(o.Path, "/scim"), "/v2")
	kind, id, one := strings.Cut(strings.Trim(path, "/"), "/")
	want := "/scim/" + kind
	if one {
		want += "/{id}"
	}
	for i := range b.ops {
		if b.ops[i].Method == o.Method && strings.EqualFold(b.ops[i].Path, want) {
			return &b.ops[i], id
		}
	}
	return nil, ""
}
