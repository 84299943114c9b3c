package users

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// Faults of commands.
var (
	ErrAction = fault.New(fault.Invalid, "user.action", "There is no such command.")
	ErrScoped = fault.New(fault.Denied, "user.scoped", "An access token is good for the operations only that its scopes name. Call the command's own operation.")
)

// command is an operation on one person.
type command struct {
	path string
	key  string // of the parameter that names the person
}

// commands are those that ConfirmAction gives, by their names in lower case. None is here that sets a secret: several people
// would share it.
var commands = map[string]command{
	"changeuserstate":        {"/CDirectoryService/ChangeUserState", "uuid"},
	"deleteuser":             {"/UserMgmt/RemoveUser", "ID"},
	"exemptuserfrommfa":      {"/CDirectoryService/ExemptUserFromMfa", "ID"},
	"refreshtoken":           {"/CDirectoryService/RefreshToken", "ID"},
	"removeuser":             {"/UserMgmt/RemoveUser", "ID"},
	"resetsecurityquestions": {"/UserMgmt/ResetSecurityQuestions", "ID"},
	"sendloginemail":         {"/UserMgmt/SendLoginEmail", "ID"},
	"sendsmsinvite":          {"/UserMgmt/SendSmsInvite", "ID"},
	"setcloudlock":           {"/UserMgmt/SetCloudLock", "user"},
	"setuserstate":           {"/CDirectoryService/SetUserState", "ID"},
	"signouteverywhere":      {"/UserMgmt/SignOutEverywhere", "id"},
}

// maxAction bounds the users of one call: each has a transaction of their own, and the call has one deadline.
const maxAction = 100

// Action is a command for several users.
type Action struct {
	// Action is the command, required: the name of its operation, whatever its case.
	Action string `json:"Action" also:"Command"`
	// Users are UUIDs or login names, required; at most 100.
	Users []string `json:"Users" also:"ID" rpc:"one"`
	// Args are the operation's other parameters, such as {"state": "Disabled"} of SetUserState.
	Args map[string]any `json:"Args"`
}

// Check wants a command that there is, and people.
func (a *Action) Check() error {
	if err := required("Action", a.Action); err != nil {
		return err
	}
	if _, ok := commands[strings.ToLower(a.Action)]; !ok {
		return ErrAction.At("Action").Say("Action must be one of %s.", strings.Join(actionNames(), ", "))
	}
	switch {
	case len(a.Users) == 0:
		return fault.Missing("Users")
	case len(a.Users) > maxAction:
		return ErrMany.Say("At most %d users can be named in one call.", maxAction)
	}
	return nil
}

// actionNames are the names of the commands as their operations are spelled.
func actionNames() []string {
	var out []string
	for _, cmd := range commands {
		out = append(out, cmd.path[strings.LastIndexByte(cmd.path, '/')+1:])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ConfirmAction carries out a command on several users: ChangeUserState, ExemptUserFromMfa, RefreshToken, RemoveUser,
// ResetSecurityQuestions, SendLoginEmail, SendSmsInvite, SetCloudLock, SetUserState or SignOutEverywhere.
//
// For each user it is the same as a call of the command's own operation with Args: decided, done and recorded for this user
// alone, with an event of its own. Users for whom it was not done are listed in Exceptions with the reason; the call fails when
// the caller may give the command for none of them. Access tokens of OAuth 2.0 are refused: their scopes name operations.
// users.yaml n 127.
func (u Users) ConfirmAction(ctx context.Context, c *op.Call, in Action) (Undone, error) {
	var out Undone
	if c.Caller.Means == call.ByOAuth {
		return out, ErrScoped
	}
	cmd := commands[strings.ToLower(in.Action)]
	c.Event.Kind = "User"
	c.Event.Set("Action", cmd.path)
	denied, done := 0, []string{}
	for _, ref := range in.Users {
		f, err := u.command(ctx, c, cmd, ref, in.Args)
		switch {
		case err != nil:
			return out, err
		case f == nil:
			done = append(done, ref)
			continue
		case f.Kind == fault.Denied && f.Code == op.ErrDenied.Code:
			denied++
		}
		out.add(ref, f)
	}
	c.Event.Set("Users", done)
	if denied == len(in.Users) {
		return Undone{}, op.ErrDenied
	}
	return out, nil
}

// command carries out a command on one person. Why it was not done is f; err is a failure of the program's own.
func (u Users) command(ctx context.Context, c *op.Call, cmd command, ref string, args map[string]any) (f *fault.Error, err error) {
	if strings.TrimSpace(ref) == "" { // which would be the caller
		return user.ErrNotFound, nil
	}
	given := maps.Clone(args)
	if given == nil {
		given = map[string]any{}
	}
	given[cmd.key] = ref
	body, err := json.Marshal(given)
	if err != nil {
		return nil, err
	}
	if ctx.Err() == nil {
		err = u.Perform(ctx, c, cmd.path, body)
	}
	switch f = fault.Of(err); {
	case ctx.Err() != nil:
		return op.ErrTimeLimit, nil
	case f != nil && f.Kind == fault.Internal:
		return nil, err
	}
	return f, nil
}
