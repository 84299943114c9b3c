package identity

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"path"
	"reflect"
	"strings"

	"limen/internal/fault"
	"limen/internal/op"
)

// Bounds of a multipart request; its size is bounded by the operation's MaxBody.
const (
	maxParts = 100
	maxText  = 64 << 10
)

func isMultipart(contentType string) bool {
	return len(contentType) > 10 && strings.EqualFold(contentType[:10], "multipart/")
}

// uploads reads a multipart body: its texts become form values, its files the op.Upload fields of in. A field says
// which part it takes by a tag, form:"Icon", or takes a file of any name with form:"*"; a slice with form:"*" takes all of them.
func uploads(contentType string, body []byte, in any) (url.Values, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, fault.ErrMalformed.Say("The multipart request names no boundary.")
	}
	form := url.Values{}
	var files []part
	mr := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxParts {
		p, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			return form, place(files, in)
		}
		if err != nil {
			return nil, fault.ErrMalformed.Say("The multipart request cannot be read.").Because(err)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, fault.ErrMalformed.Say("The multipart request ends too early.").Because(err)
		}
		if p.FileName() == "" {
			if len(content) > maxText {
				return nil, fault.ErrTooLarge.At(p.FormName())
			}
			form.Add(p.FormName(), string(content))
			continue
		}
		files = append(files, part{p.FormName(), op.Upload{
			Name: path.Base(strings.ReplaceAll(p.FileName(), `\`, "/")),
			Type: p.Header.Get("Content-Type"), Body: content,
		}})
	}
	return nil, fault.ErrTooLarge.Say("The multipart request has more than %d parts.", maxParts)
}

// part is a file of a request, under the name of its field.
type part struct {
	field string
	file  op.Upload
}

var (
	uploadType  = reflect.TypeFor[op.Upload]()
	uploadsType = reflect.TypeFor[[]op.Upload]()
)

// place gives each field of in the file that it takes. A field that takes one is refused two.
func place(files []part, in any) error {
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type != uploadType && f.Type != uploadsType {
			continue
		}
		var fit []op.Upload
		want := f.Tag.Get("form")
		for _, p := range files {
			if want == "*" || strings.EqualFold(p.field, want) {
				fit = append(fit, p.file)
			}
		}
		switch {
		case len(fit) == 0:
		case f.Type == uploadsType:
			v.Field(i).Set(reflect.ValueOf(fit))
		case len(fit) > 1 && want == "*":
			return fault.ErrInvalid.At(f.Name).Say("One file is expected, %d were sent.", len(fit))
		case len(fit) > 1:
			return fault.ErrTwice.At(want).Say("The file %s is given twice.", want)
		default:
			v.Field(i).Set(reflect.ValueOf(fit[0]))
		}
	}
	return nil
}
