package question

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// Mechanism asks some of the questions that a person has answered, another choice in each conversation.
type Mechanism struct {
	Questions Questions
	ask       int // 0: as many as Limits say
}

// Asking is the mechanism with another number of questions.
func (m Mechanism) Asking(n int) factor.Mechanism {
	m.ask = n
	return m
}

// Name is SQ.
func (Mechanism) Name() string { return factor.Question }

const (
	chosen = "Answer the security question."
	label  = "Security Question"
)

// Offer asks people who have answered enough questions.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	if p.ID == "" {
		return factor.Prompt{}, false, nil
	}
	l, err := m.Questions.LimitsOf(ctx, c)
	if err != nil {
		return factor.Prompt{}, false, err
	}
	if m.ask > 0 {
		l.Ask = m.ask
	}
	all, err := m.Questions.Of(ctx, c, p.ID)
	if err != nil || len(all) < max(1, l.Ask) || !l.enough(all) {
		return factor.Prompt{}, false, err
	}
	for i := len(all) - 1; i > 0; i-- {
		j, err := rand.Int(c.Rand, big.NewInt(int64(i+1)))
		if err != nil {
			return factor.Prompt{}, false, err
		}
		all[i], all[j.Int64()] = all[j.Int64()], all[i]
	}
	out := factor.Prompt{AnswerType: factor.Text, Chosen: chosen, Select: label, Question: all[0].Text}
	for _, a := range all[:l.Ask] {
		out.Parts = append(out.Parts, factor.Part{ID: "u_" + a.ID, Question: a.Text})
	}
	return out, true, nil
}

// usual are questions for names that do not exist: what people write themselves would tell who they are.
var usual = []string{
	"What was the name of your first pet?", "In which town were you born?", "What was your first school called?",
	"What is your favourite book?", "What was the first concert you went to?", "What was your childhood nickname?",
}

// Disguise asks usual questions.
func (Mechanism) Disguise(p factor.Prompt, seed []byte) factor.Prompt {
	out := factor.Prompt{AnswerType: p.AnswerType, Chosen: p.Chosen, Select: p.Select}
	n := int(factor.DigitsOf(seed)[3] - '0')
	for i := range p.Parts {
		text := usual[(n+i)%len(usual)]
		out.Parts = append(out.Parts, factor.Part{ID: "u_" + factor.UUIDOf(append([]byte{byte(i)}, seed...)), Question: text})
	}
	if len(out.Parts) > 0 {
		out.Question = out.Parts[0].Question
	}
	return out
}

// Start refuses: questions are answered by typing.
func (Mechanism) Start(context.Context, *call.Call, factor.Person, *factor.Challenge, string) error {
	return factor.ErrNoStart
}

// Check hashes every answer, whether or not an earlier one was wrong.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, ch factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	hashes := map[string]string{}
	if err := c.Snapshot(ctx, func() error {
		all, err := m.Questions.Of(ctx, c, p.ID)
		for _, one := range all {
			hashes["u_"+one.ID] = one.Hash
		}
		return err
	}); err != nil {
		return factor.Verdict{}, err
	}
	right, asked := len(ch.Prompt.Parts) > 0, []string{}
	for _, part := range ch.Prompt.Parts {
		answer := a.Parts[part.ID]
		if answer == "" && len(ch.Prompt.Parts) == 1 {
			answer = a.Text
		}
		if len(answer) > maxAnswer {
			answer = ""
		}
		ok, _, err := m.Questions.Hasher.Verify(ctx, hashes[part.ID], plain(answer))
		if err != nil {
			return factor.Verdict{}, err
		}
		right = right && ok
		asked = append(asked, strings.TrimPrefix(part.ID, "u_"))
	}
	return factor.Verdict{Right: right && p.ID != "", Proof: asked}, nil
}

// Commit refuses when a question was withdrawn since.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	asked, ok := v.Proof.([]string)
	if !ok || !v.Right || ch.Passed {
		ch.Tries++
		return false, nil
	}
	all, err := m.Questions.Of(ctx, c, p.ID)
	if err != nil {
		return false, err
	}
	left := map[string]bool{}
	for _, a := range all {
		left[a.ID] = true
	}
	for _, id := range asked {
		if !left[id] {
			return false, nil
		}
	}
	ch.Passed = true
	return true, nil
}
