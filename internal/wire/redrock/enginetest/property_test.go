package enginetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"limen/internal/wire/redrock"

	"pgregory.net/rapid"
)

// itemTable is a small table of all types that SQLite's own SQL and ours read alike.
func itemTable() redrock.Table {
	return redrock.Table{Name: "Item", Key: "ID", Columns: []redrock.Column{
		{Name: "ID", Type: redrock.Text}, {Name: "Name", Type: redrock.Text}, {Name: "Nick", Type: redrock.Text}, {Name: "From", Type: redrock.Text}, {Name: "Size", Type: redrock.Integer},
		{Name: "Flag", Type: redrock.Bool}, {Name: "Made", Type: redrock.Time}, {Name: "Weight", Type: redrock.Double},
	}}
}

var itemTexts = []any{"", "a", "A", "b", "ab", "aB", " a ", "ä", "Ä", "Äb%", "a_b", "a'b", `a\b`, "a!b", "日本語", "z", nil}

func (s store) fillItems(t testing.TB) {
	table := itemTable()
	var rows []row
	for i := range 24 {
		r := row{"ID": fmt.Sprintf("i%02d", i), "Name": itemTexts[i%len(itemTexts)], "Nick": itemTexts[(i*7+3)%len(itemTexts)], "From": itemTexts[i%5]}
		if i%5 != 0 {
			r["Size"] = int64(i%7 - 2)
			r["Weight"] = float64(i%9)/2 - 1
		}
		if i%4 != 0 {
			r["Flag"] = i%3 == 0
		}
		if i%6 != 0 {
			r["Made"] = int64(1700000000000 + i%8*1000)
		}
		rows = append(rows, r)
	}
	s.create(t, &table, append(rows, row{"owner": "other", "ID": "x", "Name": "a"})...)
	if s.engine == redrock.SQLite {
		s.exec(t, `CREATE TEMP VIEW Item AS SELECT ID, Name, Nick, "From", Size, Flag, Made, Weight FROM rr_item WHERE owner_tenant = 'acme'`)
	}
}

// author writes random statements whose meaning is the same in SQLite's own dialect.
type author struct {
	t      *rapid.T
	prefix string // of columns
}

func (a author) pick(list ...string) string { return rapid.SampledFrom(list).Draw(a.t, "pick") }
func (a author) n(low, high int) int        { return rapid.IntRange(low, high).Draw(a.t, "n") }
func (a author) col(list ...string) string {
	c := a.pick(list...)
	if a.prefix != "" {
		return a.prefix + `."` + c + `"`
	}
	if c == "From" {
		return `"From"`
	}
	return c
}

func (a author) lit() string {
	v := rapid.SampledFrom(itemTexts[:len(itemTexts)-1]).Draw(a.t, "text")
	return quoted(v.(string))
}

func (a author) text(depth int) string {
	if depth <= 0 {
		return a.pick(a.col("ID", "Name", "Nick", "From"), a.col("Name", "Nick"), a.col("Name", "Nick"), a.lit(), a.lit(), "NULL")
	}
	x := a.text(depth - 1)
	switch a.n(0, 10) {
	case 0:
		return "lower(" + x + ")"
	case 1:
		return "UPPER(" + x + ")"
	case 2:
		return a.pick("trim", "ltrim", "rtrim") + "(" + x + ")"
	case 3:
		return "trim(" + x + ", 'a ')"
	case 4:
		return fmt.Sprintf("substr(%s, %d)", x, a.n(-5, 5))
	case 5:
		return fmt.Sprintf("substr(%s, %d, %d)", x, a.n(-5, 5), a.n(0, 4))
	case 6:
		return "replace(" + x + ", " + a.lit() + ", " + a.text(0) + ")"
	case 7:
		return "(" + x + " || " + a.text(depth-1) + ")"
	case 8:
		return a.pick("coalesce", "ifnull") + "(" + x + ", " + a.text(depth-1) + ")"
	case 9:
		return "CASE WHEN " + a.cond(depth-1) + " THEN " + x + " ELSE " + a.text(depth-1) + " END"
	}
	return "CASE " + x + " WHEN " + a.lit() + " THEN " + a.text(0) + " WHEN " + a.text(0) + " THEN " + a.lit() + " END"
}

