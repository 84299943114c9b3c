package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"limen/internal/config"
	"limen/internal/core/key"
	"limen/internal/core/message"
	"limen/internal/crypt"
	"limen/internal/crypt/hsm"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/schema"
)

// ErrCheck says that the settings are readable, but the program could not start with them.
var ErrCheck = fault.New(fault.Invalid, "check.failed", "The program cannot start with these settings.")

// check is "limen check": it prints the settings and tries what can be tried without changing anything: the master key,
// the database and its schema, and whether the two belong together.
func (c *Commands) check(ctx context.Context, s config.Settings) error {
	if err := s.Explain(c.Out); err != nil {
		return err
	}
	fmt.Fprintln(c.Out)
	if err := checkTexts(); err != nil {
		return err
	}
	master, err := c.checkMaster(s)
	if err != nil {
		return err
	}
	if file, lite := s.SQLite(); lite {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			_, err = fmt.Fprintf(c.Out, "%s does not exist yet; the first start makes it.\n", file)
			return err
		}
	}
	return c.checkStore(ctx, s, master)
}

// checkTexts reads the texts of all languages, which the server reads as it needs them.
func checkTexts() error {
	catalog, err := message.Load()
	if err == nil {
		err = catalog.Compile()
	}
	if err != nil {
		return ErrCheck.Because(err)
	}
	return nil
}

// checkMaster reads the master key; nil when there is none yet.
func (c *Commands) checkMaster(s config.Settings) (crypt.Wrapper, error) {
	if s.Module != "" {
		m, err := hsm.Open(keyInToken(s))
		if err == nil {
			_, err = fmt.Fprintln(c.Out, "The master key is in the token.")
		}
		return m, err
	}
	if s.MasterKey != "" {
		return crypt.MasterFromText(s.MasterKey)
	}
	m, err := crypt.MasterFromFile(s.KeyFile(), false)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = fmt.Fprintf(c.Out, "%s does not exist yet; the first start makes it.\n", s.KeyFile())
		return nil, err
	}
	if err != nil {
		return nil, ErrCheck.Because(err)
	}
	_, err = fmt.Fprintln(c.Out, "The master key can be read.")
	return m, err
}

func (c *Commands) checkStore(ctx context.Context, s config.Settings, master crypt.Wrapper) error {
	db, err := dbx.Open(ctx, storeURL(s), dbx.Options{})
	if err != nil {
		return ErrCheck.Because(err)
	}
	defer db.Close()
	have, err := schema.Version(ctx, db)
	if err != nil {
		return ErrCheck.Because(err)
	}
	want, err := schema.Latest()
	if err != nil {
		return err
	}
	switch {
	case have == want:
		fmt.Fprintf(c.Out, "The database has this version's schema, %d.\n", have)
	case have < want:
		fmt.Fprintf(c.Out, "The database has schema %d; the next start, or limen migrate, brings it to %d.\n", have, want)
	default:
		fmt.Fprintf(c.Out, "The database has schema %d, which a newer version made; this version knows %d and leaves it alone.\n", have, want)
	}
	if master == nil || have == 0 {
		return nil
	}
	ring := &crypt.Ring{Master: master, Load: key.Keys{DB: db}.Seals, Now: time.Now}
	if err := ring.Check(ctx); err != nil {
		return ErrCheck.Because(err)
	}
	_, err = fmt.Fprintln(c.Out, "The master key opens the database's keys.")
	return err
}
