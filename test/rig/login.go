package rig

import (
	"context"
	"fmt"
)

// Package is the answer of StartAuthentication (contract: authentication.yaml, NewPackage).
type Package struct {
	Summary          string
	SessionID        string `json:"SessionId"`
	TenantID         string `json:"TenantId"`
	Version          string
	PodFqdn          string
	RetryWaitingTime int
	Challenges       []struct{ Mechanisms []Mechanism }
	ClientHints      struct{ AllowForgotPassword, AllowPersist bool }
}

// Mechanism is one way to answer a challenge.
type Mechanism struct {
	Name, MechanismID, AnswerType      string
	PromptMechChosen, PromptSelectMech string
	Enrolled                           bool
	MaskedEmailAddress, EmailType      string
	PartialDeviceAddress, UIPrompt     string
	Question, PasswordComplexityHint   string
	MultipartMechanism                 struct {
		MechanismParts []struct{ Uuid, QuestionText, PromptMechChosen string }
	}
}

// Mechanism finds a mechanism of a challenge, counted from 0, by its name.
func (p Package) Mechanism(challenge int, name string) (Mechanism, error) {
	if challenge < len(p.Challenges) {
		for _, m := range p.Challenges[challenge].Mechanisms {
			if m.Name == name {
				return m, nil
			}
		}
	}
	return Mechanism{}, fmt.Errorf("challenge %d has no mechanism %s: %+v", challenge, name, p)
}

// Success is what a completed sign-in answers (contract: authentication.yaml, LoginSuccess).
type Success struct {
	Package            // when more is asked
	Auth               string
	AuthLevel          string
	Token              string
	RefreshToken       string
	User               string
	UserID             string `json:"UserId"`
	CustomerID         string
	DisplayName        string
	GeneratedAuthValue string
}

// Begin opens a conversation for a login name.
func (c *Client) Begin(ctx context.Context, user string) (Package, error) {
	var p Package
	err := c.Call(ctx, "/Security/StartAuthentication", map[string]any{"User": user, "Version": "1.0"}, &p)
	return p, err
}

// Advance sends one action on a mechanism and gives the answer, also when it is a refusal.
func (c *Client) Advance(ctx context.Context, p Package, m Mechanism, action string, answer any) (*Answer, error) {
	body := map[string]any{"TenantId": p.TenantID, "SessionId": p.SessionID, "MechanismId": m.MechanismID, "Action": action}
	if answer != nil {
		body["Answer"] = answer
	}
	return c.Post(ctx, "/Security/AdvanceAuthentication", body)
}

// Act sends one action that must succeed, and gives its result.
func (c *Client) Act(ctx context.Context, p Package, m Mechanism, action string, answer any) (Success, error) {
	var s Success
	a, err := c.Advance(ctx, p, m, action, answer)
	if err == nil {
		err = a.Into(&s)
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", m.Name, action, err)
	}
	return s, err
}

// Password answers the first challenge with a password, and gives what comes next.
func (c *Client) Password(ctx context.Context, user, password string) (Package, Success, error) {
	p, err := c.Begin(ctx, user)
	if err != nil {
		return p, Success{}, err
	}
	m, err := p.Mechanism(0, "UP")
	if err != nil {
		return p, Success{}, err
	}
	s, err := c.Act(ctx, p, m, "Answer", password)
	return p, s, err
}

// SignIn signs in somebody whose password alone is asked for, and gives a client that acts as them.
func (c *Client) SignIn(ctx context.Context, user, password string) (*Client, error) {
	_, s, err := c.Password(ctx, user, password)
	if err != nil {
		return nil, err
	}
	if s.Summary != "LoginSuccess" || s.Auth == "" {
		return nil, fmt.Errorf("the password of %s was answered by %s", user, s.Summary)
	}
	return c.As(s.Auth), nil
}
