package app

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"slices"

	"limen/internal/call"
	"limen/internal/core/message"
	"limen/internal/core/oauth"
	"limen/internal/core/outbox"
	"limen/internal/core/post"
	"limen/internal/platform/egress"
)

// oauthByName is somebody whom a client names.
func (a *App) oauthByName(ctx context.Context, c *call.Call, name string) (oauth.Person, error) {
	u, err := a.People.ByName(ctx, c, name)
	if err != nil {
		return oauth.Person{}, err
	}
	return a.oauthPerson(ctx, c, u.ID)
}

// tellAsked writes to somebody whom a client has asked, where they have a mail address that is known to be theirs.
func (a *App) tellAsked(ctx context.Context, c *call.Call, p oauth.Person, what oauth.Pending) error {
	u, err := a.People.ByID(ctx, c, p.ID)
	if err != nil || u.Mail == "" || u.MailUnproved {
		return err
	}
	to := post.Reader{Mail: u.Mail, Culture: u.Culture, Name: u.Display, Account: u.Name}
	data := message.Data{App: what.App.Name, Code: what.Message, IP: what.IP, At: c.Now, Page: c.Tenant.Host + oauth.ApprovePath, Lasts: what.Expires.Sub(c.Now)}
	return a.Post.Mail(ctx, c, "backchannel/"+what.ID, to, message.ApprovalAsked, data, what.Expires)
}

// tellDecision sends JSON to an address that a client registered. All but a plain success is a failure.
func (a *App) tellDecision(ctx context.Context, uri, bearer string, body []byte) error {
	out, err := a.Egress.Do(ctx, egress.Request{
		Method: http.MethodPost, URL: uri, Header: http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + bearer}}, Body: body,
	})
	switch {
	case err != nil, out.Status == http.StatusOK, out.Status == http.StatusNoContent:
		return err
	case (out.Status/100 == 3 || out.Status/100 == 4) && !slices.Contains([]int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}, out.Status):
		return outbox.Permanent(fmt.Errorf("the client refuses with status %d", out.Status)) // the same would be refused again, and nobody follows (CIBA Core section 10.2)
	}
	return fmt.Errorf("the client answered with status %d", out.Status)
}

// country is where an address is, as an ISO 3166-1 alpha-2 code; empty when unknown.
func (a *App) country(ip netip.Addr) string {
	if a.Policies.Country == nil {
		return ""
	}
	return a.Policies.Country(ip)
}
