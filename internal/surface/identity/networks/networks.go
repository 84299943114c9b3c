// Package networks is the RPC dialect's operations on IP ranges (network.yaml n 413 to 426): blocked ones, and the
// corporation's own.
package networks

import (
	"context"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/network"
	"limen/internal/core/right"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/page"
	"limen/internal/wire/rpc"
)

// Networks is the operations.
type Networks struct{ Networks *network.Networks }

// maxIDs is how many ranges one call may switch.
const maxIDs = 200

// Ops declares them.
func (n Networks) Ops() []op.Op {
	saves := []*fault.Error{
		network.ErrNotFound, network.ErrTaken, network.ErrMany, network.ErrValue, network.ErrOwn, network.ErrLockout, fault.ErrMissing, fault.ErrInvalid,
	}
	switches := []*fault.Error{network.ErrNotFound, network.ErrSeveral, network.ErrOwn, network.ErrLockout, fault.ErrMissing, fault.ErrInvalid}
	ends := []*fault.Error{network.ErrNotFound, network.ErrSeveral, network.ErrInUse, network.ErrLockout, fault.ErrMissing}
	write := func(path, event string, faults []*fault.Error, older ...string) op.Spec {
		return op.Spec{Path: path, Paths: older, Allow: op.System, Effect: op.Write, Audit: event, Faults: faults}
	}
	return []op.Op{
		op.New(op.Spec{Path: "/Core/GetBlockedIpRanges", Allow: op.Any(op.System, op.Has(right.ReadSystem)), Effect: op.Read}, n.GetBlockedIpRanges),
		op.New(op.Spec{Path: "/Core/GetPremDetectRanges", Allow: op.Administrator, Effect: op.Read}, n.GetPremDetectRanges),
		op.New(write("/Core/UpdateBlockedIpRange", audit.RangeChange, saves), n.UpdateBlockedIpRange),
		op.New(write("/Core/AddBlockedIpRange", audit.RangeCreate, saves), n.AddBlockedIpRange),
		op.New(write("/Core/UpdatePremDetectRange", audit.RangeChange, saves, "/Core/AddPremDetectRange"), n.UpdatePremDetectRange),
		op.New(write("/Core/EnableBlockedIpRange", audit.RangeChange, switches), n.EnableBlockedIpRange),
		op.New(write("/Core/DisableBlockedIpRange", audit.RangeChange, switches), n.DisableBlockedIpRange),
		op.New(write("/Core/EnablePremDetectRange", audit.RangeChange, switches), n.EnablePremDetectRange),
		op.New(write("/Core/DisablePremDetectRange", audit.RangeChange, switches), n.DisablePremDetectRange),
		op.New(write("/Core/DeleteBlockedIpRange", audit.RangeDelete, ends, "/Core/DelBlockedIpRange"), n.DeleteBlockedIpRange),
		op.New(write("/Core/DeletePremDetectRange", audit.RangeDelete, ends, "/Core/DelPremDetectRange"), n.DeletePremDetectRange),
	}
}

// Listing asks for all ranges.
type Listing struct {
	// Args is taken and not needed: every range comes at once.
	Args page.Args `json:"Args"`
}

var columns = []rpc.Column{{Name: "ID", TableKey: "Primary"}, {Name: "Label"}, {Name: "Value"}, {Name: "Status"}}

func (n Networks) list(ctx context.Context, c *op.Call, of network.Kind) (rpc.Query, error) {
	all, err := n.Networks.List(ctx, c, of)
	out := rpc.Query{Columns: columns, FullCount: len(all), Results: make([]rpc.Row, len(all))}
	for i, r := range all {
		status := "Inactive"
		if r.Active {
			status = "Active"
		}
		out.Results[i] = rpc.Row{Entities: []rpc.Entity{{Type: string(of) + "IpRange", Key: r.ID}}, Row: []any{r.ID, r.Label, r.Value, status}}
	}
	return out, err
}

// GetBlockedIpRanges lists the ranges from which nobody reaches the tenant, by their labels.
//
// Columns: ID; Label; Value, as it was given; Status, Active or Inactive. network.yaml n 422.
func (n Networks) GetBlockedIpRanges(ctx context.Context, c *op.Call, _ Listing) (rpc.Query, error) {
	return n.list(ctx, c, network.Blocked)
}

