package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/argon2"

	"limen/bench/load"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/passkey/passkeytest"
	"limen/internal/core/factor/question"
)

const oathSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// proof is a mechanism by which everybody of a tenant signs in, alone.
type proof struct {
	name    string // as settings call it
	measure string
	of      string
	bare    func() error // the cryptography of one answer
	// give gives it to somebody, and answers for them.
	give func(ctx context.Context, w *world, s *site, userID string) (answer func(asked *passkey.Assertion) (string, error), err error)
}

var proofs = []proof{
	{factor.OATH, "sign-in with a code of a token", "bare HMAC-SHA-1", func() error {
		_, err := oath.Code(oathSecret, "SHA1", 6, 1)
		return err
	}, giveCounter},
	{factor.SecurityKey, "sign-in with a security key", "bare verification, P-256", verification(), giveKey},
	{factor.Question, "sign-in with a security question", "bare argon2id", hashed, giveQuestion},
}

// factors are complete sign-ins with one mechanism in the place of the password, by people on known devices. Beside each stands what its answer takes
// at least, one at a time on every processor: what is left is the conversation.
func factors(ctx context.Context, b *bench, w *world) ([]row, error) {
	callers := 16
	if b.quick {
		callers = 2
	}
	var out []row
	for _, p := range proofs {
		s, err := w.secrets(ctx, callers)
		if err != nil {
			return nil, err
		}
		answers, err := w.enrol(ctx, s, p, callers)
		if err != nil {
			return nil, err
		}
		devices := make([]map[string]string, callers)
		for i := range devices {
			devices[i] = map[string]string{}
		}
		bare := func(d time.Duration) (load.Sample, error) {
			return load.Calls(runtime.GOMAXPROCS(0), d, func(int) error { return p.bare() })
		}
		ours := func(d time.Duration) (load.Sample, error) {
			return load.Ask(ctx, w.addr, callers, d, func(i int, c *load.Conn) error {
				c.Cookies = devices[i]
				return s.prove(c, s.name(i), p.name, answers[i])
			})
		}
		l, o, err := b.versus(w, bare, ours)
		if err != nil {
			return nil, err
		}
		out = append(out, rate(fmt.Sprintf("%s, %d callers", p.measure, callers), p.of, l, o))
	}
	return out, nil
}

