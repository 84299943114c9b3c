package factortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/dbx"
)

// Bench is a mechanism on the bench: somebody who has enrolled it, and what they answer.
type Bench struct {
	Mechanism factor.Mechanism
	Enrolled  factor.Person
	Other     factor.Person // enrolled too, with other answers
	Stranger  factor.Person // not enrolled; without ID where everybody is
	// Right gives the right answer of Enrolled at the world's time, to a challenge that was offered and started.
	Right func(ch factor.Challenge) factor.Answer
	Wrong factor.Answer
	// Sent counts what was sent so far; nil where nothing is.
	Sent func() int
	// Reusable says that the same answer may be given in the next conversation, as a password.
	Reusable bool
	// Once says that whoever is asked elsewhere takes an answer once, so that Check itself uses it up.
	Once    bool
	Life    time.Duration // after which an answer is of no use; 0: never
	Tries   int           // wrong answers after which a right one is refused; 0: the conversation counts them alone
	Private []string      // what a disguised prompt must not show
}

type bench struct {
	*testing.T
	w *World
	Bench
}

// Run runs the suite on every engine.
func Run(t *testing.T, build func(t *testing.T, w *World) Bench) {
	for name, test := range map[string]func(b bench){
		"not enrolled, not offered": bench.notEnrolled,
		"the prompt is whole":       bench.promptWhole,
		"right and wrong":           bench.rightAndWrong,
		"no replay":                 bench.noReplay,
		"expiry":                    bench.expiry,
		"tries":                     bench.tries,
		"somebody else's":           bench.somebodyElses,
		"nobody":                    bench.nobody,
		"disguise":                  bench.disguise,
		"sends":                     bench.sends,
	} {
		t.Run(name, func(t *testing.T) {
			Each(t, func(t *testing.T, w *World) { test(bench{t, w, build(t, w)}) })
		})
	}
}

func (b bench) offer(p factor.Person) (prompt factor.Prompt, ok bool) {
	b.Helper()
	c := b.w.Call()
	if err := c.Snapshot(b.Context(), func() (err error) { prompt, ok, err = b.Mechanism.Offer(b.Context(), c, p); return err }); err != nil {
		b.Fatal(err)
	}
	return prompt, ok
}

// begin offers and starts a challenge.
func (b bench) begin(p factor.Person) factor.Challenge {
	b.Helper()
	prompt, ok := b.offer(b.Enrolled) // also for nobody, who is shown somebody's
	if !ok {
		b.Fatal("not offered to somebody who has enrolled it")
	}
	ch := factor.Challenge{ID: b.w.Call().NewID(), Name: b.Mechanism.Name(), Prompt: prompt}
	if prompt.AnswerType != factor.Text {
		b.start(p, &ch)
	}
	return ch
}

func (b bench) start(p factor.Person, ch *factor.Challenge) {
	b.Helper()
	if l, ok := b.Mechanism.(factor.Leader); ok {
		away, err := l.Lead(b.Context(), b.w.Call(), p, *ch)
		if err != nil {
			b.Fatal("lead:", err)
		}
		ch.Away = away
	}
	b.w.Write(func(ctx context.Context, c *call.Call) error {
		return b.Mechanism.Start(ctx, c, p, ch, "https://id.acme.test/link")
	})
}

// answer runs both phases as a conversation does.
func (b bench) answer(tenant string, p factor.Person, ch *factor.Challenge, a factor.Answer) (ok bool) {
	b.Helper()
	c := b.w.Call()
	c.Tenant.ID = tenant
	v, err := b.Mechanism.Check(b.Context(), c, p, *ch, a)
	if err != nil {
		b.Fatal("check:", err)
	}
	b.w.Write(func(ctx context.Context, in *call.Call) (err error) {
		in.Tenant.ID = tenant
		ok, err = b.Mechanism.Commit(ctx, in, p, ch, v)
		return err
	})
	return ok
}

func (b bench) accepts(p factor.Person, ch *factor.Challenge, a factor.Answer, what string) {
	b.Helper()
	if !b.answer(b.w.Tenant, p, ch, a) {
		b.Fatal("refused:", what)
	}
}

func (b bench) refuses(p factor.Person, ch *factor.Challenge, a factor.Answer, what string) {
	b.Helper()
	if b.answer(b.w.Tenant, p, ch, a) {
		b.Fatal("accepted:", what)
	}
}

func (b bench) notEnrolled() {
	if b.Stranger.ID == "" {
		return
	}
	if prompt, ok := b.offer(b.Stranger); ok {
		b.Fatal("offered", prompt)
	}
}

func (b bench) promptWhole() {
	p, _ := b.offer(b.Enrolled)
	if p.AnswerType != factor.Text && p.AnswerType != factor.StartTextOOB && p.AnswerType != factor.StartOOB {
		b.Fatal(p.AnswerType)
	}
	if len(p.Chosen) < 2 || len(p.Select) < 2 {
		b.Fatal("clients insist on two characters", p)
	}
	ch := factor.Challenge{ID: "x", Name: b.Mechanism.Name(), Prompt: p}
	if p.AnswerType == factor.Text {
		b.w.Write(func(ctx context.Context, c *call.Call) error {
			if err := b.Mechanism.Start(ctx, c, b.Enrolled, &ch, ""); !errors.Is(err, factor.ErrNoStart) {
				b.Fatal("what is typed alone is not started:", err)
			}
			return nil
		})
	}
}

func (b bench) rightAndWrong() {
	ch := b.begin(b.Enrolled)
	b.refuses(b.Enrolled, &ch, factor.Answer{}, "nothing")
	b.refuses(b.Enrolled, &ch, b.Wrong, "a wrong answer")
	b.refuses(b.Enrolled, &ch, factor.Answer{Text: strings.Repeat("9", 100_000)}, "a very long answer")
	b.accepts(b.Enrolled, &ch, b.Right(ch), "the right answer")
	if !ch.Passed {
		b.Fatal("the challenge does not know that it is passed")
	}
}

