package identity

import (
	"slices"

	"limen/internal/core/regain"
	"limen/internal/core/user"
	"limen/internal/op"
)

// Guarded declares of operations that may be refused to one administrator, since somebody else holds more, that they may be refused to one alone.
func Guarded(all []op.Op) []op.Op {
	for i, o := range all {
		if slices.Contains(o.Faults, user.ErrStronger) {
			all[i].Faults = append(slices.Clip(o.Faults), regain.ErrTwo)
		}
	}
	return all
}
