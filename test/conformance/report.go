package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// outcome is what came of a plan.
type outcome struct {
	plan  plan
	tests []result
}

// verdicts are the columns of the table.
var verdicts = []string{"PASSED", "WARNING", "REVIEW", "SKIPPED", "FAILED"}

// verdict is how a test ended; one that did not is failed.
func (r result) verdict() string {
	if r.state.Status == "FINISHED" {
		for _, v := range verdicts {
			if r.state.Result == v {
				return v
			}
		}
	}
	return "FAILED"
}

// row is the plan's line of the table.
func (o outcome) row() string {
	count := map[string]int{}
	for _, t := range o.tests {
		count[t.verdict()]++
	}
	out := "| " + o.plan.title()
	for _, v := range verdicts {
		out += fmt.Sprintf(" | %d", count[v])
	}
	return out + " |"
}

// marker is the line below which a document's results are.
const marker = "<!-- results: written by test/conformance -->"

// write replaces the results in a document.
func write(path string, done []outcome) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, _, ok := strings.Cut(string(text), marker)
	if !ok {
		return fmt.Errorf("%s has no line %s", path, marker)
	}
	var b strings.Builder
	b.WriteString(head + marker + "\n\n| Plan | passed | warned | for a person to look at | skipped | failed |\n|---|---|---|---|---|---|\n")
	for _, o := range done {
		b.WriteString(o.row() + "\n")
	}
	for _, v := range verdicts[1:] {
		list(&b, v, done)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// headings say of the tests below them how they ended.
var headings = map[string]string{"WARNING": "Warned", "REVIEW": "For a person to look at", "SKIPPED": "Skipped", "FAILED": "Failed"}

// list says which tests ended so, how often, and what the suite found.
func list(b *strings.Builder, verdict string, done []outcome) {
	times, found := map[string]int{}, map[string][]string{}
	for _, o := range done {
		for _, t := range o.tests {
			if t.verdict() == verdict {
				times[t.Name]++
				found[t.Name] = append(found[t.Name], t.findings...)
			}
		}
	}
	if len(times) > 0 {
		fmt.Fprintf(b, "\n### %s\n\n", headings[verdict])
	}
	for _, name := range slices.Sorted(maps.Keys(times)) {
		fmt.Fprintf(b, "- `%s`", name)
		if n := times[name]; n > 1 {
			fmt.Fprintf(b, " (%d times)", n)
		}
		if short := brief(found[name]); len(short) > 0 {
			fmt.Fprintf(b, ": %s", strings.Join(short, ", "))
		}
		b.WriteString("\n")
	}
}

// brief are findings without the suite's explanations, each once.
func brief(findings []string) (out []string) {
	for _, f := range findings {
		if kind, rest, ok := strings.Cut(f, ": "); ok && (kind == "warning" || kind == "failure") {
			f, _, _ = strings.Cut(rest, ":")
		}
		out = append(out, f)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
