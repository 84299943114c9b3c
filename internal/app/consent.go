package app

import "limen/internal/core/consent"

// wireConsents wires what people must agree to before they are in.
func (a *App) wireConsents() {
	a.Consents = &consent.Consents{DB: a.DB, Changes: a.Changes, People: a.People, Settings: a.Values, Asker: a.Inquiries, Properties: a.properties, Write: a.act}
	a.Consents.Start()
	a.Logins.Consents = a.Consents
	a.People.Gone = append(a.People.Gone, a.Consents.Drop)
}
