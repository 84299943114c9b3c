package app

import (
	"net/http"

	"limen/internal/core/simulation"
	"limen/internal/op"
	"limen/internal/surface/identity/explanations"
)

// explanations are the answers to why, and to what would be.
func (a *App) explanations() explanations.Explanations {
	return explanations.Explanations{
		Roles: a.Roles, Orgs: a.Orgs, Policies: a.Policies, Settings: a.Values,
		Simulator: &simulation.Simulator{Roles: a.Roles, Policies: a.Policies, People: a.People, Logins: a.Logins, Events: a.Audit},
		Find:      a.operation,
	}
}

// operation finds what a path names, whatever the method.
func (a *App) operation(path string) (op.Op, bool) {
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		if o, ok := a.Kernel.Find(method, path); ok {
			return o, true
		}
	}
	return op.Op{}, false
}
