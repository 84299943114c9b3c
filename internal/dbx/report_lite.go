package dbx

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// report runs q on a connection kept for reports.
func (d *lite) report(ctx context.Context, q *inspected) (*Rows, error) {
	c, err := d.reporter(ctx)
	if err != nil {
		return nil, err
	}
	keep := false
	defer func() {
		c.under(context.Background())
		c.unfence()
		if !keep || !d.putReporter(c) {
			c.close()
		}
	}()
	c.under(ctx)
	if err := c.shadows(q); err != nil {
		return nil, err
	}
	if err := c.fence(q); err != nil {
		return nil, err
	}
	s, err := c.known(q)
	if err != nil {
		return nil, denied(err)
	}
	keep = true
	if err := s.bind(q.Args); err != nil {
		return nil, ErrReportQuery.Because(err)
	}
	out := &Rows{Columns: s.names, Types: s.types()}
	for s.step() {
		if len(out.Values) == q.MaxRows {
			_ = s.reset()
			return nil, ErrReportRows
		}
		row := make([]any, len(s.names))
		for i := range row {
			row[i] = loadAny(s, i, s.kind(i))
		}
		out.Values = append(out.Values, row)
	}
	if err := s.reset(); err != nil {
		return nil, denied(err)
	}
	return out, nil
}

// maxKnown bounds the reports that a connection keeps prepared.
const maxKnown = 32

// known gives the prepared report. One that was prepared before was admitted then, for the same text and the same views;
// should the schema have changed, the engine prepares it anew behind the same fence.
func (c *liteConn) known(q *inspected) (*liteStmt, error) {
	if views := strings.Join(q.Views, ","); views != c.views {
		c.views = views
		c.forget(0)
	}
	if c.dynamic[q.SQL] == nil {
		c.forget(maxKnown - 1)
	}
	return c.cached(-1, q.SQL)
}

// forget keeps at most n of the statements that were made at run time.
func (c *liteConn) forget(n int) {
	for text, s := range c.dynamic {
		if len(c.dynamic) <= n {
			return
		}
		s.finalize()
		delete(c.dynamic, text)
	}
}

func denied(err error) error {
	if liteCode(err)&0xff == liteAuth {
		return ErrReportDenied.Because(err)
	}
	return ErrReportQuery.Because(err)
}

const liteAuth = 23

// shadows refuses a WITH that takes the name of something in the schema: the authorizer reports a table that is read
// within it like one that is read within the view of that name.
func (c *liteConn) shadows(q *inspected) error {
	if len(q.ctes) == 0 {
		return nil
	}
	s, err := c.prepare("SELECT count(*) FROM sqlite_schema WHERE lower(name) = ?")
	if err != nil {
		return ErrReportQuery.Because(err)
	}
	defer s.finalize()
	for name := range q.ctes {
		if err := s.bind([]any{name}); err != nil {
			return ErrReportQuery.Because(err)
		}
		taken := s.step() && s.int(0) > 0
		if err := s.reset(); err != nil {
			return ErrReportQuery.Because(err)
		}
		if taken || q.views[name] {
			return ErrReportDenied.Because(fmt.Errorf("WITH redefines %s", name))
		}
	}
	return nil
}

// maxReporters bounds the report connections that wait for work; each holds a page cache and its prepared reports.
const maxReporters = 4

func (d *lite) reporter(ctx context.Context) (*liteConn, error) {
	d.reports.Lock()
	if d.reports.closed {
		d.reports.Unlock()
		return nil, ErrClosed
	}
	if n := len(d.reports.idle); n > 0 {
		c := d.reports.idle[n-1]
		d.reports.idle = d.reports.idle[:n-1]
		d.reports.Unlock()
		return c, nil
	}
	d.reports.Unlock()
	c, err := d.dial(ctx, false)
	if err != nil {
		return nil, ErrBusy.Because(err)
	}
	return c, nil
}

// putReporter keeps a connection for the next report; false when there are enough.
func (d *lite) putReporter(c *liteConn) bool {
	d.reports.Lock()
	defer d.reports.Unlock()
	if d.reports.closed || len(d.reports.idle) >= maxReporters {
		return false
	}
	d.reports.idle = append(d.reports.idle, c)
	return true
}

func (d *lite) closeReporters() error {
	d.reports.Lock()
	defer d.reports.Unlock()
	d.reports.closed = true
	var errs []error
	for _, c := range d.reports.idle {
		errs = append(errs, c.close())
	}
	d.reports.idle = nil
	return errors.Join(errs...)
}
