package oath_test

import (
	"context"
	"encoding/base32"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/factor"
	"limen/internal/core/factor/factortest"
	"limen/internal/core/factor/oath"
)

const (
	aliceKey = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	bobKey   = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

func code(t *testing.T, secret string, at time.Time) string {
	t.Helper()
	c, err := oath.Code(secret, "SHA1", 6, at.Unix()/30)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSuite(t *testing.T) {
	factortest.Run(t, func(t *testing.T, w *factortest.World) factortest.Bench {
		p := oath.Profiles{Ring: w.Ring}
		w.Write(func(ctx context.Context, c *call.Call) error {
			if _, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey}); err != nil {
				return err
			}
			if _, err := p.Set(ctx, c, "bob", oath.Seed{Secret: bobKey}); err != nil {
				return err
			}
			_, _, err := p.Begin(ctx, c, "carol", "carol", "Limen") // pending: not enrolled
			return err
		})
		return factortest.Bench{
			Mechanism: oath.Mechanism{Profiles: p}, Enrolled: factor.Person{ID: "alice"}, Other: factor.Person{ID: "bob"},
			Stranger: factor.Person{ID: "carol"},
			Right:    func(factor.Challenge) factor.Answer { return factor.Answer{Text: code(t, aliceKey, w.Now)} },
			Wrong:    factor.Answer{Text: "12345"}, Life: 90 * time.Second,
		}
	})
}

// RFC 6238, appendix B: the codes of the three algorithms, with eight digits.
func TestVectors(t *testing.T) {
	key := func(n int) string {
		return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString([]byte(strings.Repeat("1234567890", 7)[:n]))
	}
	for _, v := range []struct {
		at   int64
		alg  string
		size int
		want string
	}{
		{59, "SHA1", 20, "94287082"}, {59, "SHA256", 32, "46119246"}, {59, "SHA512", 64, "90693936"},
		{1111111109, "SHA1", 20, "07081804"}, {1111111109, "SHA256", 32, "68084774"}, {1111111109, "SHA512", 64, "25091201"},
		{20000000000, "SHA1", 20, "65353130"}, {20000000000, "SHA256", 32, "77737706"}, {20000000000, "SHA512", 64, "47863826"},
	} {
		if got, err := oath.Code(key(v.size), v.alg, 8, v.at/30); got != v.want || err != nil {
			t.Errorf("%+v: %s %v", v, got, err)
		}
	}
	// RFC 4226, appendix D.
	for i, want := range []string{"755224", "287082", "359152", "969429"} {
		if got, _ := oath.Code(key(20), "SHA1", 6, int64(i)); got != want {
			t.Errorf("count %d: %s", i, got)
		}
	}
}

func TestEnrolment(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		w.Write(func(ctx context.Context, c *call.Call) error {
			old, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey})
			if err != nil {
				return err
			}
			if _, _, err := p.Begin(ctx, c, "alice", "given up", "x"); err != nil {
				return err
			}
			made, uri, err := p.Begin(ctx, c, "alice", "alice@acme.test", "Acme & Sons")
			if err != nil {
				return err
			}
			u, err := url.Parse(uri)
			if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Query().Get("issuer") != "Acme & Sons" || u.Path != "/Acme & Sons:alice@acme.test" {
				t.Fatal(uri, err)
			}
			secret := u.Query().Get("secret")
			if strings.Contains(made.Secret, secret) || len(secret) != 32 {
				t.Fatal("the secret is not sealed")
			}
			if list, _ := p.List(ctx, c, "alice"); len(list) != 2 {
				t.Fatal("one that counts and one pending", list)
			}
			if err := p.Confirm(ctx, c, "alice", made.ID, "000000"); !errors.Is(err, oath.ErrCode) {
				t.Fatal(err)
			}
			if err := p.Confirm(ctx, c, "bob", made.ID, code(t, secret, w.Now)); !errors.Is(err, oath.ErrNotFound) {
				t.Fatal("somebody else's", err)
			}
			if err := p.Confirm(ctx, c, "alice", made.ID, code(t, secret, w.Now)); err != nil {
				return err
			}
			if err := p.Confirm(ctx, c, "alice", made.ID, code(t, secret, w.Now)); !errors.Is(err, oath.ErrCode) {
				t.Fatal("a code counts once", err)
			}
			list, err := p.List(ctx, c, "alice")
			if err != nil || len(list) != 1 || list[0].ID != made.ID || !list[0].Confirmed || list[0].ID == old.ID {
				t.Fatal(list, err)
			}
			if err := p.Delete(ctx, c, "bob", made.ID); !errors.Is(err, oath.ErrNotFound) {
				t.Fatal(err)
			}
			return p.Delete(ctx, c, "alice", made.ID)
		})
	})
}

func TestCountedCodes(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		m := oath.Mechanism{Profiles: p}
		who := factor.Person{ID: "alice"}
		w.Write(func(ctx context.Context, c *call.Call) error {
			_, err := p.Set(ctx, c, "alice", oath.Seed{Secret: aliceKey, Counted: true, Counter: 5})
			return err
		})
		try := func(at int64) (ok bool) {
			text, _ := oath.Code(aliceKey, "SHA1", 6, at)
			ch := factor.Challenge{}
			v, err := m.Check(t.Context(), w.Call(), who, ch, factor.Answer{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			w.Write(func(ctx context.Context, c *call.Call) (err error) {
				ok, err = m.Commit(ctx, c, who, &ch, v)
				return err
			})
			return ok
		}
		for _, s := range []struct {
			at   int64
			want bool
		}{{4, false}, {5, true}, {5, false}, {9, true}, {7, false}, {20, false}, {19, true}} {
			if got := try(s.at); got != s.want {
				t.Fatal(s, got)
			}
		}
	})
}

func TestSeeds(t *testing.T) {
	factortest.Each(t, func(t *testing.T, w *factortest.World) {
		p := oath.Profiles{Ring: w.Ring}
		w.Write(func(ctx context.Context, c *call.Call) error {
			for _, bad := range []struct {
				s    oath.Seed
				want error
			}{
				{oath.Seed{Secret: "short"}, oath.ErrSecret}, {oath.Seed{Secret: "not base32!!"}, oath.ErrSecret}, {oath.Seed{}, oath.ErrSecret},
				{oath.Seed{Secret: aliceKey, Algorithm: "MD5"}, oath.ErrAlgorithm}, {oath.Seed{Secret: aliceKey, Digits: 5}, oath.ErrDigits}, {oath.Seed{Secret: aliceKey, Digits: 9}, oath.ErrDigits},
				{oath.Seed{Secret: aliceKey, Period: 5}, oath.ErrPeriod}, {oath.Seed{Secret: aliceKey, Counted: true, Counter: -1}, oath.ErrCounter},
			} {
				if _, err := p.Set(ctx, c, "alice", bad.s); !errors.Is(err, bad.want) {
					t.Errorf("%+v: %v", bad.s, err)
				}
			}
			got, err := p.Set(ctx, c, "alice", oath.Seed{Secret: "jbsw y3dp ehpk 3pxp=", Algorithm: "sha-256", Digits: 8, Period: 60})
			if got.Algorithm != "SHA256" || got.Digits != 8 || got.Period != 60 {
				t.Error(got)
			}
			return err
		})
	})
}
