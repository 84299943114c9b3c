package app

import (
	"slices"

	"limen/internal/core/app"
	"limen/internal/core/attribute"
	"limen/internal/gen"
	"limen/internal/op"
	"limen/internal/surface/analytics"
	"limen/internal/surface/dev"
	"limen/internal/surface/identity"
	"limen/internal/surface/identity/access"
	"limen/internal/surface/identity/acl"
	"limen/internal/surface/identity/applications"
	"limen/internal/surface/identity/authentication"
	"limen/internal/surface/identity/certificates"
	"limen/internal/surface/identity/collections"
	"limen/internal/surface/identity/directories"
	"limen/internal/surface/identity/library"
	"limen/internal/surface/identity/mfa"
	"limen/internal/surface/identity/networks"
	"limen/internal/surface/identity/organizations"
	"limen/internal/surface/identity/policies"
	"limen/internal/surface/identity/profiles"
	proofings "limen/internal/surface/identity/proofing"
	"limen/internal/surface/identity/radius"
	"limen/internal/surface/identity/redrock"
	"limen/internal/surface/identity/roles"
	"limen/internal/surface/identity/social"
	"limen/internal/surface/identity/tasks"
	"limen/internal/surface/identity/tenant"
	"limen/internal/surface/identity/users"
	"limen/internal/surface/identity/widgets"
	"limen/internal/surface/identity/workflows"
	"limen/internal/surface/login"
	"limen/internal/surface/oauth"
	"limen/internal/surface/pvwa"
	"limen/internal/surface/scim"
	"limen/internal/surface/synerise"
)

// Surfaces are the dialects with their operations, as they are mounted. On an App without a store they can still be
// listed: documents are made from them.
func (a *App) Surfaces() []gen.Surface {
	out := []gen.Surface{{Name: "identity", Prefixes: identity.Prefixes, Codec: identity.Codec{Tell: a.pages("").Tell, Embeds: a.embeds}, Ops: a.identityOps()}}
	out = append(out, gen.Surface{
		Name: "discovery", Prefixes: []string{""}, Codec: authentication.Plain{},
		Ops: append(authentication.Discovery{Tenants: a.Index}.Ops(), authentication.Work{Captchas: a.Captchas}.Ops()...),
	})
	out = append(out, gen.Surface{Name: "login", Prefixes: []string{""}, Codec: a.pages(""), Ops: a.login().Ops()})
	out = append(out, gen.Surface{
		Name: "oauth", Prefixes: identity.Prefixes, Codec: oauth.Codec{Server: a.OAuth, Cookie: identity.SessionCookie, Trouble: a.pages("").Trouble},
		Ops: oauth.OAuth{Server: a.OAuth, SignedOut: leaving, Locales: a.locales, Shared: app.Shared.Service, People: a.People, Roles: a.Roles}.Ops(),
	})
	out = append(out, gen.Surface{Name: "scim", Prefixes: []string{""}, Codec: scim.Codec{}, Ops: a.scim().Ops()})
	out = append(out, gen.Surface{Name: "analytics", Prefixes: []string{""}, Codec: analytics.Codec{}, Ops: analytics.Analytics{Risks: a.Risks}.Ops()})
	out = append(out, gen.Surface{Name: "synerise", Prefixes: []string{""}, Codec: synerise.Codec{}, Ops: a.synerise()})
	out = append(out, gen.Surface{Name: "pvwa", Prefixes: []string{""}, Codec: pvwa.Codec{}, Ops: a.pvwa().Ops()})
	out = append(out, gen.Surface{
		Name: "signin", Prefixes: []string{""}, Codec: a.pages(identity.SessionCookie),
		Ops: slices.Concat(a.signIn().Ops(), a.join().Ops(), a.regainPages().Ops(), a.signUpPages().Ops(), login.Widgets{Settings: a.Values}.Ops()),
	})
	if a.Tray != nil {
		out = append(out, gen.Surface{Name: "dev", Prefixes: []string{""}, Codec: dev.Codec{}, Ops: dev.Outbox{Tray: a.Tray}.Ops()})
	}
	return out
}

