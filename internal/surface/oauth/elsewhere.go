package oauth

import (
	"context"
	"time"

	"limen/internal/core/audit"
	"limen/internal/core/oauth"
	"limen/internal/op"
)

// elsewhere declares what clients ask that have no browser at hand: somebody decides elsewhere, and they ask again at Token.
func (o OAuth) elsewhere() []op.Op {
	spec := op.Spec{Allow: op.Anonymous, Effect: op.Write, Audit: audit.OAuthAuthorize, Rate: op.Guess, MaxBody: maxForm}
	device, back := spec, spec
	device.Path, device.Faults = "/OAuth2/DeviceAuthorization/{app_id}", append(faults, oauth.ErrFlow, oauth.ErrScope)
	back.Path = "/OAuth2/BackchannelAuthorize/{app_id}"
	back.Faults = append(faults, oauth.ErrFlow, oauth.ErrScope, oauth.ErrDenied, oauth.ErrUnknownUser, oauth.ErrBinding, oauth.ErrBusy)
	return []op.Op{
		op.Prepared(device, o.prepareDevice, o.DeviceAuthorization),
		op.Prepared(back, o.prepareBackchannel, o.BackchannelAuthorize),
	}
}

// offered is what the document of discovery says of an application that allows a flow.
func offered(a oauth.App, f oauth.Flow, at string) string {
	if !a.Profile.Allows(f) {
		return ""
	}
	return at
}

// DeviceRequest asks for codes for a device without a browser.
type DeviceRequest struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// ClientID names the client, where the header Authorization does not.
	ClientID string `json:"client_id"`
	// ClientSecret is its secret, where it has one and the header does not have it.
	ClientSecret string `json:"client_secret"`
	// Scope asked for, spaces between.
	Scope string `json:"scope"`

	sent
}

// Codes are what the device shows, and what it keeps (RFC 8628 section 3.2).
type Codes struct {
	DeviceCode string `json:"device_code"`
	// UserCode is eight letters with a hyphen between; it is read in any case and without the hyphen, too.
	UserCode        string `json:"user_code"`
	VerificationURI string `json:"verification_uri"`
	Complete        string `json:"verification_uri_complete"`
	ExpiresIn       int64  `json:"expires_in"` // seconds
	Interval        int64  `json:"interval"`   // seconds between two requests for the tokens
}

func (o OAuth) prepareDevice(ctx context.Context, c *op.Call, in DeviceRequest) (oauth.Ask, error) {
	return o.Server.PrepareDevice(ctx, c, in.App, in.authorization, in.params)
}

// DeviceAuthorization gives a device two codes: one that it shows, for somebody to bring to verification_uri, and one by which it asks
// at Token what they decided. Both are good for ten minutes, and once. The application must allow DeviceCode. RFC 8628 section 3.1.
func (o OAuth) DeviceAuthorization(ctx context.Context, c *op.Call, _ DeviceRequest, a oauth.Ask) (Codes, error) {
	d, err := o.Server.Device(ctx, c, a)
	return Codes{d.Code, d.UserCode, d.URI, d.Complete, int64(d.Life / time.Second), d.Pace}, err
}

// BackchannelRequest asks for somebody to be asked.
type BackchannelRequest struct {
	App string `json:"app_id"` // ServiceName of the application, in the path
	// ClientID names the client, where the header Authorization does not.
	ClientID string `json:"client_id"`
	// ClientSecret is its secret, where the header does not have it.
	ClientSecret string `json:"client_secret"`
	// Scope asked for, with openid.
	Scope string `json:"scope"`
	// LoginHint is the login name of whom is meant, where IDTokenHint is not given.
	LoginHint string `json:"login_hint"`
	// IDTokenHint is an ID token of whom is meant.
	IDTokenHint string `json:"id_token_hint"`
	// BindingMessage is shown to them, and by the client, so that they can tell that both are about the same; 100 characters.
	BindingMessage string `json:"binding_message"`
	// RequestedExpiry is for how many seconds they may think; 300 when absent, 600 at most.
	RequestedExpiry string `json:"requested_expiry"`
	// ClientNotificationToken is the bearer by which the client is told, where it wants to be (ping, push).
	ClientNotificationToken string `json:"client_notification_token"`
	// Request is all of this but the client's credentials, signed by the client.
	Request string `json:"request"`

	sent
}

// Asked is what the client asks at Token with (CIBA Core section 7.3).
type Asked struct {
	AuthReqID string `json:"auth_req_id"`
	ExpiresIn int64  `json:"expires_in"`         // seconds
	Interval  int64  `json:"interval,omitempty"` // seconds between two requests for the tokens; absent where they are pushed
}

func (o OAuth) prepareBackchannel(ctx context.Context, c *op.Call, in BackchannelRequest) (oauth.Backchannel, error) {
	return o.Server.PrepareBackchannel(ctx, c, in.App, in.authorization, in.params)
}

// BackchannelAuthorize has somebody asked who is not at the client: they find the request at /OAuth2/GetBackchannelRequests, and decide with
// /OAuth2/DecideBackchannelRequest. The client asks at Token (poll), or is told when to (ping), or is sent the tokens (push), as its
// backchannel_token_delivery_mode says. The application must allow CIBA. CIBA Core 1.0 section 7.
func (o OAuth) BackchannelAuthorize(ctx context.Context, c *op.Call, _ BackchannelRequest, b oauth.Backchannel) (Asked, error) {
	out, err := o.Server.Backchannel(ctx, c, b)
	return Asked{out.Handle, int64(out.Life / time.Second), out.Pace}, err
}

// BackchannelSupport is what the document of discovery says of it (CIBA Core section 4).
type BackchannelSupport struct {
	Backchannel      string   `json:"backchannel_authentication_endpoint,omitempty"`
	DeliveryModes    []string `json:"backchannel_token_delivery_modes_supported,omitempty"`
	BackchannelAlgs  []string `json:"backchannel_authentication_request_signing_alg_values_supported,omitempty"`
	BackchannelCodes bool     `json:"backchannel_user_code_parameter_supported,omitempty"`
}

func backchannelSupport(a oauth.App, at func(string) string) BackchannelSupport {
	if !a.Profile.Allows(oauth.BackchannelFlow) {
		return BackchannelSupport{}
	}
	return BackchannelSupport{at("BackchannelAuthorize"), []string{"poll", "ping", "push"}, a.Profile.ClientAlgorithms(), false}
}
