// Package redrock reads the SQL dialect of POST /Redrock/Query and turns it into SQL for SQLite and PostgreSQL (contract: redrock.yaml,
// redrock-tables.yaml). It is pure: no store, no clock, no I/O.
//
// [ParseScript] tells a SELECT from a report (@@Name) and a library script (@/lib/x.js(...)); [Parse] reads a SELECT; [Compile] resolves its
// names against a [Catalogue], checks types and emits a [Plan], whose columns know how to read their values ([OutColumn.Value]).
//
// # The fence
//
// A script names tables and columns of the catalogue and the functions of this package, nothing else. The emitted text consists of our own
// words, the stored names of the catalogue, generated aliases (t1, o2, ...), whole numbers printed from their value, and what
// Options.Source gives for a table, which forces tenant and grant in. Texts and fractions are bound as parameters. No text of the script,
// not even an alias, is in it. Limits bound the script, its tree, and the work to compile it; the time to run it is the caller's to bound.
//
// # The dialect
//
// SELECT [DISTINCT] list FROM tables and derived tables, with comma, [INNER] JOIN, LEFT [OUTER] JOIN and CROSS JOIN; WHERE, GROUP BY, HAVING,
// ORDER BY [COLLATE NOCASE] [ASC|DESC] [NULLS FIRST|LAST], LIMIT n [OFFSET m] or LIMIT m, n; = == <> != < <= > >= IS AND OR NOT IN (list or
// SELECT of one column) BETWEEN LIKE [ESCAPE] + - * / % || CASE; comments; a trailing semicolon. Keywords are columns where no keyword can
// stand. The functions are count, min, max, sum, avg; coalesce, ifnull, nullif, upper, lower, length, substr, trim, ltrim, rtrim, replace, abs,
// round; DateFunc, datetime, date, time, IPLookup. Refused with a sentence: statements of other kinds, UNION and its kin, WITH, EXISTS, a
// SELECT as a value, correlated SELECTs, RIGHT, FULL and NATURAL JOIN, USING, GLOB, CAST, window functions, parameters.
//
// # Meaning
//
// Both engines give the same answer, and where SQLite's own reading of a text is well defined, it is that one:
//   - Names resolve to a column, then to an alias, then, in double quotes, to a text. GROUP BY prefers columns, ORDER BY aliases. The exact
//     spelling goes before others: Event has ID and Id.
//   - Texts compare and sort by their bytes. LIKE, upper, lower and NOCASE know the case of ASCII letters only. Columns with Fold compare
//     by their folded key under =, <>, IS, IN, CASE x and NOCASE, except above GROUP BY and DISTINCT.
//   - NULL sorts before everything, a division by zero is NULL, and whole numbers divide to whole numbers.
//   - Beside a single min or max a bare column has the value of that row; among equals, of the first by primary key. In other groups it has
//     its least value, where SQLite would take any.
//   - An order is always made total by primary keys (of groups: by their keys), so pages neither overlap nor leave rows out. The order of a
//     derived table holds on through a plain SELECT around it.
//
// It differs from SQLite's reading on purpose here:
//   - Types are checked. A literal takes the type of what it stands beside: a date compares with ISO text, /Date(ms)/ or DateFunc, a boolean with
//     1, 0, 'true', 'false', a number with the text of one; '5' = 5 is true. Dates do not calculate, and are not compared with numbers.
//   - Comparisons are booleans in the answer. datetime, date and time give texts and take written arguments only; DateFunc gives a date.
//   - substr takes written whole numbers, the length not below 0. Fractions do not turn into text.
//   - Columns of one name and meaning are answered once; a second one of another meaning is named "Name:1". An expression without alias is
//     named by its canonical text.
//
// The engines still differ where a sum of whole numbers leaves 64 bits (an error on PostgreSQL, an error from [OutColumn.Value] on SQLite), and
// may differ in the last digit of sums of fractions and of round at a half that binary fractions cannot hold.
package redrock
