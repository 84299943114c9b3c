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

// Due lists the tenants that Run would serve now.
func (s *Scripts) Due(ctx context.Context) ([]string, error) {
	ids, err := s.due(ctx)
	for _, id := range ids {
		delete(s.busy, id)
	}
	return ids, err
}

// Elapse lets time pass for a tenant's passes.
func (s *Scripts) Elapse(tenant string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pause[tenant] = s.pause[tenant].Add(-d)
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
