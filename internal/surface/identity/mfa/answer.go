package mfa

import (
	"context"
	"strings"

	"limen/internal/core/factor/question"
	"limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
)

// Kinds of questions that people have answered.
const (
	ofUser  = "User"
	ofAdmin = "Admin"
)

// QuestionsOf asks for somebody's security questions.
type QuestionsOf struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid,UserUuid"`
	// AddAdminQuestions adds the questions that administrators offer.
	AddAdminQuestions bool `json:"addAdminQuestions"`
	person
}

// Resolve finds the user.
func (q *QuestionsOf) Resolve(ctx context.Context, c *op.Call) error { return q.find(ctx, c, q.ID) }

// Asked is a question that somebody has answered.
type Asked struct {
	// Uuid is the id of the answer, and of the question on offer for one that administrators wrote: what
	// UpdateSecurityQuestions takes.
	Uuid string `json:"Uuid"`
	// QuestionText is the question.
	QuestionText string `json:"QuestionText"`
	// Type is Admin for a question that administrators offer, User for an own one.
	Type string `json:"Type"`
}

// OnOffer is a question that may be answered.
type OnOffer struct {
	// Uuid is its id.
	Uuid string `json:"Uuid"`
	// QuestionText is the question.
	QuestionText string `json:"QuestionText"`
}

// SecurityQuestions are somebody's questions, and the tenant's limits.
type SecurityQuestions struct {
	// AnswerMinLength is the least number of characters of an answer.
	AnswerMinLength int `json:"AnswerMinLength"`
	// MaxQuestions is how many questions somebody may answer.
	MaxQuestions int `json:"MaxQuestions"`
	// MinAdminQuestions is how many of the offered questions must be answered.
	MinAdminQuestions int `json:"MinAdminQuestions"`
	// MinUserQuestions is how many own questions must be answered.
	MinUserQuestions int `json:"MinUserQuestions"`
	// Questions are those that are answered.
	Questions []Asked `json:"Questions"`
	// AdminQuestions are those on offer; absent unless they were asked for.
	AdminQuestions []OnOffer `json:"AdminQuestions,omitzero"`
}

// GetSecurityQuestions lists the questions that somebody has answered, with the tenant's limits. Answers are never shown.
// mfa.yaml n 45.
func (m MFA) GetSecurityQuestions(ctx context.Context, c *op.Call, in QuestionsOf) (SecurityQuestions, error) {
	l, err := m.Questions.LimitsOf(ctx, c)
	if err != nil {
		return SecurityQuestions{}, err
	}
	out := SecurityQuestions{
		AnswerMinLength: l.AnswerLength, MaxQuestions: l.Most, MinAdminQuestions: l.LeastAdmin, MinUserQuestions: l.LeastOwn, Questions: []Asked{},
	}
	all, err := m.Questions.Of(ctx, c, in.found.ID)
	for _, a := range all {
		q := Asked{Uuid: a.ID, QuestionText: a.Text, Type: ofUser}
		if a.Question != "" {
			q.Uuid, q.Type = a.Question, ofAdmin
		}
		out.Questions = append(out.Questions, q)
	}
	if err != nil || !in.AddAdminQuestions {
		return out, err
	}
	offered, err := m.Questions.Offered(ctx, c)
	out.AdminQuestions = make([]OnOffer, len(offered))
	for i, q := range offered {
		out.AdminQuestions[i] = OnOffer{q.ID, q.Text}
	}
	return out, err
}

// AddedAnswer is a question that somebody answers.
type AddedAnswer struct {
	// QuestionText is an own question.
	QuestionText string `json:"QuestionText"`
	// Answer is required. Case and outer blanks do not matter; only a salted hash of it is kept.
	Answer string `json:"Answer"`
	// Type is User for an own question, Admin for one on offer. Absent: Admin when there is no QuestionText.
	Type string `json:"Type"`
	// Uuid is the id of the question on offer, or of the own question that is replaced; absent: a new own question.
	Uuid string `json:"Uuid"`
}

