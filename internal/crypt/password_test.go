package crypt

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"limen/internal/fault"
)

func small() *Hasher { return &Hasher{Memory: 64, Random: rand.Reader} }

func TestHashVerify(t *testing.T) {
	ctx := context.Background()
	h := small()
	hash, err := h.Hash(ctx, "päss word")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=64,t=1,p=1$") {
		t.Fatal(hash, err)
	}
	for password, want := range map[string]bool{"päss word": true, "pass word": false, "": false, "päss word ": false} {
		if ok, rehash, err := h.Verify(ctx, hash, password); ok != want || rehash || err != nil {
			t.Errorf("%q: %v %v %v", password, ok, rehash, err)
		}
	}
	stronger := &Hasher{Memory: 128, Random: rand.Reader}
	if ok, rehash, err := stronger.Verify(ctx, hash, "päss word"); !ok || !rehash || err != nil {
		t.Error("a weaker hash is to be made again", ok, rehash, err)
	}
	if ok, rehash, _ := stronger.Verify(ctx, hash, "wrong"); ok || rehash {
		t.Error("a wrong password asks for nothing")
	}
	if ok, _, err := h.Verify(ctx, "", "any"); ok || err != nil {
		t.Error("no hash, no entry", ok, err)
	}
}

func TestDefaults(t *testing.T) {
	h := &Hasher{Random: rand.Reader}
	hash, err := h.Hash(context.Background(), "x")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=47104,t=1,p=1$") {
		t.Fatal(hash, err)
	}
}

func TestPasswordLength(t *testing.T) {
	ctx := context.Background()
	h := small()
	longest := strings.Repeat("p", MaxPassword)
	hash, err := h.Hash(ctx, longest)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, _ := h.Verify(ctx, hash, longest); !ok {
		t.Error("the longest password")
	}
	if ok, _, err := h.Verify(ctx, hash, longest+"p"); ok || err != nil {
		t.Error(ok, err)
	}
	if _, err := h.Hash(ctx, longest+"p"); !errors.Is(err, ErrPasswordTooLong) {
		t.Error(err)
	}
	if _, err := h.Hash(ctx, ""); !errors.Is(err, ErrPasswordEmpty) {
		t.Error(err)
	}
}

// imports are hashes of "password", made by the programs in their names.
var imports = map[string]string{
	"sha512crypt, openssl passwd -6": "$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/",
	"sha256crypt, openssl passwd -5": "$5$saltsalt$gOjOtoMpVhru2uyjeJSEc/JaLQWOXMNmlOnj6T4AtC.",
	"pbkdf2-sha1, python hashlib":    "$pbkdf2-sha1$2000$c2FsdHNhbHRzYWx0c2FsdA$fnG7SBqY0itr61VL1paR6y8lIv4",
	"pbkdf2-sha256, python hashlib":  "$pbkdf2-sha256$2000$c2FsdHNhbHRzYWx0c2FsdA$eTkYRrRW50jh5lp8w.UMzjIw83.DWb2TunmA8jyzxq0",
	"pbkdf2-sha512, python hashlib":  "$pbkdf2-sha512$2000$c2FsdHNhbHRzYWx0c2FsdA$NilQFPWFjo8j0eL2Ne6h/XzKPtwBkNRf6w65cmxVKFBE.DM..IdyaJjAy.NWbhkl1bQSPxrrGscc7PA/JwJb7Q",
	"pbkdf2 in LDAP, python hashlib": "{PBKDF2-SHA256}2000$c2FsdHNhbHRzYWx0c2FsdA$eTkYRrRW50jh5lp8w.UMzjIw83.DWb2TunmA8jyzxq0",
	"scrypt, python hashlib":         "$scrypt$ln=5,r=8,p=2$c2FsdHNhbHRzYWx0c2FsdA$tb0W+cz/zcQGYX8EuBdgXOynuRME/GWf8dR/u0mRu4Q",
}

func TestImported(t *testing.T) {
	ctx := context.Background()
	h := small()
	b, err := bcrypt.GenerateFromPassword([]byte("password"), 5)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"bcrypt": string(b), "bcrypt in LDAP": "{CRYPT}" + string(b)}
	for k, v := range imports {
		all[k] = v
	}
	for name, hash := range all {
		if err := CheckHash(hash); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if ok, rehash, err := h.Verify(ctx, hash, "password"); !ok || !rehash || err != nil {
			t.Errorf("%s: %v %v %v", name, ok, rehash, err)
		}
		if ok, rehash, err := h.Verify(ctx, hash, "Password"); ok || rehash || err != nil {
			t.Errorf("%s, wrong: %v %v %v", name, ok, rehash, err)
		}
	}
}

