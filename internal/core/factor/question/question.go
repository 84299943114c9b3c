// Package question is the mechanism SQ: security questions, those that administrators offer and people's own. Answers
// are kept as salted hashes and compared without regard to case and blanks (mfa.yaml n 41 to 47).
package question

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Faults of questions.
var (
	ErrNotFound = fault.New(fault.NotFound, "question.not_found", "The requested data or its dependent data was not found in the service.")
	ErrExists   = fault.New(fault.Exists, "question.exists", "This question exists already.")
	ErrShort    = fault.New(fault.Invalid, "question.short", "The answer is too short.")
	ErrSame     = fault.New(fault.Invalid, "question.same", "The same question is answered twice.")
	ErrTooMany  = fault.New(fault.Invalid, "question.too_many", "There are too many security questions.")
	ErrTooFew   = fault.New(fault.Invalid, "question.too_few", "There are too few security questions.")
	ErrAnswer   = fault.New(fault.Invalid, "question.answer", "The answer must not be part of its question.")
)

// Question is one that administrators offer.
type Question struct {
	ID      string `db:"id"`      // UUID
	Culture string `db:"culture"` // "all", or a culture as "en"
	Text    string `db:"text"`
}

// Answered is a question that a person has answered.
type Answered struct {
	ID       string `db:"id"`       // UUID
	Question string `db:"question"` // id of the administrators' question; empty: the person's own
	Text     string `db:"text"`
	Hash     string `db:"hash"`
}

// Limits are the numbers of a tenant.
type Limits struct {
	AnswerLength int // least number of characters; 3 when 0
	Most         int // questions of a person; 5 when 0
	LeastAdmin   int // of administrators' questions
	LeastOwn     int // of the person's own
	Ask          int // how many are asked at a sign-in; 1 when 0
}

// Questions are the security questions of the call's tenant.
type Questions struct {
	Hasher *crypt.Hasher
	// Limits gives the tenant's numbers; the defaults when nil.
	Limits func(ctx context.Context, c *call.Call) (Limits, error)
}

const maxOffered = 200

var (
	listRows = dbx.Q[Question]("question.list", `SELECT id, culture, text FROM question WHERE tenant = ? ORDER BY id LIMIT 1000`)
	findRow  = dbx.Q[Question]("question.find", `SELECT id, culture, text FROM question WHERE tenant = ? AND id = ?`)
	setRow   = dbx.E("question.set", `INSERT INTO question (tenant, id, culture, text) VALUES (?, ?, ?, ?)
		ON CONFLICT (tenant, id) DO UPDATE SET culture = excluded.culture, text = excluded.text`)
	deleteRow  = dbx.E("question.delete", `DELETE FROM question WHERE tenant = ? AND id = ?`)
	forgetRow  = dbx.E("question.forget", `DELETE FROM user_answer WHERE tenant = ? AND question = ?`)
	ofUser     = dbx.Q[Answered]("question.of_user", `SELECT id, question, text, hash FROM user_answer WHERE tenant = ? AND user_id = ? ORDER BY created, id LIMIT 100`)
	insertRow  = dbx.E("question.insert", `INSERT INTO user_answer (tenant, user_id, id, question, text, hash, created) VALUES (?, ?, ?, ?, ?, ?, ?)`)
	removeRow  = dbx.E("question.remove", `DELETE FROM user_answer WHERE tenant = ? AND user_id = ? AND id = ?`)
	dropRows   = dbx.E("question.drop", `DELETE FROM user_answer WHERE tenant = ? AND user_id = ?`)
	renameRows = dbx.E("question.rename", `UPDATE user_answer SET text = ? WHERE tenant = ? AND question = ?`)
)

// LimitsOf gives the tenant's numbers.
func (q Questions) LimitsOf(ctx context.Context, c *call.Call) (l Limits, err error) {
	if q.Limits != nil {
		if l, err = q.Limits(ctx, c); err != nil {
			return l, err
		}
	}
	for _, f := range []struct {
		at  *int
		def int
	}{{&l.AnswerLength, 3}, {&l.Most, 5}, {&l.Ask, 1}} {
		if *f.at <= 0 {
			*f.at = f.def
		}
	}
	return l, nil
}

// Offered lists the administrators' questions.
func (q Questions) Offered(ctx context.Context, c *call.Call) ([]Question, error) {
	return listRows.All(ctx, c.Tx, c.Tenant.ID)
}

// Find gives one of them; ErrNotFound when there is none.
func (q Questions) Find(ctx context.Context, c *call.Call, id string) (Question, error) {
	found, err := findRow.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return Question{}, ErrNotFound
	}
	return found, err
}

// Set adds a question (without ID) or changes one, and gives it back. ErrExists when the same text is offered already.
func (q Questions) Set(ctx context.Context, c *call.Call, n Question) (Question, error) {
	n.Text, n.Culture = strings.TrimSpace(n.Text), strings.TrimSpace(n.Culture)
	if n.Text == "" {
		return Question{}, fault.Blank("Question")
	}
	if len(n.Text) > 500 || len(n.Culture) > 35 || !utf8.ValidString(n.Text) {
		return Question{}, fault.Bad("Question", "is too long")
	}
	all, err := q.Offered(ctx, c)
	if err != nil {
		return Question{}, err
	}
	for _, old := range all {
		if old.ID != n.ID && fold.Key(old.Text) == fold.Key(n.Text) && old.Culture == n.Culture {
			return Question{}, ErrExists
		}
	}
	switch {
	case n.ID == "" && len(all) >= maxOffered:
		return Question{}, ErrTooMany
	case n.ID == "":
		n.ID = c.NewID()
	case !slices.ContainsFunc(all, func(old Question) bool { return old.ID == n.ID }):
		return Question{}, ErrNotFound
	}
	if _, err := setRow.Do(ctx, c.Tx, c.Tenant.ID, n.ID, n.Culture, n.Text); err != nil {
		return Question{}, err
	}
	_, err = renameRows.Do(ctx, c.Tx, n.Text, c.Tenant.ID, n.ID)
	return n, err
}

// Delete takes a question off the offer, with the answers that people gave to it.
func (q Questions) Delete(ctx context.Context, c *call.Call, id string) error {
	n, err := deleteRow.Do(ctx, c.Tx, c.Tenant.ID, id)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	if err != nil {
		return err
	}
	_, err = forgetRow.Do(ctx, c.Tx, c.Tenant.ID, id)
	return err
}

// Of lists the questions that a person has answered.
func (q Questions) Of(ctx context.Context, c *call.Call, userID string) ([]Answered, error) {
	return ofUser.All(ctx, c.Tx, c.Tenant.ID, userID)
}

// Drop forgets a person's questions and answers.
func (q Questions) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := dropRows.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}

// plain is the form in which answers are compared.
func plain(answer string) string { return fold.Key(strings.Join(strings.Fields(answer), " ")) }
