package role

// Kept is how many roles of a tenant are in memory.
func (r *Roles) Kept(tenant string) int {
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	if s := r.cache.of[tenant]; s != nil {
		return len(s.roles)
	}
	return 0
}
