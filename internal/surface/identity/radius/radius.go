// Package radius is the RPC dialect's operations on what a tenant set up for RADIUS (mfa.yaml n 68, 70 to 74 and 76): clients, which ask
// here who somebody is, and servers elsewhere, which are asked here.
package radius

import (
	"context"
	"strings"

	"limen/internal/core/audit"
	"limen/internal/core/radius"
	"limen/internal/core/right"
	"limen/internal/fault"
	"limen/internal/op"
)

// Radius is the operations.
type Radius struct{ Setup *radius.Setup }

// Ops declares them.
func (r Radius) Ops() []op.Op {
	rule := op.Has(right.RadiusManagement)
	read := func(path string) op.Spec { return op.Spec{Path: path, Allow: rule, Effect: op.Read} }
	write := func(path, event string, faults ...*fault.Error) op.Spec {
		return op.Spec{Path: path, Allow: rule, Effect: op.Write, Audit: event, Faults: append(faults, op.ErrDenied, fault.ErrMissing, fault.ErrInvalid)}
	}
	return []op.Op{
		op.New(read("/Core/GetRadiusClients"), r.GetRadiusClients),
		op.New(read("/Core/GetRadiusServers"), r.GetRadiusServers),
		op.New(op.Spec{Path: "/Core/GetRadiusUserIdentifierAttributes", Allow: rule, Effect: op.Cached}, r.GetRadiusUserIdentifierAttributes),
		op.Prepared(write("/Core/SetRadiusClient", audit.RadiusClient, radius.ErrNotFound, radius.ErrTaken, radius.ErrAddress, radius.ErrMany, radius.ErrProfile), r.sealClient, r.SetRadiusClient),
		op.Prepared(write("/Core/SetRadiusServer", audit.RadiusServer, radius.ErrNotFound, radius.ErrTaken, radius.ErrMany, radius.ErrLockout), r.sealServer, r.SetRadiusServer),
		op.New(write("/Core/RemoveRadiusClients", audit.RadiusClient), r.RemoveRadiusClients),
		op.New(write("/Core/RemoveRadiusServers", audit.RadiusServer, radius.ErrLockout), r.RemoveRadiusServers),
	}
}

// whole refuses callers who hold the right over some organizations alone: what is set up is everybody's.
func whole(c *op.Call) error {
	if !c.Grant.Everything() {
		return op.ErrDenied
	}
	return nil
}

// Client is a device or server that asks who somebody is.
type Client struct {
	// ID is its id, a UUID.
	ID string `json:"Id"`
	// Name is unique in the tenant, whatever its case.
	Name string `json:"Name"`
	// Description is for people.
	Description string `json:"Description"`
	// ClientHostOrIP is from where it asks: an address, a network in CIDR notation, or a host name.
	ClientHostOrIP string `json:"ClientHostOrIp"`
	// AuthProfile is the UUID of the authentication profile that its people pass where their policies name none; empty: none.
	AuthProfile string `json:"AuthProfile"`
	// AllowUnsigned says that its requests need no Message-Authenticator.
	AllowUnsigned bool `json:"AllowUnsigned"`
	// AllowMsChapV2 says that it may ask by MS-CHAP version 2 outside of TLS.
	AllowMsChapV2 bool `json:"AllowMsChapV2"`
	// RadSecAuthority is the authority that issued its certificate, as PEM, where it asks over TLS; empty: it asks by UDP.
	RadSecAuthority string `json:"RadSecAuthority"`
	// RadSecName is the name in that certificate.
	RadSecName string `json:"RadSecName"`
	// DisconnectPort is the UDP port at which it is told to end somebody's use of it whose access ends; 0: it is not.
	DisconnectPort int `json:"DisconnectPort"`
}

// GetRadiusClients lists the RADIUS clients, by their names. Secrets are never shown. mfa.yaml n 68.
func (r Radius) GetRadiusClients(ctx context.Context, c *op.Call, _ op.None) ([]Client, error) {
	if err := whole(c); err != nil {
		return nil, err
	}
	all, err := r.Setup.Clients(ctx, c)
	out := make([]Client, len(all))
	for i, k := range all {
		out[i] = Client{
			ID: k.ID, Name: k.Name, Description: k.Description, ClientHostOrIP: shown(k.Address), AuthProfile: k.Profile, AllowUnsigned: k.Unsigned,
			AllowMsChapV2: k.MSCHAP, RadSecAuthority: k.Authority, RadSecName: k.CertName, DisconnectPort: int(k.Disconnect),
		}
	}
	return out, err
}

// shown writes the network of one address as the address.
func shown(network string) string {
	at, bits, _ := strings.Cut(network, "/")
	if strings.Contains(at, ":") && bits == "128" || !strings.Contains(at, ":") && bits == "32" {
		return at
	}
	return network
}

// Server is one elsewhere that is asked.
type Server struct {
	// ID is its id, a UUID.
	ID string `json:"Id"`
	// Name is unique in the tenant, whatever its case. Servers are asked in the order of their names.
	Name string `json:"Name"`
	// Host is its name or address.
	Host string `json:"Host"`
	// Port is its UDP port.
	Port int `json:"Port"`
	// UserIdentifierAttribute is what of a person it knows them by, one of GetRadiusUserIdentifierAttributes.
	UserIdentifierAttribute string `json:"UserIdentifierAttribute"`
	// Timeout is for how many seconds its answer is waited for, before the next server is asked.
	Timeout int `json:"Timeout"`
	// AsksAboutAdministrators says whether it is asked about people with administrative rights, which it is once a system administrator
	// saves it.
	AsksAboutAdministrators bool `json:"AsksAboutAdministrators"`
}

// GetRadiusServers lists the RADIUS servers elsewhere, by their names. Secrets are never shown. mfa.yaml n 70.
func (r Radius) GetRadiusServers(ctx context.Context, c *op.Call, _ op.None) ([]Server, error) {
	if err := whole(c); err != nil {
		return nil, err
	}
	all, err := r.Setup.Servers(ctx, c)
	out := make([]Server, len(all))
	for i, s := range all {
		out[i] = Server{
			ID: s.ID, Name: s.Name, Host: s.Host, Port: int(s.Port), UserIdentifierAttribute: s.Names, Timeout: int(s.Wait), AsksAboutAdministrators: s.Trusted,
		}
	}
	return out, err
}

// GetRadiusUserIdentifierAttributes lists what of a person a RADIUS server elsewhere may know them by: Name and UserPrincipalName, the login
// name; Mail, the mail address; sAMAccountName, the login name up to its suffix. What people can change of themselves without proof is none
// of these. mfa.yaml n 71.
func (r Radius) GetRadiusUserIdentifierAttributes(_ context.Context, c *op.Call, _ op.None) ([]string, error) {
	return radius.Identifiers(), whole(c)
}
