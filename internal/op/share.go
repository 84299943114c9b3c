package op

import (
	"context"
	"net/http"
	"strings"
)

// Sharing is a dialect whose answers the scripts of other sites may read (the Fetch standard's CORS protocol).
type Sharing interface {
	// Sharable says whether an operation's answers are ever shared: only they depend on who asks.
	Sharable(o *Op) bool
	// Shared says which origin's scripts may read what an operation answers: the one that asks, "*" for all, or empty for none. c has
	// a tenant and no transaction. Nothing is ever shared that comes by cookies.
	Shared(ctx context.Context, r *Request, c *Call, origin string) string
}

// sharedHeaders are what scripts may send and read beside what every script may.
const (
	sharedHeaders  = "Authorization, Content-Type, DPoP, X-IDAP-NATIVE-CLIENT"
	exposedHeaders = "DPoP-Nonce, WWW-Authenticate, Retry-After"
)

// varyOrigin is shared by all answers: nobody adds to it.
var varyOrigin = []string{"Origin"}

// share lets a script of another site read an answer.
func share(ctx context.Context, m *mounted, w http.ResponseWriter, r *Request, c *Call) (shared bool) {
	s, ok := m.codec.(Sharing)
	if !ok || !s.Sharable(&m.op) {
		return false
	}
	h := w.Header()
	if h["Vary"] == nil {
		h["Vary"] = varyOrigin[:1:1]
	} else {
		h.Add("Vary", "Origin")
	}
	origin := r.HTTP.Header.Get("Origin")
	if origin == "" || len(origin) > 300 || c.Tenant.ID == "" {
		return false
	}
	to := s.Shared(ctx, r, c, origin)
	if to == "" {
		return false
	}
	h.Set("Access-Control-Allow-Origin", to)
	h.Set("Access-Control-Expose-Headers", exposedHeaders)
	return true
}

// preflight answers a browser that asks what a script of another site may send. It says whether it did: OPTIONS is no method of
// operations otherwise.
func (k *Kernel) preflight(w http.ResponseWriter, r *http.Request, at *methods, values map[string]string) bool {
	wanted := r.Header.Get("Access-Control-Request-Method")
	m := at.by[wanted]
	if r.Method != http.MethodOptions || m == nil {
		return false
	}
	c := k.NewCall(r)
	limit := newDeadline(r.Context(), k.deadline())
	defer limit.end()
	if k.Tenant(limit, c, Hint{}) != nil || k.admit(limit, &m.op, c) != nil {
		return false
	}
	req := &Request{HTTP: r, Path: values, Op: &m.op}
	if !share(limit, m, w, req, c) {
		return false
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", strings.Join(m.codec.Methods(&m.op), ", "))
	h.Set("Access-Control-Allow-Headers", sharedHeaders)
	h.Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}
