// Package workbook reads the first sheet of an XLSX workbook (ECMA-376, part 1, SpreadsheetML): the values of its cells as text, and
// nothing else. Formulas are not evaluated; the value that the program saved with them counts. Nothing is written to disk, and every
// dimension is bounded while it is read: a small file may say that it is large.
package workbook

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Limits bound a workbook. Each is required.
type Limits struct {
	Bytes    int // of the file, as it came
	Inflated int // of all that is read of it
	Rows     int // with content, the header among them
	Columns  int
	Cell     int // bytes of a cell in UTF-8
}

// Sheet is a table. All text is valid UTF-8 without NUL.
type Sheet struct {
	Name string
	Rows []Row
}

// Row is a row that has content.
type Row struct {
	Number int      // in the sheet, from 1
	Cells  []string // from the first column to the last with content
}

// Error says why a workbook cannot be read, and where.
type Error struct {
	Row    int // from 1; 0: the whole workbook
	Column int // from 1; 0: the whole row
	Why    string
}

// Error is the sentence, with its place.
func (e *Error) Error() string {
	switch {
	case e.Row == 0:
		return e.Why
	case e.Column == 0:
		return fmt.Sprintf("Row %d: %s", e.Row, e.Why)
	}
	return fmt.Sprintf("Cell %s%d: %s", letters(e.Column), e.Row, e.Why)
}

func refuse(why string, args ...any) *Error { return &Error{Why: fmt.Sprintf(why, args...)} }

// How files begin: ZIP archives, among them XLSX, XLSB and ODS, and the compound files of XLS and of workbooks with a password.
const (
	archive  = "PK\x03\x04"
	compound = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
)

// Is says whether a file is a workbook of any kind, also of one that Read refuses.
func Is(b []byte) bool {
	return bytes.HasPrefix(b, []byte(archive)) || bytes.HasPrefix(b, []byte(compound))
}

const maxParts = 2000

// book is a workbook being read.
type book struct {
	limits Limits
	parts  map[string]*zip.File // by name in lower case, as OPC compares them
	left   int                  // bytes that may still be inflated

	strings []string
	dates   []bool // by style: its numbers are dates
	since   int64  // days from the Unix epoch to day 0
	leap    bool   // day 60 is a day that never was
}

// Read reads the first sheet that is not hidden. It fails with *Error only.
func Read(b []byte, l Limits) (Sheet, error) {
	if len(b) > l.Bytes {
		return Sheet{}, refuse("The file has more than %d bytes.", l.Bytes)
	}
	if bytes.HasPrefix(b, []byte(compound)) {
		return Sheet{}, refuse("The file is a workbook of the old binary form (XLS), or one with a password. Save it as XLSX without a password, or as CSV UTF-8.")
	}
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return Sheet{}, refuse("The file is damaged: it is no whole workbook.")
	}
	k := &book{limits: l, left: l.Inflated, parts: map[string]*zip.File{}}
	if err := k.list(z); err != nil {
		return Sheet{}, err
	}
	main, rels, err := k.find()
	if err != nil {
		return Sheet{}, err
	}
	name, part, err := k.first(main, rels)
	if err != nil {
		return Sheet{}, err
	}
	if err := k.styles(rels); err != nil {
		return Sheet{}, err
	}
	if err := k.shared(rels); err != nil {
		return Sheet{}, err
	}
	rows, err := k.rows(part)
	return Sheet{Name: name, Rows: rows}, err
}

