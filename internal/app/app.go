package app

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"limen/internal/call"
	"limen/internal/config"
	"limen/internal/core/acl"
	"limen/internal/core/address"
	"limen/internal/core/app"
	"limen/internal/core/attribute"
	"limen/internal/core/audit"
	"limen/internal/core/authority"
	"limen/internal/core/breakglass"
	"limen/internal/core/captcha"
	"limen/internal/core/change"
	"limen/internal/core/collection"
	"limen/internal/core/consent"
	"limen/internal/core/demand"
	"limen/internal/core/detail"
	"limen/internal/core/domain"
	"limen/internal/core/dynamic"
	"limen/internal/core/factor/authenticator"
	"limen/internal/core/factor/oath"
	"limen/internal/core/factor/passkey"
	"limen/internal/core/factor/phone"
	"limen/internal/core/factor/question"
	"limen/internal/core/inquiry"
	"limen/internal/core/intake"
	"limen/internal/core/invite"
	"limen/internal/core/job"
	"limen/internal/core/key"
	"limen/internal/core/lease"
	"limen/internal/core/login"
	"limen/internal/core/message"
	"limen/internal/core/migration"
	"limen/internal/core/network"
	"limen/internal/core/oauth"
	"limen/internal/core/org"
	"limen/internal/core/outbound"
	"limen/internal/core/outbox"
	"limen/internal/core/passcode"
	"limen/internal/core/password"
	"limen/internal/core/policy"
	"limen/internal/core/portal"
	"limen/internal/core/post"
	"limen/internal/core/profile"
	"limen/internal/core/proofing"
	"limen/internal/core/provision"
	"limen/internal/core/radius"
	"limen/internal/core/regain"
	"limen/internal/core/remind"
	"limen/internal/core/report"
	"limen/internal/core/reset"
	"limen/internal/core/revocation"
	"limen/internal/core/risk"
	"limen/internal/core/role"
	appscript "limen/internal/core/script"
	"limen/internal/core/session"
	"limen/internal/core/setting"
	"limen/internal/core/signup"
	"limen/internal/core/sshkey"
	"limen/internal/core/template"
	"limen/internal/core/tenant"
	"limen/internal/core/throttle"
	"limen/internal/core/token"
	"limen/internal/core/tokenfile"
	"limen/internal/core/upstream"
	"limen/internal/core/user"
	"limen/internal/core/vault"
	"limen/internal/core/workflow"
	"limen/internal/core/workspace"
	"limen/internal/crypt"
	"limen/internal/crypt/hsm"
	"limen/internal/dbx"
	"limen/internal/op"
	"limen/internal/platform/dns"
	"limen/internal/platform/egress"
	"limen/internal/platform/mail"
	"limen/internal/platform/metric"
	"limen/internal/platform/script"
	"limen/internal/platform/sms"
	"limen/internal/platform/trace"
	"limen/internal/schema"
	"limen/internal/surface/dev"
	"limen/internal/surface/identity/library"
	pages "limen/web/login"
)

