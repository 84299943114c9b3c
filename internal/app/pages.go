package app

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"limen/internal/core/picture"
	"limen/internal/core/setting"
	"limen/internal/op"
	"limen/internal/surface/identity/authentication"
	"limen/internal/surface/login"
	pages "limen/web/login"
	"limen/web/page"
)

// pages writes pages; cookie is the name of the session's, for those that want to know who is signed in.
func (a *App) pages(cookie string) login.Codec {
	return login.Codec{Pages: a.Pages, Brand: a.brand, Cookie: cookie}
}

// brand is what a tenant's pages look like and say of it.
func (a *App) brand(ctx context.Context, c *op.Call) (pages.Brand, string, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil {
		return pages.Brand{}, "", err
	}
	out := pages.Brand{
		Product: "Limen", Tenant: cmp.Or(v.Company.Name, "Limen"), Support: v.Company.Support, Privacy: v.Company.Privacy, Terms: v.Company.Terms,
		Theme: theme(v), Languages: v.Theme.Languages, Greeting: v.Theme.Greeting, Sample: v.Theme.Sample,
	}
	if v.Theme.ShowBanner {
		out.Banner = v.Theme.Banner
	}
	return out, v.Language, nil
}

// embeds says whether pages of an origin may have the tenant's sign-in widget.
func (a *App) embeds(ctx context.Context, c *op.Call, origin string) (bool, error) {
	v, err := a.Values.Get(ctx, c)
	return err == nil && slices.Contains(v.Theme.Embedders, origin), err
}

// locales are the languages that a tenant's pages can be in.
func (a *App) locales(ctx context.Context, c *op.Call) ([]string, error) {
	v, err := a.Values.Get(ctx, c)
	if err != nil || len(v.Theme.Languages) > 0 {
		return v.Theme.Languages, err
	}
	return a.Pages.Languages(), nil
}

func theme(v *setting.Values) page.Theme {
	return page.Theme{Color: v.Theme.Color, Dark: v.Theme.DarkColor, Ground: v.Theme.Background, Logo: v.Theme.Logo}
}

// wireTheme has the settings refused with which a tenant's pages could not be read.
func (a *App) wireTheme() {
	a.Values.Fits = append(a.Values.Fits, readable)
	a.Values.Named[setting.ThemeLogo] = func(ctx context.Context, c *op.Call, path string) error {
		if _, err := (picture.Pictures{}).Find(ctx, c, strings.TrimPrefix(path, picture.Path)); err != nil {
			return setting.ErrValue.At(setting.ThemeLogo).Say("There is no picture %s.", path)
		}
		return nil
	}
	a.Values.Named[setting.ThemeLanguages] = func(_ context.Context, _ *op.Call, text string) error {
		have := a.Pages.Languages()
		for tag := range strings.SplitSeq(text, ",") {
			if !slices.Contains(have, tag) {
				return setting.ErrValue.At(setting.ThemeLanguages).Say("The pages have no language %s; they have %s.", tag, strings.Join(have, ", "))
			}
		}
		return nil
	}
}

// flawed are the settings of the colors that a theme may be refused for.
var flawed = map[string]string{"Color": setting.ThemeColor, "Dark": setting.ThemeDarkColor, "Ground": setting.ThemeBackground}

// readable says with which color text could not be read.
func readable(v *setting.Values) error {
	f := theme(v).Flaw()
	if f == nil {
		return nil
	}
	return setting.ErrValue.At(flawed[f.Field]).Say("The color of %s has a contrast of %.1f to %s; text needs %.1f.", flawed[f.Field], f.Contrast, f.On, page.Least)
}

// leaving are the cookies of a sign-out that an application asked for.
func leaving(c *op.Call) []*http.Cookie {
	return append(authentication.SignOut(c), login.Ended(c))
}
