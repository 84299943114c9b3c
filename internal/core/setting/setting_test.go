package setting_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"limen/internal/call"
	"limen/internal/core/change"
	"limen/internal/core/key"
	"limen/internal/core/setting"
	"limen/internal/crypt"
	"limen/internal/dbx"
	"limen/internal/dbx/dbxtest"
	"limen/internal/fault"
)

type world struct {
	t     *testing.T
	db    *dbx.DB
	store *setting.Store
	id    string
	event *call.Event
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	dbxtest.Each(t, func(t *testing.T, db *dbx.DB) {
		id := make([]byte, 8)
		_, _ = rand.Read(id)
		f(t, &world{t: t, db: db, store: node(t, db), id: fmt.Sprintf("T%x", id)})
	})
}

func node(t *testing.T, db *dbx.DB) *setting.Store {
	master, err := crypt.NewMaster(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	keys := key.Keys{DB: db}
	s := &setting.Store{
		DB: db, Changes: &change.Log{DB: db},
		Ring: &crypt.Ring{Master: master, Load: keys.Seals, Store: keys.AddSeal, Now: time.Now},
	}
	s.Start()
	if err := s.Changes.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *world) call(tx *dbx.Tx) *call.Call {
	return &call.Call{Tenant: call.Tenant{ID: w.id}, Now: time.Now(), Rand: rand.Reader, Tx: tx}
}

func (w *world) set(want error, pairs ...setting.Pair) {
	w.t.Helper()
	ctx := w.t.Context()
	ready, err := w.store.Prepare(ctx, w.call(nil), pairs...)
	if err == nil {
		err = w.db.Write(ctx, func(tx *dbx.Tx) error {
			c := w.call(tx)
			c.Event = &call.Event{}
			w.event = c.Event
			return w.store.Write(ctx, c, ready)
		})
	}
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		w.t.Fatalf("%v: got %v, want %v", pairs, err, want)
	}
}

func (w *world) get() *setting.Values {
	w.t.Helper()
	v, err := w.store.Get(w.t.Context(), w.call(nil))
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func (w *world) find(name string) string {
	w.t.Helper()
	var out string
	err := w.db.Read(w.t.Context(), func(tx *dbx.Tx) error {
		v, ok, err := w.store.Find(w.t.Context(), w.call(tx), name)
		out = fmt.Sprintf("%s %v", v, ok)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// Every known key's default is a value that the key accepts, and every key changes something.
func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range setting.Keys() {
		if k.Meaning == "" || k.Kind == "" || seen[strings.ToLower(k.Name)] {
			t.Errorf("%+v", k)
		}
		seen[strings.ToLower(k.Name)] = true
	}
	each(t, func(t *testing.T, w *world) {
		for _, k := range setting.Keys() {
			if k.Default != "" {
				w.set(nil, setting.Set(k.Name, k.Default))
				if got := w.find(k.Name); got != k.Default+" true" {
					t.Error(k.Name, got, k.Default)
				}
			}
		}
		unset := *w.get()
		other := &world{t: t, db: w.db, store: w.store, id: w.id + "x"}
		if fresh := *other.get(); !reflect.DeepEqual(unset, fresh) {
			t.Errorf("defaults set by hand differ from those by nature:\n%+v\n%+v", unset, fresh)
		}
	})
}

func TestValues(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		v := w.get()
		if v.SMTP.Port != 587 || v.Session.Life != 12*time.Hour || len(v.Auth.Challenges) != 2 || v.Auth.Challenges[1][7] != "SQ" || v.Password.MinLength != 12 || v.Lockout.Factor.Lock != 10 {
			t.Errorf("%+v", v)
		}
		w.set(nil, setting.Set("smtp.PORT", " 25 "), setting.Set("Session.LifespanHours", "1"), setting.Set("Authentication.Challenges", "up ; oath, u2f"),
			setting.Set("Signup.Allowed", "TRUE"))
		v = w.get()
		if v.SMTP.Port != 25 || v.Session.Life != time.Hour || !v.Signup.Allowed || v.Auth.Challenges[1][1] != "U2F" {
			t.Errorf("%+v", v)
		}
		if got := w.find("authentication.challenges"); got != "UP;OATH,U2F true" {
			t.Error(got)
		}
		if ch := w.event.Changes["Smtp.Port"]; ch.New != int64(25) || ch.Old != int64(587) {
			t.Error(w.event.Changes)
		}
		w.set(nil, setting.Unset("Smtp.Port"), setting.Unset("never there"))
		if w.get().SMTP.Port != 587 {
			t.Error("the default is back")
		}
	})
}

// What does not go together is refused, however it comes about, and nothing of it is stored.
func TestFits(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.store.Fits = append(w.store.Fits, func(v *setting.Values) error {
			if v.Theme.Color != "" && v.Theme.Color == v.Theme.Background {
				return setting.ErrValue.At(setting.ThemeColor)
			}
			return nil
		})
		w.set(nil, setting.Set(setting.ThemeColor, "#1d5aa6"), setting.Set(setting.ThemeLanguages, " DE, pt-br,de,,zh-hans "))
		if got := w.get().Theme; got.Color != "#1d5aa6" || !reflect.DeepEqual(got.Languages, []string{"de", "pt-BR", "zh-Hans"}) {
			t.Errorf("%+v", got)
		}
		w.set(setting.ErrValue, setting.Set(setting.ThemeBackground, "#1d5aa6"))
		w.set(nil, setting.Set(setting.ThemeBackground, "#1d5aa6"), setting.Set(setting.ThemeColor, "#ffffff"))
		if got := w.get().Theme; got.Color != "#ffffff" || got.Background != "#1d5aa6" {
			t.Errorf("%+v", got)
		}
	})
}

func TestRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for name, value := range map[string]string{
			"Smtp.Port": "0", "Smtp.Host": "a b", "Smtp.FromAddress": "nobody", "Smtp.UseTls": "maybe", "Session.LifespanHours": "1e3", "Code.Length": "4",
			"Authentication.Challenges": "UP;MAGIC", "Twilio.AccountSid": "AC12", "Twilio.FromNumber": "555", "Twilio.BaseURL": "ftp://x", "Language": "!!",
			"Country": "USA", "Company.Support": "javascript:alert(1)", "Company.Name": "a\nb", "free": strings.Repeat("x", 9000), "Password.History": "-1",
			"Theme.Color": "red", "Theme.DarkColor": "#12345", "Theme.Background": "#12345g", "Theme.Logo": "//evil.example/x.png", "Theme.Languages": "en;!!",
			"Company.Privacy": "javascript:alert(1)", "Theme.SampleName": "a\nb",
		} {
			w.set(setting.ErrValue, setting.Set(name, value))
		}
		w.set(setting.ErrName, setting.Set(" ", "x"))
		w.set(setting.ErrName, setting.Set(strings.Repeat("x", 201), "x"))
		w.set(setting.ErrDuplicate, setting.Set("a", "x"), setting.Set("A", "y"))
		w.set(setting.ErrValue, setting.Set("Password.MinLength", "40"), setting.Set("Password.MaxLength", "20"))
		w.set(setting.ErrValue, setting.Set("social.LinkDomains", "*")) // which was one of an earlier version
		w.set(setting.ErrValue, setting.Set("Smtp.Enabled", "true"))
		w.set(setting.ErrValue, setting.Set("Twilio.Enabled", "true"))
		if !reflect.DeepEqual(w.get().SMTP, (&world{t: t, db: w.db, store: w.store, id: w.id + "x"}).get().SMTP) {
			t.Error("something of what was refused was stored")
		}
	})
}

