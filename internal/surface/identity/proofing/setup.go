package proofing

import (
	"context"

	"limen/internal/core/directory"
	"limen/internal/core/inquiry"
	core "limen/internal/core/proofing"
	"limen/internal/core/workflow"
	"limen/internal/fault"
	"limen/internal/op"
)

// Approver is somebody who approves.
type Approver struct {
	// Type is User, Role or Manager.
	Type string `json:"Type"`
	// PType is User or Role, as Type; for Manager it is empty.
	PType string `json:"PType"`
	// GUID is the UUID of the user or role.
	GUID string `json:"Guid"`
	// Name is the login name or the role's name; ignored where approvers are set.
	Name string `json:"Name"`
	// Principal is Name; ignored where approvers are set.
	Principal string `json:"Principal"`
	// ObjectType is PType; ignored where approvers are set.
	ObjectType string `json:"ObjectType"`
	// DirectoryServiceUUID is that of the built-in directory; ignored where approvers are set.
	DirectoryServiceUUID string `json:"DirectoryServiceUuid"`
	// NoManagerAction must be useBackup where Type is Manager: people who register have no manager.
	NoManagerAction string `json:"NoManagerAction"`
	// BackupApprover answers in the place of the manager; null: none.
	BackupApprover *Approver `json:"BackupApprover"`
	// OptionsSelector is false: there is nothing to choose. Ignored where approvers are set.
	OptionsSelector bool `json:"OptionsSelector"`
}

func (a *Approver) step() *workflow.Step {
	if a == nil {
		return nil
	}
	return &workflow.Step{Type: a.Type, PType: a.PType, Guid: a.GUID, NoManagerAction: a.NoManagerAction, BackupApprover: a.BackupApprover.step()}
}

func shown(s *workflow.Step) *Approver {
	if s == nil {
		return nil
	}
	out := &Approver{
		Type: s.Type, PType: s.PType, GUID: s.Guid, Name: s.Name, Principal: s.Name, ObjectType: s.PType, NoManagerAction: s.NoManagerAction,
		BackupApprover: shown(s.BackupApprover),
	}
	if s.PType != "" {
		out.DirectoryServiceUUID = directory.Cloud
	}
	return out
}

func approvers(s core.Setup) []Approver {
	out := []Approver{}
	for _, step := range s.Chain() {
		out = append(out, *shown(&step))
	}
	return out
}

// Settings are how people who register are looked at before they are let in.
type Settings struct {
	// IdentityProofingEnabled says whether the script is asked.
	IdentityProofingEnabled bool `json:"IdentityProofingEnabled"`
	// Provider is the name of the service, as administrators chose it.
	Provider string `json:"Provider"`
	// ApiURL is its address; empty: the script decides alone.
	ApiURL string `json:"ApiUrl"`
	// ApiKeyHeader is the header in which it gets the key; empty: in none. Beyond the contract.
	ApiKeyHeader string `json:"ApiKeyHeader"`
	// ApiKey is eight asterisks where there is a key, else empty.
	ApiKey string `json:"ApiKey"`
	// LinkToProInsight shows the service's own page about a user, where the script gives one, of whatever service.
	LinkToProInsight bool `json:"LinkToProInsight"`
	// Script is the JavaScript that counts.
	Script string `json:"Script"`
	// ApprovalWorkflowEnabled has people approve: those whom the script sends for review, or everybody where no script is asked.
	ApprovalWorkflowEnabled bool `json:"ApprovalWorkflowEnabled"`
	// Approvers are asked one after the other; none: system administrators.
	Approvers []Approver `json:"Approvers"`
	// AttributeMapping are attributes of people who register by the service's names for them.
	AttributeMapping map[string]string `json:"AttributeMapping"`
	// FailureAction is what becomes of people where the script or the service fails: Deny, or Approval. Beyond the contract.
	FailureAction string `json:"FailureAction"`
}

