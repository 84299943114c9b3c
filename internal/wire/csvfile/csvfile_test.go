package csvfile

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var limits = Limits{Bytes: 1000, Rows: 5, Columns: 4, Cell: 40}

// in16 writes UTF-16.
func in16(s string, big, mark bool) []byte {
	if mark {
		s = "\ufeff" + s
	}
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if big {
			out = append(out, byte(u>>8), byte(u))
		} else {
			out = append(out, byte(u), byte(u>>8))
		}
	}
	return out
}

func TestEncodings(t *testing.T) {
	const text = "Name;Stadt\r\nJörg;\"Köln; am Rhein\"\r\n"
	want := Table{Separator: ';', Header: []string{"Name", "Stadt"}, Rows: []Row{{2, []string{"Jörg", "Köln; am Rhein"}}}}
	for _, c := range []struct {
		name     string
		file     []byte
		encoding string
	}{
		{"UTF-8", []byte(text), "UTF-8"},
		{"UTF-8 with a mark", []byte("\ufeff" + text), "UTF-8"},
		{"UTF-16, little", in16(text, false, true), "UTF-16LE"},
		{"UTF-16, big", in16(text, true, true), "UTF-16BE"},
		{"windows-1252", []byte("Name;Stadt\r\nJ\xf6rg;\"K\xf6ln; am Rhein\"\r\n"), "windows-1252"},
	} {
		got, err := Read(c.file, limits)
		want.Encoding = c.encoding
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Error(c.name, err, d)
		}
	}
	for _, big := range []bool{false, true} { // all ASCII in its first part, as a header is
		got, err := Read(in16("Name,City\nJoerg,Koeln\n", big, false), limits)
		if err != nil || len(got.Rows) != 1 || got.Rows[0].Cells[1] != "Koeln" {
			t.Error(big, got, err)
		}
	}
}

func TestForms(t *testing.T) {
	for _, c := range []struct {
		name, file string
		separator  rune
		header     []string
		rows       []Row
	}{
		{"comma", "a,b\n1,2\n", ',', []string{"a", "b"}, []Row{{2, []string{"1", "2"}}}},
		{"no line end behind the last", "a,b\n1,2", ',', []string{"a", "b"}, []Row{{2, []string{"1", "2"}}}},
		{"tab, with an empty cell", "a\tb\tc\n1\t\t3\n", '\t', []string{"a", "b", "c"}, []Row{{2, []string{"1", "", "3"}}}},
		{"separators in quotes do not count", "\"a,b,c\";d\n1;2\n", ';', []string{"a,b,c", "d"}, []Row{{2, []string{"1", "2"}}}},
		{"a line that says the separator", "sep=;\r\na,x;b\r\n1;2\r\n", ';', []string{"a,x", "b"}, []Row{{3, []string{"1", "2"}}}},
		{"old line ends", "a,b\r1,2\r3,4\r", ',', []string{"a", "b"}, []Row{{2, []string{"1", "2"}}, {3, []string{"3", "4"}}}},
		{"rows without content", "\n a , b \n\n,\n1,2\n , \n", ',', []string{"a", "b"}, []Row{{5, []string{"1", "2"}}}},
		{"short and long rows", "a,b\n1\n1,2,,\n", ',', []string{"a", "b"}, []Row{{2, []string{"1", ""}}, {3, []string{"1", "2"}}}},
		{"several lines in a cell", "a,b\n\"1\n2\",x\n3,4\n", ',', []string{"a", "b"}, []Row{{2, []string{"1\n2", "x"}}, {4, []string{"3", "4"}}}},
		{"a space ahead of a quote", "a,b\n\"Smith, Joe\", \"x\"\"y\"\n", ',', []string{"a", "b"}, []Row{{2, []string{"Smith, Joe", `x"y`}}}},
		{"one column", "a\n1\n", ',', []string{"a"}, []Row{{2, []string{"1"}}}},
		{"header only", "a,b,,\n", ',', []string{"a", "b"}, nil},
	} {
		got, err := Read([]byte(c.file), limits)
		if d := cmp.Diff(Table{"UTF-8", c.separator, c.header, c.rows}, got); d != "" || err != nil {
			t.Error(c.name, err, d)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "The file is empty."},
		{"nothing but separators", ",,\n,\n", "The file is empty."},
		{"too long", strings.Repeat("a", 1001), "The file has more than 1000 bytes."},
		{"too many rows", "a" + strings.Repeat("\n1", 6), "Line 7: The file has more than 5 rows."},
		{"too many columns", "a,b,c,d,e", "Line 1: The file has more than 4 columns."},
		{"too long a cell", "a,b\n1," + strings.Repeat("x", 41), "Line 2, cell 2: The cell has more than 40 bytes."},
		{"a quote not closed", "a,b\n1,2\n\"1,2\n", "Line 3: A quote that is opened is not closed"},
		{"a quote within text", "a,b\nx\"y,2\n", "Line 2: There is a quote within text"},
		{"the line is the file's", "sep=,\na\nx\"y\n", "Line 3: There is a quote within text"},
		{"too many cells", "a,b\n1,2,3\n", "Line 2: The row has 3 cells, and the header 2."},
		{"a workbook", "PK\x03\x04rest", "The file is a workbook."},
		{"NUL", "a,b\n1,\x002\n", "Line 2: The file has a NUL character"},
		{"half a character of UTF-16", "\xff\xfea\x00,", "The file is not valid UTF-16LE."},
		{"broken behind the mark", "\ufeffa\n\xf6", "The file is not valid UTF-8."},
	} {
		_, err := Read([]byte(c.file), limits)
		if e, ok := errors.AsType[*Error](err); !ok || !strings.HasPrefix(e.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("Name;Stadt\r\nJörg;\"Köln; am Rhein\"\r\n"))
	f.Add([]byte("sep=\t\na\tb\n1\t\t2"))
	f.Add(in16("Name,City\nJörg,Köln\n", true, true))
	f.Add(in16("Name,City\n", false, false))
	f.Add([]byte("a,b\n\"x\"\"y\n\",\xf6"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(b, limits)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || err.Error() == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		if len(got.Rows) > limits.Rows || len(got.Header) == 0 || len(got.Header) > limits.Columns {
			t.Fatal(len(got.Header), len(got.Rows))
		}
		last := 0
		for _, r := range got.Rows {
			if r.Line <= last || r.Line > len(b)+1 || len(r.Cells) != len(got.Header) || blank(r.Cells) {
				t.Fatalf("%+v", r)
			}
			last = r.Line
			for _, c := range r.Cells {
				if len(c) > limits.Cell || !utf8.ValidString(c) || strings.Contains(c, "\x00") {
					t.Fatalf("%q", c)
				}
			}
		}
	})
}
