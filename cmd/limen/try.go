package main

import (
	"context"

	"github.com/alecthomas/kong"

	"limen/internal/app"
	"limen/internal/config"
)

type tryCmd struct {
	Claims tryClaims `cmd:"" help:"Which claims an OpenIDConnectScript sets for somebody."`
	Policy tryRuling `cmd:"" help:"Whether a PolicyScript lets somebody in."`
}

// scripted is what both take.
type scripted struct {
	App    string `arg:"" placeholder:"APP" help:"Name or id of the application."`
	User   string `arg:"" placeholder:"USER" help:"Login name or UUID of whom the script is run for."`
	File   string `arg:"" optional:"" placeholder:"FILE" help:"File with the script, - for standard input; that of the application without it."`
	Tenant string `placeholder:"ID" help:"Tenant; the only one without it."`
	JSON   bool   `name:"json" help:"Print JSON, for programs."`
	config.Flags
}

func (c *scripted) try(ctx context.Context, k *kong.Context, env environ, do *app.Commands, t app.ScriptTrial) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	t.App, t.User, t.File, t.Tenant, t.JSON = c.App, c.User, c.File, c.Tenant, c.JSON
	return do.Try(ctx, s, t)
}

type tryClaims struct {
	Client string `placeholder:"ID" help:"Client that the script sees; the application's own without it."`
	Scopes string `placeholder:"SCOPES" help:"Scopes that the script sees, spaces between."`
	scripted
}

func (*tryClaims) Help() string {
	return `Nothing is issued or changed. Shows the claims, what the script said with trace(), and what it read and found there; fails
where the script does:

    limen try claims Wiki anna@example.com
    limen try claims Wiki anna@example.com claims.js --scopes "openid email"`
}

func (c *tryClaims) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.try(ctx, k, env, do, app.ScriptTrial{Kind: "OpenIDConnectScript", Client: c.Client, Scopes: c.Scopes})
}

type tryRuling struct{ scripted }

func (*tryRuling) Help() string {
	return `Nobody signs in by it, and nothing is changed:

    limen try policy Wiki anna@example.com
    limen try policy Wiki anna@example.com - < policy.js`
}

func (c *tryRuling) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	return c.try(ctx, k, env, do, app.ScriptTrial{Kind: "PolicyScript"})
}
