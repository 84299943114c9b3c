package settings

import (
	"context"

	"limen/internal/core/demand"
	"limen/internal/core/template"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Ways in which people come to a workspace. Each shows first that their address is theirs.
const (
	byMail       = "REQUIRE_EMAIL_CONFIRMATION"
	byActivation = "REQUIRE_ACTIVATION"
)

func registration(d demand.Demand) string {
	if d.Entry.Activation {
		return byActivation
	}
	return byMail
}

// registers refuses ways in that there are not.
func registers(wish op.Opt[string]) error {
	const name = "registrationType"
	switch wish.Or("") {
	case "", byMail, byActivation:
		return nil
	case "AUTOMATIC":
		return fault.Bad(name, "cannot be AUTOMATIC: nobody comes to a workspace who has not shown that their address is theirs")
	case "PIN":
		return fault.Bad(name, "cannot be PIN: a few digits that open a workspace can be guessed")
	}
	return fault.Bad(name, "must be %s or %s", byMail, byActivation)
}

// General are settings of sign-ins. What is null is as the installation has it.
type General struct {
	// RegistrationType is REQUIRE_EMAIL_CONFIRMATION: who was invited is in with the link or the code of the mail; or REQUIRE_ACTIVATION: they are
	// not, until they are activated.
	RegistrationType string `json:"registrationType"`
	// TokenLifetimeInSeconds is how long a token for the workspace is good, and no longer than its session.
	TokenLifetimeInSeconds int `json:"tokenLifetimeInSeconds"`
	// ConfirmationMailTemplateID is the template of invitations, as in the settings of templates.
	ConfirmationMailTemplateID *string `json:"confirmationMailTemplateId"`
	// ConfirmationMailSubject is their subject.
	ConfirmationMailSubject *string `json:"confirmationMailSubject"`
	// ConfirmationMailBody is their HTML, where there is no template.
	ConfirmationMailBody *string `json:"confirmationMailBody"`
	// ConfirmationRedirectLink is null: who has accepted goes on where they are.
	ConfirmationRedirectLink *string `json:"confirmationRedirectLink"`
	// PasswordResetMailTemplateID is the template of mails with a code to replace a forgotten password.
	PasswordResetMailTemplateID *string `json:"passwordResetMailTemplateId"`
	// PasswordResetMailSubject is their subject.
	PasswordResetMailSubject *string `json:"passwordResetMailSubject"`
	// PasswordResetMailBody is their HTML, where there is no template.
	PasswordResetMailBody *string `json:"passwordResetMailBody"`
	// VoucherPoolUUID is null: there are no vouchers.
	VoucherPoolUUID *string `json:"voucherPoolUuid"`
	// AllowOverwriteCustomIdentify is false: there are no custom identifiers.
	AllowOverwriteCustomIdentify bool `json:"allowOverwriteCustomIdentify"`
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (s Settings) general(ctx context.Context, c *op.Call, at string, d demand.Demand) (General, error) {
	life, err := s.life(ctx, c, d)
	if err != nil {
		return General{}, err
	}
	of, err := template.Mails(ctx, c, at)
	confirm, reset := of[template.Confirmation], of[template.PasswordReset]
	return General{
		RegistrationType: registration(d), TokenLifetimeInSeconds: life,
		ConfirmationMailTemplateID: text(confirm.Template), ConfirmationMailSubject: text(confirm.Subject), ConfirmationMailBody: text(confirm.HTML),
		PasswordResetMailTemplateID: text(reset.Template), PasswordResetMailSubject: text(reset.Subject), PasswordResetMailBody: text(reset.HTML),
	}, err
}

// GetGeneral gives the general settings of sign-ins. synerise.yaml, GET /sauth/settings/general.
func (s Settings) GetGeneral(ctx context.Context, c *op.Call, in Workspace) (General, error) {
	d, err := s.Demands.Get(ctx, c, in.Workspace().ID)
	if err != nil {
		return General{}, err
	}
	return s.general(ctx, c, in.Workspace().ID, d)
}

// NewGeneral is the whole new state: what is not sent goes back to its default. Members that nothing could follow are refused.
type NewGeneral struct {
	synerise.Here
	// RegistrationType is REQUIRE_EMAIL_CONFIRMATION or REQUIRE_ACTIVATION, for who joins from now on; absent: the first. It can be neither
	// AUTOMATIC nor PIN.
	RegistrationType op.Opt[string] `json:"registrationType"`
	// TokenLifetimeInSeconds is how long a token for the workspace is good, 60 seconds to what Workspace.TokenMinutes says; null or absent:
	// that.
	TokenLifetimeInSeconds op.Opt[int] `json:"tokenLifetimeInSeconds"`
	// ConfirmationMailTemplateID is the id of one of the workspace's templates; null, empty or absent: none.
	ConfirmationMailTemplateID op.Opt[string] `json:"confirmationMailTemplateId"`
	// ConfirmationMailSubject is at most 500 bytes with placeholders; absent: the template's, or the installation's.
	ConfirmationMailSubject op.Opt[string] `json:"confirmationMailSubject"`
	// ConfirmationMailBody is HTML as templates have it, in their place; absent: the installation's.
	ConfirmationMailBody op.Opt[string] `json:"confirmationMailBody"`
	// ConfirmationRedirectLink cannot be set; null, empty or absent.
	ConfirmationRedirectLink op.Opt[string] `json:"confirmationRedirectLink"`
	// PasswordResetMailTemplateID is as that of invitations.
	PasswordResetMailTemplateID op.Opt[string] `json:"passwordResetMailTemplateId"`
	// PasswordResetMailSubject is as that of invitations.
	PasswordResetMailSubject op.Opt[string] `json:"passwordResetMailSubject"`
	// PasswordResetMailBody is as that of invitations.
	PasswordResetMailBody op.Opt[string] `json:"passwordResetMailBody"`
	// VoucherPoolUUID cannot be set.
	VoucherPoolUUID op.Opt[string] `json:"voucherPoolUuid"`
	// AllowOverwriteCustomIdentify cannot be true.
	AllowOverwriteCustomIdentify bool `json:"allowOverwriteCustomIdentify"`
}

// Check refuses what nothing would follow.
func (n *NewGeneral) Check() error {
	for name, both := range map[string][2]op.Opt[string]{
		"confirmationMailBody":  {n.ConfirmationMailTemplateID, n.ConfirmationMailBody},
		"passwordResetMailBody": {n.PasswordResetMailTemplateID, n.PasswordResetMailBody},
	} {
		if both[0].Or("") != "" && both[1].Or("") != "" {
			return fault.Bad(name, "cannot be set beside a template")
		}
	}
	switch {
	case n.ConfirmationRedirectLink.Or("") != "":
		return fault.Bad("confirmationRedirectLink", "cannot be set: who has accepted goes on where they are")
	case n.VoucherPoolUUID.Or("") != "":
		return fault.Bad("voucherPoolUuid", "cannot be set: there are no vouchers")
	case n.AllowOverwriteCustomIdentify:
		return fault.Bad("allowOverwriteCustomIdentify", "cannot be true: there are no custom identifiers")
	}
	if err := registers(n.RegistrationType); err != nil {
		return err
	}
	return lives(n.TokenLifetimeInSeconds)
}

// words does something with the words that are wanted for each mail.
func (n *NewGeneral) words(do func(m template.Mail, w template.Words) error) error {
	for _, m := range []struct {
		mail              template.Mail
		id, subject, body op.Opt[string]
		name              string
	}{
		{template.Confirmation, n.ConfirmationMailTemplateID, n.ConfirmationMailSubject, n.ConfirmationMailBody, "confirmationMail"},
		{template.PasswordReset, n.PasswordResetMailTemplateID, n.PasswordResetMailSubject, n.PasswordResetMailBody, "passwordResetMail"},
	} {
		err := do(m.mail, template.Words{Template: m.id.Or(""), Subject: m.subject.Or(""), HTML: m.body.Or("")})
		if err != nil {
			id, body := m.name+"TemplateId", m.name+"Body"
			if m.id.Or("") != "" {
				body = id
			}
			return synerise.Member(err, map[string]string{"template": id, "subject": m.name + "Subject", "html": body, "text": id})
		}
	}
	return nil
}

func (s Settings) readWords(ctx context.Context, c *op.Call, in NewGeneral) (template.Checked, error) {
	out := template.Checked{}
	return out, in.words(func(m template.Mail, w template.Words) error {
		return s.Templates.PrepareWords(ctx, c, in.Workspace().ID, m, w, out)
	})
}

// SetGeneral replaces the general settings of sign-ins: how people come to the workspace, how long its tokens are good that are made from now
// on, of people and of API keys, and in which words it invites and replaces passwords, which the settings of templates show as well.
// synerise.yaml, POST /sauth/settings/general. Errors: demand.life, message.override, template.changed.
func (s Settings) SetGeneral(ctx context.Context, c *op.Call, in NewGeneral, done template.Checked) (General, error) {
	at := in.Workspace().ID
	if err := in.words(func(m template.Mail, w template.Words) error { return s.Templates.Choose(ctx, c, at, m, w, done) }); err != nil {
		return General{}, err
	}
	if _, err := s.limit(ctx, c, at, in.TokenLifetimeInSeconds); err != nil {
		return General{}, err
	}
	d, err := s.Demands.Activate(ctx, c, at, in.RegistrationType.Or("") == byActivation)
	if err != nil {
		return General{}, err
	}
	return s.general(ctx, c, at, d)
}
