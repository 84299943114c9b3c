package op

import "limen/internal/core/right"

// Told is what became of one part of a rule.
type Told struct {
	Rule   string // the part, as rules print themselves
	Passes bool
	Why    string // for people
}

// Tell says what a rule makes of a call about a target, part by part: one that passes is enough.
func (r Rule) Tell(c *Call, t Target) []Told {
	if len(r.parts) == 0 {
		out := Told{Rule: r.text, Passes: !r.Decide(c, t).Nothing()}
		out.Why = r.why(c, t, out.Passes)
		return []Told{out}
	}
	var out []Told
	for _, p := range r.parts {
		out = append(out, p.Tell(c, t)...)
	}
	return out
}

func (r Rule) why(c *Call, t Target, passes bool) string {
	switch {
	case c.Caller == nil && !passes:
		return "Nobody is signed in."
	case r.needs != right.None:
		return r.told(c, t, passes)
	case passes:
		return "Met."
	case r.targeted:
		return "The call is about somebody else."
	}
	return "Not met."
}

// told says how the right that a rule needs is held.
func (r Rule) told(c *Call, t Target, passes bool) string {
	held := c.Caller.Held
	switch over := len(held.In(r.needs)) > 0; {
	case held.System():
		return "The person is a system administrator."
	case held.Everywhere(r.needs):
		return "The person holds the right everywhere."
	case !over:
		return "The person does not hold the right."
	case passes && t.ID == "":
		return "The person holds the right over organizations, and meets what belongs to them."
	case passes:
		return "The person holds the right over the organization that the object belongs to."
	}
	return "The person holds the right over organizations that the object does not belong to."
}