// GetIdentityProviderConfiguration reads how people who register are looked at before they are let in. lifecycle.yaml n 569.
func (p Proofing) GetIdentityProviderConfiguration(ctx context.Context, c *op.Call, _ op.None) (Settings, error) {
	s, err := p.Proofings.Get(ctx, c)
	return Settings{
		IdentityProofingEnabled: s.Enabled, Provider: s.Provider, ApiURL: s.URL, ApiKeyHeader: s.Header, ApiKey: inquiry.Masked(s.Sealed), LinkToProInsight: s.Link,
		Script: s.Text(), ApprovalWorkflowEnabled: s.Approval, Approvers: approvers(s), AttributeMapping: s.Mapped(), FailureAction: string(s.Failure),
	}, err
}

// Script is the script that looks at people who register, and what its editor needs.
type Script struct {
	// Script is the script that counts: JavaScript that declares the functions request and verdict.
	Script string `json:"Script"`
	// IsDefault says whether it is the program's own.
	IsDefault bool `json:"IsDefault"`
	// DefaultScript is the program's own: it sends user.fields, and takes the decision from the answer.
	DefaultScript string `json:"DefaultScript"`
	// HelperInfo is what an editor shows of what the script is given, and has to give.
	HelperInfo []inquiry.Helper `json:"HelperInfo"`
}

// GetIdvScript reads the script that looks at people who register, and what it can use. lifecycle.yaml n 570.
func (p Proofing) GetIdvScript(ctx context.Context, c *op.Call, _ op.None) (Script, error) {
	s, err := p.Proofings.Get(ctx, c)
	return Script{Script: s.Text(), IsDefault: s.Script == "", DefaultScript: core.DefaultScript, HelperInfo: helpers}, err
}

// GetWorkflowApprovers gives who approves sign-ups, in their order; none: system administrators do. lifecycle.yaml n 571.
func (p Proofing) GetWorkflowApprovers(ctx context.Context, c *op.Call, _ op.None) ([]Approver, error) {
	s, err := p.Proofings.Get(ctx, c)
	return approvers(s), err
}

// NewSettings are how people who register are to be looked at. What is absent stays as it is.
type NewSettings struct {
	// IdentityProofingEnabled says whether the script is asked, from the next registration on. It needs Provider, and Script or ApiUrl.
	IdentityProofingEnabled op.Opt[bool] `json:"IdentityProofingEnabled"`
	// Provider is a name for the service, of at most 64 bytes. There are no ready-made scripts for any.
	Provider op.Opt[string] `json:"Provider"`
	// ApiURL is the address of the service: absolute https, in the public Internet or in a network that the installation permits; empty: the script
	// decides alone.
	ApiURL op.Opt[string] `json:"ApiUrl"`
	// ApiKeyHeader is the header in which it gets the key; empty: in none.
	ApiKeyHeader op.Opt[string] `json:"ApiKeyHeader"`
	// ApiKey is the key, of at most 4,096 bytes, which is stored sealed; eight asterisks keep the stored one, empty drops it. It goes with another
	// ApiUrl, unless it is given with it.
	ApiKey op.Opt[string] `json:"ApiKey"`
	// LinkToProInsight shows the service's own page about a user, where the script gives one.
	LinkToProInsight op.Opt[bool] `json:"LinkToProInsight"`
	// Script is JavaScript of at most 65,536 bytes that declares the functions request and verdict; empty: the program's own.
	Script op.Opt[string] `json:"Script"`
	// ApprovalWorkflowEnabled has people approve: those whom the script sends for review, or everybody where no script is asked. While it is false
	// the former are refused.
	ApprovalWorkflowEnabled op.Opt[bool] `json:"ApprovalWorkflowEnabled"`
	// Approvers are asked one after the other, 20 at most; an empty list: system administrators.
	Approvers op.Opt[[]Approver] `json:"Approvers"`
	// AttributeMapping are the names of Name, Mail, MobileNumber, DisplayName, Description, OfficeNumber, HomeNumber, and of additional attributes, by the
	// service's names for them; 50 at most.
	AttributeMapping op.Opt[map[string]string] `json:"AttributeMapping"`
	// FailureAction is what becomes of people where the script or the service fails: Deny, as at first, or Approval, which needs
	// ApprovalWorkflowEnabled.
	FailureAction op.Opt[string] `json:"FailureAction"`
}