// GetPremDetectRanges lists the corporation's own ranges, by their labels, with the columns of GetBlockedIpRanges. network.yaml n 423.
func (n Networks) GetPremDetectRanges(ctx context.Context, c *op.Call, _ Listing) (rpc.Query, error) {
	return n.list(ctx, c, network.Corporate)
}

// Saving is a range as it is to be.
type Saving struct {
	// ID is the range to be changed; absent or empty: a new one.
	ID string `json:"ID"`
	// Label is its name, required, unique among its kind whatever its case; 200 bytes.
	Label string `json:"Label"`
	// Value is addresses, networks (192.0.2.0/24) and ranges (192.0.2.10-192.0.2.20) of IPv4 or IPv6 with commas between,
	// required; 8000 bytes and 500 parts.
	Value string `json:"Value"`
	// Confirm makes the change although it shuts the caller out.
	Confirm bool `json:"Confirm" also:"Force"`
}

// Check wants label and value.
func (s *Saving) Check() error {
	if strings.TrimSpace(s.Label) == "" {
		return fault.Missing("Label")
	}
	return required("Value", s.Value)
}

func required(field, value string) error {
	if strings.TrimSpace(value) == "" {
		return fault.Missing(field)
	}
	return nil
}

func (n Networks) save(ctx context.Context, c *op.Call, of network.Kind, in Saving) (string, error) {
	if in.ID = strings.TrimSpace(in.ID); in.ID == "" {
		c.Event.Type = audit.RangeCreate
	}
	r, err := n.Networks.Save(ctx, c, network.Range{ID: in.ID, Kind: of, Label: in.Label, Value: in.Value}, in.Confirm)
	return r.ID, err
}

// UpdateBlockedIpRange makes or changes a range from which nobody reaches the tenant, and returns its id.
//
// A new range acts at once: every call from there, signed in or not, is answered with auth.network, on all nodes within a
// second. A network whose address is not its first, as 192.0.2.44/5, is refused: some mean five more addresses by it, and
// others a network. A range that has the caller's own address is refused with the soft error network.own_address, which
// Confirm overrides. Errors: network.value, network.name_taken, network.not_found, network.many. network.yaml n 425.
func (n Networks) UpdateBlockedIpRange(ctx context.Context, c *op.Call, in Saving) (string, error) {
	return n.save(ctx, c, network.Blocked, in)
}

// Adding is a new blocked range.
type Adding struct {
	// Value is as in UpdateBlockedIpRange, required.
	Value string `json:"Value"`
	// Label is its name; the value when absent.
	Label string `json:"Label"`
	// Confirm makes the change although it shuts the caller out.
	Confirm bool `json:"Confirm" also:"Force"`
}

// Check wants the value.
func (a *Adding) Check() error { return required("Value", a.Value) }

// AddBlockedIpRange makes a range from which nobody reaches the tenant, and returns its id. It is the old form of
// UpdateBlockedIpRange, with the same errors. deprecated.yaml n 529.
func (n Networks) AddBlockedIpRange(ctx context.Context, c *op.Call, in Adding) (string, error) {
	if strings.TrimSpace(in.Label) == "" {
		in.Label = in.Value
	}
	return n.save(ctx, c, network.Blocked, Saving{Label: in.Label, Value: in.Value, Confirm: in.Confirm})
}

// UpdatePremDetectRange makes or changes a range of the corporation, and returns its id.
//
// A new range counts at once: for rules with OpInCorpIpRange and OpNotInCorpIpRange, and for those with OpInsideIpRange that
// have its id. A change after which the caller could not sign in is refused with the soft error network.lockout, which
// Confirm overrides. Errors: network.value, network.name_taken, network.not_found, network.many. network.yaml n 426, deprecated.yaml n 530.
func (n Networks) UpdatePremDetectRange(ctx context.Context, c *op.Call, in Saving) (string, error) {
	return n.save(ctx, c, network.Corporate, in)
}
