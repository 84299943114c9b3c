package login

// Regain is what somebody sees who regains their account, or stops that.
type Regain struct {
	Step    string // ask, told, pending, none, stop, stopped, enter, finish
	Account string // login name; ask: as typed before
	Culture string // BCP 47 tag of the person's language; empty: whatever the browser asks for
	Until   string // pending: when the link is sent
	Token   string // of the link; the form sends it back
	Texted  bool   // finish: a code was sent to the mobile number
	Rules   []Rule // finish
	Code    string // fault code of what is wrong; empty: nothing
	Reason  string // the same in words, where the language has none for the code
	Field   string // finish: which field is wrong: code, password, again
}

func (v Regain) page() shape { return shape{name: "regain", culture: v.Culture} }

// Heading is the key of the page's heading.
func (v Regain) Heading() string {
	switch v.Step {
	case "stop", "stopped", "finish":
		return "regain." + v.Step
	case "enter":
		return "regain.finish"
	}
	return "regain.title"
}
