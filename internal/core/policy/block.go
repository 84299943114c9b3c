package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Block is a policy set.
type Block struct {
	Name        string // unique whatever its case
	Description string
	Stamp       int64    // of its last change
	Settings    Settings // shared: read only
	Link        Link
}

// Path is the name with its prefix.
func (b Block) Path() string { return Prefix + b.Name }

// BuiltIn says whether it is the default policy set.
func (b Block) BuiltIn() bool { return fold.Key(b.Name) == fold.Key(Default) }

// Shown are the settings as clients may read them: secrets masked.
func (b Block) Shown() map[string]json.RawMessage {
	out := make(map[string]json.RawMessage, len(b.Settings))
	for key, raw := range b.Settings {
		out[key] = shown(key, raw)
	}
	return out
}

// Get finds a policy set by its path; ErrNotFound, ErrName.
func (p *Policies) Get(ctx context.Context, c *call.Call, path string) (Block, []string, error) {
	name, err := Name(path)
	if err != nil {
		return Block{}, nil, err
	}
	s, err := p.now(ctx, c)
	if err != nil {
		return Block{}, nil, err
	}
	at, ok := s.block(name)
	if !ok {
		return Block{}, nil, ErrNotFound
	}
	return s.blocks[at], s.names(), nil
}

// Save is a wish to make or change a policy set, and the list of links with it.
type Save struct {
	Path        string
	New         bool
	Stamp       int64 // of the block that was read; not looked at when New
	Description string
	Settings    Settings // checked
	// Links in their order; nil: the list stays, and a new set is listed first and inactive. Sets that are not
	// among them stay behind whom they are behind: nothing is lost.
	Links []Listed
	// Confirm makes the change although it may keep those who could undo it from signing in.
	Confirm bool
}

// Save makes or changes a policy set. Faults: ErrName, ErrTaken, ErrNotFound, ErrStale, ErrProfile, ErrLink, ErrLinks,
// ErrMany, ErrLockout, ErrLinkLockout.
func (p *Policies) Save(ctx context.Context, c *call.Call, in Save) (Block, error) {
	s, err := p.lock(ctx, c)
	if err != nil {
		return Block{}, err
	}
	blocks, at, err := p.proposed(ctx, c, s, in)
	if err != nil {
		return Block{}, err
	}
	b := blocks[at]
	old, had := s.block(b.Name)
	var was Block
	if had {
		was = s.blocks[old]
	}
	warning := ErrLockout
	if had && same(was.Settings, b.Settings) {
		warning = ErrLinkLockout
	}
	if err := p.store(ctx, c, was, &b); err != nil {
		return Block{}, err
	}
	blocks[at] = b
	stamp, err := p.relink(ctx, c, s, blocks)
	if err != nil {
		return Block{}, err
	}
	if err := p.touched(ctx, c, stamp); err != nil {
		return Block{}, err
	}
	return b, p.guard(ctx, c, in.Confirm, warning)
}

// proposed gives the list as it would be, and where in it the saved set is.
func (p *Policies) proposed(ctx context.Context, c *call.Call, s *snapshot, in Save) ([]Block, int, error) {
	name, err := Name(in.Path)
	if err != nil {
		return nil, 0, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, 0, err
	}
	at, had := s.block(name)
	b := Block{Name: name, Description: in.Description, Settings: in.Settings, Link: Link{Type: Inactive, Params: []string{}}}
	switch {
	case in.New && had:
		return nil, 0, ErrTaken
	case !in.New && !had:
		return nil, 0, ErrNotFound
	case had && s.blocks[at].Stamp != in.Stamp:
		return nil, 0, ErrStale
	case !had && len(s.blocks) >= maxBlocks:
		return nil, 0, ErrMany
	}
	blocks := slices.Clone(s.blocks)
	if had {
		b.Name, b.Stamp, b.Link = blocks[at].Name, blocks[at].Stamp, blocks[at].Link
		b.Settings = in.Settings.kept(blocks[at].Settings)
		blocks[at] = b
	} else {
		b.Settings = in.Settings.kept(nil)
		blocks = slices.Insert(blocks, 0, b)
	}
	if err := p.exist(ctx, c, b.Settings, s.names()); err != nil {
		return nil, 0, err
	}
	if in.Links != nil {
		if blocks, err = p.linked(ctx, c, blocks, in.Links); err != nil {
			return nil, 0, err
		}
	}
	return blocks, slices.IndexFunc(blocks, func(o Block) bool { return fold.Key(o.Name) == fold.Key(b.Name) }), nil
}

