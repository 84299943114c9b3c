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

// RememberFrom has places in the lists of roles be remembered that have so many members.
func (r *Roles) RememberFrom(members int64) { r.anchors.from = members }

// Remembered is how many are.
func (r *Roles) Remembered() int {
	r.anchors.mu.Lock()
	defer r.anchors.mu.Unlock()
	return r.anchors.kept
}
