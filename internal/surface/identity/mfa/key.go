package mfa

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/factor"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/lockout"
	"limen/internal/core/login"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

func (m MFA) keys() []op.Op {
	own := []*fault.Error{session.ErrStale, login.ErrForbidden, passkey.ErrTooMany, fault.ErrMissing}
	gone := []*fault.Error{ErrSystem, user.ErrStronger, lockout.ErrLastWay, session.ErrStale, login.ErrForbidden, fault.ErrMissing}
	return []op.Op{
		op.New(op.Spec{
			Path: "/U2f/GetRegistrationChallenge", Setup: true, Allow: op.Self, Effect: op.Write, Audit: audit.FactorEnroll, Rate: op.Costly,
			Faults: append([]*fault.Error{passkey.ErrOrigin, passkey.ErrKind, fault.ErrInvalid}, own...),
		}, m.GetRegistrationChallenge),
		op.Prepared(op.Spec{
			Path: "/U2f/AnswerRegistrationChallenge", Setup: true, Allow: op.Self, Effect: op.Write, Audit: audit.FactorEnroll, Rate: op.Costly,
			Faults: append([]*fault.Error{passkey.ErrPending, passkey.ErrAnswer, passkey.ErrUnfit, passkey.ErrKnown}, own...),
		}, m.checkKey, m.AnswerRegistrationChallenge),
		op.New(op.Spec{
			Path: "/U2f/GetU2fDevices", Allow: op.Any(op.Authenticated, manage), Effect: op.Read,
		}, m.GetU2fDevices),
		op.New(op.Spec{Path: "/U2f/GetU2fDevicesForUser", Allow: op.Self, Effect: op.Read, Faults: []*fault.Error{passkey.ErrKind}}, m.GetU2fDevicesForUser),
		op.New(op.Spec{
			Path: "/U2f/DeleteU2fDevice", Allow: op.Any(op.Authenticated, manage), Effect: op.Write, Audit: audit.FactorRemove,
			Faults: append([]*fault.Error{passkey.ErrNotFound}, gone...),
		}, m.DeleteU2fDevice),
		op.New(op.Spec{
			Path: "/U2f/DeleteU2fDevices", Allow: op.Any(op.Authenticated, manage), Effect: op.Write, Audit: audit.FactorRemove,
			Faults: append([]*fault.Error{ErrMany}, gone...),
		}, m.DeleteU2fDevices),
		op.New(op.Spec{Path: "/U2f/GetFacets", Allow: op.Anonymous, Effect: op.Read}, m.GetFacets),
	}
}

// KeyWish is what somebody wants to register.
type KeyWish struct {
	// AuthenticatorType is SECURITYKEY (also when absent), ONDEVICE (or PLATFORM) for the authenticator built into the device, or
	// PASSKEY.
	AuthenticatorType string `json:"authenticatorType"`
	// UserDefinedName is what the person calls it, required; at most 100 bytes.
	UserDefinedName string `json:"userDefinedName"`

	origin string
	oneself
}

// See keeps the origin of the page.
func (w *KeyWish) See(r *http.Request) { w.origin = r.Header.Get("Origin") }

// Check wants a name.
func (w *KeyWish) Check() error { return required("userDefinedName", w.UserDefinedName) }

// GetRegistrationChallenge begins to register a FIDO2 authenticator of the caller's: it returns what the browser's
// navigator.credentials.create takes as publicKey, in the form that PublicKeyCredential.parseCreationOptionsFromJSON reads.
//
// The header Origin says for which of the tenant's hosts the key will be. The challenge is good once, for five minutes, in the
// caller's session; an unfinished registration is replaced. mfa.yaml n 51.
func (m MFA) GetRegistrationChallenge(ctx context.Context, c *op.Call, in KeyWish) (passkey.Creation, error) {
	about(c, in.found)
	if err := m.own(ctx, c, in.found.ID, login.OwnKeys); err != nil {
		return passkey.Creation{}, err
	}
	kind, err := passkey.KindOf(in.AuthenticatorType)
	if err != nil {
		return passkey.Creation{}, fault.Of(err).At("authenticatorType")
	}
	at, err := m.Keys.At(ctx, c, in.origin)
	if err != nil {
		return passkey.Creation{}, err
	}
	company, err := m.Settings.Issuer(ctx, c)
	if err != nil {
		return passkey.Creation{}, err
	}
	who := factor.Person{ID: in.found.ID, Name: in.found.Name, Display: in.found.Display}
	passkey.Key{Name: strings.TrimSpace(in.UserDefinedName), Kind: kind, RP: at.RP}.Tell(c.Event, in.found.ID, in.found.Name)
	c.Event.Set("Pending", true)
	return m.Keys.Begin(ctx, c, who, passkey.Registration{Name: in.UserDefinedName, Kind: kind, Site: at, Company: company})
}

