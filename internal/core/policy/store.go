package policy

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"

	"limen/internal/call"
	"limen/internal/core/profile"
	"limen/internal/dbx"
	"limen/internal/fold"
)

type listRow struct {
	Revision string `db:"revision"`
	Stamp    int64  `db:"stamp"`
	Cloud    bool   `db:"cloud_mobile"`
}

type blockRow struct {
	Name        string `db:"name"`
	Description string `db:"description"`
	Stamp       int64  `db:"stamp"`
	Settings    string `db:"settings"`
	Link        string `db:"link"`
	Params      string `db:"params"`
}

var (
	// makeList comes before lockList, which locks only what is there.
	makeList = dbx.E("policy.make", `INSERT INTO policy_list (tenant, revision, stamp, cloud_mobile, certificate) VALUES (?, ?, ?, ?, '')
		ON CONFLICT (tenant) DO NOTHING`)
	lockList = dbx.Q[listRow]("policy.lock", `SELECT revision, stamp, cloud_mobile FROM policy_list WHERE tenant = ? FOR UPDATE`)
	findList = dbx.Q[listRow]("policy.list", `SELECT revision, stamp, cloud_mobile FROM policy_list WHERE tenant = ?`)
	revise   = dbx.E("policy.revise", `UPDATE policy_list SET revision = ?, stamp = ? WHERE tenant = ?`)
	setCloud = dbx.E("policy.cloud", `UPDATE policy_list SET revision = ?, cloud_mobile = ?, certificate = ? WHERE tenant = ?`)

	allBlocks = dbx.Q[blockRow]("policy.blocks", `SELECT name, description, stamp, settings, link, params FROM policy_block
		WHERE tenant = ? ORDER BY position, name_key`)
	addBlock = dbx.E("policy.add", `INSERT INTO policy_block (tenant, name_key, name, description, stamp, settings, position, link, params, created, changed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	setBlock = dbx.E("policy.set", `UPDATE policy_block SET name = ?, description = ?, stamp = ?, settings = ?, changed = ? WHERE tenant = ? AND name_key = ?`)
	setLink  = dbx.E("policy.link", `UPDATE policy_block SET position = ?, link = ?, params = ? WHERE tenant = ? AND name_key = ?`)
	drop     = dbx.E("policy.drop", `DELETE FROM policy_block WHERE tenant = ? AND name_key = ?`)

	allModifiers = dbx.Q[string]("policy.modifiers", `SELECT name FROM policy_modifier WHERE tenant = ? ORDER BY name`)
	addModifier  = dbx.E("policy.addModifier", `INSERT INTO policy_modifier (tenant, name, created) VALUES (?, ?, ?) ON CONFLICT (tenant, name) DO NOTHING`)
	dropModifier = dbx.E("policy.dropModifier", `DELETE FROM policy_modifier WHERE tenant = ? AND name = ?`)
)

// snapshot is what a tenant's policy sets are at one revision. It is never changed.
type snapshot struct {
	listRow
	blocks    []Block // in the order of their links
	modifiers []string
	profiles  map[string]profile.Profile // that stand in the place of those stored, by id; of proposals
	recovers  map[string]int64           // whom nothing of this rules, until when

	mu sync.Mutex
	of map[string]*Resultant // by the linked roles that somebody is in
}

// block finds a policy set by its name.
func (s *snapshot) block(name string) (at int, ok bool) {
	key := fold.Key(name)
	at = slices.IndexFunc(s.blocks, func(b Block) bool { return fold.Key(b.Name) == key })
	return at, at >= 0
}

// with is the snapshot as it would be with other blocks.
func (s *snapshot) with(blocks []Block) *snapshot {
	return &snapshot{listRow: s.listRow, blocks: blocks, modifiers: s.modifiers, recovers: s.recovers}
}

// now gives the policy sets, from memory while nothing changes.
func (p *Policies) now(ctx context.Context, c *call.Call) (*snapshot, error) {
	return p.cache.Get(ctx, c)
}

func read(ctx context.Context, tx *dbx.Tx, tenant string) (*snapshot, error) {
	row, err := findList.One(ctx, tx, tenant)
	if errors.Is(err, dbx.ErrNoRow) {
		return &snapshot{}, nil // a tenant in the making
	}
	if err != nil {
		return nil, err
	}
	return filled(ctx, tx, tenant, row)
}

// filled reads what belongs to a list.
func filled(ctx context.Context, tx *dbx.Tx, tenant string, row listRow) (*snapshot, error) {
	s := &snapshot{listRow: row}
	rows, err := allBlocks.All(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		b := Block{Name: r.Name, Description: r.Description, Stamp: r.Stamp, Link: Link{Type: LinkType(r.Link)}}
		if err := errors.Join(json.Unmarshal([]byte(r.Settings), &b.Settings), json.Unmarshal([]byte(r.Params), &b.Link.Params)); err != nil {
			return nil, err
		}
		s.blocks = append(s.blocks, b)
	}
	if s.modifiers, err = allModifiers.All(ctx, tx, tenant); err != nil {
		return nil, err
	}
	s.recovers, err = recoveries(ctx, tx, tenant)
	return s, err
}

// lock is now for a change: it lets only one happen at a time.
func (p *Policies) lock(ctx context.Context, c *call.Call) (*snapshot, error) {
	if _, err := makeList.Do(ctx, c.Tx, c.Tenant.ID, c.NewID(), ticks(c, 0), true); err != nil {
		return nil, err
	}
	row, err := lockList.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return nil, err
	}
	return filled(ctx, c.Tx, c.Tenant.ID, row)
}

// touched ends a change: it must come last.
func (p *Policies) touched(ctx context.Context, c *call.Call, stamp int64) error {
	if _, err := revise.Do(ctx, c.Tx, c.NewID(), stamp, c.Tenant.ID); err != nil {
		return err
	}
	return p.Changes.Put(ctx, c, "policy", c.Tenant.ID)
}

// ticks is a stamp of now that is greater than the one before: 100 ns since the year 1, as clients know it.
func ticks(c *call.Call, before int64) int64 {
	return max((c.Now.UnixMilli()+62135596800000)*10000, before+1)
}

// written is JSON of settings or params as they are stored, with sorted keys.
func written(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func keysOf(m map[string]json.RawMessage) []string { return slices.Sorted(maps.Keys(m)) }
