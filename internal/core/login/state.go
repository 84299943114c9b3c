package login

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/risk"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/fault"
)

// How long a conversation may take: idsec polls for six minutes, and people look for their phones.
const (
	life    = 15 * time.Minute
	keep    = time.Minute // how long a client may fetch what a click on a link brought about
	maxID   = 128
	purpose = "login"
)

// state is a conversation between two calls.
type state struct {
	User       string               `json:"u,omitempty"` // UUID; empty: the name does not exist
	Factors    string               `json:"f,omitempty"` // UUID of the person whose second factors answer
	Login      string               `json:"l"`           // as typed
	Challenges [][]factor.Challenge `json:"c"`
	At         int                  `json:"at"` // the challenge to be answered
	Passed     []string             `json:"p,omitempty"`
	Raised     string               `json:"ra,omitempty"` // id of the session that this raises; empty: it opens one
	Shows      bool                 `json:"sh,omitempty"` // a program learns that the person showed what it wanted; no session comes of it
	Want       *Wanted              `json:"w,omitempty"`  // what is to be shown beside what the session rests on; nil: whatever there is
	Single     []string             `json:"sg,omitempty"` // mechanisms of the first challenge that end the sign-in by themselves
	Lone       []string             `json:"ln,omitempty"` // those of Single that stand in the first challenge for that alone
	Nameless   bool                 `json:"nl,omitempty"` // nobody has said who signs in: whoever confirms the code does
	Guid       string               `json:"gu,omitempty"` // by which a program asks how its code stands
	Recovery   bool                 `json:"r,omitempty"`  // a forgotten password is replaced
	Skipped    bool                 `json:"sk,omitempty"` // the device stands in for the second factor
	Exempt     bool                 `json:"ex,omitempty"` // an administrator let the person sign in without further factors
	Rescued    bool                 `json:"rc,omitempty"` // whoever owns the machine let the person in past all rules
	Profile    string               `json:"pf,omitempty"` // authentication profile that gave the challenges
	Revision   int64                `json:"pv,omitempty"` // of that profile
	Narrowed   int                  `json:"nr,omitempty"` // the challenge before which the package became another; 0: none
	App        string               `json:"ap,omitempty"` // name of what is signed in to; empty: this server itself
	Platform   bool                 `json:"pt,omitempty"` // the client wants a refresh token
	Persist    bool                 `json:"ps,omitempty"`
	Resets     int                  `json:"rs,omitempty"` // new passwords that broke the policy
	Waived     string               `json:"wv,omitempty"` // version of the terms to which the person need not agree
	Replaced   bool                 `json:"rp,omitempty"` // a new password was set
	Secret     int64                `json:"sc,omitempty"` // when the password was set that was shown, ms since 1970 UTC
	Refused    string               `json:"no,omitempty"` // why nobody gets in, whatever is answered
	IP         string               `json:"ip"`
	Agent      string               `json:"ua"`
	Device     string               `json:"d"`            // device cookie, sent or given
	Named      bool                 `json:"dn,omitempty"` // Device is a name that the client gave its device itself
	Basis      *Basis               `json:"b,omitempty"`  // what the decision rested on
	Risk       *risk.Rating         `json:"rk,omitempty"` // of the sign-in as it began; nil: it is not rated
	Vault      *Vault               `json:"va,omitempty"` // the Vault's dialect signs in; nil: another one
	Done       *done                `json:"done,omitempty"`

	id      string // of the conversation, as the client has it
	hash    []byte
	version int64
}

// done is how a conversation ended that was finished elsewhere than on the client's own connection.
type done struct {
	Auth, Session, Refresh string
	Noncommittal           bool
	Shown                  bool   // what a program wanted was shown
	Level                  string // of Shown
}

type stateRow struct {
	State   string `db:"state"`
	Version int64  `db:"version"`
	Expires int64  `db:"expires"`
}

var (
	insertRow = dbx.E("login.insert", `INSERT INTO login (tenant, id, user_id, state, version, expires) VALUES (?, ?, ?, ?, 1, ?)`)
	ofUser    = dbx.Q[[]byte]("login.of_user", `SELECT id FROM login WHERE tenant = ? AND user_id = ? AND expires > ? ORDER BY expires DESC LIMIT 20`)
	findRow   = dbx.Q[stateRow]("login.find", `SELECT state, version, expires FROM login WHERE tenant = ? AND id = ?`)
	// lockRow makes calls about one conversation follow one another: of answers at the same time the first is looked at, and
	// the others find the conversation moved on.
	lockRow   = dbx.Q[stateRow]("login.lock", `SELECT state, version, expires FROM login WHERE tenant = ? AND id = ? FOR UPDATE`)
	saveRow   = dbx.E("login.save", `UPDATE login SET state = ?, version = version + 1 WHERE tenant = ? AND id = ? AND version = ?`)
	doneRow   = dbx.E("login.done", `UPDATE login SET state = ?, version = version + 1, expires = ? WHERE tenant = ? AND id = ? AND version = ?`)
	deleteRow = dbx.E("login.delete", `DELETE FROM login WHERE tenant = ? AND id = ?`)
	sweepRow  = dbx.S("login.sweep", "login", "tenant, id", "expires < ?")
)