func TestBcryptCutsAt72(t *testing.T) {
	long := strings.Repeat("0123456789", 8)
	b, err := bcrypt.GenerateFromPassword([]byte(long[:72]), 5)
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := small().Verify(context.Background(), string(b), long); !ok || err != nil {
		t.Fatal(ok, err)
	}
}

func TestHashesRefused(t *testing.T) {
	salt, key := "c2FsdHNhbHRzYWx0", "a2V5a2V5a2V5a2V5a2V5a2V5a2V5a2V5"
	for hash, want := range map[string]error{
		"":                    ErrHash,
		"secret":              ErrHash,
		"$1$x$y":              ErrHash,
		"$plaintext$password": ErrHash,
		"$argon2id$v=19$m=4294967295,t=1,p=1$" + salt + "$" + key:      ErrHashCost,
		"$argon2id$v=19$m=262144,t=5,p=1$" + salt + "$" + key:          ErrHashCost,
		"$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + key:              ErrHashCost,
		"$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + key:              ErrHashCost,
		"$argon2id$v=19$m=64,m=262144,t=1,p=1$" + salt + "$" + key:     ErrHash,
		"$argon2id$v=19$m=64,t=1,p=1,x=1$" + salt + "$" + key:          ErrHash,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$a2V5":                ErrHash,
		"$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + key:              ErrHash,
		"$2b$31$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234": ErrHashCost,
		"$pbkdf2-sha256$99999999$" + salt + "$" + key:                  ErrHashCost,
		"$scrypt$ln=30,r=8,p=1$" + salt + "$" + key:                    ErrHashCost,
		"$scrypt$ln=20,r=64,p=1$" + salt + "$" + key:                   ErrHashCost,
		"$6$rounds=999999999$salt$" + strings.Repeat("a", 86):          ErrHashCost,
		"$6$salt$short":                          ErrHash,
		"$argon2id$" + strings.Repeat("a", 1000): ErrHash,
	} {
		if err := CheckHash(hash); !errors.Is(err, want) {
			t.Errorf("%q: %v", hash, err)
		}
	}
}

func TestSlotsAreBounded(t *testing.T) {
	h := &Hasher{Memory: 64, Slots: 1, Waiting: 1, Random: rand.Reader}
	h.settle()
	h.slots <- struct{}{} // the slot is taken
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := h.Hash(ctx, "x"); !errors.Is(err, ErrGone) || !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	for h.waiting.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	_, err := h.Hash(context.Background(), "x")
	if f := fault.Of(err); f.Kind != fault.Limited || f.After == 0 {
		t.Error(err)
	}
	if err := h.Dummy(context.Background(), "x"); !errors.Is(err, ErrBusy) {
		t.Error("a dummy check takes a slot too:", err)
	}
	cancel()
	wg.Wait()
	<-h.slots
	if _, err := h.Hash(context.Background(), "x"); err != nil {
		t.Error(err)
	}
	if h.waiting.Load() != 0 {
		t.Error(h.waiting.Load())
	}
}

func FuzzPHC(f *testing.F) {
	h := small()
	own, err := h.Hash(context.Background(), "password")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	for _, hash := range imports {
		f.Add(hash)
	}
	for _, hash := range []string{
		"$2b$05$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234", "$pbkdf2-sha256$1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",
		"$scrypt$ln=4,r=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5", "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",
		"$bcrypt-sha256$v=2,t=2b,r=5$abcdefghijklmnopqrstuu$ABCDEFGHIJKLMNOPQRSTUVWXYZ01234", "{PBKDF2-SHA256}1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5a2V5",
	} {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		p, err := parseHash(hash)
		if err != nil {
			if !errors.Is(err, ErrHash) && !errors.Is(err, ErrHashCost) {
				t.Fatal(err)
			}
			return
		}
		start := time.Now()
		if _, err := p.match("not the password"); err != nil && !errors.Is(err, ErrHash) {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 30*time.Second {
			t.Fatalf("%q took %v", hash, d)
		}
	})
}
