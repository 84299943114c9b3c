package gen

import (
	"fmt"
	"strings"
)

// Contract rewrites the state column of docs/contract.tsv from what is mounted: served, missing, or partly when the
// note says what is lacking. The table cannot claim what the registry does not have.
func Contract(table string, surfaces []Surface) (string, error) {
	mounted := map[string]bool{}
	for _, s := range surfaces {
		for _, o := range s.Ops {
			for _, p := range append([]string{o.Path}, o.Paths...) {
				for _, m := range s.Codec.Methods(&o) {
					mounted[m+" "+contractKey(p)] = true
				}
			}
		}
	}
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	for i, line := range lines[1:] {
		col := strings.Split(line, "\t")
		if len(col) != 8 {
			return "", fmt.Errorf("docs/contract.tsv:%d has %d columns, want 8", i+2, len(col))
		}
		switch {
		case !mounted[col[2]+" "+contractKey(col[3])]:
			col[0] = "missing"
		case strings.HasPrefix(col[6], "lacks "):
			col[0] = "partly"
		default:
			col[0] = "served"
		}
		lines[i+1] = strings.Join(col, "\t")
	}
	return strings.Join(lines, "\n") + "\n", nil
}

// contractKey folds a path and the names of its values away.
func contractKey(p string) string {
	var b strings.Builder
	depth := 0
	for _, c := range strings.ToLower(strings.TrimSuffix(p, "/")) {
		switch c {
		case '{':
			depth++
			b.WriteString("{}")
		case '}':
			depth--
		default:
			if depth == 0 {
				b.WriteRune(c)
			}
		}
	}
	return b.String()
}
