package setting

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"limen/internal/wire/oauth"
)

// Theme is what the tenant's pages look like and say besides what every page says. Whether text can be read in its colors is
// for Store.Fits to say.
type Theme struct {
	Color      string   // "#rrggbb" of buttons and links by day; empty: the program's
	DarkColor  string   // the same by night
	Background string   // "#rrggbb" behind everything by day
	Logo       string   // path of a picture of the tenant (core/picture); empty: the program's sign
	Languages  []string // BCP 47 tags of the languages that pages may be in; none: all that there are
	Greeting   string   // on the first step of a sign-in
	Banner     string   // what must be known before signing in
	ShowBanner bool
	Sample     string // what a user name looks like
	// Embedders are the origins whose pages may have the sign-in widget.
	Embedders []string
}

// Names of settings that others check or store.
const (
	ThemeColor      = "Theme.Color"
	ThemeDarkColor  = "Theme.DarkColor"
	ThemeBackground = "Theme.Background"
	ThemeLogo       = "Theme.Logo"
	ThemeLanguages  = "Theme.Languages"
)

var themeKeys = []Key{
	text(ThemeColor, "", 7, "Color of buttons and links on the sign-in pages, as #1d5aa6. White text on it, and it on the background, must have a contrast of 4.5.",
		func(v *Values) *string { return &v.Theme.Color }, isForm(color, "a color as #1d5aa6")),
	text(ThemeDarkColor, "", 7, "The same where people's devices are set to dark; by itself a lighter form of Theme.Color.",
		func(v *Values) *string { return &v.Theme.DarkColor }, isForm(color, "a color as #1d5aa6")),
	text(ThemeBackground, "", 7, "Color behind the sign-in pages, as #f2f4f7. Dark text on it must have a contrast of 4.5. Dark devices keep their own.",
		func(v *Values) *string { return &v.Theme.Background }, isForm(color, "a color as #1d5aa6")),
	text(ThemeLogo, "", 100, "Path of the logo on the sign-in pages; /TenantConfig/SetCustomerConfig stores pictures.",
		func(v *Values) *string { return &v.Theme.Logo }, isForm(picture, "the path of a picture that was stored, /picture/ and its id")),
	languages(ThemeLanguages, "Languages that the sign-in pages may be in, as tags with commas between, the first for everybody else; by itself all.",
		func(v *Values) *[]string { return &v.Theme.Languages }),
	origins("Customer.AllowCors", "Origins whose pages may have the sign-in widget, as a JSON list.", func(v *Values) *[]string { return &v.Theme.Embedders }),
	text("Theme.Greeting", "", 500, "Sentence on the first step of a sign-in.", func(v *Values) *string { return &v.Theme.Greeting }),
	boolean("Theme.ShowBanner", false, "Show Theme.Banner.", func(v *Values) *bool { return &v.Theme.ShowBanner }),
	text("Theme.Banner", "", 4000, "What people must know before they sign in.", func(v *Values) *string { return &v.Theme.Banner }),
	text("Theme.SampleName", "", 200, "What a user name looks like, below its field.", func(v *Values) *string { return &v.Theme.Sample }, oneLine),
	text("Company.Privacy", "", 500, "Web address of what is said on privacy.", func(v *Values) *string { return &v.Company.Privacy }, isURL),
	text("Company.Terms", "", 500, "Web address of the terms of use.", func(v *Values) *string { return &v.Company.Terms }, isURL),
}

var (
	color   = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`).MatchString
	picture = regexp.MustCompile(`^/picture/[0-9a-f]{32}$`).MatchString
)

// maxLanguages bounds a list of languages.
const maxLanguages = 30

// languages is a list of tags with commas between, which are stored in their usual form.
func languages(name, meaning string, at func(*Values) *[]string) Key {
	return Key{Name: name, Kind: "text", Max: 500, Meaning: meaning, set: func(v *Values, text string) (string, error) {
		var out []string
		for tag := range strings.SplitSeq(text, ",") {
			if tag = strings.TrimSpace(tag); tag == "" {
				continue
			}
			t, err := language.Parse(tag)
			if err != nil || len(out) == maxLanguages {
				return "", errors.New("must be language tags with commas between, as en, de, pt")
			}
			if tag = t.String(); !slices.Contains(out, tag) {
				out = append(out, tag)
			}
		}
		*at(v) = out
		return strings.Join(out, ","), nil
	}}
}

// maxOrigins bounds a list of origins.
const maxOrigins = 100

// origins is a JSON list of the origins of web pages, as browsers write them.
func origins(name, meaning string, at func(*Values) *[]string) Key {
	return Key{Name: name, Kind: "text", Max: 50_000, Meaning: meaning, set: func(v *Values, text string) (string, error) {
		var out []string
		if text = strings.TrimSpace(text); text != "" && (json.Unmarshal([]byte(text), &out) != nil || len(out) > maxOrigins) {
			return "", errors.New(`must be a JSON list of at most 100 origins, as ["https://app.example.com"]`)
		}
		for _, origin := range out {
			if oauth.CheckOrigin(origin) != nil {
				return "", errors.New("must be origins, as https://app.example.com or https://app.example.com:8443: in lower case, without a path, and with https unless it is this computer")
			}
		}
		*at(v) = out
		if len(out) == 0 {
			return "", nil
		}
		stored, err := json.Marshal(out)
		return string(stored), err
	}}
}
