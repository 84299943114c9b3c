package setting

import (
	"strings"

	"limen/internal/wire/duo"
)

// Duo is the tenant's application at Duo.
type Duo struct {
	Host   string // of the API
	ID     string // client id
	Secret Sealed // name DuoSecret
	ByMail bool   // people are known there by their mail address, not their login name
}

// Set says whether there is one.
func (d Duo) Set() bool { return d.Host != "" && d.ID != "" && d.Secret != "" }

// DuoSecret is the name of the secret, as Store.Open takes it.
const DuoSecret = "Duo.ClientSecret"

var duoKeys = []Key{
	text("Duo.ApiHost", "", 253, "API host of the tenant's application at Duo, as api-1234abcd.duosecurity.com.", func(v *Values) *string { return &v.Duo.Host },
		oneLine, isHost),
	text("Duo.ClientId", "", duo.IDLength, "Client id of the application: 20 letters and digits.", func(v *Values) *string { return &v.Duo.ID },
		isForm(duoID, "20 letters and digits")),
	secret(DuoSecret, "Client secret of the application: 40 characters.", func(v *Values) *Sealed { return &v.Duo.Secret }),
	boolean("Duo.ByMail", false, "People are known at Duo by their mail address rather than their login name.", func(v *Values) *bool { return &v.Duo.ByMail }),
}

func duoID(s string) bool {
	return len(s) == duo.IDLength && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == ""
}
