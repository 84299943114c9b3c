package question_test

import (
	"context"
	"errors"
	"testing"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/question"
	"limen/internal/fault"
)

func questions(w *factortest.World, l question.Limits) question.Questions {
	return question.Questions{Hasher: w.Hasher, Limits: func(context.Context, *call.Call) (question.Limits, error) { return l, nil }}
}

func update(w *factortest.World, q question.Questions, user string, ch question.Change) (err error) {
	w.T.Helper()
	h, err := q.Prepare(w.T.Context(), w.Call(), ch)
	if err != nil {
		return err
	}
	w.Write(func(ctx context.Context, c *call.Call) error {
		if err = q.Update(ctx, c, user, h); fault.Of(err) != nil && fault.Of(err).Kind == fault.Internal {
			return err
		}
		return nil
	})
	return err
}

func must(w *factortest.World, err error) {
	w.T.Helper()
	if err != nil {
		w.T.Fatal(err)
	}
}

func TestSuite(t *testing.T) {
	for name, ask := range map[string]int{"one": 1, "two": 2} {
		t.Run(name, func(t *testing.T) {
			factortest.Run(t, func(_ *testing.T, w *factortest.World) factortest.Bench {
				q := questions(w, question.Limits{Ask: ask})
				must(w, update(w, q, "alice", question.Change{Added: []question.Added{
					{Text: "Where is the secret cave?", Answer: "Under  Élm Street"}, {Text: "Who hid it?", Answer: "under élm street "},
				}}))
				must(w, update(w, q, "bob", question.Change{Added: []question.Added{
					{Text: "Pet?", Answer: "rex the dog"}, {Text: "Town?", Answer: "somewhere"},
				}}))
				return factortest.Bench{
					Mechanism: question.Mechanism{Questions: q}, Enrolled: factor.Person{ID: "alice"}, Other: factor.Person{ID: "bob"},
					Stranger: factor.Person{ID: "carol"},
					Right: func(ch factor.Challenge) factor.Answer {
						a := factor.Answer{Parts: map[string]string{}}
						for _, part := range ch.Prompt.Parts {
							a.Parts[part.ID] = "UNDER élm street"
						}
						return a
					},
					Wrong: factor.Answer{Text: "elm street"}, Reusable: true, Private: []string{"secret cave", "hid"},
				}
			})
		})
	}
}

func TestTextAnswersOneQuestion(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		q := questions(w, question.Limits{})
		must(w, update(w, q, "alice", question.Change{Added: []question.Added{{Text: "Pet?", Answer: "Rex"}}}))
		m, who, c := question.Mechanism{Questions: q}, factor.Person{ID: "alice"}, w.Call()
		ch := factor.Challenge{}
		must(w, c.Snapshot(t.Context(), func() (err error) { ch.Prompt, _, err = m.Offer(t.Context(), c, who); return err }))
		v, err := m.Check(t.Context(), c, who, ch, factor.Answer{Text: " rex "})
		if err != nil || !v.Right || ch.Prompt.Question != "Pet?" {
			t.Fatal(v, err)
		}
		must(w, update(w, q, "alice", question.Change{Replace: true, Added: []question.Added{{Text: "Town?", Answer: "Rome"}}}))
		w.Write(func(ctx context.Context, c *call.Call) error {
			if ok, err := m.Commit(ctx, c, who, &ch, v); ok || err != nil {
				t.Fatal("the question was withdrawn meanwhile", ok, err)
			}
			return nil
		})
	})
}

func TestUpdate(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		q := questions(w, question.Limits{Most: 3, LeastAdmin: 1, AnswerLength: 3})
		var admin question.Question
		w.Write(func(ctx context.Context, c *call.Call) (err error) {
			admin, err = q.Set(ctx, c, question.Question{Text: "Favourite colour?", Culture: "all"})
			if err != nil {
				return err
			}
			if _, err := q.Set(ctx, c, question.Question{Text: "favourite COLOUR? ", Culture: "all"}); !errors.Is(err, question.ErrExists) {
				t.Fatal(err)
			}
			if _, err := q.Set(ctx, c, question.Question{ID: "nope", Text: "x"}); !errors.Is(err, question.ErrNotFound) {
				t.Fatal(err)
			}
			return nil
		})
		blue := question.Added{Admin: admin.ID, Answer: "blue"}
		for name, bad := range map[string]struct {
			ch   question.Change
			want error
		}{
			"short":          {question.Change{Added: []question.Added{{Text: "q", Answer: "ab"}}}, question.ErrShort},
			"blank":          {question.Change{Added: []question.Added{{Text: "q"}}}, fault.ErrBlank},
			"no question":    {question.Change{Added: []question.Added{{Answer: "abc"}}}, fault.ErrBlank},
			"in question":    {question.Change{Added: []question.Added{{Text: "my dog rex", Answer: "Rex"}}}, question.ErrAnswer},
			"same":           {question.Change{Added: []question.Added{blue, blue}}, question.ErrSame},
			"too many":       {question.Change{Added: []question.Added{blue, blue, blue, blue}}, question.ErrTooMany},
			"too few":        {question.Change{Added: []question.Added{{Text: "own?", Answer: "abc"}}}, question.ErrTooFew},
			"unknown":        {question.Change{Added: []question.Added{{Admin: "nope", Answer: "abc"}}}, question.ErrNotFound},
			"after deletion": {question.Change{Added: []question.Added{{Text: "own?", Answer: "abc"}}, Deleted: []string{admin.ID}}, question.ErrTooFew},
		} {
			if err := update(w, q, "bad", bad.ch); !errors.Is(err, bad.want) {
				t.Errorf("%s: %v", name, err)
			}
			w.Write(func(ctx context.Context, c *call.Call) error { return q.Drop(ctx, c, "bad") })
		}
		must(w, update(w, q, "alice", question.Change{Added: []question.Added{blue, {Text: "own?", Answer: "abc"}}}))
		must(w, update(w, q, "alice", question.Change{Added: []question.Added{{Admin: admin.ID, Answer: "green"}}}))
		w.Write(func(ctx context.Context, c *call.Call) error {
			list, err := q.Of(ctx, c, "alice")
			if err != nil || len(list) != 2 {
				t.Fatal("answered anew, not twice", list, err)
			}
			if _, err := q.Set(ctx, c, question.Question{ID: admin.ID, Text: "Best colour?", Culture: "all"}); err != nil {
				return err
			}
			if list, _ = q.Of(ctx, c, "alice"); list[0].Text != "Best colour?" && list[1].Text != "Best colour?" {
				t.Fatal(list)
			}
			if err := q.Delete(ctx, c, admin.ID); err != nil {
				return err
			}
			if err := q.Delete(ctx, c, admin.ID); !errors.Is(err, question.ErrNotFound) {
				t.Fatal(err)
			}
			if list, _ = q.Of(ctx, c, "alice"); len(list) != 1 {
				t.Fatal("the answer to it still counts", list)
			}
			if offered, err := q.Offered(ctx, c); len(offered) != 0 {
				t.Fatal(offered, err)
			}
			_, ok, err := question.Mechanism{Questions: q}.Offer(ctx, c, factor.Person{ID: "alice"})
			if ok {
				t.Fatal("one own answer suffices where an offered one is due")
			}
			return err
		})
	})
}
