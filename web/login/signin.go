package login

// Name asks who wants to sign in.
type Name struct {
	User  string // as typed before, or of who is to sign in again
	Again bool   // somebody is signed in and has to show it anew
	To    string // where to go on, a path of this server; empty: nowhere
	Code  string // fault code of what is wrong; empty: nothing
	Wrong bool   // the mistake is in the field

	Reason    string // of Code in words, where the language has none
	Providers []Provider
	Scan      bool // signing in by a QR code is offered
	SignUp    bool // strangers may register
	Forgot    bool // a forgotten user name is sent by mail
	Recover   bool // accounts are given back after a waiting time
}

// Provider is where people may sign in instead.
type Provider struct {
	Name    string // the form sends it back
	Display string
}

// Onward leads on by itself.
type Onward struct {
	Name string // of the provider to which it leads; empty: it leads on here
	To   string
}

// Connections shows which accounts elsewhere sign somebody in.
type Connections struct {
	Account   string
	Have      []Connection
	Providers []Provider // where one may be connected
	Code      string     // fault code of what is wrong; empty: nothing
	Reason    string
}

// Connection is one of them.
type Connection struct {
	Provider, Issuer, Subject string // the form sends them back
	Display                   string // of the provider
	Label                     string // the account there as its owner knows it
}

// Kind is what a step of a sign-in asks for.
type Kind string

// The kinds of steps. Each has a page of its own.
const (
	Password  Kind = "password"
	Code      Kind = "code"
	Send      Kind = "send" // to have a code sent
	Choose    Kind = "choose"
	Questions Kind = "questions"
	Reset     Kind = "reset"
	Wait      Kind = "wait"  // for a link that is opened elsewhere
	Call      Kind = "call"  // the telephone rings
	Key       Kind = "key"   // a passkey or security key signs
	Push      Kind = "push"  // an authenticator is asked
	Terms     Kind = "terms" // to be agreed to
	Recovery  Kind = "recovery"
	Scan      Kind = "scan" // an authenticator reads a code
	Duo       Kind = "duo"  // Duo asks
)

// Brought shows what a browser brought back from Duo for a program that waits for it.
type Brought struct{ Text string }

// Way is one of several ways to go on.
type Way struct {
	ID    string // of the mechanism; the form sends it back
	Name  string // its sentence below "way."
	Where string // masked address, or last digits
}

// Step is one of the pages between a name and the end of a sign-in.
type Step struct {
	Kind    Kind
	To      string
	Account string
	Image   string // name of the person's security image; empty: none is shown
	Way     Way
	Ways    []Way    // Choose
	Asked   []string // Questions
	Rules   []Rule   // Reset
	Persist bool     // one may stay signed in
	Forgot  bool     // a forgotten password may be replaced
	Other   bool     // there are other ways to choose
	Link    bool     // the message has a link besides the code
	Back    string   // Wait: where the code is entered
	Key     string   // Key: what the browser is told (PublicKeyCredentialRequestOptionsJSON); empty: it is not told yet
	Number  string   // Push, Scan: what is to be entered where the person approves; empty: nobody is asked
	Drawing string   // Scan: the dark squares of the code, as a path of SVG
	Size    int      // Scan: the sides of the code, in its squares
	Nobody  bool     // Scan: for whoever reads it; nobody has said who they are
	Begun   bool     // Push, Scan: it was begun, so that without a number nobody will be asked
	Seconds int      // for how long no answer is looked at; 0: at once
	Code    string   // fault code of what is wrong; empty: nothing
	Reason  string   // the same in words, where the language has none for the code
	Again   bool     // Reset: the mistake is in the second field
	Terms   Text     // Terms
}

// Text is what somebody is asked to agree to.
type Text struct {
	Version    string
	Language   string // BCP 47 tag
	Address    string // where the same can be read; empty: nowhere
	Paragraphs []string
}

// Welcome tells somebody that they are signed in.
type Welcome struct {
	Account string
	Display string
	To      string // where to go on; empty: nowhere
	Now     bool   // the browser goes on by itself
}

// Told says what became of a forgotten password.
type Told struct {
	Replaced bool // it has been replaced; else nobody learns what happened
	To       string
}

// Leave asks whether somebody wants to sign out; Left tells that they are.
type Leave struct {
	Account string
	Action  string // path that the form is sent to
	Goal    string // as Consent.Goal
}

// Left tells that nobody is signed in any more.
type Left struct {
	Apps   []string // names of the applications that were used in the session
	Frames []Frame  // what the browser loads so that clients hear of it
	To     string   // where the person goes on, by themselves or by the page; empty: nowhere
}

