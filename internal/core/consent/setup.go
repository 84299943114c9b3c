package consent

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/inquiry"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Bounds of a setup.
const (
	MaxText      = 64 << 10 // bytes of a text
	MaxLanguages = 30
	maxVersion   = 50   // bytes
	maxURL       = 2000 // bytes
	maxSeen      = 50   // attributes
)

// Setup is whether, and to what, people must agree.
type Setup struct {
	Enabled    bool   `db:"enabled"`
	Version    string `db:"version"` // empty: none
	URL        string `db:"url"`
	Script     string `db:"script"`     // empty: DefaultScript
	Attributes string `db:"attributes"` // that the script sees, as a JSON array
	Revision   int64  `db:"revision"`   // 0: nothing is set
}

// Text is the script that counts.
func (s Setup) Text() string {
	if s.Script == "" {
		return DefaultScript
	}
	return s.Script
}

// Seen are the attributes that the script sees.
func (s Setup) Seen() []string {
	out := []string{}
	_ = json.Unmarshal([]byte(s.Attributes), &out)
	return out
}

// Document is what people are asked to agree to, in a language.
type Document struct {
	Version  string `db:"version"`
	Language string `db:"language"`
	Body     string `db:"body"`
	Digest   string `db:"digest"`
	Made     int64  `db:"made"`
}

var (
	getRow = dbx.Q[Setup]("consent.setup", `SELECT enabled, version, url, script, attributes, revision FROM consent_setup WHERE tenant = ?`)
	addRow = dbx.E("consent.setup_add", `INSERT INTO consent_setup (tenant, enabled, version, url, script, attributes, changed, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant) DO NOTHING`)
	setRow = dbx.E("consent.setup_set", `UPDATE consent_setup SET enabled = ?, version = ?, url = ?, script = ?, attributes = ?, changed = ?, revision = revision + 1
		WHERE tenant = ? AND revision = ?`)
	documents = dbx.Q[Document]("consent.documents", `SELECT version, language, body, digest, made FROM consent_document WHERE tenant = ? AND version = ? ORDER BY language`)
	write     = dbx.E("consent.document_add", `INSERT INTO consent_document (tenant, version, language, body, digest, made) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, version, language) DO NOTHING`)
)

// Topic is what changes of setups are told under, with the tenant as their item.
const Topic = "consent"

// Start watches for changes.
func (k *Consents) Start() {
	k.cache = change.Cache[Setup]{DB: k.DB, Log: k.Changes, Read: read}
	k.cache.Start(Topic)
}

func read(ctx context.Context, tx *dbx.Tx, tenant string) (Setup, error) {
	s, err := getRow.One(ctx, tx, tenant)
	if errors.Is(err, dbx.ErrNoRow) {
		return Setup{}, nil
	}
	return s, err
}

// Get gives the call's tenant's setup, from memory while nothing changes; that of revision 0 where there is none.
func (k *Consents) Get(ctx context.Context, c *call.Call) (Setup, error) { return k.cache.Get(ctx, c) }

// Documents gives the texts of a version by their languages.
func (k *Consents) Documents(ctx context.Context, c *call.Call, version string) ([]Document, error) {
	return documents.All(ctx, c.Tx, c.Tenant.ID, version)
}

// Wish is how it is to be. What is nil stays as it is.
type Wish struct {
	Enabled    *bool
	Version    *string
	URL        *string
	Script     *string // empty, or DefaultScript: the program's own
	Attributes []string
	Texts      map[string]string // of the version, by languages; nil: as they are
}

// Ready is a setup that was looked at.
type Ready struct {
	old, now Setup
	texts    []Document
}

// Prepare looks at a wish: whether it fits, and whether its script compiles. Outside transactions. Faults: ErrScript and those of parameters.
func (k *Consents) Prepare(ctx context.Context, c *call.Call, w Wish) (Ready, error) {
	var r Ready
	var have []Document
	if err := c.Snapshot(ctx, func() (err error) {
		if r.old, err = k.Get(ctx, c); err == nil {
			r.now = w.on(r.old)
			have, err = k.Documents(ctx, c, r.now.Version)
		}
		return err
	}); err != nil {
		return Ready{}, err
	}
	if err := r.now.check(w); err != nil {
		return Ready{}, err
	}
	if err := r.add(w, have); err != nil {
		return Ready{}, err
	}
	if w.Script == nil {
		return r, nil
	}
	why, err := k.Asker.Compile(ctx, c, r.now.Text(), Names)
	if err == nil && why != "" {
		err = ErrScript.At("Script").Say("%s", why)
	}
	return r, err
}

