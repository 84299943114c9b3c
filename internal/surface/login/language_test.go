package login_test

import (
	"slices"
	"strings"
	"testing"

	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/login"
	pages "limen/web/login"
)

// Everything that goes wrong on these pages is said in the reader's language. What an application's developers need to know is said
// in English, below sentences for people.
func TestFaultsAreTranslated(t *testing.T) {
	p, err := pages.Load()
	if err != nil {
		t.Fatal(err)
	}
	faults := map[string]*fault.Error{}
	for _, f := range []*fault.Error{fault.ErrInternal, op.ErrLimited, op.ErrNoTenant, op.ErrConflict, op.ErrTimeLimit, login.ErrForm} {
		faults[f.Code] = f
	}
	for _, o := range slices.Concat(login.Login{}.Ops(), login.SignIn{}.Ops(), login.Regain{}.Ops(), login.SignUp{}.Ops()) {
		for _, f := range o.Faults {
			faults[f.Code] = f
		}
	}
	if len(faults) < 20 {
		t.Fatalf("only %d faults", len(faults))
	}
	for _, lang := range p.Languages() {
		for code, f := range faults {
			if lang == "en" || strings.HasPrefix(code, "oauth.") {
				continue
			}
			html, err := p.Render([]string{lang}, pages.Brand{Product: "Limen"}, pages.Fault{Code: code, Reason: f.Public, ID: "1"})
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(html), "<p>"+f.Public+"</p>") {
				t.Errorf("%s says %s in English", lang, code)
			}
		}
	}
}
