package main

import (
	"context"
	"slices"
	"time"

	"github.com/alecthomas/kong"

	"limen/internal/app"
	"limen/internal/config"
)

// environ is the environment in the form of os.Environ.
type environ []string

// tree mounts the commands that exist. Where asked names one of them it is that one alone: to learn the flags of them all takes longer than most
// commands do.
func tree(c *app.Commands, asked string) (out []kong.Option) {
	var found kong.Option
	add := func(exists bool, name, help string, cmd any) {
		if !exists {
			return
		}
		out = append(out, kong.DynamicCommand(name, help, "", cmd))
		if name == asked {
			found = out[len(out)-1]
		}
	}
	add(c.Serve != nil, "serve", "Serve until stopped.", &serveCmd{})
	add(c.Migrate != nil, "migrate", "Bring the database to this version's schema, without serving.", &migrateCmd{})
	add(c.Backup != nil, "backup", "Write a backup while the server runs.", &backupCmd{})
	add(c.Restore != nil, "restore", "Replace the database by a backup.", &restoreCmd{})
	add(c.Reset != nil && c.Tenant != nil, "admin", "Repairs and set-up on the server's own machine.", &adminCmd{})
	add(c.Import != nil, "import", "Take people in from files.", &importCmd{})
	add(c.Audit != nil, "audit", "The audit trail.", &auditCmd{})
	add(c.Explain != nil, "explain", "Why somebody has what they have, or was refused.", &explainCmd{})
	add(c.Simulate != nil, "simulate", "What a change would do, before it is made.", &simulateCmd{})
	add(c.Try != nil, "try", "What a script of an application does for somebody.", &tryCmd{})
	add(c.Check != nil, "check", "Print the settings in effect and where each comes from.", &checkCmd{})
	add(c.Version != nil, "version", "Print the version.", &versionCmd{})
	if found != nil {
		return []kong.Option{found}
	}
	return out
}

type serveCmd struct{ config.Flags }

func (*serveCmd) Help() string {
	return `The embedded database, a local certificate, mail on a page instead of sent:

    limen serve --dev

A real host name behind a proxy, and PostgreSQL:

    LIMEN_DB=postgres://limen:secret@db/limen limen serve --listen :8080 --tls off --host id.example.com --trusted-proxy 10.0.0.0/8

Everything from a file:

    limen serve --config /etc/limen/limen.yaml

The first start of a new database makes an administrator and prints the password once; LIMEN_ADMIN_USER and
LIMEN_ADMIN_PASSWORD choose both. Clients trust DIR/tls/ca.pem.`
}

func (c *serveCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Serve(ctx, s)
}

type migrateCmd struct{ config.Flags }

func (*migrateCmd) Help() string {
	return `The server does this by itself when it starts. Run it apart to see that it works before servers are replaced:

    limen migrate --db postgres://limen@db/limen`
}

func (c *migrateCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Migrate(ctx, s)
}

type backupCmd struct {
	To string `arg:"" placeholder:"FILE" help:"File to write; it must not exist."`
	config.Flags
}

func (*backupCmd) Help() string {
	return `    limen backup --data /var/lib/limen /backup/limen-monday

Keep the master key apart from backups: without it they cannot be read, with it they can.`
}

func (c *backupCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Backup(ctx, s, c.To)
}

type restoreCmd struct {
	From  string `arg:"" placeholder:"FILE" help:"Backup to read."`
	Force bool   `help:"Replace a database that exists."`
	config.Flags
}

func (*restoreCmd) Help() string {
	return `Stop the server first.

    limen restore --data /var/lib/limen --force /backup/limen-monday`
}

func (c *restoreCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Restore(ctx, s, c.From, c.Force)
}

type adminCmd struct {
	ResetPassword resetCmd   `cmd:"" help:"Give a user a new password."`
	RecoverSignIn recoverCmd `cmd:"" help:"Let an administrator in with the password alone for a while."`
	Unblock       unblockCmd `cmd:"" help:"Switch off the blocked ranges that have an address."`
	AddTenant     tenantCmd  `cmd:"" help:"Add a tenant."`
	RewrapKeys    rewrapCmd  `cmd:"" help:"Change the master key."`
}

type rewrapCmd struct {
	From string `required:"" placeholder:"FILE" help:"File of the master key so far."`
	config.Flags
}

func (*rewrapCmd) Help() string {
	return `Stop all servers first. The settings name the new master key: a file, which is made where there is none, or a key in a token.

    limen admin rewrap-keys --from /var/lib/limen/master.key --data /var/lib/limen --pkcs11-module /usr/lib/softhsm/libsofthsm2.so \
        --pkcs11-token vault --pkcs11-pin-file /etc/limen/pin`
}

func (c *rewrapCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Rewrap(ctx, s, c.From)
}

type resetCmd struct {
	User   string `arg:"" placeholder:"USER" help:"Login name."`
	Tenant string `placeholder:"ID" help:"Tenant of the user; the only one without it."`
	Stdin  bool   `help:"Read the password from standard input instead of printing a drawn one."`
	config.Flags
}

