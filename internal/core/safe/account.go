package safe

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of accounts.
var (
	ErrNoAccount   = fault.New(fault.NotFound, "safe.account_not_found", "There is no such account.")
	ErrAccountName = fault.New(fault.Invalid, "safe.account_name", "The name of an account has 1 to 170 characters, and no control characters.")
	ErrAccountTwin = fault.New(fault.Exists, "safe.account_exists", "An account of that name is in the safe already.")
	ErrType        = fault.New(fault.Invalid, "safe.account_type", "The type of an account is password or key.")
	ErrProperties  = fault.New(fault.Invalid, "safe.properties", "An account has up to 100 properties, each with a name of its own of 1 to 100 characters and up to 1000 characters.")
	ErrSecret      = fault.New(fault.Invalid, "safe.secret", "A secret has up to 32768 bytes.")
	ErrCrowded     = fault.New(fault.Conflict, "safe.crowded", "The safe has as many accounts as it may have.")
)

// Limits of accounts.
const (
	maxAccounts    = 20_000 // of a safe
	maxAccountName = 170    // characters
	maxProperties  = 100
	maxPropertyKey = 100
	maxProperty    = 1000
	maxSecret      = 32 << 10 // bytes
)

// Purpose is what secrets are sealed for.
const Purpose = "safe"

// Property is something that is said of an account. It is no secret.
type Property struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Details are what is said of an account.
type Details struct {
	Name        string `db:"name"` // unique in the safe, whatever its case
	Description string `db:"description"`
	Type        string `db:"type"` // password or key
	Folder      string `db:"folder"`
	Written     string `db:"properties"` // as they are stored; SetProperties sets them
	Machines    string `db:"machines"`   // those from which it is used, parted by ;
	Restricted  string `db:"restricted"` // whether it is used from those alone
}

// Properties are the account's.
func (d Details) Properties() (out []Property) {
	if err := json.Unmarshal([]byte(d.Written), &out); err != nil {
		return nil
	}
	return out
}

// SetProperties sets them; ErrProperties.
func (d *Details) SetProperties(ps []Property) error {
	seen := map[string]bool{}
	for _, p := range ps {
		key := fold.Key(p.Key)
		if key == "" || seen[key] || utf8.RuneCountInString(p.Key) > maxPropertyKey || utf8.RuneCountInString(p.Value) > maxProperty || !plain(p.Key) || !plain(p.Value) {
			return ErrProperties.At("properties")
		}
		seen[key] = true
	}
	if len(ps) > maxProperties {
		return ErrProperties.At("properties")
	}
	b, err := json.Marshal(append([]Property{}, ps...))
	d.Written = string(b)
	return err
}

func (d *Details) check() error {
	d.Name = strings.TrimSpace(d.Name)
	switch {
	case fold.Key(d.Name) == "" || utf8.RuneCountInString(d.Name) > maxAccountName || !plain(d.Name):
		return ErrAccountName.At("name")
	case d.Type != "password" && d.Type != "key":
		return ErrType.At("type")
	}
	if d.Folder == "" {
		d.Folder = "Root"
	}
	if d.Written == "" {
		d.Written = "[]"
	}
	for name, s := range map[string]string{"description": d.Description, "folder": d.Folder, "remoteMachines": d.Machines, "accessRestrictedToRemoteMachines": d.Restricted} {
		if utf8.RuneCountInString(s) > maxProperty || !plain(s) {
			return ErrText.At(name).Say("%s has up to %d characters, and no control characters.", name, maxProperty)
		}
	}
	return nil
}

// Account is an account in a safe. Times are milliseconds since 1970 UTC.
type Account struct {
	ID  string `db:"id"`  // UUID
	Ref string `db:"ref"` // by which dialects name it: two numbers with an underscore between them
	Details
	NameKey  string `db:"name_key"`
	Safe     string `db:"safe"` // UUID
	SafeName string `db:"safe_name"`
	SafeKey  string `db:"safe_key"`
	Org      string `db:"org"`    // of the safe
	Sealed   bool   `db:"sealed"` // whether it has a secret
	Created  int64  `db:"created"`
	Changed  int64  `db:"changed"`
	Version  int64  `db:"version"`
}

