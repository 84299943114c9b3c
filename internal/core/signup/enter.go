package signup

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/message"
	"limen/internal/core/post"
	"limen/internal/core/proofing"
	"limen/internal/core/user"
	"limen/internal/core/workflow"
	"limen/internal/fault"
)

// ErrFull is for those who would wait for approval and cannot: too many do, or somebody with the address does already or was refused. Which of these
// it is, is nobody's business.
var ErrFull = fault.New(fault.Limited, "signup.full", "Your registration cannot be taken at present. Please try again later, or ask the people who run this service.")

// Bounds of those who wait.
const (
	maxWaiting = 1000 // of a tenant
	maxOthers  = 50   // people with an address who are looked at
	keepNotice = 7 * 24 * 60 * 60 * 1e9
)

// Entry is somebody who registered, however they did.
type Entry struct {
	New     user.New
	Verdict proofing.Verdict // of Judge
	// Stranger says that nobody answers for them: how often they try is counted.
	Stranger bool
	// Verify mails the link by which they show that the mail address is theirs, once they are let in.
	Verify bool
}

// Judge says what is to become of somebody who registers. It must be called outside of transactions.
func (s *Signups) Judge(ctx context.Context, c *call.Call, a proofing.Applicant) (proofing.Verdict, error) {
	return s.Proofings.Judge(ctx, c, a)
}

// Enter makes the account of somebody who registered: every way to register ends here. Where the verdict wants an approval they are disabled, and their
// approvers are asked; waits says so. Faults: proofing.ErrDenied, proofing.ErrChanged, ErrFull, ErrWait, and those of making people.
func (s *Signups) Enter(ctx context.Context, c *call.Call, e Entry) (u user.User, waits bool, err error) {
	setup, err := s.Proofings.Stands(ctx, c, e.Verdict)
	if err == nil {
		err = e.Verdict.Denied()
	}
	if err != nil {
		return user.User{}, false, err
	}
	if waits = e.Verdict.Decision == proofing.Review; waits {
		if err := s.room(ctx, c, e); err != nil {
			return user.User{}, false, err
		}
		e.New.Signup = user.SignupPending
	}
	if u, err = s.People.Create(ctx, c, e.New); err != nil {
		return user.User{}, false, err
	}
	if err := s.Proofings.Keep(ctx, c, u.ID, e.Verdict, e.Verify); err != nil {
		return user.User{}, false, err
	}
	switch {
	case waits:
		if c.Event != nil {
			c.Event.Set("SignUp", string(user.SignupPending))
		}
		event := c.Event
		c.Event = nil // the request is no event of its own
		defer func() { c.Event = event }()
		err = s.Flows.Admit(ctx, c, u, setup.Chain())
	case e.Verify:
		err = s.Ask(ctx, c, u)
	}
	return u, waits, err
}

// room fails where somebody cannot wait for approval: approvers are asked about an address once, and not about more people than they can look at.
func (s *Signups) room(ctx context.Context, c *call.Call, e Entry) error {
	n, err := s.Flows.SignUps(ctx, c)
	if err == nil && n >= maxWaiting {
		err = ErrFull
	}
	if err != nil {
		return err
	}
	if e.New.Mail != "" {
		same, err := s.People.ByMail(ctx, c, e.New.Mail, maxOthers)
		if err != nil {
			return err
		}
		for _, u := range same {
			if u.Signup != user.SignupNone {
				return ErrFull
			}
		}
	}
	if !e.Stranger {
		return nil
	}
	return s.Throttle.Asked(ctx, c, e.New.Mail, ErrWait)
}

// Decided lets somebody in who waited, or refuses them for good, and writes to them (workflow.Flows.Decided).
func (s *Signups) Decided(ctx context.Context, c *call.Call, userID string, approved bool, h workflow.Happened) error {
	was := c.Event
	c.Event = c.Record(audit.SignUpDecide)
	defer func() { c.Event = was }()
	u, err := s.People.Registered(ctx, c, userID, approved)
	if err != nil {
		return err
	}
	c.Event.Set("Approved", approved)
	if h.Reason != "" {
		c.Event.Set("Reason", h.Reason)
	}
	found, _, err := s.Proofings.Of(ctx, c, u.ID)
	if err != nil {
		return err
	}
	if err := s.Proofings.Decided(ctx, c, u.ID, h.By, h.Reason); err != nil || u.Mail == "" {
		return err
	}
	switch {
	case approved && u.PasswordChanged == 0:
		return s.welcome(ctx, c, u)
	case approved && found.Verify && u.MailUnproved:
		if err := s.Ask(ctx, c, u); err != nil {
			return err
		}
	}
	kind, d := message.SignupRefused, message.Data{}
	if approved {
		kind, d.Link = message.SignupApproved, s.Links.To(c, "/login", "")
	} else if h.By != "" {
		d.Reason = h.Reason
	}
	to := post.Reader{Mail: u.Mail, Culture: u.Culture, Name: u.Display, Account: u.Name, Org: u.Org}
	return s.Post.Mail(ctx, c, "signup/"+c.NewID(), to, kind, d, c.Now.Add(keepNotice))
}
