package preference

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Images are the names of the security images that people may choose from. The sign-in pages have a drawing of each.
var Images = []string{"anchor", "bell", "boat", "house", "key", "leaf", "star", "tree"}

// imageName is the preference that holds a person's image.
const imageName = "SecurityImageName"

// ErrImage is for names of images that there are none of.
var ErrImage = fault.New(fault.Invalid, "preference.image", "There is no such image. Choose one of "+strings.Join(Images, ", ")+".")

var oneOf = dbx.Q[string]("preference.one", `SELECT value FROM user_preference WHERE tenant = ? AND user_id = ? AND name_key = ?`)

// isImage takes what Images names, and no name for none.
func isImage(v any) bool {
	s, ok := v.(string)
	return ok && (s == "" || slices.Contains(Images, s))
}

// Image gives the name of a person's security image; empty where they chose none.
func (Preferences) Image(ctx context.Context, c *call.Call, userID string) (name string, err error) {
	text, err := oneOf.One(ctx, c.Tx, c.Tenant.ID, userID, fold.Key(imageName))
	if errors.Is(err, dbx.ErrNoRow) {
		return "", nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(text), &name)
	}
	if !isImage(name) { // kept before there were images
		name = ""
	}
	return name, err
}

// SaveImage sets a person's security image; an empty name is none. Faults: ErrImage.
func (p Preferences) SaveImage(ctx context.Context, c *call.Call, userID, name string) error {
	name = strings.ToLower(strings.TrimSpace(name))
	if !isImage(name) {
		return ErrImage.At("imageName")
	}
	was, err := p.Image(ctx, c, userID)
	if err != nil {
		return err
	}
	if err := p.Merge(ctx, c, userID, map[string]any{imageName: name}); err != nil {
		return err
	}
	if c.Event != nil {
		call.Changed(c.Event, imageName, was, name)
	}
	return nil
}
