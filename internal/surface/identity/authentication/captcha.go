package authentication

import (
	"context"
	"net/http"

	"limen/internal/core/captcha"
	"limen/internal/op"
)

// Work hands out what browsers of strangers do before they may register. Like Discovery it has no envelope.
type Work struct{ Captchas *captcha.Captchas }

// Ops declares it.
func (w Work) Ops() []op.Op {
	return []op.Op{
		op.Prepared(op.Spec{Method: http.MethodGet, Path: "/Captcha/Challenge", Allow: op.Anonymous, Effect: op.Cached, Rate: op.Guess}, w.create, w.Challenge),
	}
}

func (w Work) create(ctx context.Context, c *op.Call, _ op.None) (captcha.Challenge, error) {
	return w.Captchas.New(ctx, c)
}

// Challenge gives work of the first format of ALTCHA, which its widgets and libraries do: find the number, at most maxnumber, for which the SHA-256 of salt
// and the number in decimals is challenge. The solution is the object with number in place of maxnumber, as base64 of JSON; it works once and for ten
// minutes. The setting Captcha.Work says how much it is.
func (Work) Challenge(_ context.Context, _ *op.Call, _ op.None, made captcha.Challenge) (op.JSON, error) {
	return op.JSON{Body: made}, nil
}
