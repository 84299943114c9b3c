//go:build modernc

package dbx

import (
	"fmt"
	"strings"
)

// fence stands in for the authorizer that this driver lacks: where a table could stand, a query may not mention the name of
// a table or view that is not on the list. The connection has query_only.
func (c *liteConn) fence(q *inspected) error {
	for w := range q.words {
		if strings.HasPrefix(w, "sqlite_") || strings.HasPrefix(w, "pragma_") || internalTables[w] {
			return ErrReportDenied.Because(fmt.Errorf("the name %s", w))
		}
	}
	s, err := c.prepare("SELECT lower(name) FROM sqlite_schema WHERE type IN ('table', 'view')")
	if err != nil {
		return ErrReportQuery.Because(err)
	}
	defer s.finalize()
	var found error
	for s.step() {
		if name := s.text(0); q.tables[name] && !q.views[name] {
			found = ErrReportDenied.Because(fmt.Errorf("the name %s", name))
		}
	}
	if err := s.reset(); err != nil {
		return ErrReportQuery.Because(err)
	}
	return found
}

var internalTables = setOf("dbstat bytecode tables_used sqlite_stmt completion fsdir")

func (c *liteConn) unfence() {}

func (s *liteStmt) types() []string { return s.decls }
