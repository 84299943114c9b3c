package dbx

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// EnsureReportRole makes the role under which reports run on PostgreSQL and grants it the views, and nothing else; where
// all is so already it changes nothing. A database user without CREATEROLE cannot: that is logged, and reports then run without this fence. On SQLite there is
// nothing to do.
func (d *DB) EnsureReportRole(ctx context.Context, views []string) error {
	p, ok := d.store.(*postgres)
	if !ok {
		return nil
	}
	role := p.reportRole()
	exists, right, err := p.reportGrants(ctx, views)
	if err != nil || right {
		return err
	}
	err = d.Serial(ctx, func(tx *Tx) error {
		c := tx.conn.(*pgConn).c
		name := pgx.Identifier{role}.Sanitize()
		var steps []string
		if !exists {
			steps = append(steps, "CREATE ROLE "+name+" NOLOGIN NOINHERIT", "GRANT "+name+" TO CURRENT_USER")
		}
		steps = append(steps, "REVOKE ALL ON ALL TABLES IN SCHEMA "+currentSchema+" FROM "+name, "GRANT USAGE ON SCHEMA "+currentSchema+" TO "+name)
		for _, v := range views {
			steps = append(steps, "GRANT SELECT ON "+pgx.Identifier{v}.Sanitize()+" TO "+name)
		}
		for _, s := range steps {
			if _, err := c.Exec(tx.ctx, s); err != nil {
				return tx.broke(&statement{name: "EnsureReportRole"}, err)
			}
		}
		return nil
	})
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "42501" {
		d.o.Log.Warn("reports run without a role of their own: the database user may not create roles", "role", role, "cause", e.Message)
		return nil
	}
	return err
}

const currentSchema = "public"

// reportRole is the role's name: roles belong to the whole server, so it carries the database.
func (d *postgres) reportRole() string {
	h := fnv.New64a()
	h.Write([]byte(d.conf.Database))
	return fmt.Sprintf("limen_report_%016x", h.Sum64())
}

// reportGrants says whether the role is there for this user, and whether it may read the views and nothing else.
func (d *postgres) reportGrants(ctx context.Context, views []string) (exists, right bool, err error) {
	var enters bool
	var grants []string
	err = d.pool.QueryRow(ctx, `SELECT pg_has_role(r.oid, 'MEMBER'), has_schema_privilege(r.oid, $2, 'USAGE'), ARRAY(
			SELECT a.privilege_type || ' ' || c.relname FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
			WHERE c.relnamespace = $2::regnamespace AND a.grantee = r.oid)
		FROM pg_roles r WHERE r.rolname = $1`, d.reportRole(), currentSchema).Scan(&exists, &enters, &grants)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, false, nil
	}
	if err != nil {
		return false, false, wrap("report role", classifyPostgres(err), err)
	}
	want := make([]string, len(views))
	for i, v := range views {
		want[i] = "SELECT " + v
	}
	slices.Sort(want)
	slices.Sort(grants)
	return exists, exists && enters && slices.Equal(want, grants), nil
}

func (d *postgres) hasReportRole(ctx context.Context) (bool, error) {
	var n int
	err := d.pool.QueryRow(ctx, "SELECT count(*) FROM pg_roles WHERE rolname = $1 AND pg_has_role(rolname, 'MEMBER')", d.reportRole()).Scan(&n)
	if err != nil {
		return false, wrap("report role", classifyPostgres(err), err)
	}
	return n > 0, nil
}

func (d *postgres) report(ctx context.Context, q *inspected) (*Rows, error) {
	// Once it was there the role is taken for granted: should it be gone, reports fail and ask again.
	fenced := d.fenced.Load()
	if !fenced {
		var err error
		if fenced, err = d.hasReportRole(ctx); err != nil {
			return nil, err
		}
		d.fenced.Store(fenced)
	}
	c, err := d.acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	pc := &pgConn{c: c.Conn()}
	defer pc.rollback(ctx)
	steps := begins[reading] + fmt.Sprintf("; SET LOCAL statement_timeout = %d", q.Timeout.Milliseconds())
	if fenced {
		steps += "; SET LOCAL ROLE " + pgx.Identifier{d.reportRole()}.Sanitize()
	}
	if _, err := pc.simple(ctx, steps); err != nil {
		d.fenced.Store(false)
		return nil, wrap("report", classifyPostgres(err), err)
	}
	rows, err := pc.c.Query(ctx, q.dollar, append([]any{pgx.QueryExecModeDescribeExec}, q.Args...)...)
	if err != nil {
		return nil, deniedPostgres(err)
	}
	defer rows.Close()
	out := &Rows{}
	for _, f := range rows.FieldDescriptions() {
		out.Columns = append(out.Columns, f.Name)
		name := ""
		if t, ok := pc.c.TypeMap().TypeForOID(f.DataTypeOID); ok {
			name = strings.ToUpper(t.Name)
		}
		out.Types = append(out.Types, name)
	}
	for rows.Next() {
		if len(out.Values) == q.MaxRows {
			pc.drop()
			return nil, ErrReportRows
		}
		v, err := rows.Values()
		if err != nil {
			return nil, ErrReportQuery.Because(err)
		}
		for i := range v {
			v[i] = plain(v[i])
		}
		out.Values = append(out.Values, v)
	}
	if err := rows.Err(); err != nil {
		return nil, deniedPostgres(err)
	}
	return out, nil
}

func deniedPostgres(err error) error {
	e, ok := errors.AsType[*pgconn.PgError](err)
	switch {
	case ok && (e.Code == "42501" || e.Code == "25006"):
		return ErrReportDenied.Because(err)
	case ok && e.Code == "57014":
		return ErrReportTime.Because(err)
	case ok:
		return ErrReportQuery.Because(err)
	}
	return wrap("report", classifyPostgres(err), err)
}

// plain turns what pgx makes of a column into one of the few types that reports give.
func plain(v any) any {
	switch v := v.(type) {
	case nil, int64, float64, string, bool, []byte:
		return v
	case int32:
		return int64(v)
	case int16:
		return int64(v)
	case float32:
		return float64(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case pgtype.Numeric:
		if n, err := v.Int64Value(); err == nil && n.Valid {
			return n.Int64
		}
		if f, err := v.Float64Value(); err == nil && f.Valid {
			return f.Float64
		}
		return nil
	}
	return fmt.Sprint(v)
}
