package rig

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"

	"github.com/jackc/pgx/v5"
)

// Database makes an empty database on the PostgreSQL server at address, a superuser's URL. drop removes it.
func Database(ctx context.Context, address string) (db string, drop func(), err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, err
	}
	name := fmt.Sprintf("limenrig_%d_%d", os.Getpid(), rand.Uint32())
	if err := SQL(ctx, address, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	return u.String(), func() { _ = SQL(context.Background(), address, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") }, nil
}

// SQL runs one statement on a PostgreSQL database.
func SQL(ctx context.Context, address, text string, args ...any) error {
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, text, args...)
	return err
}
