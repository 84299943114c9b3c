package op

import (
	"slices"
	"sort"
	"strings"
)

// router finds operations by method and path. Literal segments match without regard to ASCII case; doubled and
// trailing slashes are nothing; path values keep their case. A literal path wins over a pattern, and in a pattern a
// literal segment wins over a value.
type router struct {
	literal map[string]*methods
	root    node
}

type methods struct {
	by map[string]*mounted
}

type node struct {
	literal map[string]*node
	value   *node
	rest    *node // {name...}: everything that is left
	leaf    *methods
	names   [][]string // of the values on the way here, as each pattern that ends here calls them
}

// add puts m at pattern for a method; it panics when the place is taken.
func (rt *router) add(method, pattern string, m *mounted) {
	at := rt.place(pattern)
	if old := at.by[method]; old != nil {
		panic("op: " + method + " " + pattern + " is both " + old.op.Func + " and " + m.op.Func)
	}
	at.by[method] = m
}

func (rt *router) place(pattern string) *methods {
	if rt.literal == nil {
		rt.literal = map[string]*methods{}
	}
	if !strings.Contains(pattern, "{") {
		key := foldPath(pattern)
		if rt.literal[key] == nil {
			rt.literal[key] = &methods{map[string]*mounted{}}
		}
		return rt.literal[key]
	}
	n, names := &rt.root, []string(nil)
	for seg := range strings.SplitSeq(strings.Trim(pattern, "/"), "/") {
		name, isValue := strings.CutPrefix(seg, "{")
		name = strings.TrimSuffix(name, "}")
		switch {
		case isValue && strings.HasSuffix(name, "..."):
			names = append(names, strings.TrimSuffix(name, "..."))
			n = child(&n.rest)
		case isValue:
			names = append(names, name)
			n = child(&n.value)
		default:
			if n.literal == nil {
				n.literal = map[string]*node{}
			}
			next := n.literal[foldPath(seg)]
			if next == nil {
				next = &node{}
				n.literal[foldPath(seg)] = next
			}
			n = next
		}
	}
	if n.leaf == nil {
		n.leaf = &methods{map[string]*mounted{}}
	}
	if !slices.ContainsFunc(n.names, func(known []string) bool { return slices.Equal(known, names) }) {
		n.names = append(n.names, names)
	}
	return n.leaf
}

func child(p **node) *node {
	if *p == nil {
		*p = &node{}
	}
	return *p
}

// find gives what is mounted at path, and its path values.
func (rt *router) find(path string) (*methods, map[string]string) {
	if m := rt.literal[foldPath(path)]; m != nil {
		return m, nil
	}
	var room [33]string // most paths are short: nothing is allocated for them
	segs := room[:0]
	for seg := range strings.SplitSeq(path, "/") {
		if seg != "" {
			if len(segs) == cap(segs)-1 {
				return nil, nil
			}
			segs = append(segs, seg)
		}
	}
	var found [4]string
	values := found[:0]
	n := rt.root.walk(segs, &values)
	if n == nil {
		return nil, nil
	}
	out := make(map[string]string, len(values))
	for _, names := range n.names {
		for i, name := range names {
			out[name] = values[i]
		}
	}
	return n.leaf, out
}

func (n *node) walk(segs []string, values *[]string) *node {
	if len(segs) == 0 {
		if n.leaf != nil {
			return n
		}
		return nil
	}
	if next := n.literal[foldPath(segs[0])]; next != nil {
		if hit := next.walk(segs[1:], values); hit != nil {
			return hit
		}
	}
	mark := len(*values)
	if n.value != nil {
		*values = append(*values, segs[0])
		if hit := n.value.walk(segs[1:], values); hit != nil {
			return hit
		}
		*values = (*values)[:mark]
	}
	if n.rest != nil && n.rest.leaf != nil {
		*values = append(*values, strings.Join(segs, "/"))
		return n.rest
	}
	return nil
}

// allowed lists the methods mounted at a place, for the Allow header.
func (m *methods) allowed() string {
	var out []string
	for k := range m.by {
		out = append(out, k)
	}
	sort.Strings(out)
	return strings.Join(out, ", ")
}

// foldPath lowers ASCII letters and drops empty segments. It allocates only when there is something to do.
func foldPath(p string) string {
	clean := true
	for i := range len(p) {
		c := p[i]
		if 'A' <= c && c <= 'Z' || c == '/' && i > 0 && (p[i-1] == '/' || i == len(p)-1) {
			clean = false
			break
		}
	}
	if clean {
		return p
	}
	b := make([]byte, 0, len(p))
	for i := range len(p) {
		c := p[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c == '/' && len(b) > 0 && b[len(b)-1] == '/' {
			continue
		}
		b = append(b, c)
	}
	if len(b) > 1 && b[len(b)-1] == '/' {
		b = b[:len(b)-1]
	}
	return string(b)
}
