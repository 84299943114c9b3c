// Package recovery is the mechanism RECOVERY: codes that a person keeps on paper, and that stand in for a further factor when they have
// lost theirs. A set has ten, each is good once, and a new set puts the old one out of use.
//
// A code is 80 random bits. That cannot be guessed, not even by whoever has the table of hashes and all machines there are, so a slow hash
// as for passwords would cost time at each attempt and protect nothing. The hash is keyed all the same (HMAC-SHA256, under a key of the
// tenant that the store has sealed alone): a copy of the table is of no use to find out whether a code that was found somewhere is one of it.
package recovery

import (
	"context"
	"io"
	"strconv"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of codes.
var (
	ErrForbidden = fault.New(fault.Denied, "recovery.forbidden", "Your policies do not let you sign in by recovery codes.")
	// ErrAlone is for those who have nothing that codes could stand in for: after the last code their password alone would be asked for.
	ErrAlone = fault.New(fault.Conflict, "recovery.alone", "Set up another further factor first: recovery codes stand in for one that is lost.")
)

// Sizes of codes.
const (
	Many   = 10 // codes of a set
	size   = 10 // random bytes of a code
	length = 16 // characters of a code
	group  = 4  // of them that are written together
	most   = 64 // characters of an answer that is looked at
)

// alphabet has no letters that are taken for digits (Crockford's base 32).
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Codes are those of the people of the call's tenant. Its fields are set before use.
type Codes struct {
	Ring *crypt.Ring
	// Allowed says whether policies let a person sign in by codes; nil: everybody may.
	Allowed func(ctx context.Context, c *call.Call, userID string) (bool, error)
	// Used runs in the transaction in which a code of a person was used, and is told how many are left; nil: nothing does.
	Used func(ctx context.Context, c *call.Call, p factor.Person, left int) error
}

type row struct {
	N       int64  `db:"n"`
	Hash    string `db:"hash"`
	Created int64  `db:"created"`
	Used    int64  `db:"used"`
}

var (
	listRows = dbx.Q[row]("recovery.list", `SELECT n, hash, created, used FROM recovery_code WHERE tenant = ? AND user_id = ? ORDER BY n LIMIT 100`)
	addRow   = dbx.E("recovery.add", `INSERT INTO recovery_code (tenant, user_id, n, hash, created, used) VALUES (?, ?, ?, ?, ?, 0)`)
	// useRow names the hash: a set may have been made anew since the answer was looked at.
	useRow   = dbx.E("recovery.use", `UPDATE recovery_code SET used = ? WHERE tenant = ? AND user_id = ? AND n = ? AND hash = ? AND used = 0`)
	dropRows = dbx.E("recovery.drop", `DELETE FROM recovery_code WHERE tenant = ? AND user_id = ?`)
)

// Set is what is known of a person's codes. Times are milliseconds since 1970 UTC.
type Set struct {
	Total, Left int
	Made        int64 // 0: there is no set
	Used        int64 // when a code was used last; 0: none was
}

// Of says what is known of a person's codes.
func (k Codes) Of(ctx context.Context, c *call.Call, userID string) (Set, error) {
	rows, err := listRows.All(ctx, c.Tx, c.Tenant.ID, userID)
	out := Set{Total: len(rows)}
	for _, r := range rows {
		out.Made, out.Used = r.Created, max(out.Used, r.Used)
		if r.Used == 0 {
			out.Left++
		}
	}
	return out, err
}

// New is a set that was drawn and is not stored yet.
type New struct {
	Codes  []string // as people read them
	hashes []string
}

// Draw draws a set for a person, outside transactions that write. The key must have been made (crypt.Ring.Ensure with PurposeRecovery).
func (k Codes) Draw(ctx context.Context, c *call.Call, userID string) (New, error) {
	var out New
	for range Many {
		plain, shown, err := NewCode(c.Rand)
		if err != nil {
			return New{}, err
		}
		mac, err := k.Ring.MAC(ctx, c.Tenant.ID, factor.PurposeRecovery, message(userID, plain))
		if err != nil {
			return New{}, err
		}
		out.Codes, out.hashes = append(out.Codes, shown), append(out.hashes, mac)
	}
	return out, nil
}

// Put stores a set in the place of the one before.
func (k Codes) Put(ctx context.Context, c *call.Call, userID string, n New) error {
	if err := k.Drop(ctx, c, userID); err != nil {
		return err
	}
	for i, hash := range n.hashes {
		if _, err := addRow.Do(ctx, c.Tx, c.Tenant.ID, userID, i+1, hash, c.Now.UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// Drop forgets a person's codes.
func (Codes) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropRows.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// May says whether policies let a person sign in by codes.
func (k Codes) May(ctx context.Context, c *call.Call, userID string) (bool, error) {
	if k.Allowed == nil {
		return true, nil
	}
	return k.Allowed(ctx, c, userID)
}

// Looks says whether a text has the form of a code, however it was typed.
func Looks(text string) bool {
	_, ok := Read(text)
	return ok
}

// Read brings a code into its form, as it was typed: case, blanks and dashes do not matter, and letters that look like digits are these.
func Read(text string) (code string, ok bool) {
	if len(text) > most {
		return "", false
	}
	var b strings.Builder
	for _, r := range strings.ToUpper(text) {
		switch r {
		case ' ', '-', '\t', '\u00a0', '\u2010', '\u2011', '\u2013':
			continue
		case 'O':
			r = '0'
		case 'I', 'L':
			r = '1'
		}
		if !strings.ContainsRune(alphabet, r) {
			return "", false
		}
		b.WriteRune(r)
	}
	return b.String(), b.Len() == length
}

// NewCode draws a code: as Read gives it, and as people read it.
func NewCode(random io.Reader) (plain, shown string, err error) {
	raw := make([]byte, size)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", "", err
	}
	plain = spell(raw)
	return plain, grouped(plain), nil
}

// spell writes bytes by the alphabet, five bits a character.
func spell(raw []byte) string {
	var out []byte
	var bits, have uint
	for _, b := range raw {
		bits, have = bits<<8|uint(b), have+8
		for have >= 5 {
			have -= 5
			out = append(out, alphabet[bits>>have&31])
		}
	}
	return string(out)
}

// grouped puts dashes between groups.
func grouped(plain string) string {
	var out []string
	for ; plain != ""; plain = plain[group:] {
		out = append(out, plain[:group])
	}
	return strings.Join(out, "-")
}

func message(userID, code string) []byte {
	return []byte(strconv.Itoa(len(userID)) + "\x00" + userID + "\x00" + code)
}
