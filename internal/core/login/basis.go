package login

import (
	"time"

	"limen/internal/call"
)

// Basis is what a decision about a sign-in saw and what it said. It is kept in the event of the sign-in, under BasisField, so
// that the sign-in can be decided anew under other rules (core/simulation); it decides nothing. No secret is in it.
type Basis struct {
	At      time.Time `json:"At"`                // when the sign-in began, to the second
	IP      string    `json:"IP,omitempty"`      // from where it began
	OS      string    `json:"Os,omitempty"`      // in the words of conditions; empty: unknown
	Browser string    `json:"Browser,omitempty"` // the same
	Country string    `json:"Country,omitempty"`
	Known   *bool     `json:"Known,omitempty"` // the person had signed in completely on the device; nil: nobody looked

	Risk string `json:"Risk,omitempty"` // level (core/risk); empty: it was not rated

	Person    string `json:"Person,omitempty"` // UUID; in the event only of who was refused, where it stands nowhere else
	Refused   bool   `json:"Refused,omitempty"`
	Skipped   bool   `json:"Skipped,omitempty"` // the device stood in for the later challenges
	Verdict   string `json:"Verdict,omitempty"` // of core/policy; empty: policies were not asked
	Rule      int    `json:"Rule,omitempty"`    // number of the rule that fitted, from 1; 0: none did
	PolicySet string `json:"PolicySet,omitempty"`
	Role      string `json:"Role,omitempty"`    // id of the role through which the set applies
	Profile   string `json:"Profile,omitempty"` // UUID of the authentication profile that gave the challenges
}

// BasisField is the field of an event that has the Basis.
const BasisField = "SignIn"

// based completes what the decision about a conversation that begins rested on.
func (s *state) based(c *call.Call, person string, p Profile) {
	b := p.Basis
	if r := s.Risk; r != nil {
		b.Risk = string(r.Level)
	}
	b.At, b.IP, b.Person, b.Profile = c.Now.UTC().Truncate(time.Second), "", person, p.ID
	if ip := c.Client.IP.Unmap().WithZone(""); ip.IsValid() {
		b.IP = ip.String()
	}
	s.Basis = &b
}

// recorded puts it into the event of the conversation's end.
func (t *turn) recorded(e *call.Event) {
	if e == nil || t.s.Basis == nil || t.s.Basis.Person == "" || t.s.Recovery {
		return
	}
	b := *t.s.Basis
	if b.Skipped, b.Refused = t.s.Skipped, t.s.Refused != ""; !b.Refused {
		b.Person = ""
	}
	e.Set(BasisField, b.fields())
	rating(e, t.s.Risk)
}

// fields are what stands in the event, in the form that events are written fastest.
func (b Basis) fields() map[string]any {
	out := map[string]any{"At": b.At.Format(time.RFC3339)}
	for name, text := range map[string]string{
		"IP": b.IP, "Os": b.OS, "Browser": b.Browser, "Country": b.Country, "Risk": b.Risk, "Person": b.Person, "Verdict": b.Verdict, "PolicySet": b.PolicySet,
		"Role": b.Role, "Profile": b.Profile,
	} {
		if text != "" {
			out[name] = text
		}
	}
	if b.Known != nil {
		out["Known"] = *b.Known
	}
	if b.Rule != 0 {
		out["Rule"] = b.Rule
	}
	if b.Skipped {
		out["Skipped"] = true
	}
	if b.Refused {
		out["Refused"] = true
	}
	return out
}