// KeyAnswer is what an authenticator answered.
type KeyAnswer struct {
	// RawRegisterResponse is the result of navigator.credentials.create as PublicKeyCredential.toJSON writes it, required; a JSON text,
	// or the object itself.
	RawRegisterResponse json.RawMessage `json:"rawRegisterResponse"`
	oneself
}

// Check wants it.
func (a *KeyAnswer) Check() error { return required("rawRegisterResponse", a.text()) }

// text is the answer without a text around it.
func (a *KeyAnswer) text() string {
	var out string
	if json.Unmarshal(a.RawRegisterResponse, &out) == nil {
		return out
	}
	return string(a.RawRegisterResponse)
}

func (m MFA) checkKey(ctx context.Context, c *op.Call, in KeyAnswer) (passkey.Registered, error) {
	return m.Keys.Check(ctx, c, in.found.ID, in.text())
}

// AnswerRegistrationChallenge finishes registering a FIDO2 authenticator and returns its handle. An answer that is refused uses
// the challenge up as well.
//
// The forms of U2F (ClientData, RegistrationData) are not taken: no browser makes them any more. authentication.yaml n 5.
func (m MFA) AnswerRegistrationChallenge(ctx context.Context, c *op.Call, in KeyAnswer, r passkey.Registered) (*string, error) {
	about(c, in.found)
	if err := m.own(ctx, c, in.found.ID, login.OwnKeys); err != nil {
		return nil, err
	}
	made, err := m.Keys.Finish(ctx, c, in.found.ID, r)
	for _, refusal := range []*fault.Error{passkey.ErrAnswer, passkey.ErrUnfit, passkey.ErrKnown, passkey.ErrTooMany} {
		if errors.Is(err, refusal) {
			return nil, op.Refused(fault.Of(err))
		}
	}
	if err != nil {
		return nil, err
	}
	made.Tell(c.Event, in.found.ID, in.found.Name)
	return &made.Handle, nil
}

// KeyPage asks for people's keys.
type KeyPage struct {
	// After is the KeyHandle of the last row of the page before; absent for the first.
	After string `json:"After"`
}

var keyColumns = []rpc.Column{
	{Name: "KeyHandle", TableKey: "Primary"}, {Name: "UserDefinedName"}, {Name: "AuthenticatorType"}, {Name: "RelyingParty"}, {Name: "OwnerId", ForeignKey: "User"},
	{Name: "User"}, {Name: "Created", Type: rpc.TypeDate}, {Name: "LastUsed", Type: rpc.TypeDate}, {Name: "IsSuspect", Type: rpc.TypeBool},
}

// keyRow is a row of keyColumns.
func keyRow(k passkey.Owned) rpc.Row {
	var used any
	if k.Used != 0 {
		used = time.UnixMilli(k.Used)
	}
	return rpc.Row{
		Entities: []rpc.Entity{{Type: "U2fDevice", Key: k.Handle}},
		Row:      []any{k.Handle, k.Name, k.Kind, k.RP, k.User, k.Login, time.UnixMilli(k.Created), used, k.Cloned != 0},
	}
}

// GetU2fDevices lists the FIDO2 authenticators of all whom the caller may administer, or else the caller's own, by their handles; at
// most 1,000 in a page.
//
// Columns: KeyHandle, UserDefinedName, AuthenticatorType (SECURITYKEY, ONDEVICE, PASSKEY), RelyingParty (the host for which it
// signs), OwnerId and User (its owner's UUID and login name), Created, LastUsed (null: never), IsSuspect (its counter went back, so
// that it is of no use any more). mfa.yaml n 52.
func (m MFA) GetU2fDevices(ctx context.Context, c *op.Call, in KeyPage) (rpc.Query, error) {
	rows, total, err := m.Keys.All(ctx, c, c.Grant, in.After)
	out := rpc.Query{Columns: keyColumns, FullCount: int(total), Results: make([]rpc.Row, len(rows))}
	for i, k := range rows {
		out.Results[i] = keyRow(k)
	}
	return out, err
}

// KeysOf asks for the caller's keys.
type KeysOf struct {
	// Type is SECURITYKEY, ONDEVICE (or PLATFORM) or PASSKEY; all when absent.
	Type string `json:"type"`
	oneself
}

