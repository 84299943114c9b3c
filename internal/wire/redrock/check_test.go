package redrock

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestComplaints wants each bad script refused with its code and with words that help.
func TestComplaints(t *testing.T) {
	cat := catalogue(t)
	for _, c := range []struct {
		script string
		code   Code
		text   string
	}{
		{"", CodeSyntax, "the script is empty"},
		{"-- nothing", CodeSyntax, "the script is empty"},
		{"INSERT INTO User VALUES (1)", CodeUnsupported, "only SELECT can be run, not INSERT"},
		{"WITH x AS (SELECT 1) SELECT * FROM x", CodeUnsupported, "not WITH"},
		{"PRAGMA table_info(User)", CodeUnsupported, "not PRAGMA"},
		{"SELECT 1; DROP TABLE User", CodeUnsupported, "another one starts with DROP"},
		{"SELECT ID FROM User UNION SELECT ID FROM Role", CodeUnsupported, "UNION is not supported"},
		{"SELECT ID FROM User WHERE Username = @<Name>", CodeParameter, "@<Name> was not filled in"},
		{"SELECT ID FROM User WHERE Username = ?", CodeParameter, "no parameters"},
		{"SELECT ID FROM User WHERE Username = :a", CodeParameter, "no parameters"},
		{"SELECT ID FROM User WHERE Username = 'a", CodeSyntax, "has no end"},
		{"SELECT ID /* FROM User", CodeSyntax, "has no end"},
		{"SELECT ID FROM User WHERE", CodeSyntax, "expected an expression, found end of script"},
		{"SELECT FROM User", CodeColumn, "no such column: FROM"},
		{"SELECT ID FROM Users", CodeTable, "no such table: Users; did you mean User?"},
		{"SELECT ID FROM sqlite_master", CodeTable, "the tables are Application, "},
		{"SELECT ID FROM rr_user", CodeTable, "no such table: rr_user"},
		{"SELECT ID FROM pg_catalog.pg_tables", CodeUnsupported, "no schema"},
		{"SELECT * FROM pragma_table_info('User')", CodeUnsupported, "functions cannot be used as tables"},
		{"SELECT Usrname FROM User", CodeColumn, "no such column: Usrname in table User; did you mean Username?"},
		{"SELECT rowid FROM User", CodeColumn, "no such column: rowid"},
		{"SELECT owner_tenant FROM User", CodeColumn, "no such column: owner_tenant"},
		{"SELECT username_key FROM User", CodeColumn, "no such column: username_key"},
		{"SELECT x.ID FROM User", CodeTable, "no table x in FROM"},
		{"SELECT User.ID FROM User u", CodeTable, "no table User in FROM"},
		{"SELECT ID FROM User, Role", CodeAmbiguous, "the column ID is in more than one table"},
		{"SELECT load_extension('x')", CodeFunction, "no such function: load_extension"},
		{"SELECT pg_sleep(10)", CodeFunction, "no such function: pg_sleep"},
		{"SELECT uper(ID) FROM User", CodeFunction, "did you mean upper?"},
		{"SELECT upper() FROM User", CodeFunction, "wrong number of arguments"},
		{"SELECT ID FROM User WHERE LastLogin > 'yesterday'", CodeType, "a date cannot be compared with the text 'yesterday'; write a date"},
		{"SELECT ID FROM User WHERE ServiceUser = 'maybe'", CodeType, "write 1 or 0"},
		{"SELECT ID FROM User WHERE LastLogin > 5", CodeType, "a date cannot be compared with a number"},
		{"SELECT ID FROM User WHERE SecurityQuestionCount = Username", CodeType, "a number cannot be compared with a text"},
		{"SELECT ID FROM User WHERE Username", CodeType, "is not a condition"},
		{"SELECT LastLogin + 1 FROM User", CodeType, "cannot calculate with a date"},
		{"SELECT ID FROM User WHERE count(*) > 1", CodeAggregate, "cannot stand in WHERE"},
		{"SELECT count(*) AS n FROM User WHERE n > 1", CodeAggregate, "cannot stand in WHERE"},
		{"SELECT sum(count(*)) FROM User", CodeAggregate, "another aggregate"},
		{"SELECT ID FROM User HAVING ID = 'x'", CodeAggregate, "HAVING needs GROUP BY"},
		{"SELECT ID FROM User GROUP BY count(*)", CodeAggregate, "cannot stand in GROUP BY"},
		{"SELECT ID FROM User ORDER BY 2", CodeSyntax, "the list has 1 columns"},
		{"SELECT DISTINCT ID FROM User ORDER BY Email", CodeUnsupported, "the selected columns only"},
		{"SELECT ID FROM User WHERE ID IN (SELECT ID, Name FROM Role)", CodeSyntax, "gives 2 columns"},
		{"SELECT (SELECT ID FROM User)", CodeUnsupported, "a SELECT as a value"},
		{"SELECT ID FROM User WHERE EXISTS (SELECT 1)", CodeUnsupported, "EXISTS"},
		{"SELECT ID FROM User WHERE ID GLOB 'x*'", CodeUnsupported, "use LIKE"},
		{"SELECT ID FROM User RIGHT JOIN Role ON 1=1", CodeUnsupported, "RIGHT JOIN"},
		{"SELECT ID COLLATE RTRIM FROM User", CodeUnsupported, "NOCASE and BINARY"},
		{"SELECT DateFunc('then')", CodeFunction, "DateFunc takes 'now'"},
		{"SELECT DateFunc('/Date(9223372036854775807)/', 1)", CodeFunction, "DateFunc takes 'now'"},
		{"SELECT DateFunc('now', 'x')", CodeFunction, "a number of days"},
		{"SELECT DateFunc('now', 99999999999)", CodeFunction, "a number of days"},
		{"SELECT DateFunc(LastLogin) FROM User", CodeFunction, "takes written texts and numbers, not columns"},
		{"SELECT IPLookup(FromIPAddress, 'city') FROM Event", CodeFunction, "'country_name' only"},
		{"SELECT IPLookup(ID, 'country_name') FROM Event", CodeFunction, "a column with an address"},
		{"SELECT 1 WHERE 'x' LIKE 'x!' ESCAPE '!'", CodeSyntax, "ends with its ESCAPE"},
		{"SELECT '\x00'", CodeSyntax, "NUL"},
		{"SELECT '\xff'", CodeSyntax, "UTF-8"},
		{"SELECT 1x", CodeSyntax, "neither a number nor a name"},
		{"SELECT 1e999", CodeSyntax, "out of range"},
		{"SELECT \u201cx\u201d", CodeColumn, "no such column"},
		{"SELECT " + strings.Repeat("(", 100) + "1" + strings.Repeat(")", 100), CodeLimit, "nested deeper"},
		{"SELECT " + strings.Repeat("NOT ", 100) + "1", CodeLimit, "nested deeper"},
		{"SELECT " + strings.Repeat("CASE ", 100), CodeLimit, "nested deeper"},
		{"SELECT 'a'" + strings.Repeat(" || 'a'", 500), CodeLimit, "chained deeper"},
		{"SELECT 1 IN (1" + strings.Repeat(",1", 6000) + ")", CodeLimit, "texts and numbers"},
		{"SELECT 1 FROM User" + strings.Repeat(",User", 20), CodeLimit, "tables"},
		{"SELECT *,*,*,*,*,*,*,*,*,*,*,* FROM Event", CodeLimit, "columns are selected"},
		{"SELECT '" + strings.Repeat("a", 70000) + "'", CodeLimit, "longer than"},
		{"SELECT " + strings.Repeat("substr(", 40) + "ID" + strings.Repeat(",-5,3)", 40) + " FROM User", CodeLimit, "too complex"},
		{"SELECT ID FROM User ORDER BY 1" + strings.Repeat(",1", 100), CodeLimit, "ORDER BY has more"},
		{"SELECT ID FROM User GROUP BY 1" + strings.Repeat(",1", 100), CodeLimit, "GROUP BY has more"},
		{"SELECT ID IN ('a'" + strings.Repeat(",ID", 3000) + ") AS a FROM User WHERE 1 IN (a" + strings.Repeat(",a", 3000) + ")", CodeLimit, "too complex"},
		{"SELECT ID FROM User WHERE " + strings.Repeat("CASE ", 40) + "ID" + strings.Repeat(" WHEN 'a' THEN 'b' WHEN 'b' THEN 'c' ELSE 'd' END", 40) + " = 'x'", CodeLimit, "too complex"},
	} {
		start := time.Now()
		err := attempt(cat, c.script)
		if d := time.Since(start); d > 5*time.Second { // milliseconds are usual; the limits fail when it is minutes
			t.Errorf("%.80q: refused after %v", c.script, d)
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.80q: %v, want %s", c.script, err, c.code)
			continue
		}
		if e.Code != c.code || !strings.Contains(e.Text, c.text) {
			t.Errorf("%.80q: %s %q, want %s %q", c.script, e.Code, e.Text, c.code, c.text)
		}
	}
}

// attempt compiles a script for both engines.
func attempt(cat *Catalogue, script string) error {
	s, err := Parse(script, Limits{})
	if err != nil {
		return err
	}
	if _, err = Compile(s, cat, SQLite, options()); err != nil {
		return err
	}
	_, err = Compile(s, cat, Postgres, options())
	return err
}

func TestErrorPlace(t *testing.T) {
	err := attempt(catalogue(t), "SELECT ID\nFROM User\nWHERE 'ü' = Foo")
	var e *Error
	if !errors.As(err, &e) || e.Line != 3 || e.Column != 13 || e.Token != "Foo" {
		t.Errorf("%+v", err)
	}
}