func (a *App) identityOps() []op.Op {
	out := authentication.Authentication{Logins: a.Logins, Sessions: a.Sessions, Tokens: a.Tokens, People: a.People, Roles: a.Roles, Tenants: a.Index,
		Policies: a.Policies, Providers: a.Upstream, Reminders: a.Reminders, Authorities: a.Authorities, CertHost: a.certHost, Certs: a.takesCertificates(),
		PINs: a.PINs, Called: a.calledBy, Scans: a.scans()}.Ops()
	out = append(out, authentication.Migration{Migrations: a.Migrations}.Ops()...)
	out = append(out, a.users().Ops()...)
	out = append(out, directories.Directories{People: a.People, Roles: a.Roles, Settings: a.Values}.Ops()...)
	out = append(out, users.Import{Imports: a.Intake}.Ops()...)
	out = append(out, tenant.Tenant{
		Tenants: a.Tenants, Settings: a.Values, Version: Version(), TryMail: a.tryMail, TrySMS: a.trySMS, TryCall: a.tryCall,
	}.Ops()...)
	out = append(out, mfa.MFA{
		People: a.People, Roles: a.Roles, Settings: a.Values, Sessions: a.Sessions, Passwords: a.Passwords,
		Questions: a.Questions, Profiles: a.OATH, Keys: a.Passkeys, Tokens: a.Hardware, PINs: a.PINs, LeastPIN: a.Policies.LeastPIN, Logins: a.Logins, Notify: a.notify, Keep: a.keepWay,
		Authenticators: a.Authenticators, Scans: a.scans(), Enrolment: a.Policies.Enrolment, Alone: a.alone,
	}.Ops()...)
	out = append(out, a.breakGlass().Ops()...)
	out = append(out, a.regain().Ops()...)
	out = append(out, organizations.Organizations{Orgs: a.Orgs, People: a.People, Roles: a.Roles}.Ops()...)
	out = append(out, social.Social{Providers: a.Upstream, Settings: a.Values}.Ops()...)
	out = append(out, profiles.Profiles{Profiles: a.Profiles}.Ops()...)
	out = append(out, networks.Networks{Networks: a.Networks}.Ops()...)
	out = append(out, radius.Radius{Setup: a.Radius}.Ops()...)
	out = append(out, certificates.Certificates{Authorities: a.Authorities, Sessions: a.Sessions}.Ops()...)
	out = append(out, access.Access{Server: a.OAuth, Apps: a.Apps, Roles: a.Roles, Provision: a.provision()}.Ops()...)
	out = append(out, policies.Policies{Policies: a.Policies, Profiles: a.Profiles, People: a.People, Passwords: a.Passwords, Settings: a.Values}.Ops()...)
	out = append(out, roles.Roles{Roles: a.Roles, Orgs: a.Orgs, Scripts: a.Dynamic, Apps: a.Apps}.Ops()...)
	out = append(out, tasks.Tasks{Jobs: a.Jobs}.Ops()...)
	out = append(out, acl.ACL{Lists: a.Lists}.Ops()...)
	out = append(out, collections.Collections{Sets: a.Sets, Lists: a.Lists, Roles: a.Roles}.Ops()...)
	out = append(out, applications.Applications{Apps: a.Apps, Sets: a.Sets, Lists: a.Lists, Roles: a.Roles, OAuth: a.OAuth, Code: a.AppCode}.Ops()...)
	out = append(out, a.portal().Ops()...)
	out = append(out, proofings.Proofing{Proofings: a.Proofings, Flows: a.Flows, People: a.People}.Ops()...)
	out = append(out, workflows.Workflows{Flows: a.Flows, People: a.People}.Ops()...)
	out = append(out, a.explanations().Ops()...)
	out = append(out, a.provisioning().Ops()...)
	out = append(out, redrock.Redrock{Reports: a.Reports}.Ops()...)
	out = append(out, library.Library{Files: a.Files}.Ops()...)
	out = append(out, widgets.Widgets{Apps: a.Apps}.Ops()...)
	return out
}

func (a *App) users() users.Users {
	return a.withPeople(users.Users{
		People: a.People, Roles: a.Roles, Sessions: a.Sessions, Passwords: a.Passwords, Settings: a.Values, Tenants: a.Index, Post: a.Post,
		Link: a.Invites.Make, Orgs: a.Orgs, Attributes: attribute.Attributes{Stored: a.valuesStored}, Keep: a.keepWay,
	})
}

// Catalogue lists the operations of every dialect without a store, for documents and tests.
func Catalogue() []gen.Surface { return (&App{}).Surfaces() }
