package redrock

import (
	"limen/internal/core/report"
	"limen/internal/wire/redrock"
	"limen/internal/wire/rpc"
)

// shown is an answer as the dialect writes it.
func shown(a report.Answer) rpc.Query {
	q := rpc.Query{Count: len(a.Rows), FullCount: int(a.Full), Columns: make([]rpc.Column, len(a.Columns)), Results: make([]rpc.Row, len(a.Rows))}
	var keys []link
	for i, c := range a.Columns {
		q.Columns[i] = rpc.Column{
			Name: c.Name, IsHidden: c.IsHidden, DDName: c.DDName, Title: c.Title, DDTitle: c.DDTitle, Description: c.Description,
			Type: int(c.Type), TableKey: string(c.TableKey), ForeignKey: c.ForeignKey, TableName: c.TableName,
		}
		if c.TableKey == redrock.Primary && c.TableName != "" {
			keys = append(keys, link{i, c.TableName, false})
		}
		if c.ForeignKey != "" {
			keys = append(keys, link{i, c.ForeignKey, true})
		}
	}
	for i, row := range a.Rows {
		q.Results[i] = rpc.Row{Entities: entities(keys, row), Row: row}
	}
	return q
}

// link is a column that holds the key of a row of a table.
type link struct {
	column  int
	table   string
	foreign bool
}

func entities(keys []link, row []any) []rpc.Entity {
	out := make([]rpc.Entity, 0, len(keys))
	for _, k := range keys {
		if id, ok := row[k.column].(string); ok && id != "" {
			out = append(out, rpc.Entity{Type: k.table, Key: id, IsForeignKey: k.foreign})
		}
	}
	return out
}
