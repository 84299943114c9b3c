//go:build !modernc

package dbx

import (
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// fence puts the authorizer to work for q, and bounds the length of a value. The authorizer stays installed, because
// installing one makes the engine prepare every statement again.
func (c *liteConn) fence(q *inspected) error {
	c.asked = q
	if c.fenced {
		return nil
	}
	c.fenced = true
	c.c.Limit(sqlite3.LIMIT_LENGTH, 10_000_000)
	return c.c.SetAuthorizer(func(action sqlite3.AuthorizerActionCode, name3rd, name4th, _, inner string) sqlite3.AuthorizerReturnCode {
		q, ok := c.asked, false
		if q == nil {
			return sqlite3.AUTH_OK // our own statements, between reports
		}
		switch action {
		case sqlite3.AUTH_SELECT, sqlite3.AUTH_RECURSIVE:
			ok = true
		case sqlite3.AUTH_FUNCTION:
			name := strings.ToLower(name4th)
			// A view may call what it likes, but the callback does not say who calls: these are what views here use.
			ok = reportFunctions[name] || name == "like" || name == "glob" || name == "json_extract" || name == "->>" || name == "->"
		case sqlite3.AUTH_READ:
			table := strings.ToLower(name3rd)
			// inner names the innermost view; one that is not on the list can only be reached through one that is, because
			// a direct read of it is a READ of its own. A table of which no column is read (count(*) of a view that
			// became part of the query) comes without inner: then the query must not name it itself.
			ok = q.views[table] || inner != "" && !q.ctes[strings.ToLower(inner)] || name4th == "" && (q.ctes[table] || !q.words[table])
		}
		if ok {
			return sqlite3.AUTH_OK
		}
		return sqlite3.AUTH_DENY
	})
}

func (c *liteConn) unfence() { c.asked = nil }

func (s *liteStmt) types() []string {
	out := make([]string, len(s.names))
	for i := range out {
		out[i] = s.s.ColumnDeclType(i)
	}
	return out
}
