package oauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"limen/internal/core/oauth"
	"limen/internal/fault"
	wire "limen/internal/wire/oauth"
)

// lets has the application web let clients register.
func (w *world) lets(how oauth.Registering) {
	a := w.apps["web"]
	a.Profile.Registering = how
	w.apps["web"] = a
	w.s.DB = w.db
}

// registers registers a client.
func (w *world) registers(token string, m wire.Metadata) (oauth.Draft, error) {
	d, err := w.s.PrepareRegister(w.t.Context(), w.c, "web", token, m)
	if err != nil {
		return d, err
	}
	return d, w.in(func(ctx context.Context) error { return w.s.Register(ctx, w.c, d) })
}

func plain() wire.Metadata {
	return wire.Metadata{Name: "Shop", Redirects: wire.Redirects{"https://shop.example.com/cb"}, GrantTypes: []string{"authorization_code", "refresh_token"}}
}

func TestRegister(t *testing.T) {
	each(t, func(w *world) {
		if _, err := w.registers("", plain()); code(err) != oauth.ErrDenied.Code {
			t.Error("where nobody may:", err)
		}
		w.lets(oauth.Anybody)
		d, err := w.registers("", plain())
		if err != nil || len(d.Secret) < 64 || d.Token == "" || d.Metadata.AuthMethod != wire.SecretBasic || len(d.Metadata.ResponseTypes) != 1 {
			t.Fatalf("%+v %v", d, err)
		}
		for name, m := range map[string]func(*wire.Metadata){
			"no redirect": func(m *wire.Metadata) { m.Redirects = nil }, "http": func(m *wire.Metadata) { m.Redirects = wire.Redirects{"http://127.0.0.1/cb"} },
			"localhost": func(m *wire.Metadata) { m.Redirects = wire.Redirects{"https://localhost/cb"} }, "script": func(m *wire.Metadata) { m.Redirects = wire.Redirects{"javascript:alert(1)"} },
			"own scheme of a web client":     func(m *wire.Metadata) { m.Redirects = wire.Redirects{"com.example.app:/cb"} },
			"a grant that nobody decides on": func(m *wire.Metadata) { m.GrantTypes = []string{"client_credentials"} }, "unknown grant": func(m *wire.Metadata) { m.GrantTypes = []string{"x"} },
			"implicit without its grant": func(m *wire.Metadata) { m.ResponseTypes = []string{"id_token"} }, "unknown scope": func(m *wire.Metadata) { m.Scope = "admin" },
			"certificates": func(m *wire.Metadata) { m.AuthMethod, m.TLSDNS = wire.TLSClient, "a.example" }, "keys that are not there": func(m *wire.Metadata) { m.AuthMethod = wire.PrivateKeyJWT },
			"jwks_uri without TLS": func(m *wire.Metadata) { m.KeysURI = "http://client.example/keys" },
		} {
			in := plain()
			m(&in)
			if _, err := w.registers("", in); fault.Of(err) == nil || fault.Of(err).Kind != fault.Invalid {
				t.Errorf("%s: %v", name, err)
			}
		}
		native := plain()
		native.Type, native.AuthMethod, native.Redirects = "native", wire.None, wire.Redirects{"com.example.app:/cb", "http://127.0.0.1/cb"}
		if d, err := w.registers("", native); err != nil || d.Secret != "" {
			t.Error("a program on a device:", err)
		}
		// Who registered itself is asked about, also where the application's own client is not.
		own := strings.NewReplacer("client-1", d.ID, answer, d.Metadata.Redirects[0]).Replace(ask)
		if _, err := w.reply(own + challenge()); err == nil || !strings.Contains(err.Error(), "next is consent") {
			t.Error("nobody is asked:", err)
		}
		if _, err := w.reply(ask + challenge()); err != nil {
			t.Error("the application's own client:", err)
		}
	})
}

