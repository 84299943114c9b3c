package scim

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Difference is one operation of a PATCH that a client sends.
type Difference struct {
	Op    string `json:"op"` // add, replace, remove
	Path  string `json:"path,omitempty"`
	Value any    `json:"value,omitempty"`
}

// PatchBody is the request that makes differences.
func PatchBody(ds []Difference) ([]byte, error) {
	return json.Marshal(map[string]any{"schemas": []string{PatchURN}, "Operations": ds})
}

// Differences are the operations that make of a resource another one, by their paths. Attributes with sub-attributes, and extensions,
// are changed part by part: what a service keeps beside stays. Attributes of several values are replaced as a whole. schemas stay as
// they are.
func Differences(from, to Object) []Difference {
	return differences("", from, to)
}

func differences(under string, from, to Object) (out []Difference) {
	names := slices.Sorted(maps.Keys(to))
	for name := range from {
		if _, ok := to[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if under == "" && name == "schemas" {
			continue
		}
		path := join(under, name)
		was, had := from[name]
		is, has := to[name]
		w, some := was.(Object)
		i, same := is.(Object)
		switch {
		case had && has && reflect.DeepEqual(was, is):
		case same && (some || !had) && under == "":
			out = append(out, differences(path, w, i)...)
		case !has || empty(is):
			if had {
				out = append(out, Difference{Op: "remove", Path: path})
			}
		case !had:
			out = append(out, Difference{Op: "add", Path: path, Value: is})
		default:
			out = append(out, Difference{Op: "replace", Path: path, Value: is})
		}
	}
	return out
}

// join makes the path of an attribute below another one, or below an extension.
func join(under, name string) string {
	switch {
	case under == "":
		return name
	case strings.Contains(under, ":"):
		return under + ":" + name
	}
	return under + "." + name
}

// Assign sets what is at a path: an attribute, a part of one behind a dot, or an attribute of an extension behind its URN and a colon. No
// value takes it away. What stands where an object must be is replaced by one.
func Assign(o Object, path string, v any) {
	var under, name string
	var ok bool
	if i := strings.LastIndexByte(path, ':'); i > 0 {
		under, name, ok = path[:i], path[i+1:], true
	} else if under, name, ok = strings.Cut(path, "."); !ok {
		under, name = "", path
	}
	if ok {
		in, is := o[under].(Object)
		switch {
		case !is && v == nil:
			return
		case !is:
			in = Object{}
			o[under] = in
		}
		defer func() {
			if len(in) == 0 {
				delete(o, under)
			}
		}()
		o = in
	}
	if v == nil {
		delete(o, name)
		return
	}
	o[name] = v
}

func empty(v any) bool {
	if list, ok := v.([]any); ok {
		return len(list) == 0
	}
	return v == nil || v == ""
}

// Covers says by which paths a resource of a service lacks something of what was sent to it, or has it otherwise. What it has beside
// does not count: in lists neither further values, nor further sub-attributes, nor the order.
func Covers(sent, has Object) (missing []string) {
	for _, name := range slices.Sorted(maps.Keys(sent)) {
		if name == "schemas" || empty(sent[name]) {
			continue
		}
		if !contains(sent[name], field(has, name)) {
			missing = append(missing, name)
		}
	}
	return missing
}

func contains(want, has any) bool {
	switch w := want.(type) {
	case Object:
		h, ok := has.(Object)
		if !ok {
			return false
		}
		for name, v := range w {
			if !empty(v) && !contains(v, field(h, name)) {
				return false
			}
		}
		return true
	case []any:
		h := listOf(has)
		for _, v := range w {
			if !slices.ContainsFunc(h, func(x any) bool { return contains(v, x) }) {
				return false
			}
		}
		return true
	case bool:
		if s, ok := has.(string); ok { // some services answer texts
			return strings.EqualFold(s, map[bool]string{true: "true", false: "false"}[w])
		}
		return has == any(w) || has == nil && !w
	}
	return reflect.DeepEqual(want, has)
}
