package app

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"limen/internal/config"
	"limen/internal/core/tenant"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/explanations"
	"limen/internal/surface/identity/policies"
)

// Inquiry asks why, from the command line. Of Right, Setting, Operation and Request one is set, or none: then it is about
// signing in.
type Inquiry struct {
	Tenant string
	JSON   bool // print the answer as a program reads it

	User, Right, Setting, Operation, Object, Request string

	IP, Time, Agent string // of signing in; Time is RFC 3339, empty: now
	Risk            string // level; empty: not told
	Device          string // known, unknown, or empty: not told
}

// ErrTime is a time that cannot be read.
var ErrTime = fault.New(fault.Invalid, "explain.time", "The time is written as 2026-11-23T09:00:00Z.")

func (q Inquiry) question() (explanations.Question, error) {
	out := explanations.Question{
		User: q.User, Right: q.Right, Setting: q.Setting, Operation: q.Operation, Object: q.Object, Request: q.Request,
		Situation: policies.Situation{IP: q.IP, UserAgent: q.Agent, RiskLevel: q.Risk},
	}
	if q.Device != "" {
		out.Situation.KnownDevice = op.Some(q.Device == "known")
	}
	if q.Time == "" {
		return out, nil
	}
	at, err := time.Parse(time.RFC3339, q.Time)
	if err != nil {
		return out, ErrTime.Because(err)
	}
	out.Situation.Time = op.Some(at)
	return out, nil
}

// inquire is "limen explain".
func (c *Commands) inquire(ctx context.Context, s config.Settings, q Inquiry) error {
	in, err := q.question()
	if err != nil {
		return err
	}
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	out, err := a.ask(ctx, q.Tenant, "/Explain/Why", &in)
	if err != nil {
		return err
	}
	if q.JSON {
		return printJSON(c.Out, out)
	}
	tell(c.Out, out.(explanations.Answer))
	return nil
}

// ask runs a reading operation as somebody at the server's own command line.
func (a *App) ask(ctx context.Context, tenantID, path string, in any) (any, error) {
	id, err := a.tenantOf(ctx, tenant.Hint{Tenant: tenantID})
	if err != nil {
		return nil, err
	}
	o, _ := a.Kernel.Find(http.MethodPost, path)
	return a.Kernel.Run(ctx, &o, a.Shell(id), in)
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// tell prints an answer for people: the sentence, and what stands behind it.
func tell(w io.Writer, a explanations.Answer) {
	fmt.Fprintln(w, a.Summary)
	if a.Stay != nil {
		fmt.Fprintf(w, "    %s%s\n", a.Stay.Tell(a.Name), given(nil, nil, a.Stay.Reason, a.Stay.GrantedBy))
	}
	switch {
	case a.Right != nil:
		tellRight(w, *a.Right)
	case a.SignIn != nil:
		tellSignIn(w, *a.SignIn)
	case a.Setting != nil:
		for _, n := range a.Setting.PolicySets {
			fmt.Fprintf(w, "  %s %s = %s\n      %s\n", mark(n.Wins), n.PolicySet, n.Value, n.Why)
		}
		tellPath(w, a.Setting.RolePath)
		if a.Setting.Source == "Tenant" {
			fmt.Fprintf(w, "    value %s\n", a.Setting.Value)
		}
	case a.Operation != nil:
		tellRule(w, a.Operation)
	case a.Request != nil:
		fmt.Fprintf(w, "    %s %s %s %s\n", a.Request.At.Format(time.RFC3339), a.Request.Type, a.Request.Outcome, a.Request.Code)
		if b := a.Request.Seen; b != nil {
			fmt.Fprintf(w, "    it began from %s, policy set %s, rule %d\n", cmp.Or(b.IP, "an unknown address"), cmp.Or(b.PolicySet, "none"), b.Rule)
			if b.Risk != "" {
				fmt.Fprintf(w, "    its risk was %s (%s)\n", b.Risk, cmp.Or(a.Request.RiskReasons, "nothing was found"))
			}
		}
		if a.Request.Operation != nil {
			tellRule(w, a.Request.Operation)
		}
	}
}

func mark(yes bool) string {
	if yes {
		return "*"
	}
	return "-"
}

func tellRight(w io.Writer, r explanations.RightAnswer) {
	for _, h := range r.Holdings {
		fmt.Fprintf(w, "  %s %s", mark(h.Open), h.Right)
		if h.Over != "" {
			fmt.Fprintf(w, " over %s", h.Over)
		}
		fmt.Fprintln(w, given(h.From, h.Until, h.Reason, h.GrantedBy))
		tellPath(w, h.Roles)
	}
	if len(r.Carriers) > 0 {
		fmt.Fprintf(w, "    roles that carry it: %s\n", strings.Join(r.Carriers, ", "))
	}
}

func tellPath(w io.Writer, hops []explanations.Hop) {
	for i, h := range hops {
		closed := ""
		if !h.Open {
			closed = " (not now)"
		}
		fmt.Fprintf(w, "    %s%s role %s: %s%s%s\n", strings.Repeat("  ", i), mark(h.Open), h.Name, h.How, given(h.From, h.Until, h.Reason, h.GrantedBy), closed)
	}
}

// given tells of a window, a reason and who gave something.
func given(from, until *time.Time, reason, by string) string {
	var out string
	if from != nil {
		out += " from " + from.Format(time.RFC3339)
	}
	if until != nil {
		out += " until " + until.Format(time.RFC3339)
	}
	if by != "" {
		out += ", given by " + by
	}
	if reason != "" {
		out += fmt.Sprintf(", because %q", reason)
	}
	return out
}

func tellSignIn(w io.Writer, s explanations.SignInAnswer) {
	fmt.Fprintf(w, "    %s\n", s.Why)
	for _, t := range s.Rules {
		fmt.Fprintf(w, "  %s rule %d, profile %s\n", mark(t.Fits), t.Rule, t.ProfileID)
		for _, c := range t.Conditions {
			fmt.Fprintf(w, "      %s %s %s %s: %s\n", mark(c.Holds), c.Prop, c.Op, c.Val, c.Why)
		}
	}
	tellPath(w, s.RolePath)
}

func tellRule(w io.Writer, o *explanations.OperationAnswer) {
	for _, p := range o.Parts {
		fmt.Fprintf(w, "  %s %s: %s\n", mark(p.Passes), p.Rule, p.Why)
	}
}
