package rpc

import (
	"bytes"
	"encoding/binary"
	"mime"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// decode gives the body as text. It is UTF-8, with or without a mark, whatever the header says, unless it cannot be:
// then UTF-16 with a mark is read, and Latin-1 where the header names it, as older PowerShell sends.
func decode(body []byte, contentType string) (string, error) {
	if utf8.Valid(body) {
		return string(body), nil
	}
	switch {
	case bytes.HasPrefix(body, []byte{0xFF, 0xFE}):
		return wide(body[2:], binary.LittleEndian), nil
	case bytes.HasPrefix(body, []byte{0xFE, 0xFF}):
		return wide(body[2:], binary.BigEndian), nil
	}
	_, params, _ := mime.ParseMediaType(contentType)
	switch strings.ToLower(params["charset"]) {
	case "iso-8859-1", "latin1":
		var b strings.Builder
		for _, c := range body {
			b.WriteRune(rune(c))
		}
		return b.String(), nil
	}
	at := 0
	for at < len(body) {
		r, n := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return "", &Error{Kind: Malformed, Text: "The body is not valid UTF-8.", Offset: int64(at)}
}

func wide(b []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		units = append(units, order.Uint16(b))
	}
	return string(utf16.Decode(units))
}
