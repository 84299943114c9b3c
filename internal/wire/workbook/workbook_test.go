package workbook_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"limen/internal/wire/workbook"
)

var limits = workbook.Limits{Bytes: 1 << 20, Inflated: 4 << 20, Rows: 5, Columns: 8, Cell: 100}

// The files are those of two programs that write workbooks (openpyxl 3.1, XlsxWriter 3.2): shared and inline texts, dates by built-in
// and own formats from 1900 and 1904, formulas with and without their values, text with several fonts, a hidden sheet before the first.
func TestRead(t *testing.T) {
	people := []workbook.Row{
		{Number: 1, Cells: []string{"Login Name", "Email Address", "Mobile Number", "Expiration Date", "Password Never Expires", "Description"}},
		{Number: 2, Cells: []string{"anna@acme", "anna@example.com", "15550000000", "2027-12-31T23:59Z", "true", "Größe, 你好"}},
		{Number: 4, Cells: []string{"bob@acme", "bob@example.com", "+1 555 000", "2028-02-29", "false", " spaced \nover two lines"}},
	}
	for name, want := range map[string]workbook.Sheet{
		"openpyxl":   {Name: "People", Rows: people},
		"xlsxwriter": {Name: "People", Rows: people},
		"valued": {Name: "S", Rows: []workbook.Row{
			{Number: 1, Cells: []string{"Login Name"}}, {Number: 2, Cells: []string{"anna@acme", "2027-01-02"}}, {Number: 3, Cells: []string{"bob@acme"}},
		}},
	} {
		got, err := workbook.Read(file(t, name), limits)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if _, err := workbook.Read(file(t, "formula"), limits); err == nil || !strings.HasPrefix(err.Error(), "Cell A2: The cell has a formula whose value was not saved.") {
		t.Error(err)
	}
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	top   = `<Relationships><Relationship Id="r1" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	rels  = `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="/xl/s.xml"/><Relationship Id="r2" Type="x/sharedStrings" Target="t.xml"/></Relationships>`
	main  = `<workbook><sheets><sheet name="A" id="r1"/></sheets></workbook>`
	begin = `<worksheet><sheetData>`
	end   = `</sheetData></worksheet>`
)

// made makes a workbook of the rows of its sheet and its shared texts; more are further parts, names and contents in turn.
func made(t testing.TB, rows, texts string, more ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for parts := append([]string{"_rels/.rels", top, "xl/workbook.xml", main, "xl/_rels/workbook.xml.rels", rels, "xl/s.xml", begin + rows + end,
		"xl/t.xml", "<sst>" + texts + "</sst>"}, more...); len(parts) > 0; parts = parts[2:] {
		w, err := z.Create(parts[0])
		if err == nil {
			_, err = w.Write([]byte(parts[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func text(ref, s string) string {
	return `<c r="` + ref + `" t="inlineStr"><is><t>` + s + `</t></is></c>`
}

// Whatever is hostile, damaged or too much is refused, never half read.
func TestRefusals(t *testing.T) {
	whole := file(t, "openpyxl")
	for name, x := range map[string]struct {
		file []byte
		want string
	}{
		"old workbook":         {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"), "The file is a workbook of the old binary form (XLS)"},
		"cut off":              {whole[:len(whole)/2], "The file is damaged"},
		"no workbook":          {made(t, "", "")[:30], "The file is damaged"},
		"other archive":        {archive(t, "a.txt", "x"), "The file is no workbook"},
		"OpenDocument":         {archive(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet"), "The file is an OpenDocument workbook"},
		"XLSB":                 {archive(t, "xl/workbook.bin", "x"), "The file is a workbook of the binary form"},
		"large":                {make([]byte, limits.Bytes+1), "The file has more than"},
		"bomb":                 {made(t, "", "<!--"+strings.Repeat("<>", limits.Inflated)+"-->"), "The workbook has more than 4194304 bytes when"},
		"bomb in a part twice": {made(t, "", "", "XL/S.xml", "x"), "The workbook is damaged: it has a part twice."},
		"attributes":           {made(t, "<row "+strings.Repeat(`a=">" `, 100_000)+"/>", ""), "The workbook has a text of more than"},
		"depth":                {made(t, strings.Repeat("<x>", 100)+strings.Repeat("</x>", 100), ""), "The workbook is nested too deeply."},
		"entities":             {made(t, `<row><c t="str"><v>&a;</v></c></row>`, ""), "The workbook is damaged"},
		"document type":        {archive(t, "_rels/.rels", "<!DOCTYPE a>"+top), "The workbook has a document type"},
		"cut sheet":            {made(t, "<row>"+text("A1", "a"), "")[:], "The workbook is damaged"},
		"rows":                 {made(t, strings.Repeat(`<row><c t="str"><v>x</v></c></row>`, limits.Rows+1), ""), "Row 6: The sheet has more than 5 rows"},
		"row out of order":     {made(t, `<row r="2"/><row r="1"/>`, ""), "The workbook is damaged: its rows"},
		"row too far":          {made(t, `<row r="1048577"/>`, ""), "The workbook is damaged: its rows"},
		"cell twice":           {made(t, "<row>"+text("B1", "x")+text("B1", "y")+"</row>", ""), "Row 1: The workbook is damaged: its cells"},
		"cell of another row":  {made(t, "<row>"+text("B2", "x")+"</row>", ""), "Row 1: The workbook is damaged: its cells"},
		"column":               {made(t, "<row>"+text("XFD1", "x")+"</row>", ""), "Cell XFD1: The sheet has more than 8 columns."},
		"no column":            {made(t, "<row>"+text("XFE1", "x")+"</row>", ""), "Row 1: The workbook is damaged"},
		"cell":                 {made(t, "<row>"+text("A1", strings.Repeat("x", 101))+"</row>", ""), "Cell A1: The cell has more than 100 bytes."},
		"shared text":          {made(t, "", "<si><t>"+strings.Repeat("x", 101)+"</t></si>"), "The workbook has a cell of more than 100 bytes."},
		"shared texts":         {made(t, "", strings.Repeat("<si/>", 41)), "The workbook has more than 40 texts."},
		"text that is not":     {made(t, `<row><c t="s"><v>1</v></c></row>`, "<si><t>x</t></si>"), "Cell A1: The workbook is damaged: the text"},
		"error":                {made(t, `<row><c t="e"><v>#REF!</v></c></row>`, ""), "Cell A1: The cell has an error"},
		"number":               {made(t, `<row><c><v>1e400</v></c></row>`, ""), "Cell A1: The cell has a number"},
		"hidden":               {archive(t, "_rels/.rels", top, "xl/workbook.xml", `<workbook><sheet state="veryHidden" id="r1"/></workbook>`, "xl/_rels/workbook.xml.rels", rels, "xl/s.xml", "<x/>"), "The workbook has no sheet"},
	} {
		s, err := workbook.Read(x.file, limits)
		if e := new(*workbook.Error); !errors.As(err, e) || !strings.HasPrefix(err.Error(), x.want) {
			t.Errorf("%s: %v, %+v", name, err, s.Rows)
		}
	}
}

