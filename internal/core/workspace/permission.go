package workspace

import (
	"slices"
	"strings"

	"limen/internal/core/right"
)

// Level is what somebody may do with a feature.
type Level string

// The levels.
const (
	Read    Level = "read"
	Create  Level = "create"
	Update  Level = "update"
	Delete  Level = "delete"
	Execute Level = "execute"
)

// Permission is a feature as clients of the dialect name it, with the rights of which one is enough at each level. A level without
// rights does not exist. Rights count over the workspace.
type Permission struct {
	Name   string // such as settings_users
	Group  string // module, as lists show it
	Title  string
	Levels map[Level][]right.Right
}

var order = []Level{Read, Create, Update, Delete, Execute}

// Known lists the levels that the permission has, in their order.
func (p Permission) Known() []Level {
	return slices.DeleteFunc(slices.Clone(order), func(l Level) bool { return len(p.Levels[l]) == 0 })
}

// people and roles are permissions that come with the management of these, or to read with the right to read them.
func people(name, group, title string, levels ...Level) Permission {
	return of(name, group, title, right.UserManagement, right.ReadUsers, levels)
}

func roles(name, group, title string, levels ...Level) Permission {
	return of(name, group, title, right.RoleManagement, right.ReadRoles, levels)
}

func of(name, group, title string, manage, read right.Right, levels []Level) Permission {
	p := Permission{name, group, title, map[Level][]right.Right{Read: {manage, read}}}
	for _, l := range levels {
		p.Levels[l] = []right.Right{manage}
	}
	return p
}

// Permissions are all there are. Each right means the same here and at every other surface.
var Permissions = []Permission{
	people("settings_users", "Users", "Users and invitations", Create, Update, Delete),
	people("settings_users_mfa", "Users", "Second factors of users", Update),
	people("settings_users_password_policy", "Users", "Password rule of users", Update),
	people("settings_users_ip_policy", "Users", "Addresses from which users enter", Update),
	people("settings_managed_domains", "Users", "Managed domains", Create, Delete),
	roles("settings_roles", "Roles", "Roles and role groups", Create, Update, Delete),
	people("settings_customers_iam_general", "Customers", "General sign-in settings", Update),
	people("settings_customers_iam_locking_policy", "Customers", "Lock-out rule", Update),
	people("settings_customers_iam_templates", "Customers", "E-mail templates", Update),
	people("settings_customers_iam_device_control", "Customers", "Unknown devices", Update),
	people("settings_customers_iam_oauth", "Customers", "Sign-in with other providers", Update),
	people("settings_customers_iam_synerise", "Customers", "Accounts and passwords", Update),
}

// Find finds a permission by its name.
func Find(name string) (Permission, bool) {
	i := slices.IndexFunc(Permissions, func(p Permission) bool { return p.Name == name })
	if i < 0 {
		return Permission{}, false
	}
	return Permissions[i], true
}

// Granted lists the levels of the permission that somebody has over a workspace.
func (p Permission) Granted(h right.Held, workspace string) []Level {
	return slices.DeleteFunc(p.Known(), func(l Level) bool {
		return !slices.ContainsFunc(p.Levels[l], func(r right.Right) bool { return h.Over(r, workspace) })
	})
}

// Authorities lists what somebody may do in a workspace, each as name:level.
func Authorities(h right.Held, workspace string) []string {
	out := []string{}
	for _, p := range Permissions {
		for _, l := range p.Granted(h, workspace) {
			out = append(out, p.Name+":"+string(l))
		}
	}
	return out
}

// Holds says whether somebody has a permission over a workspace, named as name:level, or by its name alone at any level.
func Holds(h right.Held, workspace, name string) bool {
	name, level, one := strings.Cut(name, ":")
	p, ok := Find(name)
	if !ok {
		return false
	}
	granted := p.Granted(h, workspace)
	if one {
		return slices.Contains(granted, Level(level))
	}
	return len(granted) > 0
}
