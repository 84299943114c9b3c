package policies

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"limen/internal/core/policy"
	"limen/internal/core/setting"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// MetaQuery asks for the known settings.
type MetaQuery struct {
	// Name is the key of one, or the beginning of several; absent: all.
	Name string `json:"Name"`
}

var metaColumns = []rpc.Column{
	{Name: "Path", TableKey: "Primary"}, {Name: "Type"}, {Name: "Default", Type: rpc.TypeObject}, {Name: "Minimum"}, {Name: "Maximum"}, {Name: "Unit"},
	{Name: "Group"}, {Name: "Description"}, {Name: "Effective", Type: rpc.TypeBool},
}

// GetPolicyMetaData lists the known settings of policy sets.
//
// Columns: Path, the key; Type (Bool, Int, String, RowSet); Default, what holds while no policy set says otherwise, which
// may be a setting of the tenant's, or null; Minimum, Maximum and Unit of an Int; Group; Description; Effective, false for a
// setting that is kept and does not act. policies.yaml n 183.
func (p Policies) GetPolicyMetaData(ctx context.Context, c *op.Call, in MetaQuery) (rpc.Query, error) {
	v, err := p.Settings.Get(ctx, c)
	if err != nil {
		return rpc.Query{}, err
	}
	standing := policy.Standing(v)
	out := rpc.Query{Columns: metaColumns, Results: []rpc.Row{}}
	begin := strings.ToLower(strings.TrimSpace(in.Name))
	for _, k := range policy.Keys() {
		if !strings.HasPrefix(strings.ToLower(k.Path), begin) {
			continue
		}
		low, high, unit := rpc.Absent, rpc.Absent, rpc.Absent
		if k.Kind == policy.Int || k.Kind == policy.Decimal {
			low, high, unit = k.Min, k.Max, k.Unit
		}
		out.Results = append(out.Results, rpc.Row{
			Entities: []rpc.Entity{{Type: "PolicySetting", Key: k.Path}},
			Row:      []any{k.Path, wireType(k.Kind), standing[k.Path], low, high, unit, k.Group, k.Meaning, k.Effective},
		})
	}
	out.FullCount = len(out.Results)
	return out, nil
}

// wireType is the contract's name of a kind.
func wireType(k policy.Kind) string {
	switch k {
	case policy.Ref, policy.Decimal:
		return string(policy.String)
	}
	return string(k)
}

// RsopQuery asks for somebody's resultant set.
type RsopQuery struct {
	// UserID is the user's UUID or login name; the caller's own when absent.
	UserID string `json:"userid"`
	// DeviceID is taken; there are no devices, so that it changes nothing.
	DeviceID string `json:"deviceid"`
	person
}

// Resolve finds the user.
func (r *RsopQuery) Resolve(ctx context.Context, c *op.Call) error { return r.find(ctx, c, r.UserID) }

// Rsop is a resultant set.
type Rsop struct {
	// Settings are the values that apply, by key; secrets show as asterisks.
	Settings map[string]json.RawMessage `json:"Settings"`
	// Sources are the policy sets that they come from, by key: "/Policy/<name>".
	Sources map[string]string `json:"Sources"`
	// Roles are the roles through which the set applies, by key; of sets that are everybody's none.
	Roles map[string]string `json:"Roles"`
}

// GetRsop returns what all policy sets together set for a user: of each setting the value of the first set in the list that
// applies to the user and has it.
//
// A set applies by its link: Global to everybody, Role to members of one of the roles, directly or through others; Collection
// to nobody, since there are no devices; Inactive to nobody. policies.yaml n 185.
func (p Policies) GetRsop(ctx context.Context, c *op.Call, in RsopQuery) (Rsop, error) {
	r, err := p.Policies.For(ctx, c, in.found.ID)
	if err != nil {
		return Rsop{}, err
	}
	out := Rsop{Settings: map[string]json.RawMessage{}, Sources: map[string]string{}, Roles: map[string]string{}}
	for _, s := range r.All() {
		out.Settings[s.Key], out.Sources[s.Key] = s.Value, s.Block
		if s.Role != "" {
			out.Roles[s.Key] = s.Role
		}
	}
	return out, nil
}

// named is a question about one setting.
type named struct {
	// Name is the setting's key, required.
	Name string `json:"name"`
	// ID is the UUID or login name of the user whose setting is wanted; the caller's own when absent.
	ID string `json:"id"`
	person
}

// Check wants the key.
func (n *named) Check() error { return required("name", n.Name) }

// Resolve finds the user.
func (n *named) Resolve(ctx context.Context, c *op.Call) error { return n.find(ctx, c, n.ID) }