// Frame is an address that the page loads where nobody sees it.
type Frame struct {
	Address string
	Source  string // of Content Security Policy level 3
}

// Select asks with which account to go on where an application wants that to be asked.
type Select struct {
	Account string
	Display string // empty: as Account
	App     string // name of the application; empty: not known
	To      string
}

// Raise asks somebody who is signed in for a further proof.
type Raise struct {
	Account string
	App     string
	To      string
	None    bool // they have no further way to give one

	Challenge string // id of the challenge that they answer; empty: the application asks
}

// Device asks for the code that a device shows (RFC 8628 section 3.3).
type Device struct {
	User   string // code as typed before, or of the link
	Code   string // fault code of what is wrong; empty: nothing
	Reason string
}

// Connect asks whether the device of a code may sign in as the person.
type Connect struct {
	Account string
	App     string // its name
	User    string // the code that the device shows
	Wants   []Want
}

// Connected says what became of a device.
type Connected struct {
	App    string
	Agreed bool
}

// Join asks for the code of an invitation to a workspace.
type Join struct {
	Invitation string // code as typed before, or of the address
	Code       string // fault code of what is wrong; empty: nothing
	Reason     string
}

// Joining asks whether the person joins a workspace.
type Joining struct {
	Account    string
	Workspace  string // its name
	Invitation string // the code
}

// Joined says what became of an invitation.
type Joined struct {
	Workspace string
	Agreed    bool
}

// Approvals shows what clients have somebody asked.
type Approvals struct {
	Account string
	Waiting []Approval
	Code    string // fault code of what is wrong; empty: nothing
	Reason  string
}

// Approval is one thing that somebody is asked.
type Approval struct {
	ID      string
	App     string
	Client  string // name of the client, where it is another one; empty: it is not, or it has none
	Message string // which the client shows as well; empty: none
	From    string // address that the client asked from
	Minutes int    // for which it is open
	Wants   []Want
}

// Approved says what became of one.
type Approved struct {
	App    string
	Agreed bool
	More   bool // others wait
}

// Consent asks whether an application may have what it asks for.
type Consent struct {
	Account string
	App     string // its name
	Wants   []Want
	Action  string // path that the form is sent to
	Bounce  string // handle of the request that waits
	Scopes  string // commas between
	Site    string // host that people go to afterwards; empty: a program on their device
	Goal    string // source that the form's answer may send the browser on to, for the page's policy; empty: nowhere
}

// Want is one thing that an application asks for.
type Want struct {
	Scope string
	Text  string // its description; empty: the language has a sentence for the scope, or its name is all there is
}

func (Name) page() shape        { return shape{name: "name"} }
func (Connections) page() shape { return shape{name: "connections"} }
func (v Onward) page() shape    { return shape{name: "onward", refresh: "0;url=" + v.To} }
func (Told) page() shape        { return shape{name: "told"} }
func (Leave) page() shape       { return shape{name: "leave"} }
func (Left) page() shape        { return shape{name: "left"} }
func (Consent) page() shape     { return shape{name: "consent"} }
func (Select) page() shape      { return shape{name: "select"} }
func (Raise) page() shape       { return shape{name: "raise"} }
func (Device) page() shape      { return shape{name: "device"} }
func (Approvals) page() shape   { return shape{name: "approvals"} }
func (Approved) page() shape    { return shape{name: "approved"} }
func (Connect) page() shape     { return shape{name: "connect"} }
func (Connected) page() shape   { return shape{name: "connected"} }
func (Join) page() shape        { return shape{name: "join"} }
func (Joining) page() shape     { return shape{name: "joining"} }
func (Joined) page() shape      { return shape{name: "joined"} }

func (Brought) page() shape { return shape{name: "brought"} }

func (v Step) page() shape { return shape{name: string(v.Kind)} }

func (v Welcome) page() shape {
	out := shape{name: "welcome"}
	if v.Now {
		out.refresh = "0;url=" + v.To
	}
	return out
}

// Goal is where the answer of a page's form may send the browser on to besides this server.
func Goal(v View) string {
	switch v := v.(type) {
	case Consent:
		return v.Goal
	case Leave:
		return v.Goal
	}
	return ""
}

// Way says a mechanism in words.
func (s shown) Way(w Way) (string, error) { return s.Say("way."+w.Name, "where", w.Where) }

// Want says in words what an application asks for.
func (s shown) Want(w Want) string {
	if text := s.Sentences["scope."+w.Scope]; text != "" && w.Text == "" {
		return text
	}
	if w.Text == "" {
		return w.Scope
	}
	return w.Text
}
