package crypt

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"
)

// blocked takes the only slot, so that a full verification is seen by its wait for one.
func blocked(h *Hasher) func() {
	h.settle()
	h.slots <- struct{}{}
	return func() { <-h.slots }
}

func TestRemember(t *testing.T) {
	h := &Hasher{Memory: 64, Slots: 1, Random: rand.Reader}
	w := newWatch()
	r := &Remember{Hasher: h, Now: w.Now, For: time.Minute}
	ctx := context.Background()
	hash, err := h.Hash(ctx, "secret")
	if err != nil {
		t.Fatal(err)
	}
	if ok, rehash, err := r.Verify(ctx, "client/1", hash, "secret"); !ok || rehash || err != nil {
		t.Fatal(ok, rehash, err)
	}
	release := blocked(h)
	if ok, _, err := r.Verify(ctx, "client/1", hash, "secret"); !ok || err != nil {
		t.Fatal("not remembered", err)
	}
	short, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	full := map[string][3]string{
		"wrong secret": {"client/1", hash, "secreT"}, "other version": {"client/2", hash, "secret"},
		"other hash": {"client/1", hash + " ", "secret"},
	}
	for name, c := range full {
		if ok, _, err := r.Verify(short, c[0], c[1], c[2]); ok || err == nil {
			t.Errorf("%s: answered without a full verification", name)
		}
	}
	w.add(time.Minute)
	if ok, _, err := r.Verify(short, "client/1", hash, "secret"); ok || !errors.Is(err, ErrGone) {
		t.Error("remembered for too long", ok, err)
	}
	release()
	for _, secret := range []string{"wrong", "", "secret"} {
		if ok, _, err := r.Verify(ctx, "client/1", hash, secret); ok != (secret == "secret") || err != nil {
			t.Error(secret, ok, err)
		}
	}
	release = blocked(h)
	defer release()
	r.Forget("client/1")
	short, cancel = context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if ok, _, err := r.Verify(short, "client/1", hash, "secret"); ok || err == nil {
		t.Error("remembered what was to be forgotten")
	}
}

func TestRememberHashesOnceForMany(t *testing.T) {
	h := &Hasher{Memory: 64, Slots: 1, Waiting: 1, Random: rand.Reader}
	r := &Remember{Hasher: h, Now: newWatch().Now}
	ctx := context.Background()
	hash, _ := h.Hash(ctx, "secret")
	release := blocked(h)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { // one waits for a slot, nineteen for it; a second waiter would be refused
			if ok, _, err := r.Verify(ctx, "c", hash, "secret"); !ok || err != nil {
				t.Error(ok, err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	release()
	wg.Wait()
}
