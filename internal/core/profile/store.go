package profile

import (
	"context"
	"errors"
	"slices"
	"strings"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/dbx"
	"limen/internal/fault"
	"limen/internal/fold"
)

// Topic is the topic of changes, with the tenant as the item.
const Topic = "profile"

// Profiles are the authentication profiles of the call's tenant. The exported fields are set before use.
type Profiles struct {
	DB      *dbx.DB
	Changes *change.Log
	// Holders says in words what names a profile, such as "the policy set Staff": while anything does, the profile cannot
	// be deleted. It runs in c.Tx. Nil: nothing names any.
	Holders func(ctx context.Context, c *call.Call, id string) ([]string, error)
	// Lockout gives the warning when a change that was made in c.Tx shuts out those who could undo it. Nil: none does.
	Lockout func(ctx context.Context, c *call.Call, warning *fault.Error) error

	cache change.Cache[set]
}

type row struct {
	ID         string `db:"id"`
	Name       string `db:"name"`
	Challenges string `db:"challenges"`
	Single     string `db:"single"`
	Minutes    int64  `db:"minutes"`
	Questions  int64  `db:"questions"`
	Created    int64  `db:"created"`
	Changed    int64  `db:"changed"`
	Revision   int64  `db:"revision"`
}

const columns = `id, name, challenges, single, minutes, questions, created, changed, revision`

var (
	listRows = dbx.Q[row]("profile.list", `SELECT `+columns+` FROM profile WHERE tenant = ? ORDER BY name_key`)
	// lockRow makes those who change, delete or begin to name a profile follow one another.
	lockRow   = dbx.Q[row]("profile.lock", `SELECT `+columns+` FROM profile WHERE tenant = ? AND id = ? FOR UPDATE`)
	countRows = dbx.Q[int64]("profile.count", `SELECT COUNT(*) FROM profile WHERE tenant = ?`)
	insertRow = dbx.E("profile.insert", `INSERT INTO profile (tenant, id, name, name_key, challenges, single, minutes, questions, created, changed, revision)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (tenant, name_key) DO NOTHING`)
	updateRow = dbx.E("profile.update", `UPDATE profile SET name = ?, name_key = ?, challenges = ?, single = ?, minutes = ?, questions = ?, changed = ?,
		revision = revision + 1 WHERE tenant = ? AND id = ?`)
	deleteRow = dbx.E("profile.delete", `DELETE FROM profile WHERE tenant = ? AND id = ?`)
)

func (r row) profile() Profile {
	p := Profile{
		ID: r.ID, Name: r.Name, Minutes: int(r.Minutes), Questions: int(r.Questions), Created: r.Created, Changed: r.Changed, Revision: r.Revision,
		Single: []string{},
	}
	for round := range strings.SplitSeq(r.Challenges, ";") {
		p.Challenges = append(p.Challenges, strings.Split(round, ","))
	}
	if r.Single != "" {
		p.Single = strings.Split(r.Single, ",")
	}
	return p
}

// Change is Save with a look at whom it shuts out: ErrLockout, unless confirmed.
func (p *Profiles) Change(ctx context.Context, c *call.Call, n Profile, confirmed bool) (Profile, error) {
	is, err := p.Save(ctx, c, n)
	if err != nil || n.ID == "" || confirmed || p.Lockout == nil {
		return is, err
	}
	return is, p.Lockout(ctx, c, ErrLockout)
}

// Save makes a profile (without ID) or replaces one, and gives what is stored. Faults: ErrNotFound, ErrNameTaken,
// ErrMechanism, ErrRounds, ErrQuestions, ErrTooMany, and those of parameters.
func (p *Profiles) Save(ctx context.Context, c *call.Call, n Profile) (Profile, error) {
	if err := n.check(); err != nil {
		return Profile{}, err
	}
	var was Profile
	var err error
	if n.ID == "" {
		err = p.insert(ctx, c, &n)
	} else {
		was, err = p.update(ctx, c, &n)
	}
	if err != nil {
		return Profile{}, err
	}
	noted(c, was, n)
	return n, p.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}

func (p *Profiles) insert(ctx context.Context, c *call.Call, n *Profile) error {
	have, err := countRows.One(ctx, c.Tx, c.Tenant.ID)
	if err != nil {
		return err
	}
	if have >= MaxProfiles {
		return ErrTooMany
	}
	n.ID = c.NewID()
	return add(ctx, c, n)
}

