package redrock

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// TestColumns compares with the answer of the documentation (users, "Get a list of current users").
func TestColumns(t *testing.T) {
	p := compile(t, catalogue(t), SQLite, options(), "Select Username, ID from User ORDER BY Username COLLATE NOCASE")
	want := []OutColumn{
		{Name: "ID", DDName: "ID", Title: "ID", DDTitle: "ID", Description: "Row Identifier (primary key)", Type: Text, TableKey: Primary, TableName: "User"},
		{Name: "Username", DDName: "Username", Title: "Username", DDTitle: "Username", Description: "User name.", Type: Text, TableKey: Alternate, TableName: "User"},
	}
	if !reflect.DeepEqual(p.Columns, want) {
		t.Errorf("%+v", p.Columns)
	}
	p = compile(t, catalogue(t), SQLite, options(), "SELECT UserGuid AS Who, WhenOccurred, count(*) AS n, RequestIsMobileDevice, NewEntity, max(e.ID) FROM Event e JOIN Role r ON 1 GROUP BY 1, 2")
	got := map[string]OutColumn{}
	for _, c := range p.Columns {
		got[c.Name] = c
	}
	if c := got["Who"]; c.ForeignKey != "User" || c.Title != "Who" || c.DDTitle != "User Uuid" || c.DDName != "UserGuid" || c.TableName != "Event" {
		t.Errorf("%+v", c)
	}
	if c := got["WhenOccurred"]; c.Type != 3 || c.Title != "When Occurred" || c.TableKey != NotAKey {
		t.Errorf("%+v", c)
	}
	if c := got["n"]; c.Type != Integer || c.TableName != "" || c.DDName != "n" {
		t.Errorf("%+v", c)
	}
	if got["RequestIsMobileDevice"].Type != 1 || got["NewEntity"].Type != 16 || got["max(e.ID)"].TableKey != NotAKey {
		t.Errorf("%+v", got)
	}
	if !p.Aggregate || !reflect.DeepEqual(p.Tables, []string{"Event", "Role"}) {
		t.Errorf("%v %v", p.Aggregate, p.Tables)
	}
}

// TestCollector parses what the SIEM collector sends: all columns of Event in one statement, without quotes.
func TestCollector(t *testing.T) {
	table := eventTable()
	var names []string
	for _, c := range table.Columns {
		names = append(names, c.Name)
	}
	script := "Select " + strings.Join(names, ", ") + " from Event where WhenOccurred > '2022-05-02T12:00:00.000000'"
	for _, e := range []Engine{SQLite, Postgres} {
		o := options()
		o.Args = Args{PageNumber: 1, PageSize: 1000, Limit: 1000}
		p := compile(t, catalogue(t), e, o, script)
		if len(p.Columns) != len(names) || len(names) < 90 {
			t.Errorf("%d columns of %d", len(p.Columns), len(names))
		}
		if !strings.Contains(p.SQL, `t1."whenoccurred" >`) || !strings.HasSuffix(p.SQL, " LIMIT 1000") {
			t.Error(p.SQL)
		}
	}
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		typ  Type
		raw  any
		want any
	}{
		{Text, "x", "x"}, {Text, []byte("x"), "x"}, {Text, nil, nil},
		{Bool, int64(1), true}, {Bool, int64(0), false}, {Bool, true, true},
		{Time, int64(1652621703570), "/Date(1652621703570)/"}, {Time, int64(-5), "/Date(-5)/"},
		{Integer, int64(5), int64(5)}, {Double, 1.5, 1.5}, {Double, int64(2), 2.0},
		{Object, `{"a":1}`, json.RawMessage(`{"a":1}`)}, {Object, "no JSON", "no JSON"},
	} {
		got, err := OutColumn{Type: c.typ}.Value(c.raw)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v of %v: %v %v", c.typ, c.raw, got, err)
		}
	}
	for typ, raw := range map[Type]any{Text: int64(1), Bool: "x", Time: 1.5, Integer: 1e300, Object: true, Double: "x"} {
		if got, err := (OutColumn{Type: typ}).Value(raw); err == nil {
			t.Errorf("%v of %v: %v", typ, raw, got)
		}
	}
}

