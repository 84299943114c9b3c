package applications

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"limen/internal/core/script"
	"limen/internal/core/session"
	"limen/internal/core/user"
	"limen/internal/fault"
	"limen/internal/op"
)

// scripts declares what tries scripts.
func (a Applications) scripts(whose op.Rule) []op.Op {
	return []op.Op{op.Prepared(op.Spec{
		Path: "/SaasManage/TestApplicationScript", Allow: whose, Effect: op.Read, MaxBody: 256 << 10, Rate: op.Costly,
		Faults: append(unknown, user.ErrNotFound, script.ErrFailed),
	}, a.tryScript, a.TestApplicationScript)}
}

// ScriptTrial is a script to be tried for somebody.
type ScriptTrial struct {
	// RowKey is the application's id, or its name; required.
	RowKey string `json:"_RowKey" also:"ID"`
	// User is the UUID or login name of the person to run it for; required.
	User string `json:"User"`
	// Kind is OpenIDConnectScript, which is meant when absent, or PolicyScript.
	Kind string `json:"Kind"`
	// Script is what to try, up to 65,536 bytes; the one of the application's record when absent.
	Script string `json:"Script"`
	// ClientID is what the script sees as the client; the application's own when absent.
	ClientID string `json:"ClientId"`
	// Scopes are those that the script sees, with spaces between.
	Scopes string `json:"Scopes"`
	who    user.User
}

// maxScript bounds a script in bytes, as the record does.
const maxScript = 64 << 10

// Check wants application and person.
func (t *ScriptTrial) Check() error {
	if t.Kind == "" {
		t.Kind = string(script.Claims)
	}
	switch {
	case strings.TrimSpace(t.RowKey) == "":
		return fault.Missing("_RowKey")
	case strings.TrimSpace(t.User) == "":
		return fault.Missing("User")
	case t.Kind != string(script.Claims) && t.Kind != string(script.Policy):
		return fault.Bad("Kind", "must be %s or %s", script.Claims, script.Policy)
	case len(t.Script) > maxScript:
		return fault.Bad("Script", "may have %d bytes", maxScript)
	}
	return nil
}

// Resolve finds the person.
func (t *ScriptTrial) Resolve(ctx context.Context, c *op.Call) (err error) {
	t.who, err = user.Find(ctx, c, strings.TrimSpace(t.User))
	return err
}

// Target is the person, so that nobody learns by a script what they could not read.
func (t *ScriptTrial) Target() op.Target { return op.Target{ID: t.who.ID, Org: t.who.Org} }

// ScriptTried is what a script saw, said and decided.
type ScriptTried struct {
	// Claims are those that an OpenIDConnectScript set; null of a PolicyScript, or when it failed.
	Claims map[string]json.RawMessage `json:"Claims"`
	// Ruling is what a PolicyScript decided; null of others, or when it failed.
	Ruling *ScriptRuling `json:"Ruling"`
	// Error says why it does not compile, or failed; null when neither. Nobody would get a token, or in.
	Error *string `json:"Error"`
	// Trace is what the script said with trace(); up to 100 lines.
	Trace []string `json:"Trace"`
	// Saw is what it read, and what was there: members of objects, properties of the person, (roles), (clock).
	Saw map[string]any `json:"Saw"`
}

// ScriptRuling is what a PolicyScript decided.
type ScriptRuling struct {
	Locked        bool   `json:"Locked"`
	Reason        string `json:"Reason"`
	RequiredLevel int    `json:"RequiredLevel"` // 0: it says nothing of it
}

// tryScript runs the script, for who may change it.
func (a Applications) tryScript(ctx context.Context, c *op.Call, in ScriptTrial) (ScriptTried, error) {
	ask := script.Ask{Kind: script.Kind(in.Kind), Text: in.Script, Person: in.who.ID, Client: in.ClientID, Scopes: strings.Fields(in.Scopes), Trace: true}
	err := c.Snapshot(ctx, func() error {
		it, err := a.Apps.Editable(ctx, c, in.RowKey)
		if err != nil {
			return err
		}
		ask.App, ask.Name, ask.Facts = it.ID, it.Name, it.Facts()
		if ask.Text == "" {
			ask.Text = it.Script(in.Kind)
		}
		if it.Profile != nil && ask.Client == "" {
			ask.Client = it.Profile.ClientID
		}
		return nil
	})
	if err != nil {
		return ScriptTried{}, err
	}
	ask.Strong, ask.Proved = c.Caller.Level == session.High, c.Caller.Proved
	v, err := a.Code.Try(ctx, c, ask)
	if f := fault.Of(err); err != nil && f.Kind != fault.Internal {
		return ScriptTried{}, errors.Join(script.ErrFailed.Say("%s", f.Public))
	}
	return tried(ask.Kind, v), err
}

func tried(kind script.Kind, v script.Verdict) ScriptTried {
	out := ScriptTried{Claims: v.Claims, Trace: append([]string{}, v.Trace...), Saw: v.Saw}
	switch {
	case v.Error != "":
		out.Error = &v.Error
	case kind == script.Policy:
		out.Ruling = &ScriptRuling{v.Locked, v.Reason, v.Level}
	case v.Claims == nil:
		out.Claims = map[string]json.RawMessage{}
	}
	return out
}

// TestApplicationScript runs a script of an application for one person, and changes and issues nothing: it shows which claims it sets, or
// what it decides, what it read and found there, and what it said with trace(). A PolicyScript sees the caller's own address, browser and
// session. That it does not compile, fails, or is stopped for its time or memory is no error of the call.
//
// The caller needs Admin on the application, and User Management over the person, unless it is themselves. Errors: app.not_found,
// acl.denied, user.not_found, script.failed where scripts cannot run here at present. Beyond the contract, which has such a test for
// scripts of roles (roles.yaml n 164).
func (a Applications) TestApplicationScript(_ context.Context, _ *op.Call, _ ScriptTrial, out ScriptTried) (ScriptTried, error) {
	return out, nil
}
