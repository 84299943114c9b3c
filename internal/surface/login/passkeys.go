package login

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"

	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/lockout"
	core "limen/internal/core/login"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/web/login"
)

// passkeysPath is where people register passkeys and security keys.
const passkeysPath = "/passkeys"

// afterwards leads back to the keys.
var afterwards = op.Redirect{URL: passkeysPath, Code: http.StatusSeeOther}

// ownPasskeys declares it.
func (s SignIn) ownPasskeys() []op.Op {
	faults := []*fault.Error{
		ErrElsewhere, ErrEmpty, core.ErrForbidden, passkey.ErrTooMany, passkey.ErrPending, passkey.ErrAnswer, passkey.ErrUnfit, passkey.ErrKnown, passkey.ErrNotFound,
		passkey.ErrOrigin, lockout.ErrLastWay,
	}
	return []op.Op{
		op.New(op.Spec{Method: http.MethodGet, Path: passkeysPath, Setup: true, Allow: op.Anonymous, Effect: op.Read}, s.OwnPasskeys),
		op.New(op.Spec{
			Path: passkeysPath, Setup: true, Allow: op.Anonymous, Effect: op.Write, Audit: audit.FactorEnroll, Rate: op.Costly, MaxBody: maxForm, Faults: faults,
		}, s.ChangePasskeys),
		op.Prepared(op.Spec{
			Path: passkeysPath + "/answer", Setup: true, Allow: op.Anonymous, Effect: op.Write, Audit: audit.FactorEnroll, Rate: op.Costly, MaxBody: 2 * maxForm, Faults: faults,
		}, s.registered, s.AnswerPasskey),
	}
}

// OwnPasskeys shows the passkeys and security keys by which the person signs in, and lets them register one. Who is not signed in is led to the page for
// that first.
func (s SignIn) OwnPasskeys(ctx context.Context, c *op.Call, _ op.None) (any, error) {
	if !signedIn(c) {
		return op.Redirect{URL: stepURL(passkeysPath, "", "")}, nil
	}
	return s.passkeysOf(ctx, c)
}

// maxKeyName bounds the name of a key, in bytes.
const maxKeyName = 100

// wayOf is the sentence of a kind of key.
var wayOf = map[string]string{passkey.SecurityKey: "key", passkey.OnDevice: "device", passkey.Passkey: "passkey"}

func (s SignIn) passkeysOf(ctx context.Context, c *op.Call) (login.Passkeys, error) {
	out := login.Passkeys{Account: c.Caller.Name}
	all, err := s.Passkeys.List(ctx, c, c.Caller.User)
	for _, k := range all {
		one := login.Passkey{Handle: k.Handle, Name: k.Name, Way: wayOf[k.Kind], Host: k.RP, Suspect: k.Cloned != 0}
		if k.Used != 0 {
			one.Used = time.UnixMilli(k.Used).UTC().Format(time.DateOnly)
		}
		out.Have = append(out.Have, one)
	}
	return out, err
}

// PasskeyChange is what somebody wants of their keys.
type PasskeyChange struct {
	// Do is PASSKEY or SECURITYKEY to register one, or remove.
	Do string `json:"do"`
	// Name is what the person calls the new one, at most 100 bytes.
	Name string `json:"name"`
	// Handle is that of the one to be removed.
	Handle string `json:"handle"`

	origin string
}

// See keeps the origin of the page.
func (p *PasskeyChange) See(r *http.Request) { p.origin = r.Header.Get("Origin") }

// ChangePasskeys begins to register a key, for the host of the page, or removes one. The person must have shown not long ago who they are, and what
// their policies want besides. The last way in of the last system administrator stays.
func (s SignIn) ChangePasskeys(ctx context.Context, c *op.Call, in PasskeyChange) (any, error) {
	onward, err := s.proven(ctx, c, core.OwnKeys, passkeysPath)
	if err != nil {
		return s.unchanged(ctx, c, err)
	}
	if onward != nil {
		c.Event.Type = "" // nothing happened
		return onward, nil
	}
	var view any = afterwards
	switch in.Do {
	case "remove":
		err = s.removePasskey(ctx, c, in.Handle)
	case passkey.Passkey, passkey.SecurityKey:
		view, err = s.beginPasskey(ctx, c, in)
	default:
		c.Event.Type = "" // nothing happened
	}
	if err != nil {
		return s.unchanged(ctx, c, err)
	}
	return view, nil
}

