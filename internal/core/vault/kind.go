package vault

import (
	"slices"
	"strings"
)

// Type is a type of users.
type Type struct {
	ID         int64
	Name       string
	Component  bool     // a program: its users are service users
	Interfaces []string // that its users can use
}

// The types of those of whom nothing else is said: people, and service users.
const (
	Person  = "EPVUser"
	Program = "AppProvider"
)

// Types are all types of users (pvwa.yaml, GET /UserTypes).
var Types = []Type{
	{31, "CPM", true, []string{"CPM"}},
	{32, "PVWA", true, []string{"PVWAApp"}},
	{33, Program, true, []string{"AppPrv"}},
	{34, Person, false, []string{"EVD", "GUI", "HTTPGW", "IBVSDK", "NAPI", "PACLI", "PIMSu", "PSM", "PSMP", "PVWA", "WINCLIENT", "XAPI"}},
	{35, "AIMAccount", false, []string{"AIMApp", "PAPI"}},
	{36, "PSM", true, []string{"PSMApp"}},
	{37, "OPMProvider", true, []string{"AppPrv"}},
	{38, "PIMProvider", true, []string{"APIGW", "AppPrv"}},
	{39, "OPMUser", false, []string{"PIMSu"}},
	{43, "PSMUser", false, []string{"PSM", "PSMApp", "PSMP", "PVWA"}},
	{44, "iSeriesApp", false, []string{"AIMApp"}},
	{51, "CIFS", true, []string{"CIFS", "CIFSApp"}},
	{75, "PSMHTML5Gateway", true, []string{"PSMGWApp"}},
}

// components are the names of component types, as a list in SQL.
func components() string {
	var out []string
	for _, t := range Types {
		if t.Component {
			out = append(out, "'"+t.Name+"'")
		}
	}
	return strings.Join(out, ", ")
}

// TypeOf finds a type by its name, whatever the case.
func TypeOf(name string) (Type, bool) {
	i := slices.IndexFunc(Types, func(t Type) bool { return strings.EqualFold(t.Name, name) })
	if i < 0 {
		return Type{}, false
	}
	return Types[i], true
}

// Interfaces are the programs that users can be kept from.
var Interfaces = []string{
	"PIMSU", "PSM", "PSMP", "PVWA", "WINCLIENT", "PTA", "PACLI", "NAPI", "XAPI", "HTTPGW", "EVD", "CPM", "PVWAApp", "PSMApp", "AppPrv", "AIMApp", "PSMPApp", "GUI",
	"PAPI", "IBVSDK", "APIGW", "CIFS", "CIFSApp", "PSMGWApp",
}

// own is the interface of those who use this API.
const own = "PVWA"

// Methods by which the Vault itself takes a password.
const (
	ByPassword = "AuthTypePass"
	ByRadius   = "AuthTypeRADIUS"
)

// methods are further ways to log on that can be allowed.
var methods = []string{"SAML", "PKI", "PKIPN", "FIDO", "WINDOWS", "OTP", "PASSWORD", "RADIUS", "TRUST", "LDAP", "OIDC"}

// Words are texts of a list in the list's own spelling, each once.
func Words(field string, given, of []string) ([]string, error) {
	out := []string{}
	for _, w := range given {
		i := slices.IndexFunc(of, func(o string) bool { return strings.EqualFold(o, strings.TrimSpace(w)) })
		if i < 0 {
			return nil, ErrValue.At(field).Say("%s cannot have %.100q. It can have %s.", field, w, strings.Join(of, ", "))
		}
		if !slices.Contains(out, of[i]) {
			out = append(out, of[i])
		}
	}
	return out, nil
}

func joined(list []string) string { return strings.Join(list, ",") }

func parted(s string) []string {
	if s == "" {
		return []string{}
	}
	return strings.Split(s, ",")
}
