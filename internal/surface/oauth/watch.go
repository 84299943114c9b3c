package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"

	"limen/internal/core/oauth"
	"limen/internal/op"
)

// check answers pages of clients that ask, with their client_id and session_state, whether the browser's session is still the same (OpenID
// Connect Session Management 1.0 section 3.2). Where the browser keeps the cookie from a frame of another site it answers error, by
// which clients go on as they are; changed would have them ask again and again.
const check = `addEventListener("message", async e => {
	const data = typeof e.data == "string" && e.data.length < 1000 ? e.data : "", at = data.lastIndexOf(" ")
	if (!e.source || e.source == window || e.origin == "null") return
	let answer = "error"
	try {
		const state = data.slice(at + 1), salt = state.slice(state.lastIndexOf(".") + 1)
		const cookie = (document.cookie.match(/(?:^|; )` + oauth.StateCookie + `=([^;]*)/) || ["", ""])[1]
		if (at > 0 && salt && (cookie || !document.hasStorageAccess || await document.hasStorageAccess())) {
			const sum = await crypto.subtle.digest("SHA-256", new TextEncoder().encode([data.slice(0, at), e.origin, cookie, salt].join(" ")))
			answer = [...new Uint8Array(sum)].map(b => b.toString(16).padStart(2, "0")).join("") + "." + salt == state ? "unchanged" : "changed"
		}
	} catch {}
	e.source.postMessage(answer, e.origin)
})`

// checking is the page that holds it. It shows nothing and does nothing else, so that any page may frame it.
var checking = func() op.Page {
	sum := sha256.Sum256([]byte(check))
	return op.Page{
		HTML: []byte(`<!DOCTYPE html><html><head><meta charset="utf-8"><title>…</title></head><body><script>` + check + "</script></body></html>\n"),
		CSP:  "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors *; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'",
	}
}()

// watching declares the page by which clients watch the browser's session.
func (o OAuth) watching() []op.Op {
	return []op.Op{op.New(op.Spec{
		Method: http.MethodGet, Path: "/OAuth2/CheckSession/{app_id}", Allow: op.Anonymous, Effect: op.Read, Faults: faults,
	}, o.CheckSession)}
}

// CheckSession is a page for pages of clients to frame: told the client_id and a session_state, with a space between, it says whether the
// browser's session is still that one: unchanged, changed or error. The application must have SessionManagement. OpenID Connect Session
// Management 1.0 section 3.2.
func (o OAuth) CheckSession(ctx context.Context, c *op.Call, in App) (op.Page, error) {
	if in.App == "" {
		return checking, nil
	}
	a, err := o.Server.App(ctx, c, in.App)
	if err == nil && (!a.Active || !a.Profile.Sessions) {
		err = oauth.ErrUnknownApp.Say("the application does not tell of sessions")
	}
	return checking, err
}

// watched is session_state of an answer, and the cookie that it is compared with.
func (a authorized) watched(c *op.Call) (state string, cookies []*http.Cookie, err error) {
	if !a.request.Watches() {
		return "", nil, nil
	}
	session := ""
	if c.Caller != nil {
		session = c.Caller.Session
	}
	if state, err = a.request.SessionState(c, session); err != nil {
		return "", nil, err
	}
	k := &http.Cookie{Name: oauth.StateCookie, Value: oauth.BrowserState(session), Path: "/", Secure: true, SameSite: http.SameSiteNoneMode}
	if session == "" {
		if !c.Client.Watched {
			return state, nil, nil
		}
		k.MaxAge = -1
	}
	return state, []*http.Cookie{k}, nil
}
