package app

import (
	"context"
	"encoding/json"
	"time"

	"limen/internal/call"
	"limen/internal/core/oauth"
	"limen/internal/core/outbound"
	appscript "limen/internal/core/script"
	"limen/internal/fault"
	"limen/internal/platform/script"
	wire "limen/internal/wire/oauth"
)

// wireAppScripts wires the scripts of applications. They have children of their own: a sign-in waits for no pass over everybody.
func (a *App) wireAppScripts() {
	a.AppCode = &appscript.Scripts{
		People: a.People, Roles: a.Roles, Persons: a.Dynamic, Policies: a.Policies, Judge: a.judgeQuickly,
		Write: func(ctx context.Context, tenantID string, f func(ctx context.Context, c *call.Call) error) error {
			return a.act(ctx, tenantID, "", func(ctx context.Context, c *call.Call) error {
				c.Event = nil
				return f(ctx, c)
			})
		},
	}
	a.OAuth.ScriptClaims, a.OAuth.ScriptPolicy = a.scriptClaims, a.scriptPolicy
}

var models = map[appscript.Kind]script.Model{appscript.Claims: script.Claims, appscript.Policy: script.Policy, appscript.Mapping: script.Mapping}

// judgeQuickly has a child run a script of an application.
func (a *App) judgeQuickly(ctx context.Context, b appscript.Batch) (appscript.Verdict, error) {
	in := script.Batch{Tenant: b.Tenant, Model: models[b.Kind], Script: b.Text, Now: b.Now.UnixMilli(), Trace: b.Trace, Reserved: oauth.Reserved}
	pool := a.Quick
	if b.Kind == appscript.Mapping { // nobody waits for it
		in.Reserved, in.Bulk, pool = outbound.Reserved, true, a.Scripts
	}
	if !b.Compile {
		who := personForChild(b.Person)
		who.Objects = map[string]map[string]any{}
		for name, members := range b.See {
			who.Objects[name] = forScripts(members)
		}
		in.People = []script.Person{who}
	}
	for _, r := range b.Roles {
		in.Roles = append(in.Roles, script.Role{ID: r.ID, Name: r.Name})
	}
	said, err := pool.Run(ctx, in)
	if err != nil || b.Compile {
		return appscript.Verdict{}, err
	}
	v := said[0]
	out := appscript.Verdict{Claims: v.Claims, Mapped: v.Mapped, Error: v.Error, Trace: v.Trace, Read: v.Read}
	switch {
	case v.Ruling != nil:
		out.Locked, out.Reason, out.Level = v.Ruling.Locked, v.Ruling.Reason, v.Ruling.Level
	case b.Kind == appscript.Policy && v.Error == "":
		out.Error = "The script decided nothing."
	}
	return out, nil
}

// scriptClaims asks an application's script what tokens tell.
func (a *App) scriptClaims(ctx context.Context, c *call.Call, it oauth.App, client, person string, scope wire.Scope) (map[string]json.RawMessage, error) {
	v, err := a.AppCode.Ask(ctx, c, appscript.Ask{
		Kind: appscript.Claims, Text: it.Scripts.Claims, App: it.ID, Name: it.Name, Facts: it.Scripts.Facts, Person: person, Client: client, Scopes: scope,
	})
	return v.Claims, scriptFault(err)
}

// scriptPolicy asks an application's PolicyScript about somebody.
func (a *App) scriptPolicy(ctx context.Context, c *call.Call, it oauth.App, person string, strong bool, proved time.Time) (oauth.Demand, error) {
	v, err := a.AppCode.Ask(ctx, c, appscript.Ask{
		Kind: appscript.Policy, Text: it.Scripts.Policy, App: it.ID, Name: it.Name, Facts: it.Scripts.Facts, Person: person, Strong: strong, Proved: proved,
	})
	if err != nil {
		return oauth.Demand{Refused: true}, scriptFault(err)
	}
	if v.Locked {
		return oauth.Demand{Refused: true, Reason: v.Reason}, nil
	}
	if v.Level == 1 {
		return oauth.Demand{}, nil
	}
	// Where the script says nothing of the level, and for how strong authentication is done, the application's own profile counts.
	var d oauth.Demand
	err = c.Snapshot(ctx, func() (err error) { d, err = a.appRules(ctx, c, oauth.App{Default: it.Default}, person); return err })
	if v.Level == 2 {
		d.Strong = len(d.Rounds) == 0
	}
	return d, err
}

// scriptFault is what clients are told of a script that failed.
func scriptFault(err error) error {
	if f := fault.Of(err); err != nil && f.Code == appscript.ErrFailed.Code {
		return oauth.ErrScript.Because(err)
	}
	return err
}