// App is the program's parts, wired together. Nothing runs before Run or Serve.
type App struct {
	Settings config.Settings
	Log      *slog.Logger

	DB      *dbx.DB
	Keys    key.Keys
	Ring    *crypt.Ring
	Signers *crypt.Signers
	Hasher  *crypt.Hasher

	Changes *change.Log
	Leases  *lease.Leases
	Outbox  *outbox.Outbox
	Jobs    *job.Jobs
	Audit   *audit.Log
	Post    *post.Post
	// MailTemplates are the words in which organizations write to their people.
	MailTemplates *template.Templates

	Mailer  *mail.Sender // to servers that tenants name
	Trusted *mail.Sender // to the installation's own relay
	Relay   *mail.Server // nil when none is set
	Gateway *sms.Twilio
	Egress  *egress.Client // asks addresses that clients name
	// Services asks services that people are provisioned to.
	Services *egress.Client

	Resolver *dns.Resolver

	Values   *setting.Store
	Index    *tenant.Index
	Tenants  *tenant.Tenants
	Roles    *role.Roles
	People   *user.Directory
	Orgs     *org.Orgs
	Domains  *domain.Domains
	Demands  *demand.Demands
	Profiles *profile.Profiles
	Policies *policy.Policies
	Risks    *risk.Risks
	Networks *network.Networks
	// Authorities say who somebody is by certificates, and Revoked knows which of these count no more.
	Authorities *authority.Authorities
	Revoked     *revocation.Lists
	Passwords   password.Passwords
	Sessions    *session.Sessions
	Reports     *report.Reports
	Lists       *acl.Lists
	Sets        *collection.Sets
	Scripts     *script.Pool // runs nothing before its Command is set
	Quick       *script.Pool // for scripts that somebody waits for; the same
	Dynamic     *dynamic.Scripts
	AppCode     *appscript.Scripts

	Throttle  throttle.Throttle
	OATH      oath.Profiles
	Passkeys  passkey.Keys
	Questions question.Questions
	Tokens    token.Tokens
	Logins    *login.Logins
	Invites   *invite.Invites
	Addresses *address.Addresses
	Resets    *reset.Resets
	Reminders *remind.Reminders
	Captchas  *captcha.Captchas
	Signups   *signup.Signups
	Proofings *proofing.Proofings
	Passcodes *passcode.Passcodes
	Pages     *pages.Pages
	Files     library.Shelf // that pages of others load
	Intake    *intake.Imports
	Hardware  *tokenfile.Files
	PINs      phone.Pins
	Apps      *app.Apps
	OAuth     *oauth.Server
	Portal    *portal.Portal
	Flows     *workflow.Flows
	Outbound  *outbound.Outbound
	// Inquiries ask services of tenants' own, as Migrations do of old systems for passwords.
	Inquiries  *inquiry.Asker
	Migrations *migration.Migrations
	Consents   *consent.Consents

	Authenticators authenticator.Devices
	BreakGlass     *breakglass.Accounts
	Regains        *regain.Regains

	Upstream *upstream.Providers

	Radius *radius.Setup

	Workspaces      *workspace.Workspaces
	WorkspaceTokens workspace.Tokens

	machines *crypt.Remember // secrets of confidential clients

	remembered remembered
	factors    []func(ctx context.Context, c *call.Call, userID string) error // take from somebody what they sign in with besides the password

	Kernel  *op.Kernel
	Metrics *metric.Metrics
	Tracer  *trace.Tracer // nil unless an endpoint is set
	Tray    *dev.Tray     // nil without --dev
}

