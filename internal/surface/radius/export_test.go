package radius

// Bounds of conversations of EAP.
const (
	MaxOfOne  = maxOfOne
	MaxRounds = maxRounds
)

// Waiting is how many conversations of EAP wait for a packet.
func (r *Radius) Waiting() int {
	r.talks.mu.Lock()
	defer r.talks.mu.Unlock()
	return len(r.talks.all)
}
