package authentication

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"limen/internal/core/login"
	"limen/internal/core/oauth"
	"limen/internal/crypt"
	"limen/internal/op"
	"limen/internal/surface/identity"
)

// Further cookies of the dialect, which clients carry and nobody reads.
const (
	podCookie     = "podloc"
	userInfo      = "userdata"
	deviceForDays = 400 // browsers keep none longer
)

// cookie makes a cookie of the whole host. Scripts cannot read it, and other sites cause no request with it but plain
// navigation.
func cookie(c *op.Call, name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, Secure: c.Client.Secure, SameSite: http.SameSiteLaxMode}
}

func gone(c *op.Call, name string) *http.Cookie {
	k := cookie(c, name, "")
	k.MaxAge = -1
	return k
}

func (a *Answer) keepDevice(c *op.Call, device string) {
	a.cookies = append(a.cookies, KeepDevice(c, device)...)
}

// KeepDevice is the cookie by which a device is known again; none where it has no value.
func KeepDevice(c *op.Call, device string) []*http.Cookie {
	if device == "" {
		return nil
	}
	k := cookie(c, identity.DeviceCookie, device)
	k.MaxAge = deviceForDays * 24 * 60 * 60
	return []*http.Cookie{k}
}

func (a *Answer) signIn(c *op.Call, s *login.Success) { a.cookies = append(a.cookies, SignIn(c, s)...) }

// SignIn are the cookies of a sign-in, of every dialect that browsers speak. They end with the browser unless the person stays
// signed in.
func SignIn(c *op.Call, s *login.Success) []*http.Cookie {
	forgery, _ := crypt.NewToken(c.Rand)
	set := []*http.Cookie{
		cookie(c, identity.SessionCookie, s.Auth), cookie(c, identity.ForgeryCookie, forgery), cookie(c, podCookie, c.Tenant.Host),
		cookie(c, identity.WroteCookie, strconv.FormatInt(c.Wrote, 10)), cookie(c, userInfo, url.QueryEscape(s.Person.Name)),
	}
	set[1].HttpOnly = false // a page of this origin reads it and sends it back as a header
	if s.Persistent {
		for _, k := range set {
			k.Expires = time.UnixMilli(s.Session.Expires).UTC()
		}
	}
	return append(append(set, unwatched(c)...), KeepDevice(c, s.Device)...)
}

// SignOut expires the cookies of a sign-in; the device's stays, so that it is known again.
//
// When another site caused the call, the session goes on, and its cookies with it.
func SignOut(c *op.Call) []*http.Cookie {
	if c.Client.Forged {
		return nil
	}
	return append([]*http.Cookie{
		gone(c, identity.SessionCookie), gone(c, identity.ForgeryCookie), gone(c, podCookie), gone(c, identity.WroteCookie), gone(c, userInfo),
	}, unwatched(c)...)
}

// unwatched takes away what pages of applications watch the browser's session by, so that they see that it is another: the next answer to
// them sets it anew.
func unwatched(c *op.Call) []*http.Cookie {
	if !c.Client.Watched {
		return nil
	}
	return []*http.Cookie{{Name: oauth.StateCookie, Path: "/", MaxAge: -1, Secure: true, SameSite: http.SameSiteNoneMode}}
}
