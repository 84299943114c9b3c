package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"limen/internal/config"
	"limen/internal/core/audit"
	"limen/internal/core/password"
	"limen/internal/core/tenant"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/schema"
)

// Faults of commands.
var (
	ErrExists   = fault.New(fault.Exists, "restore.exists", "A database exists already. Stop the server, and use --force to replace it.")
	ErrNoFile   = fault.New(fault.NotFound, "restore.no_file", "The backup cannot be read.")
	ErrOnlyLite = fault.New(fault.Invalid, "backup.postgres", "PostgreSQL has its own tools for this: pg_dump and pg_restore. Keep the master key apart from the dump.")
	ErrNobody   = fault.New(fault.NotFound, "admin.user", "There is no such user.")
	ErrWhich    = fault.New(fault.Invalid, "admin.tenant", "There are several tenants: name one with --tenant.")
	ErrEmpty    = fault.New(fault.NotFound, "admin.empty", "There is nothing in this database yet: limen serve makes the first tenant and its administrator.")
	ErrTampered = fault.New(fault.Conflict, "audit.tampered", "The audit trail is not as it was written.")
)

// quiet opens the program for a command: warnings go to standard error, nothing runs in the background.
func quiet(ctx context.Context, s config.Settings) (*App, error) {
	return Open(ctx, s, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
}

// migrate is "limen migrate".
func (c *Commands) migrate(ctx context.Context, s config.Settings) error {
	db, err := dbx.Open(ctx, storeURL(s), dbx.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	from, to, err := schema.Apply(ctx, db)
	if err != nil {
		return err
	}
	if from == to {
		_, err = fmt.Fprintf(c.Out, "The schema is at version %d already.\n", to)
		return err
	}
	_, err = fmt.Fprintf(c.Out, "The schema went from version %d to %d.\n", from, to)
	return err
}

// backup is "limen backup": an online, consistent copy of the embedded database.
func (c *Commands) backup(ctx context.Context, s config.Settings, to string) error {
	if _, lite := s.SQLite(); !lite {
		return ErrOnlyLite
	}
	db, err := dbx.Open(ctx, storeURL(s), dbx.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.Backup(ctx, to); err != nil {
		return err
	}
	info, err := os.Stat(to)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "Wrote %s, %d bytes. Keep %s apart from it: both together open every secret.\n", to, info.Size(), s.KeyFile())
	return err
}

// restore is "limen restore". The backup is checked before anything is replaced, and replaces the database in one step.
func (c *Commands) restore(ctx context.Context, s config.Settings, from string, force bool) error {
	file, lite := s.SQLite()
	if !lite {
		return ErrOnlyLite
	}
	if _, err := os.Stat(file); err == nil && !force {
		return ErrExists
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	staged := file + ".restoring"
	if err := copyFile(from, staged); err != nil {
		return err
	}
	defer os.Remove(staged)
	version, err := inspect(ctx, staged)
	if err != nil {
		return ErrNoFile.Because(err)
	}
	for _, side := range []string{"-wal", "-shm"} {
		if err := os.Remove(file + side); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := os.Rename(staged, file); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "Restored %s, schema version %d. The next start brings it to this version's schema.\n", file, version)
	return err
}

// inspect opens a database file to see that it is one of ours; it leaves no side files.
func inspect(ctx context.Context, file string) (int64, error) {
	db, err := dbx.Open(ctx, "sqlite:"+file, dbx.Options{})
	if err != nil {
		return 0, err
	}
	version, err := schema.Version(ctx, db)
	if err == nil && version == 0 {
		err = errors.New("the file is an empty database")
	}
	return version, errors.Join(err, db.Close())
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return ErrNoFile.Because(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// reset is "limen admin reset-password": the way back in for whoever owns the machine. It ends the person's sessions
// and lifts a lock.
func (c *Commands) reset(ctx context.Context, s config.Settings, r PasswordReset) error {
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	id, err := a.tenantOf(ctx, tenant.Hint{Tenant: r.Tenant, Login: r.User})
	if err != nil {
		return err
	}
	plain, err := c.newPassword(a, r)
	if err != nil {
		return err
	}
	if err := a.ResetPassword(ctx, id, r.User, plain, !r.Stdin); err != nil {
		return err
	}
	if r.Stdin {
		_, err = fmt.Fprintln(c.Out, "The password is set.")
		return err
	}
	_, err = fmt.Fprintf(c.Out, "Password %s (shown this once; it must be changed at the next sign-in)\n", plain)
	return err
}

func (c *Commands) newPassword(a *App, r PasswordReset) (string, error) {
	if !r.Stdin {
		return password.Default.Generate(a.Hasher.Random, 20)
	}
	line, err := bufio.NewReader(io.LimitReader(c.In, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// tenantOf is the tenant that a command is about: the one that is named or that a login name belongs to, or the only one.
func (a *App) tenantOf(ctx context.Context, h tenant.Hint) (string, error) {
	t, err := a.Index.Find(ctx, h, "")
	if !errors.Is(err, tenant.ErrUnknown) {
		return t.ID, err
	}
	all, lerr := a.Index.All(ctx)
	switch {
	case lerr != nil:
		return "", lerr
	case len(all) == 0:
		return "", ErrEmpty
	case h.Tenant == "":
		return "", ErrWhich
	}
	return "", err
}

// ResetPassword sets a person's password, ends their sessions and lifts what bars them; force makes them choose
// another one at the next sign-in.
func (a *App) ResetPassword(ctx context.Context, tenantID, name, plain string, force bool) error {
	c := a.Shell(tenantID)
	var u user.User
	err := c.Snapshot(ctx, func() (err error) { u, err = a.People.ByIDOrName(ctx, c, name); return err })
	if errors.Is(err, user.ErrNotFound) {
		return ErrNobody
	}
	if err != nil {
		return err
	}
	hash, err := a.Passwords.Prepare(ctx, c, password.Change{
		User: u.ID, Names: password.Names{Login: u.Name, Display: u.Display, Mail: u.Mail}, Plain: plain, Reset: true,
	})
	if err != nil {
		return err
	}
	return a.Write(ctx, c, audit.PasswordSet, func(ctx context.Context) error {
		c.Event.Target, c.Event.Kind, c.Event.Name, c.Event.User, c.Event.Login = u.ID, "User", u.Name, u.ID, u.Name
		if err := a.Passwords.Put(ctx, c, u.ID, hash, force); err != nil {
			return err
		}
		_, err := a.Sessions.EndAll(ctx, c, u.ID, "")
		return err
	})
}

// tenant is "limen admin add-tenant".
func (c *Commands) tenant(ctx context.Context, s config.Settings, n NewTenant) error {
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	suffix := strings.ToLower(n.ID)
	if len(n.Suffixes) > 0 {
		suffix = n.Suffixes[0]
	}
	made, _, admin, err := a.AddTenant(ctx, tenant.New{ID: n.ID, Name: n.ID, Suffix: suffix, Hosts: n.Hosts}, Admin{Name: "admin@" + suffix})
	if err != nil {
		return err
	}
	if len(n.Suffixes) > 1 {
		sc := a.Shell(made.ID)
		for _, more := range n.Suffixes[1:] {
			err := a.Write(ctx, sc, audit.SuffixCreate, func(ctx context.Context) error {
				return a.Tenants.SetSuffix(ctx, sc, tenant.Suffix{Name: more, Mapped: more, Cds: true})
			})
			if err != nil {
				return err
			}
		}
	}
	_, err = fmt.Fprintf(c.Out, "Tenant %s\nAdministrator %s\nPassword %s (shown this once)\n", made.ID, admin.Name, admin.Password)
	return err
}

// audit is "limen audit verify". It exits with an error when anything is not as it was written.
func (c *Commands) audit(ctx context.Context, s config.Settings, tenantID string) error {
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	ids := []string{strings.ToUpper(tenantID)}
	if tenantID == "" {
		if ids, err = a.Index.All(ctx); err != nil {
			return err
		}
	}
	bad := false
	for _, id := range ids {
		r, err := a.Audit.Verify(ctx, id, nil)
		if err != nil {
			return err
		}
		bad = c.report(r) || bad
	}
	if bad {
		return ErrTampered
	}
	return nil
}

func (c *Commands) report(r audit.Report) (bad bool) { return describe(c.Out, r) }

// describe prints what a verification found.
func describe(to io.Writer, r audit.Report) (bad bool) {
	fmt.Fprintf(to, "%s: %d events as they were sealed, links %d to %d, %d checkpoints, %d events not sealed yet\n",
		r.Tenant, r.Events, r.From, r.To, r.Checkpoints, r.Unsealed)
	for _, p := range r.Problems {
		fmt.Fprintln(to, "  ", p)
	}
	if r.More > 0 {
		fmt.Fprintf(to, "   and %d more\n", r.More)
	}
	return len(r.Problems) > 0
}