// Check bounds what is looked at.
func (n *NewSettings) Check() error {
	if v, ok := n.Script.Get(); ok && len(v) > inquiry.MaxScript {
		return fault.Bad("Script", "may have %d bytes", inquiry.MaxScript)
	}
	return nil
}

func (p Proofing) look(ctx context.Context, c *op.Call, in NewSettings) (core.Ready, error) {
	w := core.Wish{
		Enabled: in.IdentityProofingEnabled.OrNil(), Provider: in.Provider.OrNil(), URL: in.ApiURL.OrNil(), Header: in.ApiKeyHeader.OrNil(), Key: in.ApiKey.OrNil(),
		Link: in.LinkToProInsight.OrNil(), Script: in.Script.OrNil(), Approval: in.ApprovalWorkflowEnabled.OrNil(), Failure: in.FailureAction.OrNil(),
	}
	if all, ok := in.Approvers.Get(); ok {
		w.Approvers = []workflow.Step{}
		for _, a := range all {
			w.Approvers = append(w.Approvers, *a.step())
		}
	}
	if all, ok := in.AttributeMapping.Get(); ok {
		w.Mapping = all
	}
	return p.Proofings.Prepare(ctx, c, w)
}

// UpdateIdentityVerificationConfiguration says how people who register are looked at before they are let in, from the next registration on. Those who wait
// for an approval keep the approvers that they have.
//
// Errors: proofing.script with the line and the reason, proofing.changed, and those of parameters. lifecycle.yaml n 573.
func (p Proofing) UpdateIdentityVerificationConfiguration(ctx context.Context, c *op.Call, _ NewSettings, ready core.Ready) (op.None, error) {
	return op.None{}, p.Proofings.Set(ctx, c, ready)
}

// helpers describes what a script is given, and has to give.
var helpers = []inquiry.Helper{
	{
		Name: "request", Signature: "function request(user)",
		Description: "Says what is sent to ApiUrl: an object with json, form or basic, and perhaps query. It is not called where ApiUrl is empty.",
		Sample:      "return {json: {email: user.mail, phone: user.mobile}};",
	},
	{
		Name: "verdict", Signature: "function verdict(answer, user)",
		Description: "Says what is to become of the user: an object with decision (approve, review or deny), and perhaps riskScore, riskLevel (Low, Medium, High), " +
			"details (names and values), link (the service's page about the user) and message (shown to who is refused). Where it fails FailureAction counts.",
		Sample: "return {decision: answer.json.score > 80 ? 'deny' : 'approve', riskScore: answer.json.score};",
	},
	{
		Name: "addAttributeInResponse", Signature: "addAttributeInResponse(name, value)",
		Description: "Adds an additional attribute of the table users to the answer of /User/Signup. Called by verdict.",
		Sample:      "addAttributeInResponse('riskscore_', answer.json.score);",
	},
	{
		Name: "user", Signature: "{name, mail, mobile, displayName, attributes, fields, ip, key}",
		Description: "What was entered: attributes are the additional ones, fields those that AttributeMapping names, ip is where it came from. key stands for ApiKey: " +
			"the program puts it where this text stands alone in json, form or basic.password.",
		Sample: "user.attributes.country_",
	},
	{
		Name: "answer", Signature: "{status, type, text, json}",
		Description: "What the service answered: the HTTP status, the content type in lower case, the text, and what the text is as JSON or null. Of 16,384 bytes at " +
			"most. null where ApiUrl is empty.",
		Sample: "answer.json.score",
	},
}
