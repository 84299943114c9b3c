package app

import (
	"context"
	"errors"
	"io"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/dynamic"
	"limen/internal/core/job"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/platform/script"
)

// ScriptChild is the argument with which the program runs scripts for a server. It is no command for people.
const ScriptChild = script.Verb

// RunScripts is the program as the child of a server: it runs the scripts that come from in. It gives the exit code.
func RunScripts(args []string, in io.Reader, out io.Writer) int { return script.Child(args, in, out) }

// self is this very program, also when another version has taken its place in the file system.
var self = []string{"/proc/self/exe"}

// wireScripts wires the scripts of dynamic roles: who runs them, and what has them run again.
func (a *App) wireScripts() {
	a.Scripts, a.Quick = &script.Pool{}, &script.Pool{Wall: 5 * time.Second}
	a.Dynamic = &dynamic.Scripts{
		DB: a.DB, Roles: a.Roles, Leases: a.Leases, Log: a.Log, Judge: a.judge, Failed: a.scriptFailed,
		Write: func(ctx context.Context, tenantID string, f func(ctx context.Context, c *call.Call) error) error {
			c := a.Shell(tenantID)
			return a.Write(ctx, c, "", func(ctx context.Context) error {
				c.Event = nil // who joined and left has events of their own
				return f(ctx, c)
			})
		},
	}
	a.Dynamic.Free = func(ctx context.Context, c *call.Call) (bool, error) {
		v, err := a.Values.Get(ctx, c)
		if err != nil {
			return false, err
		}
		return v.ChosenRights, nil
	}
	a.Changes.Watch("setting", func(item string) {
		if item != change.Reset {
			a.Dynamic.Reconsider(item)
		}
	})
	a.Roles.Moved, a.Roles.Rated, a.Roles.Chosen = a.Dynamic.Moved, a.Dynamic.Rated, a.Dynamic.Refused
	a.Roles.Deleted = append(a.Roles.Deleted, a.Dynamic.Drop)
	a.People.Stored = append(a.People.Stored, a.Dynamic.Stored)
	a.People.Gone = append(a.People.Gone, a.Dynamic.Gone)
	for _, s := range []job.Sweep{
		{Name: "scripts by the clock", Every: time.Hour, Run: a.Dynamic.Tick},
		{Name: "changes judged", Every: time.Hour, Run: a.Dynamic.Tidy},
	} {
		a.Jobs.Sweep(s)
	}
}

// judge has a child run a script.
func (a *App) judge(ctx context.Context, b dynamic.Batch) ([]dynamic.Verdict, error) {
	said, err := a.Scripts.Run(ctx, forChild(b))
	if errors.Is(err, script.ErrShare) {
		err = dynamic.ErrShare.RetryAfter(fault.Of(err).After)
	}
	out := make([]dynamic.Verdict, len(said))
	for i, v := range said {
		out[i] = dynamic.Verdict{Member: v.Member, Error: v.Error, Trace: v.Trace, Read: v.Read}
	}
	return out, err
}

// forChild is a batch as a child gets it.
func forChild(b dynamic.Batch) script.Batch {
	in := script.Batch{Tenant: b.Tenant, Bulk: b.Pass, Script: b.Script, Now: b.Now.UnixMilli(), Trace: b.Trace}
	held := map[string]bool{}
	for _, p := range b.People {
		for _, id := range p.Roles {
			held[id] = true
		}
	}
	for _, r := range b.Roles { // of thousands: those that can be told from roles which do not exist
		if held[r.ID] || r.Kind == role.Dynamic {
			in.Roles = append(in.Roles, script.Role{ID: r.ID, Name: r.Name, Dynamic: r.Kind == role.Dynamic})
		}
	}
	for _, p := range b.People {
		in.People = append(in.People, personForChild(p))
	}
	return in
}

// personForChild is a person as a child gets them.
func personForChild(p dynamic.Person) script.Person {
	return script.Person{
		ID: p.ID, Name: p.Name, Display: p.Display, Mail: p.Mail, Type: "CUS", Source: user.Source, Org: p.Org, Properties: forScripts(p.Properties), Roles: p.Roles,
	}
}

// forScripts are values as a child gets them: times are dates there.
func forScripts(values map[string]any) map[string]any {
	out := make(map[string]any, len(values))
	for name, v := range values {
		if at, ok := v.(time.Time); ok {
			v = script.Date{Millis: at.UnixMilli()}
		}
		out[name] = v
	}
	return out
}

// scriptFailed writes to the administrators.
func (a *App) scriptFailed(ctx context.Context, c *call.Call, r role.Role, _ string) error {
	ids, err := a.Roles.Administrators(ctx, c)
	if err != nil {
		return err
	}
	for _, id := range ids {
		u, err := a.People.ByID(ctx, c, id)
		if err != nil {
			return err
		}
		if u.Mail == "" {
			continue
		}
		to := post.Reader{Mail: u.Mail, Culture: u.Culture, Name: u.Display, Account: u.Name}
		if err := a.Post.Mail(ctx, c, "script/"+c.NewID(), to, message.ScriptFailed, message.Data{App: r.Name, At: c.Now}, c.Now.Add(keepNotice)); err != nil {
			return err
		}
	}
	return nil
}
