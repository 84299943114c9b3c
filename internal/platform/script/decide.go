package script

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/dop251/goja"
)

// Bounds of the claims that a script sets. Tokens go along with requests, whose headers are bounded.
const (
	maxClaims    = 100
	maxClaimSize = 8 << 10 // bytes of all names and values, as JSON
)

// loginUser is the object that is the person as well.
const loginUser = "LoginUser"

// objects makes those that the batch names. Scripts of policies write some in lower case.
func (s *session) objects() {
	for name, members := range s.person.Objects {
		o := s.vm.NewObject()
		if name == loginUser {
			o = s.user()
		}
		s.fill(o, name, members)
		s.global(name, o)
		if lower := strings.ToLower(name[:1]) + name[1:]; lower != name {
			s.global(lower, o)
		}
	}
	_ = s.vm.Set("module", s.module)
}

// fill gives an object members that can be read, each read noted as object.member, and a function Get that reads one by its name,
// whatever its case. What the object has already stays.
func (s *session) fill(o *goja.Object, name string, members map[string]any) {
	has := o.GetOwnPropertyNames()
	for member, v := range members {
		if !slices.Contains(has, member) {
			s.getter(o, member, func() goja.Value { s.note(name + "." + member); return s.shown(v) })
		}
	}
	if slices.Contains(has, "Get") {
		return
	}
	s.method(o, "Get", func(c goja.FunctionCall) goja.Value {
		want := c.Argument(0).String()
		for member, v := range members {
			if strings.EqualFold(member, want) {
				s.note(name + "." + member)
				return s.shown(v)
			}
		}
		return goja.Null()
	})
}

// shown is a member as scripts see it: lists are arrays of their own.
func (s *session) shown(v any) goja.Value {
	if list, ok := v.([]any); ok {
		return s.vm.NewArray(slices.Clone(list)...)
	}
	return s.value(v)
}

// module is what scripts of policies come by the person with: module('User').GetCurrentUser().
func (s *session) module(c goja.FunctionCall) goja.Value {
	if name := c.Argument(0).String(); name != "User" {
		panic(s.vm.NewTypeError("There is no module %s; there is User.", clip(name, maxName)))
	}
	o := s.vm.NewObject()
	s.method(o, "GetCurrentUser", func(goja.FunctionCall) goja.Value { return s.vm.Get("User") })
	return o
}

// claiming offers the functions that set claims.
func (s *session) claiming() {
	s.claims = map[string]json.RawMessage{}
	for name, form := range map[string]func(goja.Value) goja.Value{
		"setClaim": func(v goja.Value) goja.Value { return v },
		"setClaimArray": func(v goja.Value) goja.Value {
			if o, ok := v.(*goja.Object); ok && o.ClassName() == "Array" {
				return v
			}
			return s.vm.NewArray(v)
		},
		"setClaimObject": func(v goja.Value) goja.Value {
			if o, ok := v.(*goja.Object); !ok || o.ClassName() == "Array" {
				panic(s.vm.NewTypeError("setClaimObject takes an object."))
			}
			return v
		},
	} {
		s.global(name, s.vm.ToValue(func(c goja.FunctionCall) goja.Value {
			s.claim(c.Argument(0).String(), c.Argument(1), form)
			return goja.Undefined()
		}))
	}
}

// claim sets one, or takes it back where there is no value.
func (s *session) claim(name string, v goja.Value, form func(goja.Value) goja.Value) {
	switch {
	case name == "" || len(name) > maxName:
		panic(s.vm.NewTypeError("The name of a claim has 1 to %d bytes.", maxName))
	case slices.Contains(s.batch.Reserved, name):
		panic(s.vm.NewTypeError("The claim %s is the server's own, and cannot be set.", name))
	case goja.IsUndefined(v) || goja.IsNull(v):
		delete(s.claims, name)
		return
	}
	raw, err := encoded(form(v).Export())
	if err != nil {
		panic(s.vm.NewTypeError("The value of the claim %s is none that JSON has.", name))
	}
	s.claims[name] = raw
	if !bounded(s.claims) {
		delete(s.claims, name)
		panic(s.vm.NewTypeError("There are too many claims, or they are too long: %d with %d bytes are allowed.", maxClaims, maxClaimSize))
	}
}

func encoded(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// bounded says whether there are not too many claims, and not too long ones.
func bounded(claims map[string]json.RawMessage) bool {
	size := 0
	for name, raw := range claims {
		size += len(name) + len(raw)
		if name == "" || len(name) > maxName {
			return false
		}
	}
	return len(claims) <= maxClaims && size <= maxClaimSize
}

// policing offers the object policy. A member that it does not have is an error: a decision that is misspelt must not get lost.
func (s *session) policing() {
	s.global("policy", s.vm.NewDynamicObject(&policy{s}))
}

type policy struct{ s *session }

// members are what a script can say, by their names in lower case.
var members = map[string]string{"locked": "Locked", "reason": "Reason", "requiredlevel": "RequiredLevel"}

// Get gives what has been said so far.
func (p *policy) Get(key string) goja.Value {
	r := p.s.ruling
	switch members[strings.ToLower(key)] {
	case "Locked":
		return p.s.vm.ToValue(r.Locked)
	case "Reason":
		return p.s.vm.ToValue(r.Reason)
	case "RequiredLevel":
		return p.s.vm.ToValue(max(r.Level, 1))
	}
	return nil
}

// Set takes what the script says.
func (p *policy) Set(key string, v goja.Value) bool {
	r := &p.s.ruling
	switch members[strings.ToLower(key)] {
	case "Locked":
		r.Locked = v.ToBoolean()
	case "Reason":
		r.Reason = clip(v.String(), maxTrace)
	case "RequiredLevel":
		level := v.ToFloat()
		if level != 1 && level != 2 {
			panic(p.s.vm.NewTypeError("policy.RequiredLevel is 1, for a sign-in, or 2, for strong authentication."))
		}
		r.Level = int(level)
	default:
		panic(p.s.vm.NewTypeError("policy has no %s; it has Locked, Reason and RequiredLevel.", clip(key, maxName)))
	}
	return true
}

// Has says whether there is such a member.
func (*policy) Has(key string) bool { return members[strings.ToLower(key)] != "" }

// Delete refuses.
func (*policy) Delete(string) bool { return false }

// Keys lists the members.
func (*policy) Keys() []string { return []string{"Locked", "Reason", "RequiredLevel"} }

// ruled is what a script of Policy decided. It returns nothing: one that returns false may have meant to refuse.
func (s *session) ruled(result goja.Value) Verdict {
	if result != nil && !goja.IsUndefined(result) && !goja.IsNull(result) {
		return Verdict{Error: "The script must say what it decides by the object policy, and return nothing."}
	}
	return Verdict{Ruling: &s.ruling}
}
