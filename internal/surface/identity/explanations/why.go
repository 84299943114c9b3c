package explanations

import (
	"context"
	"errors"

	"limen/internal/core/audit"
	"limen/internal/core/right"
	"limen/internal/core/role"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity/policies"
)

// Question asks why. With none of Right, Setting, Operation and Request it is about how the user signs in.
type Question struct {
	// User is the UUID or login name; the caller when absent. Request needs none: it is about whoever made the request.
	User string `json:"User"`
	// Right is an administrative right, by its name or its path.
	Right string `json:"Right"`
	// Setting is the key of a policy setting.
	Setting string `json:"Setting" also:"Key"`
	// Operation is the path of an operation, as /UserMgmt/ResetUserPassword.
	Operation string `json:"Operation"`
	// Object is the user or role that the call of Operation would be about, by id or name; absent: about nothing that exists.
	Object string `json:"Object"`
	// Request is the id of a request, which answers carry as ErrorID, or the id of an event.
	Request string `json:"Request" also:"Event"`
	// Situation is where, when and with what the user signs in.
	Situation policies.Situation `json:"Situation"`

	found  user.User
	event  audit.Row
	wanted right.Right
	object op.Target
	called string // name of the object
}

// Check wants one question, with words that are known.
func (q *Question) Check() error {
	asked := 0
	for _, s := range []string{q.Right, q.Setting, q.Operation, q.Request} {
		if trim(s) != "" {
			asked++
		}
		if len(s) > 500 {
			return fault.Bad("Right, Setting, Operation or Request", "may have %d bytes", 500)
		}
	}
	if asked > 1 {
		return ErrOne
	}
	if q.wanted = right.Parse(trim(q.Right)); trim(q.Right) != "" && q.wanted == right.None {
		return role.ErrRight.At("Right")
	}
	return q.Situation.Check()
}

// Resolve finds the user, the event and the object.
func (q *Question) Resolve(ctx context.Context, c *op.Call) (err error) {
	who := trim(q.User)
	if trim(q.Request) != "" {
		if q.event, err = audit.Find(ctx, c, q.Request); err != nil {
			return err
		}
		who = q.event.About()
	} else if who == "" {
		who = c.User()
	}
	q.found, err = user.Find(ctx, c, who)
	if errors.Is(err, user.ErrNotFound) && q.event.ID != "" { // somebody who is gone, or a name that does not exist
		q.found, err = user.User{Name: q.event.Login}, nil
	}
	if err != nil || trim(q.Object) == "" {
		return err
	}
	return q.about(ctx, c)
}

// about finds the object of an operation.
func (q *Question) about(ctx context.Context, c *op.Call) error {
	u, err := user.Find(ctx, c, trim(q.Object))
	if err == nil {
		q.object, q.called = op.Target{ID: u.ID, Org: u.Org}, u.Name
	}
	if !errors.Is(err, user.ErrNotFound) {
		return err
	}
	r, err := role.Find(ctx, c, trim(q.Object))
	if errors.Is(err, role.ErrNotFound) {
		return user.ErrNotFound.At("Object")
	}
	q.object = op.Target{ID: r.ID, Org: r.Org}
	return err
}

// Target is whom the answer is about; of an event about nobody the event itself, which only who sees the whole tenant may.
func (q *Question) Target() op.Target {
	if q.found.ID == "" && q.event.ID != "" {
		return op.Target{ID: q.event.ID}
	}
	return op.Target{ID: q.found.ID, Org: q.found.Org}
}

// Answer says why. Of Right, SignIn, Setting, Operation and Request the one that was asked for is there; the others are null.
type Answer struct {
	// User is the UUID of whom the answer is about; empty when nobody is known.
	User string `json:"User"`
	// Name is the login name.
	Name string `json:"Name"`
	// Summary is the answer in a sentence or two.
	Summary string `json:"Summary"`
	// Full says whether everything is told. About oneself, those without rights are not told conditions of rules, policy sets,
	// and who gave something and why.
	Full bool `json:"Full"`
	// Right is why the user holds a right, or does not.
	Right *RightAnswer `json:"Right"`
	// SignIn is how the user signs in.
	SignIn *SignInAnswer `json:"SignIn"`
	// Setting is where a policy setting comes from.
	Setting *SettingAnswer `json:"Setting"`
	// Operation is whether the user may call an operation.
	Operation *OperationAnswer `json:"Operation"`
	// Request is what became of a request.
	Request *RequestAnswer `json:"Request"`
	// Stay is the time that the user spends in an organization, or will: what is theirs by an organization changes when it begins and
	// ends. Null when there is none.
	Stay *Stay `json:"Stay"`
}

// asked is a question on its way to its answer.
type asked struct {
	Explanations
	c    *op.Call
	q    Question
	full bool
	out  *Answer
}

// Why says why a user holds a right or does not, signs in as they do, has a setting, may call an operation or not, or was
// refused. It asks the code that decides, at this moment.
//
// System administrators, and holders of User Management or of Read Only System Administration, ask about everybody;
// administrators of organizations about the people there; everybody about oneself, with less told: Full is false then, and
// Situation is refused (explain.own), so that nobody looks for the gaps of a policy with somebody's stolen session. A refusal
// is found by the id of its request while its event is kept; refusals to read that follow one another are counted in one event,
// which has the id of the first.
//
// Errors: user.not_found, event.not_found, explain.one, explain.operation, explain.own, role.right. Beyond the contract.
func (e Explanations) Why(ctx context.Context, c *op.Call, in Question) (Answer, error) {
	out := Answer{User: in.found.ID, Name: in.found.Name}
	out.Full = c.Grant.Everything() || in.found.Org != "" && c.Grant.Allows("", in.found.Org)
	a := asked{e, c, in, out.Full, &out}
	var err error
	switch {
	case in.wanted != right.None:
		err = a.right(ctx)
	case trim(in.Setting) != "":
		err = a.setting(ctx)
	case trim(in.Operation) != "":
		err = a.operation(ctx)
	case in.event.ID != "":
		err = a.request(ctx)
	default:
		err = a.signIn(ctx)
	}
	if err == nil {
		out.Stay, err = a.stay(ctx, in.found.ID)
	}
	return out, err
}
