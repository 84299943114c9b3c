package login

import (
	"encoding/base64"
	"html/template"
	"strings"
)

// Codes shows how many recovery codes somebody has left, or those that were made just now.
type Codes struct {
	Account     string
	Left, Total int      // Total 0: there are none
	Codes       []string // made just now; they are not shown again
	Code        string   // fault code of what is wrong; empty: nothing
	Reason      string
}

func (Codes) page() shape { return shape{name: "codes"} }

// File is an address with the codes in it, for the browser to store as a file: they are nowhere to be had from a second time.
func (v Codes) File() template.URL {
	text := v.Account + "\r\n\r\n" + strings.Join(v.Codes, "\r\n") + "\r\n"
	return template.URL("data:text/plain;charset=utf-8;base64," + base64.StdEncoding.EncodeToString([]byte(text))) //nolint:gosec // base64 of our own
}