// errGone says that there is no such conversation, or that another call has moved it on.
var errGone = fault.New(fault.Conflict, "login.gone", ErrFailed.Public)

func (l *Logins) seal(ctx context.Context, c *call.Call, s *state) (string, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return l.Ring.Seal(ctx, c.Tenant.ID, purpose, raw, hex.EncodeToString(s.hash))
}

// create stores a new conversation.
func (l *Logins) create(ctx context.Context, c *call.Call, s *state) error {
	s.id, s.hash = crypt.NewSessionID(c.Rand)
	sealed, err := l.seal(ctx, c, s)
	if err != nil {
		return err
	}
	s.version = 1
	return insertRow.Later(ctx, c.Tx, c.Tenant.ID, s.hash, s.Factors, sealed, c.Now.Add(life).UnixMilli())
}

// find reads a conversation; errGone when there is none that lives.
func (l *Logins) find(ctx context.Context, c *call.Call, id string) (*state, error) {
	if id == "" || len(id) > maxID {
		return nil, errGone
	}
	s, err := l.byHash(ctx, c, crypt.TokenHash(id))
	if err == nil {
		s.id = id
	}
	return s, err
}

func (l *Logins) byHash(ctx context.Context, c *call.Call, hash []byte) (*state, error) {
	query := findRow
	if c.Tx.Writable() {
		query = lockRow
	}
	row, err := query.One(ctx, c.Tx, c.Tenant.ID, hash)
	if errors.Is(err, dbx.ErrNoRow) || err == nil && row.Expires <= c.Now.UnixMilli() {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	raw, err := l.Ring.Open(ctx, c.Tenant.ID, purpose, row.State, hex.EncodeToString(hash))
	if err != nil {
		return nil, err
	}
	s := &state{hash: hash, version: row.Version}
	return s, json.Unmarshal(raw, s)
}

// save stores what became of a conversation; errGone when another call did so first.
func (l *Logins) save(ctx context.Context, c *call.Call, s *state) error {
	sealed, err := l.seal(ctx, c, s)
	if err != nil {
		return err
	}
	var n int64
	if s.Done == nil {
		n, err = saveRow.Do(ctx, c.Tx, sealed, c.Tenant.ID, s.hash, s.version)
	} else {
		n, err = doneRow.Do(ctx, c.Tx, sealed, c.Now.Add(keep).UnixMilli(), c.Tenant.ID, s.hash, s.version)
	}
	if err == nil && n == 0 {
		return errGone
	}
	return err
}

func (l *Logins) end(ctx context.Context, c *call.Call, s *state) error {
	if err := dropLinks.Later(ctx, c.Tx, c.Tenant.ID, s.hash); err != nil {
		return err
	}
	return deleteRow.Later(ctx, c.Tx, c.Tenant.ID, s.hash)
}

// Cleanup ends a conversation that will not be finished. An unknown one is no error.
func (l *Logins) Cleanup(ctx context.Context, c *call.Call, id string) error {
	if id == "" || len(id) > maxID {
		return nil
	}
	return l.end(ctx, c, &state{hash: crypt.TokenHash(id)})
}

// Sweep removes conversations and links of all tenants that expired before a time.
func (l *Logins) Sweep(ctx context.Context, db *dbx.DB, before time.Time) error {
	return errors.Join(sweepRow.Run(ctx, db, before.UnixMilli()), sweepLinks.Run(ctx, db, before.UnixMilli()), sweepChallenges.Run(ctx, db, before.UnixMilli()))
}

// app is what the person is told that they sign in to; empty: this server itself.
func (s *state) app() string {
	if s.Want != nil && s.Want.For != "" {
		return s.Want.For
	}
	return s.App
}

// beside says whether the conversation is no sign-in: what may be offered to who signs in may not be here.
func (s *state) beside() bool { return s.Raised != "" || s.Shows }

// challenge finds a mechanism by its id; at is the number of its challenge.
func (s *state) challenge(id string) (ch *factor.Challenge, at int) {
	for i := range s.Challenges {
		for j := range s.Challenges[i] {
			if id != "" && s.Challenges[i][j].ID == id {
				return &s.Challenges[i][j], i
			}
		}
	}
	return nil, -1
}

// pack is what the client is shown: what is left to be answered.
func (s *state) pack() *Package {
	return &Package{Session: s.id, Challenges: s.Challenges[min(s.At, len(s.Challenges)):]}
}
