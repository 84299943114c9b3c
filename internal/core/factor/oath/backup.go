package oath

import (
	"context"
	"encoding/base32"
	"io"
	"strings"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
)

var (
	setBackup = dbx.E("oath.backup", `UPDATE oath_profile SET backup = ?, version = version + 1 WHERE tenant = ? AND user_id = ? AND id = ? AND confirmed = ?`)
	backupsOf = dbx.Q[[]byte]("oath.backups", `SELECT backup FROM oath_profile WHERE tenant = ? AND user_id = ? AND confirmed = ? LIMIT 100`)
)

// Sizes of backup codes: 80 random bits, shown in groups.
const (
	backupBytes = 10
	backupGroup = 4
)

// Backup draws a code that stands in for a confirmed profile when it is to be removed, in place of an earlier one. Its hash alone is kept.
// Fault: ErrNotFound.
func (p Profiles) Backup(ctx context.Context, c *call.Call, userID, id string) (string, error) {
	raw := make([]byte, backupBytes)
	if _, err := io.ReadFull(c.Rand, raw); err != nil {
		return "", err
	}
	plain := base32.StdEncoding.EncodeToString(raw)
	n, err := setBackup.Do(ctx, c.Tx, crypt.TokenHash(plain), c.Tenant.ID, userID, id, true)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	var groups []string
	for rest := plain; rest != ""; rest = rest[backupGroup:] {
		groups = append(groups, rest[:backupGroup])
	}
	return strings.Join(groups, "-"), err
}

// FitsBackup says whether a text is the backup code of one of a person's profiles; case, blanks and dashes do not matter.
func (p Profiles) FitsBackup(ctx context.Context, c *call.Call, userID, text string) (bool, error) {
	rows, err := backupsOf.All(ctx, c.Tx, c.Tenant.ID, userID, true)
	if err != nil {
		return false, err
	}
	hash := crypt.TokenHash(strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(text)))
	fits := false
	for _, one := range rows {
		fits = crypt.Same(one, hash) || fits
	}
	return fits, nil
}

// HasBackup says whether any of a person's profiles has a backup code.
func (p Profiles) HasBackup(ctx context.Context, c *call.Call, userID string) (bool, error) {
	rows, err := backupsOf.All(ctx, c.Tx, c.Tenant.ID, userID, true)
	for _, one := range rows {
		if len(one) > 0 {
			return true, err
		}
	}
	return false, err
}