func add(ctx context.Context, c *call.Call, n *Profile) error {
	n.Created, n.Changed, n.Revision = c.Now.UnixMilli(), c.Now.UnixMilli(), 1
	done, err := insertRow.Do(ctx, c.Tx, c.Tenant.ID, n.ID, n.Name, fold.Key(n.Name), strings.Join(n.Rounds(), ";"), strings.Join(n.Single, ","),
		n.Minutes, n.Questions, n.Created, n.Changed)
	if err == nil && done == 0 {
		return taken(n.Name)
	}
	return err
}

func taken(name string) error {
	return ErrNameTaken.At("Name").Say("An authentication profile named %s already exists.", name)
}

func (p *Profiles) update(ctx context.Context, c *call.Call, n *Profile) (was Profile, err error) {
	if was, err = p.Hold(ctx, c, n.ID); err != nil {
		return was, err
	}
	n.ID, n.Created, n.Changed, n.Revision = was.ID, was.Created, c.Now.UnixMilli(), was.Revision+1
	_, err = updateRow.Do(ctx, c.Tx, n.Name, fold.Key(n.Name), strings.Join(n.Rounds(), ";"), strings.Join(n.Single, ","), n.Minutes, n.Questions,
		n.Changed, c.Tenant.ID, n.ID)
	if errors.Is(err, dbx.ErrExists) {
		return was, taken(n.Name)
	}
	return was, err
}

// Hold reads a profile for somebody who will store its id, in a transaction that may write: nobody deletes or changes it
// before that transaction ends. ErrNotFound when there is none.
func (p *Profiles) Hold(ctx context.Context, c *call.Call, id string) (Profile, error) {
	if !Is(id) {
		return Profile{}, ErrNotFound
	}
	r, err := lockRow.One(ctx, c.Tx, c.Tenant.ID, strings.ToLower(id))
	if errors.Is(err, dbx.ErrNoRow) {
		return Profile{}, ErrNotFound
	}
	return r.profile(), err
}

// Delete removes a profile. Faults: ErrNotFound; ErrInUse with the names of what holds it.
func (p *Profiles) Delete(ctx context.Context, c *call.Call, id string) error {
	was, err := p.Hold(ctx, c, id)
	if err != nil {
		return err
	}
	if p.Holders != nil {
		by, err := p.Holders(ctx, c, was.ID)
		if err != nil {
			return err
		}
		if len(by) > 0 {
			return inUse(was.Name, by)
		}
	}
	if _, err := deleteRow.Do(ctx, c.Tx, c.Tenant.ID, was.ID); err != nil {
		return err
	}
	noted(c, was, Profile{})
	return p.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}

// inUse names some holders.
func inUse(name string, by []string) error {
	const most = 5
	text := strings.Join(by[:min(len(by), most)], ", ")
	if len(by) > most {
		text += ", ..."
	}
	return ErrInUse.Say("The authentication profile %s is used by %s.", name, text)
}

// BuiltIn makes the profiles that every tenant begins with, in the call's tenant, which is new.
func (p *Profiles) BuiltIn(ctx context.Context, c *call.Call) error {
	factors := []string{"OTP", "SMS", "EMAIL", "OATH"}
	for _, n := range []Profile{
		{ID: NewDevice, Name: "Default New Device Login Profile", Challenges: [][]string{{"UP"}, factors}},
		{ID: Other, Name: "Default Other Login Profile", Challenges: [][]string{{"UP"}}},
		{ID: Reset, Name: "Default Password Reset Profile", Challenges: [][]string{factors}},
	} {
		n.Minutes = 720
		if err := add(ctx, c, &n); err != nil {
			return err
		}
	}
	return p.Changes.Put(ctx, c, Topic, c.Tenant.ID)
}

// noted keeps a change in the event; the zero Profile stands for none.
func noted(c *call.Call, was, is Profile) {
	e := c.Event
	if e == nil {
		return
	}
	e.Target, e.Kind, e.Name = is.ID, "AuthProfile", is.Name
	if is.ID == "" {
		e.Target, e.Name = was.ID, was.Name
	}
	from, to := was.values(), is.values()
	for _, name := range []string{"Name", "Challenges", "DurationInMinutes", "SingleChallengeMechanisms", "NumberOfQuestions"} {
		a, b := from[name], to[name]
		if sa, ok := a.([]string); ok {
			if sb, ok := b.([]string); ok && slices.Equal(sa, sb) {
				continue
			}
		} else if a == b {
			continue
		}
		e.Change(name, a, b)
	}
}

// values are what events tell of a profile; none of the zero Profile.
func (p Profile) values() map[string]any {
	if p.ID == "" {
		return nil
	}
	return map[string]any{
		"Name": p.Name, "Challenges": p.Rounds(), "DurationInMinutes": p.Minutes,
		"SingleChallengeMechanisms": strings.Join(p.Single, ","), "NumberOfQuestions": p.Questions,
	}
}