func archive(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for ; len(parts) > 0; parts = parts[2:] {
		w, err := z.Create(parts[0])
		if err == nil {
			_, err = w.Write([]byte(parts[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzRead wants an *Error or a table within the limits. Sheets are fuzzed besides whole files, since few changes of an archive leave
// one that can be opened.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"openpyxl", "xlsxwriter", "valued", "formula"} {
		f.Add(file(f, name), "", "")
	}
	f.Add([]byte{}, `<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><f>1+1</f><v>2</v></c></row>`, "<si><t>a</t><rPh><t>b</t></rPh></si>")
	f.Add([]byte{}, `<row>`+text("A1", "x")+`<c t="b"><v>1</v></c></row><row r="7"><c t="d"><v>2027-01-02</v></c></row>`, "")
	f.Fuzz(func(t *testing.T, b []byte, rows, texts string) {
		if rows != "" {
			b = made(t, rows, texts)
		}
		s, err := workbook.Read(b, limits)
		if err != nil {
			if e := new(*workbook.Error); !errors.As(err, e) {
				t.Fatal(err)
			}
			return
		}
		if len(s.Rows) > limits.Rows {
			t.Fatal(len(s.Rows), "rows")
		}
		last := 0
		for _, r := range s.Rows {
			if r.Number <= last || len(r.Cells) > limits.Columns {
				t.Fatalf("%+v behind row %d", r, last)
			}
			for _, c := range r.Cells {
				if len(c) > limits.Cell || strings.ToValidUTF8(c, "") != c || strings.Contains(c, "\x00") {
					t.Fatalf("%q", c)
				}
			}
			last = r.Number
		}
	})
}
