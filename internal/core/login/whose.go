package login

// Person is the UUID of whose name was sent, be the password right or wrong; empty: nobody has the name.
func (d Directly) Person() string { return d.people[0].ID }
