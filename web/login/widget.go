package login

import (
	"crypto/sha256"
	_ "embed" // the widget's own files
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"limen/web/page"
)

//go:embed widget/login.js
var widgetScript string

//go:embed widget/login.css
var widgetStyle string

// WidgetFolder is where the files of the sign-in widget lie: pages of applications name them, and they do not move.
const WidgetFolder = "/lib/uibuild/standalonelogin/"

// File is one that others load.
type File struct {
	Path    string
	Type    string // media type
	Body    []byte
	Version string // of the body
}

// NewFile is one with the version that its body makes.
func NewFile(path, kind string, body []byte) File {
	sum := sha256.Sum256(body)
	return File{path, kind, body, base64.RawURLEncoding.EncodeToString(sum[:9])}
}

// spoken is what the widget says in one language.
type spoken struct {
	Tag       string            `json:"tag"`
	Direction string            `json:"direction"`
	Sentences map[string]string `json:"sentences"`
}

// sentence finds what may be the key of a sentence in the widget's script.
var sentence = regexp.MustCompile(`"([a-z_]+(?:\.[a-z_]+)+)"`)

// spoken picks the sentences that the script names.
func (w *words) spoken() spoken {
	out := spoken{w.tag.String(), w.Direction, map[string]string{}}
	for _, m := range sentence.FindAllStringSubmatch(widgetScript, -1) {
		if text := w.Sentences[m[1]]; text != "" {
			out.Sentences[m[1]] = text
		}
	}
	return out
}

// Widget makes the files of the sign-in widget, which pages of applications load: its script, with the sentences of the language of last resort,
// its style, which is that of the pages, and the sentences of each further language.
func (p *Pages) Widget(folder string) ([]File, error) {
	type language struct {
		Tag     string `json:"tag"`
		Version string `json:"version"`
	}
	built := struct {
		At        string     `json:"at"`
		Words     spoken     `json:"words"`
		Languages []language `json:"languages"`
	}{At: folder + WidgetFolder}
	var out []File
	for i, w := range p.langs {
		say := w.spoken()
		body, err := json.Marshal(say)
		if err != nil {
			return nil, err
		}
		f := NewFile(WidgetFolder+strings.ToLower(say.Tag)+".json", "application/json; charset=utf-8", body)
		if i == 0 {
			built.Words = say
		}
		built.Languages = append(built.Languages, language{say.Tag, f.Version})
		out = append(out, f)
	}
	raw, err := json.Marshal(built)
	if err != nil {
		return nil, err
	}
	script := strings.Replace(widgetScript, "const built = BUILT;", "const built = "+string(raw)+";", 1)
	if script == widgetScript {
		return nil, fmt.Errorf("login: widget/login.js has no place for its sentences")
	}
	return append(out, NewFile(WidgetFolder+"login.js", "text/javascript; charset=utf-8", []byte(script)),
		NewFile(WidgetFolder+"css/login.css", "text/css; charset=utf-8", []byte(page.Within(".limen-login", widgetStyle)))), nil
}
