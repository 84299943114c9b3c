package mfa

import (
	"context"
	"strings"

	"golang.org/x/text/language"

	"limen/internal/core/factor/question"
	"limen/internal/fault"
	"limen/internal/op"
)

// QuestionText is a question that administrators offer.
type QuestionText struct {
	// Culture is the language that the question is in, as en; all: any. Required.
	Culture string `json:"Culture"`
	// Question is the text, at most 500 bytes; required.
	Question string `json:"Question"`
	// Id is the UUID of the question that is changed; absent: one is added.
	Id string `json:"Id" also:"Uuid"`
}

// Check wants a text in a language.
func (q *QuestionText) Check() error {
	if err := required("Culture", q.Culture); err != nil {
		return err
	}
	if err := required("Question", q.Question); err != nil {
		return err
	}
	q.Culture = strings.TrimSpace(q.Culture)
	if strings.EqualFold(q.Culture, "all") {
		q.Culture = "all"
		return nil
	}
	if _, err := language.Parse(q.Culture); err != nil {
		return fault.Bad("Culture", "must be all or a language, as en")
	}
	return nil
}

// asked makes the event one about a question on offer.
func asked(c *op.Call, q question.Question) {
	c.Event.Target, c.Event.Kind, c.Event.Name = q.ID, "SecurityQuestion", q.Text
}

// SetAdminSecurityQuestion adds a security question to those that everybody may answer, or changes one, and returns its
// UUID as bare text.
//
// Answers that people gave to a changed question stay. mfa.yaml n 41.
func (m MFA) SetAdminSecurityQuestion(ctx context.Context, c *op.Call, in QuestionText) (string, error) {
	made, err := m.Questions.Set(ctx, c, question.Question{ID: strings.TrimSpace(in.Id), Culture: in.Culture, Text: in.Question})
	asked(c, made)
	return made.ID, err
}

// QuestionRef names a question on offer.
type QuestionRef struct {
	// Id is the question's UUID, required.
	Id string `json:"Id" also:"Uuid"`
}

// Check wants it.
func (q *QuestionRef) Check() error { return required("Id", q.Id) }

// DeleteAdminSecurityQuestion takes a security question off the offer, with the answers that people gave to it.
// mfa.yaml n 42.
func (m MFA) DeleteAdminSecurityQuestion(ctx context.Context, c *op.Call, in QuestionRef) (op.None, error) {
	old, err := m.Questions.Find(ctx, c, strings.TrimSpace(in.Id))
	if err != nil {
		return op.None{}, err
	}
	asked(c, old)
	return op.None{}, m.Questions.Delete(ctx, c, old.ID)
}

// AdminQuestion is a question on offer.
type AdminQuestion struct {
	// Uuid is its id.
	Uuid string `json:"Uuid"`
	// Question is the text.
	Question string `json:"Question"`
	// Culture is the language that it is in, or all.
	Culture string `json:"Culture"`
}

// GetAdminSecurityQuestion reads one security question on offer. mfa.yaml n 43.
func (m MFA) GetAdminSecurityQuestion(ctx context.Context, c *op.Call, in QuestionRef) (AdminQuestion, error) {
	q, err := m.Questions.Find(ctx, c, strings.TrimSpace(in.Id))
	return AdminQuestion{q.ID, q.Text, q.Culture}, err
}

// GetAdminSecurityQuestions lists the security questions on offer as a bare array. mfa.yaml n 44.
func (m MFA) GetAdminSecurityQuestions(ctx context.Context, c *op.Call, _ op.None) ([]AdminQuestion, error) {
	all, err := m.Questions.Offered(ctx, c)
	out := make([]AdminQuestion, len(all))
	for i, q := range all {
		out[i] = AdminQuestion{q.ID, q.Text, q.Culture}
	}
	return out, err
}
