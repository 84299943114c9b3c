package registration_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"limen/internal/app/apptest"
	"limen/internal/call"
	"limen/internal/core/audit"
	"limen/internal/core/signup"
	"limen/internal/core/user"
)

// A stranger has an account from the confirmation on, and belongs to nobody; who has one is told by mail.
func TestStrangersRegister(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		apptest.Workspaces(t, s, "")
		open(t, s)
		mail := "eva+" + s.ID + "@new.example"
		code, browser := waiting(t, s, mail)
		signIn := map[string]any{"username": mail, "password": apptest.Password}
		if status, _ := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", signIn); status != http.StatusUnauthorized {
			t.Error("they sign in before they have confirmed:", status)
		}
		if have := accounts(t, s, mail); len(have) != 0 {
			t.Error("there is an account before the address is confirmed")
		}
		if status, answer := confirm(t, s, code, browser); status != http.StatusOK {
			t.Fatal(status, answer)
		}
		if status, answer := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", signIn); status != http.StatusOK {
			t.Error(status, string(answer))
		}
		if have := accounts(t, s, mail); len(have) != 1 || have[0].Org != "" || have[0].Display != "Eva Neu" {
			t.Error(have)
		}
		again := map[string]any{"email": mail, "password": apptest.Password}
		if status, answer := s.Call(t, "", http.MethodPost, "/uauth/user/register", again); status != http.StatusOK {
			t.Error(status, string(answer))
		}
		s.Mailed(t, mail, regexp.MustCompile(`eva\+`+s.ID+`@`+regexp.QuoteMeta(s.Suffix)))
	})
}

// An address that is registered again while it waits may be a stranger's wish: whoever confirms it gets nobody's password and number, and
// chooses a password by a link.
func TestNobodyRegistersForAnother(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		apptest.Workspaces(t, s, "")
		open(t, s)
		mail := "eva+" + s.ID + "@new.example"
		first, browser := waiting(t, s, mail)
		stranger := map[string]any{"email": mail, "password": "the-Strangers-1-password", "firstName": "Mallory", "phone": "+12065550199"}
		if status, answer := s.Call(t, "", http.MethodPost, "/uauth/user/register", stranger); status != http.StatusOK {
			t.Fatal(status, string(answer))
		}
		if status, _ := s.Call(t, "", http.MethodGet, "/uauth/user/confirmation/"+first, nil); status != http.StatusNotFound {
			t.Error("the first code:", status)
		}
		again := ""
		for range 2000 {
			for _, m := range s.App.Tray.To(mail) {
				if code := secret.FindString(m.Text); m.Tenant == s.ID && code != "" && code != first {
					again = code
				}
			}
			if again != "" {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if status, answer := confirm(t, s, again, browser); status != http.StatusOK {
			t.Fatal(status, answer)
		}
		for _, password := range []string{apptest.Password, "the-Strangers-1-password"} {
			signIn := map[string]any{"username": mail, "password": password}
			if status, _ := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", signIn); status != http.StatusUnauthorized {
				t.Error(password, status)
			}
		}
		if have := accounts(t, s, mail); len(have) != 1 || have[0].Mobile != "" || have[0].PasswordChanged != 0 || have[0].Display == "Mallory" {
			t.Error(have)
		}
		s.Mailed(t, mail, regexp.MustCompile(`/invitation\?token=`))
	})
}

// Whoever registers an address of somebody else's is confirmed by nobody: its owner opens the code in their own browser, and what the stranger
// entered is gone.
func TestOwnerOfTheMailboxConfirmsNoStrangersPassword(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		apptest.Workspaces(t, s, "")
		open(t, s)
		for i, browser := range []string{"", "x", strings.Repeat("A", 43)} {
			mail := fmt.Sprintf("eva%d+%s@new.example", i, s.ID)
			code, _ := waiting(t, s, mail)
			status, answer := confirm(t, s, code, browser)
			if status != http.StatusOK || !strings.Contains(answer, `"passwordSet":false`) {
				t.Fatal(status, answer)
			}
			signIn := map[string]any{"username": mail, "password": apptest.Password}
			if status, _ := s.Call(t, "", http.MethodPost, "/uauth/auth/login/user", signIn); status != http.StatusUnauthorized {
				t.Errorf("the password that was registered, confirmed by %q: %d", browser, status)
			}
			if have := accounts(t, s, mail); len(have) != 1 || have[0].PasswordChanged != 0 || have[0].Display == "Eva Neu" {
				t.Error(have)
			}
			s.Mailed(t, mail, regexp.MustCompile(`/invitation\?token=`))
		}
	})
}

