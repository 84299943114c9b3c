// Package library is the system library of the RPC dialect (files.yaml n 492): files that are part of the program and that pages of others load.
package library

import (
	"context"
	_ "embed" // the description of the operations
	"path"
	"strings"

	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/identity"
	"limen/web/login"
)

//go:embed swagger.json
var swagger []byte

// Description is the description of the dialect's operations (Swagger 2.0), which is generated.
func Description() login.File {
	return login.NewFile("/lib/api/swagger.json", "application/json; charset=utf-8", swagger)
}

// Library serves files.
type Library struct{ Files Shelf }

// Shelf has the files of the library by their paths, in lower case. It does not change.
type Shelf map[string]kept

// kept is a file that clients ask for again now and then, and one of a version, which never changes.
type kept struct {
	file, forever op.Document
	version       string
}

// How long clients keep a file: one that they name by its version for as long as they like.
const (
	aWhile  = "public, max-age=3600"
	forever = "public, max-age=31536000, immutable"
)

// NewShelf puts files into a library.
func NewShelf(files []login.File) Shelf {
	out := Shelf{}
	for _, f := range files {
		out[strings.ToLower(f.Path)] = kept{op.NewFile(f.Type, f.Body, aWhile), op.NewFile(f.Type, f.Body, forever), f.Version}
	}
	return out
}

// Find gives the file at a path below the library's root: in any case, and normalised. A version that is the file's own makes it one that clients keep.
func (s Shelf) Find(at, version string) (op.Document, bool) {
	at = path.Clean(strings.TrimLeft(at, "/"))
	f, ok := s["/"+strings.ToLower(at)]
	if version == f.version {
		return f.forever, ok
	}
	return f.file, ok
}

// Ops declares it.
func (l Library) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: identity.LibraryPath, Allow: op.Anonymous, Effect: op.Cached, Rate: op.Unruled, Faults: []*fault.Error{fault.ErrNoPath}}, l.File),
	}
}

// Wanted names a file.
type Wanted struct {
	// Path is the path of the file, which begins with lib; ".." may be in it and must not lead out of it.
	Path string `json:"path"`
	// Version is taken and needs not be there: where it is that of the file, clients may keep the file for good.
	Version string `json:"_ver"`
}

// File sends a file of the system library, to anybody. Upper and lower case are the same in its path. Answers have an entity tag, and may be kept for an
// hour. Scripts of the origins that the setting Customer.AllowCors names may read it. Errors: 404 path.unknown where there is none.
// Contract: files.yaml n 492.
func (l Library) File(_ context.Context, _ *op.Call, in Wanted) (op.Document, error) {
	f, ok := l.Files.Find(in.Path, in.Version)
	if !ok {
		return op.Document{}, fault.ErrNoPath
	}
	return f, nil
}
