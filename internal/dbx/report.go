package dbx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"limen/internal/fault"
)

// ReportQuery is a query that somebody outside wrote. The first fence is the caller's parser; Report is the second.
type ReportQuery struct {
	SQL     string        // one SELECT in the engine's own dialect, with ? placeholders
	Args    []any         // string, int64, float64, bool, []byte or nil
	Views   []string      // the views it may read
	Timeout time.Duration // 10 s when 0
	MaxRows int           // 10000 when 0; one more is ErrReportRows
}

// Rows is the answer to a report.
type Rows struct {
	Columns []string
	Types   []string // the engine's name of each column's type; empty where SQLite knows none
	Values  [][]any  // nil, int64, float64, string, bool or []byte
}

var (
	// ErrReportDenied says that a report reads, calls or does something that it may not.
	ErrReportDenied = fault.New(fault.Invalid, "report.denied", "The query uses something that reports may not use.")
	// ErrReportQuery says that the engine does not understand a report.
	ErrReportQuery = fault.New(fault.Invalid, "report.query", "The query cannot be run.")
	// ErrReportTime says that a report took too long.
	ErrReportTime = fault.New(fault.Invalid, "report.time", "The query takes too long.")
	// ErrReportRows says that a report has too many rows.
	ErrReportRows = fault.New(fault.Invalid, "report.rows", "The query has too many rows; ask for fewer.")
)

// Report runs a query on a connection that can do little else.
//
// SQLite: connections of its own, query_only, an authorizer that admits SELECT, the listed views (and what they read
// themselves) and a list of functions, interrupted at the timeout. With the modernc
// driver, which has no authorizer, the query may not mention the name of any other table or view, in whatever role.
//
// PostgreSQL: a READ ONLY transaction under the role that EnsureReportRole made, which sees the listed views only, with a
// statement_timeout. Without that role the caller's parser and the list of functions are the only fence.
func (d *DB) Report(ctx context.Context, r ReportQuery) (*Rows, error) {
	if r.Timeout <= 0 {
		r.Timeout = 10 * time.Second
	}
	if r.MaxRows <= 0 {
		r.MaxRows = 10_000
	}
	q, err := inspect(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	rows, err := d.store.report(ctx, q)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ErrReportRows) {
		return nil, ErrReportTime.Because(err)
	}
	return rows, err
}

// inspected is a report with what the lexer found in it.
type inspected struct {
	ReportQuery
	dollar string          // the text with $n
	views  map[string]bool // lower case
	ctes   map[string]bool // names that WITH defines, lower case
	words  map[string]bool // everything that could be a name, lower case
	tables map[string]bool // of these, what stands where a table could, lower case
}

// inspect refuses what no engine shall see: several statements, other quotes than ” and "", functions not on the list.
func inspect(r ReportQuery) (*inspected, error) {
	toks, err := lex(r.SQL)
	if err != nil {
		return nil, ErrReportQuery.Because(err)
	}
	q := &inspected{ReportQuery: r, dollar: dollar(r.SQL, toks), views: map[string]bool{}, ctes: map[string]bool{},
		words: map[string]bool{}, tables: map[string]bool{}}
	for _, v := range r.Views {
		q.views[strings.ToLower(v)] = true
	}
	text := func(i int) string {
		if i < 0 || i >= len(toks) {
			return ""
		}
		return r.SQL[toks[i].from:toks[i].to]
	}
	if first := strings.ToUpper(text(0)); first != "SELECT" && first != "WITH" && first != "VALUES" {
		return nil, ErrReportDenied.Because(fmt.Errorf("it starts with %s", first))
	}
	with := false
	for i, t := range toks {
		s, next := text(i), strings.ToUpper(text(i+1))
		switch t.kind {
		case word:
			up := strings.ToUpper(s)
			with = with || up == "WITH"
			if forbidden[up] {
				return nil, ErrReportDenied.Because(fmt.Errorf("%s", up))
			}
			if next == "(" && !beforeParen[up] && !reportFunctions[strings.ToLower(s)] && !isCTE(toks, r.SQL, i) {
				return nil, ErrReportDenied.Because(fmt.Errorf("function %s", s))
			}
		case quoted:
			if next == "(" && s[0] == '"' && !isCTE(toks, r.SQL, i) {
				return nil, ErrReportDenied.Because(fmt.Errorf("function %s", s))
			}
		default:
			continue
		}
		q.words[strings.ToLower(unquote(s))] = true
		if prev := strings.ToUpper(text(i - 1)); !beforeColumn[prev] && (prev != "." || schemas[strings.ToLower(unquote(text(i-2)))]) {
			q.tables[strings.ToLower(unquote(s))] = true
		}
		if with && isCTE(toks, r.SQL, i) {
			q.ctes[strings.ToLower(unquote(s))] = true
		}
	}
	return q, nil
}

// isCTE says whether token i is a name that WITH defines: name [(columns)] AS [[NOT] MATERIALIZED] (.
func isCTE(toks []token, s string, i int) bool {
	at := func(j int) string {
		if j >= len(toks) || j < 0 {
			return ""
		}
		return strings.ToUpper(s[toks[j].from:toks[j].to])
	}
	if prev := at(i - 1); prev != "WITH" && prev != "RECURSIVE" && prev != "," {
		return false
	}
	j := i + 1
	if at(j) == "(" {
		depth := toks[j].depth
		for j++; j < len(toks) && (toks[j].depth > depth || at(j) != ")"); j++ {
		}
		j++
	}
	if at(j) != "AS" {
		return false
	}
	next := at(j + 1)
	return next == "(" || next == "NOT" || next == "MATERIALIZED"
}

func unquote(s string) string {
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		q := s[:1]
		return strings.ReplaceAll(s[1:len(s)-1], q+q, q)
	}
	return s
}

func setOf(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

// The functions of both engines that a report may call: they depend on their arguments and the clock alone, and none
// makes something large out of something small.
var reportFunctions = setOf(`abs acos asin atan avg cast ceil ceiling char_length coalesce count cume_dist current_date
	current_timestamp date date_part date_trunc dense_rank exp extract first_value floor greatest group_concat iif ifnull
	instr julianday lag last_value lead least left length ln log lower ltrim max min mod nth_value ntile nullif
	octet_length percent_rank position power rank replace right round row_number rtrim sign sqrt strftime string_agg
	strpos substr substring sum time timezone to_char to_date to_timestamp total trim trunc upper`)

// Words that may stand before a parenthesis without being functions.
var beforeParen = setOf(`SELECT FROM WHERE AND OR NOT IN AS ON USING VALUES BY HAVING OVER FILTER WITHIN GROUP UNION ALL
	EXCEPT INTERSECT CASE WHEN THEN ELSE END EXISTS ANY SOME LIKE ILIKE BETWEEN IS LIMIT OFFSET DISTINCT JOIN WINDOW
	MATERIALIZED PARTITION ARRAY VARCHAR NUMERIC DECIMAL CHAR INTERVAL`)

// Words after which a name is a column's, and never a table's.
var beforeColumn = setOf(`SELECT DISTINCT WHERE AND OR ON BY`)

// What may stand before a table's name and a dot.
var schemas = setOf(`main temp`)

var forbidden = setOf(`INSERT UPDATE DELETE MERGE CREATE DROP ALTER ATTACH DETACH PRAGMA VACUUM COPY CALL DO GRANT REVOKE
	TRUNCATE SET RESET LOCK LISTEN NOTIFY PREPARE EXECUTE DEALLOCATE INTO`)