// add looks at the texts of a version, of which those that there are cannot change.
func (r *Ready) add(w Wish, have []Document) error {
	for _, tag := range slices.Sorted(maps.Keys(w.Texts)) {
		body := strings.TrimSpace(strings.ReplaceAll(w.Texts[tag], "\r\n", "\n"))
		parsed, err := language.Parse(tag)
		switch {
		case err != nil:
			return fault.Bad("Documents", "must have languages as en or pt-BR; %.20q is none", tag)
		case body == "" || len(body) > MaxText || !utf8.ValidString(body) || strings.ContainsFunc(body, unprintable):
			return fault.Bad("Documents", "must have texts of 1 to %d bytes", MaxText)
		}
		sum := sha256.Sum256([]byte(body))
		d := Document{Version: r.now.Version, Language: parsed.String(), Body: body, Digest: hex.EncodeToString(sum[:])}
		at := slices.IndexFunc(have, func(h Document) bool { return h.Language == d.Language })
		if at >= 0 && have[at].Digest != d.Digest {
			return fault.Bad("Version", "must be another one, since the text in %s is another one than people were shown", d.Language)
		}
		if at < 0 {
			r.texts, have = append(r.texts, d), append(have, d)
		}
	}
	if len(have) > MaxLanguages {
		return fault.Bad("Documents", "may be in %d languages", MaxLanguages)
	}
	if len(have) == 0 && (r.now.Enabled || w.Version != nil && r.now.Version != "") {
		return fault.Missing("Documents")
	}
	return nil
}

func unprintable(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// on is a setup as it is wished.
func (w Wish) on(s Setup) Setup {
	if w.Enabled != nil {
		s.Enabled = *w.Enabled
	}
	if w.Version != nil {
		s.Version = strings.TrimSpace(*w.Version)
	}
	if w.URL != nil {
		s.URL = strings.TrimSpace(*w.URL)
	}
	if w.Script != nil {
		if s.Script = *w.Script; strings.TrimSpace(s.Script) == "" || s.Script == DefaultScript {
			s.Script = ""
		}
	}
	if w.Attributes != nil {
		b, _ := json.Marshal(w.Attributes)
		s.Attributes = string(b)
	}
	return s
}

func (s Setup) check(w Wish) error {
	u, err := url.Parse(s.URL)
	long := func(name string) bool { return name == "" || len(name) > 100 }
	switch {
	case (s.Enabled || w.Texts != nil) && s.Version == "":
		return fault.Missing("Version")
	case len(s.Version) > maxVersion || strings.ContainsFunc(s.Version, unicode.IsControl):
		return fault.Bad("Version", "may have %d bytes and be one line", maxVersion)
	case s.URL != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(s.URL) > maxURL):
		return fault.Bad("ConsentUrl", "must be an absolute https address of at most %d bytes", maxURL)
	case len(s.Script) > inquiry.MaxScript || strings.ContainsRune(s.Script, 0):
		return fault.Bad("Script", "may have %d bytes", inquiry.MaxScript)
	case len(w.Attributes) > maxSeen || slices.ContainsFunc(w.Attributes, long):
		return fault.Bad("Attributes", "may have %d names of at most 100 bytes", maxSeen)
	}
	return nil
}

// Set stores a setup. Fault: ErrChanged.
func (k *Consents) Set(ctx context.Context, c *call.Call, r Ready) error {
	s, at := r.now, c.Now.UnixMilli()
	var n int64
	var err error
	if r.old.Revision == 0 {
		n, err = addRow.Do(ctx, c.Tx, c.Tenant.ID, s.Enabled, s.Version, s.URL, s.Script, s.Attributes, at)
	} else {
		n, err = setRow.Do(ctx, c.Tx, s.Enabled, s.Version, s.URL, s.Script, s.Attributes, at, c.Tenant.ID, r.old.Revision)
	}
	if err == nil && n == 0 {
		err = ErrChanged
	}
	if err != nil {
		return err
	}
	e := c.Event
	e.Target, e.Kind, e.Name = "Consent", "Consent", "Consent"
	call.Changed(e, "ConsentManagementEnabled", r.old.Enabled, s.Enabled)
	call.Changed(e, "Version", r.old.Version, s.Version)
	call.Changed(e, "ConsentUrl", r.old.URL, s.URL)
	call.Changed(e, "Script", call.Brief(r.old.Script), call.Brief(s.Script))
	call.Changed(e, "Attributes", r.old.Attributes, s.Attributes)
	for _, d := range r.texts {
		n, err := write.Do(ctx, c.Tx, c.Tenant.ID, d.Version, d.Language, d.Body, d.Digest, at)
		if err == nil && n == 0 {
			err = ErrChanged // it was written meanwhile, perhaps otherwise
		}
		if err != nil {
			return err
		}
		e.Change("Documents."+d.Language, nil, d.Digest)
	}
	return k.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}
