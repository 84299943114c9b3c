package tokenfile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/oath"
	"limen/internal/core/job"
	"limen/internal/core/user"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Work is the job. Its cursor is the number of rows that are done; the tally is written by the same transactions.
func (f *Files) Work(ctx context.Context, r *job.Run) error {
	w := work{f: f, r: r}
	if err := w.open(ctx); err != nil {
		return err
	}
	for w.tally.Done < len(w.tokens) {
		w.show()
		if err := w.step(ctx); err != nil {
			return err
		}
	}
	w.show()
	return nil
}

// work is a job while it runs.
type work struct {
	f      *Files
	r      *job.Run
	at     call.Tenant
	file   fileRow
	tokens []Token
	tally  tally
}

// open reads the file and how far an earlier run came.
func (w *work) open(ctx context.Context) error {
	var p payload
	if err := w.r.Payload(&p); err != nil {
		return err
	}
	err := w.f.DB.Read(ctx, func(tx *dbx.Tx) (err error) { w.file, err = findFile.One(ctx, tx, w.r.Tenant, p.File); return err })
	if errors.Is(err, dbx.ErrNoRow) || err == nil && w.file.Job != w.r.ID {
		return ErrGone
	}
	if err != nil {
		return err
	}
	content, err := w.f.Open(ctx, w.r.Tenant, w.file.Body, aad(w.file.ID))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, &w.tokens); err != nil {
		return fault.ErrInternal.Because(err)
	}
	if w.tally, err = tallyOf(w.file.Tally); err != nil {
		return err
	}
	if w.at, err = w.f.Tenants.ByID(ctx, w.r.Tenant); err != nil {
		return err
	}
	return w.f.Profiles.Ring.Ensure(ctx, w.r.Tenant, factor.PurposeOATH)
}

// show tells how far it is, and what will stay of it should it end here.
func (w *work) show() {
	w.r.Progress(int64(w.tally.Done), int64(len(w.tokens)), fmt.Sprintf("%d of %d tokens imported", w.tally.Given, len(w.tokens)))
	w.r.Result(w.tally.report(len(w.tokens)))
}

// step does the next batch.
func (w *work) step(ctx context.Context) error {
	next := w.tokens[w.tally.Done:]
	next = next[:min(len(next), batch)]
	var after tally
	err := w.r.Do(ctx, strconv.Itoa(w.tally.Done+len(next)), func(ctx context.Context, c *call.Call) (err error) {
		c.Tenant = w.at
		if after, err = w.give(ctx, c, next); err != nil {
			return err
		}
		text, err := json.Marshal(after)
		if err != nil {
			return fault.ErrInternal.Because(err)
		}
		_, err = noteTally.Do(ctx, c.Tx, string(text), c.Tenant.ID, w.file.ID)
		return err
	})
	if err == nil {
		w.tally = after
	}
	return err
}

// give gives the tokens of a batch to their people, and notes who cannot have theirs. The caller's rights are those of now.
func (w *work) give(ctx context.Context, c *call.Call, tokens []Token) (tally, error) {
	if extent(c).Nothing() {
		return tally{}, ErrNoRights
	}
	issuer, err := w.f.Issuer(ctx, c)
	if err != nil {
		return tally{}, err
	}
	t := w.tally
	t.Remarks = slices.Clone(t.Remarks)
	for _, one := range tokens {
		if one.Seed.Issuer == "" {
			one.Seed.Issuer = issuer
		}
		why, err := w.one(ctx, c, one)
		if err != nil {
			return tally{}, err
		}
		if why != "" {
			t.fail(one.Line, why)
		} else {
			t.Given++
		}
		t.Done++
	}
	return t, nil
}

// one gives somebody a token, or says why not. Everything that could refuse it is asked before anything is written.
func (w *work) one(ctx context.Context, c *call.Call, t Token) (why string, err error) {
	u, err := w.f.person(ctx, c, t.User)
	if errors.Is(err, user.ErrNotFound) {
		return "the " + colUser + " " + whyNobody, nil
	}
	if err != nil {
		return "", err
	}
	if u.ID == c.User() && !w.file.Own { // a proof was asked for at the submission of files that say so
		return "nobody gives themselves a token without a proof: upload the file again", nil
	}
	if err := w.f.Guard(ctx, c, u.ID); err != nil {
		return refusal(err)
	}
	if t.Seed.Name == "" {
		t.Seed.Name = u.Name
	}
	made, err := w.f.Profiles.Import(ctx, c, u.ID, t.Seed)
	if errors.Is(err, oath.ErrSerial) {
		return "the " + colSerial + " " + whySerial, nil
	}
	if err != nil {
		return refusal(err)
	}
	e := c.Record(audit.FactorEnroll)
	e.Target, e.Kind, e.Name, e.User, e.Login = made.ID, "OathProfile", made.Name, u.ID, u.Name
	e.Set("Serial", made.Serial)
	return "", nil
}

// refusal is what a fault says to people; other errors end the batch.
func refusal(err error) (why string, other error) {
	switch f := fault.Of(err); f.Kind {
	case fault.Denied, fault.Invalid:
		return strings.TrimSuffix(f.Public, "."), nil
	default:
		return "", err
	}
}
