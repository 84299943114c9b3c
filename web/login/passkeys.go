package login

import "html/template"

// Passkeys shows the passkeys and security keys by which somebody signs in.
type Passkeys struct {
	Account string
	Have    []Passkey
	Code    string // fault code of what is wrong; empty: nothing
	Reason  string
}

// Passkey is one of them.
type Passkey struct {
	Handle  string // the form sends it back
	Name    string // that its owner gave it
	Way     string // its sentence below "way."
	Host    string // whose pages it signs for
	Used    string // date of its last use, as 2006-01-02; empty: it was not used yet
	Suspect bool   // somebody seems to have a copy: it is of no use any more
}

// Registering has the browser make a key.
type Registering struct {
	Account string
	Name    string // that it will have
	Options string // what the browser is told (PublicKeyCredentialCreationOptionsJSON)
}

func (Passkeys) page() shape    { return shape{name: "passkeys"} }
func (Registering) page() shape { return shape{name: "registering"} }

// Script makes the key.
func (Registering) Script() template.JS { return makeKey }
