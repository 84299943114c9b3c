package domain

import (
	"bytes"
	"context"
	"crypto/subtle"
	"errors"
	"net/http"

	"limen/internal/call"
	"limen/internal/dbx"
)

// Proof is a code that was found where a domain publishes it.
type Proof struct {
	name   string
	code   string
	method Method
}

// Look looks for the code of an organization's domain, outside transactions. Faults: those of Normalize, ErrMethod, ErrTaken,
// ErrNoCode, ErrNoProof, ErrUnseen.
func (d *Domains) Look(ctx context.Context, c *call.Call, org, name string, by Method) (Proof, error) {
	if by != TXT && by != File {
		return Proof{}, ErrMethod
	}
	name, err := Normalize(name)
	if err != nil {
		return Proof{}, err
	}
	var row Domain
	err = c.Snapshot(ctx, func() (err error) {
		if err = d.free(ctx, c, org, name); err != nil {
			return err
		}
		row, err = find.One(ctx, c.Tx, c.Tenant.ID, org, name)
		return err
	})
	if errors.Is(err, dbx.ErrNoRow) || err == nil && !row.usable(c) {
		return Proof{}, ErrNoCode
	}
	if err != nil {
		return Proof{}, err
	}
	return Proof{name, row.Code, by}, d.look(ctx, row, by)
}

// usable says whether the code may prove anything at c.Now.
func (d Domain) usable(c *call.Call) bool {
	return d.State == Verified || d.CodeUntil > c.Now.UnixMilli()
}

// look asks the outside. ErrNoProof says that what is to be found is not there.
func (d *Domains) look(ctx context.Context, of Domain, by Method) error {
	if by == File {
		return d.lookFile(ctx, of)
	}
	records, err := d.TXT(ctx, of.Name)
	if err != nil {
		return ErrUnseen.Because(err)
	}
	found := 0
	for _, r := range records {
		found |= subtle.ConstantTimeCompare([]byte(r), []byte(of.Record()))
	}
	if found == 0 {
		return ErrNoProof.Say("%s has no TXT record with the code. It may take a while until a new record is seen everywhere.", of.Name)
	}
	return nil
}

// lookFile tells nobody why there is no file: whoever names a domain learns nothing about networks that the server reaches.
func (d *Domains) lookFile(ctx context.Context, of Domain) error {
	url := "https://" + of.Name + "/" + FilePath
	status, body, err := d.Page(ctx, url)
	if err == nil && status == http.StatusOK && subtle.ConstantTimeCompare(bytes.TrimSpace(body), []byte(of.Record())) == 1 {
		return nil
	}
	no := ErrNoProof.Say("%s does not answer with the code.", url)
	if err != nil {
		return no.Because(err)
	}
	return no
}

// Prove takes a proof: the domain is the organization's from then on. Faults: ErrChanged, ErrTaken.
func (d *Domains) Prove(ctx context.Context, c *call.Call, org string, p Proof) (Domain, error) {
	old, err := lock.One(ctx, c.Tx, c.Tenant.ID, org, p.name)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && (old.Code != p.code || !old.usable(c)) {
		return Domain{}, ErrChanged
	}
	if err != nil {
		return Domain{}, err
	}
	if err := d.free(ctx, c, org, p.name); err != nil {
		return Domain{}, err
	}
	now := old
	now.State, now.Method, now.Checked, now.Failing = Verified, p.method, c.Now.UnixMilli(), 0
	if old.State != Verified {
		now.Verified = c.Now.UnixMilli()
	}
	noted(c, now)
	if c.Event != nil {
		call.Changed(c.Event, "State", old.State, now.State)
		call.Changed(c.Event, "Method", old.Method, now.Method)
	}
	err = put(ctx, c, now)
	if errors.Is(err, dbx.ErrExists) { // somebody else was quicker by an instant
		return Domain{}, ErrTaken
	}
	return now, err
}