func (a author) whole(depth int) string {
	if depth <= 0 {
		return a.pick(a.col("Size"), a.col("Size"), a.col("Size"), fmt.Sprint(a.n(0, 9)), fmt.Sprint(a.n(0, 9)), "NULL")
	}
	x := a.whole(depth - 1)
	switch a.n(0, 4) {
	case 0:
		return "length(" + a.text(depth-1) + ")"
	case 1:
		return "abs(" + x + ")"
	case 2:
		return "- " + x
	case 3:
		return "coalesce(" + x + ", " + fmt.Sprint(a.n(0, 9)) + ")"
	}
	return "(" + x + a.pick(" + ", " - ", " * ", " / ", " % ") + a.whole(depth-1) + ")"
}

func (a author) number(depth int) string {
	return a.pick(a.whole(depth), a.col("Weight"), "round("+a.col("Weight")+")", a.col("Weight")+" + "+a.whole(0), a.whole(depth)+" * 0.5")
}

func (a author) cond(depth int) string {
	not := a.pick("", "", "NOT ")
	op := a.pick(" = ", " <> ", " < ", " <= ", " > ", " >= ", " != ", " == ", " IS ", " IS NOT ")
	if depth > 0 && a.n(0, 2) == 0 {
		return "(" + not + a.cond(depth-1) + a.pick(" AND ", " OR ") + a.cond(depth-1) + ")"
	}
	switch a.n(0, 10) {
	case 0:
		return a.number(depth-1) + op + a.number(depth-1)
	case 1:
		return a.text(depth-1) + op + a.text(depth-1)
	case 2:
		return a.text(depth-1) + " " + not + "LIKE " + a.pattern()
	case 3:
		return a.text(depth-1) + " " + not + "LIKE " + a.pick("'%!_b'", "'a!!%'", "'%!%'", "'_!%%'") + " ESCAPE '!'"
	case 4:
		return a.text(depth-1) + " " + not + "IN (" + a.lit() + ", " + a.text(0) + ")"
	case 5:
		return a.whole(depth-1) + " " + not + "IN (1, 2, NULL)"
	case 6:
		return a.whole(depth-1) + " " + not + "BETWEEN " + a.whole(0) + " AND " + a.whole(0)
	case 7:
		return a.col("Name", "Size", "Flag", "Made") + a.pick(" IS NULL", " IS NOT NULL", " ISNULL", " NOTNULL", " NOT NULL")
	case 8:
		return a.col("Flag") + a.pick(" = 1", " = 0", " <> 1", " IS 1", "")
	case 9:
		return a.col("ID") + " " + not + "IN (SELECT ID FROM Item WHERE " + author{t: a.t}.cond(0) + ")"
	}
	return a.text(depth-1) + " " + not + "BETWEEN " + a.lit() + " AND " + a.text(0)
}

func (a author) pattern() string {
	return quoted(rapid.StringOfN(rapid.RuneFrom([]rune("%_aAbBäÄ!\\'")), 0, 4, -1).Draw(a.t, "pattern"))
}

func (a author) any(depth int) string {
	return a.pick(a.text(depth), a.number(depth), a.cond(depth), a.col("Flag", "Made", "Weight"))
}