func (b bench) noReplay() {
	ch := b.begin(b.Enrolled)
	before := ch
	right := b.Right(ch)
	c := b.w.Call()
	v, err := b.Mechanism.Check(b.Context(), c, b.Enrolled, ch, right)
	if err != nil {
		b.Fatal(err)
	}
	if b.Once {
		b.w.Write(func(ctx context.Context, c *call.Call) error {
			if ok, err := b.Mechanism.Commit(ctx, c, b.Enrolled, &ch, v); !ok || err != nil {
				b.Fatal("refused: the right answer", err)
			}
			return nil
		})
	} else {
		b.accepts(b.Enrolled, &ch, right, "the right answer")
	}
	b.refuses(b.Enrolled, &ch, right, "the same answer to the same challenge")
	b.w.Write(func(ctx context.Context, c *call.Call) error {
		if ok, err := b.Mechanism.Commit(ctx, c, b.Enrolled, &ch, v); ok || err != nil {
			b.Fatal("an old verdict", ok, err)
		}
		return nil
	})
	next := b.begin(b.Enrolled)
	if b.Reusable {
		b.accepts(b.Enrolled, &next, b.Right(next), "an answer that may be used again")
		return
	}
	b.refuses(b.Enrolled, &next, right, "the same answer in the next conversation")
	if before.Code == "" { // what keeps no code in the conversation must remember elsewhere
		b.refuses(b.Enrolled, &before, right, "the same answer to a copy of the challenge")
	}
}

func (b bench) expiry() {
	if b.Life == 0 {
		return
	}
	ch := b.begin(b.Enrolled)
	right := b.Right(ch)
	b.w.Now = b.w.Now.Add(b.Life)
	b.refuses(b.Enrolled, &ch, right, "an expired answer")
}

func (b bench) tries() {
	if b.Tries == 0 {
		return
	}
	ch := b.begin(b.Enrolled)
	right := b.Right(ch)
	for range b.Tries {
		b.refuses(b.Enrolled, &ch, b.Wrong, "a wrong answer")
	}
	b.refuses(b.Enrolled, &ch, right, "the right answer after too many wrong ones")
}

func (b bench) somebodyElses() {
	ch := b.begin(b.Enrolled)
	right := b.Right(ch)
	b.refuses(b.Other, &ch, right, "another person with the same challenge and answer")
	theirs := b.begin(b.Other)
	b.refuses(b.Other, &theirs, right, "the answer of somebody else")
	tenant := b.w.Tenant + "9"
	b.w.ensure(tenant)
	if b.answer(tenant, b.Enrolled, &ch, right) {
		b.Fatal("accepted: in another tenant")
	}
}

// nobody is somebody who does not exist: all goes on as with anybody, nothing is sent, and nothing is right.
func (b bench) nobody() {
	before := 0
	if b.Sent != nil {
		before = b.Sent()
	}
	ch := b.begin(factor.Person{Name: "nobody@acme.test"})
	if b.Sent != nil && b.Sent() != before {
		b.Fatal("something was sent to nobody")
	}
	b.refuses(factor.Person{Name: "nobody@acme.test"}, &ch, b.Wrong, "nobody")
	b.refuses(factor.Person{}, &ch, factor.Answer{}, "nobody with nothing")
	real := b.begin(b.Enrolled)
	b.refuses(factor.Person{Name: b.Enrolled.Name}, &real, b.Right(real), "nobody with the right answer")
}

func (b bench) disguise() {
	p, _ := b.offer(b.Enrolled)
	show := func(seed string) []byte {
		out, err := json.Marshal(b.Mechanism.Disguise(p, []byte(seed)))
		if err != nil {
			b.Fatal(err)
		}
		return out
	}
	one := show("one")
	if !bytes.Equal(one, show("one")) {
		b.Fatal("another look at the next try")
	}
	for _, private := range b.Private {
		if bytes.Contains(one, []byte(private)) {
			b.Fatalf("%s shows %q", one, private)
		}
	}
	out := b.Mechanism.Disguise(p, []byte("one"))
	if out.AnswerType != p.AnswerType || len(out.Parts) != len(p.Parts) || (out.Digits == "") != (p.Digits == "") || (out.Question == "") != (p.Question == "") {
		b.Fatal("another shape than a real prompt", out)
	}
}

// sends: a repeated request sends once, a later one sends again, and not without end.
func (b bench) sends() {
	if b.Sent == nil {
		return
	}
	before := b.Sent()
	ch := b.begin(b.Enrolled)
	right := b.Right(ch)
	b.start(b.Enrolled, &ch)
	if b.Sent() != before+1 {
		b.Fatal("sent", b.Sent()-before, "for one request and its repeat")
	}
	b.w.Now = b.w.Now.Add(time.Minute)
	b.start(b.Enrolled, &ch)
	if b.Sent() != before+2 {
		b.Fatal("not sent again")
	}
	b.refuses(b.Enrolled, &ch, right, "the code that another one has replaced")
	b.accepts(b.Enrolled, &ch, b.Right(ch), "the code sent last")
	ch = b.begin(b.Enrolled)
	for range 20 {
		b.w.Now = b.w.Now.Add(time.Minute)
		c := b.w.Call()
		_ = b.w.DB.Write(b.Context(), func(tx *dbx.Tx) error {
			c.Tx = tx
			return b.Mechanism.Start(b.Context(), c, b.Enrolled, &ch, "")
		})
	}
	if n := b.Sent() - before; n > 10 {
		b.Fatal("sent", n, "times")
	}
}
