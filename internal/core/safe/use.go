package safe

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/grant"
	"limen/internal/dbx"
)

// overAccounts are the rights that say what may be done with an account.
const overAccounts = UseAccounts | RetrieveAccounts | ListAccounts | UpdateAccountContent | UpdateAccountProperties | InitiateCPMAccountManagementOperations |
	SpecifyNextAccountContent | RenameAccounts | DeleteAccounts | UnlockAccounts | AccessWithoutConfirmation | MoveAccountsAndFolders

// Use is what a member of a safe may do with an account in it. Times are milliseconds since 1970 UTC.
type Use struct {
	Ref       string `db:"ref"`  // of the account
	Name      string `db:"name"` // of the account
	NameKey   string `db:"name_key"`
	Safe      string `db:"safe"` // UUID
	Org       string `db:"org"`  // of the safe
	Kind      string `db:"kind"` // role.User or role.Sub
	Principal string `db:"principal"`
	Who       string `db:"who"` // login name, or name of the role
	Bits      int64  `db:"rights"`
	Until     int64  `db:"until"`
	Created   int64  `db:"created"` // when the membership was
	Changed   int64  `db:"changed"`
}

// Rights are those that say what may be done with the account.
func (u Use) Rights() Rights { return Rights(u.Bits) & overAccounts }

var uses = dbx.L[Use]("safe.uses", `SELECT a.ref AS ref, a.name AS name, a.name_key AS name_key, a.safe AS safe, s.org AS org, m.kind AS kind, m.principal AS principal,
	COALESCE(u.name, r.name, '') AS who, m.rights AS rights, m.until AS until, m.created AS created, m.changed AS changed
	FROM safe_account a JOIN safe s ON s.tenant = a.tenant AND s.id = a.safe JOIN safe_member m ON m.tenant = a.tenant AND m.safe = a.safe
	LEFT JOIN users u ON u.tenant = m.tenant AND m.kind = 'User' AND u.id = m.principal
	LEFT JOIN role r ON r.tenant = m.tenant AND m.kind = 'Role' AND r.id = m.principal WHERE a.tenant = ? AND (m.rights & ?) <> 0`)

// usable holds for what the caller may see: accounts that they may list, in safes whose members they may see.
func usable(c *call.Call, g grant.Grant) dbx.Clause {
	return dbx.And(listed(c, g), told(c, g))
}

// Uses gives a page of who may do what with which accounts.
func (s *Safes) Uses(ctx context.Context, c *call.Call, g grant.Grant, p Pick) ([]Use, error) {
	return page(ctx, c, uses, usable(c, g), p, int64(overAccounts))
}

// CountUses counts what Uses gives.
func (s *Safes) CountUses(ctx context.Context, c *call.Call, g grant.Grant, where dbx.Clause) (int64, error) {
	return uses.Count(ctx, c.Tx, dbx.And(usable(c, g), where), c.Tenant.ID, int64(overAccounts))
}

// Column gives the values in the columns of an order.
func (u Use) Column(order []dbx.Order) []any {
	out := make([]any, len(order))
	for i, o := range order {
		out[i] = map[string]any{"ref": u.Ref, "kind": u.Kind, "principal": u.Principal}[o.Column]
	}
	return out
}
