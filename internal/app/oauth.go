package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/app"
	"limen/internal/core/job"
	"limen/internal/core/login"
	"limen/internal/core/oauth"
	"limen/internal/core/outbox"
	"limen/internal/core/policy"
	"limen/internal/core/throttle"
	"limen/internal/core/user"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/platform/egress"
)

// wireOAuth wires applications and the authorization server.
func (a *App) wireOAuth() {
	a.Apps = &app.Apps{
		Lists: a.Lists, Sets: a.Sets, Put: a.Changes.Put, Fresh: a.Changes.Fresh,
		Seal: func(ctx context.Context, c *call.Call, purpose, id string, plain []byte) (string, error) {
			return a.Ring.Seal(ctx, c.Tenant.ID, purpose, plain, id)
		},
		Ours: func(ctx context.Context, host string) (bool, error) {
			at, err := a.Index.AtHost(ctx, host)
			return at != "", err
		},
		Ended: func(ctx context.Context, c *call.Call, id string) error { return a.OAuth.EndOfApp(ctx, c, id) },
	}
	a.Apps.Watch(a.Changes.Watch)
	a.OAuth = &oauth.Server{
		Signers: a.Signers, Ring: a.Ring, Sessions: a.Sessions, App: a.Apps.Client, Person: a.oauthPerson, May: a.mayUse, Changes: a.Changes,
		Service: a.serviceClient, Password: a.ownerPassword,
		Tenant: a.Index.ByID, Rand: rand.Reader, Promise: a.Outbox.Put, Notify: a.tellClient, Rules: a.appRules, Fetch: a.fetch,
		DB: a.DB, CertHost: a.certHost, Certs: a.takesCertificates(),
		Revoked: a.Revoked, Unchecked: a.takesUnchecked,
	}
	for _, m := range a.Logins.Mechanisms {
		a.OAuth.Ways = append(a.OAuth.Ways, m.Name())
	}
	a.Apps.Gone = append(a.Apps.Gone, a.OAuth.AppGone)
	a.OAuth.AppOfClient, a.OAuth.Origin = a.Apps.Claimant, a.Apps.Origin
	a.OAuth.Throttle, a.OAuth.ByName, a.OAuth.TellAsked, a.OAuth.Tell = a.Throttle, a.oauthByName, a.tellAsked, a.tellDecision
	a.OAuth.LongestLife, a.OAuth.StoreKeys = a.Apps.LongestLife, a.storeKeys
	a.Changes.Watch(oauth.KeysTopic, a.Signers.Forget)
	a.Outbox.Handle(oauth.TopicBackchannel, func(ctx context.Context, d outbox.Delivery) error { return a.OAuth.TellDecision(ctx, a.DB, d) })
	a.OAuth.Watch(a.Changes.Watch)
	a.remember()
	a.Outbox.Handle(oauth.TopicLogout, func(ctx context.Context, d outbox.Delivery) error { return a.OAuth.TellClient(ctx, a.DB, d) })
	a.machines = &crypt.Remember{Hasher: a.Hasher, Now: time.Now}
	a.Sessions.Over, a.Sessions.Left = a.OAuth.EndOfPerson, a.OAuth.EndOfSession
}

// oauthSweeps are what one node at a time tidies after the authorization server.
func (a *App) oauthSweeps() []job.Sweep {
	return []job.Sweep{
		{Name: "authorizations", Every: 10 * time.Minute, Run: func(ctx context.Context) error { return a.OAuth.Sweep(ctx, a.DB, time.Now()) }},
		{Name: "signing keys", Every: time.Hour, Run: a.rotateKeys},
		{Name: "access to applications", Every: time.Second, Run: func(ctx context.Context) error { return a.OAuth.Review(ctx, a.DB, time.Now()) }},
		{Name: "logout tokens", Every: time.Second, Run: func(ctx context.Context) error { return a.OAuth.TellClients(ctx, a.DB) }},
	}
}

// tellClient sends a form to an address that a client registered. All but a plain success is a failure.
func (a *App) tellClient(ctx context.Context, uri string, form url.Values) error {
	out, err := a.Egress.Do(ctx, egress.Request{
		Method: http.MethodPost, URL: uri, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form.Encode()),
	})
	if err == nil && out.Status != http.StatusOK && out.Status != http.StatusNoContent {
		err = fmt.Errorf("the client answered with status %d", out.Status)
	}
	return err
}

