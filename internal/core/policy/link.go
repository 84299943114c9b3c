package policy

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/role"
	"limen/internal/fold"
)

// LinkType is to whom a policy set applies.
type LinkType string

// The types, in the contract's words.
const (
	Global     LinkType = "Global"     // everybody
	Role       LinkType = "Role"       // those in one of the roles, directly or through others
	Collection LinkType = "Collection" // devices in one of the sets; so nobody without a device
	Inactive   LinkType = "Inactive"   // nobody
)

// ParseLinkType reads a type, whatever its case; ErrLink.
func ParseLinkType(s string) (LinkType, error) {
	for _, t := range [...]LinkType{Global, Role, Collection, Inactive} {
		if strings.EqualFold(strings.TrimSpace(s), string(t)) {
			return t, nil
		}
	}
	return "", ErrLink.At("LinkType").Say("The type of a link is Global, Role, Collection or Inactive, not %.40q.", s)
}

// Link says to whom a policy set applies.
type Link struct {
	Type   LinkType
	Params []string // ids of roles, or of sets; kept while inactive
}

func (l Link) equal(o Link) bool { return l.Type == o.Type && slices.Equal(l.Params, o.Params) }

// Listed is a link of a list as a client gives it. Without a type it stays what it is; nil Params are those that it has, where the
// type stays or the link becomes inactive.
type Listed struct {
	Path string
	Link
}

// over is the link after a client has given it in the place of one.
func (l Listed) over(was Link) Link {
	out := l.Link
	if out.Type == "" {
		out.Type = was.Type
	}
	switch {
	case out.Params != nil:
	case out.Type == was.Type || out.Type == Inactive:
		out.Params = was.Params
	default:
		out.Params = []string{}
	}
	return out
}

// Links gives the policy sets in the order of their links, the first of the highest priority, and the stamp of the list.
func (p *Policies) Links(ctx context.Context, c *call.Call) ([]Block, int64, error) {
	s, err := p.now(ctx, c)
	if err != nil {
		return nil, 0, err
	}
	return s.blocks, s.Stamp, nil
}

// AnyStamp is for who overwrites a list whatever its stamp.
const AnyStamp = math.MinInt64

// Order replaces the list of links: exactly one for each policy set. AnyStamp fits any list. It gives the list's new stamp.
// Faults: ErrListed, ErrLinks, ErrLink, ErrNotFound, ErrName, ErrLinkLockout.
func (p *Policies) Order(ctx context.Context, c *call.Call, links []Listed, stamp int64, confirm bool) (int64, error) {
	s, err := p.lock(ctx, c)
	if err != nil {
		return 0, err
	}
	if stamp != AnyStamp && s.Stamp != stamp {
		return 0, ErrListed
	}
	blocks, err := p.linked(ctx, c, s.blocks, links)
	if err != nil {
		return 0, err
	}
	if len(links) != len(s.blocks) {
		return 0, ErrLinks
	}
	if c.Event != nil {
		c.Event.Target, c.Event.Kind, c.Event.Name = "/Policy", "PolicyLinks", "policy links"
	}
	if stamp, err = p.relink(ctx, c, s, blocks); err != nil {
		return 0, err
	}
	if err := p.touched(ctx, c, stamp); err != nil {
		return 0, err
	}
	return stamp, p.guard(ctx, c, confirm, ErrLinkLockout)
}

// linked puts blocks into the order of links, with their types. Blocks without one stay behind whom they are behind.
func (p *Policies) linked(ctx context.Context, c *call.Call, blocks []Block, links []Listed) ([]Block, error) {
	left := slices.Clone(blocks)
	out := make([]Block, 0, len(blocks))
	for _, l := range links {
		name, err := Name(l.Path)
		if err != nil {
			return nil, err
		}
		at := slices.IndexFunc(left, func(b Block) bool { return fold.Key(b.Name) == fold.Key(name) })
		if at < 0 {
			if slices.ContainsFunc(out, func(b Block) bool { return fold.Key(b.Name) == fold.Key(name) }) {
				return nil, ErrLinks.Say("The policy set %s is linked twice.", Prefix+name)
			}
			return nil, ErrLink.At("PolicySet").Say("A link names the policy set %s, which does not exist.", Prefix+name)
		}
		b := left[at]
		left = slices.Delete(left, at, at+1)
		was := b.Link
		b.Link = l.over(was)
		if err := p.checkLink(ctx, c, was, b.Link); err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return merged(blocks, out), nil
}

// merged puts those of all that are not among ordered behind the one that they are behind, so that a list which somebody read
// before they were made does not change their rank.
func merged(all, ordered []Block) []Block {
	for i, b := range all {
		is := func(o Block) bool { return o.Name == b.Name }
		if slices.ContainsFunc(ordered, is) {
			continue
		}
		at := 0
		if i > 0 {
			at = 1 + slices.IndexFunc(ordered, func(o Block) bool { return o.Name == all[i-1].Name })
		}
		ordered = slices.Insert(ordered, at, b)
	}
	return ordered
}

// checkLink wants roles that exist; those of a link that stays as it is may be gone.
func (p *Policies) checkLink(ctx context.Context, c *call.Call, was, now Link) error {
	if len(now.Params) > maxParams {
		return ErrLink.At("Params").Say("A link may name %d roles.", maxParams)
	}
	for _, id := range now.Params {
		if len(id) > 200 || strings.TrimSpace(id) == "" {
			return ErrLink.At("Params").Say("A link names something with an empty or very long id.")
		}
		if now.Type != Role || was.Type == Role && slices.Contains(was.Params, id) {
			continue
		}
		r, err := p.Roles.Get(ctx, c, id)
		if errors.Is(err, role.ErrNotFound) || err == nil && r.ID != id {
			return ErrLink.At("Params").Say("A link names the role %.80q, which does not exist.", id)
		}
		if err != nil {
			return err
		}
	}
	if now.Type == Role && len(now.Params) == 0 {
		return ErrLink.At("Params").Say("A link to roles names at least one.")
	}
	return nil
}

// relink stores the order and the links of blocks where they differ from the snapshot's, and gives the list's stamp.
func (p *Policies) relink(ctx context.Context, c *call.Call, s *snapshot, blocks []Block) (int64, error) {
	changed := len(blocks) != len(s.blocks)
	for i, b := range blocks {
		at, had := s.block(b.Name)
		if had && at == i && s.blocks[at].Link.equal(b.Link) {
			continue
		}
		changed = true
		params, err := written(b.Link.Params)
		if err != nil {
			return 0, err
		}
		if _, err := setLink.Do(ctx, c.Tx, i, string(b.Link.Type), params, c.Tenant.ID, fold.Key(b.Name)); err != nil {
			return 0, err
		}
	}
	if !changed {
		return s.Stamp, nil
	}
	notedLinks(c, s.blocks, blocks)
	return ticks(c, s.Stamp), nil
}

// notedLinks keeps in the event the order and the links as they were and as they are.
func notedLinks(c *call.Call, was, now []Block) {
	if c.Event != nil {
		c.Event.Change("Links", lines(was), lines(now))
	}
}

// lines are links for readers of events: path, type, roles.
func lines(blocks []Block) []string {
	out := make([]string, len(blocks))
	for i, b := range blocks {
		out[i] = b.Path() + " " + string(b.Link.Type)
		if len(b.Link.Params) > 0 {
			out[i] += " " + strings.Join(b.Link.Params, ",")
		}
	}
	return out
}
