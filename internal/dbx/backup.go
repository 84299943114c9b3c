package dbx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"limen/internal/fault"
)

var (
	// ErrBackupEngine says that PostgreSQL's own tools make its backups.
	ErrBackupEngine = fault.New(fault.Invalid, "backup.engine", "This store is on PostgreSQL: use pg_dump or the server's continuous archiving.")
	// ErrBackupExists says that a backup would overwrite a file.
	ErrBackupExists = fault.New(fault.Exists, "backup.exists", "A file of that name exists; backups never overwrite.")
	// ErrBackup says that the copy could not be made.
	ErrBackup = fault.New(fault.Unavailable, "backup.failed", "The backup could not be written.")
)

// backup copies the store with VACUUM INTO on a connection of its own: one snapshot, while others read and write. The
// copy gets its name when it is complete and on disk.
func (d *lite) backup(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return ErrBackup.Because(err)
	}
	if _, err := os.Lstat(path); err == nil {
		return ErrBackupExists
	} else if !errors.Is(err, fs.ErrNotExist) {
		return ErrBackup.Because(err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(path), ".backup-*")
	if err != nil {
		return ErrBackup.Say("The backup could not be written: %v", err)
	}
	defer os.RemoveAll(tmp)
	part := filepath.Join(tmp, "part")
	if err := d.vacuumInto(ctx, part); err != nil {
		return ErrBackup.Because(err)
	}
	if err := seal(part); err != nil {
		return ErrBackup.Because(err)
	}
	// Link refuses an existing name, which Rename would replace.
	if err := os.Link(part, path); errors.Is(err, fs.ErrExist) {
		return ErrBackupExists
	} else if err != nil {
		return ErrBackup.Because(err)
	}
	if err := seal(filepath.Dir(path)); err != nil {
		return ErrBackup.Because(err)
	}
	return nil
}

func (d *lite) vacuumInto(ctx context.Context, part string) error {
	c, err := dialLite(d.path, true)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.run("PRAGMA busy_timeout=30000"); err != nil {
		return err
	}
	s, err := c.prepare("VACUUM INTO ?")
	if err != nil {
		return err
	}
	c.under(ctx)
	if err := s.bind([]any{part}); err != nil {
		return err
	}
	defer s.finalize()
	if _, err := s.exec(); err != nil {
		return err
	}
	if err := os.Chmod(part, 0o600); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// seal syncs a file or directory to disk.
func seal(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