func TestArgs(t *testing.T) {
	cat := catalogue(t)
	s, err := Parse("SELECT ID, Username FROM User", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []Args{
		{SortBy: "Foo"}, {SortBy: "ID; DROP TABLE x"}, {SortBy: "1+1"}, {SortBy: "'ID'"}, {SortBy: "count(*)"}, {SortBy: "ID,"},
		{FilterBy: []string{"Foo"}, FilterValue: "x"}, {FilterBy: []string{"ID"}, FilterValue: "\x00"},
	} {
		o := options()
		o.Args = a
		_, err := Compile(s, cat, SQLite, o)
		var e *Error
		if !errors.As(err, &e) || e.Code != CodeArgument {
			t.Errorf("%+v: %v", a, err)
		}
	}
	o := options()
	o.Args = Args{PageNumber: 1 << 62, PageSize: 1 << 40, Limit: 5, FilterBy: []string{"ID"}, FilterValue: "a%' OR 1"}
	p, err := Compile(s, cat, Postgres, o)
	if err != nil || p.PageSize != 0 || strings.Contains(p.SQL, "a%") {
		t.Error(p, err)
	}
}

func TestNewCatalogue(t *testing.T) {
	good := Table{Name: "A", Key: "ID", Columns: []Column{{Name: "ID", Type: Text}}}
	bad := []func(*Table){
		func(t *Table) { t.Name = "" },
		func(t *Table) { t.Key = "" },
		func(t *Table) { t.Key = "Foo" },
		func(t *Table) { t.Alternate = "Foo" },
		func(t *Table) { t.Foreign = map[string]string{"Foo": "A"} },
		func(t *Table) { t.Columns = append(t.Columns, t.Columns[0]) },
		func(t *Table) { t.Columns = []Column{{Name: "ID", Type: 99}} },
		func(t *Table) { t.Columns = []Column{{Name: "ID", Type: Text, Stored: `a"b`}} },
		func(t *Table) { t.Columns = []Column{{Name: "ID", Type: Bool, Fold: true}} },
		func(t *Table) { t.Columns = []Column{{Name: "Größe", Type: Text}, {Name: "ID", Type: Text}} },
	}
	for i, change := range bad {
		x := good
		x.Columns = append([]Column{}, good.Columns...)
		change(&x)
		if _, err := NewCatalogue([]Table{x}); err == nil {
			t.Errorf("%d: accepted %+v", i, x)
		}
	}
	other := good
	other.Name, other.Aliases = "B", []string{"a"}
	if _, err := NewCatalogue([]Table{good, other}); err == nil {
		t.Error("two tables share a name")
	}
}

func TestAPrefixNarrowsTheSearch(t *testing.T) {
	cat, err := NewCatalogue(Tables())
	if err != nil {
		t.Fatal(err)
	}
	for script, narrowed := range map[string]bool{
		`SELECT ID FROM User WHERE Username LIKE 'Anna%'`:          true,
		`SELECT ID FROM User WHERE Username LIKE 'an_a%'`:          true,
		`SELECT ID FROM User WHERE Username LIKE '%anna%'`:         false,
		`SELECT ID FROM User WHERE Username LIKE 'a%'`:             false, // nothing is left of it without its last letter
		`SELECT ID FROM User WHERE Username LIKE 'änna%'`:          false,
		`SELECT ID FROM User WHERE Username LIKE ' anna%'`:         false, // keys have no space in front
		`SELECT ID FROM User WHERE Username NOT LIKE 'anna%'`:      false,
		`SELECT ID FROM User WHERE DisplayName LIKE 'anna%'`:       false,
		`SELECT ID FROM User WHERE Username LIKE 'a!%' ESCAPE '!'`: false,
	} {
		q, err := Parse(script, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range []Engine{SQLite, Postgres} {
			p, err := Compile(q, cat, e, Options{Fold: strings.ToLower, Source: func(t *Table) (string, []any) { return "v", nil }})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(p.SQL, `"username_key" >=`); got != narrowed {
				t.Errorf("%s: %v\n%s", script, got, p.SQL)
			}
		}
	}
}
