package crypt

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/argon2"

	"limen/internal/fault"
)

// Faults of passwords.
var (
	ErrPasswordTooLong = fault.New(fault.Invalid, "password.too_long", "The password is longer than 1,024 bytes.")
	ErrPasswordEmpty   = fault.New(fault.Invalid, "password.empty", "The password is empty.")
	ErrBusy            = fault.New(fault.Limited, "password.busy", "Too many sign-ins are under way. Try again in a moment.")
	ErrGone            = fault.New(fault.Unavailable, "password.gone", "The request ended before its turn came.")
	ErrHash            = fault.New(fault.Invalid, "password.hash", "The password hash has an unknown form.")
	ErrHashCost        = fault.New(fault.Invalid, "password.hash_cost", "The password hash asks for too much work.")
)

// MaxPassword is the longest password in bytes.
const MaxPassword = 1024

const (
	saltSize = 16
	hashSize = 32
)

// Hasher makes and checks password hashes, at most Slots at a time: each needs a core and Memory. Its fields are set
// before the first use. Hashing takes tens of milliseconds of a core: never inside a write transaction.
//
// New hashes are argon2id (RFC 9106) in PHC form, $argon2id$v=19$m=47104,t=1,p=1$SALT$HASH. Verify also takes hashes
// from other systems; see CheckHash.
type Hasher struct {
	Memory  uint32 // KiB; 0 is 47,104 (46 MiB), OWASP's first choice for one pass and one lane
	Passes  uint32 // 0 is 1
	Lanes   uint8  // 0 is 1
	Slots   int    // hashes at a time; 0 is GOMAXPROCS
	Waiting int    // callers that may wait for a slot, those beyond get ErrBusy; 0 is 64 for each slot
	Random  io.Reader

	once    sync.Once
	slots   chan struct{}
	waiting atomic.Int64
}

// settle fills in what was left at zero.
func (h *Hasher) settle() {
	h.once.Do(func() {
		h.Memory, h.Passes, h.Lanes = cmp.Or(h.Memory, 46*1024), cmp.Or(h.Passes, 1), cmp.Or(h.Lanes, 1)
		h.Slots = cmp.Or(h.Slots, runtime.GOMAXPROCS(0))
		h.Waiting = cmp.Or(h.Waiting, 64*h.Slots)
		h.slots = make(chan struct{}, h.Slots)
	})
}

// Hash makes a hash to store. It fails with ErrPasswordTooLong, ErrPasswordEmpty, ErrBusy or ErrGone.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	switch {
	case password == "":
		return "", ErrPasswordEmpty
	case len(password) > MaxPassword:
		return "", ErrPasswordTooLong
	}
	h.settle()
	p := phc{algorithm: "argon2id", memory: h.Memory, passes: h.Passes, lanes: h.Lanes, salt: draw(h.Random, saltSize)}
	err := h.run(ctx, func() { p.key = p.derive(password, hashSize) })
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// Verify says whether the password fits the hash, and whether a fitting one should be hashed again because the stored
// hash is of another kind or cost. A user without a hash (empty) is refused at the cost of a check. It fails with
// ErrBusy or ErrGone, and with ErrHash or ErrHashCost when the stored hash cannot be used.
func (h *Hasher) Verify(ctx context.Context, hash, password string) (ok, rehash bool, err error) {
	// An answer that comes early for these says nothing about the user: the caller knows what they sent.
	if password == "" || len(password) > MaxPassword {
		return false, false, nil
	}
	if hash == "" {
		return false, false, h.Dummy(ctx, password)
	}
	h.settle()
	p, err := parseHash(hash)
	if err != nil {
		return false, false, err
	}
	var failed error
	if err = h.run(ctx, func() { ok, failed = p.match(password) }); err != nil {
		return false, false, err
	}
	return ok, ok && !h.current(p), failed
}

// Dummy costs what Verify costs for a hash made here. Callers run it when there is no such user, so that the time of
// an answer does not tell who exists.
func (h *Hasher) Dummy(ctx context.Context, password string) error {
	if password == "" || len(password) > MaxPassword {
		return nil
	}
	h.settle()
	p := phc{memory: h.Memory, passes: h.Passes, lanes: h.Lanes, salt: make([]byte, saltSize)}
	return h.run(ctx, func() { p.derive(password, hashSize) })
}

func (h *Hasher) current(p phc) bool {
	return p.algorithm == "argon2id" && p.memory == h.Memory && p.passes == h.Passes && p.lanes == h.Lanes &&
		len(p.salt) >= saltSize && len(p.key) >= hashSize
}

// run waits for a slot and works in it. Work that has begun is not interrupted.
func (h *Hasher) run(ctx context.Context, work func()) error {
	select {
	case h.slots <- struct{}{}:
	default:
		if err := h.wait(ctx); err != nil {
			return err
		}
	}
	defer func() { <-h.slots }()
	work()
	return nil
}

func (h *Hasher) wait(ctx context.Context) error {
	defer h.waiting.Add(-1)
	if n := h.waiting.Add(1); n > int64(h.Waiting) {
		return ErrBusy.RetryAfter(2).Because(fmt.Errorf("%d callers wait already", n-1))
	}
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ErrGone.Because(context.Cause(ctx))
	}
}

func (p phc) derive(password string, size uint32) []byte {
	return argon2.IDKey([]byte(password), p.salt, p.passes, p.memory, p.lanes, size)
}
