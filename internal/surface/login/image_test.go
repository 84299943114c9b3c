package login_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/preference"
	"limen/web/login"
)

// begins types a name, and gives what the page of the next step shows.
func (b *browser) begins(name string) string {
	b.t.Helper()
	to := b.do("POST", "/login", url.Values{"user": {name}})
	b.do("GET", to, nil)
	b.sees(200, `type="password"`)
	return b.body
}

func (b *browser) gives(password string) string {
	b.t.Helper()
	b.do("POST", "/login/answer", url.Values{"mechanism": {b.field("mechanism")}, "answer": {password}})
	return b.body
}

// A person's image is shown where they have signed in before, whatever they answer, and nowhere else: it would tell who has an
// account, and to a page that asks us in their place it would give what makes it look like ours.
func TestSecurityImage(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		s.Do(t, audit.UserPreference, func(ctx context.Context, c *call.Call) error {
			return preference.Preferences{}.SaveImage(ctx, c, s.Admin.ID, "boat")
		})
		const image = `aria-label="Your security image: boat"`
		theirs, other := newBrowser(t, s), newBrowser(t, s)
		if strings.Contains(theirs.begins(s.Admin.Name), `class="image"`) {
			t.Error("an image is shown in a browser that nobody has signed in with")
		}
		if body := theirs.gives("wrong"); strings.Contains(body, `class="image"`) {
			t.Error("an image is shown after a wrong password")
		}
		theirs.gives(apptest.Password)
		if !strings.Contains(theirs.begins(s.Admin.Name), image) {
			t.Errorf("no image in the person's own browser:\n%s", theirs.body)
		}
		if body := theirs.gives("wrong"); !strings.Contains(body, image) {
			t.Errorf("no image after a slip:\n%s", body)
		}
		if strings.Contains(other.begins(s.Admin.Name), `class="image"`) || strings.Contains(theirs.begins(s.Plain.Name), `class="image"`) {
			t.Error("an image is shown in a browser, or of a person, of somebody else")
		}
	})
}

// Every image that may be chosen has a drawing of its own.
func TestImagesAreDrawn(t *testing.T) {
	p, err := login.Load()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, name := range preference.Images {
		page, err := p.Render([]string{"en"}, login.Brand{}, login.Step{Kind: login.Password, Image: name})
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(page), `class="image"`)
		_, rest, _ = strings.Cut(rest, `stroke-linejoin="round">`)
		drawing, _, _ := strings.Cut(rest, "</svg>")
		if twin := seen[drawing]; drawing == "" || twin != "" {
			t.Errorf("%s has no drawing of its own: %q, as %s", name, drawing, twin)
		}
		seen[drawing] = name
	}
}
