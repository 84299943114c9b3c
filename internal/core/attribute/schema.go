package attribute

import (
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fold"
)

type columnRow struct {
	ID          string `db:"id"`
	Key         string `db:"name_key"`
	Name        string `db:"name"`
	Type        string `db:"type"`
	Title       string `db:"title"`
	Description string `db:"description"`
	Editable    bool   `db:"editable"`
}

func (r columnRow) column() Column {
	return Column{Name: r.Name, Type: Type(r.Type), Title: r.Title, Description: r.Description, Editable: r.Editable}
}

const selectColumns = `SELECT id, name_key, name, type, title, description, editable FROM attribute_column WHERE tenant = ? ORDER BY name_key`

var (
	allColumns = dbx.Q[columnRow]("attribute.columns", selectColumns)
	// bump comes before anything else of a change is read: it lets only one happen at a time.
	bump = dbx.E("attribute.bump", `INSERT INTO attribute_schema (tenant, version) VALUES (?, 1)
		ON CONFLICT (tenant) DO UPDATE SET version = attribute_schema.version + 1`)
	// lockColumns waits for those who set values: the foreign key makes them hold the column.
	lockColumns = dbx.Q[columnRow]("attribute.lock", selectColumns+` FOR UPDATE`)

	addColumn = dbx.E("attribute.add", `INSERT INTO attribute_column (tenant, id, name, name_key, type, title, description, editable, created)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	setColumn  = dbx.E("attribute.change", `UPDATE attribute_column SET name = ?, title = ?, description = ?, editable = ? WHERE tenant = ? AND id = ?`)
	dropColumn = dbx.E("attribute.remove", `DELETE FROM attribute_column WHERE tenant = ? AND id = ?`)
	dropValues = dbx.E("attribute.removeValues", `DELETE FROM user_attribute WHERE tenant = ? AND column_id = ?`)
)

// Schema lists the columns by name.
func (Attributes) Schema(ctx context.Context, c *call.Call) ([]Column, error) {
	rows, err := allColumns.All(ctx, c.Tx, c.Tenant.ID)
	out := make([]Column, len(rows))
	for i, r := range rows {
		out[i] = r.column()
	}
	return out, err
}

// Replace makes the columns those given: what is left out is deleted, with all its values. Faults: ErrName, ErrTwice,
// ErrType, ErrFixed, ErrMany, and fault.ErrInvalid for texts that are too long.
func (a Attributes) Replace(ctx context.Context, c *call.Call, columns []Column) error {
	if len(columns) > MaxColumns {
		return ErrMany
	}
	if _, err := bump.Do(ctx, c.Tx, c.Tenant.ID); err != nil {
		return err
	}
	old, err := lockColumns.All(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return err
	}
	n := notes{was: []map[string]any{}, now: []map[string]any{}}
	left := map[string]columnRow{}
	for _, r := range old {
		left[r.Key] = r
	}
	done := map[string]bool{}
	for _, col := range columns {
		if err := col.check(); err != nil {
			return err
		}
		key := fold.Key(col.Name)
		if done[key] {
			return ErrTwice.At(col.Name).Say("The attribute %s is given twice; case does not tell two names apart.", col.Name)
		}
		done[key] = true
		was, had := left[key]
		delete(left, key)
		if err := put(ctx, c, &n, was, had, col); err != nil {
			return err
		}
	}
	for _, r := range old {
		if _, gone := left[r.Key]; gone {
			if err := n.drop(ctx, c, r); err != nil {
				return err
			}
		}
	}
	n.tell(c)
	return a.stored(ctx, c, "", n.names()...)
}

// names are the columns that differ.
func (n *notes) names() (out []string) {
	for _, col := range append(append([]map[string]any{}, n.was...), n.now...) {
		out = append(out, col["Name"].(string))
	}
	return out
}

// put adds or changes one column.
func put(ctx context.Context, c *call.Call, n *notes, was columnRow, had bool, col Column) (err error) {
	switch {
	case !had:
		_, err = addColumn.Do(ctx, c.Tx, c.Tenant.ID, c.NewID(), col.Name, fold.Key(col.Name), string(col.Type), col.Title, col.Description,
			col.Editable, c.Now.UnixMilli())
		n.added(col)
	case was.Type != string(col.Type):
		return ErrFixed.At(col.Name).Say("The type of %s is %s and cannot change.", was.Name, was.Type)
	case was.column() != col:
		_, err = setColumn.Do(ctx, c.Tx, col.Name, col.Title, col.Description, col.Editable, c.Tenant.ID, was.ID)
		n.was = append(n.was, shape(was.column()))
		n.now = append(n.now, shape(col))
	}
	return err
}

// notes are what the event tells of a change of the columns: those that differ, as they were and as they are.
type notes struct {
	was, now []map[string]any
	lost     int64 // values that went with their columns
}

// shape is a column in an event, in the contract's words.
func shape(col Column) map[string]any {
	return map[string]any{
		"Name": col.Name, "Type": string(col.Type), "Title": col.Title, "Description": col.Description, "UserEditable": col.Editable,
	}
}

func (n *notes) added(col Column) { n.now = append(n.now, shape(col)) }

// drop deletes a column with its values.
func (n *notes) drop(ctx context.Context, c *call.Call, r columnRow) error {
	lost, err := dropValues.Do(ctx, c.Tx, c.Tenant.ID, r.ID)
	if err != nil {
		return err
	}
	n.was, n.lost = append(n.was, shape(r.column())), n.lost+lost
	_, err = dropColumn.Do(ctx, c.Tx, c.Tenant.ID, r.ID)
	return err
}

func (n *notes) tell(c *call.Call) {
	e := c.Event
	if e == nil {
		return
	}
	e.Target, e.Kind, e.Name = Table, "Schema", Table
	if len(n.was)+len(n.now) == 0 {
		return
	}
	e.Changes = map[string]call.Change{"Columns": {Old: n.was, New: n.now}}
	if n.lost > 0 {
		e.Set("ValuesDeleted", n.lost)
	}
}

// Table is the one table that has attributes, in the contract's words.
const Table = "users"

// IsTable says whether s names it.
func IsTable(s string) bool { return strings.EqualFold(strings.TrimSpace(s), Table) }
