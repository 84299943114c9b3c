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
// which part it takes by a tag, form:"Icon", or takes a file of any name with form:"*".
func uploads(contentType string, body []byte, in any) (url.Values, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, fault.ErrMalformed.Say("The multipart request names no boundary.")
	}
	form := url.Values{}
	files := map[string]op.Upload{}
	mr := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxParts {
		part, err := mr.NextPart()
		if errors.Is(err, io.EOF) {
			return form, place(files, in)
		}
		if err != nil {
			return nil, fault.ErrMalformed.Say("The multipart request cannot be read.").Because(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return nil, fault.ErrMalformed.Say("The multipart request ends too early.").Because(err)
		}
		if part.FileName() == "" {
			if len(content) > maxText {
				return nil, fault.ErrTooLarge.At(part.FormName())
			}
			form.Add(part.FormName(), string(content))
			continue
		}
		name := strings.ToLower(part.FormName())
		if _, twice := files[name]; twice {
			return nil, fault.ErrTwice.At(part.FormName()).Say("The file %s is given twice.", part.FormName())
		}
		files[name] = op.Upload{
			Name: path.Base(strings.ReplaceAll(part.FileName(), `\`, "/")),
			Type: part.Header.Get("Content-Type"), Body: content,
		}
	}
	return nil, fault.ErrTooLarge.Say("The multipart request has more than %d parts.", maxParts)
}

var uploadType = reflect.TypeFor[op.Upload]()

func place(files map[string]op.Upload, in any) error {
	v := reflect.ValueOf(in).Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Type != uploadType {
			continue
		}
		want := strings.ToLower(f.Tag.Get("form"))
		for name, file := range files {
			if name == want || want == "*" && len(files) == 1 {
				v.Field(i).Set(reflect.ValueOf(file))
			}
		}
		if want == "*" && len(files) > 1 {
			return fault.ErrInvalid.At(f.Name).Say("One file is expected, %d were sent.", len(files))
		}
	}
	return nil
}
