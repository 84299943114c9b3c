package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"

	"limen/internal/core/number"
	"limen/internal/core/provision"
	"limen/internal/core/user"
	"limen/internal/core/workspace"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/surface/synerise"
)

// Profile names the workspace that the next token is for.
type Profile struct{ Choice }

// Check wants it to be named.
func (p *Profile) Check() error {
	if p.BusinessProfileID == 0 && p.BusinessProfileGUID == "" {
		return fault.Missing("businessProfileId")
	}
	return nil
}

// session finds the session of the caller's token.
func (s SignIn) session(ctx context.Context, c *op.Call) (ends int64, err error) {
	if c.Caller.Session == "" {
		return 0, workspace.ErrAnother
	}
	row, err := s.Sessions.Find(ctx, c, c.Caller.Session)
	return row.Expires, err
}

// ChooseProfile gives a token for another workspace, of the same session: the choice of those who may enter several. The token so far
// stays good for the one that it names. It is an addition to the contract, which does not say how a workspace is chosen.
func (s SignIn) ChooseProfile(ctx context.Context, c *op.Call, in Profile) (SignedIn, error) {
	ends, err := s.session(ctx, c)
	if err != nil {
		return SignedIn{}, err
	}
	at, err := s.Workspaces.Choose(ctx, c, in.BusinessProfileID, in.BusinessProfileGUID)
	if err != nil {
		return SignedIn{}, err
	}
	c.Event.Target, c.Event.Kind = at, "Organization"
	u, err := s.People.ByID(ctx, c, c.User())
	if err != nil {
		return SignedIn{}, err
	}
	return s.signed(ctx, c, at, u.Display, ends)
}

// LogOut ends the session of the token, and with it all tokens of the session. It is an addition to the contract.
func (s SignIn) LogOut(ctx context.Context, c *op.Call, _ op.None) (op.None, error) {
	if c.Caller.Session == "" {
		return op.None{}, workspace.ErrAnother
	}
	c.Event.Set("Session", c.Caller.Session)
	return op.None{}, s.Sessions.End(ctx, c, c.Caller.Session)
}

// KeyLogin signs in by an API key.
type KeyLogin struct {
	// APIKey is the key, required. One is made by /UserMgmt/CreateProvisioningToken for a service user of the workspace, with For Workspace.
	APIKey string `json:"apiKey"`
}

// Check wants it.
func (k *KeyLogin) Check() error {
	if k.APIKey == "" {
		return fault.Missing("apiKey")
	}
	return nil
}

// Tokened is a token that was made.
type Tokened struct {
	// Token is the JWT.
	Token string `json:"token"`

	unsigned workspace.Unsigned
}

// Finish signs the token.
func (t Tokened) Finish(ctx context.Context, _ *op.Call) (any, error) {
	var err error
	t.Token, err = t.unsigned.Sign(ctx)
	return t, err
}

// key is an API key that was shown.
type key struct {
	provision.Token
	hash []byte
}

func (s SignIn) checkKey(ctx context.Context, c *op.Call, in KeyLogin) (out key, err error) {
	if err := s.Tokens.Ensure(ctx, c.Tenant.ID); err != nil {
		return out, err
	}
	err = c.Snapshot(ctx, func() (err error) {
		out.Token, out.hash, err = provision.FindKey(ctx, c, in.APIKey)
		return err
	})
	if errors.Is(err, provision.ErrToken) {
		return out, op.Refused(ErrKey)
	}
	return out, err
}

// LoginProfile gives a token of the workspace that an API key is for: that of the service user who acts by it. The token ends at once with
// the key, the service user's account or rights. synerise.yaml, POST /v4/auth/login/profile.
func (s SignIn) LoginProfile(ctx context.Context, c *op.Call, _ KeyLogin, k key) (Tokened, error) {
	by, err := s.Caller(ctx, c, k.User)
	if errors.Is(err, user.ErrNotFound) || errors.Is(err, provision.ErrToken) {
		return Tokened{}, ErrKey
	}
	if err != nil {
		return Tokened{}, err
	}
	before := c.Caller
	defer func() { c.Caller = before }()
	c.Caller = &by
	e := c.Event
	e.Target, e.Kind, e.Name, e.User = k.ID, "ApiKey", k.Name, k.User
	if by.Org == "" {
		return Tokened{}, workspace.ErrOutside
	}
	if err := s.Workspaces.Enter(ctx, c, by.Org); err != nil {
		return Tokened{}, err
	}
	return s.keyed(ctx, c, by.Org, k)
}

// keyed makes the token of an API key.
func (s SignIn) keyed(ctx context.Context, c *op.Call, at string, k key) (out Tokened, err error) {
	n, err := number.Of(ctx, c, number.Organization, at)
	if err != nil {
		return out, err
	}
	out.unsigned, err = s.Tokens.Make(ctx, c, workspace.TypeKey, workspace.Claims{
		Subject: k.User, Key: base64.RawURLEncoding.EncodeToString(k.hash), Workspace: at, Number: n, Authorities: workspace.Authorities(c.Caller.Held, at),
	}, k.Expires)
	return out, err
}

// RefreshProfile gives a fresh token in place of one that is still good, for the same workspace. synerise.yaml, GET
// /v4/auth/refresh/profile.
func (s SignIn) RefreshProfile(ctx context.Context, c *op.Call, _ op.None) (Tokened, error) {
	if c.Caller.Key != "" {
		hash, err := base64.RawURLEncoding.DecodeString(c.Caller.Key)
		if err != nil {
			return Tokened{}, workspace.ErrToken
		}
		k, err := provision.KeyOf(ctx, c, hash)
		if err != nil {
			return Tokened{}, err
		}
		return s.keyed(ctx, c, c.Caller.Workspace, key{k, hash})
	}
	ends, err := s.session(ctx, c)
	if err != nil {
		return Tokened{}, err
	}
	out, err := s.signed(ctx, c, c.Caller.Workspace, "", ends)
	return Tokened{unsigned: out.unsigned}, err
}

// Asked are permissions whose names are sent as a list.
type Asked struct {
	// Names are the permissions, each as name or name:level; a name alone means any level. At most 200.
	Names []string `json:"names"`
}

// maxAsked bounds the names of one call.
const maxAsked = 200

// UnmarshalJSON reads the list, which is the whole body.
func (a *Asked) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &a.Names) }

// Check bounds them.
func (a *Asked) Check() error {
	if len(a.Names) > maxAsked {
		return fault.Bad("names", "may be %d", maxAsked)
	}
	return nil
}

// Allowed tells which permissions a token has.
type Allowed struct {
	// BusinessProfileName is the workspace's name.
	BusinessProfileName string `json:"businessProfileName"`
	// Permissions tells of each name that was sent whether the permission is held. What is not known is not held.
	Permissions map[string]bool `json:"permissions"`
}

// CheckPermissions tells which of some permissions the token has in its workspace. synerise.yaml, POST /uauth/api-key/permission-check.
func (s SignIn) CheckPermissions(ctx context.Context, c *op.Call, in Asked) (Allowed, error) {
	var here synerise.Here
	if err := here.Find(ctx, c); err != nil {
		return Allowed{}, err
	}
	out := Allowed{here.Workspace().Name, map[string]bool{}}
	for _, name := range in.Names {
		out.Permissions[name] = workspace.Holds(c.Caller.Held, here.Workspace().ID, name)
	}
	return out, nil
}
