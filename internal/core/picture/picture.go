// Package picture keeps the pictures that a tenant's pages show, such as its logo. A picture is one that decodes from its first
// byte to its last, in a form that runs no script, and small enough for a page. Its path contains its hash: what is behind a
// path never changes.
package picture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"image"
	_ "image/gif"  // a format of logos
	_ "image/jpeg" // a format of logos
	_ "image/png"  // a format of logos
	"strings"

	"limen/internal/call"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Faults of pictures.
var (
	ErrForm     = fault.New(fault.Invalid, "picture.form", "A picture is given as data:image/png;base64,... and must be a PNG, JPEG or GIF that can be shown.")
	ErrLarge    = fault.New(fault.Invalid, "picture.large", "A picture may have 256 KB and 2000 by 2000 pixels.")
	ErrNotFound = fault.New(fault.NotFound, "picture.not_found", "There is no such picture.")
)

// Limits of a picture.
const (
	MaxBytes = 256 << 10
	maxSide  = 2000 // pixels
)

// Path is what the paths of pictures begin with.
const Path = "/picture/"

// Picture is one that was read and found to be one.
type Picture struct {
	ID   string
	Type string // media type
	Body []byte
}

// At is its path on every host of the tenant.
func (p Picture) At() string { return Path + p.ID }

// Read reads a picture from a data URL, "data:image/png;base64,...". What the URL says of the form is not believed. It takes
// as long as showing the picture does, so it belongs outside of transactions.
func Read(text string) (Picture, error) {
	head, rest, ok := strings.Cut(text, ";base64,")
	if !ok || !strings.HasPrefix(head, "data:image/") {
		return Picture{}, ErrForm
	}
	if len(rest) > base64.StdEncoding.EncodedLen(MaxBytes) {
		return Picture{}, ErrLarge
	}
	body, err := base64.StdEncoding.Strict().DecodeString(rest)
	if err != nil {
		return Picture{}, ErrForm.Because(err)
	}
	size, form, err := image.DecodeConfig(bytes.NewReader(body))
	switch {
	case err != nil:
		return Picture{}, ErrForm.Because(err)
	case len(body) > MaxBytes || size.Width > maxSide || size.Height > maxSide:
		return Picture{}, ErrLarge
	}
	if _, _, err := image.Decode(bytes.NewReader(body)); err != nil { // the size is known to be bearable
		return Picture{}, ErrForm.Because(err)
	}
	sum := sha256.Sum256(body)
	return Picture{ID: hex.EncodeToString(sum[:16]), Type: "image/" + form, Body: body}, nil
}

type row struct {
	Type string `db:"type"`
	Body []byte `db:"body"`
}

var (
	insert = dbx.E("picture.insert", `INSERT INTO picture (tenant, id, type, body, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, id) DO NOTHING`)
	find   = dbx.Q[row]("picture.find", `SELECT type, body FROM picture WHERE tenant = ? AND id = ?`)
	drop   = dbx.E("picture.drop", `DELETE FROM picture WHERE tenant = ? AND id <> ?`)
)

// Pictures are those of all tenants. Nothing has to be set.
type Pictures struct{}

// Put stores a picture; one that is there is no error.
func (Pictures) Put(ctx context.Context, c *call.Call, p Picture) error {
	_, err := insert.Do(ctx, c.Tx, c.Tenant.ID, p.ID, p.Type, p.Body, c.Now.UnixMilli())
	return err
}

// Find gives a picture by its id; ErrNotFound where there is none.
func (Pictures) Find(ctx context.Context, c *call.Call, id string) (Picture, error) {
	r, err := find.One(ctx, c.Tx, c.Tenant.ID, id)
	if errors.Is(err, dbx.ErrNoRow) {
		return Picture{}, ErrNotFound
	}
	return Picture{ID: id, Type: r.Type, Body: r.Body}, err
}

// Keep removes all pictures but that of a path; an empty path keeps none.
func (Pictures) Keep(ctx context.Context, c *call.Call, path string) error {
	_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, strings.TrimPrefix(path, Path))
	return err
}