// fetch gets a document from where a client has registered that it lies: keys, request objects, lists of redirect URIs.
func (a *App) fetch(ctx context.Context, uri string) ([]byte, error) {
	out, err := a.Egress.Do(ctx, egress.Request{URL: uri, Header: http.Header{"Accept": {"application/json, application/jwk-set+json, application/oauth-authz-req+jwt, application/jwt"}}})
	if err == nil && out.Status != http.StatusOK {
		err = fmt.Errorf("the address answered with status %d", out.Status)
	}
	return out.Body, err
}

// certHost is the host of the endpoints that ask for certificates: the tenant's own, at the port of their server.
func (a *App) certHost(host string) string {
	if a.Settings.CertListen == "" {
		return ""
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, port, _ := net.SplitHostPort(a.Settings.CertListen) // checked with the settings
	return strings.TrimSuffix(net.JoinHostPort(strings.Trim(host, "[]"), port), ":443")
}

// appRules decides by an application's own rules.
func (a *App) appRules(ctx context.Context, c *call.Call, it oauth.App, personID string) (oauth.Demand, error) {
	d, err := a.Policies.Judge(ctx, c, personID, it.Rules, it.Default)
	out := oauth.Demand{Refused: d.Verdict == policy.Refused}
	if d.Verdict == policy.ByProfile {
		out.Rounds = d.Profile.Challenges
	}
	return out, err
}

// serviceClient checks the name and password of a service user that is a confidential client. Failures count as those of
// sign-ins do; who does not exist costs as much as who does.
func (a *App) serviceClient(ctx context.Context, c *call.Call, name, secret string) (id string, err error) {
	attempt := throttle.Attempt{Kind: throttle.Password, Login: name, IP: c.Client.IP}
	var u user.User
	var credential, hash string
	var wait time.Duration
	err = c.Snapshot(ctx, func() (err error) {
		if wait, err = a.Throttle.Wait(ctx, c, attempt); err != nil {
			return err
		}
		u, err = a.People.ByName(ctx, c, name)
		if errors.Is(err, user.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		cur, err := a.Passwords.Find(ctx, c, u.ID)
		credential, hash = c.Tenant.ID+"/"+u.ID+"/"+time.UnixMilli(cur.Changed).UTC().Format(time.RFC3339Nano), cur.Hash
		return err
	})
	if err != nil || wait > 0 {
		return "", err
	}
	ok := false
	if u.OAuthClient && !u.Barred(c.Now) && hash != "" {
		ok, _, err = a.machines.Verify(ctx, credential, hash, secret)
	} else {
		err = a.Hasher.Dummy(ctx, secret)
	}
	if err != nil {
		return "", err
	}
	if ok {
		return u.ID, nil
	}
	return "", a.miss(ctx, c, attempt)
}

// miss counts a wrong secret in a transaction of its own: what asked for it goes no further.
func (a *App) miss(ctx context.Context, c *call.Call, attempt throttle.Attempt) error {
	return a.DB.Write(ctx, func(tx *dbx.Tx) error {
		in := *c
		in.Tx = tx
		_, err := a.Throttle.Count(ctx, &in, attempt, false)
		return err
	})
}

// owner is a person's password on its way.
type owner struct {
	logins *login.Logins
	direct login.Directly
}

// ownerPassword checks a person's password as a sign-in by name and password does.
func (a *App) ownerPassword(ctx context.Context, c *call.Call, name, password string) (oauth.Checked, error) {
	d, err := a.Logins.PrepareDirect(ctx, c, name, password)
	return owner{a.Logins, d}, err
}

// Whose is the person of the name that was sent.
func (o owner) Whose() string { return o.direct.Person() }

// Commit signs in. A wrong password is committed, with what it counts.
func (o owner) Commit(ctx context.Context, c *call.Call) (personID, session string, err error) {
	r, err := o.logins.Direct(ctx, c, o.direct)
	if errors.Is(err, login.ErrFailed) || err == nil && r.Success == nil {
		return "", "", &oauth.ReplayError{Fault: oauth.ErrPerson}
	}
	if err != nil {
		return "", "", err
	}
	return r.Success.Person.ID, r.Success.Session.ID, nil
}
