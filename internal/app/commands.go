// Package app wires the program: every constructor call is here.
package app

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"limen/internal/config"
)

// Commands are what the command line can do. A command whose function is nil does not exist on it.
type Commands struct {
	In  io.Reader
	Out io.Writer

	Serve   func(context.Context, config.Settings) error
	Migrate func(context.Context, config.Settings) error
	// Backup writes the database and the master key's data to a file that must not exist yet.
	Backup func(ctx context.Context, s config.Settings, to string) error
	// Restore replaces the database by a backup; over an existing one only with force.
	Restore func(ctx context.Context, s config.Settings, from string, force bool) error
	Reset   func(context.Context, config.Settings, PasswordReset) error
	Tenant  func(context.Context, config.Settings, NewTenant) error
	// Rewrap has the master key of the settings protect what the one in a file has protected.
	Rewrap func(ctx context.Context, s config.Settings, from string) error
	// Recover and Unblock undo a lock-out by policies, and by blocked addresses.
	Recover func(context.Context, config.Settings, Recovery) error
	Unblock func(context.Context, config.Settings, Unblocking) error
	// Import creates users from a file.
	Import func(context.Context, config.Settings, UserImport) error
	// Audit verifies the chain of audit events of a tenant, or of all for an empty one.
	Audit func(ctx context.Context, s config.Settings, tenant string) error
	// Explain tells why somebody has what they have, or was refused.
	Explain func(context.Context, config.Settings, Inquiry) error
	// Simulate tells what a change would do.
	Simulate func(context.Context, config.Settings, Rehearsal) error
	// Try runs a script of an application, and changes nothing.
	Try     func(context.Context, config.Settings, ScriptTrial) error
	Check   func(context.Context, config.Settings) error
	Version func(context.Context) error
}

// PasswordReset gives a user a new password, from In or, without Stdin, a drawn one that is printed once.
type PasswordReset struct {
	Tenant, User string
	Stdin        bool
}

// NewTenant is a tenant to add.
type NewTenant struct {
	ID       string
	Suffixes []string // login suffixes
	Hosts    []string
}

// Wire gives the commands of this program, reading from in and printing to out.
func Wire(in io.Reader, out io.Writer) *Commands {
	c := &Commands{In: in, Out: out}
	c.Check, c.Version, c.Serve, c.Migrate = c.check, c.version, c.serve, c.migrate
	c.Backup, c.Restore, c.Reset, c.Tenant, c.Audit = c.backup, c.restore, c.reset, c.tenant, c.audit
	c.Rewrap = c.rewrap
	c.Import, c.Explain, c.Simulate, c.Try = c.importUsers, c.inquire, c.rehearse, c.try
	c.Recover, c.Unblock = c.recoverSignIn, c.unblock
	return c
}

// Version is the program's version: the module's, or the revision it was built from.
func Version() string {
	version, revision, _ := build()
	if version == "(devel)" || version == "" {
		return cmp.Or(revision, "devel")
	}
	return version
}

func build() (version, revision string, modified bool) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown", "", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	return info.Main.Version, revision, modified
}

// version prints the version, and what it was built from and with.
func (c *Commands) version(context.Context) error {
	version, revision, modified := build()
	if modified {
		revision += " (modified)"
	}
	_, err := fmt.Fprintf(c.Out, "limen %s %s %s %s/%s\n", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
