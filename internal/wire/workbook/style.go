package workbook

import (
	"encoding/xml"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const maxStyles = 70_000 // spreadsheet programs have at most 65,490

// styles finds the styles of cells whose numbers are dates.
func (k *book) styles(rels []relation) error {
	part := k.part(rels, "styles")
	if part == "" {
		return nil
	}
	own := map[string]bool{} // number formats of the workbook -> they show dates
	return k.read(part, func(in []string, e *xml.StartElement) error {
		switch {
		case len(own)+len(k.dates) > maxStyles:
			return refuse("The workbook has more than %d styles.", maxStyles)
		case e.Name.Local == "numFmt":
			own[attr(e, "numFmtId")] = shown(attr(e, "formatCode"))
		case e.Name.Local == "xf" && slices.Contains(in, "cellXfs"):
			id := attr(e, "numFmtId")
			date, known := own[id]
			k.dates = append(k.dates, known && date || !known && builtIn(id))
		}
		return nil
	}, nil)
}

// builtIn are the number formats of dates that need no declaration (ECMA-376, part 1, 18.8.30).
func builtIn(id string) bool {
	n, err := strconv.Atoi(id)
	return err == nil && (n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58)
}

// shown says whether a format shows a date: it has a day, month or year outside of quotes and brackets.
func shown(format string) bool {
	format, _, _ = strings.Cut(format, ";")
	var quoted, bracket, escaped bool
	for _, c := range strings.ToLower(format) {
		switch {
		case escaped:
			escaped = false
		case c == '\\' || c == '_' || c == '*':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			bracket = true
		case c == ']':
			bracket = false
		case !bracket && strings.ContainsRune("dmyhs", c):
			return true
		}
	}
	return false
}

// epoch sets the day that dates are counted from: 1904 when the workbook says so, else 1900 with a 29 February that never was.
func (k *book) epoch(mac bool) {
	day := time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)
	if mac {
		day = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	k.since, k.leap = day.Unix()/(24*60*60), !mac
}

// Dates that programs know end with the year 9999.
const maxDay = 2958465

// date writes a number of days as a time in UTC; a whole day as its date.
func (k *book) date(days float64) (string, bool) {
	if !(days >= 0 && days <= maxDay) {
		return "", false
	}
	if k.leap && days >= 60 {
		days--
	}
	minutes := int64(math.Round(days * 24 * 60))
	at := time.Unix((k.since*24*60+minutes)*60, 0).UTC()
	if minutes%(24*60) == 0 {
		return at.Format(time.DateOnly), true
	}
	return at.Format("2006-01-02T15:04Z07:00"), true
}

// number writes a number as people type it: a telephone number in a cell is no power of ten.
func number(v string) (string, bool) {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || math.Abs(n) >= 1e18 {
		return "", false
	}
	return strconv.FormatFloat(n, 'f', -1, 64), true
}
