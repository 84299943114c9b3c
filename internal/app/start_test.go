package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"limen/internal/platform/web"
)

// Background work waits a moment, but not for a server that stops meanwhile: a worker may have something to finish.
func TestUnhurried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, ran := time.Now(), time.Duration(-1)
		w := unhurried(web.Group{{Name: "x", Run: func(context.Context) error { ran = time.Since(began); return nil }}})[0]
		if err := w.Run(t.Context()); err != nil || ran != breath || w.Name != "x" {
			t.Error(w.Name, ran, err)
		}
		ctx, stop := context.WithCancel(t.Context())
		stop()
		began, ran = time.Now(), -1
		if err := w.Run(ctx); err != nil || ran != 0 {
			t.Error("stopped:", ran, err)
		}
	})
}
