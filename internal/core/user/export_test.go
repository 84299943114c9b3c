package user

// Few sets of how many users all are sorted, and gives what puts it back.
func Few(n int64) (back func()) {
	was := few
	few = n
	return func() { few = was }
}