// A browser that registers is known again by its cookie, whether the address has an account or not.
func TestBrowserThatRegisteredIsKnown(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		apptest.Workspaces(t, s, "")
		open(t, s)
		has := "ida+" + s.ID + "@new.example"
		s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Create(ctx, c, user.New{Name: "ida@" + s.Suffix, Mail: has})
			return err
		})
		for _, mail := range []string{"eva+" + s.ID + "@new.example", has} {
			body := strings.NewReader(`{"email":"` + mail + `","password":"` + apptest.Password + `"}`)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/uauth/user/register", body)
			if err != nil {
				t.Fatal(err)
			}
			r.Host = s.Host
			r.Header.Set("Content-Type", "application/json")
			res, err := s.HTTP.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			if k := res.Cookies(); res.StatusCode != http.StatusOK || len(k) != 1 || k[0].Name != "registration" || !k[0].HttpOnly || len(k[0].Value) != 43 {
				t.Errorf("%s: %d %v", mail, res.StatusCode, k)
			}
		}
	})
}

// confirm shows a code in a browser.
func confirm(t *testing.T, s *apptest.Site, code, browser string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/uauth/user/confirmation/"+code, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = s.Host
	r.AddCookie(&http.Cookie{Name: "registration", Value: browser})
	res, err := s.HTTP.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(out)
}

func accounts(t *testing.T, s *apptest.Site, mail string) (out []user.User) {
	t.Helper()
	s.Do(t, audit.UserReload, func(ctx context.Context, c *call.Call) (err error) {
		out, err = s.App.People.ByMail(ctx, c, mail, 9)
		return err
	})
	return out
}

// A code ends after a day, when the address has an account by then, and when registering is switched off; asking is throttled.
func TestRegistrationsEnd(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		apptest.Workspaces(t, s, "")
		open(t, s)
		mail := "eva@new.example"
		code, browser := waiting(t, s, mail)
		confirm := func(ahead time.Duration) (err error) {
			s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
				c.Now = c.Now.Add(ahead)
				_, err = s.App.Signups.Confirm(ctx, c, code, browser, signup.Foreseen{})
				return nil
			})
			return err
		}
		if err := confirm(signup.Lasts); !errors.Is(err, signup.ErrCode) {
			t.Error("after a day:", err)
		}
		s.Do(t, audit.UserCreate, func(ctx context.Context, c *call.Call) error {
			_, err := s.App.People.Create(ctx, c, user.New{Name: "eva@" + s.Suffix, Mail: mail})
			return err
		})
		if err := confirm(0); !errors.Is(err, signup.ErrCode) {
			t.Error("of an address that has an account:", err)
		}
		now, n := time.Now(), 0
		again := func() (err error) {
			s.Do(t, audit.UserRegister, func(ctx context.Context, c *call.Call) error {
				c.Now = now
				err = s.App.Signups.Again(ctx, c, "nobody@new.example")
				return nil
			})
			return err
		}
		for again() == nil && n < 10 {
			n++
		}
		if err := again(); n != 4 || !errors.Is(err, signup.ErrWait) {
			t.Error(n, err)
		}
	})
}

// Strangers register where both settings let them.
func TestSettingsLetStrangersIn(t *testing.T) {
	apptest.Each(t, func(t *testing.T, srv *apptest.Server) {
		s := srv.Tenant(t)
		apptest.Workspaces(t, s, "")
		for _, set := range []struct {
			allowed, captcha string
			want             int
		}{{"false", "false", 403}, {"true", "true", 403}, {"true", "false", 200}} {
			s.Set(t, "Signup.Allowed", set.allowed)
			s.Set(t, "Signup.RequireCaptcha", set.captcha)
			status, answer := s.Call(t, "", http.MethodPost, "/uauth/user/register", map[string]any{"email": "eva@new.example", "password": apptest.Password})
			if status != set.want {
				t.Errorf("%+v: %d %s", set, status, answer)
			}
		}
	})
}