// value is the setting as text: what policy sets say, else what holds without them; ok is false when neither says.
func (p Policies) value(ctx context.Context, c *op.Call, n named) (text string, ok bool, err error) {
	r, err := p.Policies.For(ctx, c, n.found.ID)
	if err != nil {
		return "", false, err
	}
	if s, set := r.Get(n.Name); set {
		k, known := policy.Find(s.Key)
		text, ok = r.String(n.Name)
		if !ok || known && k.Kind == policy.Secret {
			return "", false, ErrConvert.At(n.Name)
		}
		return text, true, nil
	}
	v, err := p.Settings.Get(ctx, c)
	if err != nil {
		return "", false, err
	}
	text, ok = standing(v, n.Name)
	return text, ok, nil
}

func standing(v *setting.Values, name string) (string, bool) {
	k, known := policy.Find(name)
	if !known {
		return "", false
	}
	switch def := policy.Standing(v)[k.Path].(type) {
	case bool:
		return strconv.FormatBool(def), true
	case int:
		return strconv.Itoa(def), true
	case string:
		return def, true
	}
	return "", false
}

// BoolQuery asks for a setting that is true or false.
type BoolQuery struct {
	named
	// DefaultValue is answered when nothing says.
	DefaultValue op.Opt[bool] `json:"defaultValue"`
}

// GetPolicyBool returns a setting of a user's resultant set as true or false; else what holds without policy sets; else
// defaultValue.
//
// Errors: policy.convert when the value cannot be read so, policy.unset when there is none. policies.yaml n 181.
func (p Policies) GetPolicyBool(ctx context.Context, c *op.Call, in BoolQuery) (bool, error) {
	text, ok, err := p.value(ctx, c, in.named)
	if err != nil {
		return false, err
	}
	if !ok {
		return orUnset(in.Name, in.DefaultValue)
	}
	v, err := strconv.ParseBool(strings.ToLower(strings.TrimSpace(text)))
	if err != nil {
		return false, ErrConvert.At(in.Name)
	}
	return v, nil
}

// IntQuery asks for a setting that is a number.
type IntQuery struct {
	named
	// DefaultValue is answered when nothing says.
	DefaultValue op.Opt[int64] `json:"defaultValue"`
}

// GetPolicyInt returns a setting of a user's resultant set as a whole number; else what holds without policy sets; else
// defaultValue.
//
// Errors: policy.convert when the value cannot be read so, policy.unset when there is none. policies.yaml n 182.
func (p Policies) GetPolicyInt(ctx context.Context, c *op.Call, in IntQuery) (int64, error) {
	text, ok, err := p.value(ctx, c, in.named)
	if err != nil {
		return 0, err
	}
	if !ok {
		return orUnset(in.Name, in.DefaultValue)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, ErrConvert.At(in.Name)
	}
	return n, nil
}

// StringQuery asks for a setting that is a text.
type StringQuery struct {
	named
	// DefaultValue is answered when nothing says.
	DefaultValue op.Opt[string] `json:"defaultValue"`
}

// GetPolicyString returns a setting of a user's resultant set as text; else what holds without policy sets; else
// defaultValue.
//
// Errors: policy.convert when the value is no text, as rules are not, policy.unset when there is none. policies.yaml n 184.
func (p Policies) GetPolicyString(ctx context.Context, c *op.Call, in StringQuery) (string, error) {
	text, ok, err := p.value(ctx, c, in.named)
	if err != nil || ok {
		return text, err
	}
	return orUnset(in.Name, in.DefaultValue)
}

func orUnset[T any](name string, def op.Opt[T]) (T, error) {
	v, ok := def.Get()
	if !ok {
		return v, ErrUnset.At(name)
	}
	return v, nil
}

// GetOathOtpClientName returns what the caller's portal calls the authenticator app. policies.yaml n 178.
func (p Policies) GetOathOtpClientName(ctx context.Context, c *op.Call, _ op.None) (string, error) {
	return p.name(ctx, c, policy.KeyOATHName)
}

// GetU2fClientName returns what the caller's portal calls FIDO2 authenticators. policies.yaml n 186.
func (p Policies) GetU2fClientName(ctx context.Context, c *op.Call, _ op.None) (string, error) {
	return p.name(ctx, c, policy.KeyU2FName)
}

// name is a setting of the caller's that is a name; an empty one is none.
func (p Policies) name(ctx context.Context, c *op.Call, key string) (string, error) {
	r, err := p.Policies.For(ctx, c, c.User())
	if err != nil {
		return "", err
	}
	if name, _ := r.String(key); strings.TrimSpace(name) != "" {
		return name, nil
	}
	k, _ := policy.Find(key)
	return k.Default.(string), nil
}