// GetU2fDevicesForUser lists the caller's FIDO2 authenticators, the oldest first. The columns are those of GetU2fDevices. mfa.yaml n 53.
func (m MFA) GetU2fDevicesForUser(ctx context.Context, c *op.Call, in KeysOf) (rpc.Query, error) {
	out := rpc.Query{Columns: keyColumns, Results: []rpc.Row{}}
	kind, err := passkey.KindOf(in.Type)
	if err != nil {
		return out, fault.Of(err).At("type")
	}
	all, err := m.Keys.List(ctx, c, in.found.ID)
	for _, k := range all {
		if k.Kind == kind || strings.TrimSpace(in.Type) == "" {
			out.Results = append(out.Results, keyRow(passkey.Owned{
				Handle: k.Handle, User: k.User, Login: in.found.Name, Name: k.Name, Kind: k.Kind, RP: k.RP, Created: k.Created, Used: k.Used, Cloned: k.Cloned,
			}))
		}
	}
	return out, err
}

// KeyHandle names a key.
type KeyHandle struct {
	// KeyHandle is its handle, required.
	KeyHandle string `json:"KeyHandle"`
}

// Check wants it.
func (k *KeyHandle) Check() error { return required("keyHandle", k.KeyHandle) }

// DeleteU2fDevice deletes a FIDO2 authenticator: one's own, or that of somebody whom one administers. The last way in of the last
// system administrator stays. mfa.yaml n 48.
func (m MFA) DeleteU2fDevice(ctx context.Context, c *op.Call, in KeyHandle) (op.None, error) {
	err := m.deleteKey(ctx, c, c.Event, strings.TrimSpace(in.KeyHandle))
	if errors.Is(err, passkey.ErrNotFound) && !c.Grant.Everything() {
		err = op.ErrDenied
	}
	return op.None{}, err
}

// KeyHandles name keys.
type KeyHandles struct {
	// KeyHandles are their handles, required; at most 100.
	KeyHandles []string `json:"KeyHandles" rpc:"array,one"`
}

// Check wants some.
func (k *KeyHandles) Check() error {
	switch {
	case len(k.KeyHandles) == 0:
		return fault.Missing("KeyHandles")
	case len(k.KeyHandles) > maxProfiles:
		return ErrMany.Say("At most %d authenticators can be deleted in one call.", maxProfiles)
	}
	return nil
}

// DeleteU2fDevices deletes FIDO2 authenticators, one's own or those of people whom one administers: all that exist, or none. Handles
// of none are passed over; nobody can guess one. mfa.yaml n 49.
func (m MFA) DeleteU2fDevices(ctx context.Context, c *op.Call, in KeyHandles) (op.None, error) {
	done := 0
	for _, handle := range in.KeyHandles {
		e := c.Event
		if done > 0 {
			e = &call.Event{ID: c.NewID(), Type: audit.FactorRemove, Outcome: "success"}
		}
		err := m.deleteKey(ctx, c, e, strings.TrimSpace(handle))
		if errors.Is(err, passkey.ErrNotFound) {
			continue
		}
		if err != nil {
			return op.None{}, err
		}
		if done++; done > 1 {
			c.Also = append(c.Also, e)
		}
	}
	if done == 0 {
		c.Event.Type = "" // nothing happened
	}
	return op.None{}, nil
}

// deleteKey deletes a key and fills the event with it.
func (m MFA) deleteKey(ctx context.Context, c *op.Call, e *call.Event, handle string) error {
	k, err := m.Keys.Find(ctx, c, handle)
	if err != nil {
		return err
	}
	p, err := m.People.ByID(ctx, c, k.User)
	if err != nil {
		return err
	}
	if !c.Grant.Allows(p.ID, p.Org) {
		return op.ErrDenied
	}
	k.Tell(e, p.ID, p.Name)
	if err := m.vary(ctx, c, p.ID, login.OwnKeys); err != nil {
		return err
	}
	return m.Keep(ctx, c, p.ID, func() error { return m.Keys.Delete(ctx, c, p.ID, handle) })
}

// facets is the document of FIDO AppID and Facet Specification, section 3.1.
type facets struct {
	TrustedFacets []facet `json:"trustedFacets"`
}

type facet struct {
	Version struct {
		Major int `json:"major"`
		Minor int `json:"minor"`
	} `json:"version"`
	IDs []string `json:"ids"`
}

// GetFacets lists the origins of the tenant's pages, as older browsers wanted it for U2F; WebAuthn has no need of it. The answer has
// no envelope. mfa.yaml n 50.
func (m MFA) GetFacets(ctx context.Context, c *op.Call, _ op.None) (op.File, error) {
	hosts, err := m.Keys.Hosts(ctx, c)
	if err != nil {
		return op.File{}, err
	}
	one := facet{IDs: []string{}}
	one.Version.Major = 1
	_, port, err := net.SplitHostPort(c.Tenant.Host)
	for _, h := range hosts {
		if err == nil { // the tenant's hosts answer at the same port
			h = net.JoinHostPort(h, port)
		}
		one.IDs = append(one.IDs, "https://"+h)
	}
	body, err := json.Marshal(facets{[]facet{one}})
	return op.File{Type: "application/fido.trusted-apps+json", Body: body}, err
}
