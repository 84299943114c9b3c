// Package authority is the certificate authorities that a tenant trusts to say who somebody is (certificates.yaml n 346 to 350): whoever
// holds the key of a certificate of theirs signs in as the person whom it names.
package authority

import (
	"context"
	"crypto/x509"
	"errors"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/revocation"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
	"limen/internal/wire/certificate"
)

// Topic is the topic of changes, with the tenant as the item.
const Topic = "authority"

// Limits.
const (
	maxAuthorities = 50
	maxName        = 200 // bytes
	maxAddress     = 500
)

// Faults of authorities.
var (
	ErrNotFound = fault.New(fault.NotFound, "authority.not_found", "There is no such certificate authority.")
	ErrTaken    = fault.New(fault.Exists, "authority.name_taken", "A certificate authority of that name already exists.")
	ErrTrusted  = fault.New(fault.Exists, "authority.trusted", "This root certificate is trusted already.")
	ErrMany     = fault.New(fault.Conflict, "authority.many", "The tenant has as many certificate authorities as it may have.")
	ErrFile     = fault.New(fault.Invalid, "authority.file", "The file is no chain of certificate authorities.")
)

// Login is what of a certificate is the login name of the person.
type Login string

// The ways.
const (
	Principal Login = "principal" // user principal name among the alternative names
	Mail      Login = "mail"      // mail address among them
	Subject   Login = "subject"   // common name of the subject
)

// of reads it from a certificate; empty where it has none.
func (l Login) of(c *x509.Certificate) string {
	switch l {
	case Principal:
		return certificate.PrincipalName(c)
	case Mail:
		return certificate.MailAddress(c)
	case Subject:
		return certificate.CommonName(c)
	}
	return ""
}

// Authority is one that is trusted. It is shared: read only.
type Authority struct {
	ID      string
	Name    string // unique whatever its case
	Login   Login
	Revoked bool   // revoked certificates are looked for
	List    string // where their list is; empty: where certificates say
	Chain   Chain

	pem string
}

// Root is the certificate that everything rests on.
func (a Authority) Root() *x509.Certificate { return a.Chain[len(a.Chain)-1] }

// File is the chain in PEM, the root last.
func (a Authority) File() []byte { return []byte(a.pem) }

// Authorities are those of the call's tenant. The exported fields are set before Start.
type Authorities struct {
	DB      *dbx.DB
	Changes *change.Log
	Lists   *revocation.Lists
	// Lenient says whether certificates are taken of which cannot be found out whether they were revoked. Nil: they are not.
	Lenient func(ctx context.Context, c *call.Call) (bool, error)
	// Suffixed completes a login name that has no suffix.
	Suffixed func(ctx context.Context, c *call.Call, name string) (string, error)

	cache change.Cache[[]Authority]
}

type row struct {
	ID      string `db:"id"`
	Name    string `db:"name"`
	Chain   string `db:"chain"`
	Login   string `db:"login"`
	Revoked bool   `db:"revoked"`
	List    string `db:"list"`
}

const columns = `id, name, chain, login, revoked, list`

