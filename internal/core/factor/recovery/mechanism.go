package recovery

import (
	"context"

	"limen/internal/call"
	"limen/internal/core/factor"
)

// Mechanism asks for one of a person's codes.
type Mechanism struct{ Codes Codes }

type proof struct {
	n    int64
	hash string
}

// Name is RECOVERY.
func (Mechanism) Name() string { return factor.Recovery }

// Offer asks people who have codes left, and whom policies let use them.
func (m Mechanism) Offer(ctx context.Context, c *call.Call, p factor.Person) (factor.Prompt, bool, error) {
	s, err := m.Codes.Of(ctx, c, p.ID)
	if err != nil || s.Left == 0 {
		return factor.Prompt{}, false, err
	}
	may, err := m.Codes.May(ctx, c, p.ID)
	if err != nil || !may {
		return factor.Prompt{}, false, err
	}
	return factor.Prompt{AnswerType: factor.Text, Chosen: "Enter one of your recovery codes.", Select: "Recovery code"}, true, nil
}

// Disguise has nothing to hide.
func (Mechanism) Disguise(p factor.Prompt, _ []byte) factor.Prompt { return p }

// Start refuses: a code is typed.
func (Mechanism) Start(context.Context, *call.Call, factor.Person, *factor.Challenge, string) error {
	return factor.ErrNoStart
}

// Check compares the answer with all of the person's codes, used ones as well: the time does not tell which it is, nor how many are left.
// For nobody, and for who has fewer, as many hashes are made.
func (m Mechanism) Check(ctx context.Context, c *call.Call, p factor.Person, _ factor.Challenge, a factor.Answer) (factor.Verdict, error) {
	code, ok := Read(a.Text)
	if !ok {
		return factor.Verdict{}, nil
	}
	var rows []row
	if err := c.Snapshot(ctx, func() error {
		may, err := m.Codes.May(ctx, c, p.ID)
		if err != nil || !may {
			return err
		}
		rows, err = listRows.All(ctx, c.Tx, c.Tenant.ID, p.ID)
		return err
	}); err != nil {
		return factor.Verdict{}, err
	}
	var v factor.Verdict
	for i := range max(Many, len(rows)) {
		var r row
		if i < len(rows) {
			r = rows[i]
		}
		fits, err := m.fits(ctx, c, message(p.ID, code), r.Hash)
		if err != nil {
			return factor.Verdict{}, err
		}
		if fits && r.Used == 0 && p.ID != "" {
			v = factor.Verdict{Right: true, Proof: proof{r.N, r.Hash}}
		}
	}
	return v, nil
}

// fits hashes the message whether or not there is something to compare it with.
func (m Mechanism) fits(ctx context.Context, c *call.Call, message []byte, hash string) (bool, error) {
	if hash == "" {
		_, err := m.Codes.Ring.MAC(ctx, c.Tenant.ID, factor.PurposeRecovery, message)
		return false, err
	}
	return m.Codes.Ring.CheckMAC(ctx, c.Tenant.ID, factor.PurposeRecovery, message, hash)
}

// Commit takes the code out of use; a second use is refused.
func (m Mechanism) Commit(ctx context.Context, c *call.Call, p factor.Person, ch *factor.Challenge, v factor.Verdict) (bool, error) {
	pr, ok := v.Proof.(proof)
	if !ok || !v.Right || ch.Passed {
		ch.Tries++
		return false, nil
	}
	n, err := useRow.Do(ctx, c.Tx, c.Now.UnixMilli(), c.Tenant.ID, p.ID, pr.n, pr.hash)
	if err != nil || n != 1 {
		return false, err
	}
	ch.Passed = true
	if m.Codes.Used == nil {
		return true, nil
	}
	left, err := m.Codes.Of(ctx, c, p.ID)
	if err != nil {
		return false, err
	}
	return true, m.Codes.Used(ctx, c, p, left.Left)
}
