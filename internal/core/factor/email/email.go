// Package email is the mechanism EMAIL: a code, and a link, by mail.
package email

import (
	"context"
	"strings"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// Mechanism sends codes by mail.
type Mechanism struct {
	Codes factor.Codes
	// Send puts the mail into the outbox, in c.Tx.
	Send func(ctx context.Context, c *call.Call, to factor.Person, what factor.Sending) error
}

// Name is EMAIL.
func (Mechanism) Name() string { return factor.Email }

// Offer shows the domain of the address and nothing else of it.
func (Mechanism) Offer(_ context.Context, _ *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	at := strings.LastIndexByte(p.Mail, '@')
	if at < 1 || at == len(p.Mail)-1 {
		return factor.Prompt{}, false, nil
	}
	domain := p.Mail[at+1:]
	return factor.Prompt{
		AnswerType: factor.StartTextOOB, Chosen: "Email sent to ***@" + domain + ". Click the link or enter the code to continue.",
		Select: "Email... @" + domain, MaskedMail: "***@" + domain, Domain: domain,
	}, true, nil
}

// Disguise keeps the domain, which people of a tenant share.
func (Mechanism) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// Start sends a mail.
func (m Mechanism) Start(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, link string) error {
	code, life, err := m.Codes.Draw(ctx, c, p, ch)
	if err != nil || code == "" || p.ID == "" {
		return err
	}
	return m.Send(ctx, c, p, factor.Sending{Code: code, Link: link, Life: life, Recovery: ch.Recovery})
}

// Check compares the code.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, ch factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	ok, err := m.Codes.Fits(ctx, c, p, ch, a.Text)
	return factor.Verdict{Right: ok}, err
}

// Commit takes the code out of use.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, _ factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	return m.Codes.Accept(ctx, c, ch, v.Right)
}
