package radius

import (
	"context"
	"strings"

	"limen/internal/core/radius"
	"limen/internal/fault"
	"limen/internal/op"
)

// NewClient is a client as it is to be. What is absent of one that exists stays as it is.
type NewClient struct {
	// ID is the client to be changed; absent or empty: a new one.
	ID string `json:"Id"`
	// Name is its name, required, unique in the tenant whatever its case; 200 bytes.
	Name string `json:"Name"`
	// Description is for people; 1000 bytes.
	Description op.Opt[string] `json:"Description"`
	// ClientHostOrIP is from where it asks, required: an address, a network in CIDR notation of at least 8 bits, or 32 of IPv6, or a host
	// name, which is looked up each minute while somebody asks.
	ClientHostOrIP string `json:"ClientHostOrIp"`
	// Secret is what the client and the server share, 16 to 128 bytes; required of a new client that asks by UDP. One that asks over TLS shares
	// "radsec" without it. Absent or empty keeps the stored one.
	Secret string `json:"Secret"`
	// AuthProfile is the UUID of the authentication profile that its people pass where their policies name none; empty: none.
	AuthProfile op.Opt[string] `json:"AuthProfile"`
	// AllowUnsigned takes requests without Message-Authenticator, of devices that cannot send one: whoever is on the way can change such
	// requests. False when absent, and refused of a client with a host name.
	AllowUnsigned op.Opt[bool] `json:"AllowUnsigned"`
	// AllowMsChapV2 lets the client ask by MS-CHAP version 2 outside of TLS, for people's network passwords (Radius.NetworkPasswords): whoever reads
	// one exchange on the way can find the password. False when absent.
	AllowMsChapV2 op.Opt[bool] `json:"AllowMsChapV2"`
	// RadSecAuthority has the client ask over TLS (RadSec), and not by UDP: it is the authority that issues its certificate, as PEM up to the root,
	// of 32 KiB. Empty: it asks by UDP.
	RadSecAuthority op.Opt[string] `json:"RadSecAuthority"`
	// RadSecName is the name in the client's certificate, a host name or an address; required beside RadSecAuthority.
	RadSecName op.Opt[string] `json:"RadSecName"`
	// DisconnectPort is the UDP port, 3799 as a rule, at which the device is told to end the use of it by people whose access ends (RFC 5176), as
	// far as it tells by accounting who uses it; 0: it is not told. Refused beside RadSecAuthority.
	DisconnectPort op.Opt[int] `json:"DisconnectPort"`
}

// Check wants name and address.
func (n *NewClient) Check() error {
	if strings.TrimSpace(n.Name) == "" {
		return fault.Missing("Name")
	}
	if strings.TrimSpace(n.ClientHostOrIP) == "" {
		return fault.Missing("ClientHostOrIp")
	}
	return nil
}

// given is the value that was sent, an empty one for null; nil where none was.
func given[T any](o op.Opt[T]) *T {
	if !o.Given() {
		return nil
	}
	var none T
	v := o.Or(none)
	return &v
}

func (r Radius) sealClient(ctx context.Context, c *op.Call, in NewClient) (radius.ReadyClient, error) {
	if err := whole(c); err != nil {
		return radius.ReadyClient{}, err
	}
	return r.Setup.PrepareClient(ctx, c, radius.ClientWish{
		ID: in.ID, Name: in.Name, Description: given(in.Description), Address: in.ClientHostOrIP, Profile: given(in.AuthProfile),
		Unsigned: given(in.AllowUnsigned), MSCHAP: given(in.AllowMsChapV2),
		Authority: given(in.RadSecAuthority), CertName: given(in.RadSecName), Disconnect: given(in.DisconnectPort), Secret: in.Secret,
	})
}

// SetRadiusClient makes or changes a RADIUS client, and returns its id. The secret is kept sealed.
//
// A client is known by the address that its packets come from, and by the secret: of several networks that have the address the one whose
// secret the packet was made with counts. The listener knows of the change within a second. Errors: radius.not_found, radius.name_taken,
// radius.address_taken, radius.profile, radius.many, and those of parameters. mfa.yaml n 74.
func (r Radius) SetRadiusClient(ctx context.Context, c *op.Call, _ NewClient, ready radius.ReadyClient) (string, error) {
	return r.Setup.SaveClient(ctx, c, ready)
}

