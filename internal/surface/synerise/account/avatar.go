package account

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"limen/internal/core/user"
	"limen/internal/op"
)

// picture is what is to become of the caller's: nothing, another one, or none.
type picture struct {
	given bool
	drawn *user.Picture // nil: none
}

// redraw reads the picture that was sent, and draws it anew.
func (a Account) redraw(_ context.Context, _ *op.Call, in Change) (picture, error) {
	out := picture{given: in.Avatar.Given()}
	text := in.Avatar.Or("")
	if text == "" {
		return out, nil
	}
	head, rest, ok := strings.Cut(text, ";base64,")
	if !ok || !strings.HasPrefix(head, "data:image/") || len(rest) > base64.StdEncoding.EncodedLen(user.MaxPicture) {
		return out, user.ErrPicture.At("avatar")
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(rest)
	if err != nil {
		return out, user.ErrPicture.At("avatar").Because(err)
	}
	made, err := user.Redraw(raw)
	if errors.Is(err, user.ErrPicture) {
		err = user.ErrPicture.At("avatar").Because(err)
	}
	out.drawn = &made
	return out, err
}

// setAvatar stores or removes the caller's picture.
func (a Account) setAvatar(ctx context.Context, c *op.Call, u user.User, to picture) error {
	switch {
	case !to.given:
		return nil
	case to.drawn != nil:
		c.Event.Set("Picture", to.drawn.Type)
		return a.People.SetPicture(ctx, c, u.ID, *to.drawn)
	}
	c.Event.Set("Picture", "")
	return a.People.DropPicture(ctx, c, u.ID)
}

// avatar is a person's picture as a data URL; nil where there is none.
func (a Account) avatar(ctx context.Context, c *op.Call, u user.User) (*string, error) {
	p, err := a.People.Picture(ctx, c, u.ID)
	if errors.Is(err, user.ErrNoPicture) {
		return nil, nil
	}
	return new("data:" + p.Type + ";base64," + base64.StdEncoding.EncodeToString(p.Body)), err
}