func TestSecrets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.set(nil, setting.Set(setting.SMTPPassword, "pa55-word"))
		v := w.get()
		if v.SMTP.Password == "" || strings.Contains(string(v.SMTP.Password), "pa55") || w.find("smtp.password") != setting.Mask+" true" {
			t.Error("a secret shows:", v.SMTP.Password)
		}
		if s := fmt.Sprintf("%+v", w.event); strings.Contains(s, "pa55") || !strings.Contains(s, setting.SMTPPassword) {
			t.Error(s)
		}
		got, err := w.store.Open(t.Context(), w.id, setting.SMTPPassword, v.SMTP.Password)
		if err != nil || got != "pa55-word" {
			t.Error(got, err)
		}
		if _, err := w.store.Open(t.Context(), w.id, setting.TwilioToken, v.SMTP.Password); err == nil {
			t.Error("a secret opens as another one")
		}
		if _, err := w.store.Open(t.Context(), w.id+"x", setting.SMTPPassword, v.SMTP.Password); err == nil {
			t.Error("a secret opens for another tenant")
		}
		w.set(nil, setting.Set(setting.SMTPPassword, ""))
		if w.get().SMTP.Password != "" {
			t.Error("it is still there")
		}
	})
}

func TestFree(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.set(nil, setting.Set("My.Key", "v"), setting.Set("empty", ""))
		if v, ok := w.get().Free("my.key"); v != "v" || !ok || w.find("MY.KEY") != "v true" || w.find("empty") != " true" || w.find("other") != " false" {
			t.Error(v, ok)
		}
		var many []setting.Pair
		for i := range 498 {
			many = append(many, setting.Set(fmt.Sprint("k", i), "v"))
		}
		w.set(nil, many...)
		w.set(setting.ErrTooMany, setting.Set("one more", "v"))
		w.set(nil, setting.Set("k1", "changed"), setting.Unset("k2"))
		w.set(nil, setting.Set("one more", "v"))
		err := w.db.Read(t.Context(), func(tx *dbx.Tx) error {
			all, err := w.store.List(t.Context(), w.call(tx))
			if len(all) != 500+len(setting.Keys()) {
				t.Error(len(all))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestOtherNodes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other := &world{t: t, db: w.db, store: node(t, w.db), id: w.id}
		if other.get().SMTP.Port != 587 {
			t.Fatal()
		}
		w.set(nil, setting.Set("Smtp.Port", "26"))
		if err := other.store.Changes.Poll(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := other.get().SMTP.Port; got != 26 {
			t.Error(got)
		}
	})
}

// A transaction sees what it wrote, and nobody sees what it took back.
func TestOwnWrites(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ready, err := w.store.Prepare(t.Context(), w.call(nil), setting.Set("Smtp.Port", "27"))
		if err != nil {
			t.Fatal(err)
		}
		stop := errors.New("stop")
		err = w.db.Write(t.Context(), func(tx *dbx.Tx) error {
			c := w.call(tx)
			if err := w.store.Write(t.Context(), c, ready); err != nil {
				return err
			}
			v, err := w.store.Get(t.Context(), c)
			if err != nil {
				return err
			}
			if v.SMTP.Port != 27 {
				t.Error(v.SMTP.Port)
			}
			return stop
		})
		if !errors.Is(err, stop) || w.get().SMTP.Port != 587 {
			t.Error(err)
		}
	})
}

// What a transaction reads that began before a change must not be remembered after it.
func TestOldSnapshotsAreNotKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		err := w.db.Read(t.Context(), func(tx *dbx.Tx) error {
			c := w.call(tx)
			if _, _, err := w.store.Find(t.Context(), c, "Smtp.Port"); err != nil { // the snapshot begins here
				return err
			}
			w.set(nil, setting.Set("Smtp.Port", "28"))
			_, err := w.store.Get(t.Context(), c)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if got := w.get().SMTP.Port; got != 28 {
				t.Fatal(got)
			}
			time.Sleep(time.Millisecond)
		}
	})
}

func FuzzPrepare(f *testing.F) {
	for _, k := range setting.Keys() {
		f.Add(k.Name, k.Default)
	}
	f.Add("free", "x")
	s := &setting.Store{}
	f.Fuzz(func(t *testing.T, name, value string) {
		if strings.EqualFold(strings.TrimSpace(name), setting.SMTPPassword) || strings.EqualFold(strings.TrimSpace(name), setting.TwilioToken) {
			return // sealing needs a store
		}
		_, err := s.Prepare(context.Background(), &call.Call{}, setting.Set(name, value))
		if err != nil && fault.Of(err).Kind != fault.Invalid {
			t.Fatal(err)
		}
	})
}
