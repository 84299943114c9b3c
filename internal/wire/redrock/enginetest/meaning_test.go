package enginetest

import (
	"slices"
	"strings"
	"testing"

	"limen/internal/wire/redrock"
)

// TestMeaning pins answers where the dialect differs from one engine's SQL or from both.
func TestMeaning(t *testing.T) {
	cat := catalogue(t)
	dbs := stores(t)
	for _, s := range dbs {
		s.fill(t)
	}
	for _, c := range []struct {
		script string
		want   string // rows with a blank between
	}{
		// names
		{`select id from EVENT where ID = 'e1'`, `{"ID":"e1"}`},
		{`select ID, Id, iD from Event where id = 'e6'`, `{"ID":"e6","Id":null}`},
		{`SELECT From, To, Key, Value FROM Event WHERE From = 'a'`, `{"From":"a","Key":null,"To":"b","Value":null}`},
		{`SELECT Event.From AS "select" FROM Event WHERE Event.To IS NOT NULL`, `{"select":"a"}`},
		{`SELECT _TableName, NewEntity FROM Event WHERE ID = 'e1'`, `{"NewEntity":{"a":1},"_TableName":"events"}`},
		{`SELECT Name FROM Role WHERE Role.Name = "System Administrator"`, `{"Name":"System Administrator"}`},
		{`SELECT Name FROM Roles WHERE "Name" = "x"`, `{"Name":"x"}`},
		{`SELECT ID AS "Name", 'x' FROM Role WHERE "Name" = 'x'`, `{"'x'":"x","Name":"r3"}`},
		{`SELECT ID a, Name AS a, ID AS a FROM Role WHERE ID = 'r3'`, `{"a":"r3","a:1":"x"}`},
		{`SELECT count(*), max( ID ) FROM Role`, `{"count(*)":3,"max(ID)":"r3"}`},
		// texts: = minds case but for folded names; LIKE and NOCASE do not, in ASCII
		{`SELECT ID FROM User WHERE Username = 'ANNA@acme' OR Username IN ('BOB@ACME')`, `{"ID":"u1"} {"ID":"u2"}`},
		{`SELECT ID FROM User WHERE 'CARL@ACME' = Username`, `{"ID":"u3"}`},
		{`SELECT ID FROM (SELECT * FROM User) WHERE Username <> 'ANNA@acme' AND UserName <> 'carl@acme'`, `{"ID":"u2"}`},
		{`SELECT ID FROM User WHERE DisplayName = 'ANNA JOHNSON'`, ``},
		{`SELECT ID FROM User WHERE DisplayName = 'ANNA JOHNSON' COLLATE NOCASE`, `{"ID":"u1"}`},
		{`SELECT ID FROM User WHERE DisplayName LIKE '%o\_neil%' OR DisplayName LIKE '%O''NEIL 100!%' ESCAPE '!'`, `{"ID":"u3"}`},
		{`SELECT ID FROM User WHERE DisplayName LIKE 'çarl%'`, ``},
		{`SELECT ID FROM User ORDER BY Username`, `{"ID":"u2"} {"ID":"u1"} {"ID":"u3"}`},
		{`SELECT ID FROM User ORDER BY DisplayName COLLATE NOCASE DESC`, `{"ID":"u3"} {"ID":"u2"} {"ID":"u1"}`},
		{`SELECT u.ID AS a, d.InternalName AS b FROM User u JOIN DSUsers d ON u.Username = d.SystemName`, `{"a":"u1","b":"u1"}`},
		{`SELECT replace('ab', 'b', 'c') AS a, replace('ab', '', NULL) AS b, replace('ab', NULL, 'c') AS c, replace('ab', substr('x', 9), NULL) AS d`, `{"a":"ac","b":"ab","c":null,"d":"ab"}`},
		// nulls
		{`SELECT ID FROM User ORDER BY LastLogin`, `{"ID":"u2"} {"ID":"u3"} {"ID":"u1"}`},
		{`SELECT ID FROM User ORDER BY LastLogin DESC`, `{"ID":"u1"} {"ID":"u3"} {"ID":"u2"}`},
		{`SELECT ID FROM User ORDER BY LastLogin NULLS LAST`, `{"ID":"u3"} {"ID":"u1"} {"ID":"u2"}`},
		{`SELECT Email || 'x' AS a FROM User WHERE ID = 'u3'`, `{"a":null}`},
		{`SELECT ID FROM User WHERE Email IS 'bob@acme' OR Email IS NULL`, `{"ID":"u2"} {"ID":"u3"}`},
		{`SELECT ID FROM User WHERE ID IN ()`, ``},
		{`SELECT u.ID AS a, e.EventType AS b FROM User u LEFT JOIN Event e ON e.UserGuid = u.ID AND e.ID = 'e1' ORDER BY e.EventType, u.ID`,
			`{"a":"u2","b":null} {"a":"u3","b":null} {"a":"u1","b":"Cloud.Core.Login"}`},
		{`SELECT a, b FROM (SELECT u.ID AS a, d.ID AS b FROM User u LEFT JOIN (SELECT * FROM Event) d ON d.UserGuid = u.ID AND d.ID = 'e1') ORDER BY b DESC, a`,
			`{"a":"u1","b":"e1"} {"a":"u2","b":null} {"a":"u3","b":null}`},
		// booleans and numbers
		{`SELECT ID FROM User WHERE ServiceUser = 1`, `{"ID":"u2"}`},
		{`SELECT ID FROM User WHERE ServiceUser = 'True' AND ServiceUser <> FALSE`, `{"ID":"u2"}`},
		{`SELECT ID FROM User WHERE NOT ServiceUser AND SecurityQuestionCount`, `{"ID":"u1"}`},
		{`SELECT sum(ServiceUser) AS s, min(ServiceUser) AS a, max(ServiceUser) AS b, ServiceUser + 1 AS c FROM User`, `{"a":false,"b":true,"c":1,"s":1}`},
		{`SELECT 7/2 AS a, -7/2 AS b, -7%3 AS c, 1/0 AS d, 1%0 AS e, 7/2.0 AS f, '7' + 1 AS g, round(2.5) AS h`, `{"a":3,"b":-3,"c":-1,"d":null,"e":null,"f":3.5,"g":8,"h":3}`},
		{`SELECT ID FROM User WHERE SecurityQuestionCount = '2'`, `{"ID":"u1"}`},
		{`SELECT ID FROM User WHERE Username > 5 AND SecurityQuestionCount >= 0.5`, `{"ID":"u1"}`},
		{`SELECT avg(SecurityQuestionCount) AS a, sum(SecurityQuestionCount) AS s, count(SecurityQuestionCount) AS c FROM User`, `{"a":1,"c":2,"s":2}`},
		// dates
		{`SELECT ID FROM User WHERE LastLogin > DateFunc("now", -7)`, `{"ID":"u1"}`},
		{`SELECT ID FROM User WHERE LastLogin > dateFunc('now', '-100') ORDER BY LastLogin`, `{"ID":"u3"} {"ID":"u1"}`},
		{`SELECT ID FROM User WHERE LastLogin = '2026-11-20T12:00:00.000000'`, `{"ID":"u1"}`},
		{`SELECT ID FROM User WHERE LastLogin = '2026-11-20 13:00:00+01:00' OR LastLogin = "/Date(1)/"`, `{"ID":"u1"}`},
		{`SELECT ID FROM User WHERE LastLogin BETWEEN '2026-11-20' AND '2026-11-20 12:00'`, `{"ID":"u1"}`},
		{`SELECT ID FROM User WHERE LastLogin IN ('2026-11-20 12:00:00', NULL)`, `{"ID":"u1"}`},
		{`SELECT ID FROM User WHERE LastLogin < datetime('now', '-7 days')`, `{"ID":"u3"}`},
		{`SELECT DateFunc('2016-08-26 11:00') AS a, DateFunc('now') AS b, date('now') AS c, time('now') AS d`,
			`{"a":"/Date(1472209200000)/","b":"/Date(1795262400000)/","c":"2026-11-21","d":"12:00:00"}`},
		{`SELECT coalesce(LastLogin, '2000-01-01') AS a FROM User WHERE ID = 'u2'`, `{"a":"/Date(946684800000)/"}`},
		{`SELECT max(WhenOccurred) AS a FROM Event WHERE EventType LIKE '%AppLaunch'`, `{"a":"/Date(1795003560000)/"}`},
		// groups
		{`SELECT ID, NormalizedUser AS User, count(*) AS n FROM Event WHERE ApplicationName = 'Salesforce' GROUP BY User ORDER BY n DESC`,
			`{"ID":"e4","User":"anna@acme","n":2} {"ID":"e6","User":"bob@acme","n":1}`},
		{`SELECT NormalizedUser u, FromIPAddress ip, max(WhenOccurred) AS w FROM Event WHERE EventType = 'Cloud.Core.Login' GROUP BY u HAVING max(WhenOccurred) > DateFunc('now', -10)`,
			`{"ip":"192.0.2.1","u":"anna@acme","w":"/Date(1795176000000)/"} {"ip":"198.51.100.1","u":"bob@acme","w":"/Date(1795003200000)/"}`},
		{`SELECT ID, min(WhenOccurred) AS a, max(WhenOccurred) AS b FROM Event WHERE ApplicationName = 'Salesforce'`,
			`{"ID":"e4","a":"/Date(1794916800000)/","b":"/Date(1795003560000)/"}`},
		{`SELECT substr(EventType, 1, 10) AS Kind, count(*) AS Count FROM Event GROUP BY substr(EventType, 1, 10) HAVING Count > 1 ORDER BY 1 DESC`,
			`{"Count":3,"Kind":"Cloud.Saas"} {"Count":4,"Kind":"Cloud.Core"}`},
		{`SELECT count(*) AS n FROM Event WHERE ID = 'none' GROUP BY ID`, ``},
		{`SELECT count(*) AS n, ID, sum(1) AS s FROM Event WHERE ID = 'none'`, `{"ID":null,"n":0,"s":null}`},
		{`SELECT DISTINCT NormalizedUser FROM Event ORDER BY NormalizedUser COLLATE NOCASE DESC LIMIT 2`, `{"NormalizedUser":"old@acme"} {"NormalizedUser":"bob@acme"}`},
		{`SELECT DISTINCT upper(NormalizedUser) AS u, 1 FROM Event ORDER BY length(u), u`, `{"1":1,"u":"BOB@ACME"} {"1":1,"u":"OLD@ACME"} {"1":1,"u":"ANNA@ACME"}`},
		// derived tables, joins, subselects
		{`SELECT * FROM (SELECT Name FROM Role ORDER BY Name COLLATE NOCASE DESC)`, `{"Name":"x"} {"Name":"System Administrator"} {"Name":"Everybody"}`},
		{`SELECT d.n FROM (SELECT count(*) n FROM Event) AS d, (SELECT ID FROM Role LIMIT 2) r`, `{"n":8} {"n":8}`},
		{`SELECT u.ID, e.ID AS Event FROM User u LEFT OUTER JOIN Event e ON e.UserGuid = u.ID AND e.EventType = 'Cloud.Core.Login' ORDER BY u.ID, e.WhenOccurred`,
			`{"Event":"e2","ID":"u1"} {"Event":"e1","ID":"u1"} {"Event":null,"ID":"u2"} {"Event":null,"ID":"u3"}`},
		{`SELECT User.ID FROM User, Event WHERE User.ID = Event.UserGuid AND Event.ID IN (SELECT ID FROM Event WHERE RequestIsMobileDevice = 1)`, `{"ID":"u1"}`},
		{`SELECT ID FROM User WHERE ID NOT IN (SELECT UserGuid FROM Event WHERE UserGuid IS NOT NULL) LIMIT 1, 5`, `{"ID":"u3"}`},
		{`SELECT c AS Country FROM (SELECT IPLookup(FromIPAddress, 'country_name') c FROM Event WHERE ID = 'e1')`, `{"Country":"Iceland"}`},
		{`SELECT IPLookup(FromIPAddress, 'country_name') AS c FROM (SELECT * FROM Event) WHERE ID = 'e2'`, `{"c":"Iceland"}`},
		{`SELECT TableName, ColumnName, Type, TableKey, ForeignKey FROM DataDictionary WHERE ID = 'Event.UserGuid'`,
			`{"ColumnName":"UserGuid","ForeignKey":"User","TableKey":"NotAKey","TableName":"Event","Type":12}`},
		{`SELECT 'a' AS x WHERE 1 = 1; -- end`, `{"x":"a"}`},
	} {
		for i, s := range dbs {
			got, _ := s.run(t, compile(t, cat, redrock.Engine(i), options(), c.script))
			if strings.Join(got, " ") != c.want {
				t.Errorf("engine %d: %s\ngot  %s\nwant %s", i, c.script, strings.Join(got, " "), c.want)
			}
		}
	}
}