// enrol gives the mechanism to the first people of a tenant, which asks for nothing else from then on.
func (w *world) enrol(ctx context.Context, s *site, p proof, n int) (answers []func(*passkey.Assertion) (string, error), err error) {
	if err := errors.Join(w.app.Logins.Ensure(ctx, s.id), w.app.Ring.Ensure(ctx, s.id, factor.Purposes...), w.challenges(ctx, s, p.name)); err != nil {
		return nil, err
	}
	for i := range n {
		c, id := w.app.Shell(s.id), ""
		if err := c.Snapshot(ctx, func() error {
			u, err := w.app.People.ByName(ctx, c, s.name(i))
			id = u.ID
			return err
		}); err != nil {
			return nil, err
		}
		answer, err := p.give(ctx, w, s, id)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return answers, w.asking(ctx, s, p.name)
}

// asking waits until what the settings ask for is this mechanism: what is remembered of them is up to date after a moment.
func (w *world) asking(ctx context.Context, s *site, mechanism string) error {
	for {
		v, err := w.app.Values.Get(ctx, w.app.Shell(s.id))
		if err != nil || v.Auth.Challenges[0][0] == mechanism {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// prove is a complete sign-in.
func (s *site) prove(c *load.Conn, name, mechanism string, answer func(*passkey.Assertion) (string, error)) error {
	device := knownDevice(c)
	a, err := s.step(c, "StartAuthentication", device, map[string]any{"User": name, "Version": "1.0"})
	if err != nil {
		return err
	}
	if len(a.Result.Challenges) != 1 || a.Result.Challenges[0].Mechanisms[0].Name != mechanism {
		return fmt.Errorf("%s is asked for something else than %s: %+v", name, mechanism, a.Result)
	}
	act := map[string]any{"SessionId": a.Result.SessionID, "MechanismId": a.Result.Challenges[0].Mechanisms[0].MechanismID}
	if mechanism == factor.SecurityKey {
		act["Action"] = "StartOOB"
		if a, err = s.step(c, "AdvanceAuthentication", device, act); err != nil {
			return err
		}
	}
	if act["Answer"], err = answer(a.Result.PublicKey); err != nil {
		return err
	}
	act["Action"] = "Answer"
	a, err = s.step(c, "AdvanceAuthentication", device, act)
	if err == nil && a.Result.Summary != "LoginSuccess" {
		err = fmt.Errorf("the sign-in of %s ended with %q", name, a.Result.Summary)
	}
	return err
}

func hashed() error {
	argon2.IDKey([]byte(adminPassword), make([]byte, 16), 1, 46*1024, 1, 32)
	return nil
}

func verification() func() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	digest := make([]byte, 32)
	signature, failed := ecdsa.SignASN1(rand.Reader, key, digest)
	return func() error {
		if err := errors.Join(err, failed); err != nil {
			return err
		}
		if !ecdsa.VerifyASN1(&key.PublicKey, digest, signature) {
			return errors.New("the signature is not right")
		}
		return nil
	}
}

// giveCounter gives a token that counts: one that goes by the clock has a code in half a minute.
func giveCounter(ctx context.Context, w *world, s *site, userID string) (func(*passkey.Assertion) (string, error), error) {
	c := w.app.Shell(s.id)
	err := w.app.Write(ctx, c, audit.FactorEnroll, func(ctx context.Context) error {
		_, err := w.app.OATH.Set(ctx, c, userID, oath.Seed{Name: "token", Secret: oathSecret, Counted: true})
		return err
	})
	var count atomic.Int64
	return func(*passkey.Assertion) (string, error) { return oath.Code(oathSecret, "SHA1", 6, count.Add(1)) }, err
}

func giveKey(ctx context.Context, w *world, s *site, userID string) (func(*passkey.Assertion) (string, error), error) {
	key := passkeytest.New("https://" + s.host)
	var options passkey.Creation
	c := w.app.Shell(s.id)
	if err := w.app.Write(ctx, c, audit.FactorEnroll, func(ctx context.Context) error {
		at, err := w.app.Passkeys.At(ctx, c, key.Origin)
		if err == nil {
			options, err = w.app.Passkeys.Begin(ctx, c, factor.Person{ID: userID}, passkey.Registration{Name: "key", Kind: passkey.SecurityKey, Site: at})
		}
		return err
	}); err != nil {
		return nil, err
	}
	made, err := w.app.Passkeys.Check(ctx, w.app.Shell(s.id), userID, key.Register(options))
	if err != nil {
		return nil, err
	}
	c = w.app.Shell(s.id)
	err = w.app.Write(ctx, c, audit.FactorEnroll, func(ctx context.Context) error {
		_, err := w.app.Passkeys.Finish(ctx, c, userID, made)
		return err
	})
	return func(asked *passkey.Assertion) (string, error) {
		if asked == nil {
			return "", errors.New("no key is asked for")
		}
		return key.Sign(*asked), nil
	}, err
}

func giveQuestion(ctx context.Context, w *world, s *site, userID string) (func(*passkey.Assertion) (string, error), error) {
	c := w.app.Shell(s.id)
	ready, err := w.app.Questions.Prepare(ctx, c, question.Change{Added: []question.Added{{Text: "First pet?", Answer: "Rex"}}})
	if err != nil {
		return nil, err
	}
	err = w.app.Write(ctx, c, audit.FactorEnroll, func(ctx context.Context) error { return w.app.Questions.Update(ctx, c, userID, ready) })
	return func(*passkey.Assertion) (string, error) { return "Rex", nil }, err
}
