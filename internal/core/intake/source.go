package intake

import (
	"bytes"
	"cmp"
	"encoding/json"
	"path"
	"strings"
	"unicode/utf8"

	"limen/internal/fault"
	"limen/internal/wire/csvfile"
	"limen/internal/wire/workbook"
)

// Source is a file as it came: CSV, or an XLSX workbook, of which the first sheet counts.
type Source struct {
	Name    string // for people
	Content []byte
}

// MaxFiles is how many files one import takes. Limits hold for all of them together.
const MaxFiles = 20

// sheets are the limits of a workbook. It may be several times as large when it is unpacked, for it names each cell.
var sheets = workbook.Limits{Bytes: Limits.Bytes, Inflated: 64 << 20, Rows: Limits.Rows + 1, Columns: Limits.Columns, Cell: Limits.Cell}

// part is the table of one file.
type part struct {
	Name  string        `json:"name"` // empty when there is one file only: places need not say which
	Table csvfile.Table `json:"table"`

	cols []*column
}

// tables reads files as they came. Faults: ErrFile, ErrMany.
func tables(from []Source) (out []part, err error) {
	if len(from) > MaxFiles {
		return nil, ErrMany
	}
	size, rows := 0, 0
	for _, s := range from {
		p := part{}
		if len(from) > 1 {
			p.Name = clean(s.Name)
		}
		if size += len(s.Content); size > Limits.Bytes {
			return nil, ErrFile.Say("The files have more than %d bytes together.", Limits.Bytes)
		}
		if p.Table, err = table(s.Content); err != nil {
			where := ""
			if p.Name != "" {
				where = p.Name + ": "
			}
			return nil, ErrFile.Say("The file was not accepted. %s%s", where, err.Error())
		}
		if rows += len(p.Table.Rows); rows > Limits.Rows {
			return nil, ErrFile.Say("The files have more than %d rows together.", Limits.Rows)
		}
		out = append(out, p)
	}
	return out, nil
}

// table reads a file by what it is.
func table(content []byte) (csvfile.Table, error) {
	if !workbook.Is(content) {
		return csvfile.Read(content, Limits)
	}
	s, err := workbook.Read(content, sheets)
	if err != nil {
		return csvfile.Table{}, err
	}
	rows := make([]csvfile.Row, len(s.Rows))
	for i, r := range s.Rows {
		rows[i] = csvfile.Row{Line: r.Number, Cells: r.Cells}
	}
	return csvfile.Of(rows, Limits)
}

// mark begins what is kept of checked files; no CSV has a NUL in it, which is what was kept before workbooks were taken.
const mark = "\x00"

// pack writes tables down, so that the job needs not read files again.
func pack(parts []part) ([]byte, error) {
	b, err := json.Marshal(parts)
	if err != nil {
		return nil, fault.ErrInternal.Because(err)
	}
	return append([]byte(mark), b...), nil
}

// unpack reads what pack has written, or a version before it.
func unpack(b []byte) (parts []part, err error) {
	packed, ok := bytes.CutPrefix(b, []byte(mark))
	if !ok {
		return tables([]Source{{Content: b}})
	}
	if err = json.Unmarshal(packed, &parts); err != nil {
		err = fault.ErrInternal.Because(err)
	}
	return parts, err
}

// clean makes a file's name fit to be shown: no folders, no control characters, not too long.
func clean(name string) string {
	name = strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, path.Base(strings.ReplaceAll(name, `\`, "/"))), "")
	return shorten(name)
}

func shorten(name string) string {
	for len(name) > maxName {
		_, n := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-n]
	}
	return name
}

// order is that of places: by file, then line.
func order(a, b Problem) int { return cmp.Or(a.part-b.part, a.Line-b.Line) }
