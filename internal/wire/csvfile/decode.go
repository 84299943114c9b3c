package csvfile

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// How files of spreadsheet programs begin: the ZIP archive of XLSX and ODS, and the compound file of XLS.
var workbooks = []string{"PK\x03\x04", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}

// decode makes UTF-8 of a file: as its byte order mark says, else what it looks like. What is no UTF-8 is taken for
// windows-1252, in which spreadsheets write CSV in the languages of Western Europe.
func decode(b []byte) (text, name string, err error) {
	for _, w := range workbooks {
		if bytes.HasPrefix(b, []byte(w)) {
			return "", "", &Error{Why: "The file is a workbook. Save it as CSV UTF-8 first."}
		}
	}
	var from encoding.Encoding
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		b, name = b[3:], "UTF-8"
	case bytes.HasPrefix(b, []byte("\xff\xfe")):
		b, name, from = b[2:], "UTF-16LE", little
	case bytes.HasPrefix(b, []byte("\xfe\xff")):
		b, name, from = b[2:], "UTF-16BE", big
	case wide(b, 1):
		name, from = "UTF-16LE", little
	case wide(b, 0):
		name, from = "UTF-16BE", big
	case utf8.Valid(b):
		name = "UTF-8"
	default:
		name, from = "windows-1252", charmap.Windows1252
	}
	if from != nil {
		if b, err = from.NewDecoder().Bytes(b); err != nil {
			return "", "", &Error{Why: "The file is not valid " + name + "."}
		}
	}
	switch {
	case !utf8.Valid(b) || from != nil && bytes.ContainsRune(b, utf8.RuneError):
		return "", "", &Error{Why: "The file is not valid " + name + "."}
	case bytes.IndexByte(b, 0) >= 0:
		return "", "", &Error{Line: 1 + bytes.Count(b[:bytes.IndexByte(b, 0)], []byte("\n")), Why: "The file has a NUL character in it, so it is no text."}
	}
	return strings.TrimPrefix(string(b), "\ufeff"), name, nil
}

var (
	little = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	big    = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
)

// wide says whether the first characters look like ASCII in UTF-16, whose zero bytes are at even (0) or odd (1) places.
func wide(b []byte, zero int) bool {
	b = b[:min(len(b), 200)&^1]
	for i := 0; i < len(b); i += 2 {
		if b[i+zero] != 0 || b[i+1-zero] == 0 {
			return false
		}
	}
	return len(b) >= 4
}
