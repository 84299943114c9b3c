// Package sms is the mechanism SMS: a code by text message to the mobile number.
package sms

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// Mechanism sends codes by text message.
type Mechanism struct {
	Codes factor.Codes
	// Send puts the text message into the outbox, in c.Tx.
	Send func(ctx context.Context, c *call.Call, to factor.Person, what factor.Sending) error
}

// Name is SMS.
func (Mechanism) Name() string { return factor.SMS }

// Offer shows the last four digits of the number.
func (Mechanism) Offer(_ context.Context, _ *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	last, ok := factor.Last(p.Mobile)
	if !ok {
		return factor.Prompt{}, false, nil
	}
	return prompt(last), true, nil
}

func prompt(digits string) factor.Prompt {
	return factor.Prompt{
		AnswerType: factor.StartTextOOB, Chosen: "Text message sent to the number that ends in " + digits + ". Enter the code to continue.",
		Select: "Text message to the number that ends in " + digits, Digits: digits,
	}
}

// Disguise draws other digits.
func (Mechanism) Disguise(_ factor.Prompt, seed []byte) factor.Prompt {
	return prompt(factor.DigitsOf(seed))
}

// Start sends a text message. It carries no link: messages are short, and links in them are what thieves send.
func (m Mechanism) Start(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, _ string) error {
	code, life, err := m.Codes.Draw(ctx, c, p, ch)
	if err != nil || code == "" || p.ID == "" {
		return err
	}
	return m.Send(ctx, c, p, factor.Sending{Code: code, Life: life, Recovery: ch.Recovery})
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