// NewServer is a server as it is to be. What is absent of one that exists stays as it is.
type NewServer struct {
	// ID is the server to be changed; absent or empty: a new one.
	ID string `json:"Id"`
	// Name is its name, required, unique in the tenant whatever its case; 200 bytes. Servers are asked in the order of their names.
	Name string `json:"Name"`
	// Host is its name or address, required. One in a private network needs the program's setting allow-network.
	Host string `json:"Host"`
	// Port is its UDP port; 1812 of a new server.
	Port op.Opt[int] `json:"Port"`
	// Secret is what the servers share, up to 128 bytes; required of a new server, and again where Host or Port change.
	Secret string `json:"Secret"`
	// UserIdentifierAttribute is what of a person it knows them by, one of GetRadiusUserIdentifierAttributes; Name of a new server.
	UserIdentifierAttribute op.Opt[string] `json:"UserIdentifierAttribute"`
	// Timeout is for how many seconds its answer is waited for, 1 to 60; 5 of a new server.
	Timeout op.Opt[int] `json:"Timeout"`
	// Confirm makes the change although it shuts the caller out.
	Confirm bool `json:"Confirm" also:"Force"`
}

// Check wants name and host.
func (n *NewServer) Check() error {
	if strings.TrimSpace(n.Name) == "" {
		return fault.Missing("Name")
	}
	if strings.TrimSpace(n.Host) == "" {
		return fault.Missing("Host")
	}
	return nil
}

func long(o op.Opt[int]) *int64 {
	v, ok := o.Get()
	if !ok {
		return nil
	}
	n := int64(v)
	return &n
}

func (r Radius) sealServer(ctx context.Context, c *op.Call, in NewServer) (radius.ReadyServer, error) {
	if err := whole(c); err != nil {
		return radius.ReadyServer{}, err
	}
	var names *string
	if v, ok := in.UserIdentifierAttribute.Get(); ok && strings.TrimSpace(v) != "" {
		names = &v
	}
	return r.Setup.PrepareServer(ctx, c, radius.ServerWish{
		ID: in.ID, Name: in.Name, Host: in.Host, Port: long(in.Port), Names: names, Wait: long(in.Timeout), Secret: in.Secret, Force: in.Confirm,
	})
}

// SetRadiusServer makes or changes a RADIUS server elsewhere, and returns its id. The secret is kept sealed.
//
// Whoever runs the server says whether a passcode is somebody's. So one that was last saved by somebody who is no system administrator is
// not asked about people with administrative rights. Policies say who answers with a passcode of these servers (AllowExternalRadius). A change after which the
// caller could not sign in is refused with the soft error radius.lockout, which Confirm overrides. Errors: radius.not_found,
// radius.name_taken, radius.many, and those of parameters. mfa.yaml n 76.
func (r Radius) SetRadiusServer(ctx context.Context, c *op.Call, _ NewServer, ready radius.ReadyServer) (string, error) {
	return r.Setup.SaveServer(ctx, c, ready)
}

// Removing names what goes.
type Removing struct {
	// IDs are ids, required, at most 200; a single one is taken too. Those that nothing has are passed over.
	IDs []string `json:"Ids" also:"Id" rpc:"array,one"`
}

// Check wants some.
func (r *Removing) Check() error {
	switch {
	case len(r.IDs) == 0:
		return fault.Missing("Ids")
	case len(r.IDs) > radius.MaxIDs:
		return fault.Bad("Ids", "may have %d ids", radius.MaxIDs)
	}
	return nil
}

// RemoveRadiusClients removes RADIUS clients, whose packets are not answered any more within a second. mfa.yaml n 72.
func (r Radius) RemoveRadiusClients(ctx context.Context, c *op.Call, in Removing) (op.None, error) {
	if err := whole(c); err != nil {
		return op.None{}, err
	}
	return op.None{}, r.Setup.RemoveClients(ctx, c, in.IDs)
}

// RemovingServers names servers that go.
type RemovingServers struct {
	// IDs are ids, required, at most 200; a single one is taken too. Those that nothing has are passed over.
	IDs []string `json:"Ids" also:"Id" rpc:"array,one"`
	// Confirm makes the change although it shuts the caller out.
	Confirm bool `json:"Confirm" also:"Force"`
}

// Check wants some.
func (r *RemovingServers) Check() error { return (&Removing{IDs: r.IDs}).Check() }

// RemoveRadiusServers removes RADIUS servers elsewhere, with their secrets. A change after which the caller could not sign in is refused
// with the soft error radius.lockout, which Confirm overrides. mfa.yaml n 73.
func (r Radius) RemoveRadiusServers(ctx context.Context, c *op.Call, in RemovingServers) (op.None, error) {
	if err := whole(c); err != nil {
		return op.None{}, err
	}
	return op.None{}, r.Setup.RemoveServers(ctx, c, in.IDs, in.Confirm)
}
