package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"limen/bench/load"
	"limen/internal/app"
)

// createAims are what 64 callers should reach.
var createAims = map[string]float64{"sqlite": 10_000, "postgres": 4_000}

// create adds people without passwords, beside the raw rate of the rows that this writes.
func create(ctx context.Context, b *bench, w *world) ([]row, error) {
	s, err := w.site(ctx, 0)
	if err != nil {
		return nil, err
	}
	blank, err := w.blank(ctx)
	if err != nil {
		return nil, err
	}
	defer blank.Close()
	raw, err := sample(ctx, w, blank)
	if err != nil {
		return nil, err
	}
	var out []row
	for _, callers := range []int{1, 16, 64} {
		l, o, err := b.versus(w, raw.inserts(ctx, callers), w.creates(ctx, s, callers))
		if err != nil {
			return out, err
		}
		r := rate(fmt.Sprintf("CreateUser, %d callers", callers), fmt.Sprintf("raw, %d rows", len(raw.rows)), l, o)
		if callers == 64 {
			r.aim, r.ratio = createAims[w.engine], 0.7
		}
		out = append(out, r)
	}
	return out, nil
}

var serial atomic.Int64

func (w *world) creates(ctx context.Context, s *site, callers int) turn {
	buffers := make([][]byte, callers)
	return w.asks(ctx, callers, func(i int) []byte {
		buffers[i] = load.AppendRequest(buffers[i][:0], s.host, createPath, s.bearer, s.newcomer(fmt.Sprintf("new%09d", serial.Add(1))))
		return buffers[i]
	})
}

const createPath = "/CDirectoryService/CreateUser"

func (s *site) newcomer(local string) string {
	return `{"Name":"` + local + `@` + s.suffix + `","Mail":"` + local + `@example.com","DisplayName":"Somebody New","MobileNumber":"+15550000000"}`
}

// sample has the program add one person to a store where nothing else happens, and notes the rows that this wrote.
func sample(ctx context.Context, w *world, a *app.App) (*raw, error) {
	s, err := addSite(ctx, a)
	if err != nil {
		return nil, err
	}
	before, err := contents(ctx, a.DB.SQL(), w.engine)
	if err != nil {
		return nil, err
	}
	const local = "sampleperson"
	r := httptest.NewRequest(http.MethodPost, "http://"+s.host+createPath, strings.NewReader(s.newcomer(local)))
	name, value, _ := strings.Cut(s.bearer, ": ")
	r.Header.Set(name, value)
	answer := httptest.NewRecorder()
	a.Kernel.ServeHTTP(answer, r)
	if !strings.Contains(answer.Body.String(), `"success":true`) {
		return nil, fmt.Errorf("no sample: %d %s", answer.Code, answer.Body)
	}
	after, err := contents(ctx, a.DB.SQL(), w.engine)
	if err != nil {
		return nil, err
	}
	return newRaw(a.DB, w.engine, before, after, local)
}

// inserts makes a turn of callers who each write the sampled rows, with other ids, in a transaction of their own.
func (r *raw) inserts(ctx context.Context, callers int) turn {
	return func(d time.Duration) (load.Sample, error) {
		return load.Calls(callers, d, func(int) error { return r.insert(ctx) })
	}
}
