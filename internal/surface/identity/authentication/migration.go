package authentication

import (
	"context"

	"limen/internal/core/audit"
	"limen/internal/core/inquiry"
	"limen/internal/core/migration"
	"limen/internal/fault"
	"limen/internal/op"
)

// Migration is the operations by which passwords of an old system are taken over.
type Migration struct{ Migrations *migration.Migrations }

// Ops declares them.
func (m Migration) Ops() []op.Op {
	return []op.Op{
		op.New(op.Spec{Path: "/ProgressivePasswordMigration/GetPpmScript", Allow: op.System, Effect: op.Read}, m.GetPpmScript),
		op.Prepared(op.Spec{Path: "/ProgressivePasswordMigration/UpdatePpmConfiguration", Allow: op.System, Effect: op.Write, Audit: audit.PasswordMigration,
			MaxBody: 256 << 10, Rate: op.Costly, Faults: []*fault.Error{migration.ErrScript, migration.ErrChanged, fault.ErrInvalid, fault.ErrMissing}},
			m.look, m.UpdatePpmConfiguration),
	}
}

// PpmScript is how passwords are taken over.
type PpmScript struct {
	// Enabled says whether the old system is asked.
	Enabled bool `json:"Enabled"`
	// ApiURL is its address; empty: none is set.
	ApiURL string `json:"ApiUrl"`
	// ApiKeyHeader is the header in which it gets the key; empty: in none, and the script may put user.key into what is sent.
	ApiKeyHeader string `json:"ApiKeyHeader"`
	// ApiKey is eight asterisks where a key is set; else empty.
	ApiKey string `json:"ApiKey"`
	// TimeoutMs is how long an answer may take, in milliseconds, the script included; so long every wrong password takes while Enabled.
	TimeoutMs int64 `json:"TimeoutMs"`
	// ReplaceWeak says whether people whose old password breaks the policy must choose another one as they sign in.
	ReplaceWeak bool `json:"ReplaceWeak"`
	// Script is the script that counts: JavaScript that declares the functions request and verdict.
	Script string `json:"Script"`
	// IsDefault says whether it is the program's own.
	IsDefault bool `json:"IsDefault"`
	// DefaultScript is the program's own.
	DefaultScript string `json:"DefaultScript"`
	// HelperInfo is what an editor shows of what the script is given, and has to give.
	HelperInfo []inquiry.Helper `json:"HelperInfo"`
}

var ppmHelp = []inquiry.Helper{
	{
		Name: "request", Signature: "function request(user)",
		Description: "Says what is sent to ApiUrl: an object with json (any value), form (texts) or basic ({user, password}), and perhaps query (texts). " +
			"json and form are sent by POST, everything else by GET.",
		Sample: "return {form: {login: user.name, pass: user.password}};",
	},
	{
		Name: "verdict", Signature: "function verdict(answer, user)",
		Description: "Says whether the password is right: true or false.",
		Sample:      "return answer.status === 204;",
	},
	{
		Name: "user", Signature: "{id, name, displayName, mail, mobile, properties, password, key}",
		Description: "Who signs in. password and key stand for the password and for ApiKey: the program " +
			"puts them where these texts stand alone in json, form or basic.password. The script never sees either.",
		Sample: "user.properties.legacy_id",
	},
	{
		Name: "answer", Signature: "{status, type, text, json}",
		Description: "What the old system answered: the HTTP status, the content type in lower case, the text, and what the text is as JSON or null. " +
			"Of 16,384 bytes at most.",
		Sample: "answer.json.result === 'ok'",
	},
}

// GetPpmScript reads how passwords are taken over from an old system: the switch, its address, the script, and what a script can use.
// authentication.yaml n 35.
func (m Migration) GetPpmScript(ctx context.Context, c *op.Call, _ op.None) (PpmScript, error) {
	s, err := m.Migrations.Get(ctx, c)
	return PpmScript{
		Enabled: s.Enabled, ApiURL: s.URL, ApiKeyHeader: s.Header, ApiKey: s.Masked(), TimeoutMs: s.Patience, ReplaceWeak: s.Replaces,
		Script: s.Text(), IsDefault: s.Script == "", DefaultScript: migration.DefaultScript, HelperInfo: ppmHelp,
	}, err
}

// NewPpm is how passwords are to be taken over. What is absent, but for Enabled, stays as it is.
type NewPpm struct {
	// Enabled says whether the old system is asked, required. It needs ApiUrl.
	Enabled op.Opt[bool] `json:"Enabled"`
	// Script is JavaScript of at most 65,536 bytes that declares the functions request and verdict; empty: the program's own.
	Script op.Opt[string] `json:"Script"`
	// ApiURL is the address of the old system: absolute https, in the public Internet or in a network that the installation permits.
	ApiURL op.Opt[string] `json:"ApiUrl"`
	// ApiKeyHeader is the header in which it gets the key; empty: in none.
	ApiKeyHeader op.Opt[string] `json:"ApiKeyHeader"`
	// ApiKey is the key, of at most 4,096 bytes, which is stored sealed; eight asterisks keep the stored one, empty drops it. It goes with another
	// ApiUrl, unless it is given with it.
	ApiKey op.Opt[string] `json:"ApiKey"`
	// TimeoutMs is how long an answer may take, 500 to 5,000 milliseconds; 3,000 at first.
	TimeoutMs op.Opt[int64] `json:"TimeoutMs"`
	// ReplaceWeak has people whose old password breaks the policy choose another one as they sign in; true at first.
	ReplaceWeak op.Opt[bool] `json:"ReplaceWeak"`
}

// Check wants the switch.
func (n *NewPpm) Check() error {
	if _, ok := n.Enabled.Get(); !ok {
		return fault.Missing("Enabled")
	}
	if v, ok := n.Script.Get(); ok && len(v) > inquiry.MaxScript {
		return fault.Bad("Script", "may have %d bytes", inquiry.MaxScript)
	}
	return nil
}

func (m Migration) look(ctx context.Context, c *op.Call, in NewPpm) (migration.Ready, error) {
	return m.Migrations.Prepare(ctx, c, migration.Wish{
		Enabled: in.Enabled.OrNil(), URL: in.ApiURL.OrNil(), Header: in.ApiKeyHeader.OrNil(), Key: in.ApiKey.OrNil(), Script: in.Script.OrNil(),
		Patience: in.TimeoutMs.OrNil(), Replaces: in.ReplaceWeak.OrNil(),
	})
}

// UpdatePpmConfiguration says whether and how passwords are taken over from an old system, from the next sign-in on. Errors: migration.script with the
// line and the reason, migration.changed, and those of parameters. authentication.yaml n 36.
func (m Migration) UpdatePpmConfiguration(ctx context.Context, c *op.Call, _ NewPpm, ready migration.Ready) (op.None, error) {
	return op.None{}, m.Migrations.Set(ctx, c, ready)
}
