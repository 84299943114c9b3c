// Package proofing looks at people who register before they are let in (lifecycle.yaml n 568-574): a script of the tenant's asks a service what it
// knows of them (core/inquiry), and says whether they are let in, wait for somebody's approval, or are refused. Where the script or the service
// fails nobody is let in. What was found is kept with the person, for those who decide, and goes with the person.
package proofing

import (
	"context"
	"encoding/json"
	"errors"

	"limen/internal/call"
	"limen/internal/core/attribute"
	"limen/internal/core/inquiry"
	"limen/internal/core/workflow"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// Purpose is that of the key which the service's key is sealed with.
const Purpose = "identity proofing"

// Faults of proofing.
var (
	// ErrScript is a script that is of no use; why not is what it says.
	ErrScript = fault.New(fault.Invalid, "proofing.script", "The script does not compile.")
	// ErrChanged is for a setup that was changed meanwhile.
	ErrChanged = fault.New(fault.Conflict, "proofing.changed", "The identity verification was changed meanwhile. Please try again.")
	// ErrDenied is all that people are told who are refused, unless the script says more.
	ErrDenied = fault.New(fault.Denied, "proofing.denied", "Your registration cannot be accepted.")
)

// Failure is what becomes of people where the script or the service fails.
type Failure string

// What that is. Nobody is let in.
const (
	FailDeny   Failure = "Deny"
	FailReview Failure = "Approval"
)

// Proofings looks at people. Its exported fields are set in internal/app.
type Proofings struct {
	Ring       *crypt.Ring
	Asker      *inquiry.Asker
	Flows      *workflow.Flows
	Attributes attribute.Attributes
	// Write runs f in a transaction of the tenant, whose event is of a type.
	Write func(ctx context.Context, tenant, kind string, f func(ctx context.Context, c *call.Call) error) error

	reports inquiry.Reports
}

// Level is how great a risk somebody is taken for.
type Level string

// The levels.
const (
	Low     Level = "Low"
	Medium  Level = "Medium"
	High    Level = "High"
	Unknown Level = "Unknown"
)

// Detail is something that was found.
type Detail struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Finding is what was found about somebody. Times are milliseconds since 1970 UTC, 0 where it did not happen.
type Finding struct {
	User      string `db:"user_id"`
	Provider  string `db:"provider"` // empty: nobody was asked
	Score     string `db:"score"`    // a number; empty: none
	Level     Level  `db:"level"`
	Details   string `db:"details"` // JSON
	Link      string `db:"link"`    // the service's own page about them
	Checked   int64  `db:"checked"`
	Decided   int64  `db:"decided"`
	DecidedBy string `db:"decided_by"` // UUID; empty: nobody, as when the time was over
	Reason    string `db:"reason"`
	Verify    bool   `db:"verify"` // the mail address is to be shown once they are let in
}

// Found are the details.
func (f Finding) Found() (out []Detail) {
	_ = json.Unmarshal([]byte(f.Details), &out) // this package has written it
	return out
}

const findingColumns = `user_id, provider, score, level, details, link, checked, decided, decided_by, reason, verify`

var (
	getFinding = dbx.Q[Finding]("proofing.finding", `SELECT `+findingColumns+` FROM proofing_finding WHERE tenant = ? AND user_id = ?`)
	addFinding = dbx.E("proofing.add_finding", `INSERT INTO proofing_finding (tenant, `+findingColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	decide     = dbx.E("proofing.decide", `UPDATE proofing_finding SET decided = ?, decided_by = ?, reason = ? WHERE tenant = ? AND user_id = ?`)
	drop       = dbx.E("proofing.drop", `DELETE FROM proofing_finding WHERE tenant = ? AND user_id = ?`)
)

// Of gives what was found about somebody; false where nobody was asked and nobody had to decide.
func (p *Proofings) Of(ctx context.Context, c *call.Call, userID string) (Finding, bool, error) {
	f, err := getFinding.One(ctx, c.Tx, c.Tenant.ID, userID)
	if errors.Is(err, dbx.ErrNoRow) {
		return Finding{}, false, nil
	}
	return f, err == nil, err
}

// Keep keeps what was found about somebody who registers, where there is anything to keep. verify has them show that the mail address is theirs once
// they are let in.
func (p *Proofings) Keep(ctx context.Context, c *call.Call, userID string, v Verdict, verify bool) error {
	if v.Checked == 0 && v.Decision != Review {
		return nil
	}
	details, err := json.Marshal(v.Details)
	if err != nil {
		return err
	}
	_, err = addFinding.Do(ctx, c.Tx, c.Tenant.ID, userID, v.Provider, v.Score, v.Level, string(details), v.Link, v.Checked, int64(0), "", "", verify)
	return err
}

// Decided notes who decided.
func (p *Proofings) Decided(ctx context.Context, c *call.Call, userID, by, reason string) error {
	_, err := decide.Do(ctx, c.Tx, c.Now.UnixMilli(), by, reason, c.Tenant.ID, userID)
	return err
}

// Drop forgets what was found about somebody who is deleted.
func (p *Proofings) Drop(ctx context.Context, c *call.Call, userID string) error {
	_, err := drop.Do(ctx, c.Tx, c.Tenant.ID, userID)
	return err
}
