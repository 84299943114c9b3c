package change

import "time"

// Sleep makes the last poll look as if it had been d ago.
func (l *Log) Sleep(d time.Duration) {
	t := l.last.Load().Add(-d)
	l.last.Store(&t)
}

// Polls counts the polls so far.
func (l *Log) Polls() int {
	l.polling.Lock()
	defer l.polling.Unlock()
	return l.polls
}
