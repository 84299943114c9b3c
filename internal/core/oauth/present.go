package oauth

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"limen/internal/call"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// Presented is an authorization request as it came: what it asks for, and by which way it came.
type Presented struct {
	Params wire.Params `json:"params"`
	// Signed is the algorithm of the request object whose content the parameters are; empty: they are of none.
	Signed string `json:"signed,omitempty"`
	// Pushed is the request_uri under which the client has pushed it; empty: it came through the browser.
	Pushed string `json:"pushed,omitempty"`
	// Wide says that it came to the tenant's issuer.
	Wide bool `json:"wide,omitempty"`

	// Settled says that the person was asked for a further proof and could give none.
	Settled bool `json:"settled,omitempty"`

	wrong error // it cannot be believed; Params are then what the browser brought
}

// objectSkew is by how much a client's clock may differ.
const objectSkew = time.Minute

// Present reads an authorization request, outside transactions: it finds what was pushed before, or checks the request object. Of such a
// request nothing counts that the browser brings besides client_id (RFC 9101 section 6.3, RFC 9126 section 4), so that nobody on the way
// changes or adds anything. What is wrong is told by Request, which knows to whom.
func (s *Server) Present(ctx context.Context, c *call.Call, service string, p wire.Params) (Presented, error) {
	out := Presented{Params: p, Wide: service == ""}
	if p.Get("request") == "" && p.Get("request_uri") == "" {
		return out, nil
	}
	a, err := s.At(ctx, c, service, p.Get("client_id"))
	if err == nil {
		var r Registration
		if r, err = s.Registration(ctx, c, a, p.Get("client_id")); err == nil {
			out, err = s.present(ctx, c, a, r, p)
		}
	}
	out.Wide = service == ""
	if err == nil || errors.Is(err, ErrUnknownApp) || errors.Is(err, ErrClient) {
		return out, nil // Request finds out for itself
	}
	if f := fault.Of(Fault(err)); f.Kind != fault.Internal && f.Kind != fault.Unavailable {
		return Presented{Params: p, Wide: service == "", wrong: f}, nil
	}
	return Presented{}, err
}

func (s *Server) present(ctx context.Context, c *call.Call, a App, r Registration, p wire.Params) (Presented, error) {
	object, uri := p.Get("request"), p.Get("request_uri")
	switch {
	case object != "" && uri != "":
		return Presented{}, Fault(&wire.Error{Code: wire.InvalidRequest, Description: "request and request_uri go without each other"})
	case strings.HasPrefix(uri, wire.PushedPrefix):
		return s.pushed(ctx, c, a, r, uri)
	case uri != "":
		var err error
		if object, err = s.fetchObject(ctx, r, uri); err != nil {
			return Presented{}, err
		}
	}
	return s.object(ctx, c, a, r, object)
}

// object checks a request object.
func (s *Server) object(ctx context.Context, c *call.Call, a App, r Registration, object string) (Presented, error) {
	algs := only(a.Profile.algorithms(), r.RequestAlg)
	var o wire.Object
	err := s.withKeys(ctx, c, r, func(keys []jose.JSONWebKey) (err error) { o, err = wire.ReadObject(object, algs, keys); return err })
	if err == nil {
		err = o.For(r.ID, a.Issuer(c.Tenant.Host), c.Now, objectSkew, a.Profile.FAPI == MessageSigning)
	}
	if err != nil {
		return Presented{}, Fault(err)
	}
	o.Params["client_id"] = []string{r.ID}
	return Presented{Params: o.Params, Signed: string(o.Algorithm)}, nil
}

// only is what of algorithms has a name; all of them where it is empty.
func only(algs []jose.SignatureAlgorithm, name string) []jose.SignatureAlgorithm {
	return slices.DeleteFunc(slices.Clone(algs), func(a jose.SignatureAlgorithm) bool { return name != "" && string(a) != name })
}

// fetchObject gets a request object from where the client has registered that it lies (RFC 9101 section 5.2). Addresses that are not
// registered are never asked: they would let anybody choose what this server calls.
func (s *Server) fetchObject(ctx context.Context, r Registration, uri string) (string, error) {
	if s.Fetch == nil || !slices.Contains(r.RequestURIs, uri) {
		return "", Fault(&wire.Error{Code: wire.InvalidRequestURI, Description: "request_uri is not one that the client has registered"})
	}
	at, _, _ := strings.Cut(uri, "#")
	body, err := s.Fetch(ctx, at)
	if err != nil {
		return "", fault.New(fault.Invalid, Prefix+string(wire.InvalidRequestURI), "request_uri cannot be read").Because(err)
	}
	return strings.TrimSpace(string(body)), nil
}

// came is whether the request came by a way that the application and its client want.
func (r Request) came() error {
	no := func(why string) error { return Fault(&wire.Error{Code: wire.InvalidRequest, Description: why}) }
	p, way := r.App.Profile, r.Presented
	switch {
	case way.Pushed == "" && (p.Pushed || r.Client.PushedRequest || p.FAPI != ""):
		return no("this client must push its authorization requests")
	case way.Signed == "" && (r.Client.SignedRequest || p.FAPI == MessageSigning):
		return no("this client must sign its authorization requests")
	case way.Signed != "" && r.Client.RequestAlg != "" && r.Client.RequestAlg != way.Signed:
		return Fault(&wire.Error{Code: wire.InvalidRequestObject, Description: "the request object is signed with another algorithm than the client has registered"})
	}
	return r.fapi()
}
