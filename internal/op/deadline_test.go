package op

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func ended(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

func TestDeadline(t *testing.T) {
	for name, asked := range map[string]bool{"asked before": true, "asked after": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				base, leave := context.WithCancel(context.WithValue(t.Context(), limitKey{}, 7))
				defer leave()
				for want, end := range map[error]func(*deadline){
					context.DeadlineExceeded: func(*deadline) { time.Sleep(time.Second) },
					context.Canceled:         (*deadline).end,
				} {
					d := newDeadline(base, time.Second)
					if d.Err() != nil || asked && ended(d) || d.Value(limitKey{}) != 7 {
						t.Error("ended at once", d.Err())
					}
					if at, ok := d.Deadline(); !ok || time.Until(at) != time.Second {
						t.Error(at, ok)
					}
					end(d)
					synctest.Wait()
					if !errors.Is(d.Err(), want) || !ended(d) || !errors.Is(d.Err(), want) {
						t.Error(d.Err(), "instead of", want)
					}
					d.end()
				}
				d := newDeadline(base, time.Hour)
				defer d.end()
				if asked && ended(d) {
					t.Error("ended at once")
				}
				leave()
				if !errors.Is(d.Err(), context.Canceled) || !ended(d) {
					t.Error("the client has gone, and the call goes on:", d.Err())
				}
			})
		})
	}
}

// Contexts made of it end with it, and cost no goroutine.
func TestDeadlineOfChildren(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDeadline(t.Context(), time.Second)
		defer d.end()
		before := runtime.NumGoroutine()
		child, cancel := context.WithTimeout(d, time.Hour)
		defer cancel()
		if n := runtime.NumGoroutine(); n != before {
			t.Error("goroutines:", n-before)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !errors.Is(child.Err(), context.DeadlineExceeded) {
			t.Error(child.Err())
		}
	})
}
