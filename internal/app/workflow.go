package app

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/core/job"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/core/workflow"
)

// wireWorkflows wires requests for access to applications.
func (a *App) wireWorkflows() {
	a.Flows = &workflow.Flows{
		Apps: a.Apps, People: a.People, Roles: a.Roles, Tell: a.tellFlow,
		Write: func(ctx context.Context, tenantID string, f func(ctx context.Context, c *call.Call) error) error {
			return a.act(ctx, tenantID, "", func(ctx context.Context, c *call.Call) error {
				c.Event = nil
				return f(ctx, c)
			})
		},
	}
	a.Apps.Gone = append(a.Apps.Gone, a.Flows.AppGone)
	a.People.Gone = append(a.People.Gone, a.Flows.PersonGone)
	a.Jobs.Sweep(job.Sweep{Name: "requests for access", Every: time.Minute, Run: func(ctx context.Context) error { return a.Flows.Expire(ctx, a.DB, time.Now()) }})
}

var notices = map[workflow.Notice]message.Kind{
	workflow.Asked: message.AccessAsked, workflow.Given: message.AccessGiven, workflow.Refused: message.AccessRefused,
}

// maxApprovers bounds the members of a role that are written to.
const maxApprovers = 50

// askedOnce is how long approvers are not written to again about people who registered.
const askedOnce = time.Hour

// tellFlow writes to somebody about a request, or to the people in a role.
func (a *App) tellFlow(ctx context.Context, c *call.Call, to string, what workflow.Notice, j workflow.Job) error {
	people := []string{to}
	if _, err := a.Roles.Get(ctx, c, to); err == nil {
		in, err := a.Roles.Members(ctx, c, grant.All(), to, role.After{}, maxApprovers)
		if err != nil {
			return err
		}
		people = nil
		for _, m := range in {
			if m.Kind == role.User {
				people = append(people, m.ID)
			}
		}
	}
	by, err := a.People.ByID(ctx, c, j.Requestor)
	if err != nil {
		return err
	}
	for _, id := range people {
		if what == workflow.Asked && id == j.Requestor {
			continue
		}
		u, err := a.People.ByID(ctx, c, id)
		if err != nil {
			return err
		}
		if err := a.mailFlow(ctx, c, u, by, what, j); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) mailFlow(ctx context.Context, c *call.Call, u, by user.User, what workflow.Notice, j workflow.Job) error {
	if u.Mail == "" || u.MailUnproved || u.Barred(c.Now) {
		return nil
	}
	to := post.Reader{Mail: u.Mail, Culture: u.Culture, Name: u.Display, Account: u.Name}
	if j.Kind == workflow.SignUp { // strangers bring these about: approvers get one in a while, whoever waits
		key := "signup-asked/" + u.ID + "/" + c.Now.UTC().Truncate(askedOnce).Format(time.RFC3339)
		return a.Post.Mail(ctx, c, key, to, message.SignupAsked, message.Data{By: by.Name, At: c.Now}, c.Now.Add(keepNotice))
	}
	d := message.Data{App: j.AppName, By: by.Name, At: c.Now}
	if end := j.Granted().Until; what == workflow.Given && end != 0 {
		d.Until = time.UnixMilli(end)
	}
	return a.Post.Mail(ctx, c, "workflow/"+c.NewID(), to, notices[what], d, c.Now.Add(keepNotice))
}
