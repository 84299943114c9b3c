package dev

import (
	"embed"

	"limen/web/page"
)

//go:embed outbox.html
var files embed.FS

var pages = page.Must(files)

// render shows messages, newest first. Mails are shown as text, so nothing of theirs runs or loads.
func render(messages []Message, to string) ([]byte, error) {
	return pages.Render("outbox", page.Edge{Lang: "en", Dir: "ltr", Name: "Limen", Broad: true, Foot: []page.Line{{Text: "First page", Link: "/"}}},
		map[string]any{"Messages": messages, "To": to})
}
