package mails

import (
	"context"

	"limen/internal/core/template"
	"limen/internal/op"
	"limen/internal/surface/synerise"
	wire "limen/internal/wire/synerise"
)

// Text is a template of the workspace.
type Text struct {
	// ID is the template's id, a UUID.
	ID string `json:"id"`
	// Name is its name.
	Name string `json:"name"`
	// Subject is the mail's subject; empty: the installation's.
	Subject string `json:"subject"`
	// HTML is the mail as HTML.
	HTML string `json:"html"`
	// Text is the mail for programs that show no HTML; empty: the installation's.
	Text string `json:"text"`
	// Changed is when it was written, ISO 8601.
	Changed *string `json:"changed"`
}

func shown(x template.Template) Text {
	return Text{x.ID, x.Name, x.Subject, x.HTML, x.Plain, wire.Moment(x.Changed)}
}

// Texts are a workspace's templates.
type Texts struct {
	// Data are all of them by name, at most 50.
	Data []Text `json:"data"`
}

// ListMails lists the workspace's mail templates. An addition to the contract, which does not tell where templates come from.
func (m Mails) ListMails(ctx context.Context, c *op.Call, in Workspace) (Texts, error) {
	all, err := template.List(ctx, c, in.Workspace().ID)
	out := Texts{Data: []Text{}}
	for _, x := range all {
		out.Data = append(out.Data, shown(x))
	}
	return out, err
}

// Wording is what a template says.
type Wording struct {
	// Name is required, and unique in the workspace, whatever its case; 1 to 100 characters.
	Name string `json:"name"`
	// Subject is at most 500 bytes; absent: the installation's.
	Subject string `json:"subject"`
	// HTML is required; at most 48 KiB. It is made of plain elements and their looks, without pictures, scripts, styles of its own or comments; a
	// link leads to {{.Link}} and nowhere else, and no other address stands in it.
	HTML string `json:"html"`
	// Text is at most 48 KiB; absent: the installation's.
	Text string `json:"text"`
}

func (w Wording) template() template.Template {
	return template.Template{Name: w.Name, Subject: w.Subject, HTML: w.HTML, Plain: w.Text}
}

// NewText is a template to be made.
type NewText struct {
	synerise.Here
	Wording
}

func (m Mails) readNew(ctx context.Context, c *op.Call, in NewText) (template.Checked, error) {
	return m.Templates.Prepare(ctx, c, in.Workspace().ID, "", in.template())
}

// CreateMail makes a mail template. Placeholders such as {{.Name}}, {{.Tenant}} and {{.Code}} show what the mail has; {{if .Link}} ... {{else}} ...
// {{end}} asks whether it has it. Values are escaped where they stand. An addition to the contract. Errors: template.name, template.name_taken,
// template.many, template.long, message.override with the line and the reason.
func (m Mails) CreateMail(ctx context.Context, c *op.Call, in NewText, done template.Checked) (Text, error) {
	x, err := m.Templates.Create(ctx, c, in.Workspace().ID, in.template(), done)
	return shown(x), err
}

// Ref names a template of the workspace.
type Ref struct {
	synerise.Here
	// TemplateID is the template's id.
	TemplateID string `json:"templateId"`
}

// Rewording replaces what a template says.
type Rewording struct {
	Ref
	Wording
}

func (m Mails) readChanged(ctx context.Context, c *op.Call, in Rewording) (template.Checked, error) {
	return m.Templates.Prepare(ctx, c, in.Workspace().ID, in.TemplateID, in.template())
}

// ChangeMail replaces a mail template whole. What would break a mail that uses it is refused. An addition to the contract. Errors: those of
// making one, template.not_found, template.changed.
func (m Mails) ChangeMail(ctx context.Context, c *op.Call, in Rewording, done template.Checked) (Text, error) {
	x, err := m.Templates.Change(ctx, c, in.Workspace().ID, in.TemplateID, in.template(), done)
	return shown(x), err
}

// DeleteMail deletes a mail template that no mail uses. An addition to the contract. Errors: template.not_found, template.used.
func (m Mails) DeleteMail(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, m.Templates.Delete(ctx, c, in.Workspace().ID, in.TemplateID)
}
