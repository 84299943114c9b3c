package login

import (
	"context"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/consent"
	"limen/internal/core/factor"
	"limen/internal/crypt"
	"limen/internal/fault"
)

// Agree is the answer by which somebody agrees to terms. Every other one ends the conversation.
const Agree = "agree"

const agreeFirst = "There are terms to agree to first. Sign in on the page of this server and agree there."

// ErrTerms is for those who showed all that is asked for and must agree to terms first, where these cannot be shown.
var ErrTerms = fault.New(fault.Denied, "login.terms", agreeFirst)

// terms are what the person must agree to yet. That nothing is due is looked up once in a turn.
func (t *turn) terms(ctx context.Context) (terms factor.Terms, due bool, err error) {
	if t.Consents == nil || t.agreed {
		return factor.Terms{}, false, nil
	}
	terms, due, err = t.Consents.Due(ctx, t.c, t.person, t.s.Waived)
	t.agreed = err == nil && !due
	return terms, due, err
}

// asked adds to a conversation that the person agrees to terms, where they must; false: they need not. Clients that can take the answer to a factor
// only are refused: what cannot show the terms must not ask for an answer to them.
func (t *turn) asked(ctx context.Context) (Result, bool, error) {
	terms, due, err := t.terms(ctx)
	if err != nil || !due {
		return Result{}, false, err
	}
	if t.s.Vault != nil {
		out, err := t.refuse(ctx, ErrMore.Say("%s", agreeFirst))
		return out, true, err
	}
	id, _ := crypt.NewToken(t.c.Rand)
	where := "/ConsentManagement/GetConsentDocument"
	if terms.URL != "" {
		where = terms.URL
	}
	prompt := factor.Prompt{
		AnswerType: factor.Text, Chosen: "Read the terms, version " + terms.Version + ", at " + where + ". Answer agree to agree to them.", Select: "Terms", Hint: terms.Version,
	}
	t.s.Challenges = append(t.s.Challenges, []factor.Challenge{{ID: id, Name: factor.Consent, Prompt: prompt, Terms: &terms}})
	return Result{Summary: NewPackage, Package: t.pack()}, true, nil
}

// agrees takes the answer to terms.
func (t *turn) agrees(ctx context.Context, ch *factor.Challenge, answer string) (Result, error) {
	if t.person.ID == "" || t.person.Barred(t.c.Now) {
		return t.fail(ctx, whyBarred)
	}
	if ch.Terms == nil || !strings.EqualFold(strings.TrimSpace(answer), Agree) {
		return t.fail(ctx, whyConsent)
	}
	terms, due, err := t.terms(ctx)
	if err != nil {
		return Result{}, err
	}
	if due && terms.Version == ch.Terms.Version { // else other terms count meanwhile, which are asked for now
		if err := t.Consents.Give(ctx, t.c, t.person, consent.SignIn, *ch.Terms); err != nil {
			return Result{}, err
		}
	}
	ch.Passed = true
	t.s.At++
	return t.finish(ctx)
}

// unagreed refuses a sign-in that would end although there are terms to agree to; false: there are none.
func (t *turn) unagreed(ctx context.Context) (Result, bool, error) {
	_, due, err := t.terms(ctx)
	if err != nil || !due {
		return Result{}, false, err
	}
	out, err := t.fail(ctx, whyConsent)
	out.Message = agreeFirst
	return out, true, err
}

// waived asks the script of the terms about somebody whose answer is right: the version to which they need not agree; empty: they must.
func (l *Logins) waived(ctx context.Context, c *call.Call, userID string, checks ...check) (string, error) {
	if l.Consents == nil || userID == "" || !slices.ContainsFunc(checks, func(k check) bool { return k.verdict.Right }) {
		return "", nil
	}
	return l.Consents.Waived(ctx, c, userID)
}
