package organizations

import (
	"context"
	"errors"
	"strings"

	"limen/internal/core/grant"
	"limen/internal/core/user"
	"limen/internal/op"
)

// PersonRef names a person.
type PersonRef struct {
	// ID is the person's UUID or login name; the caller's own when absent.
	ID string `json:"id" also:"Uuid"`

	found user.User
}

// Resolve finds the person.
func (r *PersonRef) Resolve(ctx context.Context, c *op.Call) (err error) {
	ref := r.ID
	if strings.TrimSpace(ref) == "" {
		ref = c.User()
	}
	r.found, err = user.Find(ctx, c, ref)
	return err
}

// Target is the person.
func (r *PersonRef) Target() op.Target { return op.Target{ID: r.found.ID, Org: r.found.Org} }

// Superior is a person with whom they report to.
type Superior struct {
	UUID string `json:"Uuid"`
	Name string `json:"Name"`
	// DisplayName is how people see the person.
	DisplayName string    `json:"DisplayName"`
	Mail        string    `json:"Mail"`
	Manager     *Superior `json:"Manager"` // null at the top
}

// Report is a person who reports to another.
type Report struct {
	UUID string `json:"Uuid"`
	Name string `json:"Name"`
	// DisplayName is how people see the person.
	DisplayName string `json:"DisplayName"`
}

// Hierarchy is whom a person reports to, and who reports to them.
type Hierarchy struct {
	Superior
	DirectReports []Report `json:"DirectReports"` // by name, at most 1,000
}

// Bounds of a hierarchy.
const (
	maxUp   = 100
	maxDown = 1000
)

// GetUserHierarchy returns whom a person reports to, up to the top, and who reports to them directly; without id the
// caller's own. It climbs 100 levels at most, and lists 1,000 direct reports.
//
// Those who hold a right over organizations only see the people in these; the chain ends where it leaves them. People see
// their own hierarchy whole. organizations.yaml n 149.
func (o Organizations) GetUserHierarchy(ctx context.Context, c *op.Call, in PersonRef) (Hierarchy, error) {
	may := c.Grant
	if in.found.ID == c.User() {
		may = grant.All()
	}
	out := Hierarchy{Superior: superior(in.found), DirectReports: []Report{}}
	if err := o.climb(ctx, c, may, in.found, &out.Superior); err != nil {
		return Hierarchy{}, err
	}
	rows, err := o.People.Reports(ctx, c, may, in.found.ID, maxDown)
	for _, r := range rows {
		out.DirectReports = append(out.DirectReports, Report{r.ID, r.Name, r.Display})
	}
	return out, err
}

func superior(u user.User) Superior {
	return Superior{UUID: u.ID, Name: u.Name, DisplayName: u.Display, Mail: u.Mail}
}

// climb hangs the managers of a person above them, each once.
func (o Organizations) climb(ctx context.Context, c *op.Call, may grant.Grant, u user.User, at *Superior) error {
	seen := map[string]bool{u.ID: true}
	for range maxUp {
		if u.ReportsTo == "" || seen[u.ReportsTo] {
			return nil
		}
		next, err := o.People.ByID(ctx, c, u.ReportsTo)
		if errors.Is(err, user.ErrNotFound) || err == nil && !may.Allows(next.ID, next.Org) {
			return nil
		}
		if err != nil {
			return err
		}
		seen[next.ID] = true
		above := superior(next)
		at.Manager, at, u = &above, &above, next
	}
	return nil
}
