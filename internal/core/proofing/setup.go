package proofing

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode"

	"limen/internal/call"
	"limen/internal/core/inquiry"
	"limen/internal/core/workflow"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Bounds of a setup.
const (
	maxProvider = 64 // bytes
	maxMapped   = 50 // fields
	maxField    = 100
)

// Setup is how those who register are looked at.
type Setup struct {
	Enabled   bool    `db:"enabled"` // the script is asked
	Provider  string  `db:"provider"`
	URL       string  `db:"url"` // empty: the script decides alone
	Header    string  `db:"header"`
	Sealed    string  `db:"sealed"`
	Link      bool    `db:"link"`
	Script    string  `db:"script"`    // empty: DefaultScript
	Approval  bool    `db:"approval"`  // people approve
	Approvers string  `db:"approvers"` // JSON; empty list: system administrators
	Mapping   string  `db:"mapping"`   // JSON
	Failure   Failure `db:"failure"`
	Version   int64   `db:"version"` // 0: nothing is set
}

// Text is the script that counts.
func (s Setup) Text() string {
	if s.Script == "" {
		return DefaultScript
	}
	return s.Script
}

// On says whether anybody who registers is looked at, by the script or by people.
func (s Setup) On() bool { return s.Enabled || s.Approval }

// Chain are the approvers, in their order.
func (s Setup) Chain() []workflow.Step {
	out := []workflow.Step{}
	_ = json.Unmarshal([]byte(s.Approvers), &out) // this package has written it
	return out
}

// Mapped are the attributes by the service's names for them.
func (s Setup) Mapped() map[string]string {
	out := map[string]string{}
	_ = json.Unmarshal([]byte(s.Mapping), &out)
	return out
}

const setupColumns = `enabled, provider, url, header, sealed, link, script, approval, approvers, mapping, failure`

var (
	getRow = dbx.Q[Setup]("proofing.get", `SELECT `+setupColumns+`, version FROM proofing_setup WHERE tenant = ?`)
	addRow = dbx.E("proofing.add", `INSERT INTO proofing_setup (tenant, `+setupColumns+`, changed, version)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant) DO NOTHING`)
	setRow = dbx.E("proofing.set", `UPDATE proofing_setup SET enabled = ?, provider = ?, url = ?, header = ?, sealed = ?, link = ?, script = ?, approval = ?,
		approvers = ?, mapping = ?, failure = ?, changed = ?, version = version + 1 WHERE tenant = ? AND version = ?`)
)

// Get gives the call's tenant's setup; that of version 0 where there is none.
func (p *Proofings) Get(ctx context.Context, c *call.Call) (Setup, error) {
	s, err := getRow.One(ctx, c.Tx, c.Tenant.ID)
	if errors.Is(err, dbx.ErrNoRow) {
		return Setup{Approvers: "[]", Mapping: "{}", Failure: FailDeny}, nil
	}
	return s, err
}

// Wish is how it is to be. What is nil stays as it is.
type Wish struct {
	Enabled   *bool
	Provider  *string
	URL       *string
	Header    *string
	Key       *string // empty: none; inquiry.Mask: as it is
	Link      *bool
	Script    *string // empty, or DefaultScript: the program's own
	Approval  *bool
	Approvers []workflow.Step   // empty: system administrators
	Mapping   map[string]string // attributes by the service's names for them
	Failure   *string
}

// Ready is a setup that was looked at.
type Ready struct{ old, now Setup }

// Prepare looks at a wish: whether it fits, and whether its script compiles; it seals the key. Outside transactions. Faults: ErrScript and those of
// parameters.
func (p *Proofings) Prepare(ctx context.Context, c *call.Call, w Wish) (Ready, error) {
	var r Ready
	if err := c.Snapshot(ctx, func() (err error) {
		if r.old, err = p.Get(ctx, c); err != nil {
			return err
		}
		r.now = w.on(r.old)
		if w.Approvers != nil {
			err = p.name(ctx, c, &r.now, w.Approvers)
		}
		return err
	}); err != nil {
		return Ready{}, err
	}
	if err := r.now.check(w); err != nil {
		return Ready{}, err
	}
	if w.Key != nil && *w.Key != inquiry.Mask {
		var err error
		if r.now.Sealed, err = inquiry.Seal(ctx, c, p.Ring, Purpose, *w.Key); err != nil {
			return Ready{}, err
		}
	}
	if w.Script == nil && (!r.now.Enabled || r.old.Enabled) {
		return r, nil
	}
	why, err := p.Asker.Compile(ctx, c, r.now.Text(), Names)
	if err == nil && why != "" {
		err = ErrScript.At("Script").Say("%s", why)
	}
	return r, err
}

// name looks whether the approvers exist.
func (p *Proofings) name(ctx context.Context, c *call.Call, s *Setup, chain []workflow.Step) error {
	known, err := p.Flows.Known(ctx, c, chain)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(known)
	s.Approvers = string(raw)
	return err
}

