package workbook

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// shared reads the texts that cells refer to by number. Hints for pronunciation are none of them.
func (k *book) shared(rels []relation) error {
	part := k.part(rels, "sharedStrings")
	if part == "" {
		return nil
	}
	var one []byte
	return k.stream(part, func(in []string, t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local == "si" {
				one = one[:0]
			}
		case xml.CharData:
			if last(in) != "t" || slices.Contains(in, "rPh") {
				return nil
			}
			if one = append(one, t...); len(one) > k.limits.Cell {
				return refuse("The workbook has a cell of more than %d bytes.", k.limits.Cell)
			}
		case xml.EndElement:
			if t.Name.Local != "si" {
				return nil
			}
			if len(k.strings) == k.limits.Rows*k.limits.Columns {
				return refuse("The workbook has more than %d texts.", k.limits.Rows*k.limits.Columns)
			}
			k.strings = append(k.strings, string(one))
		}
		return nil
	})
}

func last(in []string) string {
	if len(in) == 0 {
		return ""
	}
	return in[len(in)-1]
}

// cell is a cell being read.
type cell struct {
	row, column int
	kind        string // as the attribute t has it
	style       int
	formula     bool
	value       []byte // text of v
	inline      []byte // text of is
}

// sheet is a sheet being read.
type sheet struct {
	k     *book
	rows  []Row
	row   Row
	at    int // number of the last row
	cell  cell
	inRow bool
}

// rows reads the rows of a sheet that have content.
func (k *book) rows(part string) ([]Row, error) {
	s := sheet{k: k}
	err := k.stream(part, func(in []string, t xml.Token) error {
		if !slices.Contains(in, "sheetData") {
			return nil
		}
		switch t := t.(type) {
		case xml.StartElement:
			return s.start(&t)
		case xml.CharData:
			return s.text(in, t)
		case xml.EndElement:
			return s.end(t.Name.Local)
		}
		return nil
	})
	return s.rows, err
}

// MaxRow and MaxColumn are those of the last cell that a sheet has.
const (
	MaxRow    = 1 << 20
	MaxColumn = 1 << 14
)

func (s *sheet) start(e *xml.StartElement) error {
	switch e.Name.Local {
	case "row":
		n := s.at + 1
		if r := attr(e, "r"); r != "" {
			var err error
			if n, err = strconv.Atoi(r); err != nil || n <= s.at || n > MaxRow {
				return refuse("The workbook is damaged: its rows are out of order.")
			}
		}
		s.at, s.row, s.cell, s.inRow = n, Row{Number: n}, cell{}, true
	case "c":
		if !s.inRow {
			return refuse("The workbook is damaged: a cell is in no row.")
		}
		return s.begin(e)
	case "f":
		s.cell.formula = true
	}
	return nil
}

// begin begins a cell, which must be behind the one before: one that came twice could be read differently elsewhere.
func (s *sheet) begin(e *xml.StartElement) error {
	column := s.cell.column + 1
	if r := attr(e, "r"); r != "" {
		c, row, ok := place(r)
		if !ok || row != s.at || c < column {
			return &Error{Row: s.at, Why: "The workbook is damaged: its cells are out of order."}
		}
		column = c
	}
	if column > MaxColumn {
		return &Error{Row: s.at, Why: "The workbook is damaged: a row has too many cells."}
	}
	style, _ := strconv.Atoi(attr(e, "s"))
	s.cell = cell{row: s.at, column: column, kind: attr(e, "t"), style: style, value: s.cell.value[:0], inline: s.cell.inline[:0]}
	return nil
}

func (s *sheet) text(in []string, b []byte) error {
	to := &s.cell.value
	switch last(in) {
	case "v":
	case "t":
		if slices.Contains(in, "rPh") {
			return nil
		}
		to = &s.cell.inline
	default:
		return nil
	}
	if *to = append(*to, b...); len(*to) > s.k.limits.Cell {
		return &Error{s.at, s.cell.column, "The cell has more than " + strconv.Itoa(s.k.limits.Cell) + " bytes."}
	}
	return nil
}

func (s *sheet) end(name string) error {
	switch name {
	case "c":
		v, err := s.k.text(&s.cell)
		if err != nil || v == "" {
			return err
		}
		if s.cell.column > s.k.limits.Columns {
			return &Error{s.at, s.cell.column, "The sheet has more than " + strconv.Itoa(s.k.limits.Columns) + " columns."}
		}
		for len(s.row.Cells) < s.cell.column-1 {
			s.row.Cells = append(s.row.Cells, "")
		}
		s.row.Cells = append(s.row.Cells, v)
	case "row":
		s.inRow = false
		if !slices.ContainsFunc(s.row.Cells, func(c string) bool { return strings.TrimSpace(c) != "" }) {
			return nil
		}
		if len(s.rows) == s.k.limits.Rows {
			return &Error{Row: s.at, Why: "The sheet has more than " + strconv.Itoa(s.k.limits.Rows) + " rows with content."}
		}
		s.rows = append(s.rows, s.row)
	}
	return nil
}

// text is what a cell shows, or would were its column wide enough.
func (k *book) text(c *cell) (string, error) {
	bad := func(why string) (string, error) { return "", &Error{c.row, c.column, why} }
	v := string(bytes.TrimSpace(c.value))
	switch {
	case c.kind == "inlineStr":
		v = string(c.inline)
	case v == "" && c.formula && c.kind != "str":
		return bad("The cell has a formula whose value was not saved. Put the value in its place.")
	case c.kind == "str":
		v = string(c.value)
	case v == "":
		return "", nil
	case c.kind == "s":
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 || n >= len(k.strings) {
			return bad("The workbook is damaged: the text of the cell is not there.")
		}
		v = k.strings[n]
	case c.kind == "b":
		v = map[string]string{"1": "true", "0": "false"}[v]
	case c.kind == "e":
		return bad("The cell has an error in place of a value.")
	case c.kind == "d":
	default:
		return k.numeric(c, v)
	}
	if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
		return bad("The cell has something in it that is no text.")
	}
	return v, nil
}

func (k *book) numeric(c *cell, v string) (string, error) {
	out, ok := number(v)
	if ok && c.style >= 0 && c.style < len(k.dates) && k.dates[c.style] {
		if days, err := strconv.ParseFloat(v, 64); err == nil {
			out, ok = k.date(days)
		}
	}
	if !ok || len(out) > k.limits.Cell {
		return "", &Error{c.row, c.column, "The cell has a number or date that cannot be read."}
	}
	return out, nil
}

// place reads the name of a cell, as BC12.
func place(s string) (column, row int, ok bool) {
	i := 0
	for ; i < len(s) && i < 4 && s[i] >= 'A' && s[i] <= 'Z'; i++ {
		column = column*26 + int(s[i]-'A') + 1
	}
	row, err := strconv.Atoi(s[i:])
	return column, row, err == nil && i > 0 && row > 0 && column <= MaxColumn
}