func (*resetCmd) Help() string {
	return `A drawn password, printed once, that must be changed at the next login:

    limen admin reset-password admin@example.com

Your own:

    limen admin reset-password --stdin admin@example.com < password.txt`
}

func (c *resetCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Reset(ctx, s, app.PasswordReset{Tenant: c.Tenant, User: c.User, Stdin: c.Stdin})
}

type recoverCmd struct {
	User   string        `arg:"" placeholder:"USER" help:"Login name of a system administrator."`
	For    time.Duration `default:"15m" help:"How long, from 1m to 24h; 0 ends it (${default})."`
	Tenant string        `placeholder:"ID" help:"Tenant of the user; the only one without it."`
	config.Flags
}

func (*recoverCmd) Help() string {
	return `When policies, profiles or settings let no administrator in any more:

    limen admin recover-sign-in admin@example.com --for 15m

The password is needed as ever; reset-password draws another one. Repair the policies in that time.`
}

func (c *recoverCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Recover(ctx, s, app.Recovery{Tenant: c.Tenant, User: c.User, Lasts: c.For})
}

type unblockCmd struct {
	Address string `arg:"" placeholder:"ADDRESS" help:"Address of whoever is kept out."`
	Tenant  string `placeholder:"ID" help:"Tenant whose ranges are switched off; the only one without it."`
	config.Flags
}

func (*unblockCmd) Help() string {
	return `    limen admin unblock 192.0.2.7`
}

func (c *unblockCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Unblock(ctx, s, app.Unblocking{Tenant: c.Tenant, Address: c.Address})
}

type tenantCmd struct {
	ID       string   `arg:"" placeholder:"ID" help:"Identifier of the tenant."`
	Suffixes []string `name:"suffix" placeholder:"SUFFIX" help:"Login suffix; may be given several times."`
	Names    []string `name:"tenant-host" placeholder:"NAME" help:"Host name that selects the tenant; may be given several times."`
	config.Flags
}

func (*tenantCmd) Help() string {
	return `    limen admin add-tenant ABC1234 --suffix example.com --tenant-host abc1234.id.example.com`
}

func (c *tenantCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Tenant(ctx, s, app.NewTenant{ID: c.ID, Suffixes: c.Suffixes, Hosts: c.Names})
}

type importCmd struct {
	Users usersCmd `cmd:"" help:"Create the users that a CSV file lists."`
}

type usersCmd struct {
	File   string   `arg:"" placeholder:"FILE" help:"CSV file of at most 10,000 users and 10 MB; - reads standard input."`
	Tenant string   `placeholder:"ID" help:"Tenant of the users; the only one without it."`
	DryRun bool     `help:"Check the file and import nothing."`
	Report string   `placeholder:"MAIL" help:"Mail the report to this address, too."`
	Invite []string `enum:"mail,sms" placeholder:"mail,sms" help:"Invite the new users by mail, by text message, or both."`
	config.Flags
}

func (*usersCmd) Help() string {
	return `A file begins with the names of its columns. Login Name and Email Address must be there; Display Name, Office Number, Home Number,
Mobile Number, Description, Roles, Password, Require Password Change, Expiration Date, Password Never Expires, Organization,
Preferred Culture, Service User, In Everybody Role and System Administrator may be:

    Login Name,Display Name,Email Address,Roles,Password
    joe@example.com,"Smith, Joe",joe@example.com,"Sales,Support",Purple-Staple-7-Wagon

See first that nothing is wrong with it; everything that is, is listed by line and column:

    limen import users --data /var/lib/limen --dry-run people.csv

Then create the users, while the server runs or not, and invite them by mail, which the server sends:

    limen import users --data /var/lib/limen --invite mail people.csv

Users who exist already are left as they are, so that the same file can be imported again. Ctrl-C ends an import after the batch
that it is at; what was created stays. When the program dies, the server goes on with the import, or the next import does.`
}

func (c *usersCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Import(ctx, s, app.UserImport{
		Tenant: c.Tenant, File: c.File, DryRun: c.DryRun, Report: c.Report,
		ByMail: slices.Contains(c.Invite, "mail"), BySMS: slices.Contains(c.Invite, "sms"),
	})
}

type auditCmd struct {
	Verify verifyCmd `cmd:"" help:"Verify that no audit event was changed or removed."`
}

type verifyCmd struct {
	Tenant string `placeholder:"ID" help:"One tenant; all without it."`
	config.Flags
}

func (*verifyCmd) Help() string {
	return `    limen audit verify --data /var/lib/limen`
}

func (c *verifyCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Audit(ctx, s, c.Tenant)
}

type checkCmd struct{ config.Flags }

func (*checkCmd) Help() string {
	return `Takes the same settings as serve, changes nothing, and hides secrets:

    limen check --config /etc/limen/limen.yaml`
}

func (c *checkCmd) Run(ctx context.Context, k *kong.Context, env environ, do *app.Commands) error {
	s, err := c.Resolve(k, env)
	if err != nil {
		return err
	}
	return do.Check(ctx, s)
}

type versionCmd struct{}

func (*versionCmd) Run(ctx context.Context, do *app.Commands) error { return do.Version(ctx) }
