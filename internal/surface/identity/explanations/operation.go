package explanations

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/login"
	"limen/internal/core/role"
	"limen/internal/fault"
	"limen/internal/op"
)

// Part is a part of a rule and what becomes of it.
type Part struct {
	// Rule is the part.
	Rule string `json:"Rule"`
	// Passes says whether it lets the user.
	Passes bool `json:"Passes"`
	// Why is what was found.
	Why string `json:"Why"`
}

// OperationAnswer is whether somebody may call an operation.
type OperationAnswer struct {
	// Path is the operation's.
	Path string `json:"Path"`
	// Name is the operation's.
	Name string `json:"Name"`
	// Rule says who may call it.
	Rule string `json:"Rule"`
	// Passes says whether the rule lets the user; what the operation checks then, such as that nobody changes whom they may not
	// manage, is told by a recorded refusal.
	Passes bool `json:"Passes"`
	// Parts are those of the rule; one that passes is enough.
	Parts []Part `json:"Parts"`
	// Stay is the time that the object spends in an organization, or will: administrators of organizations reach it while it is
	// in theirs. Null when there is none.
	Stay *Stay `json:"Stay"`

	all bool // it passes about everything
}

func (a asked) operation(ctx context.Context) error {
	out, err := a.rule(ctx, a.q.Operation, a.q.object)
	if err != nil {
		return err
	}
	if out == nil {
		return ErrOperation.At("Operation")
	}
	if out.Stay, err = a.objects(ctx, a.q.object); err != nil {
		return err
	}
	a.out.Operation, a.out.Summary = out, strings.TrimSpace(out.summary(a.q.found.Name)+" "+out.Stay.Tell(a.q.called))
	return nil
}

// rule evaluates the rule of an operation for the person; nothing when there is no such operation.
func (a asked) rule(ctx context.Context, path string, about op.Target) (*OperationAnswer, error) {
	o, ok := a.Find(trim(path))
	if !ok {
		return nil, nil
	}
	as, err := a.as(ctx)
	if err != nil {
		return nil, err
	}
	g := o.Allow.Decide(as, about)
	out := OperationAnswer{Path: o.Path, Name: o.Name, Rule: o.Allow.String(), Passes: !g.Nothing(), all: g.Everything()}
	for _, t := range o.Allow.Tell(as, about) {
		out.Parts = append(out.Parts, Part(t))
	}
	return &out, nil
}

// as is a call of the person, for rules, which are pure.
func (a asked) as(ctx context.Context) (*op.Call, error) {
	if a.q.found.ID == "" {
		return &op.Call{}, nil
	}
	m, err := a.Roles.Of(ctx, a.c, a.q.found.ID)
	if errors.Is(err, role.ErrMember) {
		return &op.Call{}, nil
	}
	u := a.q.found
	return &op.Call{Tenant: a.c.Tenant, Now: a.c.Now, Caller: &call.Caller{User: u.ID, Name: u.Name, Org: u.Org, Roles: m.Roles, Held: m.Held}}, err
}

func (o *OperationAnswer) summary(name string) string {
	if o.Passes {
		for _, p := range o.Parts {
			if p.Passes {
				return fmt.Sprintf("%s may call %s: %s. %s", name, o.Path, p.Rule, p.Why)
			}
		}
	}
	return fmt.Sprintf("%s may not call %s, which takes: %s.", name, o.Path, o.Rule)
}

// RequestAnswer is what became of a request.
type RequestAnswer struct {
	// Event is the id of the event.
	Event string `json:"Event"`
	// Type is its type.
	Type string `json:"Type"`
	// At is when.
	At time.Time `json:"At"`
	// Outcome is success, refused, denied, failed or started.
	Outcome string `json:"Outcome"`
	// Code is the code of the fault; empty when it succeeded.
	Code string `json:"Code"`
	// Sentence is what the code says.
	Sentence string `json:"Sentence"`
	// FailReason is why a sign-in failed, which the client was not told.
	FailReason string `json:"FailReason"`
	// Object is the name of what the request was about.
	Object string `json:"Object"`
	// Count is how many such requests the event stands for.
	Count int64 `json:"Count"`
	// Operation is whether its rule lets the user now, about nothing that exists where the event does not say; null when the
	// event does not name an operation.
	Operation *OperationAnswer `json:"Operation"`
	// Seen is what the decision about the sign-in saw and said then; null when it is no sign-in.
	Seen *login.Basis `json:"Seen"`
	// RiskReasons say what made up the level of risk that Seen has, with semicolons between; empty: nothing.
	RiskReasons string `json:"RiskReasons"`
	// RiskMissing are the names of reasons that could not be looked for, with commas between.
	RiskMissing string `json:"RiskMissing"`
}

func (a asked) request(ctx context.Context) error {
	e := a.q.event
	out := RequestAnswer{Event: e.ID, Type: e.Type, At: *date(e.At), Outcome: e.Outcome, Code: e.Reason, Object: e.Name, Count: e.Count}
	var f struct {
		Operation, FailReason, RiskReasons, RiskMissing string
		SignIn                                          *login.Basis
	}
	if err := json.Unmarshal([]byte(e.Fields), &f); err != nil {
		return err
	}
	var err error
	if out.Operation, err = a.rule(ctx, f.Operation, op.Target{ID: e.Target}); err != nil {
		return err
	}
	out.Sentence = a.sentence(f.Operation, e)
	if a.full {
		out.FailReason, out.Seen, out.RiskReasons, out.RiskMissing = f.FailReason, f.SignIn, f.RiskReasons, f.RiskMissing
	}
	a.out.Request, a.out.Summary = &out, out.summary(a.out.Name)
	return nil
}

// sentence finds what a fault's code says, among those that the operation declares and the kernel's own.
func (a asked) sentence(path string, e audit.Row) string {
	o, _ := a.Find(path)
	for _, f := range append([]*fault.Error{op.ErrDenied, op.ErrSignIn, op.ErrTenant, op.ErrForged, op.ErrConflict, login.ErrFailed}, o.Faults...) {
		if f.Code == e.Reason {
			return f.Public
		}
	}
	return ""
}

func (r *RequestAnswer) summary(name string) string {
	if name == "" {
		name = "Somebody unknown"
	}
	said := r.Sentence
	if r.FailReason != "" {
		said = strings.ToUpper(r.FailReason[:1]) + r.FailReason[1:] + "."
	}
	switch {
	case r.Code == "" && r.Outcome == "success":
		return fmt.Sprintf("The request of %s succeeded.", name)
	case r.Code != op.ErrDenied.Code || r.Operation == nil:
		return fmt.Sprintf("%s was refused (%s). %s", name, r.Code, said)
	case r.Operation.all:
		return fmt.Sprintf("%s was refused: the call takes %s. That was not so then, and is now.", name, r.Operation.Rule)
	case r.Operation.Passes:
		return fmt.Sprintf("%s was refused: the call takes %s, which they hold for some things only.", name, r.Operation.Rule)
	}
	return fmt.Sprintf("%s was refused, and would be now: the call takes %s.", name, r.Operation.Rule)
}
