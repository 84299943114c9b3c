package dbx_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"limen/internal/dbx"

	"pgregory.net/rapid"
)

// fill writes ten items i0 to i9 with names that need care.
func fill(t *testing.T, db *dbx.DB) {
	t.Helper()
	names := []string{"anna", "Anna", "an%na", "an_na", `an\na`, "añb", "anz", "b", "\U0010ffff", "\U0010ffffx"}
	err := db.Write(t.Context(), func(tx *dbx.Tx) error {
		for i, n := range names {
			var note *string
			if i%2 == 0 {
				note = &n
			}
			if _, err := addItem.Do(t.Context(), tx, "a", fmt.Sprint("i", i), n, note, nil, i < 5, int64(i/3)); err != nil {
				return err
			}
			if _, err := addItem.Do(t.Context(), tx, "b", fmt.Sprint("i", i), n, note, nil, i < 5, int64(i/3)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

type idOnly struct {
	ID string `db:"id"`
}

var namedIDs = dbx.L[idOnly]("test.namedIDs", `SELECT i.id FROM item i WHERE i.tenant = ?`).By("i.name", "i.n")

// A list may be ordered and narrowed by what it does not read.
func TestListBy(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		fill(t, db)
		err := db.Read(t.Context(), func(tx *dbx.Tx) error {
			got, err := namedIDs.Rows(t.Context(), tx, dbx.Ge("n", 1), []dbx.Order{{Column: "name", Desc: true}}, 3, "a")
			if fmt.Sprint(got) != "[{i9} {i8} {i7}]" {
				t.Error(got)
			}
			second, aerr := namedIDs.At(t.Context(), tx, dbx.Ge("n", 1), []dbx.Order{{Column: "name", Desc: true}}, 1, "a")
			if second.ID != "i8" || aerr != nil {
				t.Error(second, aerr)
			}
			if _, err := namedIDs.At(t.Context(), tx, dbx.Ge("n", 1), nil, 7, "a"); !errors.Is(err, dbx.ErrNoRow) {
				t.Error("behind the last row:", err)
			}
			if n, _ := namedIDs.Count(t.Context(), tx, dbx.Ge("n", 1), "a"); n != 7 {
				t.Error(n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Read(t.Context(), func(tx *dbx.Tx) error {
			_, err := namedIDs.Rows(t.Context(), tx, dbx.Eq("note", "x"), nil, 3, "a")
			return err
		})
		if err == nil {
			t.Error("a column that is not named is taken")
		}
	})
}

func TestClauses(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		fill(t, db)
		byID := []dbx.Order{{Column: "id"}}
		for name, x := range map[string]struct {
			c    dbx.Clause
			want string
		}{
			"all":           {dbx.Clause{}, "0123456789"},
			"eq":            {dbx.Eq("name", "anna"), "0"},
			"eq nil":        {dbx.Eq("note", nil), ""},
			"eq bool":       {dbx.Eq("active", true), "01234"},
			"ne":            {dbx.Ne("name", "anna"), "123456789"},
			"ne null":       {dbx.Ne("note", "anna"), "2468"},
			"lt":            {dbx.Lt("n", 1), "012"},
			"le":            {dbx.Le("n", int64(1)), "012345"},
			"gt":            {dbx.Gt("n", 2), "9"},
			"ge":            {dbx.Ge("n", 2), "6789"},
			"in":            {dbx.In("id", "i1", "i3", "zz"), "13"},
			"in none":       {dbx.In[string]("id"), ""},
			"prefix":        {dbx.Prefix("name", "an"), "02346"},
			"prefix case":   {dbx.Prefix("name", "A"), "1"},
			"prefix %":      {dbx.Prefix("name", "an%"), "2"},
			"prefix max":    {dbx.Prefix("name", "\U0010ffff"), "89"},
			"prefix all":    {dbx.Prefix("name", ""), "0123456789"},
			"contains":      {dbx.Contains("name", "nna"), "01"},
			"contains %":    {dbx.Contains("name", "%"), "2"},
			"contains _":    {dbx.Contains("name", "_"), "3"},
			"contains \\":   {dbx.Contains("name", `\`), "4"},
			"suffix":        {dbx.Suffix("name", "na"), "01234"},
			"suffix %":      {dbx.Suffix("name", "%na"), "2"},
			"suffix letter": {dbx.Suffix("name", "ñb"), "5"},
			"suffix long":   {dbx.Suffix("name", "xxanna"), ""},
			"suffix none":   {dbx.Suffix("name", ""), "0123456789"},
			"in list":       {dbx.InList("id", namedIDs, "id", dbx.Or(dbx.Ge("n", 3), dbx.Eq("name", "b")), "a"), "79"},
			"not in list":   {dbx.And(dbx.Ge("n", 2), dbx.Not(dbx.InList("id", namedIDs, "id", dbx.Eq("n", 2), "a").Sifting())), "9"},
			"in other list": {dbx.InList("id", namedIDs, "id", dbx.Clause{}, "nobody"), ""},
			"null":          {dbx.IsNull("note"), "13579"},
			"not null":      {dbx.Not(dbx.IsNull("note")), "02468"},
			"and":           {dbx.And(dbx.Eq("active", true), dbx.Eq("n", 1)), "34"},
			"or":            {dbx.Or(dbx.Eq("id", "i9"), dbx.And(dbx.Eq("id", "i1"), dbx.Not(dbx.Eq("n", 5)))), "19"},
			"and none":      {dbx.And(), "0123456789"},
			"or none":       {dbx.Or(), ""},
			"not":           {dbx.Not(dbx.Or(dbx.Lt("n", 3))), "9"},
			"after":         {dbx.After(byID, "i7"), "89"},
			"after two":     {dbx.After([]dbx.Order{{Column: "n"}, {Column: "id"}}, 1, "i4"), "56789"},
			"after mixed":   {dbx.After([]dbx.Order{{Column: "n", Desc: true}, {Column: "id"}}, 1, "i4"), "0125"},
			"after three":   {dbx.After([]dbx.Order{{Column: "n"}, {Column: "active", Desc: true}, {Column: "id"}}, 1, true, "i4"), "56789"},
			"and zero":      {dbx.And(dbx.Clause{}, dbx.Eq("id", "i1")), "1"},
			"many in":       {dbx.In("n", 1, 2, 3, 1, 2, 3, 1, 2, 3), "3456789"},
			"quote in text": {dbx.Eq("name", `' OR 1=1 --?`), ""},
		} {
			err := db.Read(t.Context(), func(tx *dbx.Tx) error {
				rows, err := items.Rows(t.Context(), tx, x.c, byID, 100, "a")
				if err != nil {
					return err
				}
				got := ""
				for _, r := range rows {
					if got += strings.TrimPrefix(r.ID, "i"); r.Tenant != "a" {
						t.Errorf("%s: a row of %s", name, r.Tenant)
					}
				}
				n, err := items.Count(t.Context(), tx, x.c, "a")
				if got != x.want || int(n) != len(rows) {
					t.Errorf("%s: got %s (%d), want %s", name, got, n, x.want)
				}
				return err
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, c := range map[string]dbx.Clause{
			"unknown column": dbx.Eq("secret", 1),
			"injection":      dbx.Eq("1 = 1 OR id", 1),
			"short key":      dbx.After(byID),
			"many values":    dbx.In("n", make([]int, 1001)...),
			"deep":           deep(60),
		} {
			err := db.Read(t.Context(), func(tx *dbx.Tx) error {
				_, err := items.Rows(t.Context(), tx, c, nil, 10, "a")
				return err
			})
			if !errors.Is(err, dbx.ErrMisuse) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func deep(n int) dbx.Clause {
	c := dbx.Eq("id", "x")
	for range n {
		c = dbx.Not(c)
	}
	return c
}

// Both engines sort text by its bytes and NULL first, and paging by key meets every row once.
func TestOrderAndPages(t *testing.T) {
	each(t, func(t *testing.T, db *dbx.DB) {
		fill(t, db)
		for want, order := range map[string][]dbx.Order{
			"1243065789": {{Column: "name"}, {Column: "id"}},
			"9875603421": {{Column: "name", Desc: true}},
			"9678345012": {{Column: "n", Desc: true}, {Column: "id"}},
			"1357924068": {{Column: "note"}, {Column: "id"}},
			"8604213579": {{Column: "note", Desc: true}, {Column: "id"}},
		} {
			if db.Engine() == dbx.Postgres && order[0].Column != "n" {
				continue // the columns of these tests have no COLLATE "C"; those of the schema do
			}
			err := db.Read(t.Context(), func(tx *dbx.Tx) error {
				rows, err := items.Rows(t.Context(), tx, dbx.Clause{}, order, 100, "a")
				if err != nil {
					return err
				}
				got := ""
				for _, r := range rows {
					got += r.ID[1:]
				}
				if got != want {
					t.Errorf("%v: %s, not %s", order, got, want)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		order := []dbx.Order{{Column: "n", Desc: true}, {Column: "id"}}
		var got []string
		after := dbx.Clause{}
		for {
			var page []item
			err := db.Read(t.Context(), func(tx *dbx.Tx) (err error) {
				page, err = items.Rows(t.Context(), tx, after, order, 3, "a")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, r := range page {
				got = append(got, r.ID)
			}
			last := page[len(page)-1]
			after = dbx.After(order, last.N, last.ID)
		}
		if strings.Join(got, "") != "i9i6i7i8i3i4i5i0i1i2" {
			t.Error(got)
		}
	})
}

// The keyset condition agrees with sorting in Go, whatever the directions.
func TestAfterProperty(t *testing.T) {
	db := lite(t, dbx.Options{})
	fill(t, db)
	var rows []item
	err := db.Read(t.Context(), func(tx *dbx.Tx) (err error) {
		rows, err = itemsOf.All(t.Context(), tx, "a")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		order := []dbx.Order{{Column: "n"}, {Column: "id"}}
		order[0].Desc, order[1].Desc = rapid.Bool().Draw(t, "n desc"), rapid.Bool().Draw(t, "id desc")
		slices.SortFunc(rows, func(a, b item) int {
			c, d := int(a.N-b.N), strings.Compare(a.ID, b.ID)
			if order[0].Desc {
				c = -c
			}
			if order[1].Desc {
				d = -d
			}
			if c != 0 {
				return c
			}
			return d
		})
		at := rapid.IntRange(0, len(rows)-1).Draw(t, "at")
		err := db.Read(t.Context(), func(tx *dbx.Tx) error {
			got, err := items.Rows(t.Context(), tx, dbx.After(order, rows[at].N, rows[at].ID), order, 100, "a")
			if err != nil {
				return err
			}
			if !slices.EqualFunc(got, rows[at+1:], func(a, b item) bool { return a.ID == b.ID }) {
				t.Fatalf("after %v: %v", rows[at], got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestShapes(t *testing.T) {
	for _, x := range []struct {
		text, lite, pg string
		params         int
		writes         bool
	}{
		{"SELECT ?", "SELECT ?", "SELECT $1", 1, false},
		{`SELECT '?', "?", ? -- ?` + "\n, ? /* ? */", `SELECT '?', "?", ? -- ?` + "\n, ? /* ? */", `SELECT '?', "?", $1 -- ?` + "\n, $2 /* ? */", 2, false},
		{"SELECT 'it''s ?', ?", "SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1", 1, false},
		{"SELECT a FROM b WHERE c = ? FOR UPDATE", "SELECT a FROM b WHERE c = ?", "SELECT a FROM b WHERE c = $1 FOR UPDATE", 1, false},
		{"SELECT a FROM b FOR NO KEY UPDATE SKIP LOCKED", "SELECT a FROM b", "SELECT a FROM b FOR NO KEY UPDATE SKIP LOCKED", 0, false},
		{"INSERT INTO a (b) VALUES (?) ON CONFLICT (b) DO UPDATE SET b = ?", "", "INSERT INTO a (b) VALUES ($1) ON CONFLICT (b) DO UPDATE SET b = $2", 2, true},
		{"WITH x AS (SELECT 1) DELETE FROM a WHERE b IN (SELECT * FROM x)", "", "", 0, true},
	} {
		lite, pg, params, writes, err := dbx.Shape(x.text)
		if err != nil || x.lite != "" && lite != x.lite || x.pg != "" && pg != x.pg || params != x.params || writes != x.writes {
			t.Errorf("%s:\n%s\n%s\n%d %v %v", x.text, lite, pg, params, writes, err)
		}
	}
	for _, bad := range []string{"", "  ", "-- only", "DROP TABLE a", "SELECT 1; SELECT 2", "SELECT $1", "SELECT 'open", `SELECT "open`, "SELECT (1", "SELECT 1)", "BEGIN", "COMMIT", "PRAGMA x", "SELECT /* 1", "SELECT `a`", "SELECT a[1]"} {
		if _, _, _, _, err := dbx.Shape(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestDeclarationsAreChecked(t *testing.T) {
	type two struct {
		A string `db:"a"`
		B string `db:"a"`
	}
	type untagged struct{ A string }
	for name, f := range map[string]func(){
		"query writes":        func() { dbx.Q[string]("bad.1", "DELETE FROM a RETURNING b") },
		"exec reads":          func() { dbx.E("bad.2", "SELECT 1") },
		"exec returns":        func() { dbx.E("bad.3", "DELETE FROM a RETURNING b") },
		"returning returns 0": func() { dbx.W[string]("bad.4", "DELETE FROM a") },
		"name twice":          func() { dbx.Q[string]("test.names", "SELECT 1") },
		"tag twice":           func() { dbx.Q[two]("bad.5", "SELECT 1") },
		"no tag":              func() { dbx.Q[untagged]("bad.6", "SELECT 1") },
		"list with order":     func() { dbx.L[item]("bad.7", "SELECT id FROM item ORDER BY id") },
		"list without field":  func() { dbx.L[item]("bad.8", "SELECT id, other FROM item") },
		"two statements":      func() { dbx.E("bad.9", "DELETE FROM a; DELETE FROM b") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was taken", name)
				}
			}()
			f()
		}()
	}
	found := false
	for _, s := range dbx.Statements() {
		if strings.HasPrefix(s.Name, "bad.") {
			t.Error(s.Name, "is registered")
		}
		if s.Name == "test.add" {
			found = s.Writes && strings.HasSuffix(s.Package, "internal/dbx_test") && strings.Contains(s.Text, "ON CONFLICT")
		}
	}
	if !found {
		t.Error(dbx.Statements())
	}
}

func FuzzShape(f *testing.F) {
	for _, s := range []string{"SELECT ?", "SELECT '?' -- ?\n, \"?\"", "INSERT INTO a VALUES (?) RETURNING b", "SELECT a FROM b FOR UPDATE", "WITH x AS (SELECT 1) SELECT ? /* */", "SELECT 'a''", "SELECT ((", "UPDATE", "FOR UPDATE", "SELECT 1 FOR"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, pg, params, _, err := dbx.Shape(s)
		if err == nil && (!strings.Contains(pg, fmt.Sprint("$", params)) && params > 0) {
			t.Errorf("%q: %d placeholders in %q", s, params, pg)
		}
	})
}
