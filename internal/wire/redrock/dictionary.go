package redrock

import "strings"

// dictionary is the relation of a table with Dictionary: one row for each column of each table.
func (c *Catalogue) dictionary() frag {
	columns := []string{"id", "tablename", "columnname", "type", "title", "description", "tablekey", "foreignkey"}
	var b strings.Builder
	b.WriteString("(SELECT ")
	for i, name := range columns {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("column" + string(rune('1'+i)) + ` AS "` + name + `"`)
	}
	b.WriteString(" FROM (VALUES ")
	var args []any
	for _, t := range c.tables {
		for i := range t.Columns {
			d := describe(column{name: t.Columns[i].Name, value: frag{typ: t.Columns[i].Type, origin: &origin{t, &t.Columns[i]}}})
			if len(args) > 0 {
				b.WriteString(", ")
			}
			b.WriteString("(?, ?, ?, CAST(? AS BIGINT), ?, NULLIF(?, ''), ?, NULLIF(?, ''))")
			args = append(args, t.Name+"."+d.DDName, t.Name, d.DDName, int64(d.Type), d.DDTitle, d.Description, string(d.TableKey), d.ForeignKey)
		}
	}
	b.WriteString(") AS v)")
	return frag{sql: b.String(), args: args}
}
