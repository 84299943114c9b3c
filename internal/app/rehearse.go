package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"limen/internal/config"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/explanations"
)

// Rehearsal is a change to be simulated from the command line: that of File, or that of Role.
type Rehearsal struct {
	Tenant string
	JSON   bool // print the answer as a program reads it
	File   string
	Days   int
	Limit  int
	Users  []string // chosen people

	Role                          string
	Delete                        bool
	AddUsers, RemoveUsers         []string
	AddRoles, RemoveRoles         []string
	AddRights, RemoveRights       []string
	IP, Time, Agent, Device, Risk string // of the chosen people, as in Inquiry
}

// ErrProposal is a file that cannot be read.
var ErrProposal = fault.New(fault.Invalid, "simulate.file", "The file is no JSON of what /Simulate/Change takes.")

// maxProposal is how large a file may be.
const maxProposal = 4 << 20

func (r Rehearsal) proposal(in io.Reader) (out explanations.Proposal, err error) {
	if r.File != "" {
		from := in
		if r.File != "-" {
			f, err := os.Open(r.File)
			if err != nil {
				return out, ErrProposal.Because(err)
			}
			defer f.Close()
			from = f
		}
		if err := json.NewDecoder(io.LimitReader(from, maxProposal)).Decode(&out); err != nil {
			return out, ErrProposal.Because(err)
		}
	}
	if r.Role != "" {
		out.Roles = []explanations.RoleChange{{
			Role: r.Role, Delete: r.Delete, AddUsers: r.AddUsers, RemoveUsers: r.RemoveUsers, AddRoles: r.AddRoles, RemoveRoles: r.RemoveRoles,
			AddRights: r.AddRights, RemoveRights: r.RemoveRights,
		}}
	}
	q, err := Inquiry{IP: r.IP, Time: r.Time, Agent: r.Agent, Device: r.Device, Risk: r.Risk}.question()
	out.Days, out.Limit, out.Users, out.Situation = op.Some(r.Days), r.Limit, append(out.Users, r.Users...), q.Situation
	return out, err
}

// rehearse is "limen simulate".
func (c *Commands) rehearse(ctx context.Context, s config.Settings, r Rehearsal) error {
	in, err := r.proposal(c.In)
	if err != nil {
		return err
	}
	a, err := quiet(ctx, s)
	if err != nil {
		return err
	}
	defer a.Close()
	out, err := a.ask(ctx, r.Tenant, "/Simulate/Change", &in)
	if err != nil {
		return err
	}
	if r.JSON {
		return printJSON(c.Out, out)
	}
	forecast(c.Out, out.(explanations.Forecast), r.Days)
	return nil
}

// forecast prints a simulation for people.
func forecast(w io.Writer, f explanations.Forecast, days int) {
	fmt.Fprintf(w, "%d sign-ins of the last %d days decided anew: %d would go otherwise, %d would be refused that are not now, %d the other way round.\n",
		f.Replayed, days, f.Otherwise, f.LockedOut, f.Released)
	if f.Unrecorded > 0 {
		fmt.Fprintf(w, "%d were left out: it is not recorded what was decided, or the user is gone.\n", f.Unrecorded)
	}
	fmt.Fprintf(w, "%d users looked at, %d affected.\n", f.Looked, f.AffectedCount)
	if f.Truncated {
		fmt.Fprintln(w, "Not all of it:", f.TruncatedWhy)
	}
	for _, p := range f.Affected {
		fmt.Fprintf(w, "\n%s", p.Name)
		if p.SignIns > 0 {
			fmt.Fprintf(w, ": %d of %d sign-ins otherwise, %d refused", p.Otherwise, p.SignIns, p.LockedOut)
		}
		fmt.Fprintln(w)
		if p.Before != nil {
			fmt.Fprintf(w, "  at %s\n  before  %s\n  after   %s\n", p.At.Format(time.RFC3339), wayOf(*p.Before), wayOf(*p.After))
		}
		listed(w, "gains", rightsOf(p.Gained))
		listed(w, "loses", rightsOf(p.Lost))
		listed(w, "joins", p.Joined)
		listed(w, "leaves", p.Left)
		listed(w, "settings", p.Settings)
	}
	if more := f.AffectedCount - len(f.Affected); more > 0 {
		fmt.Fprintf(w, "\nand %d more\n", more)
	}
}

func listed(w io.Writer, what string, of []string) {
	if len(of) > 0 {
		fmt.Fprintf(w, "  %-10s%s\n", what, strings.Join(of, ", "))
	}
}

func rightsOf(of []explanations.HeldRight) (out []string) {
	for _, r := range of {
		if r.Over != "" {
			r.Name += " over " + r.Over
		}
		out = append(out, r.Name)
	}
	return out
}

// wayOf writes how somebody signs in.
func wayOf(w explanations.Way) string {
	rounds := make([]string, len(w.Challenges))
	for i, r := range w.Challenges {
		rounds[i] = strings.Join(r, " or ")
	}
	out := strings.Join(rounds, ", then ")
	if w.Refused != "" {
		out = "refused: " + w.Refused
	}
	if w.Profile != "" {
		out += ", by the profile " + w.Profile
	}
	switch {
	case w.PolicySet == "":
		return out + ", as the tenant's settings say"
	case w.Rule > 0:
		return fmt.Sprintf("%s, rule %d of %s", out, w.Rule, w.PolicySet)
	}
	return out + ", as " + w.PolicySet + " says"
}
