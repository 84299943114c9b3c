package redrock

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzParse wants: no panic; what parses compiles or errs with an *Error on both engines; the canonical text parses to the same tree and
// compiles to the same SQL; no word of the script is in the SQL.
func FuzzParse(f *testing.F) {
	cat := catalogue(f)
	for _, name := range []string{"real_queries.txt", "injections.txt"} {
		for _, q := range lines(f, name) {
			f.Add(q)
		}
	}
	f.Fuzz(func(t *testing.T, script string) {
		if _, err := ParseScript(script, Limits{}); err != nil {
			mustBeError(t, err)
		}
		s, err := Parse(script, Limits{})
		if err != nil {
			mustBeError(t, err)
			return
		}
		canonical := s.String()
		again, err := Parse(canonical, Limits{Script: 1 << 20, Expressions: 1 << 20})
		if err != nil {
			t.Fatalf("%q prints as %q: %v", script, canonical, err)
		}
		if d := cmp.Diff(s, again, cmpopts.IgnoreTypes(Pos{}), cmpopts.IgnoreUnexported(Select{}), cmpopts.EquateNaNs()); d != "" {
			t.Fatalf("%q prints as %q: %s", script, canonical, d)
		}
		for _, e := range []Engine{SQLite, Postgres} {
			p, err := Compile(s, cat, e, options())
			if err != nil {
				mustBeError(t, err)
				continue
			}
			q, err := Compile(again, cat, e, options())
			if err != nil || p.SQL != q.SQL || !cmp.Equal(p.Args, q.Args) {
				t.Fatalf("%q and %q become different SQL: %v\n%s\n%s", script, canonical, err, p.SQL, q.SQL)
			}
			onlyOurs(t, p.SQL)
		}
	})
}

func mustBeError(t testing.TB, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code == "" || e.Text == "" {
		t.Fatalf("%#v is no Error of ours", err)
	}
}

// onlyOurs splits SQL into words and wants each to be one that this package or the tests' Source writes.
func onlyOurs(t testing.TB, sql string) {
	t.Helper()
	for _, w := range strings.FieldsFunc(sql, func(r rune) bool { return strings.ContainsRune(" ()\".,+-*/%=<>|?$:!'", r) }) {
		if !ourWords[w] && !generated(w) {
			t.Fatalf("the word %q is not ours in %s", w, sql)
		}
	}
}

// generated names are a letter and a number; numbers are literals.
func generated(w string) bool {
	if strings.ContainsAny(w[:1], "toakxfc") {
		w = w[1:]
	}
	return w != "" && strings.Trim(w, "0123456789") == ""
}

var ourWords = func() map[string]bool {
	words := set(strings.Fields(`SELECT AS FROM WHERE ORDER BY GROUP HAVING DISTINCT LIMIT OFFSET AND OR NOT IN IS NULL LIKE ILIKE ESCAPE CASE WHEN THEN ELSE END
		CROSS INNER LEFT JOIN ON ASC DESC NULLS FIRST LAST COLLATE C TRUE FALSE text bigint double precision boolean integer numeric CAST TEXT REAL BIGINT
		NULLIF COALESCE count min max sum avg bool_and bool_or lower upper length substr right replace trim btrim ltrim rtrim abs round owner_tenant one w row_number OVER PARTITION
		VALUES v id tablename columnname type title description tablekey foreignkey column1 column2 column3 column4 column5 column6 column7 column8`)...)
	for _, table := range Tables() {
		words["rr_"+strings.ToLower(table.Name)] = true
		for i := range table.Columns {
			words[table.Columns[i].stored()] = true
			words[table.Columns[i].stored()+"_key"] = table.Columns[i].Fold
			if c := table.Columns[i].Country; c != "" {
				words[c] = true
			}
		}
	}
	words["DISTINCT"], words["FROM"] = true, true
	return words
}()
