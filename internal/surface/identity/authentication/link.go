package authentication

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"

	"limen/internal/core/login"
	"limen/internal/op"
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

var linkPage = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="robots" content="noindex"><title>Sign-in</title></head>
<body>
<main>
{{if .Ask}}<h1>Is it you who is signing in?</h1>
<p>Somebody is signing in as <strong>{{.Login}}</strong> from the address {{.IP}}{{with .Agent}} with {{.}}{{end}}.</p>
<form method="post" action="{{.Path}}"><input type="hidden" name="answer" value="{{.Answer}}"><button type="submit">Yes, sign in there</button></form>
<p>If it is not you, close this page and change your password.</p>
{{else if .Done}}<h1>Confirmed</h1>
<p>Go on where you are signing in. You may close this page.</p>
{{else}}<h1>This link is not valid any more</h1>
<p>It was used, or its time is over. Start the sign-in again.</p>
{{end}}</main>
</body>
</html>`))

type linkView struct {
	Ask, Done    bool
	Path, Answer string
	login.Asking
}

func page(code int, v linkView) (op.Page, error) {
	v.Path = login.LinkPath
	var b bytes.Buffer
	err := linkPage.Execute(&b, v)
	return op.Page{HTML: b.Bytes(), Code: code}, err
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
