package profile

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/fold"
)

// Propose gives a profile as Save would store it in the place of the one with its ID, and stores nothing. Faults: those of Save.
func (p *Profiles) Propose(ctx context.Context, c *call.Call, n Profile) (Profile, error) {
	if err := n.check(); err != nil {
		return Profile{}, err
	}
	all, err := p.List(ctx, c)
	if err != nil {
		return Profile{}, err
	}
	at := slices.IndexFunc(all, func(o Profile) bool { return o.ID == strings.ToLower(n.ID) })
	if at < 0 {
		return Profile{}, ErrNotFound
	}
	if slices.ContainsFunc(all, func(o Profile) bool { return o.ID != all[at].ID && fold.Key(o.Name) == fold.Key(n.Name) }) {
		return Profile{}, taken(n.Name)
	}
	n.ID, n.Created, n.Changed, n.Revision = all[at].ID, all[at].Created, c.Now.UnixMilli(), all[at].Revision+1
	return n, nil
}

// Among is Get where some profiles might be other ones: one of proposed, by its id, stands in the place of what is stored.
func (p *Profiles) Among(ctx context.Context, c *call.Call, id string, proposed map[string]Profile) (Profile, error) {
	if n, ok := proposed[strings.ToLower(id)]; ok {
		return n, nil
	}
	return p.Get(ctx, c, id)
}