// on is a setup as it is wished, but for the approvers and the key.
func (w Wish) on(s Setup) Setup {
	set(&s.Enabled, w.Enabled)
	set(&s.Link, w.Link)
	set(&s.Approval, w.Approval)
	if w.Provider != nil {
		s.Provider = strings.TrimSpace(*w.Provider)
	}
	if w.Header != nil {
		s.Header = http.CanonicalHeaderKey(strings.TrimSpace(*w.Header))
	}
	if w.URL != nil {
		if at := strings.TrimSpace(*w.URL); at != s.URL {
			s.URL, s.Sealed = at, "" // or whoever names another address would be sent the key
		}
	}
	if w.Script != nil {
		if s.Script = *w.Script; strings.TrimSpace(s.Script) == "" || s.Script == DefaultScript {
			s.Script = ""
		}
	}
	if w.Mapping != nil {
		raw, _ := json.Marshal(w.Mapping)
		s.Mapping = string(raw)
	}
	if w.Failure != nil {
		s.Failure = Failure(*w.Failure)
		for _, f := range []Failure{FailDeny, FailReview} {
			if strings.EqualFold(*w.Failure, string(f)) {
				s.Failure = f
			}
		}
	}
	return s
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s Setup) check(w Wish) error {
	key := ""
	set(&key, w.Key)
	switch {
	case len(s.Provider) > maxProvider || strings.ContainsFunc(s.Provider, unicode.IsControl):
		return fault.Bad("Provider", "may have %d bytes and be one line", maxProvider)
	case s.Enabled && s.Provider == "":
		return fault.Missing("Provider")
	case s.Enabled && s.Script == "" && s.URL == "":
		return fault.Missing("Script")
	case s.Failure != FailDeny && s.Failure != FailReview:
		return fault.Bad("FailureAction", "must be %s or %s", FailDeny, FailReview)
	case s.Failure == FailReview && !s.Approval:
		return fault.Bad("FailureAction", "can be %s only where ApprovalWorkflowEnabled is true", FailReview)
	}
	if err := s.checkMapping(); err != nil {
		return err
	}
	return inquiry.Service{URL: s.URL, Header: s.Header, Key: key, Script: s.Script}.Check()
}

// checkMapping wants attributes that people who register have.
func (s Setup) checkMapping() error {
	all := s.Mapped()
	if len(all) > maxMapped {
		return fault.Bad("AttributeMapping", "may have %d fields", maxMapped)
	}
	for _, field := range slices.Sorted(maps.Keys(all)) {
		of := all[field]
		if field == "" || len(field) > maxField || strings.ContainsFunc(field, unicode.IsControl) {
			return fault.Bad("AttributeMapping", "must have fields of 1 to %d bytes", maxField)
		}
		if _, own := (Applicant{}).values()[of]; !own && (!strings.Contains(of, "_") || len(of) > maxField) {
			return fault.Bad("AttributeMapping", "names %.60q, which is no attribute of people who register", of)
		}
	}
	return nil
}

// Set stores a setup. Fault: ErrChanged.
func (p *Proofings) Set(ctx context.Context, c *call.Call, r Ready) error {
	s, at := r.now, c.Now.UnixMilli()
	args := []any{s.Enabled, s.Provider, s.URL, s.Header, s.Sealed, s.Link, s.Script, s.Approval, s.Approvers, s.Mapping, s.Failure, at}
	var n int64
	var err error
	if r.old.Version == 0 {
		n, err = addRow.Do(ctx, c.Tx, append([]any{c.Tenant.ID}, args...)...)
	} else {
		n, err = setRow.Do(ctx, c.Tx, append(args, c.Tenant.ID, r.old.Version)...)
	}
	if err == nil && n == 0 {
		err = ErrChanged
	}
	note(c.Event, r.old, s)
	return err
}

func note(e *call.Event, old, now Setup) {
	e.Target, e.Kind, e.Name = "IdentityVerification", "IdentityVerification", "IdentityVerification"
	call.Changed(e, "IdentityProofingEnabled", old.Enabled, now.Enabled)
	call.Changed(e, "Provider", old.Provider, now.Provider)
	call.Changed(e, "ApiUrl", old.URL, now.URL)
	call.Changed(e, "ApiKeyHeader", old.Header, now.Header)
	call.Changed(e, "LinkToProInsight", old.Link, now.Link)
	call.Changed(e, "Script", call.Brief(old.Script), call.Brief(now.Script))
	call.Changed(e, "ApprovalWorkflowEnabled", old.Approval, now.Approval)
	call.Changed(e, "Approvers", old.Approvers, now.Approvers)
	call.Changed(e, "AttributeMapping", old.Mapping, now.Mapping)
	call.Changed(e, "FailureAction", old.Failure, now.Failure)
	if old.Sealed != now.Sealed {
		e.Change("ApiKey", inquiry.Masked(old.Sealed), inquiry.Masked(now.Sealed))
	}
}
