package users

import (
	"context"
	"errors"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// caching declares what is about what this node remembers of people.
func (u Users) caching() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/UserMgmt/GetCachedEntity", Allow: either, Effect: op.Read}, u.GetCachedEntity),
		op.New(op.Spec{Path: "/UserMgmt/GetCachedUser", Allow: either, Effect: op.Read}, u.GetCachedUser),
		op.New(op.Spec{Path: "/CDirectoryService/RefreshToken", Allow: either, Effect: op.Write, Audit: audit.UserReload,
			Faults: []*fault.Error{user.ErrNotFound}}, u.ReloadUser),
		op.New(op.Spec{Path: "/Security/TaskCheck", Allow: op.Authenticated, Effect: op.Cached, Faults: []*fault.Error{fault.ErrMissing}}, u.TaskCheck),
		op.New(op.Spec{Path: "/Security/AppRoleManagementCheck", Allow: op.Authenticated, Effect: op.Cached}, u.AppRoleManagementCheck),
		op.New(op.Spec{Path: "/Security/TaskChecks", Allow: op.Authenticated, Effect: op.Cached, Faults: []*fault.Error{fault.ErrMissing, ErrMany}}, u.TaskChecks),
	}
}

// CachedRef names whom the node may remember.
type CachedRef struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid"`
	person
}

// Resolve finds the user. Somebody unknown is nobody that is remembered.
func (r *CachedRef) Resolve(ctx context.Context, c *op.Call) error {
	err := r.find(ctx, c, r.ID)
	if errors.Is(err, user.ErrNotFound) {
		return nil
	}
	return err
}

// CachedEntity is what this node remembers of a person who is signed in.
type CachedEntity struct {
	UUID        string `json:"Uuid"`
	Name        string `json:"Name"`
	DisplayName string `json:"DisplayName"`
	// DirectoryServiceUuid is that of the built-in directory.
	DirectoryServiceUUID string `json:"DirectoryServiceUuid"`
	// ServiceType is CDS, the built-in directory.
	ServiceType string `json:"ServiceType"`
	// Properties are OrgId, the organization, and AdministrativeRights, the names of the rights over the whole tenant.
	Properties EntityProperties `json:"Properties"`
	// CachedAt is when it was read from the store.
	CachedAt rpc.Time `json:"CachedAt"`
}

// EntityProperties is what else is remembered.
type EntityProperties struct {
	OrgID                string   `json:"OrgId"`
	AdministrativeRights []string `json:"AdministrativeRights"`
}

// GetCachedEntity returns what this node remembers of a person to answer calls of their sessions, and null of anybody who has
// none here. The display name is the directory's: it is not remembered. Groups are not remembered. users.yaml n 100.
func (u Users) GetCachedEntity(_ context.Context, c *op.Call, in CachedRef) (*CachedEntity, error) {
	who, read, ok := u.Sessions.Remembered(c, in.found.ID)
	if !ok {
		return nil, nil
	}
	return &CachedEntity{
		UUID: who.User, Name: who.Name, DisplayName: in.found.Display, DirectoryServiceUUID: user.Source, ServiceType: "CDS",
		Properties: EntityProperties{OrgID: who.Org, AdministrativeRights: rightNames(who)}, CachedAt: rpc.Time(read),
	}, nil
}

func rightNames(who call.Caller) []string {
	out := []string{}
	for _, r := range who.Held.Tenant.Rights() {
		out = append(out, r.String())
	}
	return out
}

// CachedUser is what this node remembers of a person who is signed in, with roles.
type CachedUser struct {
	UUID        string `json:"Uuid"`
	Name        string `json:"Name"`
	DisplayName string `json:"DisplayName"`
	Mail        string `json:"Mail"`
	// DirectoryServiceUuid is that of the built-in directory.
	DirectoryServiceUUID string `json:"DirectoryServiceUuid"`
	// Roles are the ids of the roles that the person is in, through other roles as well.
	Roles []string `json:"Roles"`
	// Groups is empty: people of the built-in directory are in none.
	Groups []string `json:"Groups"`
	// CachedAt is when it was read from the store.
	CachedAt rpc.Time `json:"CachedAt"`
}

// GetCachedUser returns what this node remembers of a person to answer calls of their sessions, with their roles, and null of
// anybody who has none here. Display name and mail address are the directory's: they are not remembered. users.yaml n 101.
func (u Users) GetCachedUser(_ context.Context, c *op.Call, in CachedRef) (*CachedUser, error) {
	who, read, ok := u.Sessions.Remembered(c, in.found.ID)
	if !ok {
		return nil, nil
	}
	return &CachedUser{
		UUID: who.User, Name: who.Name, DisplayName: in.found.Display, Mail: in.found.Mail, DirectoryServiceUUID: user.Source,
		Roles: who.Roles, Groups: []string{}, CachedAt: rpc.Time(read),
	}, nil
}

// ReloadUser makes every node forget what it remembers of a user, so that roles, rights and state are read from the store with
// the user's next call; the caller's own without an ID. It has nothing to do with refresh tokens. users.yaml n 125.
func (u Users) ReloadUser(ctx context.Context, c *op.Call, in UserRef) (op.None, error) {
	return op.None{}, u.reload(ctx, c, in.found.ID)
}

func (u Users) reload(ctx context.Context, c *op.Call, id string) error {
	tenant := c.Tenant.ID
	c.Tx.After(func() { u.Sessions.Reload(tenant, id) })
	return u.People.Reload(ctx, c, id)
}

// Task names what is to be done.
type Task struct {
	// Task is the path or the name of an administrative right, such as /lib/rights/dsman.json; required.
	Task string `json:"task" also:"path"`
}

// Check wants the task.
func (t *Task) Check() error { return required("task", t.Task) }

// TaskCheck says whether the caller holds an administrative right over the whole tenant, by its path or name; false where
// there is no such right. Each operation decides for itself: this is for what shows or hides commands. users.yaml n 131.
func (u Users) TaskCheck(_ context.Context, c *op.Call, in Task) (bool, error) {
	return may(c, in.Task), nil
}

// may says whether the caller holds the right of that path or name, by itself or by one that reaches as far.
func may(c *op.Call, task string) bool {
	known := right.Parse(task)
	return known != right.None && c.Caller.Held.Tenant.Reach().Has(known)
}

// AppRoleManagementCheck says whether the caller may manage both applications and roles, which is TaskCheck of a fixed task. It is
// an old form of it. deprecated.yaml n 540.
func (u Users) AppRoleManagementCheck(_ context.Context, c *op.Call, _ op.None) (bool, error) {
	return may(c, right.ApplicationManagement.Info().Path) && may(c, right.RoleManagement.Info().Path), nil
}

// TaskList names several tasks.
type TaskList struct {
	// Tasks are paths or names of administrative rights, required; a bare array is taken too. At most 200.
	Tasks []string `json:"tasks" rpc:"array,one"`
}

// Check wants some.
func (l *TaskList) Check() error {
	switch {
	case len(l.Tasks) == 0:
		return fault.Missing("tasks")
	case len(l.Tasks) > 200:
		return ErrMany.Say("At most 200 tasks can be checked in one call.")
	}
	return nil
}

// TaskChecks answers TaskCheck for several tasks: an object of the tasks as they were given, with booleans. users.yaml n 132.
func (u Users) TaskChecks(_ context.Context, c *op.Call, in TaskList) (map[string]bool, error) {
	out := make(map[string]bool, len(in.Tasks))
	for _, task := range in.Tasks {
		out[task] = may(c, task)
	}
	return out, nil
}