// unchanged shows the page again with what is wrong. What was written stays: an answer uses its challenge up.
func (s SignIn) unchanged(ctx context.Context, c *op.Call, err error) (any, error) {
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		return nil, err
	}
	view, err := s.passkeysOf(ctx, c)
	view.Code, view.Reason = f.Code, f.Public
	if err != nil {
		return nil, err
	}
	return shown{view: view}, op.Refused(f)
}

func (s SignIn) beginPasskey(ctx context.Context, c *op.Call, in PasskeyChange) (any, error) {
	name := strings.TrimSpace(in.Name)
	switch {
	case name == "":
		return nil, ErrEmpty
	case len(name) > maxKeyName || strings.ContainsFunc(name, unicode.IsControl):
		return nil, fault.Bad("name", "may have %d bytes and no control characters", maxKeyName)
	}
	at, err := s.Passkeys.At(ctx, c, in.origin)
	if err != nil {
		return nil, err
	}
	company, err := s.Logins.Settings.Issuer(ctx, c)
	if err != nil {
		return nil, err
	}
	u, err := s.People.ByID(ctx, c, c.Caller.User)
	if err != nil {
		return nil, err
	}
	who := factor.Person{ID: u.ID, Name: u.Name, Display: u.Display}
	made, err := s.Passkeys.Begin(ctx, c, who, passkey.Registration{Name: name, Kind: in.Do, Site: at, Company: company})
	if err != nil {
		return nil, err
	}
	passkey.Key{Name: name, Kind: in.Do, RP: at.RP}.Tell(c.Event, u.ID, u.Name)
	c.Event.Set("Pending", true)
	options, err := json.Marshal(made)
	return login.Registering{Account: u.Name, Name: name, Options: string(options)}, err
}

func (s SignIn) removePasskey(ctx context.Context, c *op.Call, handle string) error {
	k, err := s.Passkeys.Find(ctx, c, handle)
	if err == nil && k.User != c.Caller.User {
		err = passkey.ErrNotFound
	}
	if err != nil {
		return err
	}
	c.Event.Type = audit.FactorRemove
	k.Tell(c.Event, c.Caller.User, c.Caller.Name)
	return s.Keep(ctx, c, c.Caller.User, func() error { return s.Passkeys.Delete(ctx, c, c.Caller.User, handle) })
}

// PasskeyAnswer is what an authenticator made.
type PasskeyAnswer struct {
	// Answer is PublicKeyCredential.toJSON, required.
	Answer string `json:"answer"`
}

// madeKey is what was found out about it.
type madeKey struct {
	key   passkey.Registered
	wrong error
}

func (s SignIn) registered(ctx context.Context, c *op.Call, in PasskeyAnswer) (out madeKey, err error) {
	if !signedIn(c) {
		return out, nil
	}
	out.key, err = s.Passkeys.Check(ctx, c, c.Caller.User, in.Answer)
	if errors.Is(err, passkey.ErrPending) {
		out.wrong, err = err, nil
	}
	return out, err
}

// AnswerPasskey registers the key that was made, and leads back to the others. An answer that is refused uses the registration up.
func (s SignIn) AnswerPasskey(ctx context.Context, c *op.Call, _ PasskeyAnswer, k madeKey) (any, error) {
	onward, err := s.proven(ctx, c, core.OwnKeys, passkeysPath)
	if err != nil {
		return s.unchanged(ctx, c, err)
	}
	if onward != nil {
		c.Event.Type = "" // nothing happened
		return onward, nil
	}
	if k.wrong != nil {
		return s.unchanged(ctx, c, k.wrong)
	}
	made, err := s.Passkeys.Finish(ctx, c, c.Caller.User, k.key)
	if err != nil {
		return s.unchanged(ctx, c, err)
	}
	made.Tell(c.Event, c.Caller.User, c.Caller.Name)
	return afterwards, nil
}
