package login

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"

	"limen/internal/core/picture"
	"limen/internal/core/setting"
	"limen/internal/core/widget"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// Widgets are the pages of the tenant's sign-in widgets.
type Widgets struct {
	Widgets  widget.Widgets
	Pictures picture.Pictures
	Settings *setting.Store
}

// ErrResource is for addresses to land at: applications allow none yet but their own.
var ErrResource = fault.New(fault.Invalid, "widget.resource", "The application of this widget allows no other address to land at.")

// Ops declares them.
func (w Widgets) Ops() []op.Op {
	return []op.Op{op.New(op.Spec{
		Path: "/Widget/GetAuthWidgetAsPage", Methods: []string{http.MethodGet}, Allow: op.Anonymous, Effect: op.Read,
		Faults: []*fault.Error{widget.ErrNotFound, widget.ErrOff, ErrResource, ErrElsewhere},
	}, w.GetAuthWidgetAsPage)}
}

// WidgetQuery names a widget.
type WidgetQuery struct {
	// ID is the UUID of the widget, required.
	ID string `json:"widgetId"`
	// User is the login name to begin with; absent: it is asked for. 512 bytes.
	User string `json:"username"`
	// Resource is refused: people go on to the widget's application.
	Resource string `json:"resourceUrl"`
}

// tenantConfig is what the page knows of the tenant.
type tenantConfig struct {
	PortalImage           string `json:"PortalImage"` // data URI; empty: none
	WelcomeMessage        string `json:"WelcomeMessage"`
	ForgotUsernameAllowed bool   `json:"ForgotUsernameAllowed"`
	LoginImage            string `json:"LoginImage"` // path
}

// serverConfig is what the page knows besides.
type serverConfig struct {
	LoginImage                 string `json:"LoginImage"`
	EnableLoginBannerFeature   string `json:"EnableLoginBannerFeature"` // true or false
	CustomerLoginBannerMessage string `json:"CustomerLoginBannerMessage"`
	TermsOfUseLink             string `json:"TermsOfUseLink"`
	PrivacyPolicyLink          string `json:"PrivacyPolicyLink"`
	LoginSampleText            string `json:"LoginSampleText"`
	Locale                     string `json:"Locale"`
	ResourceBase               string `json:"ResourceBase"`
}

// GetAuthWidgetAsPage is the tenant's own page with one of its sign-in widgets. It has two objects for whoever reads it, AuthData and ServerConfig, and
// leads on to the widget's application; where it has none, to the page that says who is signed in. Pages of the origins that the setting
// Customer.AllowCors names may show it in a frame, and no others. Errors, each as a page: widget.not_found, widget.off, widget.resource.
// Contract: files.yaml n 493.
func (w Widgets) GetAuthWidgetAsPage(ctx context.Context, c *op.Call, in WidgetQuery) (login.Widget, error) {
	if len(in.ID) > maxWidgetID {
		return login.Widget{}, widget.ErrNotFound
	}
	one, err := w.Widgets.Open(ctx, c, in.ID)
	if err != nil {
		return login.Widget{}, err
	}
	if in.Resource != "" {
		return login.Widget{}, ErrResource
	}
	v, err := w.Settings.Get(ctx, c)
	if err != nil {
		return login.Widget{}, err
	}
	image, err := w.image(ctx, c, v.Theme.Logo)
	if err != nil {
		return login.Widget{}, err
	}
	out := login.Widget{ID: one.ID, App: one.App, Known: true, In: signedIn(c), Embedders: v.Theme.Embedders}
	if len(in.User) <= maxName {
		out.User = strings.TrimSpace(in.User)
	}
	out.Tenant = tenantConfig{image, v.Theme.Greeting, v.RemindNames, v.Theme.Logo}
	out.Server = about(v)
	return out, nil
}

// maxWidgetID bounds the id of a widget, in bytes.
const maxWidgetID = 64

func about(v *setting.Values) serverConfig {
	out := serverConfig{
		LoginImage: v.Theme.Logo, EnableLoginBannerFeature: "false", TermsOfUseLink: v.Company.Terms, PrivacyPolicyLink: v.Company.Privacy,
		LoginSampleText: v.Theme.Sample, Locale: v.Language, ResourceBase: "/vfslow/lib/ui/",
	}
	if v.Theme.ShowBanner {
		out.EnableLoginBannerFeature, out.CustomerLoginBannerMessage = "true", v.Theme.Banner
	}
	return out
}

// image is a stored picture as a data URI; empty where there is none.
func (w Widgets) image(ctx context.Context, c *op.Call, path string) (string, error) {
	id, ok := strings.CutPrefix(path, picture.Path)
	if !ok {
		return "", nil
	}
	p, err := w.Pictures.Find(ctx, c, id)
	if errors.Is(err, picture.ErrNotFound) {
		return "", nil
	}
	return "data:" + p.Type + ";base64," + base64.StdEncoding.EncodeToString(p.Body), err
}