// list takes the parts down, and refuses what is no XLSX.
func (k *book) list(z *zip.Reader) error {
	if len(z.File) > maxParts {
		return refuse("The workbook has more than %d parts.", maxParts)
	}
	for _, f := range z.File {
		name := strings.ToLower(strings.TrimPrefix(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if k.parts[name] != nil {
			return refuse("The workbook is damaged: it has a part twice.")
		}
		k.parts[name] = f
	}
	switch {
	case k.parts["mimetype"] != nil:
		return refuse("The file is an OpenDocument workbook. Save it as XLSX or as CSV UTF-8.")
	case k.parts["xl/workbook.bin"] != nil:
		return refuse("The file is a workbook of the binary form (XLSB). Save it as XLSX or as CSV UTF-8.")
	}
	return nil
}

// relation is a relationship of a part, its target the name of another part.
type relation struct{ id, kind, target string }

// relations reads those of a part; none when there are none.
func (k *book) relations(part string) (out []relation, err error) {
	dir, file := path.Split(part)
	name := dir + "_rels/" + file + ".rels"
	if k.parts[name] == nil {
		return nil, nil
	}
	err = k.read(name, func(_ []string, e *xml.StartElement) error {
		if e.Name.Local != "Relationship" || attr(e, "TargetMode") == "External" {
			return nil
		}
		if len(out) == maxParts {
			return refuse("The workbook has more than %d relationships.", maxParts)
		}
		target := attr(e, "Target")
		if !strings.HasPrefix(target, "/") {
			target = path.Join("/", dir, target)
		}
		out = append(out, relation{attr(e, "Id"), path.Base(attr(e, "Type")), strings.ToLower(strings.TrimPrefix(path.Clean(target), "/"))})
		return nil
	}, nil)
	return out, err
}

// find finds the workbook's main part and its relationships.
func (k *book) find() (string, []relation, error) {
	top, err := k.relations("")
	if err != nil {
		return "", nil, err
	}
	for _, r := range top {
		if r.kind == "officeDocument" && k.parts[r.target] != nil {
			rels, err := k.relations(r.target)
			return r.target, rels, err
		}
	}
	return "", nil, refuse("The file is no workbook that can be read. Save it as XLSX or as CSV UTF-8.")
}

// first finds the first sheet that is not hidden.
func (k *book) first(main string, rels []relation) (name, part string, err error) {
	k.epoch(false)
	err = k.read(main, func(_ []string, e *xml.StartElement) error {
		switch e.Name.Local {
		case "workbookPr":
			v := attr(e, "date1904")
			k.epoch(v == "1" || v == "true")
		case "sheet":
			if s := attr(e, "state"); part != "" || s != "" && s != "visible" {
				return nil
			}
			for _, r := range rels {
				if r.id == attr(e, "id") && r.kind == "worksheet" && k.parts[r.target] != nil {
					name, part = attr(e, "name"), r.target
				}
			}
		}
		return nil
	}, nil)
	if err == nil && part == "" {
		err = refuse("The workbook has no sheet that is not hidden.")
	}
	return name, part, err
}

// part is the target of the first relationship of a kind; empty when there is none.
func (k *book) part(rels []relation, kind string) string {
	for _, r := range rels {
		if r.kind == kind && k.parts[r.target] != nil {
			return r.target
		}
	}
	return ""
}

const (
	maxStretch = 512 << 10 // bytes from one "<" to the next: of a tag with its attributes and the text behind it
	maxDepth   = 50
)

// read reads a part: start is called with the names of the elements around each, text, which may be nil, with each text.
func (k *book) read(part string, start func(in []string, e *xml.StartElement) error, text func(in []string, b []byte) error) error {
	return k.stream(part, func(in []string, t xml.Token) error {
		switch t := t.(type) {
		case xml.StartElement:
			return start(in, &t)
		case xml.CharData:
			if text != nil {
				return text(in, t)
			}
		}
		return nil
	})
}

// stream gives each token of a part with the names of the elements that it is in; those of an end's own element are still among them.
func (k *book) stream(part string, f func(in []string, t xml.Token) error) error {
	r, err := k.parts[part].Open()
	if err != nil {
		return refuse("The workbook is damaged: a part of it cannot be read.")
	}
	defer r.Close()
	d := xml.NewDecoder(&fence{r: r, k: k})
	d.CharsetReader = func(string, io.Reader) (io.Reader, error) { return nil, refuse("The workbook is not UTF-8.") }
	var in []string
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return damaged(err)
		}
		if _, dtd := t.(xml.Directive); dtd {
			return refuse("The workbook has a document type in it, which none has.")
		}
		if err := f(in, t); err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if in = append(in, t.Name.Local); len(in) > maxDepth {
				return refuse("The workbook is nested too deeply.")
			}
		case xml.EndElement:
			in = in[:len(in)-1]
		}
	}
}

func damaged(err error) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // the decoder gives what the reader gave
		return e
	}
	return refuse("The workbook is damaged: a part of it cannot be read.")
}

// fence bounds what the decoder may be made to hold.
type fence struct {
	r       io.Reader
	k       *book
	stretch int
}

// Read counts what was inflated.
func (f *fence) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if f.k.left -= n; f.k.left < 0 {
		return 0, refuse("The workbook has more than %d bytes when it is unpacked.", f.k.limits.Inflated)
	}
	for rest := b[:n]; ; {
		i := bytes.IndexByte(rest, '<')
		if i < 0 {
			f.stretch += len(rest)
		} else {
			f.stretch += i
		}
		if f.stretch > maxStretch {
			return 0, refuse("The workbook has a text of more than %d bytes in it.", maxStretch)
		}
		if i < 0 {
			return n, err
		}
		f.stretch, rest = 0, rest[i+1:]
	}
}

func attr(e *xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// letters names a column.
func letters(n int) string {
	out := ""
	for ; n > 0; n = (n - 1) / 26 {
		out = string(rune('A'+(n-1)%26)) + out
	}
	return out
}
