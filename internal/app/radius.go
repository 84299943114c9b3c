package app

import "limen/internal/core/radius"

// wireRadius wires RADIUS clients, and servers elsewhere.
func (a *App) wireRadius() {
	a.Radius = &radius.Setup{Ring: a.Ring, Changes: a.Changes, Profiles: a.Profiles}
}
