package acl

import (
	"slices"

	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/dbx"
	"limen/internal/fold"
)

// Table is a kind of object: its rows have access control lists, and there are sets of them.
//
// A noun that comes to have rows fills in its entry in Tables, and nothing else has to learn of it: Rows, a List of what
// rows there are, which makes its objects members of sets and rows of every operation on access control lists; Direct, when
// its own operations ask Lists.Need what callers may do; and the table of reports, which then is known to dynamic sets.
// Applications show how.
//
// Whoever makes a row calls Lists.Own for its maker, and whoever deletes one Lists.RowGone and collection.Sets.RowGone. Lists
// of rows take Lists.Shown as a condition, and views of reports Seen (internal/core/report, source).
type Table struct {
	Name   string        // as the contract spells it; Table of the operations on lists, ObjectType of sets
	Bits   []Bit         // the rights, in the order in which they are told
	Govern []right.Right // whoever holds one has every right on every row that it reaches
	See    []right.Right // whoever holds one may view every row that it reaches
	Self   string        // role.User or role.Sub where rows are principals: they may view themselves
	Set    bool          // there can be sets of it
	Direct bool          // rows carry entries of their own, and sets give rights on their members
	Report string        // table of reports; empty: none
	Title  string        // column of that table that names a row
	Rows   dbx.List[Row] // the rows there are
	Exists bool          // whether there can be rows by now: Rows is declared
}

// Row is a row of a table.
type Row struct {
	ID   string `db:"id"`
	Name string `db:"name"`
	Org  string `db:"org"`    // organization that it belongs to; empty: to none
	Type string `db:"object"` // of a set: the type of its members
}

// Names of tables that the program refers to.
const (
	Collections  = "Collections"
	User         = "User"
	Role         = "Role"
	Organization = "Organization"
)

var (
	plain = []Bit{{Name: "View", Mask: View}, {Name: "Edit", Mask: Edit}, {Name: "Delete", Mask: Delete}, {Name: "Grant", Mask: Grant}}

	setRows  = dbx.L[Row]("acl.sets", `SELECT id, name, '' AS org, object FROM collection WHERE tenant = ?`)
	userRows = dbx.L[Row]("acl.users", `SELECT id, name, org, '' AS object FROM users WHERE tenant = ?`)
	roleRows = dbx.L[Row]("acl.roles", `SELECT id, name, org, '' AS object FROM role WHERE tenant = ?`)
	appRows  = dbx.L[Row]("acl.applications", `SELECT id, name, '' AS org, '' AS object FROM app WHERE tenant = ?`)
	orgRows  = dbx.L[Row]("acl.organizations", `SELECT id, path AS name, id AS org, '' AS object FROM org WHERE tenant = ?`)

	vault       = []right.Right{right.VaultManagement}
	roleReaders = []right.Right{right.ReadRoles, right.UserManagement, right.ReadSystem, right.ReportManagement}
)

// with adds rights of a table's own to the plain ones.
func with(own ...Bit) []Bit { return slices.Concat(plain[:3], own, plain[3:]) }

// Tables is the one list of what can have access control lists and be in sets. Those without Exists have no rows yet: sets of
// them can be made and kept, and stay empty.
func Tables() []Table {
	return append(ours(), vaultTables()...)
}

func ours() []Table {
	return []Table{
		{
			Name: Collections, Direct: true, Report: "Sets", Title: "Name", Bits: plain, Exists: true, Rows: setRows,
		},
		{
			Name: User, Set: true, Self: role.User, Report: "User", Title: "Username", Bits: plain, Exists: true,
			Govern: []right.Right{right.UserManagement}, See: []right.Right{right.ReadUsers}, Rows: userRows,
		},
		{
			Name: Role, Set: true, Self: role.Sub, Report: "Role", Title: "Name", Bits: plain, Exists: true,
			Govern: []right.Right{right.RoleManagement}, See: roleReaders, Rows: roleRows,
		},
		{
			Name: Organization, Report: "Organization", Title: "Path", Bits: plain, Exists: true, See: everything(), Rows: orgRows,
		},
		{
			Name: "Application", Set: true, Direct: true, Report: "Application", Title: "Name", Govern: []right.Right{right.ApplicationManagement},
			Exists: true, Rows: appRows,
			Bits: []Bit{
				{Name: "Grant", Mask: Grant},
				{Name: "View", Mask: View},
				{Name: "Admin", Mask: View | Edit | 16},
				{Name: "ViewDetail", Mask: View | 16},
				{Name: "Delete", Mask: Delete},
				{Name: "Execute", Mask: 128, Also: "Run"},
				{Name: "Automatic", Mask: 1 << 31},
			},
		},
		{
			Name: "Device", Set: true, Direct: true, Report: "Device", Title: "Name",
			Bits:   []Bit{{Name: "View", Mask: View}, {Name: "Manage", Mask: Edit, Also: "Edit"}, {Name: "Delete", Mask: Delete}, {Name: "Grant", Mask: Grant}},
			Govern: []right.Right{right.DeviceManagement}, See: []right.Right{right.DeviceManagementLimited},
		},
	}
}

func vaultTables() []Table {
	of := func(name, report string, bits []Bit) Table {
		return Table{Name: name, Set: true, Direct: true, Report: report, Title: "Name", Bits: bits, Govern: vault}
	}
	return []Table{
		of("Server", "Server", with(
			Bit{Name: "ManageSession", Mask: 128}, Bit{Name: "AgentAuth", Mask: 65536}, Bit{Name: "RequestZoneRole", Mask: 131072},
			Bit{Name: "AddAccount", Mask: 524288}, Bit{Name: "UnlockAccount", Mask: 1048576}, Bit{Name: "OfflineRescue", Mask: 2097152},
			Bit{Name: "ManagePrivilegeElevationAssignment", Mask: 4194304},
		)),
		of("VaultAccount", "VaultAccount", []Bit{
			{Name: "Owner", Mask: Grant, Also: "Grant"},
			{Name: "View", Mask: View},
			{Name: "Manage", Mask: Edit},
			{Name: "Delete", Mask: Delete},
			{Name: "Login", Mask: 128},
			{Name: "Naked", Mask: 65536},
			{Name: "UpdatePassword", Mask: 131072},
			{Name: "UserPortalLogin", Mask: 262144},
			{Name: "RotatePassword", Mask: 524288},
			{Name: "FileTransfer", Mask: 1048576},
		}),
		of("VaultDatabase", "VaultDatabase", plain),
		of("VaultDomain", "VaultDomain", plain),
		of("DataVault", "DataVault", with(Bit{Name: "Retrieve", Mask: 65536})),
		of("SshKeys", "SshKeys", plain),
		of("Subscriptions", "Subscriptions", plain),
		of("ResourceProfiles", "ResourceProfiles", plain),
		of("CloudProviders", "CloudProviders", plain),
		of("Service", "Service", plain),
	}
}

// everything is any right.
func everything() (out []right.Right) {
	for _, i := range right.All() {
		out = append(out, i.Right)
	}
	return out
}

// Table finds a table by its name, whatever the case; ErrTable.
func (l *Lists) Table(name string) (Table, error) {
	for _, t := range l.Tables {
		if fold.Key(t.Name) == fold.Key(name) {
			return t, nil
		}
	}
	return Table{}, ErrTable.Say("There is no table %.100q.", name)
}

// governing is the table whose administrators govern a row: of a set, that of its members.
func (l *Lists) governing(o Object) Table {
	if o.Table.Name == Collections {
		if t, err := l.Table(o.Type); err == nil {
			return t
		}
	}
	return o.Table
}
