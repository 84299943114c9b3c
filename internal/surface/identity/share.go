package identity

import (
	"context"

	"limen/internal/op"
)

// LibraryPath is where the files lie that pages of other origins load.
const LibraryPath = "/vfslow/{path...}"

// embedded are the operations that the sign-in widget calls from pages of other origins, and the files that it is made of. All are open to
// strangers, and what they answer to such a page no cookie vouches for.
var embedded = map[string]bool{
	"/Security/StartAuthentication": true, "/Security/AdvanceAuthentication": true, "/Security/CleanupAuthentication": true,
	"/Security/StartChallenge": true, LibraryPath: true,
}

// Sharable names the operations that pages with the sign-in widget call.
func (Codec) Sharable(o *op.Op) bool { return embedded[o.Path] }

// Shared lets the scripts of the origins that the tenant named sign people in. Cookies are shared with nobody.
func (k Codec) Shared(ctx context.Context, r *op.Request, c *op.Call, origin string) string {
	if k.Embeds == nil || !embedded[r.Op.Path] {
		return ""
	}
	if ok, err := k.Embeds(ctx, c, origin); err != nil || !ok {
		return ""
	}
	return origin
}
