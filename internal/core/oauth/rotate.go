package oauth

import (
	"context"
	"time"

	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/crypt"
)

// How long a next key is published before it signs: when it is made by the clock, and when somebody asks for it. Receivers keep a key set
// for five minutes (surface/oauth).
const (
	plannedLead = 24 * time.Hour
	askedLead   = 10 * time.Minute
)

// leastOverlap is how long a key stays published at least after it stopped signing, and slack what it stays longer than any token lives:
// other nodes sign with it until they have read the next one.
const (
	leastOverlap = 48 * time.Hour
	slack        = time.Hour
)

// NextKeys makes the next key of each algorithm that the tenant has keys for, outside transactions; PutKeys stores them. Where urgent, the
// present ones are withdrawn at once.
func (s *Server) NextKeys(ctx context.Context, c *call.Call, urgent bool) ([]crypt.SigningKey, error) {
	return s.nextKeys(ctx, c, 0, crypt.Turn{Lead: askedLead, Urgent: urgent})
}

// DueKeys makes the next key of each algorithm whose present one has signed for so long, a day before it does.
func (s *Server) DueKeys(ctx context.Context, c *call.Call, age time.Duration) ([]crypt.SigningKey, error) {
	if age <= 0 {
		return nil, nil
	}
	return s.nextKeys(ctx, c, max(age-plannedLead, time.Hour), crypt.Turn{Lead: plannedLead})
}

func (s *Server) nextKeys(ctx context.Context, c *call.Call, age time.Duration, t crypt.Turn) (out []crypt.SigningKey, err error) {
	due, err := s.Signers.Due(ctx, c.Tenant.ID, age)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	var life time.Duration
	if err := c.Snapshot(ctx, func() (err error) { life, err = s.LongestLife(ctx, c); return err }); err != nil {
		return nil, err
	}
	t.Overlap = max(leastOverlap, life+slack)
	for _, alg := range due {
		rows, err := s.Signers.Next(ctx, c.Tenant.ID, alg, t)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	return out, nil
}

// PutKeys stores what NextKeys or DueKeys made, and describes it in the call's event.
func (s *Server) PutKeys(ctx context.Context, c *call.Call, keys []crypt.SigningKey, urgent bool) error {
	if c.Event != nil {
		made, ended := []string{}, []string{}
		for _, k := range keys {
			if k.Until == 0 {
				made = append(made, string(k.Alg)+" "+k.ID)
			} else {
				ended = append(ended, string(k.Alg)+" "+k.ID)
			}
		}
		c.Event.Type, c.Event.Kind, c.Event.Target = audit.OAuthKeys, "Tenant", c.Tenant.ID
		c.Event.Set("Next", made)
		c.Event.Set("Ending", ended)
		c.Event.Set("Urgent", urgent)
	}
	return s.StoreKeys(ctx, c, keys...)
}