var (
	accounts = dbx.L[Account]("safe.accounts", `SELECT a.id AS id, a.ref AS ref, a.name AS name, a.name_key AS name_key, a.description AS description, a.type AS type,
		a.folder AS folder, a.properties AS properties, a.machines AS machines, a.restricted AS restricted, a.safe AS safe, s.name AS safe_name,
		s.name_key AS safe_key, s.org AS org, a.sealed <> '' AS sealed, a.created AS created, a.changed AS changed, a.version AS version
		FROM safe_account a JOIN safe s ON s.tenant = a.tenant AND s.id = a.safe WHERE a.tenant = ?`)
	holds   = dbx.Q[int64]("safe.holds", `SELECT count(*) FROM safe_account WHERE tenant = ? AND safe = ?`)
	sealed  = dbx.Q[string]("safe.sealed", `SELECT sealed FROM safe_account WHERE tenant = ? AND id = ?`)
	counted = dbx.Q[int64]("safe.counted", `SELECT accounts FROM safe WHERE tenant = ? AND id = ?`)
	touch   = dbx.E("safe.touch", `UPDATE safe SET accounts = accounts + ?, retained = CASE WHEN retained > ? THEN retained ELSE ? END, changed = ?, version = version + 1
		WHERE tenant = ? AND id = ?`)
	keep = dbx.E("safe.keep", `INSERT INTO safe_account (tenant, id, ref, safe, name, name_key, description, type, folder, properties, machines, restricted, sealed,
		created, changed, version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant, safe, name_key) DO NOTHING`)
	alter = dbx.E("safe.alter", `UPDATE safe_account SET name = ?, name_key = ?, description = ?, type = ?, folder = ?, properties = ?, machines = ?, restricted = ?,
		changed = ?, version = version + 1 WHERE tenant = ? AND id = ?`)
	reseal = dbx.E("safe.reseal", `UPDATE safe_account SET sealed = ? WHERE tenant = ? AND id = ?`)
	drop   = dbx.E("safe.drop_account", `DELETE FROM safe_account WHERE tenant = ? AND id = ?`)
)

// Secret is a secret, sealed, and the account that it is for.
type Secret struct {
	Account string // UUID
	sealed  string
}

// Seal seals a secret of an account; without a UUID of one that is to be made. It runs outside transactions. ErrSecret.
func (s *Safes) Seal(ctx context.Context, c *call.Call, id, plain string) (*Secret, error) {
	if len(plain) > maxSecret {
		return nil, ErrSecret.At("password")
	}
	if id == "" {
		id = c.NewID()
	}
	text, err := s.Ring.Seal(ctx, c.Tenant.ID, Purpose, []byte(plain), bound(id))
	return &Secret{id, text}, err
}

// bound is what a secret is sealed with: it opens as that account's alone.
func bound(id string) string { return "account " + id }

// listed holds for the accounts that the caller may list.
func listed(c *call.Call, g grant.Grant) dbx.Clause {
	return reached(c, g, "safe", "org", ListAccounts)
}

// Accounts gives a page of the accounts in safes that the grant, which is one by Vault Management, allows, or where the caller may list them.
func (s *Safes) Accounts(ctx context.Context, c *call.Call, g grant.Grant, p Pick) ([]Account, error) {
	return page(ctx, c, accounts, listed(c, g), p)
}

// CountAccounts counts what Accounts gives.
func (s *Safes) CountAccounts(ctx context.Context, c *call.Call, g grant.Grant, where dbx.Clause) (int64, error) {
	return accounts.Count(ctx, c.Tx, dbx.And(listed(c, g), where), c.Tenant.ID)
}

// Holding holds, of a column of safes' UUIDs, for those with an account that the caller may list and that meets a condition.
func Holding(c *call.Call, g grant.Grant, column string, where dbx.Clause) dbx.Clause {
	return dbx.InList(column, accounts, "safe", dbx.And(listed(c, g), where), c.Tenant.ID)
}

// Column gives an account's values in the columns of an order.
func (a Account) Column(order []dbx.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		out[i] = map[string]any{"id": a.ID, "ref": a.Ref, "name_key": a.NameKey, "type": a.Type, "created": a.Created, "changed": a.Changed}[o.Column]
	}
	return out
}

// Account finds an account that the caller may list; ErrNoAccount.
func (s *Safes) Account(ctx context.Context, c *call.Call, ref string) (Account, error) {
	rows, err := accounts.Rows(ctx, c.Tx, dbx.Eq("ref", ref), nil, 1, c.Tenant.ID)
	if err != nil {
		return Account{}, err
	}
	if len(rows) == 0 {
		return Account{}, ErrNoAccount
	}
	v, err := s.Find(ctx, c, rows[0].SafeName)
	if errors.Is(err, ErrNotFound) || err == nil && !v.Rights.Has(ListAccounts) {
		err = ErrNoAccount
	}
	if err != nil {
		return Account{}, err
	}
	return rows[0], nil
}

// Reveal opens the secret of an account; empty: it has none. It takes RetrieveAccounts, by an entry: who administers the safe has it not by that.
// Faults: ErrNoAccount, ErrDenied.
func (s *Safes) Reveal(ctx context.Context, c *call.Call, ref string) ([]byte, error) {
	a, err := s.Account(ctx, c, ref)
	if err != nil {
		return nil, err
	}
	saidOf(c, a)
	v, err := s.Find(ctx, c, a.SafeName)
	if err == nil && !v.Rights.Has(RetrieveAccounts) {
		err = ErrDenied
	}
	if err != nil {
		return nil, err
	}
	text, err := sealed.One(ctx, c.Tx, c.Tenant.ID, a.ID)
	if err != nil || text == "" {
		return nil, err
	}
	return s.Ring.Open(ctx, c.Tenant.ID, Purpose, text, bound(a.ID))
}

func saidOf(c *call.Call, a Account) {
	if e := c.Event; e != nil {
		e.Target, e.Kind, e.Name = a.ID, "Account", a.Name
		e.Set("Safe", a.SafeName)
	}
}
