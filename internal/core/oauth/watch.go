package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"strings"

	"limen/internal/call"
	wire "limen/internal/wire/oauth"
)

// StateCookie holds what pages of clients compare to see whether somebody signed in or out in this browser (OpenID Connect Session
// Management 1.0). It is there only in browsers that came from an application which wants that, and proves nothing.
const StateCookie = "browserstate"

// BrowserState is the cookie's value while a session lasts; empty: nobody is signed in.
func BrowserState(session string) string {
	if session == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("browser state\x00" + session))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Watches says whether the client's pages are told of the browser's session: where the application wants that, and they have an origin.
func (r Request) Watches() bool {
	return r.App.Profile.Sessions && r.Ask.Scope.Has("openid") && wire.Origin(r.Redirect) != ""
}

// SessionState is session_state of an answer: a hash of the client, the origin that the answer goes to, and the browser's state, which the
// page that clients frame makes anew (OpenID Connect Session Management 1.0 section 3 and 3.2).
func (r Request) SessionState(c *call.Call, session string) (string, error) {
	salt := make([]byte, 12)
	if _, err := io.ReadFull(c.Rand, salt); err != nil {
		return "", err
	}
	return sessionState(r.Ask.ClientID, wire.Origin(r.Redirect), BrowserState(session), hex.EncodeToString(salt)), nil
}

func sessionState(client, origin, state, salt string) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{client, origin, state, salt}, " ")))
	return hex.EncodeToString(sum[:]) + "." + salt
}