var (
	list = dbx.Q[row]("authority.list", `SELECT `+columns+` FROM authority WHERE tenant = ? ORDER BY name_key, id`)
	// lock makes those who change one follow one another.
	lock   = dbx.Q[row]("authority.lock", `SELECT `+columns+` FROM authority WHERE tenant = ? AND id = ? FOR UPDATE`)
	clash  = dbx.Q[string]("authority.clash", `SELECT id FROM authority WHERE tenant = ? AND root = ?`)
	count  = dbx.Q[int64]("authority.count", `SELECT COUNT(*) FROM authority WHERE tenant = ?`)
	insert = dbx.E("authority.insert", `INSERT INTO authority (tenant, name_key, root, created, changed, `+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, name_key) DO NOTHING`)
	update = dbx.E("authority.update", `UPDATE authority SET name_key = ?, root = ?, changed = ?, name = ?, chain = ?, login = ?, revoked = ?, list = ?
		WHERE tenant = ? AND id = ?`)
	remove = dbx.E("authority.delete", `DELETE FROM authority WHERE tenant = ? AND id = ?`)
)

func (r row) made() (Authority, error) {
	chain, err := certificate.Read([]byte(r.Chain))
	return Authority{ID: r.ID, Name: r.Name, Login: Login(r.Login), Revoked: r.Revoked, List: r.List, Chain: chain, pem: r.Chain}, err
}

// Start watches for changes.
func (a *Authorities) Start() {
	a.cache = change.Cache[[]Authority]{DB: a.DB, Log: a.Changes, Read: read}
	a.cache.Start(Topic)
}

func read(ctx context.Context, tx *dbx.Tx, tenant string) ([]Authority, error) {
	rows, err := list.All(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	out := make([]Authority, len(rows))
	for i, r := range rows {
		if out[i], err = r.made(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// All gives the authorities by their names. No organization has its own, and whoever may know of one may know of all.
func (a *Authorities) All(ctx context.Context, c *call.Call) ([]Authority, error) {
	return a.cache.Get(ctx, c)
}

// Find gives an authority by its id. Fault: ErrNotFound.
func (a *Authorities) Find(ctx context.Context, c *call.Call, id string) (Authority, error) {
	all, err := a.All(ctx, c)
	if err != nil {
		return Authority{}, err
	}
	id = strings.ToLower(strings.TrimSpace(id))
	for _, one := range all {
		if one.ID == id {
			return one, nil
		}
	}
	return Authority{}, ErrNotFound
}

// Wish is what an authority is to be; nil: as it is.
type Wish struct {
	Name    *string
	Login   *Login
	Revoked *bool
	List    *string
	Chain   Chain
}

// Add trusts an authority: by principal names, and with a look at its lists, where nothing else is wished. Faults: ErrTaken, ErrTrusted,
// ErrMany, and what is wrong with a value.
func (a *Authorities) Add(ctx context.Context, c *call.Call, w Wish) (Authority, error) {
	n, err := count.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return Authority{}, err
	}
	if n >= maxAuthorities {
		return Authority{}, ErrMany
	}
	made, err := w.over(Authority{ID: c.NewID(), Login: Principal, Revoked: true})
	if err != nil {
		return made, err
	}
	if err := unique(ctx, c, made); err != nil {
		return made, err
	}
	now := c.Now.UnixMilli()
	done, err := insert.Do(ctx, c.Tx, c.Tenant.ID, fold.Key(made.Name), made.Chain.root(), now, now, made.ID, made.Name, made.pem, string(made.Login), made.Revoked, made.List)
	switch {
	case errors.Is(err, dbx.ErrExists): // somebody else trusted it meanwhile
		err = ErrTrusted.At("file")
	case err == nil && done == 0:
		err = ErrTaken
	}
	return made, a.settled(ctx, c, Authority{}, made, err)
}

// Change changes an authority. What it vouched for it vouches for as it is now; sessions go on. Faults: ErrNotFound, and those of Add.
func (a *Authorities) Change(ctx context.Context, c *call.Call, id string, w Wish) error {
	was, err := find(ctx, c, id)
	if err != nil {
		return err
	}
	made, err := w.over(was)
	if err != nil {
		return err
	}
	if err := unique(ctx, c, made); err != nil {
		return err
	}
	_, err = update.Do(ctx, c.Tx, fold.Key(made.Name), made.Chain.root(), c.Now.UnixMilli(), made.Name, made.pem, string(made.Login), made.Revoked, made.List, c.Tenant.ID, made.ID)
	return a.settled(ctx, c, was, made, err)
}

// Remove ends the trust in an authority. Sessions go on. Fault: ErrNotFound.
func (a *Authorities) Remove(ctx context.Context, c *call.Call, id string) error {
	was, err := find(ctx, c, id)
	if err != nil {
		return err
	}
	_, err = remove.Do(ctx, c.Tx, c.Tenant.ID, was.ID)
	return a.settled(ctx, c, was, Authority{}, err)
}

func find(ctx context.Context, c *call.Call, id string) (Authority, error) {
	r, err := lock.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(strings.TrimSpace(id)))
	if errors.Is(err, dbx.ErrNoRow) {
		return Authority{}, ErrNotFound
	}
	if err != nil {
		return Authority{}, err
	}
	return r.made()
}

// unique wants nobody else to have the root: whose way to the login name counted would be chance.
func unique(ctx context.Context, c *call.Call, a Authority) error {
	id, err := clash.One(ctx, c.Tx, c.Tenant.ID, a.Chain.root())
	switch {
	case errors.Is(err, dbx.ErrNoRow):
		return nil
	case err == nil && id != a.ID:
		return ErrTrusted.At("file")
	}
	return err
}

// settled ends a change: it notes and tells it.
func (a *Authorities) settled(ctx context.Context, c *call.Call, was, now Authority, err error) error {
	if errors.Is(err, dbx.ErrExists) || errors.Is(err, ErrTaken) {
		return ErrTaken.At("Name")
	}
	if err != nil {
		return err
	}
	noted(c.Event, was, now)
	return a.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}

// noted keeps a change in an event; the Authority without an id stands for none.
func noted(e *call.Event, was, now Authority) {
	if e == nil {
		return
	}
	e.Kind, e.Target, e.Name = "CertificateAuthority", now.ID, now.Name
	if now.ID == "" {
		e.Target, e.Name = was.ID, was.Name
	}
	call.Changed(e, "Name", was.Name, now.Name)
	call.Changed(e, "LoginExtraction", string(was.Login), string(now.Login))
	call.Changed(e, "RevocationCheck", was.Revoked, now.Revoked)
	call.Changed(e, "RevocationList", was.List, now.List)
	call.Changed(e, "Chain", was.Chain.prints(), now.Chain.prints())
}

// over puts what is wished over what is there.
func (w Wish) over(a Authority) (Authority, error) {
	if w.Name != nil {
		a.Name = strings.TrimSpace(*w.Name)
	}
	if a.Name == "" || len(a.Name) > maxName || !utf8.ValidString(a.Name) || strings.ContainsFunc(a.Name, unicode.IsControl) {
		return a, fault.Bad("Name", "has 1 to %d bytes and no control characters", maxName)
	}
	if w.Login != nil {
		a.Login = *w.Login
	}
	if w.Revoked != nil {
		a.Revoked = *w.Revoked
	}
	if w.List != nil {
		a.List = strings.TrimSpace(*w.List)
	}
	if u, err := url.Parse(a.List); a.List != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || len(a.List) > maxAddress) {
		return a, fault.Bad("RevocationList", "must be an address with http or https, without a user, of at most %d bytes", maxAddress)
	}
	if w.Chain != nil {
		a.Chain, a.pem = w.Chain, string(certificate.PEM(w.Chain...))
	}
	if len(a.Chain) == 0 {
		return a, fault.Missing("file")
	}
	return a, nil
}
