package intake

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"limen/internal/core/password"
	"limen/internal/core/user"
	"limen/internal/fault"
)

// Person is somebody to be created, as a row says.
type Person struct {
	File     string // empty when there is one only
	Line     int    // of the file, or row of the sheet
	New      user.New
	Password string   // empty: none
	Roles    []string // names or ids
	Org      string   // path; empty: none

	part int // number of the file
}

// problem is what is wrong with a cell of somebody's row; remark is about the whole.
func (p *Person) problem(column, why string) Problem {
	return Problem{File: p.File, Line: p.Line, Column: column, Why: why, part: p.part}
}

func (p *Person) remark(why string) Problem {
	return Problem{File: p.File, Line: p.Line, Who: p.New.Name, Why: why, part: p.part}
}

// place is where somebody is, as seen from a file.
func (p *Person) place(from string) string {
	if p.File == from {
		return fmt.Sprintf("line %d", p.Line)
	}
	return fmt.Sprintf("line %d of %s", p.Line, p.File)
}

func (p *Person) names() password.Names {
	return password.Names{Login: p.New.Name, Display: p.New.Display, Mail: p.New.Mail}
}

// Problem is what is wrong with a row or a cell, or worth a remark.
type Problem struct {
	File   string `json:"f,omitempty"` // empty when there is one only
	Line   int    `json:"l"`
	Column string `json:"c,omitempty"` // empty: the row
	Who    string `json:"w,omitempty"` // login name, where it is known
	Why    string `json:"y"`           // completes "Line 3, column Password ..."

	part int // number of the file
}

// String is the sentence.
func (p Problem) String() string {
	s := fmt.Sprintf("Line %d", p.Line)
	if p.File != "" {
		s = fmt.Sprintf("%s, line %d", short(p.File), p.Line)
	}
	if p.Column != "" {
		s += ", column " + short(p.Column)
	}
	if p.Who != "" {
		s += " (" + short(p.Who) + ")"
	}
	return s + ": " + short(p.Why) + "."
}

// short keeps what a file has in it from filling a message.
func short(s string) string {
	const most = 400
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// persons reads the rows. Whoever has a problem is among the people all the same.
func persons(from *part, number int) (people []Person, bad []Problem) {
	for _, row := range from.Table.Rows {
		p := Person{File: from.Name, part: number, Line: row.Line, New: user.New{Everybody: true, ForceChange: true}}
		for i, cell := range row.Cells {
			c := from.cols[i]
			if !c.exact {
				cell = strings.TrimSpace(cell)
			}
			if cell == "" && c.name != colName && c.name != colMail {
				continue
			}
			if why := c.set(&p, cell); why != "" {
				bad = append(bad, p.problem(c.name, why))
			}
		}
		if p.Password == "" {
			p.New.ForceChange, p.New.NeverExpires = false, false
		}
		people = append(people, p)
	}
	return people, bad
}

// why makes of a field's fault what completes a problem's sentence.
func why(err error) string {
	if err == nil {
		return ""
	}
	f := fault.Of(err)
	s := strings.TrimPrefix(strings.TrimSuffix(f.Public, "."), "Parameter ")
	if rest, ok := strings.CutPrefix(s, f.Field+" "); ok && f.Field != "" {
		s = rest
	}
	return s
}

func setName(p *Person, cell string) string {
	if p.New.Name = cell; cell == "" {
		return "is empty"
	}
	return why(user.CheckName("Name", cell))
}

func setMail(p *Person, cell string) string {
	if p.New.Mail = cell; cell == "" {
		return "is empty"
	}
	return why(user.CheckMail("Mail", cell))
}

// offered sets a field that the directory checks.
func offered(field func(p *Person) *string) func(p *Person, cell string) string {
	return func(p *Person, cell string) string {
		*field(p) = cell
		alone := Person{New: user.New{Name: "x@x"}}
		*field(&alone) = cell
		return why(alone.New.Offer())
	}
}

// flag sets what is on or off, in the words of the contract and some more.
func flag(field func(p *Person) *bool) func(p *Person, cell string) string {
	return func(p *Person, cell string) string {
		switch strings.ToLower(cell) {
		case "true", "t", "yes", "y", "1", "on":
			*field(p) = true
		case "false", "f", "no", "n", "0", "off":
			*field(p) = false
		default:
			return "must be yes or no"
		}
		return ""
	}
}

// moments are the forms of a date: the contract's, those of RFC 3339, and the day alone, which is its beginning in UTC.
var moments = []string{"2006-01-02T15:04Z07:00", time.RFC3339, time.DateOnly}

func setExpires(p *Person, cell string) string {
	for _, form := range moments {
		if at, err := time.Parse(form, cell); err == nil {
			p.New.Expires = at.UnixMilli()
			return why((user.New{Name: "x@x", Expires: p.New.Expires}).Offer())
		}
	}
	return "must be a time in UTC, as 2027-12-31T23:59Z"
}

func setRoles(p *Person, cell string) string {
	for name := range strings.SplitSeq(cell, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(p.Roles, name) {
			p.Roles = append(p.Roles, name)
		}
	}
	if len(p.Roles) > maxRoles {
		return fmt.Sprintf("may have %d roles", maxRoles)
	}
	return ""
}

func setPassword(p *Person, cell string) string {
	p.Password = cell
	return ""
}

func setOrg(p *Person, cell string) string {
	if p.Org = cell; cell == "/" {
		p.Org = ""
	}
	return ""
}
