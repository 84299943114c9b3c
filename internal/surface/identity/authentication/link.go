package authentication

import (
	"context"
	"embed"
	"errors"
	"net/http"

	"limen/internal/core/login"
	"limen/internal/op"
	frame "limen/web/page"
)

// LinkRequest is a link that was sent by mail.
type LinkRequest struct {
	// Answer is the opaque value in the link, required.
	Answer string `json:"answer"`

	shows bool
}

// See notes whether the page is only to be shown.
func (r *LinkRequest) See(q *http.Request) {
	r.shows = q.Method == http.MethodGet || q.Method == http.MethodHead
}

// Effect is Read for the page, and Write for its button.
func (r *LinkRequest) Effect() op.Effect {
	if r.shows {
		return op.Read
	}
	return op.Write
}

func (a Authentication) ensureLink(ctx context.Context, c *op.Call, in LinkRequest) (op.None, error) {
	if in.shows {
		return op.None{}, nil
	}
	return op.None{}, a.Logins.Ensure(ctx, c.Tenant.ID)
}

//go:embed link.html
var files embed.FS

var pages = frame.Must(files)

type linkView struct {
	Ask, Done    bool
	Path, Answer string
	login.Asking
}

func page(code int, v linkView) (op.Page, error) {
	v.Path = login.LinkPath
	html, err := pages.Render("link", frame.Edge{Lang: "en", Dir: "ltr", Name: "Limen", Failed: !v.Ask && !v.Done}, v)
	return op.Page{HTML: html, Code: code, CSP: frame.CSP}, err
}

// AnswerOOBChallenge is where the link in a mail leads. Opened, it shows which sign-in is asked about and changes
// nothing, since mail scanners open links; its button answers the challenge, and the client that waits learns it at its
// next poll. A link that is unknown, used or expired shows the same page whoever it was for. Contract:
// authentication.yaml n 6.
func (a Authentication) AnswerOOBChallenge(ctx context.Context, c *op.Call, in LinkRequest, _ op.None) (op.Page, error) {
	if in.shows {
		asking, err := a.Logins.Link(ctx, c, in.Answer)
		if errors.Is(err, login.ErrLink) {
			return page(http.StatusNotFound, linkView{})
		}
		if err != nil {
			return op.Page{}, err
		}
		return page(http.StatusOK, linkView{Ask: true, Answer: in.Answer, Asking: asking})
	}
	err := a.Logins.Approve(ctx, c, in.Answer)
	if errors.Is(err, login.ErrLink) {
		c.Event.Outcome, c.Event.Reason = "refused", login.ErrLink.Code
		return page(http.StatusNotFound, linkView{})
	}
	if err != nil {
		return op.Page{}, err
	}
	return page(http.StatusOK, linkView{Done: true})
}
