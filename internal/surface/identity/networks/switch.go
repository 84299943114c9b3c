package networks

import (
	"context"

	"limen/internal/core/network"
	"limen/internal/fault"
	"limen/internal/op"
)

// Switching names ranges.
type Switching struct {
	// IDs are ids of ranges, required, at most 200; a bare array and a single id are taken too.
	IDs []string `json:"ids" also:"ID" rpc:"array,one"`
	// Confirm makes the change although it shuts the caller out.
	Confirm bool `json:"Confirm" also:"Force"`
}

// Check wants some.
func (s *Switching) Check() error {
	switch {
	case len(s.IDs) == 0:
		return fault.Missing("ids")
	case len(s.IDs) > maxIDs:
		return fault.Bad("ids", "may have %d ids", maxIDs)
	}
	return nil
}

// EnableBlockedIpRange has blocked ranges act again.
//
// Errors: network.not_found; the soft error network.own_address. network.yaml n 419.
func (n Networks) EnableBlockedIpRange(ctx context.Context, c *op.Call, in Switching) (op.None, error) {
	return op.None{}, n.Networks.SetActive(ctx, c, network.Blocked, in.IDs, true, in.Confirm)
}

// DisableBlockedIpRange stops blocking ranges, and keeps them.
//
// Errors: network.not_found. network.yaml n 417.
func (n Networks) DisableBlockedIpRange(ctx context.Context, c *op.Call, in Switching) (op.None, error) {
	return op.None{}, n.Networks.SetActive(ctx, c, network.Blocked, in.IDs, false, in.Confirm)
}

// EnablePremDetectRange has rules count ranges of the corporation again.
//
// Errors: network.not_found; the soft error network.lockout. network.yaml n 420.
func (n Networks) EnablePremDetectRange(ctx context.Context, c *op.Call, in Switching) (op.None, error) {
	return op.None{}, n.Networks.SetActive(ctx, c, network.Corporate, in.IDs, true, in.Confirm)
}

// DisablePremDetectRange takes ranges of the corporation out of use: nobody is inside of them any more.
//
// Errors: network.not_found; the soft error network.lockout. network.yaml n 418.
func (n Networks) DisablePremDetectRange(ctx context.Context, c *op.Call, in Switching) (op.None, error) {
	return op.None{}, n.Networks.SetActive(ctx, c, network.Corporate, in.IDs, false, in.Confirm)
}

// Ref names a range.
type Ref struct {
	// ID is its id, or its value as it was given; required.
	ID string `json:"ID" also:"value"`
	// Confirm makes the change although it shuts the caller out.
	Confirm bool `json:"Confirm" also:"Force"`
}

// Check wants it.
func (r *Ref) Check() error { return required("ID", r.ID) }

// DeleteBlockedIpRange removes a blocked range.
//
// Errors: network.not_found; network.several when more than one range has the given value. network.yaml n 413, deprecated.yaml n 531.
func (n Networks) DeleteBlockedIpRange(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, n.Networks.Delete(ctx, c, network.Blocked, in.ID, in.Confirm)
}

// DeletePremDetectRange removes a range of the corporation.
//
// Errors: network.not_found; network.several when more than one range has the given value; network.in_use, with the names of
// what does, while a rule names the range; the soft error network.lockout. network.yaml n 414, deprecated.yaml n 532.
func (n Networks) DeletePremDetectRange(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, n.Networks.Delete(ctx, c, network.Corporate, in.ID, in.Confirm)
}
