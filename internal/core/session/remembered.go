package session

import (
	"time"

	"limen/internal/call"
)

// Remembered gives what this node remembers of a person's sessions to answer from memory, and when it was read: of the session
// that was read last. False when it remembers none, or would not rely on it now.
func (s *Sessions) Remembered(c *call.Call, userID string) (who call.Caller, read time.Time, ok bool) {
	if userID == "" || s.Fresh != nil && !s.Fresh() {
		return call.Caller{}, time.Time{}, false
	}
	s.cache.mu.RLock()
	defer s.cache.mu.RUnlock()
	for e := range s.cache.users[c.Tenant.ID+"/"+userID] {
		if c.Now.UnixMilli() < e.until && (!ok || e.read.After(read)) {
			who, read, ok = e.caller, e.read, true
		}
	}
	return who, read, ok
}
