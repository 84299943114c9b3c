// Package csvfile reads tables that people write with spreadsheets: RFC 4180 with what such programs make of it, which is
// other encodings, semicolons or tabs in place of commas, lines that say the separator, and rows of nothing but separators.
package csvfile

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits bound a file. Each is required.
type Limits struct {
	Bytes   int // of the file, as it came
	Rows    int // besides the header
	Columns int
	Cell    int // bytes of a cell in UTF-8
}

// Of makes a table of rows that come from elsewhere, such as a workbook: the first one with content is the header. Numbers of rows
// stand for lines. It fails with *Error only.
func Of(rows []Row, l Limits) (Table, error) {
	var t Table
	for _, r := range rows {
		if err := t.take(r.Cells, r.Line, l); err != nil {
			return t, err
		}
	}
	return t, t.whole()
}

// Table is a file's content. All text is valid UTF-8 without NUL.
type Table struct {
	Encoding  string // UTF-8, UTF-16LE, UTF-16BE or windows-1252; empty: it was no text
	Separator rune   // comma, semicolon or tab; 0 likewise
	Header    []string
	Rows      []Row
}

// Row is a line of the table, which may go over several of the file's. Rows without content are left out.
type Row struct {
	Line  int      // of the file, from 1, in which the row begins
	Cells []string // as many as the header has
}

// Error says why a file cannot be read, and where.
type Error struct {
	Line   int // from 1; 0: the whole file
	Column int // number of the cell in its row, from 1; 0: the whole line
	Why    string
}

// Error is the sentence, with its place.
func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return e.Why
	case e.Column == 0:
		return fmt.Sprintf("Line %d: %s", e.Line, e.Why)
	}
	return fmt.Sprintf("Line %d, cell %d: %s", e.Line, e.Column, e.Why)
}

// Read reads a file. It fails with *Error only.
func Read(b []byte, l Limits) (Table, error) {
	if len(b) > l.Bytes {
		return Table{}, &Error{Why: fmt.Sprintf("The file has more than %d bytes.", l.Bytes)}
	}
	text, encoding, err := decode(b)
	if err != nil {
		return Table{}, err
	}
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, "\r", "\n")
	}
	separator, before := rune(0), 0
	if first, rest, _ := strings.Cut(text, "\n"); len(first) <= len("sep=;\r") && strings.HasPrefix(strings.ToLower(first), "sep=") {
		if named := strings.TrimSuffix(first[len("sep="):], "\r"); len(named) == 1 && strings.Contains(separators, named) {
			separator, text, before = rune(named[0]), rest, 1
		}
	}
	if separator == 0 {
		separator = guess(text)
	}
	t := Table{Encoding: encoding, Separator: separator}
	return t, t.fill(text, before, l)
}

const separators = ",;\t"

// guess takes the separator of which the first line has most; text in quotes does not count.
func guess(text string) rune {
	var n [len(separators)]int
	quoted, seen := false, false
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '\n' && seen:
			return most(n)
		case c != '\n' && c != '\r':
			seen = true
			if at := strings.IndexByte(separators, c); at >= 0 {
				n[at]++
			}
		}
	}
	return most(n)
}

func most(n [len(separators)]int) rune {
	best := 0
	for i := range n {
		if n[i] > n[best] {
			best = i
		}
	}
	return rune(separators[best])
}

// fill reads header and rows; before lines of the file stand ahead of text.
func (t *Table) fill(text string, before int, l Limits) error {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = t.Separator, -1, true
	r.TrimLeadingSpace = t.Separator != '\t' // which would be trimmed as well
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return misread(err, before)
		}
		line, _ := r.FieldPos(0)
		if err := t.take(cells, line+before, l); err != nil {
			return err
		}
	}
	return t.whole()
}

// take takes a row as the header or as one more of the table; one without content is none.
func (t *Table) take(cells []string, line int, l Limits) error {
	switch {
	case blank(cells):
		return nil
	case t.Header == nil:
		return t.head(cells, line, l)
	}
	return t.add(cells, line, l)
}

// whole refuses a table without a header.
func (t *Table) whole() error {
	if t.Header == nil {
		return &Error{Why: "The file is empty."}
	}
	return nil
}

func (t *Table) head(cells []string, line int, l Limits) error {
	for len(cells) > 1 && strings.TrimSpace(cells[len(cells)-1]) == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) > l.Columns {
		return &Error{Line: line, Why: fmt.Sprintf("The file has more than %d columns.", l.Columns)}
	}
	for i, cell := range cells {
		if len(cell) > l.Cell {
			return &Error{line, i + 1, fmt.Sprintf("The cell has more than %d bytes.", l.Cell)}
		}
		t.Header = append(t.Header, strings.Clone(strings.TrimSpace(cell)))
	}
	return nil
}

func (t *Table) add(cells []string, line int, l Limits) error {
	if len(t.Rows) == l.Rows {
		return &Error{Line: line, Why: fmt.Sprintf("The file has more than %d rows.", l.Rows)}
	}
	if len(cells) > len(t.Header) && !blank(cells[len(t.Header):]) {
		return &Error{Line: line, Why: fmt.Sprintf("The row has %d cells, and the header %d. Text with the separator in it needs double quotes.",
			len(cells), len(t.Header))}
	}
	row := Row{Line: line, Cells: make([]string, len(t.Header))}
	for i, cell := range cells[:min(len(cells), len(t.Header))] {
		if len(cell) > l.Cell {
			return &Error{line, i + 1, fmt.Sprintf("The cell has more than %d bytes.", l.Cell)}
		}
		row.Cells[i] = strings.Clone(cell)
	}
	t.Rows = append(t.Rows, row)
	return nil
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

// misread puts an error of the reader into words.
func misread(err error, before int) error {
	p, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return &Error{Why: "The file cannot be read."}
	}
	why := "The line cannot be read."
	switch {
	case errors.Is(p.Err, csv.ErrQuote):
		why = "A quote that is opened is not closed, or text follows the closing one. A quote within text is written twice."
	case errors.Is(p.Err, csv.ErrBareQuote):
		why = "There is a quote within text that does not begin with one. Such text needs quotes around it, and a quote within it is written twice."
	}
	return &Error{Line: p.StartLine + before, Why: why}
}
