package dynamic

import (
	"context"
	"time"
)

// Serve is what Run does for a tenant in its turn.
func (s *Scripts) Serve(ctx context.Context, tenant string) {
	if s.busy == nil {
		s.busy, s.rest = map[string]bool{}, map[string]rest{}
	}
	s.turn(ctx, tenant)
}

// Rests is until when a tenant's scripts are not tried.
func (s *Scripts) Rests(tenant string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rest[tenant].until
}

// Columns are those of people that scripts see.
const Columns = personColumns

// Properties are the names of the properties that everybody has.
func Properties() map[string]any { return personRow{}.properties() }
