package pvwa

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/op"
	wire "limen/internal/wire/pvwa"
)

func (p PVWA) server() []op.Op {
	facts := reads(older+"/Server", op.Anonymous)
	facts.Rate = op.Unruled
	verify := reads(base+"/verify", op.Anonymous)
	verify.Paths, verify.Rate = []string{older + "/Verify"}, op.Unruled
	types := reads(base+"/UserTypes", op.Authenticated)
	types.Effect = op.Cached
	return []op.Op{
		op.New(facts, p.GetServer), op.New(verify, p.Verify), op.New(types, p.ListUserTypes),
		op.New(reads(older+"/User", op.Authenticated, user.ErrNotFound), p.GetCaller),
		op.New(reads(base+"/LoginsInfo", op.Authenticated), p.GetLoginsInfo),
	}
}

// Asked is a request that need not show a token.
type Asked struct {
	// Authorization is a session's token; absent: nobody asks in particular.
	Authorization string `json:"Authorization"`
}

func (a *Asked) take(r *op.Request) error {
	a.Authorization = r.HTTP.Header.Get("Authorization")
	return nil
}

// known refuses a token that proves nothing, although nobody need show one.
func (a Asked) known(c *op.Call) error {
	if a.Authorization != "" && c.Caller == nil {
		return op.ErrSignIn
	}
	return nil
}

// Method is a way to log on.
type Method struct {
	// ID is its id, as cyberark or radius.
	ID string `json:"Id"`
	// Enabled says whether people may log on so.
	Enabled bool `json:"Enabled"`
}

// offered are the ways to log on, as anybody is told.
func offered(ctx context.Context, c *op.Call) ([]Method, error) {
	all, err := vault.Methods(ctx, c)
	out := []Method{}
	for _, m := range all {
		out = append(out, Method{m.ID, m.Enabled})
	}
	return out, err
}

// Server is what a server tells of itself.
type Server struct {
	// ServerName is the tenant's host name.
	ServerName string `json:"ServerName"`
	// ServerID is the tenant's id.
	ServerID string `json:"ServerId"`
	// ApplicationName is PasswordVault.
	ApplicationName string `json:"ApplicationName"`
	// ExternalVersion is the version whose calls are served: clients ask for nothing newer.
	ExternalVersion string `json:"ExternalVersion"`
	// InternalVersion is the version of this program.
	InternalVersion string `json:"InternalVersion"`
	// AuthenticationMethods are the ways to log on.
	AuthenticationMethods []Method `json:"AuthenticationMethods"`
}

// GetServer tells name and version. pvwa.yaml, GET /PasswordVault/WebServices/PIMServices.svc/Server.
func (p PVWA) GetServer(ctx context.Context, c *op.Call, in Asked) (Server, error) {
	if err := in.known(c); err != nil {
		return Server{}, err
	}
	ways, err := offered(ctx, c)
	return Server{
		ServerName: c.Tenant.Host, ServerID: c.Tenant.ID, ApplicationName: "PasswordVault", ExternalVersion: Version, InternalVersion: p.Build,
		AuthenticationMethods: ways,
	}, err
}

// Verified is what the older call tells of a server.
type Verified struct {
	// ServerName is the tenant's host name.
	ServerName string `json:"ServerName"`
	// ServerID is the tenant's id.
	ServerID string `json:"ServerId"`
	// ApplicationName is PasswordVault.
	ApplicationName string `json:"ApplicationName"`
	// AuthenticationMethods are the ways to log on.
	AuthenticationMethods []Method `json:"AuthenticationMethods"`
	// Features is empty: none of the Vault's further features is here.
	Features []string `json:"Features"`
}

// Verify tells name and ways to log on, to anybody. pvwa.yaml, GET /PasswordVault/API/verify/.
func (p PVWA) Verify(ctx context.Context, c *op.Call, _ op.None) (Verified, error) {
	ways, err := offered(ctx, c)
	return Verified{
		ServerName: c.Tenant.Host, ServerID: c.Tenant.ID, ApplicationName: "PasswordVault", AuthenticationMethods: ways, Features: []string{},
	}, err
}

// UserType is a type of users.
type UserType struct {
	// ID is the type's number.
	ID int64 `json:"UserTypeId"`
	// Name is the type's name.
	Name string `json:"UserTypeName"`
	// Interfaces are the programs that users of the type can use.
	Interfaces []string `json:"AllowedClientInterfaces"`
}

// UserTypes are all types of users.
type UserTypes struct {
	// UserTypes are the types by their numbers.
	UserTypes []UserType `json:"UserTypes"`
}

// ListUserTypes lists the types that users can have, which no licence limits. pvwa.yaml, GET /PasswordVault/API/UserTypes/.
func (p PVWA) ListUserTypes(context.Context, *op.Call, op.None) (UserTypes, error) {
	out := UserTypes{}
	for _, t := range vault.Types {
		out.UserTypes = append(out.UserTypes, UserType{t.ID, t.Name, t.Interfaces})
	}
	return out, nil
}

// GetCaller tells callers who they are. pvwa.yaml, GET /PasswordVault/WebServices/PIMServices.svc/User.
func (p PVWA) GetCaller(ctx context.Context, c *op.Call, _ op.None) (wire.OlderUser, error) {
	u, err := user.Find(ctx, c, c.User())
	if err != nil {
		return wire.OlderUser{}, err
	}
	return p.Vault.Older(ctx, c, u)
}

// LoginsInfo tells of sign-ins.
type LoginsInfo struct {
	// LastSuccessLoginDate is when the caller signed in last, in seconds since 1970 UTC; 0: nothing is kept of it.
	LastSuccessLoginDate int64 `json:"LastSuccessLoginDate"`
	// LastSuccessLoginIP is from where.
	LastSuccessLoginIP string `json:"LastSuccessLoginIP"`
	// LastFailLoginDate is when a sign-in failed last, in seconds since 1970 UTC; 0: none did.
	LastFailLoginDate int64 `json:"LastFailLoginDate"`
	// LastFailLoginIP is from where.
	LastFailLoginIP string `json:"LastFailLoginIP"`
	// FailedLogins is how many failed since the last one that did not.
	FailedLogins int64 `json:"FailedLogins"`
}

// GetLoginsInfo tells callers when and from where they signed in last, and somebody failed to, as the audit trail has it. pvwa.yaml, GET
// /PasswordVault/API/LoginsInfo.
func (p PVWA) GetLoginsInfo(ctx context.Context, c *op.Call, _ op.None) (LoginsInfo, error) {
	good, bad, n, err := audit.LastSignIns(ctx, c, c.User())
	return LoginsInfo{
		LastSuccessLoginDate: good.At / 1000, LastSuccessLoginIP: good.IP, LastFailLoginDate: bad.At / 1000, LastFailLoginIP: bad.IP, FailedLogins: n,
	}, err
}