// TestPages walks pages and wants every row once, in order, and the total on each.
func TestPages(t *testing.T) {
	cat := catalogue(t, itemTable())
	dbs := stores(t)
	for _, s := range dbs {
		s.fillItems(t)
	}
	for _, c := range []struct {
		script  string
		args    redrock.Args
		max     int
		total   int64
		pages   []int
		ordered bool // by the column Name, descending
	}{
		{"SELECT ID FROM Item", redrock.Args{PageSize: 10}, 0, 24, []int{10, 10, 4, 0}, false},
		{"SELECT ID FROM Item", redrock.Args{PageSize: 10, Limit: 15}, 0, 15, []int{10, 5, 0}, false},
		{"SELECT ID FROM Item", redrock.Args{}, 7, 24, []int{7, 7, 7, 3, 0}, false},
		{"SELECT ID FROM Item", redrock.Args{PageSize: 100}, 20, 24, []int{20, 4, 0}, false},
		{"SELECT ID FROM Item", redrock.Args{}, 0, 24, []int{24}, false},
		{"SELECT ID FROM Item LIMIT 5", redrock.Args{PageSize: 3}, 0, 5, []int{3, 2, 0}, false},
		{"SELECT ID, Name FROM Item ORDER BY ID", redrock.Args{PageSize: 9, SortBy: "name"}, 0, 24, []int{9, 9, 6}, true},
		{"SELECT ID, Name FROM Item", redrock.Args{PageSize: 9, SortBy: "Name desc, Size asc", Ascending: true}, 0, 24, []int{9, 9, 6}, true},
		{"SELECT ID FROM Item", redrock.Args{PageSize: 9, SortBy: "Flag,Nick"}, 0, 24, []int{9, 9, 6}, false},
		{"SELECT ID, Name, Size FROM Item", redrock.Args{PageSize: 3, FilterBy: []string{"name", "ID"}, FilterValue: "B"}, 0, 11, []int{3, 3, 3, 2}, false},
		{"SELECT ID, Name FROM Item", redrock.Args{FilterBy: []string{"Name"}, FilterValue: "b%"}, 0, 1, []int{1}, false},
		{"SELECT ID, Name, Made FROM Item", redrock.Args{FilterBy: []string{"Name", "Made"}, FilterValue: "_"}, 0, 1, []int{1}, false},
		{"SELECT ID, Made FROM Item", redrock.Args{FilterBy: []string{"Made"}, FilterValue: "1"}, 0, 0, []int{0}, false},
		{"SELECT DISTINCT \"From\" FROM Item", redrock.Args{PageSize: 3, SortBy: "From"}, 0, 5, []int{3, 2}, false},
	} {
		for i, s := range dbs {
			seen := map[string]bool{}
			var all []string
			for n, want := range c.pages {
				o := options()
				o.Args, o.MaxRows = c.args, c.max
				o.Args.PageNumber = n + 1
				p := compile(t, cat, redrock.Engine(i), o, c.script)
				got, total := s.run(t, p)
				if len(got) != want || total != c.total {
					t.Errorf("engine %d: %s %+v page %d: %d rows of %d, want %d of %d", i, c.script, c.args, n+1, len(got), total, want, c.total)
				}
				for _, r := range got {
					if seen[r] {
						t.Errorf("%s: %s is on two pages", c.script, r)
					}
					seen[r] = true
					all = append(all, r[strings.Index(r, `"Name"`)+1:])
				}
			}
			if c.ordered && !slices.IsSortedFunc(all, func(a, b string) int { return -strings.Compare(nameOf(a), nameOf(b)) }) {
				t.Errorf("%s: not in order: %v", c.script, all)
			}
		}
	}
}

// nameOf puts null before every text, and texts in the order of their bytes.
func nameOf(s string) string {
	v := strings.TrimSuffix(strings.TrimPrefix(s, `Name":`), "}")
	if v == "null" {
		return ""
	}
	return strings.TrimSuffix(v, `"`)
}
