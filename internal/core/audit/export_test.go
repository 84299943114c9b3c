package audit

import (
	"context"
	"errors"
	"time"
)

// Round seals and signs once, as the leader does.
func (l *Log) Round(ctx context.Context) (sealed int, err error) {
	err = l.Leases.Hold(ctx, leaseName, leaseTime, func(ctx context.Context) (err error) {
		if sealed, err = l.Seal(ctx); err != nil {
			return err
		}
		time.Sleep(3 * time.Millisecond)
		_, err = l.checkpoints(ctx)
		return err
	})
	return sealed, err
}

// Twice gathers a batch twice and commits both.
func (l *Log) Twice(ctx context.Context) (first, second error) {
	err := l.Leases.Hold(ctx, leaseName, leaseTime, func(ctx context.Context) error {
		one, err := l.gather(ctx)
		if err != nil {
			return err
		}
		two, err := l.gather(ctx)
		if err != nil {
			return err
		}
		first, second = l.commit(ctx, one), l.commit(ctx, two)
		return nil
	})
	return errors.Join(first, err), second
}

// Link is a link of a chain, and Sum its chain value, for tests that forge one.
type Link = link

func (k *link) Sum(previous []byte, tenant string) []byte { return k.sum(previous, tenant) }
