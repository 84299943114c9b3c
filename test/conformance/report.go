package main

import (
	"fmt"
	"os"
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
	for _, o := range done {
		list(&b, o)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// list says of every test that did not simply pass what the suite found.
func list(b *strings.Builder, o outcome) {
	first := true
	for _, t := range o.tests {
		if t.verdict() == "PASSED" {
			continue
		}
		if first {
			fmt.Fprintf(b, "\n### %s\n\n", o.plan.title())
			first = false
		}
		fmt.Fprintf(b, "- `%s`: %s", t.Name, strings.ToLower(t.verdict()))
		for _, f := range t.findings {
			fmt.Fprintf(b, "; %s", f)
		}
		b.WriteString("\n")
	}
}