// statement is a SELECT whose columns are c1, c2, ...; ordered tells that its order is total.
func (a author) statement() (text string, ordered bool) {
	where := a.pick("", " WHERE "+a.cond(2), " WHERE "+a.cond(1))
	limit := a.pick("", fmt.Sprintf(" LIMIT %d", a.n(0, 9)), fmt.Sprintf(" LIMIT %d OFFSET %d", a.n(-1, 9), a.n(0, 9)))
	dir := func() string { return a.pick("", " ASC", " DESC", " COLLATE NOCASE", " COLLATE NOCASE DESC") }
	switch a.n(0, 7) {
	case 7: // a bare column beside a single min or max
		return "SELECT " + a.any(1) + " AS c1, " + a.pick("max", "min") + "(ID) AS c2, count(*) AS c3 FROM Item" + where + a.pick("", " GROUP BY "+a.col("Name", "Flag", "Size")), false
	case 0, 1:
		order := " ORDER BY " + a.pick(a.text(1), "c1", "2", "(0 + "+a.number(1)+")", a.col("Flag", "Made")) + dir() + ", ID" + a.pick("", " DESC")
		return "SELECT " + a.any(2) + " AS c1, " + a.any(1) + " c2, ID 'c3' FROM Item" + where + order + limit, true
	case 2:
		return "SELECT DISTINCT " + a.any(1) + " AS c1, " + a.any(1) + " AS c2 FROM Item" + where + " ORDER BY c1" + a.pick("", " DESC") + ", 2" + limit, true
	case 3:
		key := a.pick(a.text(1), "(0 + "+a.whole(1)+")", a.col("Flag")) // a bare -0 would be a position
		having := a.pick("", " HAVING n > 1", " HAVING max(Size) > 1 OR count(*) = 1")
		return "SELECT " + key + " AS c1, count(*) AS n, " + a.agg() + " AS c3, " + a.agg() + " AS c4 FROM Item" + where + " GROUP BY " + a.pick("c1", "1", key) + having +
			" ORDER BY " + a.pick("n", "count(*) DESC", a.agg(), "1") + ", 1" + limit, true
	case 4:
		return "SELECT " + a.agg() + " AS c1, " + a.agg() + " AS c2 FROM Item" + where, true
	case 5:
		on := author{t: a.t, prefix: "i"}
		other := author{t: a.t, prefix: "j"}
		return "SELECT i.ID AS c1, j.ID AS c2, " + other.any(1) + " AS c3 FROM Item i " + a.pick("JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "INNER JOIN") +
			" Item AS j ON " + on.text(0) + " = " + other.text(0) + " AND " + on.cond(0) + a.pick("", " WHERE "+other.cond(1)), false
	}
	return "SELECT d.c1 AS c1, count(*) AS c2, max(d.c2) AS c3 FROM (SELECT " + a.any(1) + " AS c1, " + a.whole(1) + " AS c2 FROM Item" + where +
		" ORDER BY ID" + limit + ") AS d GROUP BY d.c1", false
}

func (a author) agg() string {
	return a.pick("count(*)", "count("+a.any(1)+")", "count(DISTINCT "+a.text(1)+")", "min("+a.text(1)+")", "max("+a.text(1)+")", "min("+a.number(1)+")",
		"max("+a.col("Flag", "Made")+")", "sum("+a.whole(1)+")", "sum("+a.col("Weight")+")", "avg("+a.whole(1)+")", "count(*) + "+fmt.Sprint(a.n(0, 3)),
		"coalesce(sum("+a.whole(1)+"), 0)", "sum("+a.col("Flag")+")")
}

// TestAnswers compares our answer on SQLite with SQLite's own answer to the text as written, and with ours on PostgreSQL.
func TestAnswers(t *testing.T) {
	cat := catalogue(t, itemTable())
	dbs := stores(t)
	for _, s := range dbs {
		s.fillItems(t)
	}
	rapid.Check(t, func(t *rapid.T) {
		script, ordered := author{t: t}.statement()
		p := compile(t, cat, redrock.SQLite, options(), script)
		ours, count := dbs[0].run(t, p)
		if count != int64(len(ours)) {
			t.Fatalf("%s: %d rows, counted %d", script, len(ours), count)
		}
		theirs := dbs[0].native(t, script, p)
		if !ordered {
			slices.Sort(theirs)
			slices.Sort(ours)
		}
		if !slices.Equal(ours, theirs) {
			t.Fatalf("%s\n%s\nours   %v\nSQLite %v", script, p.SQL, ours, theirs)
		}
		if len(dbs) < 2 {
			return
		}
		ours, _ = dbs[0].run(t, p)
		q := compile(t, cat, redrock.Postgres, options(), script)
		other, _ := dbs[1].run(t, q)
		if !slices.Equal(ours, other) {
			t.Fatalf("%s\n%s\nSQLite     %v\nPostgreSQL %v", script, q.SQL, ours, other)
		}
	})
}

// native runs the text itself on SQLite and reads the values as the plan's columns of the same name.
func (s store) native(t rapid.TB, script string, p *redrock.Plan) (out []string) {
	rows, err := s.db.Query(script)
	if err != nil {
		t.Fatalf("SQLite refuses %s: %v", script, err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		raw, dst := make([]any, len(names)), make([]any, len(names))
		for i := range raw {
			dst[i] = &raw[i]
		}
		if err := rows.Scan(dst...); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		for i, name := range names {
			k := slices.IndexFunc(p.Columns, func(c redrock.OutColumn) bool { return strings.EqualFold(c.Name, name) })
			if row[name], err = p.Columns[k].Value(raw[i]); err != nil {
				t.Fatalf("%s: %v", script, err)
			}
		}
		b, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(b))
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return out
}
