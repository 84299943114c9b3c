package users

import (
	"context"

	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// NewPicture is a picture to be set.
type NewPicture struct {
	// ID is the user's UUID or login name; the caller's own when absent.
	ID string `json:"ID" also:"Uuid"`
	// Picture is the file part of the multipart request, under any name: PNG, JPEG or GIF of at most 512 KB.
	Picture op.Upload `json:"-" form:"*"`
	person
}

// Check wants a file.
func (p *NewPicture) Check() error {
	if len(p.Picture.Body) == 0 {
		return fault.Missing("Picture")
	}
	return nil
}

// Resolve finds the user.
func (p *NewPicture) Resolve(ctx context.Context, c *op.Call) error { return p.find(ctx, c, p.ID) }

func (u Users) redraw(_ context.Context, _ *op.Call, in NewPicture) (user.Picture, error) {
	return user.Redraw(in.Picture.Body)
}

// SetUserPicture sets a user's picture and returns its path below the tenant's URL.
//
// The picture is decoded and encoded anew, so that nothing but its pixels is kept. users.yaml n 118.
func (u Users) SetUserPicture(ctx context.Context, c *op.Call, in NewPicture, pic user.Picture) (string, error) {
	if err := u.guard(ctx, c, in.found.ID); err != nil {
		return "", err
	}
	return "/UserMgmt/GetUserPicture?id=" + in.found.ID, u.People.SetPicture(ctx, c, in.found.ID, pic)
}
