package applications

import (
	"context"
	"strconv"
	"strings"
	"time"

	"limen/internal/core/app"
	"limen/internal/fault"
	"limen/internal/op"
	"limen/internal/wire/rpc"
)

// Record is an application's whole record, flat: its members by their names.
type Record map[string]any

// GetApplication reads the whole record of an application, by its id or its name. It is flat but for OAuthProfile and AuthRules.
// Passwords and secrets are never given: members ClientSecretSet and PasswordSet, beyond the contract, say whether there is one.
//
// The caller needs View. Errors: app.not_found, also where the caller has no right on it. apps.yaml n 196.
func (a Applications) GetApplication(ctx context.Context, c *op.Call, in Ref) (Record, error) {
	it, err := a.Apps.Get(ctx, c, in.RowKey)
	if err != nil {
		return nil, err
	}
	return record(c, it), nil
}

func record(c *op.Call, it app.App) Record {
	t, _ := app.FindTemplate(it.Template)
	secret, password := it.Kept()
	out := Record{
		"_RowKey": it.ID, "_TableName": "application", "_PartitionKey": c.Tenant.ID, "_encryptkeyid": c.Tenant.ID,
		"_entitycontext": `W/"` + strconv.FormatInt(it.Version, 10) + `"`, "_Timestamp": rpc.Time(time.UnixMilli(it.Changed)),
		"_metadata": map[string]any{"Version": 1, "IndexingVersion": 1}, "ID": it.ID, "Name": it.Name, "DisplayName": it.Display,
		"Description": it.Description, "TemplateName": it.Template, "ServiceName": it.Service, "AppType": it.Kind, "WebAppType": it.Type,
		"AppTypeDisplayName": app.KindLabel(it.Kind, it.Type), "WebAppTypeDisplayName": app.TypeLabel(it.Type), "State": it.State,
		"Category": it.Category, "Icon": it.Icon(), "Generic": t.Generic, "PasswordSet": password,
	}
	for name, raw := range it.Members {
		if name != "Icon" {
			out[name] = raw
		}
	}
	if it.Profile != nil {
		out["OAuthProfile"], out["ClientSecretSet"] = it.Profile, secret
	}
	return out
}

// Publication is a role that gets an application, or loses it.
type Publication struct {
	// Role is the role's id; required, here or in ID.
	Role string `json:"Role"`
	// ID is the same.
	ID string `json:"ID"`
	// Automatic also puts the application before people unasked.
	Automatic bool `json:"Automatic"`
}

// AppRoles are the roles to which an application is given, and from which it is taken.
type AppRoles struct {
	// Publish are those that get View and Execute (Run) on it.
	Publish []Publication `json:"Publish" rpc:"one"`
	// UnPublish are those from which every right is taken.
	UnPublish []Publication `json:"UnPublish" rpc:"one"`
}

// Update is a partial change of a record.
type Update struct {
	// RowKey is the application's id, or its name; required.
	RowKey string `json:"_RowKey"`
	// ID is the same.
	ID string `json:"ID"`
	// PVID is the same.
	PVID string `json:"PVID"`
	// AppRoles gives the application to roles, and takes it from roles.
	AppRoles *AppRoles `json:"AppRoles"`
	// Members are the members to be changed, each by its own name beside these: those of the contract's record. null clears one.
	Members map[string]any `json:"Members" rpc:"rest"`
}

// Check wants an application, and roles with their ids.
func (u *Update) Check() error {
	for _, id := range []string{u.ID, u.PVID} {
		if u.RowKey == "" {
			u.RowKey = id
		}
	}
	if strings.TrimSpace(u.RowKey) == "" {
		return fault.Missing("_RowKey")
	}
	if u.AppRoles == nil {
		return nil
	}
	if len(u.AppRoles.Publish)+len(u.AppRoles.UnPublish) > maxMany {
		return ErrMany.Say("At most %d roles can be named in one call.", maxMany)
	}
	for _, list := range [][]Publication{u.AppRoles.Publish, u.AppRoles.UnPublish} {
		for i := range list {
			if list[i].Role == "" {
				list[i].Role = list[i].ID
			}
			if list[i].Role == "" {
				return fault.Missing("AppRoles")
			}
		}
	}
	return nil
}

// Updated says that a record was changed.
type Updated struct {
	State int `json:"State"` // 0
}

// UpdateApplicationDE changes members of an application's record: those that are sent, and null clears one. OAuthProfile is
// replaced as a whole and checked; its ClientID cannot change, and a ClientSecret that is left out stays. AuthRules may come
// with and without underscores; those with count. The state becomes Active once what the kind needs is there: for OAuth and
// OpenID Connect a ServiceName and a profile with a flow, for SAML Audience and Url, for pages Url.
//
// Members that are read only, that draw forms, or that this program does not know are ignored, since clients send back all
// that they have read. A profile whose tokens are for this API (OAuth2ServerClient) has Confirm, unless a system administrator
// sets it: its clients act for whoever follows a link. The caller needs Admin on the application, for AppRoles Grant and what
// is given. Errors: app.not_found, acl.denied, app.member, app.oauth_profile, app.service, app.service_taken, app.name_taken,
// acl.right_not_held, acl.principal_not_found. apps.yaml n 199.
func (a Applications) UpdateApplicationDE(ctx context.Context, c *op.Call, in Update) (Updated, error) {
	ch := app.Change{Members: in.Members}
	if r := in.AppRoles; r != nil {
		for _, p := range r.Publish {
			ch.Publish = append(ch.Publish, app.Publication{Role: p.Role, Automatic: p.Automatic})
		}
		for _, p := range r.UnPublish {
			ch.Unpublish = append(ch.Unpublish, app.Publication{Role: p.Role})
		}
	}
	_, err := a.Apps.Update(ctx, c, in.RowKey, ch)
	return Updated{}, err
}

// ResetAppScript puts back the script that the template of an application has. The caller needs Admin. Errors: app.not_found,
// acl.denied, app.no_script. apps.yaml, behind n 199.
func (a Applications) ResetAppScript(ctx context.Context, c *op.Call, in Ref) (op.None, error) {
	return op.None{}, a.Apps.ResetScript(ctx, c, in.RowKey)
}
