package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

var errNoServer = errors.New("no PostgreSQL server: set LIMEN_BENCH_POSTGRES, or start bench/run, which starts one")

// database makes a database on the server and gives its URL.
func (w *world) database(ctx context.Context) (string, error) {
	if w.b.postgres == "" {
		return "", errNoServer
	}
	name := "limenbench_" + strings.ToLower(rand.Text()[:12])
	if err := w.server(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", err
	}
	w.made = append(w.made, name)
	u, err := url.Parse(w.b.postgres)
	if err != nil {
		return "", errors.New("LIMEN_BENCH_POSTGRES is not a URL")
	}
	u.Path = "/" + name
	return u.String(), nil
}

func (w *world) dropDatabases() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	for _, name := range w.made {
		errs = append(errs, w.server(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"))
	}
	return errors.Join(errs...)
}

func (w *world) server(ctx context.Context, sql string) error {
	c, err := pgx.Connect(ctx, w.b.postgres)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, sql)
	return err
}