func (a AddedAnswer) added() (question.Added, error) {
	kind := strings.TrimSpace(a.Type)
	if kind == "" && strings.TrimSpace(a.QuestionText) == "" {
		kind = ofAdmin
	}
	out := question.Added{Text: a.QuestionText, Answer: a.Answer}
	switch id := strings.TrimSpace(a.Uuid); {
	case strings.EqualFold(kind, ofAdmin) && id == "":
		return out, fault.Missing("Uuid")
	case strings.EqualFold(kind, ofAdmin):
		out.Admin = id
	case kind == "" || strings.EqualFold(kind, ofUser):
		out.Old = strings.TrimPrefix(id, "u_") // as the sign-in calls it
	default:
		return out, fault.Bad("Type", "must be User or Admin")
	}
	return out, nil
}

// AnswerChange is what becomes of somebody's security questions.
type AnswerChange struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid"`
	// Replace makes Added the whole set.
	Replace bool `json:"Replace"`
	// Added are questions with their answers.
	Added []AddedAnswer `json:"Added" rpc:"one"`
	// Deleted are the ids of questions that are removed, as GetSecurityQuestions shows them; at most 100.
	Deleted []string `json:"Deleted" rpc:"one"`
	person
}

// Check wants something to be done.
func (a *AnswerChange) Check() error {
	if len(a.Added) == 0 && len(a.Deleted) == 0 && !a.Replace {
		return fault.Missing("Added")
	}
	_, err := a.change()
	return err
}

// Resolve finds the user.
func (a *AnswerChange) Resolve(ctx context.Context, c *op.Call) error { return a.find(ctx, c, a.ID) }

func (a *AnswerChange) change() (question.Change, error) {
	out := question.Change{Replace: a.Replace, Deleted: a.Deleted}
	for _, one := range a.Added {
		n, err := one.added()
		if err != nil {
			return out, err
		}
		out.Added = append(out.Added, n)
	}
	return out, nil
}

func (m MFA) hashAnswers(ctx context.Context, c *op.Call, in AnswerChange) (question.Hashed, error) {
	ch, err := in.change()
	if err != nil {
		return question.Hashed{}, err
	}
	return m.Questions.Prepare(ctx, c, ch)
}

// UpdateSecurityQuestions adds, replaces or deletes security questions and answers of somebody: all that is asked for, or
// nothing.
//
// What is left must be within the tenant's limits, unless nothing is left. mfa.yaml n 47.
func (m MFA) UpdateSecurityQuestions(ctx context.Context, c *op.Call, in AnswerChange, h question.Hashed) (op.None, error) {
	about(c, in.found)
	if err := m.vary(ctx, c, in.found.ID, login.OwnQuestions); err != nil {
		return op.None{}, err
	}
	c.Event.Set("Added", len(in.Added))
	c.Event.Set("Deleted", len(in.Deleted))
	c.Event.Set("Replaced", in.Replace)
	return op.None{}, m.Keep(ctx, c, in.found.ID, func() error { return m.Questions.Update(ctx, c, in.found.ID, h) })
}

// QuestionsReset names whose security questions are cleared.
type QuestionsReset struct {
	// ID is the user's UUID or login name, required.
	ID string `json:"ID" also:"Uuid"`
	person
}

// Check wants the user to be named.
func (r *QuestionsReset) Check() error { return required("ID", r.ID) }

// Resolve finds the user.
func (r *QuestionsReset) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.ID) }

// ResetSecurityQuestions clears somebody's security questions, who is not asked for them until they are answered anew.
// mfa.yaml n 46.
func (m MFA) ResetSecurityQuestions(ctx context.Context, c *op.Call, in QuestionsReset) (op.None, error) {
	about(c, in.found)
	c.Event.Set("Factor", "SQ")
	if err := m.vary(ctx, c, in.found.ID, login.OwnQuestions); err != nil {
		return op.None{}, err
	}
	return op.None{}, m.Keep(ctx, c, in.found.ID, func() error { return m.Questions.Drop(ctx, c, in.found.ID) })
}
