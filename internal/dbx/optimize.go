package dbx

import "context"

// Optimize renews the statistics by which the engine chooses indexes. PostgreSQL does so by itself.
func (d *DB) Optimize(ctx context.Context) error {
	if d.engine != SQLite {
		return nil
	}
	for _, text := range []string{"PRAGMA analysis_limit = 1000", "PRAGMA optimize = 0x10002"} {
		if _, err := d.SQL().ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}
