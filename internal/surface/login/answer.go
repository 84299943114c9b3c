package login

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"limen/internal/core/factor"
	"limen/internal/core/factor/duo"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/invite"
	core "limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/target"
	"limen/web/login"
)

// AnswerForm is a step that was filled in.
type AnswerForm struct {
	// CloudRedirect is where to go on afterwards: a path of this server.
	CloudRedirect string `json:"cloudRedirect"`
	// Mechanism is the id of the mechanism that is answered, started or chosen.
	Mechanism string `json:"mechanism"`
	// Do is empty to answer, send or resend to have a code sent or a key's challenge drawn, choose to go on with the mechanism, or forgot to replace a forgotten
	// password.
	Do string `json:"do"`
	// Answer is the password, the code, the new password, or what a key signed (PublicKeyCredential.toJSON).
	Answer string `json:"answer"`
	// Again is the new password once more.
	Again string `json:"again"`
	// Part is the answer to each security question, in the order in which they are asked.
	Part []string `json:"part"`
	// Persist is 1 to stay signed in, where that is allowed.
	Persist string `json:"persist"`

	talk
}

// move is what a form wants of the conversation, and what the slow half of it found out.
type move struct {
	stage core.Stage
	at    int          // of the mechanism among those that are due; -1: it is none of them
	wrong *fault.Error // why nothing is done
	ask   core.Request
	done  core.Prepared
}

func (s SignIn) check(ctx context.Context, c *op.Call, in AnswerForm) (m move, err error) {
	err = c.Snapshot(ctx, func() (err error) {
		m.stage, err = s.Logins.Look(ctx, c, in.id)
		return err
	})
	switch {
	case errors.Is(err, core.ErrFailed):
		m.wrong = ErrGone
		return m, nil
	case err != nil || m.stage.End != nil:
		return m, err
	}
	if m.at = find(m.stage.Due(), in.Mechanism); m.at < 0 {
		return m, nil
	}
	ch := m.stage.Due()[m.at]
	var act bool
	if m.ask, act, m.wrong = in.request(m.stage, ch); !act {
		return m, nil
	}
	m.done, err = s.Logins.Prepare(ctx, c, m.ask)
	if errors.Is(err, duo.ErrUnreachable) {
		m.ask, m.wrong, err = core.Request{}, duo.ErrUnreachable, nil
	}
	return m, err
}

// request is what is asked of the conversation; act is false where there is nothing to do but to show a page.
func (in AnswerForm) request(st core.Stage, ch factor.Challenge) (r core.Request, act bool, wrong *fault.Error) {
	a := core.Action{Do: core.DoAnswer, Mechanism: ch.ID, Answer: factor.Answer{Text: in.Answer}}
	switch {
	case in.Do == "forgot" && st.Package.AllowForgot:
		a = core.Action{Do: core.DoForgot}
	case in.Do == "resend" && sends(ch):
		a = core.Action{Do: core.DoRetry, Mechanism: ch.ID}
	case in.Do == "send" && starts(ch), in.Do == "choose" && starts(ch) && (ch.Sent == 0 || passkey.Is(ch.Name)):
		a = core.Action{Do: core.DoStart, Mechanism: ch.ID}
	case in.Do != "":
		return r, false, nil
	case len(ch.Prompt.Parts) > 0:
		if len(in.Part) != len(ch.Prompt.Parts) {
			return r, false, ErrEmpty
		}
		a.Answer.Parts = map[string]string{}
		for i, p := range ch.Prompt.Parts {
			a.Answer.Parts[p.ID] = in.Part[i]
		}
	case ch.Name == factor.Question && len(in.Part) == 1:
		a.Answer.Text = in.Part[0]
	case in.Answer == "":
		return r, false, ErrEmpty
	case ch.Name == factor.Reset && in.Again != in.Answer:
		return r, false, invite.ErrDiffer
	}
	return core.Request{Session: st.Package.Session, Actions: []core.Action{a}, Persist: in.Persist != "" && st.Package.AllowPersist}, true, nil
}

// Answer does what a form wants: answers the mechanism that is due, has a code sent, chooses a mechanism, or begins to replace a
// forgotten password; then leads on to the next step, or signs the browser in. A wrong answer begins anew with the same name, as if
// it had been typed again, and says only that it was wrong. A form of a step that is over changes nothing.
func (s SignIn) Answer(ctx context.Context, c *op.Call, in AnswerForm, m move) (any, error) {
	to := target.Local(in.CloudRedirect)
	if len(m.ask.Actions) == 0 {
		c.Event.Type = "" // nothing happened
		return s.still(ctx, c, in, m, to)
	}
	r, err := s.Logins.Advance(ctx, c, m.ask, m.done)
	switch {
	case errors.Is(err, core.ErrFailed):
		return s.anew(ctx, c, m, to)
	case err != nil:
		return nil, err
	case r.Success != nil || r.Summary == core.Noncommittal:
		return s.ended(c, r, to, in.Do == "forgot")
	case r.Rule != "":
		f := fault.New(fault.Invalid, r.Rule, r.Message)
		return shown{view: complain(c, m.stage, to, in.Mechanism, f), status: statuses[f.Kind]}, nil
	case r.Started != nil && r.Started.Away != nil:
		return shown{view: login.Onward{Name: "Duo", To: r.Started.Away.URL}, cookies: []*http.Cookie{goalCookie(c, to)}}, nil
	case r.Summary == core.Pending:
		return next(to, strconv.Itoa(m.at)), nil
	}
	return next(to, ""), nil
}

// still shows where the conversation stands.
func (s SignIn) still(ctx context.Context, c *op.Call, in AnswerForm, m move, to string) (any, error) {
	switch {
	case m.wrong == ErrGone: //nolint:errorlint // the very one
		view, err := s.named(ctx, c, login.Name{To: to, Code: ErrGone.Code})
		if err != nil {
			return nil, err
		}
		return shown{view: view}, op.Refused(ErrGone)
	case m.wrong != nil:
		return shown{view: complain(c, m.stage, to, in.Mechanism, m.wrong)}, op.Refused(m.wrong)
	case m.at >= 0 && in.Do == "choose":
		return next(to, strconv.Itoa(m.at)), nil
	}
	return next(to, ""), nil
}

// anew begins again for the same name after a failure.
func (s SignIn) anew(ctx context.Context, c *op.Call, m move, to string) (any, error) {
	pack, device, err := s.again(ctx, c, m.stage)
	if errors.Is(err, session.ErrUnknown) {
		view, err := s.named(ctx, c, login.Name{To: to, Code: ErrGone.Code})
		if err != nil {
			return nil, err
		}
		return shown{view: view, cookies: []*http.Cookie{talkCookie(c, "")}}, op.Refused(ErrGone)
	}
	if err != nil {
		return nil, err
	}
	return shown{
		view:    complain(c, core.Opening(m.stage.Login, pack), to, "", core.ErrFailed),
		cookies: append(s.Device(c, device), talkCookie(c, pack.Session)),
	}, op.Refused(core.ErrFailed)
}

// again opens a conversation like the one that failed.
func (s SignIn) again(ctx context.Context, c *op.Call, st core.Stage) (core.Package, string, error) {
	switch {
	case st.Nameless: // nobody's name could be begun with
		return core.Package{}, "", session.ErrUnknown
	case !st.Raise:
		return s.Logins.Start(ctx, c, core.Begin{Login: st.Login})
	case !signedIn(c):
		return core.Package{}, "", session.ErrUnknown
	}
	if st.Want == nil {
		return s.Logins.Raise(ctx, c)
	}
	return s.Logins.Again(ctx, c, *st.Want)
}
