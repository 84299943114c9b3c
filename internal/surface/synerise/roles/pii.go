package roles

import (
	"context"
	"slices"

	"limen/internal/core/demand"
	"limen/internal/fault"
	"limen/internal/op"
)

// Sight is what personal data of the workspace's users a role sees.
type Sight struct {
	// AllProfileAttributes says whether the role sees everything.
	AllProfileAttributes bool `json:"allProfileAttributes"`
	// Attributes are what it sees otherwise, of email, firstName, lastName, phone and lastLogin. Without any it sees ids alone.
	Attributes []string `json:"attributes"`
	// Events is empty: there are no events of customers.
	Events []EventSight `json:"events"`
}

// EventSight is what a role sees of events of one kind.
type EventSight struct {
	// Action is the kind of event.
	Action string `json:"action"`
	// Parameters are what it sees of them.
	Parameters []string `json:"parameters"`
}

func sightOf(s demand.Sight) Sight {
	return Sight{s.All, append([]string{}, s.Fields...), []EventSight{}}
}

// GetRolePii gives what personal data of the workspace's users a role sees. synerise.yaml, GET /uauth/roles/{roleId}/pii.
func (r Roles) GetRolePii(ctx context.Context, c *op.Call, in Ref) (Sight, error) {
	is, err := in.role(ctx, c)
	if err != nil {
		return Sight{}, err
	}
	s, err := r.Demands.Sight(ctx, c, is.Org, is.ID)
	return sightOf(s), err
}

// NewSight is all that a role is to see: what is not sent it does not.
type NewSight struct {
	Ref
	// AllProfileAttributes says whether the role sees everything; absent: false.
	AllProfileAttributes bool `json:"allProfileAttributes"`
	// Attributes are what it sees otherwise, of email, firstName, lastName, phone and lastLogin; absent: none.
	Attributes []string `json:"attributes"`
	// Events must be empty or absent: there are no events of customers.
	Events []EventSight `json:"events"`
}

// Check wants attributes that there are.
func (n *NewSight) Check() error {
	if len(n.Events) > 0 {
		return fault.Bad("events", "must be empty: there are no events of customers")
	}
	if len(n.Attributes) > len(demand.Personal) {
		return fault.Bad("attributes", "may name %d attributes", len(demand.Personal))
	}
	for _, name := range n.Attributes {
		if !slices.Contains(demand.Personal, name) {
			return fault.Bad("attributes", "names %.60q, which there is not", name)
		}
	}
	return nil
}

// SetRolePii sets what personal data of the workspace's users a role sees in this API's lists and reads of users: what is kept from view is
// null there, and is neither searched nor sorted by. Somebody in several roles of the workspace sees what these see together; who may read
// people everywhere sees everything.
//
// While no role of a workspace is limited, all see everything. With the first one the other roles keep that, and roles that are made later see
// ids alone until they are told what. Nobody shows a role what they do not see themselves, or comes into one that sees more, or gives others
// that. synerise.yaml, POST /uauth/roles/{roleId}/pii. Error: demand.sight.
func (r Roles) SetRolePii(ctx context.Context, c *op.Call, in NewSight) (Sight, error) {
	is, err := in.role(ctx, c)
	if err != nil {
		return Sight{}, err
	}
	of, err := r.Orgs.RolesIn(ctx, c, is.Org)
	if err != nil {
		return Sight{}, err
	}
	all := make([]string, len(of))
	for i := range of {
		all[i] = of[i].ID
	}
	to := demand.Sight{All: in.AllProfileAttributes, Fields: in.Attributes}
	err = r.Demands.Show(ctx, c, is.Org, is.ID, all, to)
	c.Event.Target, c.Event.Kind, c.Event.Name = is.ID, "Role", is.Name
	if err != nil {
		return Sight{}, err
	}
	return r.GetRolePii(ctx, c, in.Ref)
}
