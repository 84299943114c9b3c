package main

import (
	"context"

	"limen/bench/load"
)

// whoAmI asks who a session belongs to: a request that is answered from memory, so that it shows what the pipeline and the
// codec cost.
func whoAmI(ctx context.Context, b *bench, w *world) ([]row, error) {
	const path, callers = "/Security/WhoAmI", 16
	s, err := w.site(ctx, 0)
	if err != nil {
		return nil, err
	}
	e, err := newEcho()
	if err != nil {
		return nil, err
	}
	defer e.Close()
	request := s.request(path, "{}")
	l, o, err := b.versus(w, e.asks(ctx, callers, load.Request(s.host, path, s.bearer, "{}")), w.asks(ctx, callers, func(int) []byte { return request }))
	if err != nil {
		return nil, err
	}
	r := rate("WhoAmI, 16 callers", "net/http echo", l, o)
	r.ratio = 0.5
	return []row{r}, nil
}