// Open opens the store and wires everything onto it. Close it in the end.
func Open(ctx context.Context, s config.Settings, log *slog.Logger) (*App, error) {
	if file, ok := s.SQLite(); ok {
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
	}
	db, err := dbx.Open(ctx, storeURL(s), dbx.Options{Log: log})
	if err != nil {
		return nil, err
	}
	a, err := New(ctx, s, log, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return a, nil
}

// New wires everything onto a store, which it brings to this version's schema.
func New(ctx context.Context, s config.Settings, log *slog.Logger, db *dbx.DB) (*App, error) {
	a := &App{Settings: s, Log: log, DB: db}
	master, err := a.master()
	if err != nil {
		return nil, err
	}
	return a, a.wire(ctx, master)
}

// Close closes the store. What runs must have stopped.
func (a *App) Close() error { return a.DB.Close() }

// keyInToken is the key in a token that the settings name.
func keyInToken(s config.Settings) hsm.Config {
	return hsm.Config{Module: s.Module, Token: s.Token, Key: s.TokenKey, PINFile: s.PINFile}
}

func (a *App) master() (crypt.Wrapper, error) {
	if a.Settings.Module != "" {
		return hsm.Open(keyInToken(a.Settings))
	}
	if a.Settings.MasterKey != "" {
		return crypt.MasterFromText(a.Settings.MasterKey)
	}
	if err := os.MkdirAll(filepath.Dir(a.Settings.KeyFile()), 0o700); err != nil {
		return nil, err
	}
	return crypt.MasterFromFile(a.Settings.KeyFile(), true)
}

func storeURL(s config.Settings) string {
	if file, ok := s.SQLite(); ok {
		return "sqlite:" + file
	}
	return s.DB
}

func (a *App) wire(ctx context.Context, master crypt.Wrapper) error {
	if _, _, err := schema.Apply(ctx, a.DB); err != nil {
		return err
	}
	if err := a.wireKeys(ctx, master); err != nil {
		return err
	}
	a.wireWork()
	if err := a.wireOutside(ctx); err != nil {
		return err
	}
	if err := a.wireDomain(ctx); err != nil {
		return err
	}
	a.wireLogin()
	a.wireOAuth()
	a.wirePortal()
	a.wireJobs()
	a.wireScripts()
	a.wireAppScripts()
	a.wireWorkflows()
	a.wireOutbound()
	a.wireIntake()
	a.declareJobs()
	if err := a.wireInvites(); err != nil {
		return err
	}
	a.wireWorkspaces()
	a.wireUpstream()
	a.wireMigration()
	a.wireConsents()
	a.wireTheme()
	a.wirePeople()
	a.wireSignups()
	a.wireBreakGlass()
	a.wireRegains()
	if err := a.wireSenders(); err != nil {
		return err
	}
	a.wireDelivery()
	a.wireSweeps()
	a.wireKernel()
	return nil
}

func (a *App) wireKeys(ctx context.Context, master crypt.Wrapper) error {
	a.Keys = key.Keys{DB: a.DB}
	a.Ring = &crypt.Ring{Master: master, Load: a.Keys.Seals, Of: a.Keys.Of, Store: a.Keys.AddSeal, Now: time.Now}
	a.Signers = &crypt.Signers{Ring: a.Ring, Load: a.Keys.Signs, Store: a.Keys.SetSigns, Now: time.Now}
	a.Hasher = &crypt.Hasher{Random: rand.Reader}
	some, err := a.Keys.Some(ctx)
	if err != nil || len(some) == 0 {
		return err
	}
	return a.Ring.Check(ctx, some...)
}

// wireWork wires what follows transactions.
func (a *App) wireWork() {
	a.Changes = &change.Log{DB: a.DB, Log: a.Log}
	a.Leases = &lease.Leases{DB: a.DB, Log: a.Log, Node: a.Settings.Node}
	a.Outbox = &outbox.Outbox{
		DB: a.DB, Log: a.Log, Node: a.Settings.Node,
		Seal: func(ctx context.Context, tenant string, plain []byte, aad string) (string, error) {
			return a.Ring.Seal(ctx, tenant, purposeOutbox, plain, aad)
		},
		Open: func(ctx context.Context, tenant, sealed, aad string) ([]byte, error) {
			return a.Ring.Open(ctx, tenant, purposeOutbox, sealed, aad)
		},
	}
	a.Audit = &audit.Log{DB: a.DB, Log: a.Log, Node: a.Settings.Node, Leases: a.Leases, Sign: a.signCheckpoint, Check: a.checkCheckpoint}
}

// signCheckpoint authenticates a checkpoint of the audit chain with a key of the tenant that only the master key opens.
func (a *App) signCheckpoint(ctx context.Context, tenantID string, message []byte) (string, []byte, error) {
	mac, err := a.Ring.MAC(ctx, tenantID, purposeAudit, message)
	return "mac", []byte(mac), err
}

func (a *App) checkCheckpoint(ctx context.Context, tenantID, _ string, message, signature []byte) (bool, error) {
	return a.Ring.CheckMAC(ctx, tenantID, purposeAudit, message, string(signature))
}

func (a *App) wireDomain(ctx context.Context) error {
	catalog, err := message.Load()
	if err != nil {
		return err
	}
	a.Values = &setting.Store{DB: a.DB, Changes: a.Changes, Ring: a.Ring}
	a.Values.Start()
	a.Post = &post.Post{Catalog: catalog, Outbox: a.Outbox, Style: a.style, Own: a.ownWords}
	a.MailTemplates = &template.Templates{Catalog: catalog}
	a.Index = &tenant.Index{DB: a.DB, Changes: a.Changes, Domain: a.domain(), Port: a.port()}
	a.Roles = &role.Roles{Changes: a.Changes, DB: a.DB}
	a.Tenants = &tenant.Tenants{Index: a.Index, Changes: a.Changes, Roles: a.Roles}
	a.People = &user.Directory{DB: a.DB, Changes: a.Changes, Tenants: a.Index, Roles: a.Roles}
	a.People.Watch()
	a.Orgs = &org.Orgs{People: a.People, Roles: a.Roles, DB: a.DB, Act: a.act}
	a.People.Stored = append(a.People.Stored, a.Orgs.Stored)
	a.Roles.Scopes, a.Roles.Deleted = a.Orgs.Scopes, append(a.Roles.Deleted, a.Orgs.RoleGone, groupGone, vault.RoleGone)
	a.Passwords = password.Passwords{
		Hasher: a.Hasher, Policy: a.passwordPolicy, Changed: a.passwordSet, Repeated: &crypt.Remember{Hasher: a.Hasher, Now: time.Now},
	}
	a.Sessions = &session.Sessions{DB: a.DB, Holder: a.holder, Put: a.Changes.Put, Fresh: a.Changes.Fresh, Proof: a.proofLasts}
	a.Sessions.Watch(a.Changes.Watch)
	a.Tenants.Move = a.People.Move
	a.wireDomains()
	a.wireSafes()
	a.wireProfiles()
	a.wireNetworks()
	a.wireRadius()
	a.wireAuthorities()
	a.wireDemands()
	a.wirePolicies()
	a.People.Shut = append(a.People.Shut, a.endSessions, sshkey.Recall)
	a.People.Gone = append(a.People.Gone, a.endSessions, a.Passwords.Drop, attribute.Attributes{}.Drop, detail.Drop, vault.Drop, sshkey.Drop, provision.DropTokens, a.Orgs.PersonGone)
	if a.Reports, err = report.New(a.DB); err != nil {
		return err
	}
	a.wireLists()
	return a.Index.Start(ctx)
}
