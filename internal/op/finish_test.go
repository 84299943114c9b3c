package op_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"limen/internal/op"
)

type unsigned struct{ id string }

func (u unsigned) Finish(_ context.Context, c *op.Call) (any, error) {
	if c.Tx != nil {
		return nil, errors.New("finished inside the transaction")
	}
	return "signed " + u.id, nil
}

// What a result has left to do is done behind the transaction, and not at all where that failed.
func TestFinish(t *testing.T) {
	w := newWorld(t)
	sign := func(ctx context.Context, c *op.Call, in item) (unsigned, error) {
		_, err := put(ctx, c, in)
		return unsigned{in.ID}, err
	}
	w.Mount(plainCodec{}, []string{""}, op.New(op.Spec{Path: "/sign", Allow: op.Authenticated, Effect: op.Write, Audit: "Sign"}, sign))
	for _, want := range []string{`"signed a"`, "row.exists"} { // the same id a second time cannot be put
		r := httptest.NewRequest("POST", "/sign", strings.NewReader(`{"ID":"a"}`))
		r.Header.Set("Authorization", "x")
		got := httptest.NewRecorder()
		w.ServeHTTP(got, r)
		if !strings.Contains(got.Body.String(), want) {
			t.Errorf("%s, want %s", got.Body, want)
		}
	}
}
