package app

import (
	"net/http"

	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity"
	"limen/internal/surface/scim"
	"limen/internal/surface/synerise"
)

// fallback answers paths and methods that nothing has, in the form of the dialect to which they would belong.
type fallback struct{ identity.Codec }

// Fault writes the failure.
func (b fallback) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, out any) {
	switch path := r.HTTP.URL.Path; {
	case belowRoots(path):
		synerise.Codec{}.Fault(w, r, c, f, out)
	case below(path, "/scim/"):
		scim.Codec{}.Fault(w, r, c, f, out)
	default:
		b.Codec.Fault(w, r, c, f, out)
	}
}
