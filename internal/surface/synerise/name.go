package synerise

import (
	"context"
	"strings"

	"limen/internal/core/detail"
	"limen/internal/core/user"
	"limen/internal/op"
)

// Rename changes a person, with their given and family name where one of them is sent: what is not sent stays, and the display name is
// made of both. Faults: those of user.Directory and of details.
func Rename(ctx context.Context, c *op.Call, people *user.Directory, u user.User, ch user.Change, first, last op.Opt[string]) error {
	if !first.Given() && !last.Given() {
		_, err := people.Change(ctx, c, u.ID, ch)
		return err
	}
	known, err := detail.Of(ctx, c, u.ID)
	if err != nil {
		return err
	}
	given, family := detail.Named(known[u.ID], u.Display)
	given, family = strings.TrimSpace(first.Or(given)), strings.TrimSpace(last.Or(family))
	now := detail.Renamed(known[u.ID], given, family)
	ch.Display, ch.Touched = new(strings.TrimSpace(given+" "+family)), !detail.Same(known[u.ID], now)
	if _, err := people.Change(ctx, c, u.ID, ch); err != nil {
		return err
	}
	// The row is locked by now: what somebody else has stored meanwhile stays.
	if known, err = detail.Of(ctx, c, u.ID); err != nil {
		return err
	}
	_, err = detail.Set(ctx, c, u.ID, known[u.ID], detail.Renamed(known[u.ID], given, family))
	return err
}
