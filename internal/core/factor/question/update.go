package question

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Added is a question that a person answers.
type Added struct {
	Admin  string // id of an administrators' question; empty: an own one
	Old    string // id of the own answer that it replaces; empty: none
	Text   string // of an own question
	Answer string
}

// Change is what becomes of a person's questions.
type Change struct {
	Replace bool // Added becomes all there is
	Added   []Added
	Deleted []string // ids of answers
}

// Hashed are the added answers, hashed, for Update.
type Hashed struct {
	change Change
	hashes []string
}

const maxAnswer = 500 // bytes

// Prepare checks the answers and hashes them, outside transactions.
func (q Questions) Prepare(ctx context.Context, c *call.Call, ch Change) (Hashed, error) {
	var l Limits
	if err := c.Snapshot(ctx, func() (err error) { l, err = q.LimitsOf(ctx, c); return err }); err != nil {
		return Hashed{}, err
	}
	if len(ch.Added) > l.Most || len(ch.Deleted) > 100 {
		return Hashed{}, ErrTooMany
	}
	h := Hashed{change: ch}
	for _, a := range ch.Added {
		answer := plain(a.Answer)
		switch {
		case a.Answer == "":
			return Hashed{}, fault.Blank("Answer")
		case len(a.Answer) > maxAnswer || len(a.Text) > maxAnswer || !utf8.ValidString(a.Answer) || !utf8.ValidString(a.Text):
			return Hashed{}, fault.Bad("Answer", "is too long")
		case utf8.RuneCountInString(answer) < l.AnswerLength:
			return Hashed{}, ErrShort.Say("An answer must have at least %d characters.", l.AnswerLength)
		case a.Admin == "" && strings.TrimSpace(a.Text) == "":
			return Hashed{}, fault.Blank("QuestionText")
		case strings.Contains(fold.Key(a.Text), answer):
			return Hashed{}, ErrAnswer
		}
		hash, err := q.Hasher.Hash(ctx, answer)
		if err != nil {
			return Hashed{}, err
		}
		h.hashes = append(h.hashes, hash)
	}
	return h, nil
}

// Update carries a prepared change out.
func (q Questions) Update(ctx context.Context, c *call.Call, userID string, h Hashed) error {
	l, err := q.LimitsOf(ctx, c)
	if err != nil {
		return err
	}
	left, err := q.without(ctx, c, userID, h.change)
	if err != nil {
		return err
	}
	for i, a := range h.change.Added {
		n, err := q.answered(ctx, c, a)
		if err != nil {
			return err
		}
		n.Hash = h.hashes[i]
		left = append(left, n)
	}
	if err := l.check(left); err != nil {
		return err
	}
	for _, n := range left {
		if n.Hash == "" {
			continue // was there before
		}
		_, err := insertRow.Do(ctx, c.Tx, c.Tenant.ID, userID, n.ID, n.Question, n.Text, n.Hash, c.Now.UnixMilli())
		if err != nil {
			return err
		}
	}
	return nil
}

// without removes what is deleted or replaced, and gives what stays, with its hashes left out.
func (q Questions) without(ctx context.Context, c *call.Call, userID string, ch Change) ([]Answered, error) {
	if ch.Replace {
		return nil, q.Drop(ctx, c, userID)
	}
	all, err := q.Of(ctx, c, userID)
	if err != nil {
		return nil, err
	}
	gone := slices.Clone(ch.Deleted)
	for _, a := range ch.Added {
		for _, old := range all {
			if old.ID == a.Old || a.Admin != "" && old.Question == a.Admin {
				gone = append(gone, old.ID)
			}
		}
	}
	for i, id := range gone {
		gone[i] = strings.TrimPrefix(id, "u_")
	}
	var left []Answered
	for _, old := range all {
		if !slices.Contains(gone, old.ID) && !(old.Question != "" && slices.Contains(gone, old.Question)) {
			old.Hash = ""
			left = append(left, old)
			continue
		}
		if _, err := removeRow.Do(ctx, c.Tx, c.Tenant.ID, userID, old.ID); err != nil {
			return nil, err
		}
	}
	return left, nil
}

func (q Questions) answered(ctx context.Context, c *call.Call, a Added) (Answered, error) {
	if a.Admin == "" {
		return Answered{ID: c.NewID(), Text: strings.TrimSpace(a.Text)}, nil
	}
	offered, err := q.Find(ctx, c, a.Admin)
	return Answered{ID: c.NewID(), Question: offered.ID, Text: offered.Text}, err
}

// enough says whether there are as many questions of each kind as the tenant wants.
func (l Limits) enough(all []Answered) bool {
	admin := 0
	for _, a := range all {
		if a.Question != "" {
			admin++
		}
	}
	return admin >= l.LeastAdmin && len(all)-admin >= l.LeastOwn
}

func (l Limits) check(all []Answered) error {
	seen := map[string]bool{}
	for _, a := range all {
		key := fold.Key(a.Text)
		if seen[key] {
			return ErrSame
		}
		seen[key] = true
	}
	switch {
	case len(all) > l.Most:
		return ErrTooMany.Say("There may be at most %d security questions.", l.Most)
	case len(all) > 0 && !l.enough(all):
		return ErrTooFew.Say("At least %d of the offered and %d own questions are needed.", l.LeastAdmin, l.LeastOwn)
	}
	return nil
}
