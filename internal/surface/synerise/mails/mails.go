// Package mails is in which words a workspace writes to its people (synerise.yaml: e-mail templates).
package mails

import (
	"context"
	"net/http"

	"limen/internal/core/audit"
	"limen/internal/core/message"
	"limen/internal/core/template"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Mails are the operations.
type Mails struct{ Templates *template.Templates }

// Ops declares them.
func (m Mails) Ops() []op.Op {
	const root, permission = "/sauth/settings/templates", "settings_customers_iam_templates"
	spec := func(method, path string, level workspace.Level, faults ...*fault.Error) op.Spec {
		s := op.Spec{Method: method, Path: root + path, Allow: synerise.May(permission, level), Effect: op.Read, Faults: append(faults, workspace.ErrNone, workspace.ErrNotFound)}
		if level != workspace.Read {
			s.Effect, s.Audit = op.Write, audit.PolicyChange
		}
		return s
	}
	texts := []*fault.Error{template.ErrName, template.ErrTaken, template.ErrLong, message.ErrOverride, fault.ErrMissing}
	return []op.Op{
		op.New(spec(http.MethodGet, "", workspace.Read), m.GetTemplates),
		op.Prepared(spec(http.MethodPost, "", workspace.Update, template.ErrLong, template.ErrChanged, message.ErrOverride, fault.ErrInvalid), m.readChosen, m.SetTemplates),
		op.New(spec(http.MethodGet, "/mails", workspace.Read), m.ListMails),
		op.Prepared(spec(http.MethodPost, "/mails", workspace.Update, append(texts, template.ErrMany)...), m.readNew, m.CreateMail),
		op.Prepared(spec(http.MethodPost, "/mails/{templateId}", workspace.Update, append(texts, template.ErrNotFound, template.ErrChanged)...), m.readChanged, m.ChangeMail),
		op.New(spec(http.MethodDelete, "/mails/{templateId}", workspace.Update, template.ErrNotFound, template.ErrUsed), m.DeleteMail),
	}
}

// Workspace is an input that says nothing: it is about the workspace of the token.
type Workspace struct{ synerise.Here }

// Chosen says in which words the workspace's mails go out; null: in the installation's. They are written to who is invited to the workspace, and
// otherwise to the people who belong to its organization.
type Chosen struct {
	// ConfirmationMailTemplateID is the template of invitations: with a link for who has no account, else with a code.
	ConfirmationMailTemplateID *string `json:"confirmationMailTemplateId"`
	// ConfirmationMailSubject is their subject, in the place of the template's.
	ConfirmationMailSubject *string `json:"confirmationMailSubject"`
	// PasswordResetMailTemplateID is the template of mails with a code to replace a forgotten password.
	PasswordResetMailTemplateID *string `json:"passwordResetMailTemplateId"`
	// PasswordResetMailSubject is their subject.
	PasswordResetMailSubject *string `json:"passwordResetMailSubject"`
	// EmailChangeMailTemplateID is the template of mails with a link that shows that a new address is the reader's.
	EmailChangeMailTemplateID *string `json:"emailChangeMailTemplateId"`
	// EmailChangeMailSubject is their subject.
	EmailChangeMailSubject *string `json:"emailChangeMailSubject"`
	// PinActivationMailTemplateID is null: nobody is activated by a PIN.
	PinActivationMailTemplateID *string `json:"pinActivationMailTemplateId"`
	// DeviceAuthorizationMailTemplateID is the template of mails with a code to sign in.
	DeviceAuthorizationMailTemplateID *string `json:"deviceAuthorizationMailTemplateId"`
	// AccountDeletionMailTemplateID is null: nobody is written to when their account is deleted.
	AccountDeletionMailTemplateID *string `json:"accountDeletionMailTemplateId"`
}

func some(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// GetTemplates says in which words the workspace's mails go out. synerise.yaml, GET /sauth/settings/templates.
func (m Mails) GetTemplates(ctx context.Context, c *op.Call, in Workspace) (Chosen, error) {
	of, err := template.Mails(ctx, c, in.Workspace().ID)
	confirm, reset, change := of[template.Confirmation], of[template.PasswordReset], of[template.EmailChange]
	return Chosen{
		ConfirmationMailTemplateID: some(confirm.Template), ConfirmationMailSubject: some(confirm.Subject),
		PasswordResetMailTemplateID: some(reset.Template), PasswordResetMailSubject: some(reset.Subject),
		EmailChangeMailTemplateID: some(change.Template), EmailChangeMailSubject: some(change.Subject),
		DeviceAuthorizationMailTemplateID: some(of[template.Device].Template),
	}, err
}

// NewChosen is the whole new state: what is not sent, null or empty goes out in the installation's words.
type NewChosen struct {
	synerise.Here
	// ConfirmationMailTemplateID is the id of one of the workspace's templates. It must show {{.Link}} where there is one, and else {{.App}} and
	// {{.Code}}.
	ConfirmationMailTemplateID op.Opt[string] `json:"confirmationMailTemplateId"`
	// ConfirmationMailSubject is at most 500 bytes with placeholders.
	ConfirmationMailSubject op.Opt[string] `json:"confirmationMailSubject"`
	// PasswordResetMailTemplateID is the id of one that shows {{.Code}}.
	PasswordResetMailTemplateID op.Opt[string] `json:"passwordResetMailTemplateId"`
	// PasswordResetMailSubject is as the other subject.
	PasswordResetMailSubject op.Opt[string] `json:"passwordResetMailSubject"`
	// EmailChangeMailTemplateID is the id of one that shows {{.Link}}.
	EmailChangeMailTemplateID op.Opt[string] `json:"emailChangeMailTemplateId"`
	// EmailChangeMailSubject is as the other subjects.
	EmailChangeMailSubject op.Opt[string] `json:"emailChangeMailSubject"`
	// PinActivationMailTemplateID cannot be set; null, empty or absent.
	PinActivationMailTemplateID op.Opt[string] `json:"pinActivationMailTemplateId"`
	// DeviceAuthorizationMailTemplateID is the id of one that shows {{.Code}}.
	DeviceAuthorizationMailTemplateID op.Opt[string] `json:"deviceAuthorizationMailTemplateId"`
	// AccountDeletionMailTemplateID cannot be set; null, empty or absent.
	AccountDeletionMailTemplateID op.Opt[string] `json:"accountDeletionMailTemplateId"`
}

// Check refuses mails that are not sent.
func (n *NewChosen) Check() error {
	switch {
	case n.PinActivationMailTemplateID.Or("") != "":
		return fault.Bad("pinActivationMailTemplateId", "cannot be set: nobody is activated by a PIN")
	case n.AccountDeletionMailTemplateID.Or("") != "":
		return fault.Bad("accountDeletionMailTemplateId", "cannot be set: nobody is written to when their account is deleted")
	}
	return nil
}

// choice is what is wanted for one mail, and how its members are called.
type choice struct {
	mail          template.Mail
	id, subject   op.Opt[string]
	member        string
	subjectMember string
}

func (n *NewChosen) choices() []choice {
	return []choice{
		{template.Confirmation, n.ConfirmationMailTemplateID, n.ConfirmationMailSubject, "confirmationMailTemplateId", "confirmationMailSubject"},
		{template.PasswordReset, n.PasswordResetMailTemplateID, n.PasswordResetMailSubject, "passwordResetMailTemplateId", "passwordResetMailSubject"},
		{template.EmailChange, n.EmailChangeMailTemplateID, n.EmailChangeMailSubject, "emailChangeMailTemplateId", "emailChangeMailSubject"},
		{template.Device, n.DeviceAuthorizationMailTemplateID, op.Opt[string]{}, "deviceAuthorizationMailTemplateId", ""},
	}
}

// each does something with the words that are wanted for each mail.
func (n *NewChosen) each(now map[template.Mail]template.Words, do func(m template.Mail, w template.Words) error) error {
	for _, ch := range n.choices() {
		words := template.Words{Template: ch.id.Or(""), Subject: ch.subject.Or("")}
		if words.Template == "" { // the general settings say what is in its place
			words.HTML = now[ch.mail].HTML
		}
		if err := do(ch.mail, words); err != nil {
			return synerise.Member(err, map[string]string{"template": ch.member, "html": ch.member, "text": ch.member, "subject": ch.subjectMember})
		}
	}
	return nil
}

func (m Mails) readChosen(ctx context.Context, c *op.Call, in NewChosen) (template.Checked, error) {
	out, now := template.Checked{}, map[template.Mail]template.Words{}
	if err := c.Snapshot(ctx, func() (err error) {
		now, err = template.Mails(ctx, c, in.Workspace().ID)
		return err
	}); err != nil {
		return nil, err
	}
	return out, in.each(now, func(mail template.Mail, w template.Words) error {
		return m.Templates.PrepareWords(ctx, c, in.Workspace().ID, mail, w, out)
	})
}

// SetTemplates replaces in which words the workspace's mails go out; mails that wait to be sent go out in the new ones. A template that a mail
// cannot do with, since it would lack the mail's code or link, is refused. synerise.yaml, POST /sauth/settings/templates. Errors:
// message.override, template.changed, param.invalid for an id of no template.
func (m Mails) SetTemplates(ctx context.Context, c *op.Call, in NewChosen, done template.Checked) (Chosen, error) {
	now, err := template.Mails(ctx, c, in.Workspace().ID)
	if err == nil {
		err = in.each(now, func(mail template.Mail, w template.Words) error {
			return m.Templates.Choose(ctx, c, in.Workspace().ID, mail, w, done)
		})
	}
	if err != nil {
		return Chosen{}, err
	}
	return m.GetTemplates(ctx, c, Workspace{in.Here})
}
