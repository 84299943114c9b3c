package oauth

import (
	"context"

	"limen/internal/core/oauth"
	"limen/internal/op"
)

// open are the operations whose answers are the same for everybody.
var open = map[string]bool{
	"/{app_id}/.well-known/openid-configuration": true,
	oauth.ResourcePath:                           true,
	"/OAuth2/GetMeta":                            true,
	"/OAuth2/Keys/{app_id}":                      true,
}

// fetched are the operations that the scripts of an application's own pages call.
var fetched = map[string]bool{
	"/OAuth2/Token/{app_id}": true, "/OAuth2/UserInfo/{app_id}": true, "/OAuth2/Revoke/{app_id}": true, "/OAuth2/DeviceAuthorization/{app_id}": true,
	"/OAuth2/PushedAuthorization/{app_id}": true,
}

// Sharable names the operations that Shared lets anybody's scripts read.
func (Codec) Sharable(o *op.Op) bool { return open[o.Path] || fetched[o.Path] }

// Shared lets scripts of any site read the documents, and those of the pages of an application or its clients what a client calls by itself. What a
// browser's cookies would vouch for is shared with nobody.
func (k Codec) Shared(ctx context.Context, r *op.Request, c *op.Call, origin string) string {
	switch {
	case open[r.Op.Path]:
		return "*"
	case !fetched[r.Op.Path]:
		return ""
	}
	if ok, err := k.Server.Shares(ctx, c, r.Path[pathApp], origin); err != nil || !ok {
		return ""
	}
	return origin
}
