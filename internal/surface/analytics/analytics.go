// Package analytics is the dialect of the analytics service (analytics.yaml), as far as it is about signing in: methods of REST, bare JSON, and
// failures as an object with code and message beside a status of their own.
package analytics

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"limen/internal/core/right"
	"limen/internal/core/risk"
	"limen/internal/fault"
	"limen/internal/op"
)

// Codec reads and writes the dialect.
type Codec struct{}

// Methods are the declared ones.
func (Codec) Methods(o *op.Op) []string { return []string{o.Method} }

// Credentials finds the bearer. Cookies prove nobody here.
func (Codec) Credentials(r *http.Request) op.Credentials {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return op.Credentials{}
	}
	return op.Credentials{Token: strings.TrimSpace(token)}
}

// Decode reads nothing: no operation takes anything.
func (Codec) Decode(*op.Request, any) error { return nil }

// Result writes what an operation answered.
func (Codec) Result(w http.ResponseWriter, r *op.Request, _ *op.Call, out any) {
	op.JSON{Code: http.StatusOK, Body: out}.Write(w, r.HTTP)
}

// Failure is what every failure answers.
type Failure struct {
	// Code is the fault's, as auth.denied.
	Code string `json:"code"`
	// Message says it for people.
	Message string `json:"message"`
	// RequestID finds it in the log and in events.
	RequestID string `json:"request_id"`
}

var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.NotFound: http.StatusNotFound, fault.Denied: http.StatusForbidden, fault.Unauthenticated: http.StatusUnauthorized,
	fault.Limited: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.Method: http.StatusMethodNotAllowed, fault.Conflict: http.StatusConflict, fault.Exists: http.StatusConflict,
}

// Fault writes a failure.
func (Codec) Fault(w http.ResponseWriter, r *op.Request, c *op.Call, f *fault.Error, _ any) {
	status, ok := statuses[f.Kind]
	if !ok {
		status = http.StatusInternalServerError
	}
	switch {
	case status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case f.After > 0:
		w.Header().Set("Retry-After", strconv.Itoa(f.After))
	}
	op.JSON{Code: status, Body: Failure{f.Code, f.Public, c.ID}}.Write(w, r.HTTP)
}

// Analytics are the operations.
type Analytics struct{ Risks *risk.Risks }

// Ops declares them.
func (a Analytics) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{
			Method: http.MethodGet, Path: "/analytics/services/v1.0/dataset/system/models", Allow: op.Any(op.System, op.Has(right.ReadSystem)), Effect: op.Read,
		}, a.GetModels),
	}
}

// Model is a way in which risk is rated.
type Model struct {
	// ID names it; sign-in is the only one.
	ID string `json:"id"`
	// Name is for people.
	Name string `json:"name"`
	// Description says what it rates.
	Description string `json:"description"`
	// Dataset is what it looks at: event.
	Dataset string `json:"dataset"`
	// Category is Authentication.
	Category string `json:"category"`
	// Features are what may be found.
	Features []Feature `json:"features"`
	// Thresholds are sums of weights that make levels.
	Thresholds Thresholds `json:"thresholds"`
	// Enabled says that anything is looked for.
	Enabled bool `json:"enabled"`
	// Status is ready: nothing is learnt.
	Status string `json:"status"`
}

// Feature is something that may be found.
type Feature struct {
	// Name is that of the reason, as events have it.
	Name string `json:"name"`
	// Weight is what it adds to the score; 0 to 100.
	Weight int `json:"weight"`
	// Enabled says that it is looked for: it has a weight, and what it goes by.
	Enabled bool `json:"enabled"`
	// Description says when it is found, and what it lacks where it cannot be.
	Description string `json:"description"`
}

// Thresholds are the sums of weights from which a sign-in has a level.
type Thresholds struct {
	// Low is where Low begins; below is Normal.
	Low int `json:"low"`
	// Medium is where Medium begins.
	Medium int `json:"medium"`
	// High is where High begins.
	High int `json:"high"`
}

// GetModels lists how risk is rated: the one model is that of sign-ins, with the reasons that may be found, their weights and whether they are looked
// for. analytics.yaml n 550.
func (a Analytics) GetModels(ctx context.Context, c *op.Call, _ struct{}) ([]Model, error) {
	m, err := a.Risks.Model(ctx, c)
	if err != nil {
		return nil, err
	}
	out := Model{
		ID: "sign-in", Name: "Sign-in", Description: "How likely it is that somebody else than the person signs in.", Dataset: "event", Category: "Authentication",
		Features: make([]Feature, len(m.Features)), Thresholds: Thresholds{m.Low, m.Medium, m.High}, Status: "ready",
	}
	for i, f := range m.Features {
		out.Features[i] = Feature{f.Name, f.Weight, f.Weight > 0 && f.Lacks == "", strings.TrimSpace(f.Means + " " + f.Lacks)}
		out.Enabled = out.Enabled || out.Features[i].Enabled
	}
	return []Model{out}, nil
}
