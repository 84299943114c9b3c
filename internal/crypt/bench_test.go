package crypt

import (
	"bytes"
	"context"
	"crypto/rand"
	"testing"

	"golang.org/x/crypto/argon2"
)

// BenchmarkBare and BenchmarkVerify differ by what Hasher adds to the hash itself.
func BenchmarkBare(b *testing.B) {
	salt := bytes.Repeat([]byte{1}, saltSize)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			argon2.IDKey([]byte("password"), salt, 1, 46*1024, 1, hashSize)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	h := &Hasher{Random: rand.Reader}
	hash, err := h.Hash(context.Background(), "password")
	if err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(8) // more callers than slots
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if ok, _, err := h.Verify(context.Background(), hash, "password"); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}

func BenchmarkSealOpen(b *testing.B) {
	r, _, _ := testRing(b)
	ctx := context.Background()
	for b.Loop() {
		sealed, err := r.Seal(ctx, "t", "p", []byte("a secret of a usual length"), "row")
		if err == nil {
			_, err = r.Open(ctx, "t", "p", sealed, "row")
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	for _, alg := range []Alg{RS256, ES256} {
		b.Run(string(alg), func(b *testing.B) {
			s, _, _ := testSigners(b)
			for b.Loop() {
				if _, err := s.Sign(context.Background(), "t", alg, "JWT", claims{"anna"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