func checkDescription(s string) error {
	if len(s) > maxDescription {
		return fault.Bad("Description", "may have %d bytes", maxDescription)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }) {
		return fault.Bad("Description", "has characters that are not text")
	}
	return nil
}

// store writes a block; its link is relink's.
func (p *Policies) store(ctx context.Context, c *call.Call, was Block, b *Block) error {
	settings, err := written(b.Settings)
	if err != nil {
		return err
	}
	b.Stamp = ticks(c, was.Stamp)
	now := c.Now.UnixMilli()
	if was.Name == "" {
		_, err = addBlock.Do(ctx, c.Tx, c.Tenant.ID, fold.Key(b.Name), b.Name, b.Description, b.Stamp, settings, 0, string(b.Link.Type), "[]", now, now)
	} else {
		_, err = setBlock.Do(ctx, c.Tx, b.Name, b.Description, b.Stamp, settings, now, c.Tenant.ID, fold.Key(b.Name))
	}
	noted(c, was, *b)
	return err
}

// noted keeps in the event what changed, setting by setting.
func noted(c *call.Call, was, now Block) {
	if c.Event == nil {
		return
	}
	e := c.Event
	e.Target, e.Kind, e.Name = now.Path(), "PolicySet", now.Name
	call.Changed(e, "Description", was.Description, now.Description)
	all := map[string]json.RawMessage{}
	for _, m := range []Settings{was.Settings, now.Settings} {
		for key := range m {
			all[key] = nil
		}
	}
	for _, key := range keysOf(all) {
		before, after := was.Settings[key], now.Settings[key]
		if bytes.Equal(before, after) {
			continue
		}
		e.Change(key, audited(key, before), audited(key, after))
	}
}

// audited is a value as events have it. Which settings are secret is known of those in the catalogue; of others their names are
// all that tells.
func audited(key string, raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	var text string
	if k, known := Find(key); known && k.Kind != Secret && json.Unmarshal(raw, &text) == nil {
		return audit.Shown(text)
	}
	return shown(key, raw)
}

func same(a, b Settings) bool {
	if len(a) != len(b) {
		return false
	}
	for key, raw := range a {
		if other, ok := b[key]; !ok || !bytes.Equal(raw, other) {
			return false
		}
	}
	return true
}

// Delete removes a policy set with its link. Faults: ErrNotFound, ErrName, ErrBuiltIn, ErrLinkLockout.
func (p *Policies) Delete(ctx context.Context, c *call.Call, path string, confirm bool) error {
	name, err := Name(path)
	if err != nil {
		return err
	}
	s, err := p.lock(ctx, c)
	if err != nil {
		return err
	}
	at, ok := s.block(name)
	if !ok {
		return ErrNotFound
	}
	gone := s.blocks[at]
	if gone.BuiltIn() {
		return ErrBuiltIn
	}
	blocks := slices.Delete(slices.Clone(s.blocks), at, at+1)
	if _, err := drop.Do(ctx, c.Tx, c.Tenant.ID, fold.Key(gone.Name)); err != nil {
		return err
	}
	noted(c, gone, Block{Name: gone.Name})
	stamp, err := p.relink(ctx, c, s, blocks)
	if err != nil {
		return err
	}
	if err := p.touched(ctx, c, stamp); err != nil {
		return err
	}
	return p.guard(ctx, c, confirm, ErrLinkLockout)
}

// Make gives a tenant its default policy set; for the tenant that is being made.
func (p *Policies) Make(ctx context.Context, c *call.Call) error {
	s, err := p.lock(ctx, c)
	if err != nil {
		return err
	}
	if _, had := s.block(Default); had {
		return nil
	}
	in := *c
	in.Event = nil // it is part of making the tenant
	b := Block{Name: Default, Description: "What holds for everybody.", Settings: Settings{}, Link: Link{Type: Global, Params: []string{}}}
	if err := p.store(ctx, &in, Block{}, &b); err != nil {
		return err
	}
	stamp, err := p.relink(ctx, &in, s, append(slices.Clone(s.blocks), b))
	if err != nil {
		return err
	}
	if err := p.touched(ctx, &in, stamp); err != nil {
		return err
	}
	c.Wrote = max(c.Wrote, in.Wrote)
	return nil
}
