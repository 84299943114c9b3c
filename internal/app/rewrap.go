package app

import (
	"context"
	"fmt"
	"time"

	"limen/internal/config"
	"limen/internal/core/key"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

// rewrap is "limen admin rewrap-keys": it has every data key wrapped by the master key of the settings, in place of the one in a
// file. The data keys stay the same, and so does all that they protect.
func (c *Commands) rewrap(ctx context.Context, s config.Settings, from string) error {
	old, err := crypt.MasterFromFile(from, false)
	if err != nil {
		return err
	}
	now, err := (&App{Settings: s}).master()
	if err != nil {
		return err
	}
	db, err := dbx.Open(ctx, storeURL(s), dbx.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	keys := key.Keys{DB: db}
	rows, err := (&crypt.Ring{Master: old, Load: keys.Seals, Now: time.Now}).Rewrap(ctx, now)
	if err != nil {
		return err
	}
	if err := keys.Rewrap(ctx, rows); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Out, "The master key of the settings wraps all %d data keys now. Keep %s as long as you keep backups from before.\n", len(rows), from)
	return err
}
