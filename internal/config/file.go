package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFile bounds the settings file in bytes.
const maxFile = 1 << 20

// readFile reads one YAML file: a mapping of known names to plain values or lists of them, each name once.
func readFile(path string) (map[string]value, []error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, []error{err}
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, []error{err}
	}
	if len(text) > maxFile {
		return nil, []error{fmt.Errorf("%s: larger than %d bytes", path, maxFile)}
	}
	return parseFile(path, string(text))
}

func parseFile(path, text string) (map[string]value, []error) {
	decoder := yaml.NewDecoder(strings.NewReader(text))
	var doc yaml.Node
	if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil // empty, or comments alone
	} else if err != nil {
		return nil, []error{fmt.Errorf("%s: %w", path, err)}
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, []error{fmt.Errorf("%s: more than one document", path)}
	}
	root := doc.Content[0]
	if root.Kind == yaml.ScalarNode && root.Tag == "!!null" {
		return nil, nil
	}
	if root.Kind != yaml.MappingNode {
		return nil, []error{fmt.Errorf("%s:%d: expected lines of the form \"name: value\"", path, root.Line)}
	}
	return readMapping(path, root)
}

func readMapping(path string, root *yaml.Node) (map[string]value, []error) {
	out, errs := map[string]value{}, []error(nil)
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, node := root.Content[i], root.Content[i+1]
		at := fmt.Sprintf("%s:%d", path, key.Line)
		texts, err := scalars(node)
		switch _, twice := out[key.Value]; {
		case key.Kind != yaml.ScalarNode || !slices.Contains(names(), key.Value):
			errs = append(errs, fmt.Errorf("%s: setting %q is unknown%s", at, key.Value, suggest(key.Value, names(), quoted)))
		case twice:
			errs = append(errs, fmt.Errorf("%s: %s is given twice", at, key.Value))
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %s %w", at, key.Value, err))
		default:
			out[key.Value] = value{texts, at}
		}
	}
	return out, errs
}

func scalars(node *yaml.Node) ([]string, error) {
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		return nil, errors.New("has no value")
	case node.Kind == yaml.ScalarNode:
		return []string{node.Value}, nil
	case node.Kind != yaml.SequenceNode:
		return nil, errors.New("takes a plain value or a list")
	}
	out := []string{}
	for _, item := range node.Content {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return nil, errors.New("takes a list of plain values")
		}
		out = append(out, item.Value)
	}
	return out, nil
}

func quoted(name string) string { return fmt.Sprintf("%q", name) }

// suggest completes "... is unknown" with the nearest known name, if one is near.
func suggest(name string, known []string, show func(string) string) string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	best, distance := "", max(2, len(name)/3)+1
	for _, k := range known {
		d := edits(name, k)
		if strings.HasPrefix(k, name) && len(name) > 1 || k == name+"s" || name == k+"s" {
			d = min(d, 1)
		}
		if d < distance || d == distance && best != "" && len(k) < len(best) {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + show(best) + "?"
}

// edits counts the letters to insert, drop, replace, or swap with their neighbour to make b of a.
func edits(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
