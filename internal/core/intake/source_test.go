package intake_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"html"
	"strings"
	"testing"

	"limen/internal/core/intake"
	"limen/internal/core/job"
	"limen/internal/fault"
)

// sheet makes an XLSX workbook of one sheet, all of whose cells are text.
func sheet(t *testing.T, rows ...[]string) []byte {
	t.Helper()
	var data, file bytes.Buffer
	for i, row := range rows {
		fmt.Fprintf(&data, `<row r="%d">`, 2*i+1) // with a blank row behind each
		for _, cell := range row {
			fmt.Fprintf(&data, `<c t="inlineStr"><is><t>%s</t></is></c>`, html.EscapeString(cell))
		}
		data.WriteString("</row>")
	}
	z := zip.NewWriter(&file)
	for _, p := range [][2]string{
		{"_rels/.rels", `<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/workbook.xml", `<workbook><sheets><sheet name="People" id="b"/></sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="b" Type="x/worksheet" Target="sheet.xml"/></Relationships>`},
		{"xl/sheet.xml", "<worksheet><sheetData>" + data.String() + "</sheetData></worksheet>"},
	} {
		w, err := z.Create(p[0])
		if err == nil {
			_, err = w.Write([]byte(p[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// A workbook and a CSV file with other columns become people of one job; the report says which file a line is in.
func TestSeveralFiles(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		id := h.submitFiles(h.by(h.admin, nil), intake.Wish{},
			intake.Source{Name: "staff.xlsx", Content: sheet(t, []string{"Login Name", "Email Address"}, []string{"a@acme", "a@example.com"}, []string{"b@acme", "b@example.com"})},
			intake.Source{Name: "guests.csv", Content: []byte("Mail;Name\nc@example.com;c@acme\nq@example.com;" + h.admin.Name + "\n")})
		h.run(h.app)
		i := h.ended(id, job.Done)
		want := "3 of 4 users created, 1 existed already, 0 could not be created.\nguests.csv, line 3 (" + h.admin.Name + "): exists already, and is left unchanged."
		if i.Result != want || i.Target != "staff.xlsx, guests.csv" {
			t.Errorf("%+v", i)
		}
		if h.find("b@acme").Mail != "b@example.com" || h.find("c@acme").Mail != "c@example.com" {
			t.Error("columns were mixed up")
		}
	})
}

// Files are refused together, with the place of each mistake.
func TestMistakesInSeveralFiles(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		book := sheet(t, []string{"Login Name", "Email Address"}, []string{"a@acme", "nobody"})
		csv := []byte("Login Name,Email Address\nb@acme,b@example.com\nA@acme,a@example.com\n")
		for name, x := range map[string]struct {
			from  []intake.Source
			fault error
			want  string
		}{
			"rows": {
				[]intake.Source{{Name: "staff.xlsx", Content: book}, {Name: "more.csv", Content: csv}}, intake.ErrRows,
				"The file was not accepted.\nstaff.xlsx, line 3, column Email Address: must be a mail address.\n" +
					"more.csv, line 3, column Login Name: is the same as in line 3 of staff.xlsx.",
			},
			"a column": {
				[]intake.Source{{Name: "a.csv", Content: csv}, {Name: "b.csv", Content: []byte("Login Name\nx@acme\n")}}, intake.ErrColumn,
				"The header of the file was not accepted.\nb.csv, line 1, column Email Address: is missing.",
			},
			"no table": {
				[]intake.Source{{Name: "a.csv", Content: csv}, {Name: "old.xls", Content: []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")}}, intake.ErrFile,
				"The file was not accepted. old.xls: The file is a workbook of the old binary form (XLS), or one with a password. Save it as XLSX without a password, or as CSV UTF-8.",
			},
			"many": {make([]intake.Source, intake.MaxFiles+1), intake.ErrMany, intake.ErrMany.Public},
			"large": {
				[]intake.Source{{Name: "a.csv", Content: csv}, {Name: "b.csv", Content: bytes.Repeat([]byte("x"), intake.Limits.Bytes)}}, intake.ErrFile,
				"The files have more than 10485760 bytes together.",
			},
			"rows of both": {
				[]intake.Source{{Name: "a.csv", Content: csv}, {Name: "b.csv", Content: []byte("Login Name\n" + strings.Repeat("x\n", intake.Limits.Rows))}}, intake.ErrFile,
				"The files have more than 10000 rows together.",
			},
		} {
			if _, err := h.app.Intake.Check(t.Context(), h.by(h.admin, nil), x.from...); !errors.Is(err, x.fault) || fault.Of(err).Public != x.want {
				t.Errorf("%s: %v", name, fault.Of(err).Public)
			}
		}
	})
}

// A file of several megabytes is kept and imported as a small one.
func TestLargeFile(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		var rows strings.Builder
		rows.WriteString("Login Name,Email Address,Description\n")
		for n := range 700 {
			fmt.Fprintf(&rows, "p%d@acme,p%d@example.com,%s\n", n, n, strings.Repeat("x", 3900))
		}
		id := h.submit(h.by(h.admin, nil), rows.String(), intake.Wish{})
		h.run(h.app)
		if i := h.ended(id, job.Done); !strings.HasPrefix(i.Result, "700 of 700 users created") {
			t.Errorf("%+v", i)
		}
	})
}