func TestInitialToken(t *testing.T) {
	each(t, func(w *world) {
		w.lets(oauth.TokenHolder)
		var token, id string
		makes := func(app string, uses int64, life time.Duration) {
			t.Helper()
			err := w.in(func(ctx context.Context) error {
				it, plain, err := w.s.MakeInitial(ctx, w.c, w.apps[app], "test", uses, life)
				token, id = plain, it.ID
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		makes("web", 2, time.Hour)
		for i, want := range []*fault.Error{nil, nil, oauth.ErrToken} {
			if _, err := w.registers(token, plain()); want == nil && err != nil || want != nil && !errors.Is(err, want) {
				t.Errorf("use %d: %v", i+1, err)
			}
		}
		for _, wrong := range []string{"", "x", token} {
			if _, err := w.registers(wrong, plain()); !errors.Is(err, oauth.ErrToken) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		makes("api", 1, time.Hour)
		if _, err := w.registers(token, plain()); !errors.Is(err, oauth.ErrToken) {
			t.Error("of another application:", err)
		}
		makes("web", 1, time.Hour)
		if err := w.in(func(ctx context.Context) error { return w.s.DropInitial(ctx, w.c, w.apps["web"], id) }); err != nil {
			t.Fatal(err)
		}
		if _, err := w.registers(token, plain()); !errors.Is(err, oauth.ErrToken) {
			t.Error("revoked:", err)
		}
		makes("web", 1, time.Minute)
		w.c.Now = w.c.Now.Add(time.Minute)
		if _, err := w.registers(token, plain()); !errors.Is(err, oauth.ErrToken) {
			t.Error("expired:", err)
		}
	})
}

// A client changes and deletes itself by its token, which is another one after every change.
func TestManage(t *testing.T) {
	each(t, func(w *world) {
		w.lets(oauth.Anybody)
		mine, err := w.registers("", plain())
		if err != nil {
			t.Fatal(err)
		}
		other, err := w.registers("", plain())
		if err != nil {
			t.Fatal(err)
		}
		for _, token := range []string{"", "x", other.Token} {
			if _, err := w.s.Managed(t.Context(), w.c, "web", mine.ID, token); !errors.Is(err, oauth.ErrToken) {
				t.Errorf("%q: %v", token, err)
			}
		}
		if _, err := w.s.Managed(t.Context(), w.c, "api", mine.ID, mine.Token); !errors.Is(err, oauth.ErrToken) {
			t.Error("at another application:", err)
		}
		got, err := w.s.Managed(t.Context(), w.c, "web", mine.ID, mine.Token)
		if err != nil || got.Secret != mine.Secret || got.Metadata.Name != "Shop" {
			t.Fatalf("%+v %v", got, err)
		}
		wider := plain()
		wider.GrantTypes = append(wider.GrantTypes, "client_credentials")
		if _, err := w.s.PrepareChange(t.Context(), w.c, got, "", wider); code(err) != "oauth.invalid_client_metadata" {
			t.Error("it gave itself a grant:", err)
		}
		if _, err := w.s.PrepareChange(t.Context(), w.c, got, "another", plain()); code(err) != "oauth.invalid_client_metadata" {
			t.Error("it chose its secret:", err)
		}
		m := plain()
		m.Name = "Store"
		next, err := w.s.PrepareChange(t.Context(), w.c, got, mine.Secret, m)
		if err != nil || next.Token == mine.Token || next.Secret != mine.Secret {
			t.Fatalf("%+v %v", next, err)
		}
		if err := w.in(func(ctx context.Context) error { return w.s.Change(ctx, w.c, next) }); err != nil {
			t.Fatal(err)
		}
		if err := w.in(func(ctx context.Context) error { return w.s.Change(ctx, w.c, next) }); !errors.Is(err, oauth.ErrToken) {
			t.Error("changed twice from the same state:", err)
		}
		if _, err := w.s.Managed(t.Context(), w.c, "web", mine.ID, mine.Token); !errors.Is(err, oauth.ErrToken) {
			t.Error("the old token:", err)
		}
		if got, err = w.s.Managed(t.Context(), w.c, "web", mine.ID, next.Token); err != nil || got.Metadata.Name != "Store" {
			t.Fatalf("%+v %v", got, err)
		}
		if err := w.in(func(ctx context.Context) error {
			return w.s.Unregister(ctx, w.c, w.apps["web"], mine.ID, wire.Metadata{})
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.s.Managed(t.Context(), w.c, "web", mine.ID, next.Token); !errors.Is(err, oauth.ErrToken) {
			t.Error("deleted:", err)
		}
		if _, err := w.token("web", basic(mine.ID, mine.Secret), "grant_type=refresh_token&refresh_token=x", ""); !errors.Is(err, oauth.ErrClient) {
			t.Error("a deleted client proves itself:", err)
		}
	})
}

// Addresses that clients name are asked only when they may register at all, and by the one way that is guarded.
func TestSSRF(t *testing.T) {
	each(t, func(w *world) {
		var asked []string
		w.s.Fetch = func(_ context.Context, uri string) ([]byte, error) {
			asked = append(asked, uri)
			return nil, errors.New("forbidden network")
		}
		m := plain()
		m.SectorURI, m.LogoURI, m.KeysURI, m.URI = "https://169.254.169.254/latest", "https://10.0.0.1/logo", "https://127.0.0.1/keys", "https://[::1]/"
		m.RequestURIs = []string{"https://192.168.0.1/request"}
		w.lets(oauth.TokenHolder)
		if _, err := w.registers("guess", m); !errors.Is(err, oauth.ErrToken) || len(asked) > 0 {
			t.Error("without a token:", err, asked)
		}
		w.lets(oauth.Anybody)
		if _, err := w.registers("", m); code(err) != "oauth.invalid_client_metadata" || len(asked) != 1 || asked[0] != m.SectorURI {
			t.Error(err, asked)
		}
		m.SectorURI = "https://client.example/sector"
		w.s.Fetch = func(context.Context, string) ([]byte, error) { return []byte(`["https://other.example.com/cb"]`), nil }
		if _, err := w.registers("", m); code(err) != "oauth.invalid_client_metadata" {
			t.Error("a sector of others:", err)
		}
		w.s.Fetch = func(context.Context, string) ([]byte, error) { return []byte(`["https://shop.example.com/cb"]`), nil }
		if _, err := w.registers("", m); err != nil {
			t.Error("its own sector:", err)
		}
	})
}
