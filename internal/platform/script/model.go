package script

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dop251/goja"
)

// roles are what scripts ask for: by id, and by name without regard to case.
type roles struct{ id, name map[string]Role }

func index(rs []Role) roles {
	out := roles{map[string]Role{}, map[string]Role{}}
	for _, r := range rs {
		out.id[r.ID], out.name[strings.ToLower(r.Name)] = r, r
	}
	return out
}

// user makes the object User: what a script can know of the person, each read noted.
func (s *session) user() *goja.Object {
	p := s.person
	o := s.vm.NewObject()
	for _, f := range []struct {
		name, property string
		value          any
	}{
		{"Uuid", "", p.ID}, {"Username", "Name", p.Name}, {"DisplayName", "DisplayName", p.Display}, {"Mail", "Mail", p.Mail},
		{"UserType", "", p.Type}, {"DirectoryServiceUuid", "", p.Source}, {"OrgId", "OrgId", p.Org},
		// What belongs to a sign-in is not known outside of one, and members stay members between sign-ins.
		{"RiskLevel", "", nil}, {"IsIdentityCookiePresent", "", false}, {"IsYubikeyOtpConfigured", "", false},
	} {
		s.getter(o, f.name, func() goja.Value {
			if f.property != "" {
				s.note(f.property)
			}
			return s.vm.ToValue(f.value)
		})
	}
	properties := s.vm.NewDynamicObject(&properties{s: s, methods: s.lookups()})
	s.getter(o, "Properties", func() goja.Value { return properties })
	s.method(o, "Get", func(c goja.FunctionCall) goja.Value { return s.property(c.Argument(0).String()) })
	s.method(o, "InRole", func(c goja.FunctionCall) goja.Value { return s.vm.ToValue(s.inRole(c.Argument(0).String())) })
	s.method(o, "InRoleByNames", func(c goja.FunctionCall) goja.Value {
		return s.vm.ToValue(slices.ContainsFunc(s.names(c.Argument(0)), s.inRoleNamed))
	})
	for _, name := range []string{"InEffectiveGroupByNames", "InEffectiveGroupByDNs", "InDirectGroupByNames", "InDirectGroupByDNs"} {
		s.method(o, name, func(c goja.FunctionCall) goja.Value { return s.vm.ToValue(false) }) // the built-in directory has no groups
	}
	return o
}

func (s *session) getter(o *goja.Object, name string, f func() goja.Value) {
	_ = o.DefineAccessorProperty(name, s.vm.ToValue(func(goja.FunctionCall) goja.Value { return f() }), nil, goja.FLAG_FALSE, goja.FLAG_TRUE)
}

func (s *session) method(o *goja.Object, name string, f func(goja.FunctionCall) goja.Value) {
	_ = o.DefineDataProperty(name, s.vm.ToValue(f), goja.FLAG_FALSE, goja.FLAG_FALSE, goja.FLAG_FALSE)
}

// inRole asks by id. Dynamic roles cannot be asked for: which of two scripts runs first would decide who is a member.
func (s *session) inRole(id string) bool {
	s.note(ReadRoles)
	s.refuse(s.roles.id[id])
	return s.in[id]
}

func (s *session) inRoleNamed(name string) bool {
	s.note(ReadRoles)
	r, known := s.roles.name[strings.ToLower(name)]
	s.refuse(r)
	return known && s.in[r.ID]
}

func (s *session) refuse(r Role) {
	if r.Dynamic {
		panic(s.vm.NewTypeError("%s is a dynamic role; scripts can ask for static roles only.", r.Name))
	}
}

// names reads an array of names, or a single one.
func (s *session) names(v goja.Value) (out []string) {
	o, ok := v.(*goja.Object)
	if !ok {
		return []string{v.String()}
	}
	n := int(min(o.Get("length").ToInteger(), 1000))
	for i := range max(n, 0) {
		out = append(out, o.Get(s.vm.ToValue(i).String()).String())
	}
	return out
}

// property reads one by its name, whatever its case; null when the person has none.
func (s *session) property(name string) goja.Value {
	v, _ := s.find(name)
	return s.value(v)
}

// find looks a property up; known says whether people have such a property at all.
func (s *session) find(name string) (v any, known bool) {
	if v, known = s.person.Properties[name]; !known {
		for have, value := range s.person.Properties {
			if strings.EqualFold(have, name) {
				name, v, known = have, value, true
				break
			}
		}
	}
	s.note(name)
	return v, known
}

// value shows a property to a script.
func (s *session) value(v any) goja.Value {
	if m, ok := v.(map[string]any); ok {
		date, err := s.vm.New(s.vm.Get("Date"), s.vm.ToValue(m["date"]))
		if err != nil {
			return goja.Null()
		}
		return date
	}
	return s.vm.ToValue(v)
}

// lookups are the functions of User.Properties.
func (s *session) lookups() map[string]goja.Value {
	ask := func(f func(name string) goja.Value) goja.Value {
		return s.vm.ToValue(func(c goja.FunctionCall) goja.Value { return f(c.Argument(0).String()) })
	}
	return map[string]goja.Value{
		"TryGet": ask(s.property),
		"Get": ask(func(name string) goja.Value {
			v, known := s.find(name)
			if !known {
				panic(s.vm.NewTypeError("Users have no property %s.", clip(name, maxName)))
			}
			return s.value(v)
		}),
		"Has": ask(func(name string) goja.Value {
			_, known := s.find(name)
			return s.vm.ToValue(known)
		}),
		"HasNonNullOrWhitespaceValue": ask(func(name string) goja.Value {
			v, _ := s.find(name)
			text, is := v.(string)
			return s.vm.ToValue(v != nil && (!is || strings.TrimSpace(text) != ""))
		}),
	}
}

// properties is User.Properties: functions, and every property under its name.
type properties struct {
	s       *session
	methods map[string]goja.Value
}

// Get gives a function or a property; null for what does not exist, as the directory attributes of other directories are.
func (p *properties) Get(key string) goja.Value {
	if f := p.methods[key]; f != nil {
		return f
	}
	if key == "PropertyNames" {
		return p.s.vm.NewDynamicObject(names{p.s.vm, p.Keys()})
	}
	return p.s.property(key)
}

// Set refuses.
func (p *properties) Set(string, goja.Value) bool { return false }

// Has says whether a function or property exists.
func (p *properties) Has(key string) bool {
	if p.methods[key] != nil || key == "PropertyNames" {
		return true
	}
	_, known := p.s.find(key)
	return known
}

// Delete refuses.
func (p *properties) Delete(string) bool { return false }

// Keys lists the properties. Which there are is the same for everybody, until an administrator adds attributes.
func (p *properties) Keys() []string {
	p.s.note(ReadAll)
	out := make([]string, 0, len(p.s.person.Properties))
	for name := range p.s.person.Properties {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// names is PropertyNames: for-in gives the names, and so does indexing by a number or by what for-in gave.
type names struct {
	vm  *goja.Runtime
	all []string
}

// Get gives Count, or a name.
func (n names) Get(key string) goja.Value {
	if key == "Count" || key == "length" {
		return n.vm.ToValue(len(n.all))
	}
	if slices.Contains(n.all, key) {
		return n.vm.ToValue(key)
	}
	if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(n.all) {
		return n.vm.ToValue(n.all[i])
	}
	return nil
}

// Set refuses.
func (names) Set(string, goja.Value) bool { return false }

// Has says whether Get gives something.
func (n names) Has(key string) bool { return n.Get(key) != nil }

// Delete refuses.
func (names) Delete(string) bool { return false }

// Keys lists the names.
func (n names) Keys() []string { return n.all }
