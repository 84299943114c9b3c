package scim

import (
	"context"
	"net/http"

	"limen/internal/fault"
	"limen/internal/op"
)

func (s SCIM) elsewhere() []op.Op {
	sp := op.Spec{
		Method: http.MethodGet, Methods: []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}, Path: "/scim/{path...}",
		Allow: op.Anonymous, Effect: op.Cached, Faults: []*fault.Error{fault.ErrNoPath},
	}
	return []op.Op{op.New(sp, s.Nowhere)}
}

// Nowhere answers paths that nothing else has, as SCIM wants errors to look. RFC 7644 section 3.12.
func (s SCIM) Nowhere(context.Context, *op.Call, op.None) (op.None, error) {
	return op.None{}, fault.ErrNoPath
}
