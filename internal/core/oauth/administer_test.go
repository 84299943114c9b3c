package oauth_test

import (
	"context"
	"errors"
	"testing"

	"limen/internal/core/oauth"
	wire "limen/internal/wire/oauth"
)

// administers drafts a client and stores it.
func (w *world) administers(id string, m wire.Metadata, renew bool) (oauth.Draft, error) {
	d, err := w.s.PrepareClient(w.t.Context(), w.c, w.apps["web"], id, m, renew)
	if err != nil {
		return d, err
	}
	return d, w.in(func(ctx context.Context) error {
		if id == "" {
			return w.s.Register(ctx, w.c, d)
		}
		return w.s.Change(ctx, w.c, d)
	})
}

func TestAdministeredClient(t *testing.T) {
	each(t, func(w *world) {
		w.lets(oauth.Nobody) // which says nothing of administrators
		made, err := w.administers("", plain(), false)
		if err != nil || made.NewSecret() == "" || made.Itself() {
			t.Fatal(made, err)
		}
		proves := func(secret string) error {
			_, err := w.s.Authenticate(t.Context(), w.c, w.apps["web"], wire.Credentials{Method: wire.SecretBasic, ClientID: made.ID, Secret: secret})
			return err
		}
		if err := proves(made.Secret); err != nil {
			t.Error(err)
		}
		for _, token := range []string{"", "x", made.Secret} {
			if _, err := w.s.Managed(t.Context(), w.c, "web", made.ID, token); !errors.Is(err, oauth.ErrToken) {
				t.Errorf("manages itself with %q: %v", token, err)
			}
		}
		same, err := w.administers(made.ID, plain(), false)
		if err != nil || same.NewSecret() != "" || proves(made.Secret) != nil {
			t.Error("a change takes the secret:", err)
		}
		if err := w.in(func(ctx context.Context) error { return w.s.Change(ctx, w.c, same) }); !errors.Is(err, oauth.ErrChanged) {
			t.Error("two at once:", err)
		}
		renewed, err := w.administers(made.ID, plain(), true)
		if err != nil || renewed.NewSecret() == "" || proves(renewed.Secret) != nil || !errors.Is(proves(made.Secret), oauth.ErrClient) {
			t.Error("another secret:", err)
		}
		if err := w.in(func(ctx context.Context) error {
			_, err := w.s.ClientOf(ctx, w.c, w.apps["api"], made.ID)
			return err
		}); !errors.Is(err, oauth.ErrNoClient) {
			t.Error("of another application:", err)
		}
	})
}

// A client that registered itself goes on managing itself after an administrator changed it.
func TestAdministeredKeepsToken(t *testing.T) {
	each(t, func(w *world) {
		w.lets(oauth.Anybody)
		d, err := w.registers("", plain())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.administers(d.ID, plain(), false); err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Managed(t.Context(), w.c, "web", d.ID, d.Token); err != nil {
			t.Error(err)
		}
	})
}
